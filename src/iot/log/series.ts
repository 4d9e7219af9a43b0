/** Down-sampling for a plot: pieces of equal time, each with its mean, least and most, so that no spike is lost. */
import { inputError } from '../../base/index.ts'
import type { SeriesPoint } from '../ports.ts'

const MAX_POINTS = 1_000
export const HOUR_MS = 3_600_000

/** A sum over some readings; one reading is `{count: 1, sum: v, least: v, most: v}`. */
export interface Piece {
  readonly wallMs: number
  readonly count: number
  readonly sum: number
  readonly least: number
  readonly most: number
}

export interface SeriesAsk {
  readonly fromWallMs: number
  readonly toWallMs: number
  readonly points: number
}

/** Errors: input for a span that is none, or more than 1,000 points. */
export function checkAsk(ask: SeriesAsk): void {
  checkSpan(ask)
  if (!Number.isInteger(ask.points) || ask.points < 1 || ask.points > MAX_POINTS) throw inputError('points', ask.points, `1 to ${MAX_POINTS}`)
}

/** Errors: input `fromWallMs`. */
export function checkSpan({ fromWallMs, toWallMs }: Pick<SeriesAsk, 'fromWallMs' | 'toWallMs'>): void {
  if (!Number.isSafeInteger(fromWallMs) || !Number.isSafeInteger(toWallMs) || fromWallMs >= toWallMs) throw inputError('fromWallMs', fromWallMs, 'whole milliseconds before toWallMs')
}

/** `pieces` in any order; those outside of the span are left out. A point's time is the middle of its piece. Empty pieces give no point. */
export function downSample(pieces: Iterable<Piece>, { fromWallMs, toWallMs, points }: SeriesAsk): readonly SeriesPoint[] {
  const width = (toWallMs - fromWallMs) / points
  const sums = new Map<number, { count: number; sum: number; least: number; most: number }>()
  for (const piece of pieces) {
    if (piece.wallMs < fromWallMs || piece.wallMs >= toWallMs || piece.count < 1) continue
    const index = Math.min(points - 1, Math.floor((piece.wallMs - fromWallMs) / width))
    const sum = sums.get(index)
    if (sum === undefined) sums.set(index, { count: piece.count, sum: piece.sum, least: piece.least, most: piece.most })
    else {
      sum.count += piece.count
      sum.sum += piece.sum
      sum.least = Math.min(sum.least, piece.least)
      sum.most = Math.max(sum.most, piece.most)
    }
  }
  return [...sums]
    .sort(([left], [right]) => left - right)
    .map(([index, { count, sum, least, most }]) => ({ wallMs: Math.round(fromWallMs + (index + 0.5) * width), mean: sum / count, least, most }))
}

/** As a plot shows it; null: it cannot. */
export function plottable(value: number | string | boolean): number | null {
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
