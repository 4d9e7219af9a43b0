/**
 * The part of the contract ABI that our calls and events need: words of 32 bytes, big-endian, and behind them what has
 * no fixed length (bytes: length, then padded; bytes32[]: length, then words), at the offset its word says. Structs
 * here hold words only, and so lie in line.
 */
import { concatBytes, fromHex, hexOf, inputError, toHex, utf8 } from '../../base/index.ts'
import type { Address, Hash, Hex } from '../../base/index.ts'

export type Keccak = (data: Uint8Array) => Uint8Array
/** A string is an address or 32 bytes; an array is a bytes32[]. */
export type AbiValue = bigint | number | boolean | Hex | Uint8Array | readonly Hash[]

const WORD = 32
/** No call of ours is nearly as long. */
const MAX_CALL_BYTES = 16 * 1024

/** First 4 bytes of the hash of `name(types)`. */
function selectorOf(keccak: Keccak, signature: string): Uint8Array {
  return keccak(utf8(signature)).slice(0, 4)
}

/** `signature` as in Solidity, tuples in parentheses. Errors: input where a value is no word, or the call too long. */
export function encodeCall(keccak: Keccak, signature: string, values: readonly AbiValue[]): Uint8Array {
  return concatBytes(selectorOf(keccak, signature), encodeValues(values))
}

export function encodeValues(values: readonly AbiValue[]): Uint8Array {
  const heads: Uint8Array[] = []
  const tails: Uint8Array[] = []
  let tailAt = values.length * WORD
  for (const value of values) {
    const tail = tailOf(value)
    if (tail === null) {
      heads.push(wordOf(value))
      continue
    }
    heads.push(wordOf(tailAt))
    tails.push(tail)
    tailAt += tail.length
  }
  const encoded = concatBytes(...heads, ...tails)
  if (encoded.length > MAX_CALL_BYTES) throw inputError('call', `${encoded.length} bytes`, `at most ${MAX_CALL_BYTES} bytes`)
  return encoded
}

/** Null: it fits into its word. */
function tailOf(value: AbiValue): Uint8Array | null {
  if (value instanceof Uint8Array) return concatBytes(wordOf(value.length), value, new Uint8Array((WORD - (value.length % WORD)) % WORD))
  if (isList(value)) return concatBytes(wordOf(value.length), ...value.map(wordOf))
  return null
}

function isList(value: AbiValue): value is readonly Hash[] {
  return Array.isArray(value)
}

/** Errors: input for a number below 0 or above 2^256 - 1, or more than 32 bytes. */
export function wordOf(value: AbiValue): Uint8Array {
  const digits = typeof value === 'string' ? value.slice(2) : typeof value === 'boolean' ? (value ? '1' : '0') : typeof value === 'bigint' || typeof value === 'number' ? BigInt(value).toString(16) : 'none'
  if (!/^[0-9a-f]{1,64}$/.test(digits)) throw inputError('call', value, 'words of 32 bytes')
  return fromHex(digits.padStart(2 * WORD, '0'))
}

/** Words of a log or of a storage read. Reading past the end gives zeros; `count` says what is there. */
export class Words {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get count(): number {
    return Math.floor(this.#bytes.length / WORD)
  }

  number(index: number): bigint {
    return BigInt(`0x0${toHex(this.#word(index))}`)
  }

  hash(index: number): Hash {
    return hexOf(this.#word(index))
  }

  address(index: number): Address {
    return hexOf(this.#word(index).subarray(12))
  }

  #word(index: number): Uint8Array {
    const word = this.#bytes.subarray(index * WORD, (index + 1) * WORD)
    return word.length === WORD ? word : new Uint8Array(WORD)
  }
}

export function addressOfTopic(topic: Hash | undefined): Address {
  return `0x${(topic ?? '').slice(-40).padStart(40, '0')}`
}
