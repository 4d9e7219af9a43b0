/** A device's queue of downlinks: first in, first out, at most 32 waiting. Pure: `(items, event) → changed items`. */
import { MeshBoxError } from '../../base/index.ts'
import type { Clock, Moment } from '../../base/index.ts'
import type { QueueItem, TxAck } from '../ports.ts'

const MAX_QUEUED = 32
const MAX_TRIES_SHOWN = 8
/** On the air and not acknowledged, or refused by the gateway. */
const MAX_TRIES = 8
const MAX_UNACKNOWLEDGED = 3

/** Errors: limit. */
export function checkRoom(items: readonly QueueItem[]): void {
  const waiting = items.filter((item) => item.state === 'queued').length
  if (waiting >= MAX_QUEUED) throw new MeshBoxError('limit', `${MAX_QUEUED} downlinks wait for this device already; it takes one after each frame it sends`, { code: 'queue-full' })
}

/** The one that is next; null: nothing to send. */
export function headOf(items: readonly QueueItem[]): QueueItem | null {
  return items.find((item) => item.state === 'queued') ?? null
}

/** Items whose time is over, in their new state. */
export function expired(items: readonly QueueItem[], clock: Clock): readonly QueueItem[] {
  return items.filter((item) => item.state === 'queued' && item.expiresAt !== null && isPast(item.expiresAt, clock)).map((item) => ({ ...item, state: 'expired' }))
}

/** The item is in a frame that was given to the desk. */
export function given(item: QueueItem): QueueItem {
  return { ...item, state: 'sent' }
}

/** The gateway has answered. Not sent: it waits for the next chance, a bounded number of times. The device may have acknowledged it meanwhile. */
export function tried(item: QueueItem, ack: TxAck, at: Moment): QueueItem {
  const tries = [...item.tries, { at, statuses: ack.statuses }].slice(-MAX_TRIES_SHOWN)
  if (item.state !== 'queued' && item.state !== 'sent') return { ...item, tries }
  if (ack.sent !== null) return { ...item, tries, state: 'sent' }
  return { ...item, tries, state: tries.length >= MAX_TRIES ? 'failed' : 'queued' }
}

/** A confirmed item was on the air, and the device has spoken since: with the ACK bit, or without. */
export function heardAfter(item: QueueItem, hasAck: boolean): QueueItem {
  if (item.state !== 'sent') return item
  if (hasAck) return { ...item, state: 'acknowledged' }
  const onAir = item.tries.filter((entry) => entry.statuses.includes('OK')).length
  return { ...item, state: onAir >= MAX_UNACKNOWLEDGED || item.tries.length >= MAX_TRIES ? 'failed' : 'queued' }
}

/** Within a boot by its clock; across boots by the wall clock, if it was believed both times; otherwise it is not past. */
function isPast(moment: Moment, clock: Clock): boolean {
  if (moment.bootId === clock.bootId) return clock.boottimeMs() >= moment.boottimeMs
  return moment.wallTrusted && clock.isWallTrusted() && clock.wallMs() >= moment.wallMs
}

/** A new session: what was on the air under the old one and not acknowledged waits again. */
export function queueAfterJoin(items: readonly QueueItem[], awaited: number | null): readonly QueueItem[] {
  return items.filter((item) => item.queueId === awaited && item.state === 'sent').map((item) => ({ ...item, state: 'queued' }))
}
