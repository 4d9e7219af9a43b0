/**
 * Transactions that others hand to this box so that it passes them on: guests, and neighbours of a box that keeps no state. Each costs a
 * proof of its sender's account, so few are taken, of one and of all; the pool judges each before it goes on.
 */
import { RateLimit } from '../../base/index.ts'
import type { Clock } from '../../base/index.ts'
import { ALL_OFFERED_TRANSACTIONS, MAX_POOLED_TRANSACTION_BYTES, MAX_REMEMBERED_OFFERERS, OFFERED_TRANSACTIONS } from './limits.ts'

export class Offers {
  readonly #clock: Pick<Clock, 'boottimeMs'>
  readonly #each = new RateLimit(OFFERED_TRANSACTIONS, MAX_REMEMBERED_OFFERERS)

  constructor(clock: Pick<Clock, 'boottimeMs'>) {
    this.#clock = clock
  }

  /** Those that may go to the pool, copied; `all`: what the one who offers shares with others. What is above the allowance is left out: its sender tells it again. */
  take(from: string, all: RateLimit, transactions: readonly Uint8Array[]): readonly Uint8Array[] {
    const now = this.#clock.boottimeMs()
    const taken: Uint8Array[] = []
    for (const transaction of transactions) {
      if (transaction.length > MAX_POOLED_TRANSACTION_BYTES) continue
      if (this.#each.take(from, now) > 0 || all.take('all', now) > 0) break
      // A window on a whole message would keep all of it for as long as the pool has this one.
      taken.push(transaction.slice())
    }
    return taken
  }
}

/** What all of a kind may offer together. */
export function sharedOffers(): RateLimit {
  return new RateLimit(ALL_OFFERED_TRANSACTIONS, 1)
}
