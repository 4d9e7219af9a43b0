/**
 * The tenants' room, started and stopped: routes, sales, receipts, payments, late frames, and what the owner does. What is decided where:
 * uplinks.ts, downlinks.ts, receipt-desk.ts, settlement.ts, playback.ts, admin.ts.
 */
import { MeshBoxError, momentOf } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { BillableUnit, Downlink, Heard, Receipt, TenantDesk, TenantId, TxAck } from '../ports.ts'
import { Admin } from './admin.ts'
import { TurnBatch } from './batch.ts'
import { DownlinkSales } from './downlinks.ts'
import { allAccounts, forgetOld, forgetOldestSeen, forgetSeen, surplusSeen } from './io/account-tables.ts'
import { sealOldDestinations } from './io/destination-secrets.ts'
import { overwriteFreePages } from './io/free-pages.ts'
import { forgetOldestLines, surplusLines } from './io/line-tables.ts'
import { countMicKeys, readTenants } from './io/tenant-tables.ts'
import { Patience } from './patience.ts'
import { PLAYBACK_TICK_MS, Playback } from './playback.ts'
import { ReceiptDesk } from './receipt-desk.ts'
import { Roster } from './roster.ts'
import { Settlement } from './settlement.ts'
import { DEFAULT_LIMITS } from './types.ts'
import type { BilledUnit, TenantHouseDeps, TenantLimits, TenantOutcome } from './types.ts'
import { UplinkSales } from './uplinks.ts'
import type { SaleParts } from './uplinks.ts'

const TICK_MS = 1_000
const SWEEP_MS = 1_000
/** In a second more than an eight-channel concentrator can hear; few enough for a short turn. */
const SWEPT_ROWS = 400
/** Counting what is beyond the bound reads all of it. */
const SWEEPS_OF_A_COUNT = 60

const NO_SURPLUS = { seen: 0, lines: 0 }

export interface TenantHouse extends TenantDesk {
  readonly admin: Admin
  /** Whatever was held is offered again; whatever is unsigned is signed. Errors: unavailable from the store. */
  start(): Promise<void>
  /** What is being delivered stays held. */
  stop(): Promise<void>
  /** To the end, up to 60 s: never rejects. */
  take(heard: Heard, tenants: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantOutcome>>
  /** After it is stored: for his server. */
  onReceipt(listener: (tenant: TenantId, receipt: Receipt) => void): Cancel
  onBilled(listener: (unit: BillableUnit) => void): Cancel
  /** After an old copy of the book was put in place: receipt-desk.ts. Errors: not-found; conflict `not-behind`; input `receipt`. */
  catchUp(tenant: TenantId, receipt: Receipt | null): Promise<void>
}

export function createTenantHouse(deps: TenantHouseDeps): TenantHouse {
  return new House(deps, { ...DEFAULT_LIMITS, ...deps.limits })
}

class House implements TenantHouse {
  readonly admin: Admin
  readonly #deps: TenantHouseDeps
  readonly #limits: TenantLimits
  readonly #roster: Roster
  readonly #batch: TurnBatch
  readonly #patience: Patience
  readonly #uplinks: UplinkSales
  readonly #downlinks: DownlinkSales
  readonly #receipts: ReceiptDesk
  readonly #settlement: Settlement
  readonly #playback: Playback
  /** Frames taken before, and counters, beyond what is kept of a tenant: counted now and then. */
  readonly #surplus = new Map<TenantId, typeof NO_SURPLUS>()
  #sweeps = 0
  readonly #billed = new Set<(unit: BillableUnit) => void>()
  #cancels: Cancel[] = []
  #sweep: Promise<unknown> = Promise.resolve()

