/**
 * What tenants pay for IoT: direct payments through a channel with this box, with `iot` as their data. They are read from the channels' own
 * history, oldest first, and the place up to which they were is in the same turn as the sum: each counts once, whenever the power goes.
 */
import { asError, equalBytesConstantTime, utf8 } from '../base/index.ts'
import type { Address, Cancel, Log, Timers } from '../base/index.ts'
import type { TenantPayments } from '../iot/index.ts'
import { paidTables } from '../iot/tables/index.ts'
import type { Photon } from '../photon/index.ts'
import type { ReadTx, Store } from '../store/index.ts'

export interface IotPaymentsParts {
  readonly store: Store
  /** Null: there are none. They may be up later, and halt. */
  readonly channels: Pick<Photon, 'direct'> | null
  readonly timers: Timers
  readonly log: Log
}

type Direct = NonNullable<ReturnType<Photon['direct']>>

/** Data of a payment for IoT. */
export const IOT_NOTE = utf8('iot')
/** Rows of history that one look takes: some milliseconds. */
const LOOKED_AT = 500
/** For what nobody told: channels that came up, a disk that refused. */
const LOOK_EVERY_MS = 5_000

export class IotPayments implements TenantPayments {
  readonly #parts: IotPaymentsParts
  readonly #listeners = new Set<(payer: Address, token: Address) => void>()
  #listening: { readonly direct: Direct; readonly cancel: Cancel } | null = null
  #cancelLook: Cancel = () => undefined
  #looking: Promise<void> | null = null
  #isAskedAgain = false
  #isStopped = false

  constructor(parts: IotPaymentsParts) {
    this.#parts = parts
  }

  /** What came while nobody looked is counted when this resolves. */
  async start(): Promise<void> {
    if (this.#parts.channels === null) return
    this.#cancelLook = this.#parts.timers.every(LOOK_EVERY_MS, () => void this.#look())
    await this.#look()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelLook()
    this.#listening?.cancel()
    await this.#looking
  }

  paid(tx: ReadTx, payer: Address, token: Address): bigint {
    return paidTables.paid(tx, payer, token)
  }

  onPaid(listener: (payer: Address, token: Address) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #look(): Promise<void> {
    this.#isAskedAgain = true
    this.#looking ??= this.#lookOn()
      .catch((thrown: unknown) => this.#parts.log.error("tenants' payments could not be counted; they are looked for again", { error: asError(thrown) }))
      .finally(() => {
        this.#looking = null
      })
    return this.#looking
  }

  async #lookOn(): Promise<void> {
    while (this.#isAskedAgain && !this.#isStopped) {
      this.#isAskedAgain = false
      const direct = this.#parts.channels?.direct() ?? null
      this.#listenTo(direct)
      if (direct !== null) while (!this.#isStopped && (await this.#takeSome(direct))) await new Promise<void>((resolve) => void this.#parts.timers.after(1, resolve))
    }
  }

  #listenTo(direct: Direct | null): void {
    if (this.#listening?.direct === direct) return
    this.#listening?.cancel()
    this.#listening = direct === null ? null : { direct, cancel: direct.onReceived(({ data }) => isForIot(data) && void this.#look()) }
  }

  /** True: there is more. */
  async #takeSome(direct: Direct): Promise<boolean> {
    const { store } = this.#parts
    const mark = store.read((tx) => paidTables.mark(tx))
    const newest = direct.newest()
    if (newest <= mark) return false
    const { payments, lookedTo } = direct.after(mark, LOOKED_AT)
    const ours = payments.filter(({ kind, data }) => kind === 'received' && isForIot(data))
    // What came since `newest` was read may be among them already.
    const next = lookedTo ?? Math.max(newest, ...payments.map(({ id }) => id))
    await store.turn((tx) => {
      for (const { partner, token, amount } of ours) paidTables.add(tx, partner, token, amount)
      paidTables.setMark(tx, next)
    })
    for (const { partner, token } of ours) for (const listener of this.#listeners) listener(partner, token)
    return lookedTo !== null
  }
}

function isForIot(data: Uint8Array): boolean {
  return data.length === IOT_NOTE.length && equalBytesConstantTime(data, IOT_NOTE)
}
