import { describe, expect, it } from 'vitest'
import { FirstRun } from '../../../src/owner/first-run.ts'
import { seededRandom } from '../../support/fakes.ts'

describe('set-up code', () => {
  it('has 8 symbols without look-alikes, another one for each box', () => {
    const codes = new Set(Array.from({ length: 200 }, (_unused, seed) => new FirstRun(seededRandom(seed)).setupCode))
    expect(codes.size).toBe(200)
    for (const code of codes) expect(code).toMatch(/^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/)
  })

  it('may be typed in small letters, without dash, with spaces', () => {
    const first = new FirstRun(seededRandom(1))
    expect(first.isRight(` ${first.setupCode.toLowerCase().replace('-', ' ')} `)).toBe(true)
    expect(first.isRight(first.setupCode.slice(1))).toBe(false)
    expect(first.isRight('')).toBe(false)
  })
})
