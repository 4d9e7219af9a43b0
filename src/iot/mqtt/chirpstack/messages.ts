/** This room's frames and orders as ChirpStack v4's gateway messages, and back; in protobuf or JSON, as the tenant's server is set. */
import { fromUtf8, inputError, utf8 } from '../../../base/index.ts'
import { PREAMBLE } from '../../lorawan/index.ts'
import type { CodingRate, Copy, Eui, GatewayStats, Heard, Modulation, RadioTime, TxAck, TxStatus, TxWindow } from '../../ports.ts'
import { jsonOfMessage, messageOfJson } from '../protobuf-json.ts'
import { decodeMessage, encodeMessage } from '../protobuf.ts'
import type { Message, Schema } from '../protobuf.ts'
import { CONN_STATE, DOWNLINK_FRAME, DOWNLINK_TX_ACK, GATEWAY_STATS, TX_STATUSES, UPLINK_FRAME } from './schemas.ts'
import type { CodeRate } from './schemas.ts'

export type Encoding = 'protobuf' | 'json'

const CODE_RATE: Readonly<Record<CodingRate, CodeRate>> = { '4/5': 'CR_4_5', '4/6': 'CR_4_6', '4/7': 'CR_4_7', '4/8': 'CR_4_8', '4/5LI': 'CR_LI_4_5', '4/6LI': 'CR_LI_4_6', '4/8LI': 'CR_LI_4_8', '1/3': 'CR_2_6', '2/3': 'CR_4_6', OFF: 'CR_UNDEFINED' }
const CODING_RATE: Readonly<Partial<Record<string, CodingRate>>> = { CR_4_5: '4/5', CR_4_6: '4/6', CR_4_7: '4/7', CR_4_8: '4/8', CR_LI_4_5: '4/5LI', CR_LI_4_6: '4/6LI', CR_LI_4_8: '4/8LI' }
/** A server's command; longer ones are not looked at. Eight windows of 255 bytes in JSON are far below. */
const MAX_COMMAND_BYTES = 16 * 1024
const MAX_WINDOWS = 8
/** As JavaScript counts; the year 275760. */
const LAST_DATE_MS = 8.64e15

// ---- up

/** `uplinkId`: u32, of this reception. */
export function uplinkFrame(heard: Heard, copy: Copy, uplinkId: number, encoding: Encoding): Uint8Array {
  return written(encoding, UPLINK_FRAME, {
    phyPayload: heard.phy,
    txInfo: { frequency: heard.frequencyHz, modulation: modulationMessage(heard.modulation) },
    rxInfo: {
      gatewayId: copy.gateway,
      uplinkId,
      // What a gateway believes of the time may be anything.
      gwTime: copy.utcMs !== null && Math.abs(copy.utcMs) < LAST_DATE_MS ? copy.utcMs : null,
      timeSinceGpsEpoch: copy.gpsTimeMs === null ? null : BigInt(Math.round(copy.gpsTimeMs * 1_000)) * 1_000n,
      fineTimeSinceGpsEpoch: copy.gpsTimeMs === null || copy.fineTimeNs === null ? null : BigInt(Math.floor(copy.gpsTimeMs / 1_000)) * 1_000_000_000n + BigInt(Math.round(copy.fineTimeNs)),
      rssi: copy.rssiDbm === null ? null : Math.round(copy.rssiDbm),
      snr: copy.snrDb,
      channel: copy.channel,
      rfChain: copy.radio,
      board: copy.board,
      antenna: copy.antenna,
      context: contextOf(copy.time),
      crcStatus: 'CRC_OK',
    },
  })
}

/** Opaque for the server: the counter as the UDP forwarders write it (u32, big-endian); Basics Station's pair; what was foreign, untouched. */
export function contextOf(time: RadioTime): Uint8Array {
  if (time.kind === 'foreign') return time.context
  // Bytes without a view on them stay inside the heap.
  if (time.kind === 'counter') return Uint8Array.of(time.tmstUs >>> 24, time.tmstUs >>> 16, time.tmstUs >>> 8, time.tmstUs)
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, time.xtime)
  view.setBigInt64(8, time.rctx)
  return bytes
}

