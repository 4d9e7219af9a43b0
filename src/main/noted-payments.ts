/**
 * Direct payments that came with a note, for a room that lives by them. They are read from the channels' own history, oldest first, and the
 * place up to which they were is in the same turn as what the room keeps of them: each counts once, whenever the power goes.
 */
import { asError, equalBytesConstantTime } from '../base/index.ts'
import type { Cancel, Log, Timers } from '../base/index.ts'
import type { DirectRow, Photon } from '../photon/index.ts'
import type { ReadTx, Store, Tx } from '../store/index.ts'

/** Data of a payment for minutes that a box buys ahead; both ends know it. */
export const AHEAD_NOTE = 'meshbox ahead'

export interface NotedPaymentsParts {
  /** Data of the payments, at most 32 bytes. */
  readonly note: Uint8Array
  readonly tables: {
    /** Row of the channels' history up to which all is kept; 0: nothing was read yet. */
    mark(tx: ReadTx): number
    setMark(tx: Tx, mark: number): void
    add(tx: Tx, payment: DirectRow): void
  }
  readonly store: Store
  /** Null: there are none, or not yet. They may halt. */
  readonly channels: () => Pick<Photon, 'direct'> | null
  /** After it is on disk. */
  readonly onPaid: (payment: DirectRow) => void
  readonly timers: Timers
  readonly log: Log
}

type Direct = NonNullable<ReturnType<Photon['direct']>>

/** Rows of history that one look takes: some milliseconds. */
const LOOKED_AT = 500
/** For what nobody told: channels that came up, a disk that refused. */
const LOOK_EVERY_MS = 5_000

export class NotedPayments {
  readonly #parts: NotedPaymentsParts
  #listening: { readonly direct: Direct; readonly cancel: Cancel } | null = null
  #cancelLook: Cancel = () => undefined
  #looking: Promise<void> | null = null
  #isAskedAgain = false
  #isStopped = false

  constructor(parts: NotedPaymentsParts) {
    this.#parts = parts
  }

  /** What came while nobody looked is counted when this resolves. */
  async start(): Promise<void> {
    this.#cancelLook = this.#parts.timers.every(LOOK_EVERY_MS, () => void this.look())
    await this.look()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelLook()
    this.#listening?.cancel()
    await this.#looking
  }

  /** Resolves when all that has come by now is kept. Does not throw: what failed is looked for again. */
  look(): Promise<void> {
    this.#isAskedAgain = true
    this.#looking ??= this.#lookOn()
      .catch((thrown: unknown) => this.#parts.log.error('payments could not be counted; they are looked for again', { note: Buffer.from(this.#parts.note).toString('utf8'), error: asError(thrown) }))
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  async #lookOn(): Promise<void> {
    while (this.#isAskedAgain && !this.#isStopped) {
      this.#isAskedAgain = false
      const direct = this.#parts.channels()?.direct() ?? null
      this.#listenTo(direct)
      if (direct !== null) while (!this.#isStopped && (await this.#takeSome(direct))) await new Promise<void>((resolve) => void this.#parts.timers.after(1, resolve))
    }
  }

  #listenTo(direct: Direct | null): void {
    if (this.#listening?.direct === direct) return
    this.#listening?.cancel()
    this.#listening = direct === null ? null : { direct, cancel: direct.onReceived(({ data }) => this.#isOurs(data) && void this.look()) }
  }

  /** True: there is more. */
  async #takeSome(direct: Direct): Promise<boolean> {
    const { store, tables, onPaid } = this.#parts
    const mark = store.read((tx) => tables.mark(tx))
    const newest = direct.newest()
    if (newest <= mark) return false
    const { payments, lookedTo } = direct.after(mark, LOOKED_AT)
    const ours = payments.filter(({ kind, data }) => kind === 'received' && this.#isOurs(data))
    // What came since `newest` was read may be among them already.
    const next = lookedTo ?? Math.max(newest, ...payments.map(({ id }) => id))
    await store.turn((tx) => {
      for (const payment of ours) tables.add(tx, payment)
      tables.setMark(tx, next)
    })
    for (const payment of ours) onPaid(payment)
    return lookedTo !== null
  }

  #isOurs(data: Uint8Array): boolean {
    const { note } = this.#parts
    return data.length === note.length && equalBytesConstantTime(data, note)
  }
}
