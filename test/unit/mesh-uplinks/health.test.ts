/** When a way out is down, poor or good. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ANSWERS_TO_UP, FAILURES_TO_DOWN, PROBE_WINDOW, afterLoss, afterProbe, isFluttering, lossOf, newHealth } from '../../../src/mesh/uplinks/health.ts'
import type { Health } from '../../../src/mesh/uplinks/health.ts'

/** `+`: answered in 20 ms, `-`: nobody answered; one a second. */
function after(signs: string, before = newHealth(0), fromMs = 0): Health {
  return [...signs].reduce((health, sign, index) => afterProbe(health, { ok: sign === '+', roundTripMs: 20 }, fromMs + (index + 1) * 1000), before)
}

describe('health', () => {
  it.each([
    ['', 'unknown'],
    ['-', 'unknown'],
    ['--', 'down'],
    ['+', 'good'],
    ['+-', 'good'],
    ['+--', 'down'],
    ['+--+', 'down'],
    ['+--++', 'down'],
    ['+--+++', 'good'],
    ['+--++-+++', 'good'],
    ['+-+-+-+', 'poor'],
    ['++++++++++++++++++-+', 'good'],
  ])('after %j is %s', (signs, health) => {
    expect(after(signs).health).toBe(health)
  })

  it('is down at once when the cable is out, and good again after three answers, without what was before', () => {
    const fallen = afterLoss(after('+++-+++'), 8000)
    expect(fallen).toMatchObject({ health: 'down', sinceMs: 8000, fallsAtMs: [8000] })
    const back = after('+++', fallen, 9000)
    expect(back).toMatchObject({ health: 'good', sinceMs: 12_000 })
    expect(lossOf(back)).toBe(0)
    expect(afterLoss(fallen, 9000)).toMatchObject({ sinceMs: 8000, fallsAtMs: [8000] })
  })

  it('is poor while answers take too long', () => {
    const slow = Array.from({ length: 12 }).reduce<Health>((health) => afterProbe(health, { ok: true, roundTripMs: 2500 }, 1000), newHealth(0))
    expect(slow).toMatchObject({ health: 'poor', roundTripMs: 2500 })
    const quick = after('++++++++', slow)
    expect(quick.health).toBe('good')
  })

  it('is not held poor by how slow it was before it fell', () => {
    const slow = Array.from({ length: 12 }).reduce<Health>((health) => afterProbe(health, { ok: true, roundTripMs: 2500 }, 1000), newHealth(0))
    expect(after('--+++', slow)).toMatchObject({ health: 'good', roundTripMs: 20 })
  })

  it('flutters after two falls in ten minutes', () => {
    const once = after('+--+++', newHealth(0))
    expect(isFluttering(once, 10_000)).toBe(false)
    const twice = after('--+++', once, 20_000)
    expect(isFluttering(twice, 30_000)).toBe(true)
    expect(isFluttering(twice, 22_000 + 600_000)).toBe(false)
  })
})

it('any probes: bounded memory, and down exactly between two failures and three answers', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (results) => {
      let health = newHealth(0)
      let isDown = false
      results.forEach((ok, index) => {
        health = afterProbe(health, { ok, roundTripMs: 10 }, index)
        if (results.slice(Math.max(0, index - FAILURES_TO_DOWN + 1), index + 1).filter((each) => !each).length === FAILURES_TO_DOWN) isDown = true
        else if (index + 1 >= ANSWERS_TO_UP && results.slice(index - ANSWERS_TO_UP + 1, index + 1).every(Boolean)) isDown = false
        expect(health.health === 'down').toBe(isDown)
        expect(health.window.length).toBeLessThanOrEqual(PROBE_WINDOW)
        expect(health.fallsAtMs.length).toBeLessThanOrEqual(8)
      })
    }),
  )
})
