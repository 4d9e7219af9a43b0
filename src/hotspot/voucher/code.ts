/**
 * The typed voucher code, `ABCDE-FGHJK`: 10 of the 32 symbols of symbols.ts. Our own format; described
 * for other implementers in docs/vouchers.md, with vectors in test/vectors/vouchers.json.
 *
 *   number   21 bits   slot 4 · box 2 · serial 15
 *   tag      24 bits   first bits of HMAC(TAG_DOMAIN ‖ number as 3 bytes)
 *   masked   21 bits   number xor first bits of HMAC(MASK_DOMAIN ‖ tag), so that serials do not show
 *   symbols  9 × 5     masked ‖ tag
 *   check    1 × 5     makes s0·a⁹ + s1·a⁸ + … + s9 = 0 in GF(32), a a root of x⁵ + x² + 1
 *
 * The weights of the ten symbols are ten different powers of a, none of them zero. One wrong symbol
 * changes the sum by difference·weight, two swapped ones by difference·(weight − other weight): never 0.
 * So a slip of the finger is told from a guess without a key, and does not count as a guess.
 */
import { MeshBoxError, concatBytes, equalBytesConstantTime, inputError, utf8 } from '../../base/index.ts'
import type { VoucherKeys } from '../../identity/index.ts'
import { symbolOf, symbolValue } from './symbols.ts'
import { typedSymbol } from './typed-symbols.ts'

/** Which voucher it is: what the typed code carries. */
export interface VoucherNumber {
  /** 0–15 */
  readonly slot: number
  /** 0–3 */
  readonly box: number
  /** 0–32767 */
  readonly serial: number
}

const CODE_SYMBOLS = 10
const MAX_TYPED_LENGTH = 64
const TAG_DOMAIN = utf8('meshbox voucher code 1: tag\0')
const MASK_DOMAIN = utf8('meshbox voucher code 1: mask\0')

/**
 * The code of a voucher as it is printed, e.g. `7KQ2M-0X4TB`. The same number and keys always give the
 * same code. Throws `input` for a number out of range.
 */
export function encodeCode(number: VoucherNumber, keys: Pick<VoucherKeys, 'mac'>): string {
  const packed = packNumber(number)
  const tag = tagOf(packed, keys)
  const body = (BigInt(packed ^ maskOf(tag, keys)) << 24n) | BigInt(toUint24(tag))
  let symbols = ''
  for (let shift = 40n; shift >= 0n; shift -= 5n) symbols += symbolOf(Number((body >> shift) & 31n))
  return formatCode(symbols + symbolOf(timesRoot(checkSum(symbols))))
}

/**
 * The number in a typed code. Throws MeshBoxError `input`, code `code-typo` when this cannot be what was
 * printed (length, foreign letter, check symbol: the guest should look again, it is no guess), or
 * `bad-code` when it is well-formed and not ours (counts as a guess). The text is not repeated in the
 * error, since it may be one symbol away from somebody's voucher.
 */
export function readCode(text: string, keys: Pick<VoucherKeys, 'mac'>): VoucherNumber {
  const symbols = normaliseCode(text)
  if (symbols === null || checkSum(symbols) !== 0)
    throw new MeshBoxError('input', 'this is not what is printed: look at the voucher again, letter by letter', {
      code: 'code-typo',
      field: 'code',
      allowed: 'the 10 letters and digits of the voucher',
    })
  let body = 0n
  for (const symbol of symbols.slice(0, CODE_SYMBOLS - 1)) body = (body << 5n) | BigInt(symbolValue(symbol) ?? 0)
  const tag = fromUint24(Number(body & 0xffffffn))
  const packed = Number(body >> 24n) ^ maskOf(tag, keys)
  if (!equalBytesConstantTime(tagOf(packed, keys), tag))
    throw new MeshBoxError('input', 'there is no voucher with this code', { code: 'bad-code', field: 'code' })
  return { slot: packed >>> 17, box: (packed >>> 15) & 3, serial: packed & 0x7fff }
}

/**
 * Typed text → the 10 symbols meant, or null if it is not ten symbols. Case, separators, look-alikes
 * and the digits of other scripts are taken care of; the check symbol is not looked at.
 */
export function normaliseCode(text: string): string | null {
  if (text.length > MAX_TYPED_LENGTH) return null
  let symbols = ''
  for (const character of text) {
    const symbol = typedSymbol(character)
    if (symbol === null) return null
    symbols += symbol
    if (symbols.length > CODE_SYMBOLS) return null
  }
  return symbols.length === CODE_SYMBOLS ? symbols : null
}

/** Ten symbols → `ABCDE-FGHJK`. */
export function formatCode(symbols: string): string {
  return `${symbols.slice(0, 5)}-${symbols.slice(5)}`
}

function packNumber({ slot, box, serial }: VoucherNumber): number {
  checkRange('slot', slot, 15)
  checkRange('box', box, 3)
  checkRange('serial', serial, 0x7fff)
  return (slot << 17) | (box << 15) | serial
}

function checkRange(field: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) throw inputError(field, value, `0..${max}`)
}

function tagOf(packed: number, keys: Pick<VoucherKeys, 'mac'>): Uint8Array {
  return keys.mac(concatBytes(TAG_DOMAIN, fromUint24(packed))).slice(0, 3)
}

function maskOf(tag: Uint8Array, keys: Pick<VoucherKeys, 'mac'>): number {
  return toUint24(keys.mac(concatBytes(MASK_DOMAIN, tag))) >>> 3
}

function fromUint24(value: number): Uint8Array {
  return Uint8Array.of((value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

function toUint24(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) << 16) | ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0)
}

/** Value of the symbols, as polynomial coefficients, at the root a (Horner). */
function checkSum(symbols: string): number {
  let sum = 0
  for (const symbol of symbols) sum = timesRoot(sum) ^ (symbolValue(symbol) ?? 0)
  return sum
}

/** a·value in GF(32), a⁵ = a² + 1. */
function timesRoot(value: number): number {
  return value & 16 ? ((value << 1) & 31) ^ 5 : value << 1
}
