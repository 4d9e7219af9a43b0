/**
 * The scheduler at work: duties and events come in within somebody's turn of the store, each head is looked at in a turn
 * of its own, and what is to be sent is sent after that turn is on disk.
 */
import type { Cancel, Hash } from '../../../base/index.ts'
import type { ReadTx, Store, Tx } from '../../../store/index.ts'
import type { ChainPort, ChannelKey } from '../../ports.ts'
import type { BoxDuty, DueBoxDuty } from '../box-duty.ts'
import type { DutyOutcome, DutyState } from '../duty-state.ts'
import type { ToldEvent } from '../events.ts'
import { ordersInDoubt, proveOrder } from '../order-proof.ts'
import type { OrderVerdict } from '../order-proof.ts'
import { schedule } from '../schedule.ts'
import type { ChainSight, ScheduleEffect, ScheduleInput, ScheduleTools, SeenReceipt, ToldEffect } from '../schedule-terms.ts'
import { loadDuties, saveDuties } from './duty-tables.ts'
import { keepTransaction, keptTransactions } from './transaction-table.ts'
import type { KeptTransaction } from './transaction-table.ts'

export interface DutyDeskOptions {
  /** Where another account of this box has its duties; they share a table. Default: the box's own. */
  readonly scope?: string
  readonly store: Store
  readonly chain: Pick<ChainPort, 'head' | 'safe' | 'at' | 'account' | 'storage' | 'receipt' | 'send' | 'onHead'>
  readonly tools: ScheduleTools
  /** What the pool takes now. */
  readonly gasPriceWei: () => bigint
  /** Within the turn in which a look ends a duty: what is booked for it is on disk with its end, or neither is. */
  readonly ending?: (tx: Tx, due: DueBoxDuty, outcome: DutyOutcome) => void
  /** 'ended' and 'alarm', after they are on disk. Once, save where a crash comes between. */
  readonly told: (effect: ToldEffect) => void
  /** A look that could not be finished, or a transaction that no pool took: it is tried again with a later head. */
  readonly failed: (thrown: unknown) => void
}

export class DutyDesk {
  readonly #options: DutyDeskOptions
  #running: Promise<void> | null = null
  #isAskedAgain = false

  constructor(options: DutyDeskOptions) {
    this.#options = options
  }

  /** Within the turn of the state that calls for them. The same duty again changes nothing. */
  put(tx: Tx, duties: readonly DueBoxDuty[]): void {
    const head = this.#options.chain.head()?.number ?? 0
    this.#within(tx, duties.map((due) => ({ kind: 'put', due, head })))
  }

  /** What has happened for good: within the turn that stores it. Drops what it makes pointless. */
  noteEvents(tx: Tx, events: readonly ToldEvent[]): void {
    this.#within(tx, events.flatMap((event) => (event.kind === 'rewarded' ? [] : [{ kind: 'event', event }])))
  }

  /** Takes back what was put for that life of a channel. */
  drop(tx: Tx, key: ChannelKey, duty: BoxDuty['kind']): void {
    this.#within(tx, [{ kind: 'drop', key, duty }])
  }

