import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { encodeCode, readCode } from '../../../src/hotspot/voucher/index.ts'
import { formatCode, normaliseCode } from '../../../src/hotspot/voucher/code.ts'
import type { VoucherNumber } from '../../../src/hotspot/voucher/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import vectors from '../../vectors/vouchers.json' with { type: 'json' }
import { KEYS, OTHER_KEYS } from './fixed-keys.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Codes an attacker tries in the guessing test. */
const GUESSES = Number(process.env['VOUCHER_GUESSES'] ?? 1_000_000)

const numbers = fc.record({ slot: fc.nat(15), box: fc.nat(3), serial: fc.nat(32767) })

/** What `readCode` says: the number, or the code of the error. Any other thing thrown fails the test. */
function outcome(text: string, keys = KEYS): VoucherNumber | string {
  try {
    return readCode(text, keys)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') return thrown.code
    throw thrown
  }
}

/** The codes, good or bad in other ways, whose check symbol is right: begins with the given symbols. */
function withCheck(nine: string): string {
  const fits = [...ALPHABET].filter((last) => outcome(nine + last) !== 'code-typo')
  expect(fits).toHaveLength(1)
  return nine + fits[0]
}

describe('typed code', () => {
  it('agrees with the vectors, both ways', () => {
    for (const { code, ...number } of vectors.codes) {
      expect(encodeCode(number, KEYS)).toBe(code)
      expect(readCode(code, KEYS)).toEqual(number)
    }
  })

  it('gives back the number of any voucher', () => {
    fc.assert(
      fc.property(numbers, (number) => {
        const code = encodeCode(number, KEYS)
        expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)
        expect(readCode(code, KEYS)).toEqual(number)
      }),
    )
  })

  it('gives every serial its own code, and shows nothing of the order', () => {
    const codes = Array.from({ length: 2048 }, (_, serial) => encodeCode({ slot: 1, box: 0, serial }, KEYS).replace('-', ''))
    expect(new Set(codes).size).toBe(2048)
    for (let place = 0; place < 10; place++) {
      const counts = new Map<string, number>()
      for (const code of codes) counts.set(code.charAt(place), (counts.get(code.charAt(place)) ?? 0) + 1)
      expect(counts.size).toBe(32)
      expect(Math.max(...counts.values())).toBeLessThan(128) // 64 expected; 128 is eight deviations off
    }
  })

  it.each([
    [{ slot: 16, box: 0, serial: 0 }, 'slot'],
    [{ slot: -1, box: 0, serial: 0 }, 'slot'],
    [{ slot: 0, box: 4, serial: 0 }, 'box'],
    [{ slot: 0, box: 0, serial: 32768 }, 'serial'],
    [{ slot: 0, box: 0, serial: 1.5 }, 'serial'],
    [{ slot: 0, box: 0, serial: Number.NaN }, 'serial'],
  ])('refuses to make a code for %o', (number, field) => {
    expect(() => encodeCode(number, KEYS)).toThrow(expect.objectContaining({ kind: 'input', field }))
  })

  it('takes a code of another owner for a guess', () => {
    fc.assert(fc.property(numbers, (number) => void expect(outcome(encodeCode(number, OTHER_KEYS))).toBe('bad-code')))
  })
})

describe('check symbol', () => {
  it('catches every single wrong symbol', () => {
    for (let serial = 0; serial < 40; serial++) {
      const code = encodeCode({ slot: serial % 16, box: serial % 4, serial: serial * 811 }, KEYS).replace('-', '')
      for (let place = 0; place < 10; place++)
        for (const wrong of ALPHABET)
          if (wrong !== code[place]) expect(outcome(code.slice(0, place) + wrong + code.slice(place + 1))).toBe('code-typo')
    }
  })

  it('catches every transposition of neighbours, for every pair of symbols at every place', () => {
    const filling = '7M0ZK4XQ2'
    for (let place = 0; place < 8; place++)
      for (const [a, b] of pairs()) {
        const nine = filling.slice(0, place) + a + b + filling.slice(place + 2)
        const code = withCheck(nine)
        expect(outcome(code.slice(0, place) + b + a + code.slice(place + 2))).toBe('code-typo')
      }
  })

  it('catches every transposition of the last symbol with the check symbol', () => {
    const seen = new Set<string>()
    for (const first of ALPHABET)
      for (const ninth of ALPHABET) {
        const code = withCheck(`${first}M0ZK4XQ${ninth}`)
        const [a = '', b = ''] = code.slice(8)
        seen.add(a + b)
        if (a !== b) expect(outcome(code.slice(0, 8) + b + a)).toBe('code-typo')
      }
    expect(seen.size).toBe(1024)
  })

  function* pairs(): Generator<[string, string]> {
    for (let a = 0; a < 32; a++) for (let b = a + 1; b < 32; b++) yield [ALPHABET.charAt(a), ALPHABET.charAt(b)]
  }
})

