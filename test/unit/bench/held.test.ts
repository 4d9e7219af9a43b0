import { describe, expect, it } from 'vitest'
import { growthOf, isIn, planOf } from '../../../scripts/soak/held.ts'
import type { Sample } from '../../../scripts/soak/held.ts'

const HOUR = planOf(3_600)

/** A sample each 2 s: 70 held, garbage that rises by 4 in 400 s and is taken away, or earlier where `collects`; `leak` is added each second. */
function run(seconds: number, collects: readonly number[], leak: number): readonly Sample[] {
  let cleanAt = 0
  return Array.from({ length: seconds / 2 }, (_, index) => {
    const at = 2 * index
    if (at - cleanAt >= 400 || collects.includes(at)) cleanAt = at
    return { seconds: at, rss: 70 + (at - cleanAt) / 100 + leak * at }
  })
}

describe('what a process of the soak holds', () => {
  it('plans: warm for a quarter, a minute at either end of what is measured, turns between', () => {
    expect(HOUR).toEqual({ first: { from: 900, to: 960 }, turns: { from: 960, to: 3_540 }, last: { from: 3_540, to: Number.POSITIVE_INFINITY } })
    expect(planOf(60)).toEqual({ first: { from: 15, to: 21 }, turns: { from: 21, to: 54 }, last: { from: 54, to: Number.POSITIVE_INFINITY } })
    expect([isIn(HOUR.first, 899), isIn(HOUR.first, 900), isIn(HOUR.first, 960), isIn(HOUR.last, 9_999)]).toEqual([false, true, false, true])
  })

  it('garbage that comes and goes is no growth, however short the run', () => {
    for (const seconds of [120, 240, 600, 3_600]) {
      const plan = planOf(seconds)
      const { growth } = growthOf(run(seconds, [plan.first.from, plan.last.from], 0), plan)
      expect(growth).toBeCloseTo(0, 6)
    }
  })

  it('what stays is growth: 5 units in an hour under the same garbage', () => {
    const { first, last, most, growth } = growthOf(run(3_600, [900, 3_540], 5 / 3_600), HOUR)
    expect(last - first).toBeCloseTo((2_640 * 5) / 3_600, 6)
    expect(growth).toBeCloseTo((last - first) / first, 6)
    expect(most).toBeGreaterThan(last)
  })

  it('what was there before the first span does not count; a span without samples is no pass', () => {
    expect(growthOf([{ seconds: 10, rss: 500 }, { seconds: 905, rss: 70 }, { seconds: 3_550, rss: 71 }], HOUR)).toMatchObject({ first: 70, last: 71, most: 71 })
    expect(growthOf([{ seconds: 905, rss: 70 }], HOUR).growth < 0.05).toBe(false)
  })
})
