/**
 * What this box lets others carry for it costs at most so much in a day. Days are of running time, as a router has no clock of its
 * own: a day begins anew when the box has run for 24 hours. What is owed counts too, so that the cap holds without a debt behind it; what was
 * owed when it was reached is still paid.
 */
import type { Clock } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import { readDay, writeDay } from './io/order-table.ts'
import type { DayRow } from './io/order-table.ts'

export const DAY_MS = 86_400_000
/** A power cut gives back so much of a day at most. */
const WRITE_EVERY_MS = 3_600_000

export class DayPurse {
  readonly #store: Store
  readonly #clock: Pick<Clock, 'boottimeMs'>
  #day: DayRow = { ageMs: 0, beganMs: 0, spent: 0n }
  #atMs = 0
  #writtenAgeMs = 0

  constructor(store: Store, clock: Pick<Clock, 'boottimeMs'>) {
    this.#store = store
    this.#clock = clock
  }

  load(): void {
    this.#atMs = this.#clock.boottimeMs()
    this.#day = this.#store.read(readDay) ?? this.#day
    this.#writtenAgeMs = this.#day.ageMs
  }

  /** In the turn that orders the payment. */
  spend(tx: Tx, amount: bigint): void {
    const day = this.#now()
    writeDay(tx, { ...day, spent: day.spent + amount })
  }

  /** After that turn. */
  spent(amount: bigint): void {
    const day = this.#now()
    this.#day = { ...day, spent: day.spent + amount }
    this.#writtenAgeMs = day.ageMs
  }

  view(): { readonly spent: bigint; readonly leftMs: number } {
    const { spent, ageMs, beganMs } = this.#now()
    return { spent, leftMs: DAY_MS - (ageMs - beganMs) }
  }

  /** Why nothing more is bought; null: it is. `owed`: agreed on and not ordered yet. */
  refusal(cap: bigint, owed: bigint): string | null {
    if (cap === 0n) return 'this box buys nothing: mesh.spend_per_day is 0'
    const { spent } = this.#now()
    return spent + owed < cap ? null : `the owner's cap is reached: ${spent + owed} units of ${cap} units in this day`
  }

  async keep(): Promise<void> {
    const day = this.#now()
    if (day.ageMs - this.#writtenAgeMs < WRITE_EVERY_MS) return
    await this.#store.turn((tx) => writeDay(tx, day))
    this.#writtenAgeMs = day.ageMs
  }

  #now(): DayRow {
    const nowMs = this.#clock.boottimeMs()
    const ageMs = this.#day.ageMs + Math.max(0, nowMs - this.#atMs)
    this.#atMs = nowMs
    const isOver = ageMs - this.#day.beganMs >= DAY_MS
    this.#day = isOver ? { ageMs, beganMs: ageMs, spent: 0n } : { ...this.#day, ageMs }
    return this.#day
  }
}
