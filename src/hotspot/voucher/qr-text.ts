/**
 * The scanned form of a voucher: all its terms, signed, in a URL `<portal>/V/<payload>`. Our own format;
 * described for other implementers in docs/vouchers.md, with vectors in test/vectors/vouchers.json.
 *
 *   offset  bytes   field
 *   0       1       version, 1
 *   1       3       number, big-endian: 3 zero bits · slot 4 · box 2 · serial 15
 *   4       1       which of the optional fields follow: 1 seconds, 2 bytes, 4 down, 8 up, 16 valid until, 32 tokens
 *   5       1       devices, 1–255
 *   6       1–5     seconds, 1–2^32−1 (varint, if flagged)
 *           1–8     bytes, 1–2^53−1 (varint, if flagged)
 *           1–5     down, kbit/s, 1–2^32−1 (varint, if flagged)
 *           1–5     up, kbit/s, 1–2^32−1 (varint, if flagged)
 *           1–3     valid until, days since 1970-01-01, 0–99999 (varint, if flagged)
 *           1–19    tokens, smallest units, 1–2^128−1 (varint, if flagged)
 *           1–19    price, smallest units, 0–2^128−1 (varint)
 *   end−64  64      Ed25519 signature over SIGN_DOMAIN ‖ everything before (RFC 8032)
 *
 * A varint is little-endian base 128 (LEB128), no longer than its value needs. At least one of seconds
 * and bytes is there, or tokens and nothing that shapes a session. The payload is these bytes in the symbols of symbols.ts, and the URL is all upper
 * case, which scheme and host do not mind (RFC 3986, 6.2.2.1): the QR code then needs 5.5 bits a
 * character and comes out one or two sizes smaller than with base64url: 41 or 45 modules a side, not 49.
 */
import { MAX_AMOUNT, MeshBoxError, concatBytes, inputError, utf8 } from '../../base/index.ts'
import type { VoucherKeys } from '../../identity/index.ts'
import { bytesToSymbols, symbolsToBytes } from './symbols.ts'
import type { VoucherTerms } from './types.ts'

const VERSION = 1
const SIGNATURE_BYTES = 64
const SIGN_DOMAIN = utf8('meshbox voucher 1\0')
/** Shortest and longest body with its signature, in symbols. */
const MIN_SYMBOLS = 116
const MAX_SYMBOLS = 184
const MAX_URL_LENGTH = 512
const VOUCHER_URL = new RegExp(`^https?://[^\\s/?#@\\\\]{1,255}/v/([0-9A-Z]{${MIN_SYMBOLS},${MAX_SYMBOLS}})$`, 'i')
const BARE_PAYLOAD = new RegExp(`^[0-9A-Z]{${MIN_SYMBOLS},${MAX_SYMBOLS}}$`)
const PORTAL_BASE = /^https?:\/\/[A-Za-z0-9.\-[\]:]{1,255}\/?$/

const UINT32 = 0xffff_ffffn
/** Optional fields in the order of the layout; the flag is 1 << index. */
const OPTIONAL_FIELDS = [
  { name: 'seconds', min: 1n, max: UINT32 },
  { name: 'bytes', min: 1n, max: BigInt(Number.MAX_SAFE_INTEGER) },
  { name: 'downKbps', min: 1n, max: UINT32 },
  { name: 'upKbps', min: 1n, max: UINT32 },
  { name: 'validUntilDay', min: 0n, max: 99_999n },
] as const
/** Beside the flags of OPTIONAL_FIELDS. */
const TOKENS_FLAG = 1 << OPTIONAL_FIELDS.length
/** Order of the group of the curve, RFC 8032 section 5.1. */
const ED25519_ORDER = (1n << 252n) + 27742317777372353535851937790883648493n

/**
 * URL to print as a QR code. `portalBaseUrl` is `http://host` or `https://host`, with a port if need be.
 * Throws `input` for terms out of the ranges above.
 */
export function encodeQr(terms: VoucherTerms, keys: Pick<VoucherKeys, 'sign'>, portalBaseUrl: string): string {
  if (!PORTAL_BASE.test(portalBaseUrl)) throw inputError('portalBaseUrl', portalBaseUrl, 'http://host or https://host')
  const body = encodeTerms(terms)
  const payload = bytesToSymbols(concatBytes(body, keys.sign(concatBytes(SIGN_DOMAIN, body))))
  return `${portalBaseUrl.replace(/\/$/, '').toUpperCase()}/V/${payload}`
}

/**
 * The terms in a scanned URL (of any host: another box of the owner may have printed it) or in its bare
 * payload. One voucher has exactly one payload; anything else throws MeshBoxError `input`, code `bad-code`.
 */
export function readQr(textOrUrl: string, keys: Pick<VoucherKeys, 'verify'>): VoucherTerms {
  const payload = qrPayload(textOrUrl)
  const bytes = payload === null ? null : symbolsToBytes(payload)
  if (bytes === null || bytes.length <= SIGNATURE_BYTES) throw badVoucher()
  const body = bytes.slice(0, -SIGNATURE_BYTES)
  const signature = bytes.slice(-SIGNATURE_BYTES)
  const terms = decodeTerms(body)
  if (!isReducedSignature(signature) || !keys.verify(signature, concatBytes(SIGN_DOMAIN, body))) throw badVoucher()
  return terms
}

