/**
 * What the kernel says about Wi-Fi interfaces and the stations on them, read from the bytes of its generic netlink
 * family `nl80211`. Numbers: the kernel's <linux/nl80211.h>.
 *
 * What a driver or kernel does not tell is null. An entry without the name or address it is about is left out.
 */
import { readAttributes } from './genetlink-attributes.ts'
import type { Attributes } from './genetlink-attributes.ts'
import type { GenetlinkMessage } from './genetlink.ts'

export const NL80211_COMMAND = { getInterface: 5, newInterface: 7, getStation: 17, newStation: 19, deleteStation: 20 } as const

export const NL80211_INTERFACE_INDEX = 3

const ATTRIBUTE = {
  radio: 1,
  name: 4,
  type: 5,
  mac: 6,
  stationInfo: 21,
  frequency: 38,
  ssid: 52,
  isFourAddress: 83,
  txPower: 98,
  channelWidth: 159,
  centerFrequency: 160,
} as const

const STATION = {
  inactiveMs: 1,
  rxBytes32: 2,
  txBytes32: 3,
  signal: 7,
  txBitrate: 8,
  rxPackets: 9,
  txPackets: 10,
  txRetries: 11,
  txFailed: 12,
  signalAverage: 13,
  rxBitrate: 14,
  connectedSeconds: 16,
  flags: 17,
  rxBytes64: 23,
  txBytes64: 24,
  expectedThroughputKbit: 27,
} as const

const RATE = { steps16: 1, steps32: 5 } as const
/** Bits of nl80211_sta_flag_update. */
const STATION_FLAG = { authorized: 1 << 1, authenticated: 1 << 5, associated: 1 << 7 } as const
const KBIT_PER_STEP = 100
const MBM_PER_DBM = 100

const INTERFACE_TYPES = ['unspecified', 'adhoc', 'station', 'ap', 'ap-vlan', 'wds', 'monitor', 'mesh', 'p2p-client', 'p2p-go', 'p2p-device', 'ocb', 'nan'] as const
export type WifiInterfaceType = (typeof INTERFACE_TYPES)[number]
const CHANNEL_WIDTHS_MHZ = [20, 20, 40, 80, 160, 160, 5, 10, 1, 2, 4, 8, 16, 320] as const

export interface WifiInterface {
  readonly interfaceName: string
  readonly interfaceIndex: number
  /** Number of the radio (wiphy). */
  readonly radio: number | null
  readonly type: WifiInterfaceType | null
  readonly address: string | null
  /** As it is on the air: mostly text in UTF-8, but any bytes may be in it. */
  readonly ssid: Uint8Array | null
  readonly frequencyMhz: number | null
  /** 80+80 counts as 160. */
  readonly channelWidthMhz: number | null
  readonly centerFrequencyMhz: number | null
  readonly txPowerDbm: number | null
  readonly isFourAddress: boolean | null
}

/** Counted from when the station came. */
export interface WifiStation {
  readonly interfaceIndex: number | null
  readonly address: string
  readonly rxBytes: number | null
  readonly txBytes: number | null
  readonly rxPackets: number | null
  readonly txPackets: number | null
  readonly txRetries: number | null
  readonly txFailed: number | null
  readonly signalDbm: number | null
  readonly signalAverageDbm: number | null
  readonly rxBitrateKbit: number | null
  readonly txBitrateKbit: number | null
  readonly expectedThroughputKbit: number | null
  readonly connectedSeconds: number | null
  /** Since something was last heard of it. */
  readonly inactiveMs: number | null
  /** May send and receive data: the key exchange, if any, is done. */
  readonly isAuthorized: boolean | null
  readonly isAuthenticated: boolean | null
  readonly isAssociated: boolean | null
}

/** A station that came or went; one that went with its last counts, where the driver tells them. */
export interface WifiStationEvent {
  readonly kind: 'new' | 'deleted'
  readonly station: WifiStation
}

