/**
 * PHYPayload ↔ fields, LoRaWAN 1.0.2 to 1.0.4 and the frames 1.1 adds. LoRaWAN L2 1.0.4, chapters 4 to 6.
 *
 *   MHDR 1: MType (bits 7..5), RFU (4..2), Major (1..0) = 0
 *   0 join request   MHDR | JoinEUI 8 | DevEUI 8 | DevNonce 2 | MIC 4                                        23 bytes
 *   1 join accept    MHDR | 16 or 32 bytes, encrypted (join.ts)                                              17 or 33
 *   2..5 data        MHDR | DevAddr 4 | FCtrl 1 | FCnt 2 | FOpts 0..15 | (FPort 1 | FRMPayload) | MIC 4      12 to 255
 *   6 rejoin (1.1)   MHDR | type 0, 2: NetID 3 | DevEUI 8 | RJcount 2 | MIC 4                                 19
 *                           type 1: JoinEUI 8 | DevEUI 8 | RJcount 2 | MIC 4                                  24
 *   7 proprietary    MHDR | anything
 *
 * Everything is little-endian. The RFU bits of MHDR are ignored, as the specification asks; encoding writes them 0. A decoder's answer
 * holds copies. MICs are judged by mic.ts over the bytes as they came, never over a frame that was put together again.
 */
import { inputError } from '../../base/index.ts'
import type { DevAddr, Eui } from '../ports.ts'
import { checkUnsigned, copyOf, readEui, readLittle, writeEui, writeLittle } from './octets.ts'

export const MAX_PHY_BYTES = 255
export const MIC_BYTES = 4
export const MAX_FOPTS_BYTES = 15
/** FHDR without FOpts. */
const FIXED_HEADER_BYTES = 7
const MIN_DATA_BYTES = 1 + FIXED_HEADER_BYTES + MIC_BYTES
/** What is left for FPort and FRMPayload together is one more. */
export const MAX_FRM_PAYLOAD_BYTES = MAX_PHY_BYTES - MIN_DATA_BYTES - 1

export type Direction = 'up' | 'down'

export interface JoinRequest {
  readonly type: 'join-request'
  readonly joinEui: Eui
  readonly devEui: Eui
  readonly devNonce: number
  readonly mic: Uint8Array
}

/** Still encrypted: join.ts opens it with the device's key. */
export interface SealedJoinAccept {
  readonly type: 'join-accept'
  readonly sealed: Uint8Array
}

export interface DataFrame {
  readonly type: 'data'
  readonly direction: Direction
  readonly isConfirmed: boolean
  readonly devAddr: DevAddr
  readonly adr: boolean
  /** Upward only. */
  readonly adrAckReq: boolean
  readonly ack: boolean
  /** FCtrl bit 4. Downward FPending: more is waiting. Upward: class B is on. */
  readonly bit4: boolean
  /** Low 16 bits of the counter. */
  readonly fCnt16: number
  /** MAC commands; encrypted in 1.1. */
  readonly fOpts: Uint8Array
  /** Null: no port and no payload. 0: the payload is MAC commands. */
  readonly fPort: number | null
  /** As on the air: encrypted. */
  readonly frmPayload: Uint8Array
  readonly mic: Uint8Array
}

export interface RejoinRequest {
  readonly type: 'rejoin-request'
  readonly rejoinType: 0 | 1 | 2
  /** Types 0 and 2; null in type 1. */
  readonly netId: number | null
  /** Type 1; null in the others. */
  readonly joinEui: Eui | null
  readonly devEui: Eui
  readonly rejoinCount: number
  readonly mic: Uint8Array
}

export interface ProprietaryFrame {
  readonly type: 'proprietary'
  readonly body: Uint8Array
}

export type Frame = JoinRequest | SealedJoinAccept | DataFrame | RejoinRequest | ProprietaryFrame

const MTYPE = { joinRequest: 0, joinAccept: 1, unconfirmedUp: 2, unconfirmedDown: 3, confirmedUp: 4, confirmedDown: 5, rejoin: 6, proprietary: 7 } as const

const NO_BYTES = new Uint8Array(0)
const ADR = 0x80
const ADR_ACK_REQ = 0x40
const ACK = 0x20
const BIT_4 = 0x10

