/** `meshbox tool gwmp decode`: a datagram between forwarder and server, taken apart, as one JSON document. */
import { MeshBoxError, inputError, toHex } from '../../base/index.ts'
import { decodeFrame, devAddrText, timeOnAirUs } from '../lorawan/index.ts'
import type { AirOptions } from '../lorawan/index.ts'
import type { Modulation } from '../ports.ts'
import { ackFor, decodeDatagram, readPullResp, readPushData, readTxAck } from '../radio/gwmp/index.ts'
import type { Datagram, ReceivedPacket } from '../radio/gwmp/index.ts'
import type { LoraAnswer } from './lora-decode.ts'

/** Hex, also in several lines. Errors: input, naming the field. */
export function inspectDatagram(text: string): LoraAnswer {
  const digits = text.replace(/\s+/g, '').replace(/^0x/, '')
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) throw inputError('datagram', `${digits.length} digits`, 'hex digits')
  const bytes = new Uint8Array(Buffer.from(digits, 'hex'))
  const datagram = decodeDatagram(bytes)
  const { version, kind, gateway } = datagram
  const ack = ackFor(bytes)
  return { ok: true, version, kind, token: toHex(bytes.subarray(1, 3)), gateway, bytes: bytes.length, ack: ack === null ? null : toHex(ack), ...bodyOf(datagram) }
}

function bodyOf({ kind, body }: Datagram): object {
  switch (kind) {
    case 'push-data': {
      const { packets, refused, stats } = readPushData(body)
      return { ok: refused.length === 0, packets: packets.map(packetView), refused, stats }
    }
    case 'pull-resp': {
      const { phy, ...rest } = readPullResp(body)
      return { downlink: { ...rest, phy: toHex(phy), frame: frameView(phy), timeOnAirUs: airOf(rest.modulation, phy, rest) } }
    }
    case 'tx-ack':
      return readTxAck(body)
    default:
      return body.length === 0 ? {} : { rest: toHex(body) }
  }
}

function packetView({ phy, copies, ...packet }: ReceivedPacket): object {
  return {
    ...packet,
    phy: toHex(phy),
    frame: frameView(phy),
    timeOnAirUs: airOf(packet.modulation, phy, {}),
    copies: copies.map(({ time, ...copy }) => ({ ...copy, tmstUs: time.kind === 'counter' ? time.tmstUs : null })),
  }
}

/** What can be seen without keys; the reason when it is no LoRaWAN frame. */
function frameView(phy: Uint8Array): object {
  try {
    const frame = decodeFrame(phy)
    if (frame.type === 'data') return { type: frame.type, direction: frame.direction, isConfirmed: frame.isConfirmed, devAddr: devAddrText(frame.devAddr), fCnt16: frame.fCnt16, fPort: frame.fPort }
    return frame.type === 'join-request' ? { type: frame.type, joinEui: frame.joinEui, devEui: frame.devEui, devNonce: frame.devNonce } : { type: frame.type }
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
    return { type: null, reason: thrown.message }
  }
}

/** Null for what the formula does not know: long interleaving, no coding. */
function airOf(modulation: Modulation, phy: Uint8Array, options: AirOptions): number | null {
  try {
    return timeOnAirUs(modulation, phy.length, options)
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
    return null
  }
}
