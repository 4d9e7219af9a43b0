/**
 * One frame upward, sold: route → code (MIC) → limits → contest between boxes → credit, held on disk → delivered → billed in the next shared
 * commit. What cannot be handed over in time is let go, costs nothing and lies in late/. docs/iot.md, "Order of one uplink".
 *
 * At stake: what is held counts like billed against the credit window, so at most one window is out with a tenant whatever crashes. What a server
 * takes and does not acknowledge is bounded by trust.ts.
 */
import { createHash } from 'node:crypto'
import { Complaints, MeshBoxError, momentOf } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import { decodeFrame } from '../lorawan/index.ts'
import type { DevAddr, FrameId, Heard, TenantId } from '../ports.ts'
import { maySpend } from './account.ts'
import type { TurnBatch } from './batch.ts'
import { bill, heldOf, hold, letGo, markSeen, readAccount, tenantsWithHeld, unmarkSeen } from './io/account-tables.ts'
import { moveLine } from './io/line-tables.ts'
import { moveMicCounter, readMicKeys } from './io/tenant-tables.ts'
import { OpenKeys, checkMic } from './mic-check.ts'
import type { MicVerdict } from './mic-check.ts'
import type { Patience } from './patience.ts'
import { FREE_FRAME_TENTHS, FREE_TENTHS } from './roster.ts'
import type { Roster, Seat } from './roster.ts'
import type { Trust } from './trust.ts'
import type { BilledUnit, HeldUnit, TenantHouseDeps, TenantLimits, TenantOutcome } from './types.ts'
import { amountOf, unitsOf } from './units.ts'

/** How long boxes have to agree whose copy is bought. */
const CONTEST_MS = 200
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 8_000
/** Within which a device that was answered speaks. */
const JOIN_TRUST_MS = 3_600_000

interface Goods {
  readonly kind: 'uplink' | 'join'
  readonly units: number
  readonly amount: bigint
  readonly frame: FrameId
  /** Of the key whose code fits; null: none was asked for. */
  readonly mic: { readonly devAddr: DevAddr; readonly slot: number; readonly fCnt: number } | null
  /** Where no code was asked for: the counter as it was on the air; null: a join. */
  readonly counted: { readonly devAddr: DevAddr; readonly fCnt16: number } | null
}

export interface SaleParts {
  readonly deps: TenantHouseDeps
  readonly limits: TenantLimits
  readonly roster: Roster
  readonly batch: TurnBatch
  readonly patience: Patience
  readonly onBilled: (unit: BilledUnit) => void
}

export class UplinkSales {
  readonly #parts: SaleParts
  readonly #complaints: Complaints
  readonly #keys = new OpenKeys()
  readonly #unreadable = new Set<TenantId>()
  readonly #running = new Set<Promise<unknown>>()

  constructor(parts: SaleParts) {
    this.#parts = parts
    this.#complaints = new Complaints(parts.deps)
  }

