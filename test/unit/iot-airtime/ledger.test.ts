/** The duty-cycle ledger: a day of random orders against a brute count of every hour, the bounds to the microsecond, prices, restarts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Clock, Moment } from '../../../src/base/index.ts'
import { airRules, budgets, forget, newAirtime, recall, recalled, reserve, settle, startedMs, withRules } from '../../../src/iot/airtime/index.ts'
import type { AirClaim, AirVerdict, AirtimeState } from '../../../src/iot/airtime/index.ts'
import { regionNamed } from '../../../src/iot/lorawan/index.ts'
import type { AirtimeRow } from '../../../src/iot/ports.ts'

const SECOND = 1_000_000
const HOUR = 3_600 * SECOND
const EU868 = regionNamed('EU868')
const [M, P] = [868_100_000, 869_525_000]

function one(state: AirtimeState, downlinkId: number, startUs: number, durationUs: number, options: { hz?: number; dBm?: number; own?: boolean; claim?: AirClaim } = {}): { state: AirtimeState; verdict: AirVerdict } {
  const { hz = M, dBm = 14, own = true, claim = own ? 'reserved' : 'own' } = options
  const answer = reserve(state, { downlinkId, windows: [{ frequencyHz: hz, powerDbm: dBm, startUs, durationUs }], claim }, startUs)
  return { state: answer.state, verdict: answer.verdicts[0] as AirVerdict }
}

/** Σ over [from, from + hour]. */
function onAirIn(frames: readonly { startUs: number; durationUs: number }[], from: number): number {
  return frames.reduce((sum, { startUs, durationUs }) => sum + Math.max(0, Math.min(startUs + durationUs, from + HOUR) - Math.max(startUs, from)), 0)
}

/** The most in any hour, looked for at every place where the sum can turn. */
function worstHour(frames: readonly { startUs: number; durationUs: number }[]): number {
  const edges = frames.flatMap(({ startUs, durationUs }) => [startUs, startUs + durationUs])
  return Math.max(0, ...edges.flatMap((edge) => [onAirIn(frames, edge), onAirIn(frames, edge - HOUR)]))
}