  #within(tx: Tx, inputs: readonly ScheduleInput[]): void {
    if (inputs.length === 0) return
    const { scope } = this.#options
    const before = loadDuties(tx, scope)
    const after = inputs.reduce((state, input) => schedule(this.#options.tools, state, input).state, before)
    saveDuties(tx, before, after, scope)
  }

  /** What is not done yet. */
  pending(tx: ReadTx): DutyState {
    return loadDuties(tx, this.#options.scope)
  }

  /** Handed to the pool at some time, newest first: those on their way, and the last of those that are in the chain. */
  transactions(tx: ReadTx): readonly KeptTransaction[] {
    const { scope, tools, chain } = this.#options
    const onTheWay = loadDuties(tx, scope).slots.flatMap(({ versions }) => {
      const newest = versions.at(-1)
      return newest?.cause === undefined ? [] : [{ account: tools.account, hash: newest.hash, gasPriceWei: newest.gasPriceWei, ...newest.cause, sentSeconds: chain.at(newest.cause.head)?.timeSeconds ?? 0, mined: null }]
    })
    return [...onTheWay.reverse(), ...keptTransactions(tx, tools.account, scope)]
  }

  #keep(tx: Tx, { hash, gasPriceWei, cause, receipt }: Extract<ScheduleEffect, { kind: 'mined' }>): void {
    const { scope, tools, chain } = this.#options
    const { point, succeeded, gasUsed = 0n } = receipt
    const sentSeconds = chain.at(cause.head)?.timeSeconds ?? point.timeSeconds
    keepTransaction(tx, { account: tools.account, hash, gasPriceWei, ...cause, sentSeconds, mined: { block: point.number, seconds: point.timeSeconds, succeeded, gasUsed } }, scope)
  }

  /** Sends again what a restart may have kept from being sent, and looks at each head from now on. */
  async start(): Promise<Cancel> {
    await this.#options.store.turn((tx) => this.#within(tx, [{ kind: 'restarted' }]))
    const cancel = this.#options.chain.onHead(() => void this.look())
    await this.look()
    return cancel
  }

  /** Resolves when the newest head has been looked at and what is due has been handed to the pool. Never rejects. */
  look(): Promise<void> {
    this.#isAskedAgain = this.#running !== null
    this.#running ??= this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    do {
      this.#isAskedAgain = false
      await this.#lookOnce().catch(this.#options.failed)
    } while (this.#isAskedAgain)
    this.#running = null
  }

  async #lookOnce(): Promise<void> {
    const { store, tools, ending, told, failed, chain, scope } = this.#options
    const before = store.read((tx) => loadDuties(tx, scope))
    if (before.jobs.length + before.slots.length === 0) return
    const seen = await this.#sight(before)
    if (seen === null) return
    const effects = await store.turn((tx) => {
      const known = loadDuties(tx, scope)
      const { state, effects: found } = schedule(tools, known, { kind: 'sight', sight: seen })
      saveDuties(tx, known, state, scope)
      for (const effect of found) {
        if (effect.kind === 'ended') ending?.(tx, effect.due, effect.outcome)
        if (effect.kind === 'mined') this.#keep(tx, effect)
      }
      return found
    })
    for (const effect of effects) {
      if (effect.kind === 'send') await chain.send(effect.raw).catch(failed)
      else if (effect.kind !== 'mined') told(effect)
    }
  }

  /** Null: the chain cannot say all of it now. */
  async #sight(state: DutyState): Promise<ChainSight | null> {
    const { chain, tools, gasPriceWei } = this.#options
    const [head, safe] = [chain.head(), chain.safe()]
    if (head === null) return null
    const account = await chain.account(head, tools.account)
    if (account === null) return null
    const safeAccount = safe === null ? null : await chain.account(safe, tools.account)
    const receipts = new Map<Hash, SeenReceipt>()
    for (const slot of state.slots)
      for (const { hash } of slot.versions) {
        const receipt = await chain.receipt(hash)
        if (receipt !== null) receipts.set(hash, receipt)
      }
    const orders = new Map<Hash, OrderVerdict>()
    if (safe !== null && safeAccount !== null)
      for (const order of ordersInDoubt(state, { number: safe.number, nonce: safeAccount.nonce }, receipts)) {
        const verdict = await proveOrder(chain, tools.keccak, safe, order)
        if (verdict !== null) orders.set(order.hash, verdict)
      }
    // What came in meanwhile is of another chain, perhaps: the next look sees one head only.
    if (chain.head()?.hash !== head.hash) return null
    return { head: head.number, accountNonce: account.nonce, balanceWei: account.balanceWei, safeNonce: safeAccount?.nonce ?? null, gasPriceWei: gasPriceWei(), receipts, orders }
  }
}
