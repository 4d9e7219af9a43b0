/**
 * What was on air before a restart, in this boot's time. Within one boot the clock goes on. After a reboot the wall clock says how long
 * ago it was, if it was believed both then and now; otherwise all of it counts as sent just before this boot: a router that was off for an
 * hour may be told "no" for one more, and is never told "yes" wrongly.
 */
import type { Clock } from '../../base/index.ts'
import type { AirtimeRow } from '../ports.ts'
import type { OnAir } from './ledger.ts'

/** Of one gateway. The rows' order does not matter. */
export function recalled(rows: readonly AirtimeRow[], clock: Clock): readonly { readonly band: string; readonly entry: OnAir }[] {
  const [nowMs, nowWallMs] = [clock.boottimeMs(), clock.wallMs()]
  return rows.map((row) => {
    const startMs = startOf(row, clock, nowMs, nowWallMs)
    return {
      band: row.subBand,
      // Nobody is left to settle it: what was reserved counts as sent.
      entry: { downlinkId: row.downlinkId, window: row.window, startUs: Math.round(startMs * 1_000), durationUs: row.durationUs, isSettled: true, pricePerMs: row.pricePerMs },
    }
  })
}

function startOf(row: AirtimeRow, clock: Clock, nowMs: number, nowWallMs: number): number {
  const at = row.startsAt
  if (at.bootId === clock.bootId) return at.boottimeMs
  const latest = -row.durationUs / 1_000 // it ended when this boot began
  if (!at.wallTrusted || !clock.isWallTrusted()) return latest
  return Math.min(latest, nowMs - (nowWallMs - at.wallMs))
}
