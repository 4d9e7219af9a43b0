/**
 * The running room: makes payouts when they are due, brings each on its way, books it, and hands out statements. One thing at a time.
 * What is on disk decides: a payout that was begun goes on after any crash, and is paid once, because Photon knows it by its reference.
 */
import { MeshBoxError, asError, inputError, momentOf, toHex } from '../base/index.ts'
import type { Cancel, Clock, Log, Moment, Timers } from '../base/index.ts'
import type { Identity } from '../identity/index.ts'
import { accountBalances, newestEntry } from '../ledger/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { ReadTx, Store, Tx } from '../store/index.ts'
import { FEE_ACCOUNT, FEE_SOURCE, PAYOUT_SOURCE, bodyOf, debtsOf, makeIntent } from './intents.ts'
import type { PartyDebt } from './intents.ts'
import { endDropped, endPaid, lastDailyDay, lastPaid, milestoneState, noteTry, openPayouts, paidSeries, payoutById, payoutsBefore } from './io/tables.ts'
import { countTries, routedOf } from './io/try-tables.ts'
import { beginWay, stepWay } from './machine.ts'
import type { Way, WayInput } from './machine.ts'
import { bookMilestones } from './milestone-book.ts'
import { countedBy, goalOf } from './milestones.ts'
import { Paying } from './paying.ts'
import { destinationOf, dueReason, whyNotDue } from './rules.ts'
import type { MilestoneView, PartyView, Payout, PayoutChannels, PayoutDesk, PayoutReason, PayoutSettings, PayoutView, RoutedView } from './types.ts'

export interface PayoutParts {
  readonly store: Store
  readonly ledger: Pick<Ledger, 'post' | 'balance' | 'entries'>
  readonly identity: Pick<Identity, 'address' | 'signText' | 'deriveSecret'>
  /** Read anew each time. */
  readonly settings: () => PayoutSettings
  /** Null: not up now. */
  readonly channels: () => PayoutChannels | null
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

const ROUND_MS = 10_000
const SERIES_AT_MOST = 100
const MAX_PAGE = 500

export class Payouts implements PayoutDesk {
  readonly #parts: PayoutParts
  readonly #paying: Paying
  readonly #ways = new Map<number, Way>()
  /** Accounts that nothing could be made for, with what was owed then: the lines are read again when that has changed. */
  readonly #stuck = new Map<string, { readonly owed: bigint; readonly problem: string }>()
  #queue: Promise<unknown> = Promise.resolve()
  #cancel: Cancel = () => undefined
  #isStopped = false

  constructor(parts: PayoutParts) {
    this.#parts = parts
    this.#paying = new Paying({ store: parts.store, timers: parts.timers, secretKey: parts.identity.deriveSecret('payout-locks'), maxFeePpm: () => parts.settings().maxFeePpm })
  }

  start(): void {
    this.#cancel = this.#parts.timers.every(ROUND_MS, () => void this.round())
    void this.round()
  }

  /** What is under way is asked for again by the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    this.#paying.use(null)
    await this.#queue
  }

  /** Rewards that are reached, payouts that are due, tries whose time has come. Never rejects. */
  round(): Promise<void> {
    return this.#run(async () => {
      const { log } = this.#parts
      try {
        await bookMilestones(this.#parts)
        for (const debt of this.#debts()) await this.#makeIfDue(debt)
      } catch (thrown) {
        log.error('payouts could not be made; it is tried again', { error: asError(thrown) })
      }
      for (const payout of this.#parts.store.read(openPayouts)) this.#tick(payout)
    }).catch(() => undefined) // said above
  }

  parties(): readonly PartyView[] {
    return this.#parts.store.read((tx) => {
      const open = openPayouts(tx)
      return debtsOf(tx, this.#parts.settings()).map((debt) => this.#partyView(tx, debt, open))
    })
  }

