/** What nl80211's messages mean, by messages of a real kernel and by messages with parts missing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, utf8 } from '../../../src/base/index.ts'
import { attribute, u32Attribute } from '../../../src/native/index.ts'
import { nestedAttribute, textAttribute } from '../../../src/native/genetlink-attributes.ts'
import { NL80211_COMMAND, decodeStation, decodeStationEvent, decodeWifiInterface } from '../../../src/native/nl80211.ts'
import { captured, everyCaptured, withUnknown } from './genetlink-vectors.ts'

const message = (...attributes: Uint8Array[]): { command: number; version: number; attributes: Uint8Array } => ({ command: NL80211_COMMAND.newStation, version: 1, attributes: concatBytes(...attributes) })
const MAC = fromHex('02000000000a')
const station = (...info: Uint8Array[]): ReturnType<typeof decodeStation> => decodeStation(message(attribute(6, MAC), nestedAttribute(21, ...info)))
const REAL = {
  interfaceIndex: 2,
  address: '02:00:00:00:01:00',
  rxBytes: 1505,
  txBytes: 1049,
  rxPackets: 13,
  txPackets: 10,
  txRetries: 0,
  txFailed: 0,
  signalDbm: -30,
  signalAverageDbm: -30,
  rxBitrateKbit: 54_000,
  txBitrateKbit: 48_000,
  expectedThroughputKbit: 18_562,
  connectedSeconds: 1,
  inactiveMs: 80,
  isAuthorized: true,
  isAuthenticated: true,
  isAssociated: true,
}

describe('a real kernel', () => {
  it('interfaces', () => {
    expect(captured('wifi ap nl80211 5').map(decodeWifiInterface)).toEqual([
      {
        interfaceName: 'ap0',
        interfaceIndex: 2,
        radio: 0,
        type: 'ap',
        address: '02:00:00:00:00:00',
        ssid: utf8('meshbox-guest'),
        frequencyMhz: 2412,
        channelWidthMhz: 20,
        centerFrequencyMhz: 2412,
        txPowerDbm: 20,
        isFourAddress: false,
      },
    ])
  })

  it('stations', () => {
    expect(captured('wifi ap nl80211 17').map(decodeStation)).toEqual([REAL])
  })

  it('events: of seven messages about frames and keys, one that came and one that went', () => {
    const events = captured('wifi ap nl80211 event mlme').map(decodeStationEvent)
    expect(events).toHaveLength(7)
    expect(events.filter((event) => event !== null)).toMatchObject([
      { kind: 'new', station: { address: '02:00:00:00:01:00', interfaceIndex: 2, rxBytes: null } },
      { kind: 'deleted', station: { address: '02:00:00:00:01:00', rxBytes: 1531, txBytes: 1049, isAuthorized: false } },
    ])
  })
})

describe('other kernels and drivers', () => {
  it('may add attributes', () => {
    for (const real of everyCaptured()) for (const decode of [decodeWifiInterface, decodeStation, decodeStationEvent]) expect(decode(withUnknown(real))).toEqual(decode(real))
  })

  it('may tell nothing but the address of a station', () => {
    const seen = decodeStation(message(attribute(6, MAC)))
    expect(seen?.address).toBe('02:00:00:00:00:0a')
    expect(Object.entries(seen ?? {}).filter(([name, value]) => name !== 'address' && value !== null)).toEqual([])
    expect(decodeStation(message(u32Attribute(3, 2)))).toBeNull()
    expect(decodeStationEvent(message(u32Attribute(3, 2)))).toBeNull()
  })

  it('may tell nothing but name and index of an interface', () => {
    const seen = decodeWifiInterface(message(textAttribute(4, 'wlan0'), u32Attribute(3, 9)))
    expect(Object.entries(seen ?? {}).filter(([, value]) => value !== null)).toEqual([['interfaceName', 'wlan0'], ['interfaceIndex', 9]])
    expect(decodeWifiInterface(message(u32Attribute(3, 9)))).toBeNull()
  })

  it('may know more types and widths', () => {
    const of = (type: number, value: number): ReturnType<typeof decodeWifiInterface> => decodeWifiInterface(message(textAttribute(4, 'wlan0'), u32Attribute(3, 9), u32Attribute(type, value)))
    expect([0, 2, 3, 7, 12, 13].map((type) => of(5, type)?.type)).toEqual(['unspecified', 'station', 'ap', 'mesh', 'nan', null])
    expect([0, 1, 2, 3, 4, 5, 13, 14].map((width) => of(159, width)?.channelWidthMhz)).toEqual([20, 20, 40, 80, 160, 160, 320, null])
    expect([2000, 0, 0xffff_ff9c].map((power) => of(98, power)?.txPowerDbm)).toEqual([20, 0, -1])
  })
})

describe('numbers', () => {
  it('of bytes: those of 64 bits, if there are', () => {
    const wide = attribute(23, fromHex('0000000001000000'))
    expect(station(u32Attribute(2, 7), wide)?.rxBytes).toBe(2 ** 32)
    expect(station(u32Attribute(2, 7))?.rxBytes).toBe(7)
    expect(station(attribute(24, fromHex('ffffffffffffff7f')))?.txBytes).toBe(Number(2n ** 63n - 1n))
  })

  it('of rates: those of 32 bits, if there are', () => {
    expect(station(nestedAttribute(8, attribute(1, fromHex('3200'))))?.txBitrateKbit).toBe(5_000)
    expect(station(nestedAttribute(14, attribute(1, fromHex('3200')), u32Attribute(5, 96_078)))?.rxBitrateKbit).toBe(9_607_800)
    expect(station(nestedAttribute(8))?.txBitrateKbit).toBeNull()
  })

  it('of flags: null where they are not told', () => {
    const flags = (told: number, set: number): unknown[] => {
      const bytes = concatBytes(u32Attribute(1, told).subarray(4), u32Attribute(1, set).subarray(4))
      const seen = station(attribute(17, bytes))
      return [seen?.isAuthorized, seen?.isAuthenticated, seen?.isAssociated]
    }
    expect(flags(0xff, 0xff)).toEqual([true, true, true])
    expect(flags(2, 2)).toEqual([true, null, null])
    expect(flags(0xa2, 0x80)).toEqual([false, false, true])
  })

  it('no bytes break a decoder', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyCaptured()), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat(), (real, changes, cut) => {
        const attributes = real.attributes.slice(0, cut % (real.attributes.length + 1))
        for (const [at, byte] of changes) if (attributes.length > 0) attributes[at % attributes.length] = byte
        for (const decode of [decodeWifiInterface, decodeStation, decodeStationEvent]) expect(() => decode({ ...real, attributes })).not.toThrow()
      }),
    )
  })
})
