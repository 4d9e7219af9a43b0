/**
 * Minutes that other boxes buy ahead: what a minute costs, from the same options as minutes by the second, and the payments for them, from
 * the channels' history. It begins when the channels run. docs/portal.md "Minutes for boxes"
 */
import { utf8, type Log, type Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { aheadTables, type AheadDoor, type AheadSales } from '../hotspot/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Store } from '../store/index.ts'
import { AHEAD_NOTE, NotedPayments } from './noted-payments.ts'

export interface GuestAheadParts {
  readonly config: () => Config
  readonly sales: Pick<AheadSales, 'door'>
  /** Null while there are none. */
  readonly channels: () => Pick<Photon, 'account' | 'direct'> | null
  readonly store: Store
  readonly timers: Timers
  readonly log: Log
}

export class GuestAhead {
  readonly #parts: GuestAheadParts
  readonly #payments: NotedPayments

  constructor({ store, channels, timers, log, ...parts }: GuestAheadParts) {
    this.#parts = { store, channels, timers, log, ...parts }
    const { mark, setMark, add } = aheadTables
    this.#payments = new NotedPayments({
      note: utf8(AHEAD_NOTE),
      tables: { mark, setMark, add: (tx, { partner, token, amount, reference }) => add(tx, { payer: partner, token, amount, reference }) },
      store,
      channels,
      onPaid: () => undefined, // who paid asks
      timers,
      log: log.room('ahead'),
    })
  }

  start(): Promise<void> {
    return this.#payments.start()
  }

  /** Before the hotspot stops. */
  stop(): Promise<void> {
    return this.#payments.stop()
  }

  /** For the portal; null: not sold, or not now. */
  door(): AheadDoor | null {
    const { config, channels, sales } = this.#parts
    const running = channels()
    const { photon, tariff, token: main } = config()
    const token = photon.streamToken?.toLowerCase() ?? null
    const unitsPerMinute = photon.streamPricePerMinute > 0n ? photon.streamPricePerMinute : tariff.pricePerMinute
    // Prices and the ledger are in the box's token: one with other decimals would be sold at another price.
    const named = photon.tokens.find(({ address }) => address.toLowerCase() === token)
    const isOwnToken = named === undefined || named.decimals === main.decimals
    if (running === null || running.direct() === null || token === null || unitsPerMinute === 0n || !isOwnToken) return null
    const door = sales.door({ payee: running.account, token, unitsPerMinute })
    return {
      terms: (device) => door.terms(device),
      order: async (device, reference) => {
        // What came is told to nobody else: whoever asks for it has it looked for.
        await this.#payments.look()
        return door.order(device, reference)
      },
    }
  }
}
