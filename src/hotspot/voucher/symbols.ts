/**
 * The 32 symbols of everything a guest types or scans: digits and capital letters without I, L, O, U
 * (the idea of Douglas Crockford's base 32, crockford.com/base32.html). All of them are in the
 * alphanumeric set of QR codes, where a symbol costs 5.5 bits instead of 8.
 *
 * Bytes are read as one bit string, most significant bit first, five bits a symbol; the last symbol is
 * filled up with zero bits. `symbolsToBytes` refuses anything else, so a value has exactly one text.
 */
export const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

const VALUE = new Map([...SYMBOLS].map((symbol, value) => [symbol, value]))

/** 0–31, or undefined for anything that is not exactly one of the 32 symbols. */
export function symbolValue(symbol: string): number | undefined {
  return VALUE.get(symbol)
}

/** `value` is taken modulo 32. */
export function symbolOf(value: number): string {
  return SYMBOLS.charAt(value & 31)
}

export function bytesToSymbols(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let heldBits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    heldBits += 8
    while (heldBits >= 5) {
      heldBits -= 5
      text += symbolOf(held >>> heldBits)
    }
    held &= (1 << heldBits) - 1
  }
  return heldBits === 0 ? text : text + symbolOf(held << (5 - heldBits))
}

/** null for a foreign symbol, a length that no byte string has, or filling bits that are not zero. */
export function symbolsToBytes(text: string): Uint8Array | null {
  const length = Math.floor((text.length * 5) / 8)
  if (Math.ceil((length * 8) / 5) !== text.length) return null
  const bytes = new Uint8Array(length)
  let at = 0
  let held = 0
  let heldBits = 0
  for (const symbol of text) {
    const value = symbolValue(symbol)
    if (value === undefined) return null
    held = (held << 5) | value
    heldBits += 5
    if (heldBits >= 8) {
      heldBits -= 8
      bytes[at++] = held >>> heldBits
      held &= (1 << heldBits) - 1
    }
  }
  return held === 0 ? bytes : null
}