describe('a band of 1 %', () => {
  it('holds 36 seconds in an hour and not a microsecond more', () => {
    let state = newAirtime(airRules(EU868, 'window'))
    for (let i = 0; i < 35; i++) {
      const answer = one(state, i, i * 60 * SECOND, SECOND)
      expect(answer.verdict.status).toBe('OK')
      state = settle(answer.state, i, 0).state
    }
    expect(one(state, 100, 35 * 60 * SECOND, SECOND + 1).verdict).toEqual({ status: 'DUTY_CYCLE_OVERFLOW', band: 'M', pricePerMs: 0n })
    const last = one(state, 100, 35 * 60 * SECOND, SECOND)
    expect(last.verdict.status).toBe('OK')
    state = last.state
    expect(one(state, 101, 36 * 60 * SECOND, 1).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    // The first frame leaves the counted hour (two seconds longer than the law's) from 3602 s to 3603 s.
    expect(one(state, 101, HOUR + 2 * SECOND, SECOND).verdict.status).toBe('OK')
    expect(one(state, 101, HOUR + 2 * SECOND - 1, SECOND).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    // Another band has its own hour.
    expect(one(state, 102, 36 * 60 * SECOND, SECOND, { hz: P }).verdict).toMatchObject({ status: 'OK', band: 'P' })
  })

  it('looks at the hours after a frame too: what is reserved ahead is kept', () => {
    let state = newAirtime(airRules(EU868, 'window'))
    state = one(state, 1, 1_000 * SECOND, 20 * SECOND).state
    const before = one(state, 2, 900 * SECOND, 17 * SECOND)
    expect(before.verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    expect(one(state, 2, 900 * SECOND, 16 * SECOND).verdict.status).toBe('OK')
  })

  it('keeps a fifth for the owner’s joins and ACKs', () => {
    let state = newAirtime(airRules(EU868, 'window'))
    state = settle(one(state, 1, 0, 28 * SECOND, { own: false }).state, 1, 0).state
    expect(one(state, 2, 60 * SECOND, SECOND, { own: false }).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    expect(one(state, 2, 60 * SECOND, 800_000, { own: false }).verdict.status).toBe('OK')
    expect(one(state, 2, 60 * SECOND, 8 * SECOND).verdict.status).toBe('OK')
    expect(one(state, 2, 60 * SECOND, 8 * SECOND + 1).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
  })
})

describe('what is sold', () => {
  const US915 = regionNamed('US915')
  const US = 923_300_000
  it('is a tenth of an hour where the law knows no limit, whoever was on the air; what is the owner’s goes on', () => {
    let state = newAirtime(airRules(US915, 'window'))
    state = settle(one(state, 1, 0, 359 * SECOND, { hz: US, claim: 'own' }).state, 1, 0).state
    expect(one(state, 2, 600 * SECOND, SECOND + 1, { hz: US, claim: 'sold' }).verdict).toEqual({ status: 'DUTY_CYCLE_OVERFLOW', band: 'US', pricePerMs: 0n })
    state = settle(one(state, 2, 600 * SECOND, SECOND, { hz: US, claim: 'sold' }).state, 2, 0).state
    expect(one(state, 3, 700 * SECOND, 1, { hz: US, claim: 'sold' }).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    for (const claim of ['own', 'reserved'] as const) expect(one(state, 3, 700 * SECOND, 1_000 * SECOND, { hz: US, claim }).verdict.status).toBe('OK')
    expect(one(state, 3, HOUR + 400 * SECOND, SECOND, { hz: US, claim: 'sold' }).verdict.status).toBe('OK')
  })

  it('is as much as the owner says, but nowhere more than the law and the reserved share leave', () => {
    const sold = (soldPpm: number, hz: number, durationUs: number): string => one(newAirtime(airRules(hz === US ? US915 : EU868, 'window', { soldPpm })), 1, 0, durationUs, { hz, claim: 'sold' }).verdict.status
    expect([sold(0, US, 1), sold(0, M, 1), sold(500_000, US, 1_800 * SECOND), sold(500_000, US, 1_800 * SECOND + 1)]).toEqual(['DUTY_CYCLE_OVERFLOW', 'DUTY_CYCLE_OVERFLOW', 'OK', 'DUTY_CYCLE_OVERFLOW'])
    expect([sold(1_000_000, M, 28_800_000), sold(1_000_000, M, 28_800_001), sold(2_000, M, 7_200_000), sold(2_000, M, 7_200_001)]).toEqual(['OK', 'DUTY_CYCLE_OVERFLOW', 'OK', 'DUTY_CYCLE_OVERFLOW'])
    expect(() => airRules(US915, 'window', { soldPpm: 1_000_001 })).toThrow(/airtime-sold/)
  })

  it('never passes its share in any hour of a night', () => {
    const random = fc.sample(fc.record({ gapUs: fc.nat(6 * SECOND), durationUs: fc.integer({ min: 10_000, max: 4_400_000 }) }), { numRuns: 3_000, seed: 7 })
    let state = newAirtime(airRules(US915, 'window'))
    let [now, refused] = [0, 0]
    const sent: { startUs: number; durationUs: number }[] = []
    for (const [id, { gapUs, durationUs }] of random.entries()) {
      now += gapUs
      const answer = one(state, id, now, durationUs, { hz: US, claim: 'sold' })
      state = settle(answer.state, id, answer.verdict.status === 'OK' ? 0 : null).state
      if (answer.verdict.status === 'OK') sent.push({ startUs: now, durationUs })
      else refused++
    }
    expect(refused).toBeGreaterThan(1_000)
    expect(worstHour(sent)).toBeLessThanOrEqual(360 * SECOND)
    expect(worstHour(sent)).toBeGreaterThan(350 * SECOND)
  })
})

describe('orders', () => {
  it('reserve every alternative, and give back what was not sent', () => {
    const start = newAirtime(airRules(EU868, 'window', { pricesPerMs: { M: 5n, '*': 3n } }))
    const windows = [{ frequencyHz: M, powerDbm: 14, startUs: 10 * SECOND, durationUs: 36 * SECOND }, { frequencyHz: P, powerDbm: 27, startUs: 11 * SECOND, durationUs: 2 * SECOND }]
    const { state, verdicts } = reserve(start, { downlinkId: 7, windows, claim: 'reserved' }, 0)
    expect(verdicts).toEqual([{ status: 'OK', band: 'M', pricePerMs: 5n }, { status: 'OK', band: 'P', pricePerMs: 3n }])
    expect(one(state, 8, 60 * SECOND, 1).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    const second = settle(state, 7, 1)
    expect(second.settled).toMatchObject({ window: 1, durationUs: 2 * SECOND, isSettled: true, pricePerMs: 3n })
    expect(one(second.state, 8, 60 * SECOND, 36 * SECOND).verdict.status).toBe('OK')
    expect(budgets(second.state, 60 * SECOND).find((band) => band.name === 'P')).toMatchObject({ usedUs: 2 * SECOND })
    const none = settle(state, 7, null)
    expect(none.settled).toBeNull()
    expect(budgets(none.state, 60 * SECOND).every((band) => band.usedUs === 0)).toBe(true)
    // The other state is as it was: nothing is changed in place.
    expect(one(state, 8, 60 * SECOND, 1).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
  })

  it('are refused by the field’s words', () => {
    const state = newAirtime(airRules(EU868, 'window'))
    expect(one(state, 1, 0, SECOND, { hz: 868_650_000 }).verdict).toEqual({ status: 'TX_FREQ', band: null, pricePerMs: 0n })
    expect(one(state, 1, 0, SECOND, { dBm: 17 }).verdict).toEqual({ status: 'TX_POWER', band: 'M', pricePerMs: 0n })
    expect(one(state, 1, 0, SECOND, { hz: P, dBm: 29 }).verdict.status).toBe('OK')
  })

  it('count the other alternative when one is refused', () => {
    const windows = [{ frequencyHz: 915_000_000, powerDbm: 14, startUs: 0, durationUs: SECOND }, { frequencyHz: P, powerDbm: 14, startUs: SECOND, durationUs: SECOND }]
    const { state, verdicts } = reserve(newAirtime(airRules(EU868, 'window')), { downlinkId: 1, windows, claim: 'own' }, 0)
    expect(verdicts.map((verdict) => verdict.status)).toEqual(['TX_FREQ', 'OK'])
    expect(settle(state, 1, 0).settled).toBeNull()
    expect(settle(state, 1, 1).settled?.durationUs).toBe(SECOND)
  })

  it('may not use an id twice at once, nor times that cannot be', () => {
    const { state } = one(newAirtime(airRules(EU868, 'window')), 1, 0, SECOND)
    expect(() => one(state, 1, 10 * SECOND, SECOND)).toThrow(/downlink-id: 1/)
    expect(one(settle(state, 1, 0).state, 1, 10 * SECOND, SECOND).verdict.status).toBe('OK')
    expect(() => one(state, 2, 0, 0)).toThrow(/air-window/)
    expect(() => one(state, 2, 0.5, SECOND)).toThrow(/air-window/)
  })
})

describe('a day of orders', () => {
  const order = fc.record({
    gapUs: fc.nat(12 * SECOND),
    delayUs: fc.constantFrom(SECOND, 2 * SECOND, 5 * SECOND),
    durationUs: fc.integer({ min: 30_000, max: 2_800_000 }),
    hz: fc.constantFrom(M, 868_500_000, 867_300_000, 868_900_000, 864_500_000, P, 869_900_000),
    own: fc.boolean(),
    /** Which alternative is sent, if it was allowed; late: how far after its slot. */
    sent: fc.constantFrom(0, 0, 0, 1, null),
    lateUs: fc.nat(SECOND),
    /** Orders that are still open when the next ones come. */
    answersAfter: fc.nat(3),
  })

  it.each([1, 2, 3])('never puts more on the air in any hour than the law allows (%i)', (seed) => {
    const orders = fc.sample(order, { numRuns: 14_000, seed })
    const duty = new Map(EU868.subBands.map((band) => [band.name, band.dutyPpm ?? 1_000_000]))
    const frames = new Map(EU868.subBands.map((band) => [band.name, [] as { startUs: number; durationUs: number; own: boolean }[]]))
    let state = newAirtime(airRules(EU868, 'window'))
    let now = 0
    let refused = 0
    const open: { id: number; due: number; order: (typeof orders)[number]; verdicts: readonly AirVerdict[]; starts: number[] }[] = []
    const close = (at: number): void => {
      for (const item of open.splice(0, open.length)) {
        if (item.due > at) {
          open.push(item)
          continue
        }
        const sent = item.order.sent !== null && item.verdicts[item.order.sent]?.status === 'OK' ? item.order.sent : null
        const result = settle(state, item.id, sent)
        state = result.state
        if (sent === null) continue
        frames.get(item.verdicts[sent]?.band ?? '')?.push({ startUs: (item.starts[sent] ?? 0) + item.order.lateUs, durationUs: item.order.durationUs, own: item.order.own })
      }
    }
    for (const [id, next] of orders.entries()) {
      now += next.gapUs
      close(id)
      const starts = [now + next.delayUs, now + next.delayUs + SECOND]
      const windows = [next.hz, P].map((frequencyHz, i) => ({ frequencyHz, powerDbm: 14, startUs: starts[i] ?? 0, durationUs: next.durationUs }))
      const answer = reserve(state, { downlinkId: id, windows, claim: next.own ? 'reserved' : 'sold' }, now)
      state = answer.state
      refused += answer.verdicts.filter((verdict) => verdict.status !== 'OK').length
      open.push({ id, due: id + next.answersAfter, order: next, verdicts: answer.verdicts, starts })
    }
    close(Infinity)
    expect(now).toBeGreaterThan(20 * HOUR)
    expect(refused).toBeGreaterThan(1_000) // or the rule was never put to the test
    for (const [name, sent] of frames) {
      const limit = (HOUR / 1_000_000) * (duty.get(name) ?? 0)
      const worst = worstHour(sent)
      expect(worst).toBeLessThanOrEqual(limit)
      if (name !== 'K') expect(worst).toBeGreaterThan(limit * 0.5) // and it is no miser
    }
    // Old frames are not kept.
    for (const entries of state.onAir.values()) for (const entry of entries) expect(entry.startUs + entry.durationUs).toBeGreaterThan(now - 2 * HOUR)
  })
})

describe('Basics Station’s way of counting', () => {
  it('rests a hundred times as long as it sent, in both directions', () => {
    let state = newAirtime(airRules(EU868, 'blocking'))
    state = settle(one(state, 1, 1_000 * SECOND, SECOND).state, 1, 0).state
    expect(one(state, 2, 1_100 * SECOND - 1, SECOND).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    expect(one(state, 2, 1_100 * SECOND, SECOND).verdict.status).toBe('OK')
    expect(one(state, 2, 901 * SECOND, SECOND).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    expect(one(state, 2, 900 * SECOND, SECOND).verdict.status).toBe('OK')
  })

  it('takes 865 to 868 MHz for 0.1 %', () => {
    let state = newAirtime(airRules(EU868, 'blocking'))
    state = one(state, 1, 0, SECOND, { hz: 867_100_000 }).state
    expect(one(state, 2, 999 * SECOND, SECOND, { hz: 867_300_000 }).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    expect(one(state, 2, 1_000 * SECOND, SECOND, { hz: 867_300_000 }).verdict.status).toBe('OK')
  })

  it('remembers a rest that is longer than an hour', () => {
    let state = newAirtime(airRules(EU868, 'blocking'))
    state = settle(one(state, 1, 0, 3_500_000, { hz: 868_900_000 }).state, 1, 0).state
    expect(one(state, 2, 3_400 * SECOND, SECOND, { hz: 868_900_000 }).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    state = forget(state, HOUR + 10 * SECOND)
    expect(state.onAir.get('N')).toHaveLength(1)
  })
})

describe('prices', () => {
  it('stand until a share of the budget is used, and rise to the multiple at the end', () => {
    let state = newAirtime(airRules(EU868, 'window', { reservedPpm: 0, pricesPerMs: { '*': 100n }, surge: { fromPpm: 500_000, timesPpm: 3_000_000 } }))
    const price = (id: number, at: number): bigint => one(state, id, at * SECOND, 1).verdict.pricePerMs
    expect(price(1, 1)).toBe(100n)
    state = settle(one(state, 2, 0, 18 * SECOND).state, 2, 0).state
    expect(price(3, 20)).toBe(100n)
    state = settle(one(state, 4, 30 * SECOND, 9 * SECOND).state, 4, 0).state
    expect(price(5, 50)).toBe(200n)
    expect(budgets(state, 50 * SECOND).find((band) => band.name === 'M')).toMatchObject({ usedUs: 27 * SECOND, freeUs: 9 * SECOND, pricePerMs: 200n })
    expect(budgets(state, 50 * SECOND).find((band) => band.name === 'R')).toMatchObject({ usedUs: 0, freeUs: 36 * SECOND, pricePerMs: 100n })
  })

  it('are counted by the started millisecond', () => {
    expect([0, 1, 1_000, 1_001, 41_216].map(startedMs)).toEqual([0, 1, 1, 2, 42])
  })

  it('rise with what is sold where the law knows no limit', () => {
    const US915 = regionNamed('US915')
    const state = newAirtime(airRules(US915, 'window', { pricesPerMs: { US: 9n }, surge: { fromPpm: 0, timesPpm: 2_000_000 } }))
    const first = one(state, 1, 0, 180 * SECOND, { hz: 923_300_000 })
    expect(first.verdict).toEqual({ status: 'OK', band: 'US', pricePerMs: 9n })
    expect(one(settle(first.state, 1, 0).state, 2, 200 * SECOND, SECOND, { hz: 923_300_000 }).verdict.pricePerMs).toBe(14n)
    expect(budgets(state, 0)).toMatchObject([{ name: 'US', dutyPpm: null, freeUs: HOUR }])
  })
})

describe('wishes', () => {
  it('may only be stricter than the law', () => {
    expect(airRules(EU868, 'window', { dutyPpm: { P: 50_000 } }).bands.find((band) => band.name === 'P')?.dutyPpm).toBe(50_000)
    expect(airRules(EU868, 'window', { dutyPpm: { '*': 5_000 } }).bands.map((band) => band.dutyPpm)).toEqual([1_000, 5_000, 5_000, 1_000, 5_000, 5_000])
    expect(airRules(regionNamed('CN470'), 'window', { dutyPpm: { CN: 10_000 } }).bands[0]?.dutyPpm).toBe(10_000)
    expect(() => airRules(EU868, 'window', { dutyPpm: { M: 20_000 } })).toThrow(/airtime-duty: 20000 .* at most 10000 in M/)
    expect(() => airRules(EU868, 'window', { pricesPerMs: { Q: 1n } })).toThrow(/airtime_band_prices.*K, L, M, N, P, R/)
    expect(() => airRules(EU868, 'window', { pricesPerMs: { M: -1n } })).toThrow(/airtime-price/)
    expect(() => airRules(EU868, 'window', { reservedPpm: 1_000_001 })).toThrow(/airtime-reserved/)
    expect(() => airRules(EU868, 'window', { surge: { fromPpm: 1_000_000, timesPpm: 2_000_000 } })).toThrow(/airtime-surge-from/)
    expect(() => airRules(EU868, 'window', { surge: { fromPpm: 0, timesPpm: 1 } })).toThrow(/airtime-surge-times/)
  })

  it('take hold at once, for what was sent before too', () => {
    let state = newAirtime(airRules(EU868, 'window'))
    state = settle(one(state, 1, 0, 20 * SECOND).state, 1, 0).state
    state = withRules(state, airRules(EU868, 'window', { dutyPpm: { M: 5_000 } }))
    expect(one(state, 2, 60 * SECOND, 1).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
  })
})

describe('a restart', () => {
  const clock = (over: Partial<{ bootId: string; boottimeMs: number; wallMs: number; trusted: boolean }> = {}): Clock => {
    const { bootId = 'b', boottimeMs = 60_000, wallMs = 10_000_000, trusted = true } = over
    return { bootId, boottimeMs: () => boottimeMs, wallMs: () => wallMs, isWallTrusted: () => trusted }
  }
  const moment = (over: Partial<Moment> = {}): Moment => ({ bootId: 'a', boottimeMs: 5_000_000, wallMs: 9_000_000, wallTrusted: true, ...over })
  const row = (startsAt: Moment): AirtimeRow => ({ gateway: '0000000000000001', downlinkId: 1, window: 0, subBand: 'M', pricePerMs: 0n, startsAt, durationUs: 36 * SECOND, isSettled: false })
  const start = (startsAt: Moment, now: Clock): number | undefined => recalled([row(startsAt)], now)[0]?.entry.startUs

  it('of the service alone changes nothing', () => {
    expect(start(moment({ bootId: 'b', boottimeMs: 50_000 }), clock())).toBe(50_000_000)
  })

  it('of the box counts by the wall clock where both believed it', () => {
    expect(start(moment(), clock())).toBe((60_000 - 1_000_000) * 1_000)
  })

  it('of the box counts all of it as just before, where the wall clock is not believed, or runs backwards', () => {
    const latest = -36 * SECOND
    expect(start(moment({ wallTrusted: false }), clock())).toBe(latest)
    expect(start(moment(), clock({ trusted: false }))).toBe(latest)
    expect(start(moment({ wallMs: 11_000_000 }), clock())).toBe(latest)
  })

  it('gives nothing back that was used', () => {
    let state = newAirtime(airRules(EU868, 'window'))
    for (const { band, entry } of recalled([row(moment({ wallTrusted: false })), { ...row(moment()), subBand: 'gone' }], clock())) state = recall(state, band, entry)
    expect(one(state, 9, 100 * SECOND, 1).verdict.status).toBe('DUTY_CYCLE_OVERFLOW')
    expect(one(state, 9, HOUR + 3 * SECOND, SECOND).verdict.status).toBe('OK')
  })
})
