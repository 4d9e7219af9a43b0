/** A session's keys, ready for use, and what is done with them: judge, open and make data frames. 1.0 and 1.1. */
import { inputError } from '../../base/index.ts'
import type { DevAddr, SessionKeys } from '../ports.ts'
import { AesKey } from './aes.ts'
import { MIC_BYTES, encodeFrame } from './frame.ts'
import type { DataFrame, Direction } from './frame.ts'
import { dataMic, dataMicDown11, dataMicUp11, hasDataMic, hasMic } from './mic.ts'
import type { UplinkTransmission } from './mic.ts'
import { checkUnsigned } from './octets.ts'
import { cryptFOpts, cryptPayload } from './payload.ts'

/** Holds the keys themselves, unsealed: keep those of the devices that spoke last, not of all. */
export interface SessionCiphers {
  readonly is11: boolean
  readonly fNwkSInt: AesKey
  readonly sNwkSInt: AesKey
  readonly nwkSEnc: AesKey
  readonly appS: AesKey
}

/** What a 1.1 MIC covers besides; in 1.0 it changes nothing. `confFCnt`: the counter that the frame's ACK is for. */
export type Circumstances = UplinkTransmission

const NO_CIRCUMSTANCES: Circumstances = { confFCnt: 0, dataRate: 0, channel: 0 }

/** A data frame before it is encrypted. */
export interface ClearFrame extends Omit<DataFrame, 'type' | 'fCnt16' | 'mic'> {
  readonly fCnt32: number
}

export function openSessionKeys(keys: SessionKeys, is11: boolean): SessionCiphers {
  const fNwkSInt = new AesKey(keys.fNwkSIntKey, 'f-nwk-s-int-key')
  return {
    is11,
    fNwkSInt,
    sNwkSInt: is11 ? new AesKey(keys.sNwkSIntKey, 's-nwk-s-int-key') : fNwkSInt,
    nwkSEnc: is11 ? new AesKey(keys.nwkSEncKey, 'nwk-s-enc-key') : fNwkSInt,
    appS: new AesKey(keys.appSKey, 'app-s-key'),
  }
}

/** `phy` is a data frame in that direction (decodeFrame said so). */
export function isMicRight(keys: SessionCiphers, phy: Uint8Array, direction: Direction, fCnt32: number, around: Circumstances = NO_CIRCUMSTANCES): boolean {
  return keys.is11 ? hasMic(phy, sessionMic(keys, phy, direction, fCnt32, around)) : hasDataMic(keys.fNwkSInt, phy, direction, fCnt32)
}

/** What is readable of a frame whose MIC is right. Port 0: the payload is MAC commands, under the network's key. */
export function openData(keys: SessionCiphers, frame: DataFrame, fCnt32: number): { readonly fOpts: Uint8Array; readonly payload: Uint8Array } {
  return { fOpts: crypted(keys, frame, fCnt32, frame.fOpts), payload: payloadOf(keys, frame, fCnt32) }
}

/** Errors: input, naming the field. */
export function sealData(keys: SessionCiphers, clear: ClearFrame, around: Circumstances = NO_CIRCUMSTANCES): Uint8Array {
  const { fCnt32, ...fields } = clear
  checkUnsigned(fCnt32, 32, 'fcnt')
  if (clear.fPort === null && clear.frmPayload.length > 0) throw inputError('fport', null, 'a port, where there is a payload')
  const phy = encodeFrame({
    ...fields,
    type: 'data',
    fCnt16: fCnt32 % 0x1_0000,
    fOpts: crypted(keys, clear, fCnt32, clear.fOpts),
    frmPayload: payloadOf(keys, clear, fCnt32),
    mic: new Uint8Array(MIC_BYTES),
  })
  phy.set(sessionMic(keys, phy, clear.direction, fCnt32, around), phy.length - MIC_BYTES)
  return phy
}

function sessionMic(keys: SessionCiphers, phy: Uint8Array, direction: Direction, fCnt32: number, around: Circumstances): Uint8Array {
  if (!keys.is11) return dataMic(keys.fNwkSInt, phy, direction, fCnt32)
  if (direction === 'up') return dataMicUp11(keys.sNwkSInt, keys.fNwkSInt, phy, fCnt32, around)
  return dataMicDown11(keys.sNwkSInt, phy, fCnt32, around.confFCnt)
}

type Encrypted = { readonly direction: Direction; readonly devAddr: DevAddr; readonly fPort: number | null; readonly frmPayload: Uint8Array }

function payloadOf(keys: SessionCiphers, frame: Encrypted, fCnt32: number): Uint8Array {
  return cryptPayload(frame.fPort === 0 ? keys.nwkSEnc : keys.appS, frame.direction, frame.devAddr, fCnt32, frame.frmPayload)
}

/** FOpts are clear in 1.0. */
function crypted(keys: SessionCiphers, frame: Encrypted, fCnt32: number, fOpts: Uint8Array): Uint8Array {
  if (!keys.is11) return fOpts
  const isApplication = frame.fPort !== null && frame.fPort !== 0
  return cryptFOpts(keys.nwkSEnc, frame.direction === 'up' ? 'up' : isApplication ? 'application-down' : 'network-down', frame.devAddr, fCnt32, fOpts)
}
