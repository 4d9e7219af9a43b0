/**
 * Vouchers with a last day that were taken while nobody knew the date (portal.md 2.10): looked at once the
 * clock is trusted. The guest keeps what he got; the owner reads in the log what came too late.
 */
import type { Cancel, Moment } from '../base/index.ts'
import { pendingDates, setDateCheck } from './io/voucher-tables.ts'
import type { DateCheck, PendingDate } from './io/voucher-tables.ts'
import type { Keeper } from './keeper.ts'
import type { HotspotDeps } from './ports.ts'

const LOOK_MS = 600_000
const AT_ONCE = 500
const DAY_MS = 86_400_000

export class LateDates {
  readonly #deps: HotspotDeps
  readonly #keeper: Keeper
  #cancel: Cancel = () => undefined

  constructor(deps: HotspotDeps, keeper: Keeper) {
    this.#deps = deps
    this.#keeper = keeper
  }

  start(): void {
    this.#cancel = this.#deps.timers.every(LOOK_MS, () => this.#keeper.spawn('checking voucher dates', this.look()))
  }

  stop(): void {
    this.#cancel()
  }

  async look(): Promise<void> {
    const { clock, store, log } = this.#deps
    if (!clock.isWallTrusted()) return
    const pending = store.read((tx) => pendingDates(tx, AT_ONCE))
    if (pending.length === 0) return
    const now = this.#keeper.now()
    const checks = pending.map((each) => [each.id, dateCheckOf(each, now)] as const)
    await store.turn((tx) => {
      for (const [id, check] of checks) setDateCheck(tx, id, check)
    })
    for (const [id, check] of checks) if (check === 'late') log.warn('a voucher was used after its last day', { voucher: id })
  }
}

/** In this boot the moment of use is known exactly; of an earlier boot only that it was before this one. */
function dateCheckOf(used: PendingDate, now: Pick<Moment, 'bootId' | 'boottimeMs' | 'wallMs'>): DateCheck {
  const isThisBoot = used.usedBootId === now.bootId
  const latestWallMs = now.wallMs - now.boottimeMs + (isThisBoot ? used.usedBoottimeMs : 0)
  if (Math.floor(latestWallMs / DAY_MS) <= used.validUntilDay) return 'ok'
  return isThisBoot ? 'late' : 'unknown'
}