/** The payload in a text that has the form of a scanned voucher (nothing is verified), else null. */
export function qrPayload(textOrUrl: string): string | null {
  if (textOrUrl.length > MAX_URL_LENGTH) return null
  const text = textOrUrl.trim()
  const payload = VOUCHER_URL.exec(text)?.[1] ?? text
  return BARE_PAYLOAD.test(payload) ? payload : null
}

function encodeTerms(terms: VoucherTerms): Uint8Array {
  checkInteger('slot', terms.slot, 0n, 15n)
  checkInteger('box', terms.box, 0n, 3n)
  checkInteger('serial', terms.serial, 0n, 0x7fffn)
  checkInteger('devices', terms.devices, 1n, 255n)
  if (!isWhole(terms)) throw inputError('seconds', terms.seconds, 'seconds, bytes or both; or tokens, without any of them and without rates')
  const number = (terms.slot << 17) | (terms.box << 15) | terms.serial
  let flags = 0
  const tail: number[] = []
  OPTIONAL_FIELDS.forEach(({ name, min, max }, index) => {
    const value = terms[name]
    if (value === null) return
    flags |= 1 << index
    pushVarint(tail, checkInteger(name, value, min, max))
  })
  if (terms.tokens !== null) {
    if (terms.tokens < 1n || terms.tokens > MAX_AMOUNT) throw inputError('tokens', terms.tokens, '1..2^128-1')
    flags |= TOKENS_FLAG
    pushVarint(tail, terms.tokens)
  }
  if (terms.price < 0n || terms.price > MAX_AMOUNT) throw inputError('price', terms.price, '0..2^128-1')
  pushVarint(tail, terms.price)
  return Uint8Array.from([VERSION, number >>> 16, (number >>> 8) & 255, number & 255, flags, terms.devices, ...tail])
}

/** Grants time or bytes or both; or tokens, and says nothing of a session. */
function isWhole({ seconds, bytes, tokens, downKbps, upKbps }: Pick<VoucherTerms, 'seconds' | 'bytes' | 'tokens' | 'downKbps' | 'upKbps'>): boolean {
  return tokens === null ? seconds !== null || bytes !== null : [seconds, bytes, downKbps, upKbps].every((limit) => limit === null)
}

function decodeTerms(body: Uint8Array): VoucherTerms {
  const [version = 0, high = 0, middle = 0, low = 0, flags = 0, devices = 0] = body
  const number = (high << 16) | (middle << 8) | low
  if (version !== VERSION || number >>> 21 !== 0 || flags >= TOKENS_FLAG << 1 || devices === 0) throw badVoucher()
  let at = 6
  const take = (min: bigint, max: bigint): bigint => {
    const read = readVarint(body, at)
    if (read === null || read.value < min || read.value > max) throw badVoucher()
    at = read.end
    return read.value
  }
  const [seconds = null, bytes = null, downKbps = null, upKbps = null, validUntilDay = null] = OPTIONAL_FIELDS.map(
    ({ min, max }, index) => (flags & (1 << index) ? Number(take(min, max)) : null),
  )
  const tokens = (flags & TOKENS_FLAG) === 0 ? null : take(1n, MAX_AMOUNT)
  const price = take(0n, MAX_AMOUNT)
  if (at !== body.length || !isWhole({ seconds, bytes, tokens, downKbps, upKbps })) throw badVoucher()
  const place = { slot: number >>> 17, box: (number >>> 15) & 3, serial: number & 0x7fff }
  return { ...place, seconds, bytes, tokens, devices, downKbps, upKbps, price, validUntilDay }
}

function checkInteger(field: string, value: number, min: bigint, max: bigint): bigint {
  if (!Number.isSafeInteger(value) || BigInt(value) < min || BigInt(value) > max)
    throw inputError(field, value, `a whole number, ${min}..${max}`)
  return BigInt(value)
}

function pushVarint(out: number[], value: bigint): void {
  let rest = value
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
}

/** null if it is cut off, longer than needed, or longer than the largest field (19 bytes). */
function readVarint(bytes: Uint8Array, start: number): { value: bigint; end: number } | null {
  let value = 0n
  for (let index = 0; index < 19; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) return null
    value |= BigInt(byte & 0x7f) << BigInt(7 * index)
    if (byte < 0x80) return byte === 0 && index > 0 ? null : { value, end: start + index + 1 }
  }
  return null
}

/** S < L, RFC 8032 section 5.1.7: without it S + L would verify as well and a voucher had two texts. */
function isReducedSignature(signature: Uint8Array): boolean {
  let s = 0n
  for (const byte of signature.slice(32).reverse()) s = (s << 8n) | BigInt(byte)
  return s < ED25519_ORDER
}

function badVoucher(): MeshBoxError {
  return new MeshBoxError('input', 'this is not a voucher of this owner', { code: 'bad-code', field: 'voucher' })
}
