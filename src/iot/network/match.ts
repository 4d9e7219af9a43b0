/**
 * Whose frame it is: the sessions of its DevAddr, until one's code fits. Pure; a step tries one session, so that the caller can take a
 * breath between them: ten thousand sessions on one address must not stop the box.
 *
 * What a counter can be that ends in the frame's 16 bits:
 *
 *   new        the lowest one that was not used, less than 16384 ahead
 *   repeated   the last one taken: the device did not hear our answer, or sends each frame several times
 *   reset      any lower one, only of a device that is known to start from 0 and was allowed to
 *   replayed   any lower one: MIC right, and refused
 */
import { fullCounter, isMicRight, isWithinGap, previousCounter } from '../lorawan/index.ts'
import type { Circumstances, SessionCiphers } from '../lorawan/index.ts'

export type CounterKind = 'new' | 'repeated' | 'reset' | 'gap' | 'replayed'

export interface Match {
  readonly kind: CounterKind
  readonly fCnt: number
  /** 1.1, of a frame with ACK: low 16 bits of the downlink it is for. */
  readonly confFCnt?: number
}

const ROUND = 0x1_0000
const NOWHERE: readonly Circumstances[] = []

/** Null: no counter makes the code right. At most four are tried, in 1.1 each with all of `around`, which are not empty. */
export function matchSession(ciphers: SessionCiphers, phy: Uint8Array, fCnt16: number, fCntUp: number, allowsReset: boolean, around: readonly Circumstances[] = NOWHERE): Match | null {
  // Nearly always the next one, and it is the first to be tried.
  const likely = !ciphers.is11 && previousCounter(fCntUp, fCnt16) === null ? fullCounter(fCntUp, fCnt16) : null
  if (likely !== null && isMicRight(ciphers, phy, 'up', likely)) return { kind: isWithinGap(fCntUp, likely) ? 'new' : 'gap', fCnt: likely }
  for (const match of countersToTry(fCnt16, fCntUp, allowsReset)) {
    if (!ciphers.is11) {
      if (match.fCnt !== likely && isMicRight(ciphers, phy, 'up', match.fCnt)) return match
      continue
    }
    const right = around.find((sent) => isMicRight(ciphers, phy, 'up', match.fCnt, sent))
    if (right !== undefined) return { ...match, confFCnt: right.confFCnt }
  }
  return null
}

/** Most likely first; no counter twice. */
export function countersToTry(fCnt16: number, fCntUp: number, allowsReset: boolean): readonly Match[] {
  const tries: Match[] = []
  const previous = previousCounter(fCntUp, fCnt16)
  const next = fullCounter(fCntUp, fCnt16)
  if (previous !== null) tries.push({ kind: 'repeated', fCnt: previous })
  if (next !== null) tries.push({ kind: isWithinGap(fCntUp, next) ? 'new' : 'gap', fCnt: next })
  const lower = lastBelow(fCntUp, fCnt16)
  if (lower >= 0 && lower !== previous) tries.push({ kind: allowsReset && lower < ROUND ? 'reset' : 'replayed', fCnt: lower })
  if (allowsReset && fCnt16 < fCntUp && !tries.some((tried) => tried.fCnt === fCnt16)) tries.push({ kind: 'reset', fCnt: fCnt16 })
  return tries
}

/** The highest counter below `fCntUp` that ends so; negative: there is none. */
function lastBelow(fCntUp: number, fCnt16: number): number {
  if (fCntUp === 0) return -1
  const at = Math.floor((fCntUp - 1) / ROUND) * ROUND + fCnt16
  return at < fCntUp ? at : at - ROUND
}
