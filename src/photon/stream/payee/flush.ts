/**
 * When a stream must be on flash (photon.md 9.4, flash wear): the newest words of all guests are kept in memory and on
 * tmpfs each second; flash sees them every minute, when too much value is not there yet, at STOP and at shutdown.
 */
import { paidValue } from './channel.ts'
import type { PayeeChannel } from './channel.ts'

export interface FlushPolicy {
  readonly everyMs: number
  /** Smallest units paid since the last write. */
  readonly value: bigint
}
export interface Flushed {
  readonly atMs: number
  readonly value: bigint
}

export function flushedNow(channel: PayeeChannel, nowMs: number): Flushed {
  return { atMs: nowMs, value: valueToKeep(channel) }
}

/** Is what memory has by now worth a write to flash? */
export function isFlushDue(channel: PayeeChannel, last: Flushed, nowMs: number, policy: FlushPolicy): boolean {
  const unwritten = valueToKeep(channel) - last.value
  return unwritten >= policy.value || (unwritten !== 0n && nowMs - last.atMs >= policy.everyMs)
}

function valueToKeep({ final, session }: PayeeChannel): bigint {
  return session?.phase === 'open' ? paidValue(session) : final
}
