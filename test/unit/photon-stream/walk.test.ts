/**
 * Random days of one guest and one box: frames lost, doubled and late, pages reloaded, the service killed, the power
 * cut, stops and second devices at any moment. After each second, whatever happened:
 *
 *   the box can claim no more than the guest has ever revealed, and no more than it has served;
 *   what it served and is not paid for is one grace interval (and what tmpfs had not seen when the service was killed, a
 *   second, or flash when the power went, a minute and the lead);
 *   what the guest paid ahead is the tick in use, the lead he chose, and what passed since the box spoke.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Page, Town, ANNA, accountOf, pass, payerOptions, settle, termsWith } from './stream-town.ts'
import type { Wire } from './stream-town.ts'
import { seededRandom } from '../../support/fakes.ts'

const RUNS = Number(process.env['STREAM_WALKS'] ?? 100)
const UNIT = 7n
const SECONDS_BETWEEN_FLUSHES = 60
const LEAD = 90
const CHANNEL = accountOf(ANNA).channel

type Event = 'reload' | 'restart' | 'power-cut' | 'stop' | 'second-device' | 'reconnect' | 'sleep' | 'lead' | 'lead-off'
const events: fc.Arbitrary<Event> = fc.constantFrom('reload', 'restart', 'power-cut', 'stop', 'second-device', 'reconnect', 'sleep', 'lead', 'lead-off')
const story = fc.array(fc.record({ wait: fc.integer({ min: 1, max: 90 }), event: events }), { minLength: 1, maxLength: 8 })

/** Late frames are kept and come when the next one does, in another order. */
function lossy(seed: number, loss: number): Wire {
  const random = seededRandom(seed)
  const late: (() => void)[] = []
  return (deliver) => {
    const fate = random.next()
    if (fate < loss) return
    if (fate < loss * 2) {
      late.push(deliver)
      return
    }
    deliver()
    if (fate > 1 - loss) deliver()
    if (late.length > 0 && random.next() < 0.5) late.pop()?.()
  }
}

describe('a random day', () => {
  it('takes from nobody more than he agreed to', async () => {
    await fc.assert(
      fc.asyncProperty(story, fc.integer(), fc.constantFrom(0, 0.05, 0.3), fc.constantFrom(5, 60, 120), async (days, seed, loss, steps) => {
        const town = new Town()
        town.terms = termsWith({ steps })
        const wire = lossy(seed, loss)
        let life = 0n
        let page = new Page(town, payerOptions(), 'phone', wire)
        let revealedBefore = 0n
        let lead = 0
        let cuts = 0
        let kills = 0
        const check = (): void => {
          const revealed = page.revealedEver > revealedBefore ? page.revealedEver : revealedBefore
          const earned = town.desk.earnedOf(CHANNEL) ?? 0n
          expect(earned).toBeLessThanOrEqual(revealed)
          expect(earned).toBeLessThanOrEqual(BigInt(town.service.total) * UNIT)
          for (const { voucher, steps: shown } of town.claims) expect(voucher.cumulative + voucher.unit * BigInt(shown)).toBeLessThanOrEqual(revealed)
          const unpaid = BigInt(town.service.total) * UNIT - earned
          // A beat behind, one interval of grace, and for each power cut what flash had not seen yet.
          expect(unpaid).toBeLessThanOrEqual(UNIT * BigInt(town.terms.graceTicks + 1 + 2 * kills + cuts * (SECONDS_BETWEEN_FLUSHES + LEAD + town.terms.graceTicks + 1)))
          if (page.view.phase === 'paying') expect(page.view.aheadSeconds).toBeLessThanOrEqual(lead + 17)
        }
        const fresh = (device: string): void => {
          revealedBefore = page.revealedEver > revealedBefore ? page.revealedEver : revealedBefore
          page.wire = () => undefined
          page = new Page(town, payerOptions({ counter: ++life << 64n }), device, wire)
          if (lead > 0) page.lead(lead)
          page.act('start')
        }
        page.act('start')
        for (const { wait, event } of days) {
          for (let second = 0; second < wait; second++) {
            await pass(town, 1, ...(event === 'sleep' ? [] : [page]))
            check()
          }
          if (event === 'reload') fresh('phone')
          else if (event === 'second-device') fresh('tablet')
          else if (event === 'restart') {
            kills++
            town.restart()
          }
          else if (event === 'power-cut') {
            cuts++
            town.journal.powerCut()
            town.restart()
          } else if (event === 'stop') page.act('stop')
          else if (event === 'reconnect') page.act('connected')
          else if (event === 'lead' || event === 'lead-off') {
            // A lead given is not taken back: what is revealed stays revealed until it is served.
            if (event === 'lead') lead = LEAD
            page.lead(event === 'lead' ? LEAD : 0)
          }
          await settle(town)
          check()
        }
        // In the end a clean wire and a page that says stop: both agree to the unit.
        fresh('phone')
        page.wire = (deliver) => deliver()
        await pass(town, 20, page)
        page.act('stop')
        await pass(town, 20, page)
        check()
        if (page.state.end?.why === 'stopped') expect(page.state.known).toBe(town.desk.earnedOf(CHANNEL))
      }),
      { numRuns: RUNS, seed: 20261122 },
    )
  })
})