  constructor(deps: TenantHouseDeps, limits: TenantLimits) {
    this.#deps = deps
    this.#limits = limits
    this.#roster = new Roster(limits, deps)
    this.#batch = new TurnBatch(deps.store, deps.timers)
    this.#patience = new Patience(deps.timers)
    this.#receipts = new ReceiptDesk(deps, this.#roster)
    const parts: SaleParts = { deps, limits, roster: this.#roster, batch: this.#batch, patience: this.#patience, onBilled: (unit) => this.#afterBill(unit) }
    this.#uplinks = new UplinkSales(parts)
    this.#downlinks = new DownlinkSales(parts)
    this.#playback = new Playback(parts)
    this.#settlement = new Settlement(deps, (tenant) => this.#afterPayment(tenant))
    this.admin = new Admin(deps, this.#roster, () => this.#uplinks.forgetKeys())
  }

  async start(): Promise<void> {
    const { store, timers, seal, log } = this.#deps
    await store.turn((tx) => void sealOldDestinations(tx, seal))
    await overwriteFreePages(store).catch((error: unknown) => log.warn('passwords that an older version wrote may still lie in unused parts of the book; they are overwritten at the next start', { error }))
    const { records, keyed } = store.read((tx) => {
      const all = readTenants(tx, seal, (tenant) => log.error("a tenant's password, or key of a certificate, was sealed by another box: give it again (meshbox tenant set --ask-password, or --client-key)", { tenant }))
      return { records: all, keyed: new Set(all.filter((each) => countMicKeys(tx, each.id) > 0).map((each) => each.id)) }
    })
    this.#roster.onOrder((tenant, downlink) => this.order(tenant, downlink))
    await this.#roster.load(records, (id) => keyed.has(id))
    this.#uplinks.resume()
    this.#receipts.resume()
    this.#settlement.start()
    this.#cancels = [
      timers.every(TICK_MS, () => {
        this.#receipts.tick()
        this.#settlement.tick()
      }),
      timers.every(PLAYBACK_TICK_MS, () => this.#playback.tick()),
      timers.every(SWEEP_MS, () => this.#sweepOnce()),
    ]
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#patience.end()
    this.#batch.close()
    await this.#roster.close()
    await Promise.all([this.#uplinks.settled(), this.#playback.settled(), this.#settlement.stop(), this.#sweep])
    await this.#receipts.signAll()
  }

  route(phy: Uint8Array): readonly TenantId[] {
    return this.#roster.routes.find(phy)
  }

  take(heard: Heard, tenants: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantOutcome>> {
    return this.#uplinks.take(heard, tenants)
  }

  order(tenant: TenantId, downlink: Omit<Downlink, 'tenant'>): Promise<TxAck> {
    return this.#downlinks.order(tenant, downlink)
  }

  async catchUp(tenant: TenantId, receipt: Receipt | null): Promise<void> {
    const seat = this.#roster.get(tenant)
    if (seat === undefined) throw new MeshBoxError('not-found', `there is no tenant ${tenant}`, { code: 'no-tenant', field: 'tenant', value: tenant })
    await this.#receipts.catchUp(tenant, seat.record.epoch, receipt)
  }

  newestReceipt(tenant: TenantId): Receipt | null {
    return this.admin.newestReceipt(tenant)
  }

  onReceipt(listener: (tenant: TenantId, receipt: Receipt) => void): Cancel {
    return this.#receipts.onReceipt(listener)
  }

  onBilled(listener: (unit: BillableUnit) => void): Cancel {
    this.#billed.add(listener)
    return () => this.#billed.delete(listener)
  }

  #afterBill(unit: BilledUnit): void {
    this.#receipts.billed(unit.tenant, unit.epoch)
    for (const listener of this.#billed) {
      try {
        listener(unit)
      } catch (error) {
        this.#deps.log.error('somebody who listens for bills failed', { error }) // the bill is on disk, and the sale goes on
      }
    }
  }

  #afterPayment(tenant: TenantId): void {
    const seat = this.#roster.get(tenant)
    if (seat !== undefined) seat.mayHaveLate = true
  }

  /** Forgets what is old, in pieces. */
  #sweepOnce(): void {
    const { store, clock, log, late } = this.#deps
    const kept = { units: this.#limits.keptUnits, receipts: this.#limits.keptReceipts }
    const isCount = this.#sweeps++ % SWEEPS_OF_A_COUNT === 0
    this.#sweep = store
      .turn((tx) => {
        forgetSeen(tx, momentOf(clock), SWEPT_ROWS)
        late.forgetOld(tx, momentOf(clock), SWEPT_ROWS)
        for (const account of allAccounts(tx)) {
          const { tenant } = account
          const { seen, lines } = isCount ? { seen: surplusSeen(tx, tenant), lines: surplusLines(tx, tenant) } : (this.#surplus.get(tenant) ?? NO_SURPLUS)
          this.#surplus.set(tenant, {
            seen: seen === 0 ? 0 : seen - forgetOldestSeen(tx, tenant, Math.min(seen, SWEPT_ROWS)),
            lines: lines === 0 ? 0 : lines - forgetOldestLines(tx, tenant, Math.min(lines, SWEPT_ROWS)),
          })
          forgetOld(tx, account, kept, SWEPT_ROWS)
        }
      })
      .catch((error: unknown) => log.warn('old rows of tenants are not forgotten yet', { error }))
  }
}
