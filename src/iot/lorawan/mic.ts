/**
 * Message integrity codes: the first four bytes of a CMAC. LoRaWAN L2 1.0.4, 4.4 and 6.2; 1.1, 4.4.
 *
 *   B0  0x49 | ConfFCnt 2 | 0 0 | Dir 1 | DevAddr 4 | FCnt 4 | 0 | length 1        before the frame without its MIC
 *   B1  0x49 | ConfFCnt 2 | TxDr 1 | TxCh 1 | Dir 1 | DevAddr 4 | FCnt 4 | 0 | length 1     1.1 upward, second half
 *
 * ConfFCnt is 0 in 1.0, and in 1.1 unless the frame carries ACK. All little-endian. Comparison is constant in time.
 */
import { equalBytesConstantTime, inputError } from '../../base/index.ts'
import { BLOCK_BYTES } from './aes.ts'
import type { AesKey } from './aes.ts'
import { MAX_PHY_BYTES, MIC_BYTES } from './frame.ts'
import type { Direction } from './frame.ts'
import { copyOf, writeLittle } from './octets.ts'

const ACK = 0x20

/** What a 1.1 network knows besides the keys. */
export interface UplinkTransmission {
  /** Low 16 bits of the confirmed downlink this frame acknowledges; used only when ACK is set. */
  readonly confFCnt: number
  readonly dataRate: number
  readonly channel: number
}

/** 1.0 both ways. `phy`: the whole frame; its last four bytes are not looked at. */
export function dataMic(key: AesKey, phy: Uint8Array, direction: Direction, fCnt32: number): Uint8Array {
  return first4(key, fillMessage(phy, direction, fCnt32, 0, 0, 0))
}

/** 1.1 downward, with SNwkSIntKey. `confFCnt`: of the confirmed uplink it acknowledges, low 16 bits. */
export function dataMicDown11(key: AesKey, phy: Uint8Array, fCnt32: number, confFCnt: number): Uint8Array {
  return first4(key, fillMessage(phy, 'down', fCnt32, hasAck(phy) ? confFCnt : 0, 0, 0))
}

/** 1.1 upward: two bytes under SNwkSIntKey with what was on the air, two under FNwkSIntKey, which a roaming network can check. */
export function dataMicUp11(sKey: AesKey, fKey: AesKey, phy: Uint8Array, fCnt32: number, sent: UplinkTransmission): Uint8Array {
  const serving = first4(sKey, fillMessage(phy, 'up', fCnt32, hasAck(phy) ? sent.confFCnt : 0, sent.dataRate, sent.channel))
  const forwarding = dataMic(fKey, phy, 'up', fCnt32)
  return Uint8Array.of(serving[0] ?? 0, serving[1] ?? 0, forwarding[0] ?? 0, forwarding[1] ?? 0)
}

/** Join request, rejoin request and 1.0's open join accept: over everything before the MIC. */
export function plainMic(key: AesKey, phy: Uint8Array): Uint8Array {
  return copyOf(key.cmac(copyOf(phy, 0, phy.length - MIC_BYTES)), 0, MIC_BYTES)
}

/** Whether the frame's last four bytes are `dataMic`: for each frame that is heard, so nothing is made. In constant time. */
export function hasDataMic(key: AesKey, phy: Uint8Array, direction: Direction, fCnt32: number): boolean {
  const length = fillMessage(phy, direction, fCnt32, 0, 0, 0)
  const at = phy.length - MIC_BYTES
  return (key.cmacWord(message, length) ^ (((phy[at] ?? 0) << 24) | ((phy[at + 1] ?? 0) << 16) | ((phy[at + 2] ?? 0) << 8) | (phy[at + 3] ?? 0))) === 0
}

export function hasMic(phy: Uint8Array, mic: Uint8Array): boolean {
  return equalBytesConstantTime(copyOf(phy, phy.length - MIC_BYTES), mic)
}

function hasAck(phy: Uint8Array): boolean {
  return ((phy[5] ?? 0) & ACK) !== 0
}

/** B0 or B1, and the frame without its code; used again for each. */
const message = new Uint8Array(BLOCK_BYTES + MAX_PHY_BYTES)

/** Bytes of it. */
function fillMessage(phy: Uint8Array, direction: Direction, fCnt32: number, confFCnt: number, dataRate: number, channel: number): number {
  if (phy.length < MIC_BYTES + 8 || phy.length > MAX_PHY_BYTES) throw inputError('phy', `${phy.length} bytes`, `12 to ${MAX_PHY_BYTES} bytes`)
  const length = phy.length - MIC_BYTES
  message[0] = 0x49
  writeLittle(message, 1, 2, confFCnt % 0x1_0000)
  message[3] = dataRate
  message[4] = channel
  message[5] = direction === 'up' ? 0 : 1
  for (let at = 0; at < 4; at++) message[6 + at] = phy[1 + at] ?? 0
  writeLittle(message, 10, 4, fCnt32)
  message[14] = 0
  message[15] = length
  for (let at = 0; at < length; at++) message[BLOCK_BYTES + at] = phy[at] ?? 0
  return BLOCK_BYTES + length
}

function first4(key: AesKey, length: number): Uint8Array {
  const word = key.cmacWord(message, length)
  return Uint8Array.of(word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff)
}
