/**
 * Join requests and accepts. LoRaWAN L2 1.0.4, 6.2; 1.1, 6.2.
 *
 *   accept, open   MHDR 0x20 | JoinNonce 3 | NetID 3 | DevAddr 4 | DLSettings 1 | RxDelay 1 | (CFList 16) | MIC 4
 *   DLSettings     OptNeg (bit 7), RX1DROffset (6..4), RX2 data rate (3..0)
 *   CFList         type 0: 5 × frequency 3 (100 Hz) | 0        type 1: 6 × channel mask 2 | 0 0 0 | 1
 *
 * The MIC is made over the open accept; everything after MHDR is then *decrypted*, so that a device needs only the encrypting half of AES.
 * MIC 1.1: CMAC(JSIntKey, JoinReqType | JoinEUI 8 | DevNonce 2 | open accept).
 */
import { inputError } from '../../base/index.ts'
import type { DevAddr, Eui } from '../ports.ts'
import { AesKey } from './aes.ts'
import { MIC_BYTES, decodeFrame, encodeFrame } from './frame.ts'
import { hasMic, plainMic } from './mic.ts'
import { checkUnsigned, readLittle, writeEui, writeLittle } from './octets.ts'

const CF_LIST_BYTES = 16
const CF_FREQUENCIES = 5
const CF_MASKS = 6
const STEP_HZ = 100
const MHDR = 0x20

export type CfList =
  /** Hz, of the channels after the default ones; 0: not used. At most 5. */
  | { readonly kind: 'frequencies'; readonly frequenciesHz: readonly number[] }
  /** 16 channels each, lowest first; at most 6. */
  | { readonly kind: 'masks'; readonly masks: readonly number[] }
  /** Of another region or a later version. */
  | { readonly kind: 'unknown'; readonly bytes: Uint8Array }

export interface JoinAccept {
  readonly joinNonce: number
  readonly netId: number
  readonly devAddr: DevAddr
  /** True: 1.1 on both sides. */
  readonly optNeg: boolean
  readonly rx1DrOffset: number
  readonly rx2DataRate: number
  /** 0 and 1 both mean one second. */
  readonly rxDelaySeconds: number
  readonly cfList: CfList | null
}

/** What the MIC of a 1.1 accept covers besides. `requestType`: 0xff join, 0..2 rejoin. */
export interface Join11 {
  readonly jsIntKey: Uint8Array
  readonly requestType: number
  readonly joinEui: Eui
  readonly devNonce: number
}

/** As a device makes it. `key`: AppKey (1.1: NwkKey). Errors: input. */
export function makeJoinRequest(key: AesKey, request: { readonly joinEui: Eui; readonly devEui: Eui; readonly devNonce: number }): Uint8Array {
  const phy = encodeFrame({ type: 'join-request', ...request, mic: new Uint8Array(MIC_BYTES) })
  phy.set(plainMic(key, phy), phy.length - MIC_BYTES)
  return phy
}

/** Also for rejoin requests. */
export function isJoinRequestBy(key: AesKey, phy: Uint8Array): boolean {
  return phy.length > MIC_BYTES && hasMic(phy, plainMic(key, phy))
}

/** 17 or 33 bytes for the air. `key`: AppKey (1.1: NwkKey, JSEncKey for a rejoin). Errors: input, naming the field. */
export function sealJoinAccept(key: AesKey, accept: JoinAccept, version: Join11 | null = null): Uint8Array {
  const open = encodeAccept(accept)
  open.set(acceptMic(key, open, version), open.length - MIC_BYTES)
  const phy = open.slice()
  phy.set(key.decryptBlocks(open.subarray(1)), 1)
  return phy
}

/** As a device opens it. `version` is looked at only when the accept says OptNeg. Errors: input when it is no join accept. */
export function openJoinAccept(key: AesKey, phy: Uint8Array, version: Join11 | null = null): { readonly accept: JoinAccept; readonly isMicRight: boolean; readonly open: Uint8Array } {
  const frame = decodeFrame(phy)
  if (frame.type !== 'join-accept') throw inputError('phy', frame.type, 'a join accept')
  const open = new Uint8Array(phy.length)
  open[0] = MHDR
  open.set(key.encryptBlocks(frame.sealed), 1)
  const accept = decodeAccept(open)
  return { accept, isMicRight: hasMic(open, acceptMic(key, open, accept.optNeg ? version : null)), open }
}