/** Errors: input `phy`, `mhdr`, `fopts`, `rejoin-type`; nothing else is ever thrown on a peer's bytes. */
export function decodeFrame(phy: Uint8Array): Frame {
  if (phy.length === 0 || phy.length > MAX_PHY_BYTES) throw inputError('phy', `${phy.length} bytes`, `1 to ${MAX_PHY_BYTES} bytes`)
  const mhdr = phy[0] ?? 0
  const mType = mhdr >> 5
  if ((mhdr & 3) !== 0) throw inputError('mhdr', `major version ${mhdr & 3}`, 'major version 0 (LoRaWAN R1)')
  switch (mType) {
    case MTYPE.joinRequest:
      needs(phy, 23, 'a join request')
      return { type: 'join-request', joinEui: readEui(phy, 1), devEui: readEui(phy, 9), devNonce: readLittle(phy, 17, 2), mic: micOf(phy) }
    case MTYPE.joinAccept:
      if (phy.length !== 17 && phy.length !== 33) throw inputError('phy', `${phy.length} bytes`, '17 or 33 bytes for a join accept')
      return { type: 'join-accept', sealed: copyOf(phy, 1) }
    case MTYPE.rejoin:
      return decodeRejoin(phy)
    case MTYPE.proprietary:
      return { type: 'proprietary', body: copyOf(phy, 1) }
    default:
      return decodeData(phy, mType)
  }
}

function decodeData(phy: Uint8Array, mType: number): DataFrame {
  if (phy.length < MIN_DATA_BYTES) throw inputError('phy', `${phy.length} bytes`, `at least ${MIN_DATA_BYTES} bytes for a data frame`)
  const direction: Direction = mType === MTYPE.unconfirmedUp || mType === MTYPE.confirmedUp ? 'up' : 'down'
  const fCtrl = phy[5] ?? 0
  const fOptsEnd = 1 + FIXED_HEADER_BYTES + (fCtrl & 0x0f)
  const bodyEnd = phy.length - MIC_BYTES
  if (fOptsEnd > bodyEnd) throw inputError('fopts', `${fCtrl & 0x0f} bytes announced, ${bodyEnd - 1 - FIXED_HEADER_BYTES} there`, 'no more than is there')
  const fPort = fOptsEnd < bodyEnd ? (phy[fOptsEnd] ?? 0) : null
  if (fPort === 0 && fOptsEnd > 1 + FIXED_HEADER_BYTES) throw inputError('fopts', 'MAC commands in FOpts and on port 0', 'one of both')
  return {
    type: 'data',
    direction,
    isConfirmed: mType >= MTYPE.confirmedUp,
    devAddr: readLittle(phy, 1, 4),
    adr: (fCtrl & ADR) !== 0,
    adrAckReq: direction === 'up' && (fCtrl & ADR_ACK_REQ) !== 0, // RFU downward
    ack: (fCtrl & ACK) !== 0,
    bit4: (fCtrl & BIT_4) !== 0,
    fCnt16: readLittle(phy, 6, 2),
    fOpts: (fCtrl & 0x0f) === 0 ? NO_BYTES : copyOf(phy, 1 + FIXED_HEADER_BYTES, fOptsEnd),
    fPort,
    frmPayload: copyOf(phy, Math.min(fOptsEnd + 1, bodyEnd), bodyEnd),
    mic: micOf(phy),
  }
}

function decodeRejoin(phy: Uint8Array): RejoinRequest {
  const rejoinType = phy[1]
  if (rejoinType !== 0 && rejoinType !== 1 && rejoinType !== 2) throw inputError('rejoin-type', rejoinType ?? null, '0, 1 or 2')
  const isByJoinEui = rejoinType === 1
  needs(phy, isByJoinEui ? 24 : 19, `a rejoin request of type ${rejoinType}`)
  const devEuiAt = isByJoinEui ? 10 : 5
  return {
    type: 'rejoin-request',
    rejoinType,
    netId: isByJoinEui ? null : readLittle(phy, 2, 3),
    joinEui: isByJoinEui ? readEui(phy, 2) : null,
    devEui: readEui(phy, devEuiAt),
    rejoinCount: readLittle(phy, devEuiAt + 8, 2),
    mic: micOf(phy),
  }
}

/** Errors: input, naming the field. */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'join-request':
      return encodeJoinRequest(frame)
    case 'join-accept':
      if (frame.sealed.length !== 16 && frame.sealed.length !== 32) throw inputError('sealed', `${frame.sealed.length} bytes`, '16 or 32 bytes')
      return joined(MTYPE.joinAccept, frame.sealed)
    case 'data':
      return encodeData(frame)
    case 'rejoin-request':
      return encodeRejoin(frame)
    case 'proprietary':
      if (frame.body.length >= MAX_PHY_BYTES) throw inputError('body', `${frame.body.length} bytes`, `at most ${MAX_PHY_BYTES - 1} bytes`)
      return joined(MTYPE.proprietary, frame.body)
  }
}

