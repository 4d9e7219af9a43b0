import { describe, expect, it } from 'vitest'
import { REGIONS, channelOf, dataRate, dataRateOf, maxPayloadBytes, regionNamed, rx1Of, subBandAt, timeOnAirUs, txPowerDbm } from '../../../src/iot/lorawan/index.ts'
import type { Region } from '../../../src/iot/lorawan/index.ts'

const limits = (region: Region, hasDwell: boolean): number[] => region.dataRates.map((rate, i) => (rate === null ? -1 : maxPayloadBytes(region, i, 0, hasDwell)))
const rx1Rates = (region: Region, up: number, hasDwell = false): number[] =>
  Array.from({ length: region.maxRx1DrOffset + 1 }, (_, offset) => rx1Of(region, { frequencyHz: region.channels.find((channel) => up >= channel.minDataRate && up <= channel.maxDataRate)?.frequencyHz ?? region.channels[0]?.frequencyHz ?? 0, dataRate: up }, offset, hasDwell).dataRate)

describe('regions', () => {
  it.each(REGIONS.map((region) => [region.name, region] as const))('%s hangs together', (_, region) => {
    for (const [i, rate] of region.dataRates.entries()) if (rate !== null) expect(dataRateOf(region, rate.modulation, rate.isUp ? 'up' : 'down')).toBe(i)
    for (const channel of region.channels) {
      expect(channel.frequencyHz % 100).toBe(0)
      expect(channel.frequencyHz).toBeGreaterThanOrEqual(region.fromHz)
      expect(channel.frequencyHz).toBeLessThan(region.toHz)
      expect(channelOf(region, channel.frequencyHz, channel.minDataRate)).toBe(region.channels.indexOf(channel))
    }
    expect(dataRate(region, region.rx2.dataRate).isDown).toBe(true)
    expect(subBandAt(region, region.rx2.frequencyHz)).not.toBeNull()
    for (const [up, rate] of region.dataRates.entries()) {
      if (rate === null || !rate.isUp || !region.channels.some((channel) => up >= channel.minDataRate && up <= channel.maxDataRate)) continue
      for (const hasDwell of [false, true]) for (const down of rx1Rates(region, up, hasDwell)) expect(dataRate(region, down).isDown).toBe(true)
    }
    for (let a = 1; a < region.subBands.length; a++) expect(region.subBands[a]?.fromHz).toBeGreaterThanOrEqual(region.subBands[a - 1]?.toHz ?? Infinity)
    expect(region.channels.length).toBeLessThanOrEqual(region.maxChannels)
  })

  it.each(REGIONS.filter((region) => region.dwellUs !== null).map((region) => [region.name, region] as const))('%s: the longest frame under the dwell limit keeps it', (_, region) => {
    for (const [i, rate] of region.dataRates.entries()) {
      if (rate === null || rate.modulation.kind !== 'lora' || rate.modulation.bandwidthHz !== 125_000) continue
      const most = maxPayloadBytes(region, i, 0, true)
      if (most > 0) expect(timeOnAirUs(rate.modulation, most + 13)).toBeLessThanOrEqual(region.dwellUs ?? 0)
    }
  })

  it('have names; AS923-1 is AS923', () => {
    expect(regionNamed('as923-1').name).toBe('AS923')
    expect(() => regionNamed('EU867')).toThrow(/region: "?EU867"? .*EU868, US915, AS923/)
  })
})

describe('EU868', () => {
  const EU868 = regionNamed('EU868')

  it('has the limits and answers of the table', () => {
    expect(limits(EU868, false)).toEqual([51, 51, 51, 115, 242, 242, 242, 242, 50, 115, 50, 115])
    expect([0, 3, 5, 6, 7].map((up) => rx1Rates(EU868, up))).toEqual([[0, 0, 0, 0, 0, 0], [3, 2, 1, 0, 0, 0], [5, 4, 3, 2, 1, 0], [6, 5, 4, 3, 2, 1], [7, 6, 5, 4, 3, 2]])
    expect(rx1Of(EU868, { frequencyHz: 867_100_000, dataRate: 5 }, 0, false)).toEqual({ frequencyHz: 867_100_000, dataRate: 5 })
    expect([8, 9, 10, 11].map((up) => rx1Rates(EU868, up))).toEqual([[1, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 0]])
  })

  it.each([
    [867_900_000, 'L', 10_000],
    [868_100_000, 'M', 10_000],
    [868_599_999, 'M', 10_000],
    [868_600_000, null, null], // alarms
    [868_800_000, 'N', 1_000],
    [869_300_000, null, null],
    [869_525_000, 'P', 100_000],
    [869_850_000, 'R', 10_000],
    [864_000_000, 'K', 1_000],
  ])('%i Hz is in band %s', (hz, name, dutyPpm) => {
    const band = subBandAt(EU868, hz)
    expect([band?.name ?? null, band?.dutyPpm ?? null]).toEqual([name, dutyPpm])
  })

  it('leaves room for MAC commands, and counts power down', () => {
    expect(maxPayloadBytes(EU868, 0, 15, false)).toBe(36)
    expect([0, 1, 7].map((index) => txPowerDbm(EU868, index))).toEqual([16, 14, 2])
    expect(() => txPowerDbm(EU868, 8)).toThrow(/tx-power: 8 .*0 to 7/)
  })

  it('refuses what it does not have', () => {
    expect(() => rx1Of(EU868, { frequencyHz: 868_100_000, dataRate: 5 }, 6, false)).toThrow(/rx1-dr-offset/)
    expect(() => rx1Of(EU868, { frequencyHz: 868_100_000, dataRate: 12 }, 0, false)).toThrow(/data-rate: 12/)
    expect(dataRateOf(EU868, { kind: 'lora', spreadingFactor: 7, bandwidthHz: 500_000, codingRate: '4/5' }, 'up')).toBeNull()
    expect(dataRateOf(EU868, { kind: 'lr-fhss', widthHz: 137_000, codingRate: '1/3', gridSteps: 8 }, 'up')).toBe(8)
    expect(dataRateOf(EU868, { kind: 'lr-fhss', widthHz: 137_000, codingRate: '1/3', gridSteps: 8 }, 'down')).toBeNull()
  })
})

