/**
 * What a guest's keyboard may send for each symbol of a voucher code: either case, look-alikes (O for 0;
 * I and L for 1), full-width forms, the digits of other scripts, and the Cyrillic and Greek letters that
 * look the same as ours on paper. A fixed table rather than Unicode properties, because a router's Node
 * may be built without ICU.
 */
import { SYMBOLS } from './symbols.ts'

/** First code point (the zero) of each run of ten decimal digits that keyboards in use produce. */
const DIGIT_ZEROS = [
  0x0030, // ASCII
  0x0660, // Arabic-Indic
  0x06f0, // extended Arabic-Indic (Persian, Urdu)
  0x07c0, // N'Ko
  0x0966, // Devanagari
  0x09e6, // Bengali
  0x0a66, // Gurmukhi
  0x0ae6, // Gujarati
  0x0b66, // Odia
  0x0be6, // Tamil
  0x0c66, // Telugu
  0x0ce6, // Kannada
  0x0d66, // Malayalam
  0x0de6, // Sinhala
  0x0e50, // Thai
  0x0ed0, // Lao
  0x0f20, // Tibetan
  0x1040, // Myanmar
  0x17e0, // Khmer
  0x1810, // Mongolian
  0xff10, // full-width
] as const

/** Pairs: what was typed, which symbol was meant. */
const LOOK_ALIKES = {
  O: '0',
  I: '1',
  L: '1',
  'İ': '1', // Turkish capital dotted i
  'ı': '1', // Turkish small dotless i
  // Cyrillic
  'А': 'A', 'В': 'B', 'С': 'C', 'Е': 'E', 'Н': 'H', 'І': '1', 'Ј': 'J', 'К': 'K', 'М': 'M', 'О': '0', 'Р': 'P', 'Ѕ': 'S', 'Т': 'T', 'У': 'Y', 'Х': 'X',
  // Greek
  'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': '1', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': '0', 'Ρ': 'P', 'Τ': 'T', 'Υ': 'Y', 'Χ': 'X',
} as const

/** Spaces, dashes, dots, quotes, and the invisible marks that copying from a page brings along. */
const SEPARATOR =
  /^[\s\-_.,:;/|'"`\u00ad\u00b7\u060c\u06d4\u2000-\u200f\u2010-\u2015\u2018-\u201f\u2022\u2026-\u202f\u2043\u205f-\u206f\u2212\u3001\u3002\u30fb\u30fc\ufe58\ufe63\ufeff\uff0c-\uff0f\uff3f]$/

const TYPED: ReadonlyMap<string, string> = buildTable()

/** The symbol a typed character stands for, '' for a separator, null for anything else. */
export function typedSymbol(character: string): string | null {
  return TYPED.get(character) ?? (SEPARATOR.test(character) ? '' : null)
}

function buildTable(): Map<string, string> {
  const table = new Map<string, string>()
  const add = (typed: string, symbol: string): void => {
    table.set(typed, symbol)
    const small = typed.toLowerCase()
    if ([...small].length === 1) table.set(small, symbol)
  }
  for (const symbol of SYMBOLS) add(symbol, symbol)
  for (const [typed, symbol] of Object.entries(LOOK_ALIKES)) add(typed, symbol)
  for (const zero of DIGIT_ZEROS)
    for (let digit = 0; digit <= 9; digit++) table.set(String.fromCodePoint(zero + digit), String(digit))
  const fullWidthShift = 0xff21 - 0x41
  for (let letter = 0x41; letter <= 0x5a; letter++) {
    const symbol = table.get(String.fromCodePoint(letter))
    if (symbol !== undefined) add(String.fromCodePoint(letter + fullWidthShift), symbol)
  }
  return table
}
