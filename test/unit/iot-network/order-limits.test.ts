/** What anybody may order of a transmitter: nothing that passes is longer than the ledger of airtime counts with, at any door's words. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { LONGEST_FRAME_US } from '../../../src/iot/airtime/index.ts'
import { REGIONS, timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import { checkOrder } from '../../../src/iot/network/order-limits.ts'
import type { Modulation, TxWindow } from '../../../src/iot/ports.ts'
import { readPullResp, writePullResp } from '../../../src/iot/radio/gwmp/index.ts'

const EU868 = REGIONS[0]!
const LORA: Modulation = { kind: 'lora', spreadingFactor: 9, bandwidthHz: 125_000, codingRate: '4/5' }
const FSK: Modulation = { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }
const window = (more: Partial<TxWindow>): TxWindow => ({ phy: new Uint8Array(20).fill(0x60), frequencyHz: 868_100_000, modulation: LORA, powerDbm: 14, timing: { kind: 'now' }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0, ...more })

describe('a preamble', () => {
  it.each<[string, Modulation, readonly number[], readonly number[]]>([
    ['symbols', LORA, [6, 8, 10, 12, 16], [-1, 0, 5, 17, 1_024, 65_535, 8.5, NaN]],
    ['bytes', FSK, [3, 5, 16], [-1, 0, 2, 17, 65_535, 5.5]],
  ])('of %s: as long as LoRaWAN needs it, with a little to spare', (unit, modulation, taken, refused) => {
    for (const preambleSymbols of taken) expect(() => checkOrder({ windows: [window({ modulation, preambleSymbols })] }, EU868)).not.toThrow()
    for (const preambleSymbols of refused)
      expect(() => checkOrder({ windows: [window({ modulation, preambleSymbols })] }, EU868)).toThrow(expect.objectContaining({ kind: 'input', field: 'preamble', allowed: expect.stringContaining(unit) }))
  })

  it('that a server of a tenant asks for is read as forwarders read it', () => {
    const asked = (modu: object, prea: unknown): number => readPullResp(Buffer.from(JSON.stringify({ txpk: { imme: true, freq: 868.1, ...modu, prea, size: 1, data: 'YA==' } }))).preambleSymbols
    const [lora, fsk] = [{ modu: 'LORA', datr: 'SF9BW125', codr: '4/5' }, { modu: 'FSK', datr: 50_000, fdev: 25_000 }]
    expect([undefined, null, 'long', 0, 5, 6, 10, 65_535, 65_536].map((prea) => asked(lora, prea))).toEqual([8, 8, 8, 6, 6, 6, 10, 65_535, 8])
    expect([undefined, null, 0, 3, 8, 65_535].map((prea) => asked(fsk, prea))).toEqual([5, 5, 3, 3, 8, 65_535])
  })
})

it('FSK stays on its channel', () => {
  const fsk = (deviationHz: number) => () => checkOrder({ windows: [window({ modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz }, preambleSymbols: 5 })] }, EU868)
  for (const deviationHz of [0, 20_000, 25_000]) expect(fsk(deviationHz)).not.toThrow()
  for (const deviationHz of [25_001, 1_000_000, -1, NaN]) expect(fsk(deviationHz)).toThrow(expect.objectContaining({ field: 'deviation' }))
})

it('a power is one that a concentrator can have', () => {
  const order = (powerDbm: number) => () => checkOrder({ windows: [window({ powerDbm })] }, EU868)
  for (const powerDbm of [-20, 0, 14]) expect(order(powerDbm)).not.toThrow()
  for (const powerDbm of [-21, -2_147_483_648, 50, NaN]) expect(order(powerDbm)).toThrow(expect.objectContaining({ field: 'power' }))
})

describe('what passes', () => {
  it('is never longer than what the ledger counts with, and costs the time it takes: whatever region, data rate, coding, length and preamble', () => {
    const order = fc.constantFrom(...REGIONS).chain((region) =>
      fc.record({
        region: fc.constant(region),
        rate: fc.constantFrom(...region.dataRates.filter((rate) => rate !== null)),
        codingRate: fc.constantFrom('4/5', '4/6', '4/7', '4/8'),
        bytes: fc.integer({ min: 1, max: 255 }),
        preambleSymbols: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.nat(65_535)),
        hasCrc: fc.boolean(),
      }),
    )
    let passed = 0
    fc.assert(
      fc.property(order, ({ region, rate, codingRate, bytes, preambleSymbols, hasCrc }) => {
        const modulation = rate.modulation.kind === 'lora' ? ({ ...rate.modulation, codingRate } as Modulation) : rate.modulation
        const asked = window({ modulation, phy: new Uint8Array(bytes), frequencyHz: region.rx2.frequencyHz, preambleSymbols, hasCrc })
        try {
          checkOrder({ windows: [asked] }, region)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
          return
        }
        passed++
        // What the forwarder is told is what was counted.
        const told = readPullResp(writePullResp(asked))
        const counted = timeOnAirUs(modulation, bytes, asked)
        expect([timeOnAirUs(told.modulation, told.phy.length, told), counted <= LONGEST_FRAME_US]).toEqual([counted, true])
      }),
      { numRuns: 4_000, seed: 1 },
    )
    expect(passed).toBeGreaterThan(500)
  })

  it('takes at most 4.3 s', () => {
    const slowest: Modulation = { kind: 'lora', spreadingFactor: 12, bandwidthHz: 125_000, codingRate: '4/8' }
    const longest = window({ modulation: slowest, phy: new Uint8Array(64), preambleSymbols: 16, hasCrc: true })
    expect(() => checkOrder({ windows: [longest] }, EU868)).not.toThrow()
    expect(timeOnAirUs(slowest, 64, longest)).toBe(4_333_568)
    expect(() => checkOrder({ windows: [{ ...longest, phy: new Uint8Array(65) }] }, EU868)).toThrow(/phy/)
  })
})