  milestones(): readonly MilestoneView[] {
    const { store, settings } = this.#parts
    const { milestones, token } = settings()
    return store.read((tx) =>
      milestones.map((milestone) => {
        const { progress, entryId } = milestoneState(tx, milestone.id, countedBy(milestone))
        return { ...milestone, reached: progress.reached, entryId, isWaiting: entryId === null && progress.reached >= goalOf(milestone, token.decimals) }
      }),
    )
  }

  payouts({ beforeId, limit }: { readonly beforeId: number | null; readonly limit: number }): readonly PayoutView[] {
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) throw inputError('limit', limit, `1..${MAX_PAGE}`)
    return this.#parts.store.read((tx) => payoutsBefore(tx, beforeId, limit)).map((payout) => this.#view(payout))
  }

  payout(id: number): PayoutView {
    return this.#view(this.#parts.store.read((tx) => this.#found(tx, id)))
  }

  payNow(account: string, token: string | null): Promise<PayoutView> {
    return this.#run(async () => {
      const debt = this.#debt(account, token)
      const open = this.#openOf(debt)
      if (open !== undefined) return this.#again(open)
      const made = await this.#make(debt, 'ordered')
      if (made === null) throw new MeshBoxError('conflict', `${account} is owed ${debt.owed} smallest units of ${debt.token}: nothing, or less than payout.dust`, { code: 'payout-dust', field: 'account', value: account })
      this.#tick(made)
      return this.#view(made)
    })
  }

  resume(id: number, isAnew: boolean): Promise<PayoutView> {
    return this.#run(async () => {
      const { store, channels, log } = this.#parts
      const payout = store.read((tx) => this.#found(tx, id))
      if (payout.state !== 'open') throw new MeshBoxError('conflict', `payout ${id} is ${payout.state} already`, { code: 'payout-over', field: 'id', value: id })
      if (!isAnew) return this.#again(payout)
      this.#paying.use(channels())
      if (this.#wayOf(payout).stage !== 'waiting' || (await this.#paying.hasLeft(payout))) throw new MeshBoxError('conflict', `the money of payout ${id} has left, or is leaving: it cannot be given up`, { code: 'payout-left', field: 'id', value: id })
      await store.turn((tx) => endDropped(tx, id))
      this.#ways.delete(id)
      log.warn('a payout was given up by the owner; it is made anew', { payout: id, account: payout.account, to: payout.to })
      const made = await this.#make(this.#debt(payout.account, payout.token), 'ordered')
      if (made === null) return this.payout(id)
      this.#tick(made)
      return this.#view(made)
    })
  }

  note({ account, token, amount, memo }: Parameters<PayoutDesk['note']>[0]): Promise<PartyView> {
    return this.#run(async () => {
      const { store, ledger, clock } = this.#parts
      const debt = this.#debt(account, token)
      if (this.#openOf(debt) !== undefined) throw new MeshBoxError('conflict', `a payout to ${account} is under way: wait for it, or give it up first`, { code: 'payout-open', field: 'account', value: account })
      if (amount < 1n || amount > debt.owed) throw inputError('amount', amount, `1 to ${debt.owed}, what ${account} is owed, in smallest units`)
      await store.turn((tx) => {
        return ledger.post(tx, {
          source: 'payout:hand',
          token: debt.token,
          evidence: { type: 'payout-note', id: `${account} after ${newestEntry(tx)}` },
          postings: [
            { account, amount },
            { account: 'cash:vouchers', amount: -amount },
          ],
          at: momentOf(clock),
          ...(memo === null ? {} : { memo }),
        })
      })
      return this.#party(account, debt.token)
    })
  }

  statement(id: number, isSeries: boolean): string {
    return this.#parts.store.read((tx) => {
      const payout = this.#found(tx, id)
      if (payout.paid === null) throw new MeshBoxError('conflict', `payout ${id} is ${payout.state}: there is a statement when it is paid`, { code: 'payout-not-paid', field: 'id', value: id })
      const series = isSeries ? paidSeries(tx, payout.account, payout.token, payout.number, SERIES_AT_MOST) : [payout]
      return series.map((one) => this.#statement(tx, one)).join('\n')
    })
  }

  #statement(tx: ReadTx, payout: Payout): string {
    const { paid } = payout
    if (paid === null) throw new MeshBoxError('internal', `payout ${payout.id} has no signature`, { code: 'payout-not-paid' })
    return `${bodyOf(tx, this.#parts.identity.address, payout, paid)}\nSignature: 0x${toHex(paid.signature)}\n`
  }

  #debts(): PartyDebt[] {
    return this.#parts.store.read((tx) => debtsOf(tx, this.#parts.settings()))
  }

  /** Errors: not-found `payout-account`. */
  #debt(account: string, token: string | null): PartyDebt {
    const all = this.#debts()
    const found = all.filter((debt) => debt.account === account && (token === null || debt.token === token))
    const [one] = found.length > 1 ? found.filter(({ token: name }) => name === this.#parts.settings().token.symbol) : found
    if (one === undefined) throw new MeshBoxError('not-found', `nobody called ${account} has a share${token === null ? '' : ` in ${token}`}; there are: ${[...new Set(all.map((debt) => debt.account))].join(', ') || 'none'}`, { code: 'payout-account', field: 'account', value: account })
    return one
  }

  #found(tx: ReadTx, id: number): Payout {
    const payout = payoutById(tx, id)
    if (payout === null) throw new MeshBoxError('not-found', `there is no payout ${id}; meshbox payout list shows them`, { code: 'payout', field: 'id', value: id })
    return payout
  }

  #openOf({ account, token }: PartyDebt): Payout | undefined {
    return this.#parts.store.read(openPayouts).find((payout) => payout.account === account && payout.token === token)
  }

  async #makeIfDue(debt: PartyDebt): Promise<void> {
    const { store, settings, clock, log } = this.#parts
    if (debt.owed <= 0n || this.#openOf(debt) !== undefined) return
    const to = destinationOf(settings(), debt.account, debt.token)
    if ('waitsFor' in to) return
    const lastDaily = store.read((tx) => lastDailyDay(tx, debt.account, debt.token))
    const reason = dueReason(settings(), to.decimals, { owed: debt.owed, lastDaily }, momentOf(clock))
    if (reason === null || this.#stuckOf(debt) !== null) return
    try {
      await this.#make(debt, reason)
    } catch (thrown) {
      // The others are paid all the same.
      if (!(thrown instanceof MeshBoxError) || thrown.code !== 'payout-lines') throw thrown
      this.#stuck.set(`${debt.account} ${debt.token}`, { owed: debt.owed, problem: thrown.message })
      log.error('a payout that is due cannot be made', { account: debt.account, problem: thrown.message })
    }
  }

  #stuckOf({ account, token, owed }: PartyDebt): string | null {
    const stuck = this.#stuck.get(`${account} ${token}`)
    return stuck?.owed === owed ? stuck.problem : null
  }

  /** On disk, with its reference, when it resolves; nothing is ordered yet. */
  async #make(debt: PartyDebt, reason: PayoutReason): Promise<Payout | null> {
    const { store, settings, clock, identity, ledger, log } = this.#parts
    const to = destinationOf(settings(), debt.account, debt.token)
    if ('waitsFor' in to) throw new MeshBoxError('conflict', `${debt.account} cannot be paid: it waits for ${to.waitsFor}`, { code: 'payout-nowhere', field: 'account', value: debt.account })
    const { account, token } = debt
    const payout = await store.turn((tx) => makeIntent(tx, identity.address, settings(), { account, token, owed: -ledger.balance(tx, account, token) }, to, reason, clock))
    if (payout !== null) log.info('a payout is due', { payout: payout.id, account: payout.account, amount: payout.amount, to: payout.to, reason })
    return payout
  }

  #again(payout: Payout): PayoutView {
    this.#step(payout, { kind: 'resume' })
    this.#tick(payout)
    return this.#view(payout)
  }

  #tick(payout: Payout): void {
    if (!this.#isStopped) this.#step(payout, { kind: 'tick', nowMs: this.#parts.clock.boottimeMs() })
  }

  #wayOf({ id, attempts, problem, state }: Payout): Way {
    return this.#ways.get(id) ?? (state === 'open' ? beginWay(attempts, problem) : { stage: 'over', attempts, retryAtMs: 0, problem })
  }

  #step(payout: Payout, input: WayInput): void {
    const { store, log, settings } = this.#parts
    const { way, effects } = stepWay(this.#wayOf(payout), input, settings().alarmAfter)
    if (way.stage === 'over') this.#ways.delete(payout.id)
    else this.#ways.set(payout.id, way)
    for (const effect of effects)
      switch (effect) {
        case 'pay':
          this.#pay(payout)
          break
        case 'book':
          void this.#run(() => this.#book(payout))
          break
        case 'note':
          // Of the tries only how many: what they were for is on disk already.
          store.turn((tx) => noteTry(tx, payout.id, way.attempts, way.problem)).catch((thrown: unknown) => log.warn("a payout's try could not be written down", { payout: payout.id, error: asError(thrown) }))
          break
        case 'alarm':
          log.error('a payout fails again and again', { payout: payout.id, account: payout.account, tries: way.attempts, problem: way.problem ?? '' })
          break
      }
  }

  #pay(payout: Payout): void {
    const { channels, clock } = this.#parts
    this.#paying.use(this.#isStopped ? null : channels())
    this.#paying.pay(payout).then(
      () => {
        // Where the room stops now, the next start finds the payment and books it.
        if (!this.#isStopped) this.#step(payout, { kind: 'paid' })
      },
      (thrown: unknown) => {
        const error = asError(thrown)
        const isEarly = error instanceof MeshBoxError && error.code === 'payout-no-channels'
        if (!this.#isStopped) this.#step(payout, { kind: 'failed', nowMs: clock.boottimeMs(), problem: error.message, isEarly })
      },
    )
  }

  /** Posting, signature and end in one turn. */
  async #book(payout: Payout): Promise<void> {
    const { store, ledger, identity, clock, log } = this.#parts
    const at = momentOf(clock)
    const { id, account, token, to, amount, number, reference } = payout
    try {
      await store.turn((tx) => {
        const entryId = ledger.post(tx, {
          source: PAYOUT_SOURCE,
          token,
          evidence: { type: 'payout', id: reference, facts: { payout: id, number, to } },
          postings: [
            { account, amount },
            { account: `photon:${to}`, amount: -amount },
          ],
          at,
        })
        this.#bookFee(tx, payout, at)
        const paid = { wallMs: at.wallMs, isTrusted: at.wallTrusted }
        const signature = identity.signText(bodyOf(tx, identity.address, payout, paid))
        if (!endPaid(tx, id, { ...paid, entryId, signature })) throw new MeshBoxError('internal', `payout ${id} is not open any more`, { code: 'payout-over' })
      })
      log.info('a payout is paid', { payout: id, account, amount, to })
      this.#step(payout, { kind: 'booked' })
    } catch (thrown) {
      const error = asError(thrown)
      log.error('a payout is paid, and could not be written; it is tried again', { payout: id, error })
      this.#step(payout, { kind: 'not-booked', nowMs: clock.boottimeMs(), problem: `paid, and not written yet: ${error.message}` })
    }
  }

  /** What carriers got is the owner's cost: whoever has a share gets it whole. */
  #bookFee(tx: Tx, { id, token, reference }: Payout, at: Moment): void {
    const routed = routedOf(tx, id)
    if (routed === null || routed.fee === 0n) return
    const { secretHash, fee, via } = routed
    this.#parts.ledger.post(tx, {
      source: FEE_SOURCE,
      token,
      evidence: { type: 'payout-fee', id: reference, facts: { payout: id, lock: secretHash, boxes: via.length } },
      postings: [
        { account: FEE_ACCOUNT, amount: fee },
        { account: `photon:${via[0] ?? 'carriers'}`, amount: -fee },
      ],
      at,
    })
  }

  #party(account: string, token: string): PartyView {
    const found = this.parties().find((party) => party.account === account && party.token === token)
    if (found === undefined) throw new MeshBoxError('internal', `${account} has no account in ${token}`, { code: 'payout-account' })
    return found
  }

  #partyView(tx: ReadTx, { account, token, owed }: PartyDebt, all: readonly Payout[]): PartyView {
    const { settings, clock } = this.#parts
    const now = settings()
    const to = destinationOf(now, account, token)
    const open = all.find((payout) => payout.account === account && payout.token === token)
    const decimals = 'decimals' in to ? to.decimals : token === now.token.symbol ? now.token.decimals : null
    const paid = accountPaid(tx, account, token)
    const newest = lastPaid(tx, account, token)
    const shares = now.shares.filter((share) => share.account === account).map(({ partsPerMillion, sources }) => ({ partsPerMillion, sources }))
    const last = newest?.paid == null ? null : { id: newest.id, amount: newest.amount, wallMs: newest.paid.wallMs }
    const stuck = open === undefined ? this.#stuckOf({ account, token, owed }) : null
    const waitsFor = open !== undefined ? null : 'waitsFor' in to ? to.waitsFor : stuck !== null ? `another sum: ${stuck}` : whyNotDue(now, to.decimals, { owed, lastDaily: lastDailyDay(tx, account, token) }, momentOf(clock))
    return { account, shares, token, decimals, owed, paid, last, address: now.payees.find((payee) => payee.account === account)?.address ?? null, open: open === undefined ? null : this.#view(open), waitsFor, stuck }
  }

  #view(payout: Payout): PayoutView {
    const way = this.#wayOf(payout)
    const { attempts, problem, stage, retryAtMs } = way
    const isWaiting = payout.state === 'open' && stage === 'waiting'
    return {
      payout: { ...payout, attempts: payout.state === 'open' ? attempts : payout.attempts, problem: payout.state === 'open' ? problem : payout.problem },
      stage: payout.state === 'open' ? stage : 'over',
      retrySeconds: isWaiting ? Math.max(0, Math.ceil((retryAtMs - this.#parts.clock.boottimeMs()) / 1000)) : null,
      isAlarm: payout.state === 'open' && attempts >= this.#parts.settings().alarmAfter,
      routed: this.#routed(payout),
    }
  }

  #routed(payout: Payout): RoutedView | null {
    const tries = this.#parts.store.read((tx) => countTries(tx, payout.id))
    const live = tries === 0 ? null : this.#paying.look(payout)
    if (live === null) return null
    const { live: { secretHash, paid }, standing } = live
    if (paid !== null) return { ...paid, tries, lock: null }
    if (standing?.state !== 'open') return { secretHash, fee: 0n, via: [], tries, lock: null }
    const { fee, via, isRevealed, isGivenUp, endsBlock, endsInSeconds } = standing
    return { secretHash, fee, via, tries, lock: { isRevealed, isGivenUp, endsBlock, endsInSeconds } }
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => undefined) // whoever asked is told
    return done
  }
}

/** Sent over Photon so far. */
function accountPaid(tx: ReadTx, account: string, token: string): bigint {
  return accountBalances(tx, [account.slice(0, account.indexOf(':'))], PAYOUT_SOURCE)
    .filter((each) => each.account === account && each.token === token)
    .reduce((sum, { balance }) => sum + balance, 0n)
}