  /** To the end: sold, or kept for later, or why not. Never rejects. */
  async take(heard: Heard, tenants: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantOutcome>> {
    // What the door says the id is, is not taken for what is billed.
    const frame = createHash('sha256').update(heard.phy).digest('hex')
    const outcomes = await Promise.all(tenants.map(async (id) => [id, await this.#counted(id, heard, frame)] as const))
    return new Map(outcomes)
  }

  /** Frames that were being delivered when the service ended: offered again while they are young, otherwise kept for later. */
  resume(): void {
    const { store, clock, late } = this.#parts.deps
    for (const tenant of store.read(tenantsWithHeld)) {
      const seat = this.#parts.roster.get(tenant)
      for (const unit of store.read((tx) => heldOf(tx, tenant, late.decode))) {
        const ageMs = unit.at.bootId === clock.bootId ? clock.boottimeMs() - unit.at.boottimeMs : Infinity
        const isYoung = ageMs < this.#parts.limits.holdMs && (unit.kind === 'uplink' || unit.kind === 'join')
        if (seat !== undefined && isYoung && unit.heard !== null && !seat.record.isEnded) {
          seat.inFlight++
          this.#follow(this.#finish(seat, unit, unit.heard, false).finally(() => seat.inFlight--))
        } else this.#follow(this.#letGo(seat, unit))
      }
    }
  }

  /** After `patience.end()`: when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  /** Keys were changed. */
  forgetKeys(): void {
    this.#keys.clear()
    this.#unreadable.clear()
  }

  #follow<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    const forget = (): void => void this.#running.delete(work)
    work.then(forget, forget)
    return work
  }

  async #counted(id: TenantId, heard: Heard, frame: FrameId): Promise<TenantOutcome> {
    const seat = this.#parts.roster.get(id)
    if (seat === undefined || seat.record.isEnded) return 'not-ours'
    const outcome = await this.#follow(this.#sell(seat, heard, frame))
    seat.counts[outcome]++
    return outcome
  }

  async #sell(seat: Seat, heard: Heard, frame: FrameId): Promise<TenantOutcome> {
    const { deps, limits, roster, patience } = this.#parts
    const { record } = seat
    if (record.isPaused) return 'paused'
    if (heard.isLate || !roster.routes.find(heard.phy).includes(record.id)) return 'not-ours'
    const goods = this.#judge(seat, heard.phy, frame)
    if (typeof goods === 'string') return goods
    if (roster.uplinkRate.take(record.id, deps.clock.boottimeMs()) > 0) return 'over-limit'
    const offer = { frame, snrDb: heard.copies[0]?.snrDb ?? -128, maxCopies: record.maxCopies, withinMs: CONTEST_MS }
    // A contest that fails sells: a frame lost is worth more than a copy too many.
    if (!(await patience.within(2 * CONTEST_MS, () => deps.contest.isOurs(offer), true))) return 'duplicate'
    if (patience.isOver) return 'not-stored'

    const isDoubted = seat.trust.isDoubted(goods.amount)
    const isCrowded = isDoubted ? seat.inFlight > 0 || seat.trust.isResting(deps.clock.boottimeMs()) : seat.inFlight >= limits.inFlight
    if (!isCrowded) seat.inFlight++
    try {
      const held = await this.#store(seat, heard, goods, isCrowded)
      if (held === 'free') return await this.#giveAway(seat, heard, frame)
      return typeof held === 'string' ? held : await this.#finish(seat, held, heard, isDoubted)
    } finally {
      if (!isCrowded) seat.inFlight--
    }
  }

  /** What it is, and whether he has to pay for it at all. */
  #judge(seat: Seat, phy: Uint8Array, id: FrameId): Goods | TenantOutcome {
    const { prices } = seat.record
    try {
      const frame = decodeFrame(phy)
      if (frame.type === 'join-request' || frame.type === 'rejoin-request') return { kind: 'join', units: 1, amount: amountOf('join', 1, prices), frame: id, mic: null, counted: null }
      if (frame.type !== 'data' || frame.direction !== 'up') return 'not-ours'
      const units = unitsOf(frame)
      const goods = { kind: 'uplink' as const, units, amount: amountOf('uplink', units, prices), frame: id, mic: null, counted: null }
      if (!seat.hasMicKeys) return { ...goods, counted: { devAddr: frame.devAddr, fCnt16: frame.fCnt16 } }
      const verdict = this.#micOf(seat.record.id, frame.devAddr, phy, frame)
      if (verdict.kind === 'right') return { ...goods, mic: { devAddr: frame.devAddr, slot: verdict.slot, fCnt: verdict.fCnt } }
      return verdict.kind === 'repeated' ? 'repeated' : 'bad-mic'
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'input') return 'not-ours'
      this.#noteUnreadable(seat.record.id, thrown)
      return 'bad-mic' // he asked to pay for nothing that was not checked
    }
  }

  /** Once, not for each frame that anybody in range sends. */
  #noteUnreadable(tenant: TenantId, error: unknown): void {
    if (this.#unreadable.has(tenant)) return
    this.#unreadable.add(tenant)
    this.#parts.deps.log.error("a tenant's keys cannot be read, so he is sold nothing that they are for: forget them and give them again (meshbox tenant forget-keys, meshbox tenant keys)", { tenant, error })
  }

  #micOf(tenant: TenantId, devAddr: DevAddr, phy: Uint8Array, frame: Parameters<typeof checkMic>[2]): MicVerdict {
    const { store, seal } = this.#parts.deps
    const keys = store.read((tx) => readMicKeys(tx, tenant, devAddr)).map(({ slot, is11, sealed, lastFCntUp }) => ({
      slot,
      is11,
      lastFCntUp,
      open: () => this.#keys.get(`${tenant} ${devAddr} ${slot}`, () => seal.open(sealed)),
    }))
    return checkMic(keys, phy, frame)
  }

  /** Held, and so paid for if it arrives; or straight into late/ when too much is under way. One turn. */
  async #store(seat: Seat, heard: Heard, goods: Goods, isCrowded: boolean): Promise<HeldUnit | TenantOutcome> {
    const { store, payments, late, clock, log } = this.#parts.deps
    const { record } = seat
    const at = momentOf(clock)
    const { amount } = goods
    const time = heard.copies[0]?.time
    const unit: HeldUnit = { tenant: record.id, key: goods.frame, epoch: record.epoch, kind: goods.kind, frame: goods.frame, tmstUs: time?.kind === 'counter' ? time.tmstUs : 0, units: goods.units, amount, at, heard }
    // Taken where it is decided, since many are decided in one commit; given back when that fails.
    let freeTenths = 0
    let joinAnsweredMs = -Infinity
    try {
      const outcome = await store.turn((tx): TenantOutcome | 'held' => {
        const account = readAccount(tx, record.id, record.epoch)
        if (account?.isBehind === true) return 'paused'
        if (account === null || !maySpend(account, payments.paid(tx, record.payer, record.prices.token), amount, record.creditWindow)) return 'no-credit'
        if (isCrowded && (goods.kind === 'join' || !keepsLate(seat))) return 'undelivered'
        if (goods.mic !== null && !moveMicCounter(tx, record.id, goods.mic.devAddr, goods.mic.slot, goods.mic.fCnt)) return 'repeated'
        if (!markSeen(tx, record.id, goods.frame, at)) return 'repeated'
        const line = goods.counted === null ? 'rises' : moveLine(tx, record.id, goods.counted.devAddr, goods.counted.fCnt16, at, at.boottimeMs - seat.joinAnsweredMs < JOIN_TRUST_MS)
        if (line === 'stays') {
          if (seat.freeTenths < FREE_FRAME_TENTHS) return 'repeated'
          if (isCrowded) {
            unmarkSeen(tx, record.id, goods.frame)
            return 'undelivered'
          }
          seat.freeTenths -= FREE_FRAME_TENTHS
          freeTenths = FREE_FRAME_TENTHS
          return 'free'
        }
        if (line === 'restarts') {
          joinAnsweredMs = seat.joinAnsweredMs
          seat.joinAnsweredMs = -Infinity
        }
        if (isCrowded) late.append(tx, record.id, heard, at)
        else hold(tx, unit, late.encode(heard))
        return isCrowded ? 'late' : 'held'
      })
      if (outcome === 'late') seat.mayHaveLate = true
      return outcome === 'held' ? unit : outcome
    } catch (error) {
      seat.freeTenths += freeTenths
      seat.joinAnsweredMs = Math.max(seat.joinAnsweredMs, joinAnsweredMs)
      log.error('a frame of a tenant is not stored, and so not delivered', { tenant: record.id, error })
      return 'not-stored'
    }
  }

  /** `isDoubted`: as it was when it was taken. */
  async #finish(seat: Seat, unit: HeldUnit, heard: Heard, isDoubted: boolean): Promise<TenantOutcome> {
    const { deps, limits, batch, patience, onBilled } = this.#parts
    const age = unit.at.bootId === deps.clock.bootId ? deps.clock.boottimeMs() - unit.at.boottimeMs : 0
    const { trust } = seat // the server's that is asked: another destination begins with a new one
    const offered = await this.#offer(seat, heard, deps.clock.boottimeMs() + limits.holdMs - age)
    if (offered === 'taken') {
      const billed = await patience.insist('a bill', deps.log, () => batch.turn((tx) => bill(tx, unit.tenant, unit.key, deps.keccak)))
      if (billed !== null) {
        if (billed.amount > 0n) seat.freeTenths = Math.min(FREE_TENTHS, seat.freeTenths + 1)
        trust.billed(billed.amount)
        onBilled(billed)
      }
      return 'sold'
    }
    if (offered === 'refused') this.#missed(seat, trust, unit.amount, isDoubted)
    return patience.isOver ? 'undelivered' : this.#letGo(seat, unit)
  }

  #missed({ record }: Seat, trust: Trust, amount: bigint, wasDoubted: boolean): void {
    trust.missed(amount, wasDoubted, this.#parts.deps.clock.boottimeMs())
    if (!wasDoubted && trust.isDoubted(amount)) this.#complaints.warn("a tenant's server takes frames and does not acknowledge them: it gets one at a time until what it kept is earned back", { tenant: record.id }, record.id)
  }

  /** Nothing is held for it, so nothing can be billed; what is not handed over is gone. */
  async #giveAway(seat: Seat, heard: Heard, frame: FrameId): Promise<TenantOutcome> {
    const { deps, limits, batch, patience } = this.#parts
    const offered = await this.#offer(seat, heard, deps.clock.boottimeMs() + limits.holdMs)
    if (offered === 'taken') return 'free'
    // A server that got it and says nothing has had it.
    if (offered === 'unreached') seat.freeTenths = Math.min(FREE_TENTHS, seat.freeTenths + FREE_FRAME_TENTHS)
    if (!patience.isOver) await patience.insist('a frame let go', deps.log, () => batch.turn((tx: Tx) => unmarkSeen(tx, seat.record.id, frame)))
    return 'undelivered'
  }

  /** `unreached`: it was never sent. */
  async #offer(seat: Seat, heard: Heard, untilMs: number): Promise<'taken' | 'refused' | 'unreached'> {
    const { deps, patience } = this.#parts
    let wasTried = false
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
      const leftMs = untilMs - deps.clock.boottimeMs()
      const { delivery } = seat
      if (delivery?.isOnline === true && leftMs > 0 && delivery.isAwaited?.(heard) !== false) {
        wasTried = true
        if (await patience.within(leftMs, () => delivery.deliver(heard), false)) return 'taken'
      }
      const restMs = untilMs - deps.clock.boottimeMs()
      if (patience.isOver || restMs <= 0) return wasTried ? 'refused' : 'unreached'
      await patience.sleep(Math.min(waitMs, restMs))
    }
  }

  /** Costs nothing; lies in late/ from now on, unless it is of no use later. */
  async #letGo(seat: Seat | undefined, unit: HeldUnit): Promise<TenantOutcome> {
    const { deps, batch, patience } = this.#parts
    const { heard } = unit
    const keeps = unit.kind === 'uplink' && heard !== null && seat !== undefined && !seat.record.isEnded && keepsLate(seat)
    const wasHeld = await patience.insist('a frame let go', deps.log, () =>
      batch.turn((tx: Tx) => {
        if (!letGo(tx, unit.tenant, unit.key)) return false
        if (keeps) deps.late.append(tx, unit.tenant, heard, unit.at)
        else if (unit.kind === 'uplink' || unit.kind === 'join') unmarkSeen(tx, unit.tenant, unit.frame)
        return true
      }),
    )
    if (wasHeld !== true || !keeps) return 'undelivered'
    seat.mayHaveLate = true
    return 'late'
  }
}

/** A destination that cannot be opened now may take them one day. */
function keepsLate({ delivery }: Seat): boolean {
  return delivery?.takesLate !== false
}