function encodeJoinRequest(frame: JoinRequest): Uint8Array {
  const phy = new Uint8Array(23)
  phy[0] = MTYPE.joinRequest << 5
  writeEui(phy, 1, frame.joinEui, 'join-eui')
  writeEui(phy, 9, frame.devEui, 'dev-eui')
  writeLittle(phy, 17, 2, checkUnsigned(frame.devNonce, 16, 'dev-nonce'))
  phy.set(checkedMic(frame.mic), 19)
  return phy
}

function encodeData(frame: DataFrame): Uint8Array {
  const { fOpts, fPort, frmPayload } = frame
  if (fOpts.length > MAX_FOPTS_BYTES) throw inputError('fopts', `${fOpts.length} bytes`, `at most ${MAX_FOPTS_BYTES} bytes`)
  if (fPort === null && frmPayload.length > 0) throw inputError('fport', null, 'a port, where there is a payload')
  if (fPort !== null) checkUnsigned(fPort, 8, 'fport')
  if (fPort === 0 && fOpts.length > 0) throw inputError('fopts', 'MAC commands in FOpts and on port 0', 'one of both')
  if (frame.adrAckReq && frame.direction === 'down') throw inputError('adr-ack-req', true, 'false downward')
  const length = MIN_DATA_BYTES + fOpts.length + (fPort === null ? 0 : 1 + frmPayload.length)
  if (length > MAX_PHY_BYTES) throw inputError('phy', `${length} bytes`, `at most ${MAX_PHY_BYTES} bytes`)
  const isUp = frame.direction === 'up'
  const mType = frame.isConfirmed ? (isUp ? MTYPE.confirmedUp : MTYPE.confirmedDown) : isUp ? MTYPE.unconfirmedUp : MTYPE.unconfirmedDown
  const phy = new Uint8Array(length)
  phy[0] = mType << 5
  writeLittle(phy, 1, 4, checkUnsigned(frame.devAddr, 32, 'dev-addr'))
  phy[5] = (frame.adr ? ADR : 0) | (frame.adrAckReq ? ADR_ACK_REQ : 0) | (frame.ack ? ACK : 0) | (frame.bit4 ? BIT_4 : 0) | fOpts.length
  writeLittle(phy, 6, 2, checkUnsigned(frame.fCnt16, 16, 'fcnt'))
  phy.set(fOpts, 1 + FIXED_HEADER_BYTES)
  if (fPort !== null) {
    phy[1 + FIXED_HEADER_BYTES + fOpts.length] = fPort
    phy.set(frmPayload, 2 + FIXED_HEADER_BYTES + fOpts.length)
  }
  phy.set(checkedMic(frame.mic), length - MIC_BYTES)
  return phy
}

function encodeRejoin(frame: RejoinRequest): Uint8Array {
  const { rejoinType } = frame
  const isByJoinEui = rejoinType === 1
  const phy = new Uint8Array(isByJoinEui ? 24 : 19)
  const devEuiAt = isByJoinEui ? 10 : 5
  phy[0] = MTYPE.rejoin << 5
  phy[1] = rejoinType
  if (isByJoinEui) writeEui(phy, 2, frame.joinEui ?? '', 'join-eui')
  else writeLittle(phy, 2, 3, checkUnsigned(frame.netId ?? -1, 24, 'net-id'))
  writeEui(phy, devEuiAt, frame.devEui, 'dev-eui')
  writeLittle(phy, devEuiAt + 8, 2, checkUnsigned(frame.rejoinCount, 16, 'rejoin-count'))
  phy.set(checkedMic(frame.mic), phy.length - MIC_BYTES)
  return phy
}

function joined(mType: number, body: Uint8Array): Uint8Array {
  const phy = new Uint8Array(1 + body.length)
  phy[0] = mType << 5
  phy.set(body, 1)
  return phy
}

function micOf(phy: Uint8Array): Uint8Array {
  return copyOf(phy, phy.length - MIC_BYTES)
}

function checkedMic(mic: Uint8Array): Uint8Array {
  if (mic.length !== MIC_BYTES) throw inputError('mic', `${mic.length} bytes`, `${MIC_BYTES} bytes`)
  return mic
}

function needs(phy: Uint8Array, length: number, what: string): void {
  if (phy.length !== length) throw inputError('phy', `${phy.length} bytes`, `${length} bytes for ${what}`)
}