export function decodeWifiInterface(message: GenetlinkMessage): WifiInterface | null {
  const found = readAttributes(message.attributes)
  const [interfaceName, interfaceIndex] = [found.text(ATTRIBUTE.name), found.u32(NL80211_INTERFACE_INDEX)]
  if (interfaceName === null || interfaceIndex === null) return null
  const power = found.u32(ATTRIBUTE.txPower)
  const fourAddress = found.u8(ATTRIBUTE.isFourAddress)
  return {
    interfaceName,
    interfaceIndex,
    radio: found.u32(ATTRIBUTE.radio),
    type: INTERFACE_TYPES[found.u32(ATTRIBUTE.type) ?? -1] ?? null,
    address: found.mac(ATTRIBUTE.mac),
    ssid: found.bytes(ATTRIBUTE.ssid),
    frequencyMhz: found.u32(ATTRIBUTE.frequency),
    channelWidthMhz: CHANNEL_WIDTHS_MHZ[found.u32(ATTRIBUTE.channelWidth) ?? -1] ?? null,
    centerFrequencyMhz: found.u32(ATTRIBUTE.centerFrequency),
    txPowerDbm: power === null ? null : (power | 0) / MBM_PER_DBM,
    isFourAddress: fourAddress === null ? null : fourAddress !== 0,
  }
}

export function decodeStation(message: GenetlinkMessage): WifiStation | null {
  const found = readAttributes(message.attributes)
  const address = found.mac(ATTRIBUTE.mac)
  if (address === null) return null
  const info = found.nested(ATTRIBUTE.stationInfo) ?? readAttributes(new Uint8Array(0))
  const flags = stationFlags(info.bytes(STATION.flags))
  return {
    interfaceIndex: found.u32(NL80211_INTERFACE_INDEX),
    address,
    rxBytes: info.u64(STATION.rxBytes64) ?? info.u32(STATION.rxBytes32),
    txBytes: info.u64(STATION.txBytes64) ?? info.u32(STATION.txBytes32),
    rxPackets: info.u32(STATION.rxPackets),
    txPackets: info.u32(STATION.txPackets),
    txRetries: info.u32(STATION.txRetries),
    txFailed: info.u32(STATION.txFailed),
    signalDbm: info.i8(STATION.signal),
    signalAverageDbm: info.i8(STATION.signalAverage),
    rxBitrateKbit: rateOf(info.nested(STATION.rxBitrate)),
    txBitrateKbit: rateOf(info.nested(STATION.txBitrate)),
    expectedThroughputKbit: info.u32(STATION.expectedThroughputKbit),
    connectedSeconds: info.u32(STATION.connectedSeconds),
    inactiveMs: info.u32(STATION.inactiveMs),
    isAuthorized: flags(STATION_FLAG.authorized),
    isAuthenticated: flags(STATION_FLAG.authenticated),
    isAssociated: flags(STATION_FLAG.associated),
  }
}

/** Null for a message that is about something else. */
export function decodeStationEvent(message: GenetlinkMessage): WifiStationEvent | null {
  const kind = message.command === NL80211_COMMAND.newStation ? 'new' : message.command === NL80211_COMMAND.deleteStation ? 'deleted' : null
  const station = kind === null ? null : decodeStation(message)
  return kind === null || station === null ? null : { kind, station }
}

/** Units of 100 kbit/s; the 16-bit number is missing where the rate is above 6.5 Gbit/s. */
function rateOf(rate: Attributes | null): number | null {
  const steps = rate?.u32(RATE.steps32) ?? rate?.u16(RATE.steps16) ?? null
  return steps === null ? null : steps * KBIT_PER_STEP
}

/** Two words: which flags are told, and those that are set. */
function stationFlags(bytes: Uint8Array | null): (flag: number) => boolean | null {
  if (bytes?.length !== 8) return () => null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [told, set] = [view.getUint32(0, true), view.getUint32(4, true)]
  return (flag) => ((told & flag) === 0 ? null : (set & flag) !== 0)
}
