/**
 * The unfinished payments in memory, found by id and by hash. Ended ones are dropped: whoever needs those (a lock offered
 * again, a status asked for) reads them from the disk.
 */
import type { Hash } from '../../base/index.ts'
import type { PaymentState } from './state.ts'

export class PaymentTable {
  readonly #byId = new Map<string, PaymentState>()
  readonly #byHash = new Map<Hash, Set<string>>()

  constructor(states: Iterable<PaymentState> = []) {
    for (const state of states) this.put(state)
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: string): PaymentState | undefined {
    return this.#byId.get(id)
  }

  withSecretHash(secretHash: Hash): readonly PaymentState[] {
    const ids = this.#byHash.get(secretHash)
    return ids === undefined ? [] : [...ids].flatMap((id) => this.#byId.get(id) ?? [])
  }

  /** In the order in which they began. A snapshot: the table may change meanwhile. */
  open(): readonly PaymentState[] {
    return [...this.#byId.values()]
  }

  /** Over the record of the same id; ended ones leave. */
  put(state: PaymentState): void {
    const { id, secretHash } = state
    if (!state.isEnded) {
      this.#byId.set(id, state)
      const ids = this.#byHash.get(secretHash) ?? new Set<string>()
      this.#byHash.set(secretHash, ids.add(id))
      return
    }
    if (!this.#byId.delete(id)) return
    const ids = this.#byHash.get(secretHash)
    ids?.delete(id)
    if (ids?.size === 0) this.#byHash.delete(secretHash)
  }
}
