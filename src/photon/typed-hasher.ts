/**
 * EIP-712: what is signed under a contract's domain, for the contract, between nodes, for a stream, in gossip, in orders. A type is its
 * text, e.g. `Open(bytes32 channel,uint64 epoch)`; each value is checked against the member it is for. What is signed under one type
 * is never taken for another's, on another chain or for another contract. Runs in a browser too: keccak is handed in.
 */
import { inputError } from '../base/errors.ts'
import type { Address } from '../base/hex.ts'
import { hexText, writeHex } from './hex-digits.ts'

export type Keccak = (data: Uint8Array) => Uint8Array

/** A contract on a chain; what is signed for one means nothing to another. */
export interface ContractPlace {
  readonly chainId: bigint
  readonly contract: Address
}

/** What the contract, or we, call ourselves: name and version. */
export type TypedName = readonly [name: string, version: string]

/** Of our contract (solidity/PhotonV2.sol). */
export const PHOTON: TypedName = ['Photon', '2']
export const COOP_SETTLE_TYPE = 'CoopSettle(bytes32 channel,uint64 epoch,address p1,uint256 b1,address p2,uint256 b2,uint64 validUntil)'
export const VOUCHER_TYPE = 'Voucher(bytes32 channel,uint64 epoch,uint256 cumulative,bytes32 tip,uint32 steps,uint128 unit)'

/** Hex or bytes for `bytes32`, `address`; bytes as long as its type for a number that lies in a frame. */
export type Member = bigint | number | boolean | string | Uint8Array

export interface TypedHasher {
  /** `members`: in the type's order. 32 bytes. Errors: input, naming the member whose value does not fit. */
  digest(type: string, members: readonly Member[]): Uint8Array
  /** keccak of the domain's words, 32 bytes. */
  readonly separator: Uint8Array
}

interface Field {
  readonly name: string
  readonly kind: 'uint' | 'int' | 'bool' | 'bytes'
  readonly bytes: number
}

interface Layout {
  readonly hash: Uint8Array
  readonly fields: readonly Field[]
}

const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
/** As the encoding has it, a text counts by its hash; our names for the members. */
const DOMAIN_FIELDS = 'bytes32 name,bytes32 version,uint256 chainId,address contract'
const WORD = 32
const MAX_MEMBERS = 16
const KEPT_HASHERS = 8
const LOW_BITS = 0xffff_ffffn

/** Errors: input `chainId`, `contract`. */
export function createTypedHasher(keccak: Keccak, [name, version]: TypedName, { chainId, contract }: ContractPlace): TypedHasher {
  const hashOf = (text: string): Uint8Array => keccak(new TextEncoder().encode(text))
  const layouts = new Map<string, Layout>()
  const layoutOf = (type: string): Layout => {
    const known = layouts.get(type) ?? { hash: hashOf(type), fields: fieldsOf(type.slice(type.indexOf('(') + 1, -1)) }
    layouts.set(type, known)
    return known
  }
  const words = new Uint8Array((1 + MAX_MEMBERS) * WORD)
  const view = new DataView(words.buffer)
  const structOf = ({ hash, fields }: Layout, members: readonly Member[]): Uint8Array => {
    if (members.length !== fields.length) throw inputError('members', members.length, `${fields.length}`)
    words.set(hash)
    for (const [index, field] of fields.entries()) putWord(words, view, (1 + index) * WORD, field, members[index] ?? '')
    return keccak(words.subarray(0, (1 + fields.length) * WORD))
  }
  const separator = structOf({ hash: hashOf(DOMAIN_TYPE), fields: fieldsOf(DOMAIN_FIELDS) }, [hashOf(name), hashOf(version), chainId, contract])
  const outer = new Uint8Array(2 + 2 * WORD)
  outer.set([0x19, 0x01])
  outer.set(separator, 2)
  return {
    separator,
    digest(type, members) {
      outer.set(structOf(layoutOf(type), members), 2 + WORD)
      return keccak(outer)
    },
  }
}

/** Under one name, at few places: what does not change is worked out once. */
export function typedHashers(keccak: Keccak, name: TypedName): (place: ContractPlace) => TypedHasher {
  const kept = new Map<string, TypedHasher>()
  return (place) => {
    const key = `${place.chainId} ${place.contract}`
    const made = kept.get(key) ?? createTypedHasher(keccak, name, place)
    if (kept.size >= KEPT_HASHERS) kept.clear()
    kept.set(key, made)
    return made
  }
}

function fieldsOf(text: string): readonly Field[] {
  return text.split(',').map((member): Field => {
    const [type = '', name = ''] = member.split(' ')
    const [, kind = '', bits = ''] = /^(uint|int)(\d+)$/.exec(type) ?? []
    if (kind === 'uint' || kind === 'int') return { name, kind, bytes: Number(bits) / 8 }
    if (type === 'bool') return { name, kind: 'bool', bytes: 1 }
    if (type === 'address') return { name, kind: 'bytes', bytes: 20 }
    if (type === 'bytes32') return { name, kind: 'bytes', bytes: WORD }
    throw inputError('type', type, 'uint, int, bool, address or bytes32')
  })
}

/** One word, the value on its right. */
function putWord(words: Uint8Array, view: DataView, at: number, field: Field, value: Member): void {
  const start = at + WORD - field.bytes
  if (value instanceof Uint8Array) {
    if (value.length !== field.bytes || field.kind === 'int') throw unfit(field, hexText(value))
    words.fill(0, at, start)
    words.set(value, start)
  } else if (typeof value === 'string') {
    words.fill(0, at, start)
    if (field.kind !== 'bytes' || !(writeHex(value, words, start, field.bytes) || writeHex(value.toLowerCase(), words, start, field.bytes))) throw unfit(field, value)
  } else putNumber(view, at, wholeOf(field, value))
}

/** As the 256 bits of its word. */
function wholeOf(field: Field, value: bigint | number | boolean): bigint {
  const isNumber = field.kind === 'uint' || field.kind === 'int'
  if (typeof value === 'boolean' ? field.kind !== 'bool' : !isNumber || (typeof value === 'number' && !Number.isSafeInteger(value))) throw unfit(field, value)
  const whole = BigInt(value)
  const bits = 8 * field.bytes
  if (field.kind !== 'int') {
    if (whole < 0n || BigInt.asUintN(bits, whole) !== whole) throw unfit(field, value)
    return whole
  }
  if (BigInt.asIntN(bits, whole) !== whole) throw unfit(field, value)
  return BigInt.asUintN(8 * WORD, whole)
}

/** In halves of what a DataView could write: phones of 2020 know bigint and not setBigUint64. */
function putNumber(view: DataView, at: number, value: bigint): void {
  let rest = value
  for (let offset = WORD - 4; offset >= 0; offset -= 4) {
    view.setUint32(at + offset, rest === 0n ? 0 : Number(rest & LOW_BITS))
    rest >>= 32n
  }
}

function unfit({ name, kind, bytes }: Field, value: bigint | number | boolean | string): Error {
  return inputError(name, value, kind === 'bytes' ? `${bytes} bytes, in hex` : kind === 'bool' ? 'true or false' : `a whole number of ${8 * bytes} bits`)
}
