/** Channel masks as devices take them, and the shortest way to say what is wanted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyMasks, cfListFor, masksFor, regionNamed } from '../../../src/iot/lorawan/index.ts'
import type { Region } from '../../../src/iot/lorawan/index.ts'

const only = (region: Region, channels: readonly number[]): boolean[] => Array.from({ length: region.maxChannels }, (_, i) => channels.includes(i))
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const [EU868, US915, CN470] = [regionNamed('EU868'), regionNamed('US915'), regionNamed('CN470')]
const ALL_US = only(US915, range(0, 72))
const ALL_CN = only(CN470, range(0, 96))

describe('channel masks', () => {
  it('of 16 channels: one mask, or all that are defined', () => {
    const defined = only(EU868, range(0, 8))
    expect(applyMasks(EU868, defined, defined, [{ channelMask: 0b101, channelMaskControl: 0 }])).toEqual(only(EU868, [0, 2]))
    expect(applyMasks(EU868, defined, only(EU868, [1]), [{ channelMask: 0, channelMaskControl: 6 }])).toEqual(defined)
    expect(applyMasks(EU868, defined, defined, [{ channelMask: 0x100, channelMaskControl: 0 }])).toBeNull()
    expect(applyMasks(EU868, defined, defined, [{ channelMask: 0, channelMaskControl: 0 }])).toBeNull()
    for (const control of [1, 5, 7]) expect(applyMasks(EU868, defined, defined, [{ channelMask: 1, channelMaskControl: control }])).toBeNull()
  })

  it('of US915: sub-band 2 as networks say it', () => {
    const second = only(US915, [...range(8, 16), 65])
    expect(applyMasks(US915, ALL_US, ALL_US, [{ channelMask: 0x02, channelMaskControl: 7 }, { channelMask: 0xff00, channelMaskControl: 0 }])).toEqual(second)
    expect(masksFor(US915, ALL_US, ALL_US, second)).toEqual([{ channelMask: 0x02, channelMaskControl: 7 }, { channelMask: 0xff00, channelMaskControl: 0 }])
    expect(applyMasks(US915, ALL_US, ALL_US, [{ channelMask: 0x02, channelMaskControl: 5 }])).toEqual(second)
    expect(masksFor(US915, ALL_US, second, ALL_US)).toEqual([{ channelMask: 0xff, channelMaskControl: 6 }])
    expect(masksFor(US915, ALL_US, second, only(US915, range(8, 16)))).toEqual([{ channelMask: 0, channelMaskControl: 4 }])
    expect(applyMasks(US915, ALL_US, ALL_US, [{ channelMask: 0x100, channelMaskControl: 4 }])).toBeNull()
  })

  it('of CN470: blocks of 16, or all', () => {
    const eight = only(CN470, range(80, 88))
    expect(masksFor(CN470, ALL_CN, only(CN470, range(0, 8)), eight)).toEqual([{ channelMask: 0, channelMaskControl: 0 }, { channelMask: 0xff, channelMaskControl: 5 }])
    expect(masksFor(CN470, ALL_CN, eight, ALL_CN)).toEqual([{ channelMask: 0, channelMaskControl: 6 }])
    expect(applyMasks(CN470, ALL_CN, ALL_CN, [{ channelMask: 1, channelMaskControl: 7 }])).toBeNull()
  })

  it('say nothing where nothing changes, and nothing that cannot be', () => {
    expect(masksFor(US915, ALL_US, ALL_US, ALL_US)).toEqual([])
    expect(() => masksFor(US915, ALL_US, ALL_US, only(US915, []))).toThrow(/channels: none on/)
    expect(() => masksFor(EU868, only(EU868, [0, 1, 2]), only(EU868, [0]), only(EU868, [0, 9]))).toThrow(/channels: 0 9 .*channels the device has/)
    expect(() => masksFor(EU868, [], [], [true])).toThrow(/1 of them/)
  })

  it.each([['US915', US915, ALL_US], ['CN470', CN470, ALL_CN], ['EU868', EU868, only(EU868, range(0, 16))]] as const)('%s: whatever is on and wanted, the row leads there, and no block is said twice', (_, region, defined) => {
    const state = fc.array(fc.boolean(), { minLength: region.maxChannels, maxLength: region.maxChannels }).filter((channels) => channels.some(Boolean))
    const blocks = fc.array(fc.constantFrom(...range(0, Math.ceil(region.maxChannels / 8))), { minLength: 1 }).map((on) => only(region, on.flatMap((block) => range(block * 8, block * 8 + 8))))
    fc.assert(
      fc.property(fc.oneof(state, blocks), fc.oneof(state, blocks), (isOn, wanted) => {
        const row = masksFor(region, defined, isOn, wanted)
        expect(applyMasks(region, defined, isOn, row) ?? isOn).toEqual(wanted)
        expect(new Set(row.map((mask) => mask.channelMaskControl)).size).toBe(row.length)
        expect(row.length).toBeLessThanOrEqual(Math.ceil(region.maxChannels / 16))
      }),
      { numRuns: 300 },
    )
  })
})

describe('channel lists of a join accept', () => {
  it('name frequencies, or masks of a fixed plan', () => {
    expect(cfListFor(EU868, { extraHz: [867_100_000, 867_300_000], isOn: null })).toEqual({ kind: 'frequencies', frequenciesHz: [867_100_000, 867_300_000, 0, 0, 0] })
    expect(cfListFor(US915, { extraHz: null, isOn: only(US915, [...range(8, 16), 65]) })).toEqual({ kind: 'masks', masks: [0xff00, 0, 0, 0, 2, 0] })
    expect(cfListFor(EU868, { extraHz: [], isOn: null })).toBeNull()
    expect(cfListFor(US915, { extraHz: [902_300_000], isOn: null })).toBeNull()
  })

  it('are refused outside the region', () => {
    expect(() => cfListFor(EU868, { extraHz: [902_300_000], isOn: null })).toThrow(/channels: 902300000/)
    expect(() => cfListFor(EU868, { extraHz: [867_100_050], isOn: null })).toThrow(/steps of 100/)
    expect(() => cfListFor(EU868, { extraHz: Array<number>(6).fill(867_100_000), isOn: null })).toThrow(/at most 5/)
    expect(() => cfListFor(US915, { extraHz: null, isOn: only(US915, []) })).toThrow(/at least one of 72/)
  })
})
