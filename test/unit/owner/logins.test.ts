import { describe, expect, it } from 'vitest'
import { MAX_LOGINS, Logins, isCsrfRight } from '../../../src/owner/logins.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const MINUTE = 60_000
const make = (minutes = 30): { time: FakeTime; logins: Logins } => {
  const time = new FakeTime()
  return { time, logins: new Logins(time, seededRandom(1), () => minutes) }
}

describe('logins', () => {
  it('gives each login a token and a CSRF token of 256 bits', () => {
    const { logins } = make()
    const [one, two] = [logins.open(), logins.open()]
    for (const text of [one.token, one.csrf, two.token, two.csrf]) expect(Buffer.from(text, 'base64url')).toHaveLength(32)
    expect(new Set([one.token, one.csrf, two.token, two.csrf]).size).toBe(4)
    expect(logins.use(one.token)).toEqual({ csrf: one.csrf })
    expect(logins.use(two.token)).toEqual({ csrf: two.csrf })
  })

  it('ends after the idle time, which each use starts anew', () => {
    const { time, logins } = make()
    const { token } = logins.open()
    time.advance(29 * MINUTE)
    expect(logins.use(token)).not.toBeNull()
    time.advance(29 * MINUTE)
    expect(logins.use(token)).not.toBeNull()
    time.advance(30 * MINUTE + 1)
    expect(logins.use(token)).toBeNull()
    expect(logins.size).toBe(0)
  })

  it('is not kept alive by requests the page makes by itself', () => {
    const { time, logins } = make()
    const { token } = logins.open()
    for (let minute = 0; minute < 30; minute++) {
      time.advance(MINUTE)
      expect(logins.use(token, true)).not.toBeNull()
    }
    time.advance(MINUTE)
    expect(logins.use(token, true)).toBeNull()
  })

  it('ends after a week even when it is used all the time', () => {
    const { time, logins } = make()
    const { token } = logins.open()
    let alive = 0
    for (; logins.use(token) !== null; alive++) time.advance(20 * MINUTE)
    expect(alive * 20).toBe(7 * 24 * 60 + 20)
  })

  it('is not moved by a jump of the wall clock', () => {
    const { time, logins } = make()
    const { token } = logins.open()
    time.jumpWall(10 * 365 * 86_400_000)
    expect(logins.use(token)).not.toBeNull()
  })

  it('keeps a bounded number: the one unused for longest goes', () => {
    const { time, logins } = make()
    const tokens = Array.from({ length: MAX_LOGINS }, () => {
      time.advance(1000)
      return logins.open().token
    })
    logins.use(tokens[0])
    time.advance(1000)
    logins.open()
    expect(logins.size).toBe(MAX_LOGINS)
    expect(logins.use(tokens[1])).toBeNull()
    expect(logins.use(tokens[0])).not.toBeNull()
  })

  it.each([undefined, '', 'x', 'A'.repeat(43), 'A'.repeat(100_000), '__proto__'])('knows nobody by %j', (token) => {
    const { logins } = make()
    logins.open()
    expect(logins.use(token)).toBeNull()
  })

  it('forgets a login that was closed, and all of them', () => {
    const { logins } = make()
    const [one, two] = [logins.open(), logins.open()]
    logins.close(one.token)
    expect(logins.use(one.token)).toBeNull()
    expect(logins.use(two.token)).not.toBeNull()
    logins.closeAll()
    expect(logins.use(two.token)).toBeNull()
  })

  it('compares the CSRF token whole', () => {
    expect(isCsrfRight('abc', 'abc')).toBe(true)
    for (const wrong of [undefined, '', 'ab', 'abd', 'abcd']) expect(isCsrfRight('abc', wrong)).toBe(false)
  })
})