describe('US915', () => {
  const US915 = regionNamed('US915')

  it('has the limits and answers of the table', () => {
    expect(limits(US915, false)).toEqual([11, 53, 125, 242, 242, 50, 125, -1, 53, 129, 242, 242, 242, 242])
    expect([0, 1, 2, 3, 4, 5, 6].map((up) => rx1Rates(US915, up))).toEqual([[10, 9, 8, 8], [11, 10, 9, 8], [12, 11, 10, 9], [13, 12, 11, 10], [13, 13, 12, 11], [10, 9, 8, 8], [11, 10, 9, 8]])
  })

  it.each([
    [902_300_000, 0, 0, 923_300_000],
    [903_700_000, 3, 7, 927_500_000],
    [914_900_000, 3, 63, 927_500_000],
    [903_000_000, 4, 64, 923_300_000],
    [914_200_000, 4, 71, 927_500_000],
    [904_300_000, 1, 10, 924_500_000],
  ])('%i Hz at DR%i is channel %i, answered at %i Hz', (hz, up, channel, answer) => {
    expect(channelOf(US915, hz, up)).toBe(channel)
    expect(rx1Of(US915, { frequencyHz: hz, dataRate: up }, 0, false).frequencyHz).toBe(answer)
  })

  it('knows a channel through float noise, and none beside it', () => {
    expect(channelOf(US915, 902_300_024, 0)).toBe(0)
    expect(channelOf(US915, 902_301_000, 0)).toBeNull()
    expect(channelOf(US915, 903_000_000, 0)).toBeNull() // a wide one at a narrow data rate
    expect(() => rx1Of(US915, { frequencyHz: 868_100_000, dataRate: 0 }, 0, false)).toThrow(/channel/)
    expect(() => rx1Of(US915, { frequencyHz: 902_300_000, dataRate: 8 }, 0, false)).toThrow(/for uplinks/)
  })
})

describe('AS923', () => {
  const AS923 = regionNamed('AS923')

  it('has the limits and answers of the table, with and without dwell', () => {
    expect(limits(AS923, false)).toEqual([51, 51, 51, 115, 242, 242, 242, 242])
    expect(limits(AS923, true)).toEqual([0, 0, 11, 53, 125, 242, 242, 242])
    expect([0, 2, 5].map((up) => rx1Rates(AS923, up))).toEqual([[0, 0, 0, 0, 0, 0, 1, 2], [2, 1, 0, 0, 0, 0, 3, 4], [5, 4, 3, 2, 1, 0, 5, 5]])
    expect([0, 3, 5].map((up) => rx1Rates(AS923, up, true))).toEqual([[2, 2, 2, 2, 2, 2, 2, 2], [3, 2, 2, 2, 2, 2, 4, 5], [5, 4, 3, 2, 2, 2, 5, 5]])
  })

  it.each([
    ['AS923-2', 921_400_000],
    ['AS923-3', 916_600_000],
    ['AS923-4', 917_300_000],
  ])('%s lies at %i Hz', (name, hz) => {
    expect([regionNamed(name).channels[0]?.frequencyHz, regionNamed(name).rx2.frequencyHz]).toEqual([hz, hz])
  })
})

describe('CN470 and IN865', () => {
  it('answer where and how the tables say', () => {
    const CN470 = regionNamed('CN470')
    expect(CN470.channels).toHaveLength(96)
    expect(rx1Of(CN470, { frequencyHz: 470_300_000, dataRate: 0 }, 0, false)).toEqual({ frequencyHz: 500_300_000, dataRate: 0 })
    expect(rx1Of(CN470, { frequencyHz: 470_300_000 + 50 * 200_000, dataRate: 5 }, 2, false)).toEqual({ frequencyHz: 500_300_000 + 2 * 200_000, dataRate: 3 })
    expect(CN470.rx2).toEqual({ frequencyHz: 505_300_000, dataRate: 0 })
    const IN865 = regionNamed('IN865')
    expect(limits(IN865, false)).toEqual([51, 51, 51, 115, 242, 242, -1, 242])
    expect([0, 4, 7].map((up) => rx1Rates({ ...IN865, channels: IN865.channels.map((channel) => ({ ...channel, maxDataRate: 7 })) }, up))).toEqual([[0, 0, 0, 0, 0, 0, 1, 2], [4, 3, 2, 1, 0, 0, 5, 5], [7, 5, 5, 4, 3, 2, 7, 7]])
    expect(IN865.rx2).toEqual({ frequencyHz: 866_550_000, dataRate: 2 })
  })
})
