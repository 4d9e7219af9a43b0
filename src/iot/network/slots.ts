/**
 * Who gets a slot: a transmitter sends one frame at a time. Pure; times are microseconds of the box's clock.
 *
 * Orders are held back until shortly before their slot. Until then a better one may take it: higher purpose, then higher priority, then
 * who asked first. Who loses RX1 tries RX2.
 */
import type { DownlinkPurpose, TxStatus, TxWindow } from '../ports.ts'
import { boxTimeUs } from './concentrator-time.ts'
import type { ConcentratorClock } from './concentrator-time.ts'

/** How long before a slot an order is handed over: a better one may come until then, and the forwarder's queue of 32 stays short. */
export const HOLD_BACK_MS = 300
/**
 * Between two frames of one transmitter. Semtech's forwarder loads a frame up to 30 ms before its slot, looks whether the radio is sending just then, and if so drops
 * the frame without a word, after it has said yes to it.
 */
const GAP_US = 40_000
/** A `now` is on the air a little later than it is told. */
const NOW_LEAD_US = 100_000
const RANK: Readonly<Record<DownlinkPurpose, number>> = { data: 0, mac: 1, ack: 2, join: 3 }

export interface Span {
  readonly startUs: number
  readonly durationUs: number
}

export interface Rank {
  readonly purpose: DownlinkPurpose
  readonly priority: number
  /** Lower: asked before. */
  readonly seq: number
}

/** Times by which a window's start is told. */
export interface SlotTimes {
  readonly nowUs: number
  readonly clock: ConcentratorClock | null
  /** GPS time now; null: not known. */
  readonly gpsNowMs: number | null
}

export function overlaps(a: Span, b: Span): boolean {
  return a.startUs < b.startUs + b.durationUs + GAP_US && b.startUs < a.startUs + a.durationUs + GAP_US
}

/** Does `a` win against `b`? */
export function isBefore(a: Rank, b: Rank): boolean {
  if (RANK[a.purpose] !== RANK[b.purpose]) return RANK[a.purpose] > RANK[b.purpose]
  return a.priority === b.priority ? a.seq < b.seq : a.priority > b.priority
}

/** When a window begins; null: GPS time is not known. */
export function startOf(timing: TxWindow['timing'], times: SlotTimes): number | null {
  switch (timing.kind) {
    case 'now':
      return times.nowUs + NOW_LEAD_US
    case 'gps':
      return times.gpsNowMs === null ? null : Math.round(times.nowUs + (timing.gpsTimeMs - times.gpsNowMs) * 1_000)
    case 'after': {
      const byArrival = timing.arrivedMs * 1_000
      // A datagram can only be late: what the counter says is earlier or the same.
      const heard = timing.time.kind === 'counter' && times.clock !== null ? Math.min(byArrival, boxTimeUs(times.clock, timing.time.tmstUs)) : byArrival
      return Math.round(heard + timing.delayUs)
    }
  }
}

/** Null: it can still be sent. `minLeadMs`, `maxLeadMs`: of its gateway. */
export function leadStatus(timing: TxWindow['timing'], startUs: number | null, nowUs: number, lead: { readonly minLeadMs: number; readonly maxLeadMs: number }): TxStatus | null {
  if (startUs === null) return 'GPS_UNLOCKED'
  if (timing.kind === 'now') return null
  const ahead = (startUs - nowUs) / 1_000
  if (ahead < lead.minLeadMs) return 'TOO_LATE'
  return ahead > lead.maxLeadMs ? 'TOO_EARLY' : null
}
