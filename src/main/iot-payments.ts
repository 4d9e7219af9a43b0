/** What tenants pay for IoT: direct payments through a channel with this box, with `iot` as their data. */
import { utf8 } from '../base/index.ts'
import type { Address, Cancel, Log, Timers } from '../base/index.ts'
import type { TenantPayments } from '../iot/index.ts'
import { paidTables } from '../iot/tables/index.ts'
import type { Photon } from '../photon/index.ts'
import type { ReadTx, Store } from '../store/index.ts'
import { NotedPayments } from './noted-payments.ts'

export interface IotPaymentsParts {
  readonly store: Store
  /** Null: there are none. They may be up later, and halt. */
  readonly channels: Pick<Photon, 'direct'> | null
  readonly timers: Timers
  readonly log: Log
}

/** Data of a payment for IoT. */
export const IOT_NOTE = utf8('iot')

export class IotPayments implements TenantPayments {
  readonly #payments: NotedPayments | null
  readonly #listeners = new Set<(payer: Address, token: Address) => void>()

  constructor({ store, channels, timers, log }: IotPaymentsParts) {
    const { mark, setMark, add } = paidTables
    this.#payments =
      channels === null
        ? null
        : new NotedPayments({
            note: IOT_NOTE,
            tables: { mark, setMark, add: (tx, { partner, token, amount }) => add(tx, partner, token, amount) },
            store,
            channels: () => channels,
            onPaid: ({ partner, token }) => {
              for (const listener of this.#listeners) listener(partner, token)
            },
            timers,
            log,
          })
  }

  /** What came while nobody looked is counted when this resolves. */
  async start(): Promise<void> {
    await this.#payments?.start()
  }

  async stop(): Promise<void> {
    await this.#payments?.stop()
  }

  paid(tx: ReadTx, payer: Address, token: Address): bigint {
    return paidTables.paid(tx, payer, token)
  }

  onPaid(listener: (payer: Address, token: Address) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
