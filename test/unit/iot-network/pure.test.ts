/** The parts without a disk: ADR's table, concentrators' clocks, counters, plans, opened keys. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openSessionKeys, regionNamed, sealData } from '../../../src/iot/lorawan/index.ts'
import { adrFor, lossPercent, stepped, transmissionsFor } from '../../../src/iot/network/adr.ts'
import { CipherCache } from '../../../src/iot/network/ciphers.ts'
import { boxTimeUs, counterDifferenceUs, counterPlusUs, observe } from '../../../src/iot/network/concentrator-time.ts'
import type { ConcentratorClock } from '../../../src/iot/network/concentrator-time.ts'
import { countersToTry, matchSession } from '../../../src/iot/network/match.ts'
import { networkPlan } from '../../../src/iot/network/plan.ts'

const EU868 = regionNamed('EU868')
const ROUND = 2 ** 32

describe('adaptive data rate', () => {
  it.each([
    // steps, power, rate, most power, most rate → power, rate
    [0, 1, 3, 5, 5, 1, 3],
    [1, 1, 4, 5, 5, 1, 5],
    [1, 1, 5, 5, 5, 2, 5],
    [2, 1, 3, 5, 5, 1, 5],
    [2, 1, 4, 5, 5, 2, 5],
    [2, 1, 5, 5, 5, 3, 5],
    [2, 5, 5, 5, 5, 5, 5],
    [-1, 1, 5, 5, 5, 0, 5],
    [-1, 0, 4, 5, 5, 0, 4],
    [-10, 0, 4, 5, 5, 0, 4],
  ])('%i steps from power %i at DR%i', (steps, txPowerIndex, dataRate, mostPower, mostRate, power, rate) => {
    expect(stepped({ dataRate, txPowerIndex }, steps, mostRate, mostPower)).toEqual({ dataRate: rate, txPowerIndex: power })
  })

  it.each([
    [4.99, 3, 2],
    [9.99, 2, 2],
    [30, 3, 3],
    [0, 1, 1],
    [0, 2, 1],
    [12, 1, 2],
    [50, 1, 3],
  ])('at %d %% loss, %i transmissions become %i', (loss, now, next) => expect(transmissionsFor(now, loss)).toBe(next))

  const heard = (snrs: readonly number[], power = 0) => snrs.map((snrDb, fCnt) => ({ fCnt, snrDb, txPowerIndex: power, gateways: 1 }))
  const limits = { installationMarginDb: 10, maxDataRate: 5, maxTxPowerIndex: 7 }

  it('counts what was lost between the first and the last of a whole history', () => {
    const frames = Array.from({ length: 20 }, (_, i) => ({ fCnt: i + (i >= 5 ? 1 : 0) + (i >= 10 ? 1 : 0), snrDb: 0, txPowerIndex: 0, gateways: 1 }))
    expect(lossPercent(frames)).toBe(10)
    expect(lossPercent(frames.slice(1))).toBe(0)
  })

  it('goes faster by what is to spare, then quieter', () => {
    // DR0 needs −20: 5 − (−20) − 10 = 15 dB, five steps.
    expect(adrFor(EU868, { dataRate: 0, txPowerIndex: 0, nbTrans: 1 }, heard([5]), limits)).toEqual({ dataRate: 5, txPowerIndex: 0, nbTrans: 1 })
    // DR5 needs −7.5: 12 + 7.5 − 10 = 9.5 dB, three steps.
    expect(adrFor(EU868, { dataRate: 5, txPowerIndex: 0, nbTrans: 1 }, heard([12, 3]), limits)).toEqual({ dataRate: 5, txPowerIndex: 3, nbTrans: 1 })
    expect(adrFor(EU868, { dataRate: 7, txPowerIndex: 0, nbTrans: 1 }, heard([12]), limits).dataRate).toBe(5)
  })

  it('goes louder only after twenty frames at that power, and never slower', () => {
    const now = { dataRate: 5, txPowerIndex: 4, nbTrans: 1 }
    const weak = Array.from({ length: 20 }, () => -5)
    expect(adrFor(EU868, now, heard(weak.slice(1), 4), limits)).toEqual(now)
    expect(adrFor(EU868, now, heard(weak, 4), limits)).toEqual({ dataRate: 5, txPowerIndex: 2, nbTrans: 1 })
    expect(adrFor(EU868, now, heard([12], 0), limits)).toEqual(now)
  })
})

describe('a concentrator’s clock', () => {
  it('takes the shorter way round', () => {
    expect(counterDifferenceUs(5, ROUND - 5)).toBe(10)
    expect(counterDifferenceUs(ROUND - 5, 5)).toBe(-10)
    expect(counterPlusUs(ROUND - 1, 2)).toBe(1)
    fc.assert(fc.property(fc.integer({ min: 0, max: ROUND - 1 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (from, by) => counterDifferenceUs(counterPlusUs(from, by), from) === by))
  })

  it('tells slots right to the jitter, over wraps, with drift and late datagrams', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: ROUND - 1 }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.array(fc.record({ gapUs: fc.integer({ min: 1_000, max: 1_200_000_000 }), lateUs: fc.integer({ min: 0, max: 300_000 }) }), { minLength: 1, maxLength: 60 }),
        (start, ppm, frames) => {
          let clock: ConcentratorClock | null = null
          let trueUs = 1_000_000
          for (const { gapUs, lateUs } of frames) {
            trueUs += gapUs
            const tmstUs = Math.floor(start + trueUs * (1 + ppm / 1_000_000)) % ROUND
            clock = observe(clock, tmstUs, trueUs + lateUs)
            expect(clock.epoch).toBe(1)
            const slot = boxTimeUs(clock, counterPlusUs(tmstUs, 1_000_000))
            // Never later than the datagram says, never earlier than it was on the air by more than the drift that is forgiven.
            expect(slot).toBeLessThanOrEqual(trueUs + lateUs + 1_000_000 + 1)
            expect(slot).toBeGreaterThanOrEqual(trueUs + 1_000_000 - gapUs * 0.0003 - 1_000)
          }
        },
      ),
    )
  })

  it('sees that a forwarder started anew', () => {
    const before = observe(null, 3_000_000_000, 50_000_000)
    expect(observe(before, 3_010_000_000, 60_000_000).epoch).toBe(1)
    expect(observe(before, 2_000_000, 60_000_000).epoch).toBe(2)
    // Two wraps of silence are none.
    expect(observe(before, counterPlusUs(3_000_000_000, 9_000_000_000), 9_050_000_000).epoch).toBe(1)
  })
})

describe('counters', () => {
  it('every counter that could be is tried once, the lower ones are never new', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: ROUND - 100_000, max: ROUND })), fc.integer({ min: 0, max: 65_535 }), fc.boolean(), (fCntUp, fCnt16, allowsReset) => {
        const tries = countersToTry(fCnt16, fCntUp, allowsReset)
        expect(new Set(tries.map((tried) => tried.fCnt)).size).toBe(tries.length)
        for (const { kind, fCnt } of tries) {
          expect(fCnt % 65_536).toBe(fCnt16)
          expect(fCnt).toBeGreaterThanOrEqual(0)
          expect(fCnt).toBeLessThan(ROUND)
          if (kind === 'new') expect(fCnt >= fCntUp && fCnt - fCntUp < 16_384).toBe(true)
          else if (kind === 'repeated') expect(fCnt).toBe(fCntUp - 1)
          else if (kind === 'gap') expect(fCnt - fCntUp).toBeGreaterThanOrEqual(16_384)
          else expect(fCnt).toBeLessThan(fCntUp)
          if (kind === 'reset') expect(allowsReset).toBe(true)
        }
      }),
    )
  })

  it('a frame is found under its own 32-bit counter, and by no other key', () => {
    const keys = (seed: number) => {
      const key = new Uint8Array(16).fill(seed)
      return openSessionKeys({ fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key }, false)
    }
    const [mine, other] = [keys(1), keys(2)]
    const phy = sealData(mine, { direction: 'up', isConfirmed: false, devAddr: 1, adr: false, adrAckReq: false, ack: false, bit4: false, fCnt32: 70_000, fOpts: new Uint8Array(0), fPort: 1, frmPayload: Uint8Array.of(1) })
    const low = 70_000 % 65_536
    expect(matchSession(mine, phy, low, 69_990, false)).toEqual({ kind: 'new', fCnt: 70_000 })
    expect(matchSession(mine, phy, low, 70_001, false)).toEqual({ kind: 'repeated', fCnt: 70_000 })
    expect(matchSession(mine, phy, low, 70_500, false)).toEqual({ kind: 'replayed', fCnt: 70_000 })
    expect(matchSession(mine, phy, low, 40_000, false)).toEqual({ kind: 'gap', fCnt: 70_000 })
    expect(matchSession(mine, phy, low, 4_000, false)).toBeNull()
    expect(matchSession(other, phy, low, 69_990, false)).toBeNull()
  })

  const oneKey = (key: Uint8Array) => ({ fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key })
  const keyBytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
  const around = fc.record({ confFCnt: fc.nat(65_535), dataRate: fc.nat(15), channel: fc.nat(95) })
  const clear = fc.record({
    ...{ isConfirmed: fc.boolean(), devAddr: fc.nat(2 ** 32 - 1), adr: fc.boolean(), adrAckReq: fc.boolean(), ack: fc.boolean(), bit4: fc.boolean(), fCnt32: fc.nat(2 ** 32 - 1) },
    ...{ fOpts: fc.uint8Array({ maxLength: 15 }), fPort: fc.integer({ min: 1, max: 223 }), frmPayload: fc.uint8Array({ maxLength: 40 }) },
  })

  it('of 1.0 is judged by its bytes alone, whatever a session of 1.1 would ask for besides', () => {
    fc.assert(
      fc.property(keyBytes, clear, fc.nat(2 ** 32 - 1), fc.boolean(), fc.array(around, { maxLength: 2 }), (key, frame, fCntUp, allowsReset, tried) => {
        const keys = openSessionKeys(oneKey(key), false)
        const phy = sealData(keys, { direction: 'up', ...frame })
        expect(matchSession(keys, phy, frame.fCnt32 % 65_536, fCntUp, allowsReset, tried)).toEqual(matchSession(keys, phy, frame.fCnt32 % 65_536, fCntUp, allowsReset))
      }),
    )
  })

  it('of 1.1 is right for what it was sent with and for nothing else; the ACK counts only where it is', () => {
    fc.assert(
      fc.property(fc.tuple(keyBytes, keyBytes, keyBytes, keyBytes), clear, around, around, ([f, s, enc, app], frame, sent, other) => {
        const keys = openSessionKeys({ fNwkSIntKey: f, sNwkSIntKey: s, nwkSEncKey: enc, appSKey: app }, true)
        const phy = sealData(keys, { direction: 'up', ...frame }, sent)
        const { fCnt32 } = frame
        const low = fCnt32 % 65_536
        expect(matchSession(keys, phy, low, fCnt32, false, [other, sent])).toMatchObject({ kind: 'new', fCnt: fCnt32 })
        const isSame = other.dataRate === sent.dataRate && other.channel === sent.channel && (!frame.ack || other.confFCnt === sent.confFCnt)
        // Half of the code is the same for all of them, and two bytes are all that is left of the other: they may agree.
        if (isSame) expect(matchSession(keys, phy, low, fCnt32, false, [other])).not.toBeNull()
        else expect(sealData(keys, { direction: 'up', ...frame }, other).subarray(0, -4)).toEqual(phy.subarray(0, -4))
        expect(matchSession(keys, phy, low, fCnt32, false, [])).toBeNull()
      }),
    )
  })
})

describe('a plan', () => {
  it('names what cannot be', () => {
    expect(() => networkPlan({ region: 'EU433', netId: 0 })).toThrow(/region/)
    expect(() => networkPlan({ region: 'EU868', netId: 2 ** 24 })).toThrow(/net-id/)
    expect(() => networkPlan({ region: 'EU868', netId: 0, rxDelaySeconds: 16 })).toThrow(/rx-delay/)
    expect(() => networkPlan({ region: 'EU868', netId: 0, rx2: { frequencyHz: 868_650_000, dataRate: 0 } })).toThrow(/rx2-frequency/)
    expect(() => networkPlan({ region: 'US915', netId: 0, extraChannelsHz: [903_000_000] })).toThrow(/channels/)
    expect(() => networkPlan({ region: 'EU868', netId: 0, txPowerDbm: 30 })).toThrow(/tx-power/)
    expect(networkPlan({ region: 'US915', netId: 0, channelsOn: Array.from({ length: 72 }, (_, i) => i >= 8 && i < 16) }).cfList).toMatchObject({ kind: 'masks' })
  })
})

it('opened keys: of so many devices and no more, and never of a session before', () => {
  const cache = new CipherCache(3)
  const open = () => openSessionKeys({ fNwkSIntKey: new Uint8Array(16), sNwkSIntKey: new Uint8Array(16), nwkSEncKey: new Uint8Array(16), appSKey: new Uint8Array(16) }, false)
  const [first, offered, third] = [open(), open(), open()]
  cache.put('a', 1, first)
  expect(cache.get('a', 1)).toBe(first)
  expect(cache.get('a', 2)).toBeUndefined()
  // One that was offered, beside the one in use.
  cache.put('a', 2, offered)
  expect([cache.get('a', 1), cache.get('a', 2)]).toEqual([first, offered])
  cache.put('a', 3, third)
  expect([cache.get('a', 1), cache.get('a', 2), cache.get('a', 3)]).toEqual([undefined, offered, third])
  for (const name of ['b', 'c']) cache.put(name, 1, open())
  // The one that was not asked for longest goes.
  expect(cache.get('a', 3)).toBe(third)
  cache.put('d', 1, open())
  expect(cache.size).toBe(3)
  expect([cache.get('b', 1), cache.get('a', 3)]).toEqual([undefined, third])
  cache.forget('a')
  expect(cache.size).toBe(2)
})
