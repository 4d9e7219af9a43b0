/** The languages are whole, count and write numbers as CLDR says, and are chosen as the guest asks. */
import { describe, expect, it } from 'vitest'
import { LANGUAGES, pickLanguage } from '../../../src/hotspot/portal/languages/index.ts'
import { en } from '../../../src/hotspot/portal/languages/en.ts'
import { fill, type Counted, type Texts } from '../../../src/hotspot/portal/languages/language.ts'
import { countText, localNumber, percentText } from '../../../src/hotspot/portal/wording.ts'

const KEYS = Object.keys(en.text) as (keyof Texts)[]
const gapsOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((gap) => gap[1] ?? '').sort()

describe('the set of languages', () => {
  it('has at least 16, two of them right to left, each once', () => {
    const codes = LANGUAGES.map((language) => language.code)
    expect(codes.length).toBeGreaterThanOrEqual(16)
    expect(new Set(codes).size).toBe(codes.length)
    expect(LANGUAGES.filter((language) => language.direction === 'rtl').map((language) => language.code)).toEqual(['ar', 'fa'])
  })
})

describe.each(LANGUAGES.map((language) => [language.code, language] as const))('%s', (_code, language) => {
  it('has every string, with the gaps of English', () => {
    for (const key of KEYS) {
      expect(language.text[key].trim(), key).not.toBe('')
      expect(gapsOf(language.text[key]), key).toEqual(gapsOf(en.text[key]))
    }
  })

  it('is translated, not copied', () => {
    const same = KEYS.filter((key) => language.text[key] === en.text[key])
    expect(same.length).toBeLessThanOrEqual(language.code === 'en' ? KEYS.length : 2)
  })

  it('counts like CLDR', () => {
    const rules = new Intl.PluralRules(language.code)
    const categories = rules.resolvedOptions().pluralCategories.filter((category) => category !== 'many' || ['pl', 'ru', 'ar'].includes(language.code))
    // whole numbers never fall into the 'other' of Polish and Russian, which is for fractions
    const expected = ['pl', 'ru'].includes(language.code) ? categories.filter((category) => category !== 'other') : categories
    expect([...language.categories].sort()).toEqual([...expected].sort())
    for (let count = 0; count <= 2000; count++) expect(language.category(count), String(count)).toBe(rules.select(count))
  })

  it('names units like CLDR', () => {
    for (const unit of ['day', 'hour', 'minute', 'second'] satisfies Counted[])
      for (const count of [0, 1, 2, 3, 5, 11, 21, 22, 25, 59, 100, 1000]) {
        const long = new Intl.NumberFormat(language.code, { style: 'unit', unit, unitDisplay: 'long' })
        expect(spaces(countText(language, unit, count)), `${count} ${unit}`).toBe(spaces(long.format(count)))
      }
  })

  it('writes numbers like CLDR', () => {
    const format = new Intl.NumberFormat(language.code, { maximumFractionDigits: 18 })
    for (const plain of ['0', '7', '0.5', '12.25', '999', '1000', '9999', '12345.5', '100000', '1234567.125'])
      expect(localNumber(language, plain), plain).toBe(format.format(Number(plain)))
    for (const percent of [1, 20, 100])
      expect(spaces(percentText(language, percent))).toBe(spaces(new Intl.NumberFormat(language.code, { style: 'percent' }).format(percent / 100)))
  })
})

const spaces = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ')

describe('choosing', () => {
  const code = (chosen: string | null, header?: string): string => pickLanguage(chosen, header).code
  it('follows the link first, then the browser, then English', () => {
    expect(code('ar', 'de')).toBe('ar')
    expect(code('xx', 'de')).toBe('de')
    expect(code(null, undefined)).toBe('en')
    expect(code(null, 'xx-YY, tlh;q=0.9')).toBe('en')
  })
  it('weighs the ranges and ignores regions', () => {
    expect(code(null, 'de-AT;q=0.3, pt-BR;q=0.8, en;q=0.5')).toBe('pt')
    expect(code(null, 'zh-Hant-TW, en;q=0.9')).toBe('zh')
    expect(code(null, 'de;q=0, fr;q=0.1')).toBe('fr')
    expect(code(null, '*')).toBe('en')
  })
  it('does not read what no browser sends', () => {
    expect(code(null, `de${','.repeat(600)}`)).toBe('en')
    expect(code(null, `${'xx,'.repeat(20)}de`)).toBe('en')
    expect(code(null, 'de;q=banana')).toBe('en')
  })
})

describe('gaps', () => {
  it('are closed by name; an unknown one stays to be seen', () => {
    expect(fill('{a} and {b}', { a: '1' })).toBe('1 and {b}')
  })
})