describe('what a keyboard sends', () => {
  const number = { slot: 3, box: 2, serial: 12345 }
  const printed = '8BFQE-VQ53A'

  it.each([
    ['small letters', '8bfqe-vq53a'],
    ['no dash', '8BFQEVQ53A'],
    ['spaces', '  8BFQE VQ53A \n'],
    ['groups of two', '8B FQ EV Q5 3A'],
    ['another dash', '8BFQE–VQ53A'],
    ['invisible marks from a copied page', '\u200f8BFQE\u00ad-\u200bVQ53A\ufeff'],
    ['dots and underscores', '8B.FQ_EVQ,53A'],
    ['full width', '８ｂｆｑｅ－ＶＱ５３Ａ'],
    ['Arabic-Indic digits', '٨BFQE-VQ٥٣A'],
    ['Persian digits', '۸BFQE-VQ۵۳A'],
    ['Devanagari digits', '८BFQE-VQ५३A'],
    ['Thai digits', '๘BFQE-VQ๕๓A'],
    ['Cyrillic and Greek letters that look the same', '8ВFQΕ-VQ53А'],
  ])('%s', (_name, typed) => {
    expect(readCode(typed, KEYS)).toEqual(number)
  })

  it('takes O for 0 and I, L for 1, in any alphabet and case', () => {
    expect(normaliseCode('oO0оОοО-iIl')).toBe('0000000111')
    expect(normaliseCode('LІıİ1Ι-1ｌ１ｉ')).toBe('1111111111')
  })

  it('any code, however typed', () => {
    const spellings: Record<string, string[]> = { '0': ['0', 'O', 'o', '０', '٠'], '1': ['1', 'I', 'i', 'l', 'L', '１', '١'] }
    fc.assert(
      fc.property(numbers, fc.infiniteStream(fc.nat(1000)), (wanted, choices) => {
        let typed = ''
        for (const symbol of encodeCode(wanted, KEYS)) {
          const ways = spellings[symbol] ?? [symbol, symbol.toLowerCase(), ` ${symbol}`, `${symbol}-`]
          typed += ways[(choices.next().value ?? 0) % ways.length]
        }
        expect(readCode(typed, KEYS)).toEqual(wanted)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['nine symbols', '8BFQE-VQ53'],
    ['eleven symbols', '8BFQE-VQ53A0'],
    ['a U, which is no symbol', '8BFQE-VQ53U'],
    ['an umlaut', '8BFQE-VQ53Ä'],
    ['a sharp s, whose capital is two letters', '8BFQE-VQ5ß'],
    ['an emoji', '8BFQE-VQ53😀'],
    ['half an emoji', '8BFQE-VQ53\ud83d'],
    ['a control character', '8BFQE-VQ53A\u0000'],
    ['ten symbols and a page of spaces', `8BFQE-VQ53A${' '.repeat(100)}`],
    ['a megabyte', 'A'.repeat(1_000_000)],
  ])('%s is a typo, not a guess', (_name, typed) => {
    expect(normaliseCode(typed)).toBeNull()
    expect(outcome(typed)).toBe('code-typo')
  })

  it('normalises what it formats', () => {
    expect(formatCode('8BFQEVQ53A')).toBe(printed)
    expect(normaliseCode(printed)).toBe('8BFQEVQ53A')
  })
})

describe('guessing', () => {
  it('never throws anything but an input error, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => void outcome(text)), { numRuns: 5000 })
    const symbols = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 10, maxLength: 10 })
    fc.assert(fc.property(symbols, (text) => void expect(['code-typo', 'bad-code']).toContain(outcome(text))), { numRuns: 5000 })
  })

  it('does not repeat what was typed in the error', () => {
    for (const typed of ['8BFQE-VQ53B', withCheck('8BFQEVQ54')])
      try {
        readCode(typed, KEYS)
        expect.unreachable()
      } catch (thrown) {
        expect(JSON.stringify((thrown as MeshBoxError).toPublic())).not.toContain(typed.slice(0, 4))
      }
  })

  it(`lets at most a few of ${GUESSES} random codes with a right check symbol in`, () => {
    const random = seededRandom(20261121)
    const root = (value: number): number => (value & 16 ? ((value << 1) & 31) ^ 5 : value << 1)
    let hits = 0
    let wrong = 0
    for (let guess = 0; guess < GUESSES; guess++) {
      let text = ''
      let sum = 0
      for (let place = 0; place < 9; place++) {
        const value = Math.floor(random.next() * 32)
        text += ALPHABET.charAt(value)
        sum = root(sum) ^ value
      }
      const result = outcome(text + ALPHABET.charAt(root(sum)))
      if (result === 'bad-code') wrong++
      else if (typeof result === 'object') hits++
    }
    expect(hits + wrong).toBe(GUESSES) // every one reached the tag
    expect(hits).toBeLessThanOrEqual(2 + Math.ceil(GUESSES / 2 ** 21)) // 2^-24 each: 0.06 expected in a million
  })
})
