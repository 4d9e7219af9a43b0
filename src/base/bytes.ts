import { inputError } from './errors.ts'

/** Bytes and their texts: hex, base64url, comparison in constant time, big-endian integers. */
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // a mark at the start is a character like any other

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Strict: malformed UTF-8 is an input error, and nothing is dropped. */
export function fromUtf8(bytes: Uint8Array, field = 'text'): string {
  try {
    return decoder.decode(bytes)
  } catch (thrown) {
    if (thrown instanceof TypeError) throw inputError(field, toHex(bytes.subarray(0, 40)), 'valid UTF-8')
    throw thrown
  }
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Of a character code; 255 where it is no digit. Marked so that a page that reads no hex leaves it out. */
const HEX_DIGIT = /* @__PURE__ */ Uint8Array.from({ length: 128 }, (_, code) => (/[0-9a-fA-F]/.test(String.fromCharCode(code)) ? parseInt(String.fromCharCode(code), 16) : 255))

/** Strict: even length, hex digits only, optional 0x. */
export function fromHex(text: string, field = 'hex'): Uint8Array {
  const start = text.startsWith('0x') ? 2 : 0
  if (text.length % 2 !== 0) throw inputError(field, text, 'an even number of hex digits')
  const bytes = new Uint8Array((text.length - start) / 2)
  for (let index = 0, at = start; index < bytes.length; index++, at += 2) {
    const high = HEX_DIGIT[text.charCodeAt(at)] ?? 255
    const low = HEX_DIGIT[text.charCodeAt(at + 1)] ?? 255
    if (high > 15 || low > 15) throw inputError(field, text, 'an even number of hex digits')
    bytes[index] = (high << 4) | low
  }
  return bytes
}

export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** Strict: base64url alphabet only, no padding, no stray bits (one text per value). */
export function fromBase64Url(text: string, field = 'base64url'): Uint8Array {
  const allowed = 'base64url without padding'
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw inputError(field, text, allowed)
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'))
  if (toBase64Url(bytes) !== text) throw inputError(field, text, allowed)
  return bytes
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Time depends on the lengths only, never on the contents. */
export function equalBytesConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
