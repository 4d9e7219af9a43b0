/** The table that brocaar/lorawan's airtime and the formula agree on; the downlink budget of EU868; what other modulations take. */
import { describe, expect, it } from 'vitest'
import { timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import type { Modulation } from '../../../src/iot/ports.ts'

const lora = (spreadingFactor: number, bandwidthHz = 125_000): Modulation => ({ kind: 'lora', spreadingFactor, bandwidthHz, codingRate: '4/5' })

describe('time on air', () => {
  it.each([
    [13, [46_336, 82_432, 164_864, 288_768, 577_536, 1_155_072]],
    [23, [61_696, 113_152, 205_824, 370_688, 823_296, 1_482_752]],
    [37, [82_176, 143_872, 267_264, 493_568, 1_069_056, 1_974_272]],
    [64, [118_016, 215_552, 390_144, 698_368, 1_560_576, 2_793_472]],
    [255, [399_616, 707_072, 1_250_304, 2_295_808, 5_001_216, 9_019_392]],
  ])('%i bytes, SF7 to SF12', (bytes, expected) => {
    expect([7, 8, 9, 10, 11, 12].map((factor) => timeOnAirUs(lora(factor), bytes))).toEqual(expected)
  })

  it.each([
    [12, 13, 1_155],
    [12, 33, 1_810],
    [9, 13, 144],
    [7, 13, 41],
  ])('SF%i, %i bytes downward, without CRC: %i ms', (factor, bytes, milliseconds) => {
    expect(Math.floor(timeOnAirUs(lora(factor), bytes, { hasCrc: false }) / 1000)).toBe(milliseconds)
  })

  it('halves with the bandwidth, where the low data rate mode stays as it is', () => {
    expect(timeOnAirUs(lora(7, 250_000), 23) * 2).toBe(timeOnAirUs(lora(7), 23))
    expect(timeOnAirUs(lora(8, 500_000), 23) * 4).toBe(timeOnAirUs(lora(8), 23))
    expect(timeOnAirUs(lora(12, 500_000), 23) * 4).toBeLessThan(timeOnAirUs(lora(12), 23))
  })

  it('rounds up where a symbol is no whole number of microseconds', () => {
    // SF7 at 203125 Hz: 630.15 µs a symbol.
    expect(timeOnAirUs(lora(7, 203_125), 13)).toBe(Math.ceil((46_336 * 125_000) / 203_125))
  })

  it('knows SF5 and SF6, coding and preamble', () => {
    expect(timeOnAirUs(lora(5), 13)).toBe(Math.ceil((8 + 6.25 + 8 + Math.ceil((104 - 20 + 20 + 16) / 20) * 5) * 256))
    expect(timeOnAirUs({ kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/8' }, 13)).toBe((12.25 + 8 + 5 * 8) * 1024)
    expect(timeOnAirUs(lora(7), 13, { preambleSymbols: 16 }) - timeOnAirUs(lora(7), 13)).toBe(8 * 1024)
    expect(timeOnAirUs(lora(7), 0, { hasCrc: false, hasHeader: false })).toBe((12.25 + 8) * 1024)
  })

  it('counts FSK by the bit, LR-FHSS by the block', () => {
    expect(timeOnAirUs({ kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }, 13)).toBe((5 + 3 + 1 + 13 + 2) * 160)
    // The preamble is of bytes, and counted as long as it was asked for.
    expect(timeOnAirUs({ kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }, 13, { preambleSymbols: 8, hasCrc: false })).toBe((8 + 3 + 1 + 13) * 160)
    expect(timeOnAirUs({ kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }, 13, { preambleSymbols: 65_535 })).toBeGreaterThan(10_000_000)
    // 13 bytes at 1/3: (15·8 + 6)·3 = 378 bits: 7 blocks of 50 and 42 + 2; 3 headers of 114; 2048 µs each.
    expect(timeOnAirUs({ kind: 'lr-fhss', widthHz: 136_719, codingRate: '1/3', gridSteps: 8 }, 13)).toBe((342 + 350 + 44) * 2048)
    expect(timeOnAirUs({ kind: 'lr-fhss', widthHz: 136_719, codingRate: '2/3', gridSteps: 8 }, 13)).toBe((228 + 150 + 45 + 2) * 2048)
  })

  it('grows with each byte or stays', () => {
    for (const modulation of [lora(7), lora(12), lora(5)]) {
      let before = 0
      for (let bytes = 0; bytes <= 255; bytes++) {
        const now = timeOnAirUs(modulation, bytes)
        expect(Number.isInteger(now)).toBe(true)
        expect(now).toBeGreaterThanOrEqual(before)
        before = now
      }
    }
  })

  it.each<[Modulation, number, RegExp]>([
    [lora(13), 1, /spreading-factor/],
    [lora(7.5), 1, /spreading-factor/],
    [lora(7, 0), 1, /bandwidth/],
    [{ kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5LI' }, 1, /coding-rate/],
    [{ kind: 'fsk', bitsPerSecond: 0, deviationHz: 0 }, 1, /bits-per-second/],
    [{ kind: 'lr-fhss', widthHz: 1, codingRate: '4/5', gridSteps: 8 }, 1, /coding-rate/],
    [lora(7), 256, /bytes/],
    [lora(7), -1, /bytes/],
  ])('%o of %i bytes is refused', (modulation, bytes, reason) => {
    expect(() => timeOnAirUs(modulation, bytes)).toThrow(reason)
  })
})