function acceptMic(key: AesKey, open: Uint8Array, version: Join11 | null): Uint8Array {
  if (version === null) return plainMic(key, open)
  const before = new Uint8Array(11)
  before[0] = checkUnsigned(version.requestType, 8, 'join-request-type')
  writeEui(before, 1, version.joinEui, 'join-eui')
  writeLittle(before, 9, 2, checkUnsigned(version.devNonce, 16, 'dev-nonce'))
  const message = new Uint8Array(before.length + open.length)
  message.set(before)
  message.set(open, before.length)
  return plainMic(new AesKey(version.jsIntKey, 'js-int-key'), message)
}

function encodeAccept(accept: JoinAccept): Uint8Array {
  const open = new Uint8Array(accept.cfList === null ? 17 : 17 + CF_LIST_BYTES)
  open[0] = MHDR
  writeLittle(open, 1, 3, checkUnsigned(accept.joinNonce, 24, 'join-nonce'))
  writeLittle(open, 4, 3, checkUnsigned(accept.netId, 24, 'net-id'))
  writeLittle(open, 7, 4, checkUnsigned(accept.devAddr, 32, 'dev-addr'))
  open[11] = (accept.optNeg ? 0x80 : 0) | (checkUnsigned(accept.rx1DrOffset, 3, 'rx1-dr-offset') << 4) | checkUnsigned(accept.rx2DataRate, 4, 'rx2-data-rate')
  open[12] = checkUnsigned(accept.rxDelaySeconds, 4, 'rx-delay')
  if (accept.cfList !== null) open.set(encodeCfList(accept.cfList), 13)
  return open
}

/** `open`: 17 or 33 bytes. RFU bits are ignored. */
function decodeAccept(open: Uint8Array): JoinAccept {
  const settings = open[11] ?? 0
  return {
    joinNonce: readLittle(open, 1, 3),
    netId: readLittle(open, 4, 3),
    devAddr: readLittle(open, 7, 4),
    optNeg: (settings & 0x80) !== 0,
    rx1DrOffset: (settings >> 4) & 7,
    rx2DataRate: settings & 15,
    rxDelaySeconds: (open[12] ?? 0) & 15,
    cfList: open.length === 17 ? null : decodeCfList(open.slice(13, 13 + CF_LIST_BYTES)),
  }
}

function encodeCfList(list: CfList): Uint8Array {
  const bytes = new Uint8Array(CF_LIST_BYTES)
  if (list.kind === 'unknown') {
    if (list.bytes.length !== CF_LIST_BYTES || (list.bytes[15] ?? 0) < 2) throw inputError('cf-list', `${list.bytes.length} bytes`, '16 bytes of a type above 1')
    return list.bytes
  }
  const [values, most, width] = list.kind === 'frequencies' ? [list.frequenciesHz, CF_FREQUENCIES, 3] : [list.masks, CF_MASKS, 2]
  if (values.length > most) throw inputError('cf-list', `${values.length} entries`, `at most ${most}`)
  values.forEach((value, i) => {
    const units = list.kind === 'frequencies' ? value / STEP_HZ : value
    writeLittle(bytes, i * width, width, checkUnsigned(units, width * 8, 'cf-list'))
  })
  bytes[15] = list.kind === 'frequencies' ? 0 : 1
  return bytes
}

function decodeCfList(bytes: Uint8Array): CfList {
  if (bytes[15] === 0) return { kind: 'frequencies', frequenciesHz: Array.from({ length: CF_FREQUENCIES }, (_, i) => readLittle(bytes, i * 3, 3) * STEP_HZ) }
  if (bytes[15] === 1) return { kind: 'masks', masks: Array.from({ length: CF_MASKS }, (_, i) => readLittle(bytes, i * 2, 2)) }
  return { kind: 'unknown', bytes }
}