export function gatewayStats(stats: GatewayStats, encoding: Encoding): Uint8Array {
  const { location } = stats
  return written(encoding, GATEWAY_STATS, {
    gatewayId: stats.gateway,
    time: stats.at.wallTrusted ? stats.at.wallMs : null,
    location: location === null ? null : { latitude: location.latitude, longitude: location.longitude, altitude: location.altitudeMeters, source: 'GPS' },
    rxPacketsReceived: stats.received,
    rxPacketsReceivedOk: stats.receivedOk,
    txPacketsReceived: stats.downlinksAsked,
    txPacketsEmitted: stats.downlinksSent,
  })
}

export function connState(gatewayId: Eui, isOnline: boolean, encoding: Encoding): Uint8Array {
  return written(encoding, CONN_STATE, { gatewayId, state: isOnline ? 'ONLINE' : 'OFFLINE' })
}

/** `downlinkId`: the server's own. Our GATEWAY_AWAY is no word of its: INTERNAL_ERROR. */
export function downlinkTxAck(gatewayId: Eui, downlinkId: number, statuses: TxAck['statuses'], encoding: Encoding): Uint8Array {
  const known: ReadonlySet<TxStatus> = new Set(TX_STATUSES)
  return written(encoding, DOWNLINK_TX_ACK, { gatewayId, downlinkId, items: statuses.map((status) => ({ status: known.has(status) ? status : 'INTERNAL_ERROR' })) })
}

// ---- down

/** A window whose reception is named by its context, which the delivery knows. */
export interface AskedWindow extends Omit<TxWindow, 'timing'> {
  readonly timing: { readonly kind: 'after'; readonly context: Uint8Array; readonly delayUs: number } | { readonly kind: 'now' } | { readonly kind: 'gps'; readonly gpsTimeMs: number }
}

export interface AskedDownlink {
  readonly downlinkId: number
  readonly gateway: Eui
  readonly windows: readonly AskedWindow[]
}

/** Errors: input, naming the field; also when the frame names another gateway than the topic. */
export function downlinkFrame(payload: Uint8Array, gateway: Eui, encoding: Encoding): AskedDownlink {
  const frame = read(encoding, DOWNLINK_FRAME, payload)
  if (frame['gatewayId'] !== gateway) throw inputError('gatewayId', frame['gatewayId'] ?? null, `${gateway}, as in the topic`)
  const items = frame['items'] as readonly Message[]
  if (items.length < 1 || items.length > MAX_WINDOWS) throw inputError('items', items.length, `1 to ${MAX_WINDOWS}`)
  return { downlinkId: numberOf(frame['downlinkId']), gateway, windows: items.map(windowOf) }
}

function windowOf(item: Message): AskedWindow {
  const phy = item['phyPayload'] as Uint8Array | undefined
  if (phy === undefined || phy.length < 1 || phy.length > 255) throw inputError('phyPayload', phy?.length ?? 0, '1 to 255 bytes')
  const tx = messageAt(item, 'txInfo')
  const modulation = messageAt(tx, 'modulation')
  const lora = modulation['lora'] as Message | undefined
  const asked = modulationOf(modulation)
  // Of FSK the message cannot say one.
  const preamble = numberOf(lora?.['preamble'])
  return {
    phy,
    frequencyHz: numberOf(tx['frequency']),
    modulation: asked,
    powerDbm: numberOf(tx['power']),
    timing: timingOf(messageAt(tx, 'timing'), tx['context'] as Uint8Array | undefined),
    isInverted: lora?.['polarizationInversion'] === true,
    preambleSymbols: preamble === 0 ? PREAMBLE[asked.kind].usual : preamble,
    hasCrc: lora?.['noCrc'] !== true,
    board: numberOf(tx['board']),
    antenna: numberOf(tx['antenna']),
  }
}

