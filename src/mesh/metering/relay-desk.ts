/**
 * Settlement between neighbours: who carries for whom, what is counted, asked, paid and booked. One input after the other;
 * what must be on disk is there before it is said, ordered or let through. docs/mesh.md "Who pays whom for what".
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Address, Cancel, Clock, Randomness, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { BoxId, Documents, PeerLane, PriceAdvert } from '../ports.ts'
import { AccountBook, isResting } from './account-book.ts'
import { partnerOf, residueOf, signedOf, withFrames } from './account.ts'
import type { Account, KeptReading } from './account.ts'
import { READING_EVERY_MS, stepCarriage } from './carriage.ts'
import type { CarriageInput, CarriageTerms } from './carriage.ts'
import { decodeCarriageFrame, encodeCarriageFrame, isSignedBy, signReading } from './frames.ts'
import type { CarriageFrame, SignedReading } from './frames.ts'
import { DayPurse } from './day-purse.ts'
import { Handshake, PRICE_GRACE_MS } from './handshake.ts'
import { LinkDesk } from './link-desk.ts'
import type { LinkTools } from './link-desk.ts'
import { OwnerOrders } from './owner-orders.ts'
import { PaymentDesk } from './payment-desk.ts'
import type { PaymentTools } from './payment-desk.ts'
import type { AdvertView, EarningsBook, LinkTraffic, RelayPayments, RelayView } from './ports.ts'
import { PriceDesk } from './price-desk.ts'
import type { PriceTerms } from './prices.ts'
import { relayView } from './views.ts'

const SETTLE_AFTER_MS = 60_000
/** Without a settled maximum: the price of so much. */
const DEFAULT_DEBT_MIB = 64n
const MAX_WAITING_FRAMES = 256
const BAD_FRAME_PENALTY = 20
const FORGED_PENALTY = 50
const MAX_ALARMS = 32

export interface RelayTerms {
  /** Units a client may owe; 0: the price of 64 MiB. */
  readonly maxDebt: bigint
  /** Units that are paid at once; 0: each minute. */
  readonly settleAmount: bigint
  /** Units that being carried may cost in a day; 0: nothing is bought. */
  readonly spendPerDay: bigint
}

export interface RelayDeskParts extends LinkTools {
  readonly documents: Documents
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly store: Store
  readonly ledger: EarningsBook
  /** The token's name in the ledger. */
  readonly tokenName: (token: Address) => string
  readonly priceLane: PeerLane
  readonly carriageLane: PeerLane
  readonly payments: RelayPayments
  readonly prices: () => PriceTerms
  readonly terms: () => RelayTerms
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
}

export class RelayDesk {
  readonly #parts: RelayDeskParts
  readonly #book: AccountBook
  readonly #prices: PriceDesk
  readonly #payments: PaymentDesk
  readonly #links: LinkDesk
  readonly #handshake: Handshake
  readonly #purse: DayPurse
  readonly #orders: OwnerOrders
  readonly #cancels: Cancel[] = []
  readonly #connected = new Set<BoxId>()
  readonly #alarms: { readonly atMs: number; readonly box: BoxId; readonly reason: string }[] = []
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0
  #isRunning = false
  /** A round waits for its turn. */
  #isTicking = false

