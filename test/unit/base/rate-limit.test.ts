/** Token buckets: never more than promised, and the wait they name is enough. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RateLimit } from '../../../src/base/index.ts'

describe('RateLimit', () => {
  it('lets a burst through, then one for each step of time, and names the wait', () => {
    const limit = new RateLimit({ burst: 3, perSecond: 1 / 30 })
    expect([0, 0, 0, 0].map(() => limit.take('a', 1000))).toEqual([0, 0, 0, 30])
    expect(limit.take('a', 11_000)).toBe(20)
    expect(limit.take('a', 31_000)).toBe(0)
    expect(limit.take('a', 31_000)).toBe(30)
  })

  it('keeps callers apart', () => {
    const limit = new RateLimit({ burst: 1, perSecond: 1 })
    expect(limit.take('a', 0)).toBe(0)
    expect(limit.take('b', 0)).toBe(0)
    expect(limit.take('a', 0)).toBe(1)
  })

  it('never lets more through than burst and time allow, however it is asked', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.constantFrom(0.1, 1 / 3, 1, 7), steps, (burst, perSecond, waits) => {
        const limit = new RateLimit({ burst, perSecond })
        let [now, passed] = [50_000, 0]
        for (const wait of waits) {
          now += wait
          if (limit.take('a', now) === 0) passed++
          expect(passed).toBeLessThanOrEqual(burst + ((now - 50_000) / 1000) * perSecond + 1e-6)
        }
      }),
    )
  })

  it('means the wait it names, also when it is asked in between', () => {
    fc.assert(
      fc.property(fc.constantFrom(0.1, 1 / 3, 1 / 30, 0.7), fc.integer({ min: 1, max: 20 }), (perSecond, looks) => {
        const limit = new RateLimit({ burst: 1, perSecond })
        limit.take('a', 0)
        const waitSeconds = limit.take('a', 0)
        for (let look = 1; look < looks; look++) limit.isOpen('a', (waitSeconds * 1000 * look) / looks)
        expect(limit.take('a', waitSeconds * 1000)).toBe(0)
      }),
    )
  })

  it('isOpen takes nothing; giveBack gives back, never above the burst', () => {
    const limit = new RateLimit({ burst: 2, perSecond: 1 })
    expect(limit.isOpen('a', 0) && limit.isOpen('a', 0)).toBe(true)
    limit.take('a', 0)
    limit.take('a', 0)
    expect(limit.isOpen('a', 0)).toBe(false)
    limit.giveBack('a', 0)
    expect(limit.take('a', 0)).toBe(0)
    for (let i = 0; i < 5; i++) limit.giveBack('a', 0)
    expect([0, 0, 0].map(() => limit.take('a', 0) === 0)).toEqual([true, true, false])
  })

  it('does not refill when time stands still or runs backwards', () => {
    const limit = new RateLimit({ burst: 1, perSecond: 1 })
    limit.take('a', 10_000)
    expect(limit.take('a', 9000)).toBe(1)
  })

  it('remembers a bounded number of callers and forgets the one unseen for longest', () => {
    const limit = new RateLimit({ burst: 1, perSecond: 0.001 }, 3)
    for (const key of ['a', 'b', 'c']) limit.take(key, 0)
    limit.isOpen('a', 1) // seen again: b is now the oldest
    limit.take('d', 2)
    expect(limit.size).toBe(3)
    expect(limit.isOpen('a', 3)).toBe(false)
    expect(limit.isOpen('b', 3)).toBe(true)
  })
})
