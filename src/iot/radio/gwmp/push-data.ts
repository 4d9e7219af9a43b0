/**
 * What PUSH_DATA carries: `rxpk`, packets that were received, and `stat`, how the gateway is. Each packet is read by itself: one that
 * cannot be read says why and takes no other with it.
 */
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Copy, GatewayStats, Modulation, RadioTime } from '../../ports.ts'
import { hertzOf, jsonOf, numberOf, objectOf, payloadOf, wholeOf } from './json.ts'
import type { JsonObject } from './json.ts'
import { modulationOf } from './modulation.ts'

/** Semtech's forwarder for sx1302 sends at most 255. */
const MAX_PACKETS = 255
const MAX_ANTENNAS = 16
const U32 = 0xffff_ffff

export interface ReceivedPacket {
  readonly phy: Uint8Array
  readonly frequencyHz: number
  readonly modulation: Modulation
  /** Whoever says nothing of it forwards what was right. */
  readonly crc: 'right' | 'wrong' | 'none'
  /** One per antenna, at least one, in the forwarder's order. */
  readonly copies: readonly Omit<Copy, 'gateway' | 'arrivedMs'>[]
}

export interface PushData {
  readonly packets: readonly ReceivedPacket[]
  readonly refused: readonly { readonly index: number; readonly field: string; readonly reason: string }[]
  readonly stats: Omit<GatewayStats, 'gateway' | 'at'> | null
}

/** Errors: input `json` when nothing of it can be read. */
export function readPushData(body: Uint8Array): PushData {
  const json = jsonOf(body)
  const packets: ReceivedPacket[] = []
  const refused: PushData['refused'][number][] = []
  const list = Array.isArray(json['rxpk']) ? (json['rxpk'] as readonly unknown[]) : []
  for (const [index, item] of list.entries()) {
    if (index >= MAX_PACKETS) {
      refused.push({ index, field: 'rxpk', reason: `more than ${MAX_PACKETS} packets` })
      break
    }
    try {
      packets.push(packetOf(objectOf(item) ?? {}))
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
      refused.push({ index, field: thrown.field ?? 'rxpk', reason: asError(thrown).message })
    }
  }
  const stat = objectOf(json['stat'])
  return { packets, refused, stats: stat === null ? null : statsOf(stat) }
}

function packetOf(packet: JsonObject): ReceivedPacket {
  const phy = payloadOf(packet['data'])
  if (phy === null) throw refusal('data', 'base64 of 1 to 255 bytes')
  const frequencyHz = hertzOf(packet['freq'])
  if (frequencyHz === null) throw refusal('freq', 'MHz')
  const stat = packet['stat']
  return { phy, frequencyHz, modulation: modulationOf(packet), crc: stat === -1 ? 'wrong' : stat === 0 ? 'none' : 'right', copies: copiesOf(packet) }
}

function copiesOf(packet: JsonObject): ReceivedPacket['copies'] {
  const shared = {
    time: timeOf(packet['tmst']),
    utcMs: utcOf(packet['time']),
    gpsTimeMs: numberOf(packet['tmms'], 0, Number.MAX_SAFE_INTEGER),
    fineTimeNs: wholeOf(packet['ftime'], 0, 999_999_999),
    channel: wholeOf(packet['chan'], 0, 255) ?? 0,
    radio: wholeOf(packet['rfch'], 0, 255) ?? 0,
    board: wholeOf(packet['brd'], 0, 255) ?? 0,
    antenna: wholeOf(packet['ant'], 0, 255) ?? 0,
    rssiDbm: dbmOf(packet['rssi']) ?? dbmOf(packet['rssis']),
    snrDb: dbmOf(packet['lsnr']),
  }
  const antennas = (Array.isArray(packet['rsig']) ? (packet['rsig'] as readonly unknown[]) : []).slice(0, MAX_ANTENNAS).map(objectOf).filter((item) => item !== null)
  if (antennas.length === 0) return [shared]
  return antennas.map((signal) => ({
    ...shared,
    antenna: wholeOf(signal['ant'], 0, 255) ?? shared.antenna,
    channel: wholeOf(signal['chan'], 0, 255) ?? shared.channel,
    fineTimeNs: wholeOf(signal['ftime'], 0, 999_999_999) ?? shared.fineTimeNs,
    rssiDbm: dbmOf(signal['rssic']) ?? dbmOf(signal['rssis']) ?? shared.rssiDbm,
    snrDb: dbmOf(signal['lsnr']) ?? shared.snrDb,
  }))
}

/** Without it there is nothing to answer to; the packet is worth having all the same. */
function timeOf(tmst: unknown): RadioTime {
  const tmstUs = wholeOf(tmst, 0, U32)
  return tmstUs === null ? { kind: 'foreign', context: new Uint8Array() } : { kind: 'counter', tmstUs }
}

/** ISO 8601 as forwarders write it, `2013-03-31T16:21:17.528002Z`. */
function utcOf(time: unknown): number | null {
  if (typeof time !== 'string' || time.length > 40 || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(time)) return null
  const milliseconds = Date.parse(time)
  return Number.isFinite(milliseconds) ? milliseconds : null
}

function dbmOf(value: unknown): number | null {
  return numberOf(value, -300, 300)
}

function statsOf(stat: JsonObject): Omit<GatewayStats, 'gateway' | 'at'> {
  const count = (name: string): number => wholeOf(stat[name], 0, U32) ?? 0
  const [latitude, longitude] = [numberOf(stat['lati'], -90, 90), numberOf(stat['long'], -180, 180)]
  return {
    location: latitude === null || longitude === null ? null : { latitude, longitude, altitudeMeters: numberOf(stat['alti'], -20_000, 100_000) ?? 0 },
    received: count('rxnb'),
    receivedOk: count('rxok'),
    forwarded: count('rxfw'),
    downlinksAsked: count('dwnb'),
    downlinksSent: count('txnb'),
    ackPercent: numberOf(stat['ackr'], 0, 100),
    temperatureC: numberOf(stat['temp'], -100, 200),
  }
}

function refusal(field: string, allowed: string): MeshBoxError {
  return new MeshBoxError('input', `${field}: not there, or not ${allowed}`, { code: 'bad-input', field, allowed })
}
