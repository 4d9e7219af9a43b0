/**
 * The frame counter of one DevAddr of a tenant who gave no keys: only a frame whose counter rises is billed. Bytes are remembered for a day
 * (account-tables.ts); an older frame that somebody plays again does not rise, and costs nothing.
 *
 * It is handed over all the same, because it may be true: a device with a fixed session (ABP) begins at 0 when its battery was changed, and two devices may
 * share a DevAddr. Such a run of frames becomes the line, and is billed, when it has risen three times over a day in which the line before did not go on: while
 * the device itself speaks once a day, nobody's recording gets there. A device that joined again is believed at once (`mayRestart`): its
 * server has answered a join through this box.
 *
 * Not known without keys: on the air are 16 bits of the counter, so a frame from 49,152 to 65,535 frames ago rises too.
 */
import type { Moment } from '../../base/index.ts'

const ROUND = 0x1_0000
/** As where codes are checked: lorawan/counter.ts. */
const MAX_GAP = 16_384
const RUN_FRAMES = 3
const RUN_MS = 24 * 3_600_000
/** Frames after a join that may be lost. */
const FIRST_AFTER_JOIN = 8

export interface Line {
  /** The last counter billed, 16 bits. */
  readonly last: number
  /** What does not go on from there; null: nothing since. */
  readonly run: { readonly last: number; readonly frames: number; readonly since: Moment } | null
}

/** `restarts`: it is billed, on the word of a join. */
export type LineVerdict = 'rises' | 'restarts' | 'stays'

/** `line` null: nothing was heard of that DevAddr yet. */
export function follow(line: Line | null, fCnt16: number, at: Moment, mayRestart: boolean): { readonly verdict: LineVerdict; readonly line: Line } {
  const begun = { last: fCnt16, run: null }
  if (line === null || rises(line.last, fCnt16)) return { verdict: 'rises', line: begun }
  if (mayRestart && fCnt16 < FIRST_AFTER_JOIN) return { verdict: 'restarts', line: begun }
  const { run } = line
  if (run !== null && fCnt16 === run.last) return { verdict: 'stays', line }
  if (run === null || !rises(run.last, fCnt16)) return { verdict: 'stays', line: { last: line.last, run: { last: fCnt16, frames: 1, since: at } } }
  const frames = run.frames + 1
  if (frames > RUN_FRAMES && elapsedMs(run.since, at) >= RUN_MS) return { verdict: 'rises', line: begun }
  return { verdict: 'stays', line: { last: line.last, run: { last: fCnt16, frames, since: run.since } } }
}

function rises(last: number, fCnt16: number): boolean {
  const ahead = (fCnt16 - last + ROUND) % ROUND
  return ahead > 0 && ahead <= MAX_GAP
}

/** Over a reboot as both clocks say, or as old as this boot at least. */
function elapsedMs(since: Moment, now: Moment): number {
  if (since.bootId === now.bootId) return now.boottimeMs - since.boottimeMs
  return since.wallTrusted && now.wallTrusted ? Math.max(now.boottimeMs, now.wallMs - since.wallMs) : now.boottimeMs
}
