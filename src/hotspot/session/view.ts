/** A session as its guest and the owner are shown it. */
import type { SessionView } from '../types.ts'
import { currentOf, shownBytesLeft, shownMsLeft } from './allotment.ts'
import type { Allotment } from './allotment.ts'
import { boundDevices, devicesMax, settle } from './session.ts'
import type { Session } from './session.ts'

/** As of `nowMs` on the boot clock; seconds are rounded down. */
export function viewOf(session: Session, nowMs: number): SessionView {
  const now = settle(session, nowMs)
  const { allotments } = now
  const leftMs = shownMsLeft(allotments)
  return {
    id: now.id,
    state: now.state,
    endReason: now.endReason,
    pauseReason: now.pauseReason,
    source: sourceOf(allotments),
    label: (currentOf(allotments) ?? allotments.at(-1))?.label ?? '',
    secondsLeft: leftMs === null ? null : Math.floor(leftMs / 1000),
    bytesLeft: shownBytesLeft(allotments),
    secondsUsed: secondsUsed(now),
    upBytes: now.upBytes,
    downBytes: now.downBytes,
    devices: boundDevices(now).map(({ mac, ip4 }) => ({ mac, ip4 })),
    devicesMax: devicesMax(now),
    paid: sum(allotments, (allotment) => allotment.price),
    refunded: sum(allotments, (allotment) => allotment.refunded),
    startedWallMs: now.started?.wallMs ?? 0,
    startedWallTrusted: now.started?.wallTrusted ?? false,
  }
}

export function secondsUsed(session: Session): number {
  return Math.floor(session.allotments.reduce((ms, allotment) => ms + allotment.usedMs, 0) / 1000)
}

export function sum(allotments: readonly Allotment[], amount: (allotment: Allotment) => bigint): bigint {
  return allotments.reduce((total, allotment) => total + amount(allotment), 0n)
}

/** Paid beats free: a trial that was extended by a voucher is a voucher session. */
function sourceOf(allotments: readonly Allotment[]): SessionView['source'] {
  for (const source of ['voucher', 'stream', 'trial'] as const) if (allotments.some((each) => each.source === source)) return source
  return 'owner'
}
