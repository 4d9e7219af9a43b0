/**
 * Hands frames of late/ to tenants that can be reached again: in the order in which they were heard, one after the other, at most `latePerSecond`, flagged late. They cost what they
 * would have cost in time, or a price of their own (`perLateFrame`); at 0 they are not billed at all and are in no receipt. A run of up to 20 is held in one turn and settled in one
 * turn; after a crash between them the run is handed over again and billed once. Who takes none is asked again ever more seldom: each try is two commits.
 */
import { createHash } from 'node:crypto'
import { momentOf } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import { decodeFrame } from '../lorawan/index.ts'
import type { Delivery, Heard } from '../ports.ts'
import { maySpend } from './account.ts'
import { bill, hold, letGo, oldestUnderWay, readAccount } from './io/account-tables.ts'
import type { Seat } from './roster.ts'
import type { BilledUnit, HeldUnit } from './types.ts'
import type { SaleParts } from './uplinks.ts'
import { amountOf, unitsOf } from './units.ts'

export const PLAYBACK_TICK_MS = 100
const RETRY_MS = 5_000
const LONGEST_RETRY_MS = 15 * 60_000
/** How long one late frame may take to be acknowledged. */
const ANSWER_MS = 10_000

interface Rest {
  readonly untilMs: number
  /** Of the next one, when none is taken then either. */
  readonly nextMs: number
}

interface LateItem {
  readonly seq: bigint
  readonly heard: Heard
  /** Null: it costs nothing. */
  readonly held: HeldUnit | null
}

export class Playback {
  readonly #parts: SaleParts
  readonly #busy = new Map<Seat, Promise<void>>()
  readonly #rests = new Map<Seat, Rest>()

  constructor(parts: SaleParts) {
    this.#parts = parts
  }

  /** Every PLAYBACK_TICK_MS. */
  tick(): void {
    const { roster, deps } = this.#parts
    for (const seat of roster.all()) {
      if (!seat.mayHaveLate || seat.record.isPaused || seat.record.isEnded || seat.delivery?.takesLate !== true || this.#busy.has(seat)) continue
      if (deps.clock.boottimeMs() < (this.#rests.get(seat)?.untilMs ?? 0) || !seat.delivery.isOnline) continue
      const work = this.#run(seat, seat.delivery)
        .catch((error: unknown) => {
          deps.log.error('late frames of a tenant are not handed over', { tenant: seat.record.id, error })
          this.#rest(seat)
        })
        .finally(() => this.#busy.delete(seat))
      this.#busy.set(seat, work)
    }
  }

  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values())
  }

  async #run(seat: Seat, delivery: Delivery): Promise<void> {
    const { deps, patience, onBilled, limits } = this.#parts
    const most = Math.max(1, Math.floor((limits.latePerSecond * PLAYBACK_TICK_MS) / 1_000))
    const items = await deps.store.turn((tx) => this.#hold(tx, seat, delivery, most))
    if (items === 'empty') {
      seat.mayHaveLate = false
      return
    }
    if (items.length === 0) return this.#rest(seat) // no credit, nobody there, or an older one is being delivered
    const delivered = new Set<LateItem>()
    for (const item of items) {
      if (patience.isOver || !delivery.isOnline) break
      if (!(await patience.within(ANSWER_MS, () => delivery.deliver({ ...item.heard, isLate: true }), false))) break // order is kept: the next ones wait
      delivered.add(item)
    }
    if (delivered.size > 0) this.#rests.delete(seat)
    if (delivered.size < items.length) this.#rest(seat, delivered.size === 0)
    const billed = await patience.insist('late frames', deps.log, () => deps.store.turn((tx) => items.map((item) => this.#end(tx, seat, item, delivered.has(item)))))
    for (const unit of billed ?? []) if (unit !== null) onBilled(unit)
  }

  #rest(seat: Seat, wasRefused = false): void {
    const pauseMs = this.#rests.get(seat)?.nextMs ?? RETRY_MS
    const untilMs = this.#parts.deps.clock.boottimeMs() + (wasRefused ? pauseMs : RETRY_MS)
    this.#rests.set(seat, { untilMs, nextMs: wasRefused ? Math.min(LONGEST_RETRY_MS, 2 * pauseMs) : pauseMs })
  }

  #hold(tx: Tx, seat: Seat, delivery: Delivery, most: number): readonly LateItem[] | 'empty' {
    const { late, payments, clock } = this.#parts.deps
    const { record } = seat
    const waiting = late.peek(tx, record.id, most)
    if (waiting.length === 0) return 'empty'
    const at = momentOf(clock)
    const items: LateItem[] = []
    // One that was heard before and is still being delivered may be late in the end: it goes first.
    const underWayMs = oldestUnderWay(tx, record.id, clock.bootId)
    for (const { seq, heard, at: heardAt } of waiting) {
      if (heardAt.bootId === clock.bootId && heardAt.boottimeMs > underWayMs) break
      if (delivery.isAwaited?.({ ...heard, isLate: true }) === false) break
      const units = unitsOfLate(heard)
      const price = amountOf('late', units, record.prices)
      const account = readAccount(tx, record.id, record.epoch)
      if (account === null || account.isBehind || !maySpend(account, payments.paid(tx, record.payer, record.prices.token), price, record.creditWindow)) break
      if (price === 0n) {
        items.push({ seq, heard, held: null })
        continue
      }
      const held: HeldUnit = { tenant: record.id, key: `late ${seq}`, epoch: record.epoch, kind: 'late', frame: createHash('sha256').update(heard.phy).digest('hex'), tmstUs: 0, units, amount: price, at, heard: null }
      hold(tx, held, null)
      items.push({ seq, heard, held })
    }
    return items
  }

  #end(tx: Tx, seat: Seat, item: LateItem, wasDelivered: boolean): BilledUnit | null {
    const { late, keccak } = this.#parts.deps
    const tenant = seat.record.id
    if (!wasDelivered) {
      if (item.held !== null) letGo(tx, tenant, item.held.key)
      return null
    }
    late.remove(tx, tenant, item.seq)
    return item.held === null ? null : bill(tx, tenant, item.held.key, keccak)
  }
}

/** Only data frames lie in late/. */
function unitsOfLate(heard: Heard): number {
  const frame = decodeFrame(heard.phy)
  return frame.type === 'data' ? unitsOf(frame) : 1
}
