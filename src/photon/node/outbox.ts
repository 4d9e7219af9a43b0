/** Messages without a nonce on their way out, in memory as on disk: sent when stored, sent again until acknowledged. */
import type { Address, Hash } from '../../base/index.ts'
import type { OutboxRow } from './tables/outbox.ts'

/** More than this are not on their way at once; whoever wants to send another one is told. */
export const MAX_OUTBOX = 20_000
const FIRST_RESEND_MS = 1_000
const LAST_RESEND_MS = 60_000

interface Entry {
  readonly row: OutboxRow
  /** Null: not sent on this connection. */
  resendAt: number | null
  delayMs: number
}

export class Outbox {
  readonly #byPeer = new Map<Address, Map<Hash, Entry>>()
  #size = 0
  /** Acknowledged and still on disk. */
  #done: number[] = []

  get size(): number {
    return this.#size
  }

  add(row: OutboxRow): void {
    let entries = this.#byPeer.get(row.peer)
    if (entries === undefined) this.#byPeer.set(row.peer, (entries = new Map()))
    if (!entries.has(row.echo)) this.#size++
    entries.set(row.echo, { row, resendAt: null, delayMs: FIRST_RESEND_MS })
  }

  has(peer: Address, echo: Hash): boolean {
    return this.#byPeer.get(peer)?.has(echo) === true
  }

  acknowledge(peer: Address, echo: Hash): boolean {
    const entries = this.#byPeer.get(peer)
    const entry = entries?.get(echo)
    if (entries === undefined || entry === undefined) return false
    entries.delete(echo)
    if (entries.size === 0) this.#byPeer.delete(peer)
    this.#size--
    this.#done.push(entry.row.id)
    return true
  }

  forgetSent(peer: Address): void {
    for (const entry of this.#byPeer.get(peer)?.values() ?? []) {
      entry.resendAt = null
      entry.delayMs = FIRST_RESEND_MS
    }
  }

  /** What is to go out to `peer` now, in order; counts as sent. */
  takeDue(peer: Address, nowMs: number): readonly Uint8Array[] {
    const due: Uint8Array[] = []
    for (const entry of this.#byPeer.get(peer)?.values() ?? []) {
      if (entry.resendAt !== null && nowMs < entry.resendAt) continue
      if (entry.resendAt !== null) entry.delayMs = Math.min(2 * entry.delayMs, LAST_RESEND_MS)
      entry.resendAt = nowMs + entry.delayMs
      due.push(entry.row.packet)
    }
    return due
  }

  peers(): IterableIterator<Address> {
    return this.#byPeer.keys()
  }

  /** Rows to be deleted; handed back with `keepDone` if that could not be stored. */
  takeDone(): readonly number[] {
    const done = this.#done
    this.#done = []
    return done
  }

  keepDone(ids: readonly number[]): void {
    this.#done.push(...ids)
  }
}
