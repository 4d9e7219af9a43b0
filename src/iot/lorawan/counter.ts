/** Frame counters: 16 bits on the air, 32 in memory. LoRaWAN L2 1.0.4, 4.3.1.5. */
import { checkUnsigned } from './octets.ts'

/** Frames that may be lost in a row before a device is no longer believed: 1.0.3, which networks keep also for 1.0.4. */
const MAX_FCNT_GAP = 16_384
const ROUND = 0x1_0000
export const MAX_FCNT = 0xffff_ffff

/**
 * The 32-bit counter a frame must have had: the lowest one that is not below `expected` and ends in `fCnt16`. Null: it would be
 * beyond 32 bits, so the session is over. It says nothing of how far that is: see `isWithinGap`.
 *
 * A repetition of the last frame comes out one round higher: try `previousCounter` too.
 */
export function fullCounter(expected: number, fCnt16: number): number | null {
  checkUnsigned(expected, 33, 'fcnt-expected') // 2^32: all were used
  checkUnsigned(fCnt16, 16, 'fcnt')
  const full = expected + ((((fCnt16 - expected) % ROUND) + ROUND) % ROUND)
  return full > MAX_FCNT ? null : full
}

/** The last counter taken, if `fCnt16` is its end: the device did not hear our ACK. Null: it is not. */
export function previousCounter(expected: number, fCnt16: number): number | null {
  return expected > 0 && (expected - 1) % ROUND === fCnt16 ? expected - 1 : null
}

export function isWithinGap(expected: number, full: number): boolean {
  return full >= expected && full - expected < MAX_FCNT_GAP
}
