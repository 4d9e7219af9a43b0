/** Who took a free trial in the last day; in memory as in the table, oldest first. */
import type { MacAddress } from './gate/types.ts'
import { isDayOver } from './tariff/index.ts'
import type { TrialUse } from './tariff/index.ts'

export class Trials {
  readonly #taken = new Map<MacAddress, TrialUse>()

  load(taken: Iterable<TrialUse & { readonly mac: MacAddress }>): void {
    for (const { mac, ...use } of taken) this.#taken.set(mac, use)
  }

  mayTake(mac: MacAddress, now: TrialUse, perDay: number): boolean {
    for (const [oldest, use] of this.#taken) {
      if (!isDayOver(use, now)) break
      this.#taken.delete(oldest)
    }
    const last = this.#taken.get(mac)
    return (last === undefined || isDayOver(last, now)) && this.#taken.size < perDay
  }

  /** Holds the place while it is being written down. */
  take(mac: MacAddress, now: TrialUse): void {
    this.#taken.delete(mac)
    this.#taken.set(mac, now)
  }

  /** It could not be written: the guest still has his trial. */
  giveBack(mac: MacAddress): void {
    this.#taken.delete(mac)
  }
}