  constructor(parts: RelayDeskParts) {
    this.#parts = parts
    const { documents, store, clock, priceLane, prices } = parts
    this.#book = new AccountBook(store, clock)
    this.#prices = new PriceDesk({ documents, store, clock, lane: priceLane, terms: prices, isInReach: (box) => parts.links.linksOf(box).length > 0 })
    this.#links = new LinkDesk(parts, () => prices().hasUplink)
    const tools: PaymentTools = { ...parts, book: this.#book, run: (work) => this.#run(work), input: (account, input) => this.#step(account, input) }
    this.#payments = new PaymentDesk(tools)
    this.#purse = new DayPurse(store, clock)
    this.#orders = new OwnerOrders({ book: this.#book, run: (work) => this.#run(work), finish: (account, told, reason) => this.#finish(account, told, reason), setGates: () => this.#setGates(), nowMs: () => this.#nowMs() })
    this.#handshake = new Handshake({
      ...parts,
      book: this.#book,
      prices: this.#prices,
      links: this.#links,
      ownTerms: prices,
      settleAmount: () => this.#settleAmount(),
      whyNotBuy: () => this.#purse.refusal(this.#parts.terms().spendPerDay, this.#owedByUs()),
      step: (account, input) => this.#step(account, input),
      begun: async (account) => this.#tickOne(account, await this.#links.traffic(false)),
      finish: (account, told, reason) => this.#finish(account, told, reason),
      say: (to, frame) => this.#say(to, frame),
      alarm: (box, reason) => this.#alarm(box, reason),
    })
  }

  /** Before the peers' node starts: no connection is missed. */
  async start(): Promise<void> {
    const { documents, log, priceLane, carriageLane, timers, links } = this.#parts
    this.#isRunning = true
    for (const problem of this.#book.load(documents.self)) log.error('what a neighbour owes or is owed cannot be read', { problem })
    this.#prices.load()
    this.#purse.load()
    this.#cancels.push(
      priceLane.onOpen((box) => this.#prices.opened(box)),
      priceLane.onClose((box) => this.#prices.closed(box)),
      priceLane.onFrame((from, frame) => this.#prices.hear(from, frame)),
      carriageLane.onOpen((box) => this.#connected.add(box)),
      carriageLane.onClose((box) => this.#closed(box)),
      carriageLane.onFrame((from, frame) => this.#queueFrame(from, frame)),
      links.onChange(() => void this.#run(() => this.#setGates())),
      timers.every(READING_EVERY_MS, () => void this.tick()),
      this.#payments.listen(),
    )
    await this.tick()
  }

  /** What is under way is done; nothing more is begun. Rows are written as they are. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#run(() => this.#book.write(this.#book.all()))
    this.#isRunning = false
    await this.#tail
  }

  /** Resolves when all that came before is done. */
  idle(): Promise<void> {
    return this.#tail
  }

  /** One round: count, ask, pay, say prices. By itself every 5 s. */
  tick(): Promise<void> {
    // A slow disk or kernel: rounds do not queue up.
    if (this.#isTicking) return this.#tail
    this.#isTicking = true
    return this.#run(async () => {
      this.#isTicking = false
      await this.#prices.refresh()
      const traffic = await this.#links.traffic(true)
      let failure: unknown = null
      for (const account of this.#book.all()) {
        try {
          await this.#tickOne(account, traffic)
        } catch (error) {
          failure ??= error // the others' turn comes all the same
        }
      }
      await this.#payments.round()
      for (const box of this.#connected) await this.#handshake.want(box)
      const overdue = this.#book.overdue(this.#settleAmount())
      if (overdue.length > 0) await this.#book.write(overdue)
      await this.#book.settleOld()
      await this.#purse.keep()
      await this.#setGates()
      if (failure !== null) throw failure
    })
  }

  /** Of the day that runs: what was ordered for being carried, the most that may be, and how long it still is. */
  spending(): { readonly spent: bigint; readonly cap: bigint; readonly leftMs: number } {
    return { ...this.#purse.view(), cap: this.#parts.terms().spendPerDay }
  }

  ownAdvert(): PriceAdvert | null {
    return this.#prices.own()?.advert ?? null
  }

  carriages(): readonly RelayView[] {
    const nowMs = this.#nowMs()
    return this.#book.all().map((account) => relayView(account, this.#payments.problemOf(account), nowMs))
  }

  /** Refused also where the price is taken, and the neighbour carries nothing for us all the same, in its words or by our cap. */
  adverts(): readonly AdvertView[] {
    return this.#prices.views().map((advert) => ({ ...advert, refusal: advert.refusal ?? (this.#book.live(advert.box, 'client') === null ? (this.#handshake.refused.get(advert.box) ?? null) : null) }))
  }

  /** Why a neighbour does not carry for us, in its own words. */
  refusals(): ReadonlyMap<BoxId, string> {
    return this.#handshake.refused
  }

  /** Newest last; what a person has to look at. */
  alarms(): readonly { readonly atMs: number; readonly box: BoxId; readonly reason: string }[] {
    return this.#alarms
  }

  /** As OwnerOrders. */
  end(box: BoxId, reason: string): Promise<void> {
    return this.#orders.end(box, reason)
  }

  readmit(box: BoxId): Promise<void> {
    return this.#orders.readmit(box)
  }

  writeOff(box: BoxId): Promise<void> {
    return this.#orders.writeOff(box)
  }

  // ---- one input after the other

  /** Never rejects: what fails is logged and tried again with the next round. */
  #run(work: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      if (!this.#isRunning) return
      try {
        await work()
      } catch (error) {
        this.#parts.log.error('settlement with neighbours stands still; it is tried again', { error: asError(error) })
      }
    })
    return this.#tail
  }

  #queueFrame(from: BoxId, bytes: Uint8Array): void {
    if (this.#waiting >= MAX_WAITING_FRAMES) return // it asks again
    this.#waiting += 1
    void this.#run(async () => {
      this.#waiting -= 1
      await this.#gotFrame(from, bytes)
      await this.#setGates()
    })
  }

  async #gotFrame(from: BoxId, bytes: Uint8Array): Promise<void> {
    const { carriageLane } = this.#parts
    let frame: CarriageFrame
    try {
      frame = decodeCarriageFrame(bytes)
    } catch (error) {
      if (!(error instanceof MeshBoxError)) throw error
      return carriageLane.penalise(from, BAD_FRAME_PENALTY, `its frame: ${error.message}`)
    }
    if (frame.kind === 'want') return this.#handshake.gotWant(from, frame)
    if (frame.kind === 'begin') return this.#handshake.gotBegin(from, frame)
    if (frame.kind === 'reading') return this.#gotReading(from, frame.signed)
    return this.#gotEnd(from, frame.epoch, frame.reason)
  }

  #closed(box: BoxId): void {
    this.#connected.delete(box)
    this.#handshake.closed(box)
  }

  // ---- readings

  async #gotReading(from: BoxId, signed: SignedReading): Promise<void> {
    const { carrier, client, epoch } = signed.reading
    const { documents, carriageLane } = this.#parts
    const account = this.#book.find(carrier, client, epoch)
    if (account === null || partnerOf(account) !== from) return
    if (!isSignedBy(documents, signed, from)) return carriageLane.penalise(from, FORGED_PENALTY, 'a reading that it did not sign')
    if (account.state.state === 'ended' && account.state.role === 'client') this.#say(from, { kind: 'end', epoch, reason: account.state.reason ?? 'it ended here' })
    const counted = account.state.role === 'client' ? this.#links.counted(account, await this.#links.traffic(false)) : account
    await this.#step(counted, { kind: 'reading', reading: signed.reading, bytes: counted.meter.bytes, nowMs: this.#nowMs() }, [{ ...signed, by: account.state.role === 'carrier' ? 'client' : 'carrier' }])
  }

  async #gotEnd(from: BoxId, epoch: Uint8Array | null, reason: string): Promise<void> {
    if (epoch === null) return this.#handshake.gotRefusal(from, reason)
    const { self } = this.#parts.documents
    for (const account of [this.#book.find(from, self, epoch), this.#book.find(self, from, epoch)]) {
      if (account !== null && account.state.state !== 'ended') await this.#step(account, { kind: 'end', reason: `the other box ended it: ${reason}`, nowMs: this.#nowMs() })
    }
  }

  async #tickOne(account: Account, traffic: readonly LinkTraffic[] | null): Promise<void> {
    const nowMs = this.#nowMs()
    const { state } = account
    if (state.state !== 'ended' && state.token !== this.#parts.prices().token) return this.#finish(account, 'another token is paid in now', 'another token is paid in now')
    const own = this.#prices.own()
    const isOutdated = own !== null && (state.prices.at(-1)?.sequence ?? 0) < own.advert.sequence && nowMs - own.sinceMs >= PRICE_GRACE_MS
    if (state.role === 'carrier' && state.state !== 'ended' && isOutdated) return this.#finish(account, 'the client has not taken the new price', 'the new price was not taken')
    if (state.role === 'carrier' && (traffic === null || this.#book.isFarAhead(account))) return
    const counted = this.#links.counted(account, traffic)
    await this.#step(counted, { kind: 'tick', bytes: counted.meter.bytes, nowMs })
  }

  /** One step of the machine: what it has to have on disk is there before anything is said. */
  async #step(account: Account, input: CarriageInput, more: readonly KeptReading[] = []): Promise<void> {
    const { documents } = this.#parts
    const { state, effects } = stepCarriage(account.state, input, this.#carriageTerms(account))
    const signed: KeptReading[] = [...more]
    const frames: CarriageFrame[] = []
    let next: Account = { ...account, state }
    let ordered = 0n
    let mustStore = state.state === 'ended' && account.state.state !== 'ended'
    // `gate` and `agreed` are in the state: gates are set as all states want them, after each input.
    for (const effect of effects) {
      if (effect.kind === 'send') {
        // Asked again: the same bytes.
        const isKept = effect.reading === account.state.waiting?.reading || effect.reading === account.state.answered?.pair.client || effect.reading === account.state.agreed?.pair.client
        const one: KeptReading = isKept ? signedOf(account, state.role, effect.reading) : { ...signReading(documents, effect.reading), by: state.role }
        signed.push(one)
        frames.push({ kind: 'reading', signed: one })
      } else if (effect.kind === 'pay') {
        next = { ...next, payments: next.payments + 1, order: { number: next.payments + 1, amount: effect.amount } }
        ordered = effect.amount
        mustStore = true
      } else if (effect.kind === 'alarm') this.#alarm(partnerOf(account), effect.reason)
    }
    next = withFrames(next, signed)
    if (mustStore) await this.#book.write([next], (tx) => ordered > 0n && this.#purse.spend(tx, ordered))
    else this.#book.keep(next)
    if (ordered > 0n) this.#purse.spent(ordered)
    if (state.state === 'ended' && account.state.state !== 'ended') this.#parts.log.warn('carrying ended', { box: partnerOf(account), role: state.role, reason: state.reason })
    const partner = partnerOf(next)
    if (this.#handshake.isReady(state.role, partner)) for (const frame of frames) this.#say(partner, frame)
    if (next.order !== null && account.order === null) this.#payments.order(next)
  }

  async #finish(account: Account, toldReason: string, reason: string): Promise<void> {
    await this.#step(account, { kind: 'end', reason, nowMs: this.#nowMs() })
    this.#say(partnerOf(account), { kind: 'end', epoch: account.state.epoch, reason: toldReason })
  }

  // ---- small things

  /** Agreed on with those that carry for us, and not ordered yet. */
  #owedByUs(): bigint {
    return this.#book.all().reduce((sum, account) => (account.state.role === 'client' ? sum + residueOf(account) : sum), 0n)
  }

  #carriageTerms(account: Account): CarriageTerms {
    const { maxDebt } = this.#parts.terms()
    const unitsPerMiB = account.state.prices.at(-1)?.unitsPerMiB ?? 0n
    const isOrdered = account.order !== null
    return {
      maxDebt: maxDebt > 0n ? maxDebt : unitsPerMiB * DEFAULT_DEBT_MIB,
      settleAmount: isOrdered && account.state.role === 'client' ? null : this.#settleAmount(),
      // One order at a time: what is owed since waits for it.
      settleAfterMs: isOrdered ? Number.POSITIVE_INFINITY : SETTLE_AFTER_MS,
    }
  }

  #settleAmount(): bigint | null {
    const { settleAmount } = this.#parts.terms()
    return settleAmount > 0n ? settleAmount : null
  }

  /** A box without a way out has nothing to sell: boxes reach each other over it for nothing, so that they find one together. */
  #setGates(): Promise<void> {
    const nowMs = this.#nowMs()
    const isFree = this.#prices.own()?.advert.unitsPerMiB === null
    const free = isFree ? [...this.#connected].filter((box) => !this.#book.of(box, 'carrier').some((account) => isResting(account, nowMs))) : []
    return this.#links.setGates(this.#book.all(), free)
  }

  #say(to: BoxId, frame: CarriageFrame): void {
    this.#parts.carriageLane.send(to, encodeCarriageFrame(frame))
  }

  /** Once: who sends the same again does not fill the log. */
  #alarm(box: BoxId, reason: string): void {
    if (this.#alarms.some((each) => each.box === box && each.reason === reason)) return
    this.#parts.log.error('a neighbour signed what cannot be true', { box, reason })
    this.#alarms.push({ atMs: this.#nowMs(), box, reason })
    if (this.#alarms.length > MAX_ALARMS) this.#alarms.shift()
  }

  #nowMs(): number {
    return this.#parts.clock.boottimeMs()
  }
}