function timingOf(timing: Message, context: Uint8Array | undefined): AskedWindow['timing'] {
  const delay = timing['delay'] as Message | undefined
  const gps = timing['gpsEpoch'] as Message | undefined
  if (delay !== undefined) {
    const nanoseconds = (delay['delay'] as bigint | undefined) ?? 0n
    if (nanoseconds < 0n || nanoseconds > 16_000_000_000n) throw inputError('timing.delay', String(nanoseconds), '0 to 16 s')
    return { kind: 'after', context: context ?? new Uint8Array(0), delayUs: Number(nanoseconds / 1_000n) }
  }
  if (gps !== undefined) return { kind: 'gps', gpsTimeMs: Number(((gps['timeSinceGpsEpoch'] as bigint | undefined) ?? 0n) / 1_000n) / 1_000 }
  if (timing['immediately'] !== undefined) return { kind: 'now' }
  throw inputError('timing', null, 'immediately, delay or gpsEpoch')
}

function modulationOf(message: Message): Modulation {
  const lora = message['lora'] as Message | undefined
  const fsk = message['fsk'] as Message | undefined
  if (lora !== undefined) {
    const spreadingFactor = numberOf(lora['spreadingFactor'])
    if (spreadingFactor < 5 || spreadingFactor > 12) throw inputError('spreadingFactor', spreadingFactor, '5 to 12')
    const legacy = lora['codeRateLegacy'] as string | undefined
    const name = lora['codeRate'] as string | undefined
    const codingRate = name === undefined || name === 'CR_UNDEFINED' ? (legacy === undefined || legacy === '' ? '4/5' : Object.values(CODING_RATE).find((rate) => rate === legacy)) : CODING_RATE[name]
    if (codingRate === undefined) throw inputError('codeRate', name ?? legacy, Object.keys(CODING_RATE).join(', '))
    return { kind: 'lora', spreadingFactor, bandwidthHz: numberOf(lora['bandwidth']), codingRate }
  }
  if (fsk !== undefined) return { kind: 'fsk', bitsPerSecond: numberOf(fsk['datarate']), deviationHz: numberOf(fsk['frequencyDeviation']) }
  throw inputError('modulation', Object.keys(message).join(), 'lora or fsk')
}

function modulationMessage(modulation: Modulation): Message {
  switch (modulation.kind) {
    case 'lora':
      return { lora: { bandwidth: modulation.bandwidthHz, spreadingFactor: modulation.spreadingFactor, codeRate: CODE_RATE[modulation.codingRate] } }
    case 'fsk':
      return { fsk: { frequencyDeviation: modulation.deviationHz, datarate: modulation.bitsPerSecond } }
    case 'lr-fhss':
      return { lrFhss: { operatingChannelWidth: modulation.widthHz, gridSteps: modulation.gridSteps, codeRate: CODE_RATE[modulation.codingRate] } }
  }
}

// ---- both encodings

function written(encoding: Encoding, schema: Schema, message: Message): Uint8Array {
  return encoding === 'protobuf' ? encodeMessage(schema, message) : utf8(JSON.stringify(jsonOfMessage(schema, message)))
}

function read(encoding: Encoding, schema: Schema, payload: Uint8Array): Message {
  if (payload.length > MAX_COMMAND_BYTES) throw inputError(schema.name, `${payload.length} bytes`, `at most ${MAX_COMMAND_BYTES} bytes`)
  if (encoding === 'protobuf') return decodeMessage(schema, payload)
  let json: unknown
  try {
    json = JSON.parse(fromUtf8(payload))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw inputError(schema.name, `${payload.length} bytes`, 'JSON')
    throw thrown
  }
  return messageOfJson(schema, json)
}

function messageAt(message: Message, name: string): Message {
  const found = message[name]
  if (found === undefined) throw inputError(name, null, 'a message')
  return found as Message
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
