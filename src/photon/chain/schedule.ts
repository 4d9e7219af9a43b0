/**
 * The deadline scheduler (photon.md 9.9): which transaction of the account goes out next, at which nonce and price, and
 * what is done. Pure: state and input in, state and effects out; the shell stores the state first and then sends. What
 * is not sent because of a crash is sent with the next head, byte for byte the same.
 *
 *  - A job's calls take nonces in the order of deadlines. A nonce once taken stays in the list until a transaction of it
 *    is `depth` blocks deep; if its duty is dropped it carries a payment of nothing to ourselves, so that no gap blocks
 *    the nonces behind it.
 *  - Every few blocks what is not mined goes out again; with the price raised by an eighth where a deadline at this
 *    nonce or behind it comes near, or the going price has risen.
 *  - Mined means: in the canonical chain as of this head. A reorganisation makes it unmined, and it is sent again.
 */
import type { ChannelEvent, ChannelKey, SecretEvent } from '../ports.ts'
import { isOnceOnly } from './box-duty.ts'
import type { BoxDuty, DueBoxDuty } from './box-duty.ts'
import type { ContractCall } from './calls.ts'
import { contentOf, dutyId, isSettledBy } from './duty-state.ts'
import type { DutyJob, DutyOutcome, DutyState, NonceSlot, SentVersion } from './duty-state.ts'
import type { OrderVerdict } from './order-proof.ts'
import type { ChainSight, DutyAlarm, ScheduleEffect, ScheduleInput, ScheduleTools, Scheduled, SeenReceipt } from './schedule-terms.ts'

/** How long an ended duty is remembered: far longer than it takes until its event is told. */
const REMEMBER_BLOCKS = 1_000
const FILLER_GAS = 21_000n
const RETRY_BLOCKS = 4
/** A receipt that is not to be had now may be had soon. */
const RECEIPT_WAIT_BLOCKS = 64

export function schedule(tools: ScheduleTools, state: DutyState, input: ScheduleInput): Scheduled {
  switch (input.kind) {
    case 'put':
      return put(tools, state, input.due, input.head)
    case 'event':
      return onEvent(tools, state, input.event)
    case 'drop':
      return dropped(state, input.key, input.duty)
    case 'restarted':
      return { state: { ...state, slots: state.slots.map((slot) => ({ ...slot, sentAt: null })) }, effects: [] }
    case 'sight':
      return new Turn(tools, state, input.sight).run()
  }
}

function put(tools: ScheduleTools, state: DutyState, due: DueBoxDuty, head: number): Scheduled {
  const id = dutyId(due, state.nextSequence)
  const calls = tools.callsOf(due)
  const content = contentOf(calls)
  if (state.ended.some((one) => one.id === id && one.content === content)) return { state, effects: [] }
  if (due.deadlineBlock !== null && due.deadlineBlock < head) return { state, effects: [] }
  const known = state.jobs.find((job) => job.id === id)
  if (known !== undefined && contentOf(known.calls) === content) {
    // The same thing, perhaps sooner or later than before.
    const jobs = state.jobs.map((one) => (one.id === id ? { ...one, due } : one))
    return { state: sameTimes(known.due, due) ? state : { ...state, jobs }, effects: [] }
  }
  const job: DutyJob = { id, sequence: known?.sequence ?? state.nextSequence, due, calls, attempts: 0, notBefore: 0 }
  const jobs = known === undefined ? [...state.jobs, job] : state.jobs.map((one) => (one.id === id ? job : one))
  // What is in the pool says the old thing: the next sending replaces it.
  const slots = state.slots.map((slot) => (slot.job === id ? { ...slot, sentAt: null } : slot))
  return { state: { ...state, jobs, slots, nextSequence: state.nextSequence + 1 }, effects: [] }
}

function sameTimes(a: DueBoxDuty, b: DueBoxDuty): boolean {
  return a.fromBlock === b.fromBlock && a.deadlineBlock === b.deadlineBlock
}

function onEvent(tools: ScheduleTools, state: DutyState, event: ChannelEvent | SecretEvent): Scheduled {
  const isOver = (due: DueBoxDuty): boolean => (event.kind === 'secret' ? due.duty.kind === 'register-secret' && due.duty.secret === event.secret : isSettledBy(tools.keccak, due, event))
  let next = state
  const effects: ScheduleEffect[] = []
  for (const job of state.jobs.filter((one) => isOver(one.due))) {
    next = ended(next, job, 'pointless', event.block)
    effects.push({ kind: 'ended', due: job.due, outcome: 'pointless' })
  }
  return { state: next, effects }
}

/** Not remembered as ended: it may be wanted again. */
function dropped(state: DutyState, { channel, epoch }: ChannelKey, kind: BoxDuty['kind']): Scheduled {
  const gone = state.jobs.filter(({ due }) => due.duty.kind === kind && due.key?.channel === channel && due.key.epoch === epoch)
  const isGone = new Set(gone.map((job) => job.id))
  if (gone.length === 0) return { state, effects: [] }
  const slots = state.slots.map((slot) => (slot.job !== null && isGone.has(slot.job) ? { ...slot, job: null, step: 0 } : slot))
  return { state: { ...state, jobs: state.jobs.filter((job) => !isGone.has(job.id)), slots }, effects: gone.map(({ due }) => ({ kind: 'ended', due, outcome: 'pointless' })) }
}

/** Its nonces stay, for nothing, until they are mined. */
function ended(state: DutyState, job: DutyJob, outcome: DutyOutcome, block: number): DutyState {
  const note = { id: job.id, content: contentOf(job.calls), outcome, block }
  return {
    ...state,
    jobs: state.jobs.filter((one) => one.id !== job.id),
    slots: state.slots.map((slot) => (slot.job === job.id ? { ...slot, job: null, step: 0 } : slot)),
    ended: [...state.ended.filter((one) => one.id !== job.id), note],
    alarms: state.alarms.filter((alarm) => !alarm.endsWith(` ${job.id}`)),
  }
}

interface Mined {
  readonly version: SentVersion
  readonly block: number
  readonly succeeded: boolean
  readonly receipt: SeenReceipt
}

/** One look at the chain, from what is mined to what goes out. */
class Turn {
  readonly #tools: ScheduleTools
  readonly #sight: ChainSight
  readonly #effects: ScheduleEffect[] = []
  #state: DutyState

  constructor(tools: ScheduleTools, state: DutyState, sight: ChainSight) {
    this.#tools = tools
    this.#sight = sight
    this.#state = state
  }

  run(): Scheduled {
    this.#releaseForeignNonces()
    this.#judgeMined()
    this.#dropLate()
    this.#closeGaps()
    this.#begin()
    this.#send()
    this.#forget()
    return { state: this.#state, effects: this.#effects }
  }

  #mined(slot: NonceSlot): Mined | null {
    for (const version of slot.versions) {
      const receipt = this.#sight.receipts.get(version.hash)
      if (receipt !== undefined && receipt.point.number <= this.#sight.head) return { version, block: receipt.point.number, succeeded: receipt.succeeded, receipt }
    }
    return null
  }

  #isDeep(mined: Mined): boolean {
    return this.#sight.head - mined.block >= this.#tools.rules.depth
  }

  #jobOf(slot: NonceSlot): DutyJob | undefined {
    return this.#state.jobs.find((job) => job.id === slot.job)
  }

  #slotsOf(job: DutyJob): readonly NonceSlot[] {
    return this.#state.slots.filter((slot) => slot.job === job.id)
  }

  #removeSlots(isGone: (slot: NonceSlot) => boolean): void {
    this.#state = { ...this.#state, slots: this.#state.slots.filter((slot) => !isGone(slot)) }
  }

  #end(job: DutyJob, outcome: DutyOutcome): void {
    this.#state = ended(this.#state, job, outcome, this.#sight.head)
    this.#effects.push({ kind: 'ended', due: job.due, outcome })
  }

  #alarm(alarm: DutyAlarm, job: DutyJob | null, detail: string): void {
    const name = `${alarm} ${job?.id ?? 'account'}`
    if (this.#state.alarms.includes(name)) return
    this.#state = { ...this.#state, alarms: [...this.#state.alarms, name] }
    this.#effects.push({ kind: 'alarm', alarm, due: job?.due ?? null, detail })
  }

  /** A nonce that somebody else with our key has used up for good: its job begins again at another one. */
  #releaseForeignNonces(): void {
    const { safeNonce } = this.#sight
    if (safeNonce === null) return
    const isForeign = (slot: NonceSlot): boolean => slot.nonce < safeNonce && this.#mined(slot) === null
    this.#endUnseen(isForeign)
    this.#endUnseenOrders(isForeign)
    const foreign = this.#state.slots.filter((slot) => isForeign(slot) && slot.unseenSince === undefined && !this.#isUnproved(slot))
    const jobs = new Set(foreign.map((slot) => slot.job))
    this.#removeSlots((slot) => foreign.includes(slot))
    // A job of two calls begins again as a whole; what of it is still out becomes a payment of nothing.
    this.#state = { ...this.#state, slots: this.#state.slots.map((slot) => (slot.job !== null && jobs.has(slot.job) ? { ...slot, job: null, step: 0 } : slot)) }
  }

  /**
   * What would move money twice is not begun again because a receipt is missing: it may be the box's own transaction, in a block that
   * is not kept any more or cannot be had now. The receipt is waited for; then the duty ends and somebody is told.
   */
  #endUnseen(isForeign: (slot: NonceSlot) => boolean): void {
    const { head } = this.#sight
    const isWaiting = (slot: NonceSlot): boolean => {
      const job = this.#jobOf(slot)
      return job !== undefined && isOnceOnly(job.due.duty) && slot.versions.length > 0 && isForeign(slot)
    }
    const slots = this.#state.slots.map((slot): NonceSlot => {
      if (isWaiting(slot)) return slot.unseenSince === undefined ? { ...slot, unseenSince: head } : slot
      const { unseenSince, ...seen } = slot
      return unseenSince === undefined ? slot : seen
    })
    this.#state = { ...this.#state, slots }
    for (const job of this.#state.jobs) {
      if (!this.#slotsOf(job).some(({ unseenSince = head }) => head - unseenSince >= RECEIPT_WAIT_BLOCKS)) continue
      this.#alarm('unseen', job, 'its nonce is used up and there is no receipt of it; it is not sent again. Look whether it is done, and order it anew if it is not')
      this.#end(job, 'unseen')
    }
    // Those that have waited long enough are nobody's now, and go with the others' used-up nonces.
    this.#state = { ...this.#state, slots: this.#state.slots.map((slot) => (slot.job === null && slot.unseenSince !== undefined ? { nonce: slot.nonce, job: null, step: 0, versions: slot.versions, sentAt: slot.sentAt } : slot)) }
  }

  /** The purse knows what became of a guest's order. One that was not carried out has cost gas, and costs none again. */
  #endUnseenOrders(isForeign: (slot: NonceSlot) => boolean): void {
    for (const job of this.#state.jobs) {
      const verdict = this.#verdictOf(job)
      const slot = this.#slotsOf(job).find(isForeign)
      if (slot === undefined || verdict === undefined) continue
      // Given up for a payment of nothing on the way, it may be that which was mined.
      const isSure = slot.versions.length > 0 && slot.versions.every(({ call }) => contentOf([call]) === contentOf(job.calls))
      if (verdict !== 'open' || isSure) this.#end(job, verdict === 'done' ? 'done' : 'reverted')
    }
  }

  #isUnproved(slot: NonceSlot): boolean {
    const job = this.#jobOf(slot)
    return job?.due.duty.kind === 'purse' && this.#verdictOf(job) === undefined
  }

  #verdictOf({ due: { duty } }: DutyJob): OrderVerdict | undefined {
    return duty.kind === 'purse' ? this.#sight.orders.get(duty.hash) : undefined
  }

  /** Another ending than by a receipt. A guest's order is not said to have failed before that is proved, for it may have been carried out by what nobody remembers. */
  #endWithout(job: DutyJob, outcome: 'reverted' | 'late', alarm: string): void {
    const verdict = this.#verdictOf(job)
    const isOrder = job.due.duty.kind === 'purse'
    if (isOrder && verdict === undefined) return
    if (verdict === 'done') return this.#end(job, 'done')
    // A stranger's mistake is not the owner's; to be late is.
    if (!isOrder || outcome === 'late') this.#alarm(outcome, job, alarm)
    this.#end(job, outcome)
  }

  #judgeMined(): void {
    for (const job of this.#state.jobs) {
      const slots = this.#slotsOf(job)
      const mined = slots.map((slot) => this.#mined(slot))
      // Changed too late: what was mined is what was wanted before. It is wanted anew, and at once.
      if (slots.some((slot, index) => this.#isOther(job.calls[slot.step], mined[index] ?? null))) {
        this.#detach(job)
        continue
      }
      const failed = mined.find((one) => one?.succeeded === false)
      if (failed !== undefined && failed !== null) this.#retry(job, failed)
      else if (slots.length > 0 && mined.every((one) => one !== null && this.#isDeep(one))) this.#end(job, 'done')
    }
    this.#removeSlots((slot) => {
      const mined = slot.job === null ? this.#mined(slot) : null
      if (mined === null || !this.#isDeep(mined)) return false
      const { hash, gasPriceWei, cause } = mined.version
      if (cause !== undefined) this.#effects.push({ kind: 'mined', hash, gasPriceWei, cause, receipt: mined.receipt })
      return true
    })
  }

  #isOther(wanted: ContractCall | undefined, mined: Mined | null): boolean {
    return mined !== null && (wanted === undefined || contentOf([mined.version.call]) !== contentOf([wanted]))
  }

  #detach(job: DutyJob): void {
    this.#state = { ...this.#state, slots: this.#state.slots.map((slot) => (slot.job === job.id ? { ...slot, job: null, step: 0 } : slot)) }
  }

  #retry(job: DutyJob, failed: Mined): void {
    const attempts = job.attempts + 1
    // In another chain it may succeed: only a deadline makes it worth trying before that is ruled out.
    const isPressed = job.due.deadlineBlock !== null && job.due.deadlineBlock - this.#sight.head <= this.#tools.rules.hurryBlocks
    if (!isPressed && !this.#isDeep(failed)) return
    // A stranger's order that failed once costs no gas again.
    if (attempts >= (job.due.duty.kind === 'purse' ? 1 : this.#tools.rules.maxAttempts)) {
      return this.#isDeep(failed) ? this.#endWithout(job, 'reverted', `failed ${attempts} times, last in block ${failed.block}`) : undefined
    }
    this.#detach(job)
    const again = { ...job, attempts, notBefore: failed.block + RETRY_BLOCKS }
    this.#state = { ...this.#state, jobs: this.#state.jobs.map((one) => (one.id === job.id ? again : one)) }
  }

  #dropLate(): void {
    for (const job of this.#state.jobs) {
      const { deadlineBlock } = job.due
      if (deadlineBlock === null) continue
      const slots = this.#slotsOf(job)
      const isMined = slots.length > 0 && slots.every((slot) => this.#mined(slot) !== null)
      if (isMined) continue
      const left = deadlineBlock - this.#sight.head
      if (left < 0) {
        // Not before it is sure: a reorganisation may still bring it back.
        if (-left < this.#tools.rules.depth) continue
        this.#endWithout(job, 'late', `not in the chain by block ${deadlineBlock}`)
      } else if (left <= this.#tools.rules.alarmBlocks && job.due.fromBlock <= this.#sight.head) this.#alarm('deadline-near', job, `${left} blocks left`)
    }
  }

  /** Nonces that the chain has not seen and nobody of ours has: left by transactions that a reorganisation undid. */
  #closeGaps(): void {
    const { slots } = this.#state
    const last = slots.at(-1)
    if (last === undefined) return
    const taken = new Set(slots.map((slot) => slot.nonce))
    const fillers: NonceSlot[] = []
    for (let nonce = this.#sight.accountNonce; nonce < last.nonce && fillers.length < this.#tools.rules.maxSlots; nonce++) if (!taken.has(nonce)) fillers.push({ nonce, job: null, step: 0, versions: [], sentAt: null })
    if (fillers.length > 0) this.#state = { ...this.#state, slots: [...slots, ...fillers].sort(byNonce) }
  }

  #begin(): void {
    const { rules } = this.#tools
    const isReady = (job: DutyJob): boolean => Math.max(job.due.fromBlock, job.notBefore) <= this.#sight.head + 1 && !this.#isPast(job) && this.#slotsOf(job).length === 0
    const ready = this.#state.jobs.filter(isReady).sort((a, b) => (a.due.deadlineBlock ?? Infinity) - (b.due.deadlineBlock ?? Infinity) || a.sequence - b.sequence)
    for (const job of ready) {
      if (this.#state.slots.length + job.calls.length > rules.maxSlots) return
      const last = this.#state.slots.at(-1)
      const behind = last === undefined ? 0n : last.nonce + 1n
      const first = behind > this.#sight.accountNonce ? behind : this.#sight.accountNonce
      const slots = job.calls.map((_, step): NonceSlot => ({ nonce: first + BigInt(step), job: job.id, step, versions: [], sentAt: null }))
      this.#state = { ...this.#state, slots: [...this.#state.slots, ...slots] }
    }
  }

  #isPast(job: DutyJob): boolean {
    return job.due.deadlineBlock !== null && job.due.deadlineBlock <= this.#sight.head
  }

  /** The nearest deadline of this nonce and of those that wait behind it. */
  #urgency(slot: NonceSlot): number {
    let nearest = Infinity
    for (const other of this.#state.slots) if (other.nonce >= slot.nonce) nearest = Math.min(nearest, this.#jobOf(other)?.due.deadlineBlock ?? Infinity)
    return nearest
  }

  #send(): void {
    const { rules } = this.#tools
    let moneyWei = this.#sight.balanceWei
    const slots: NonceSlot[] = []
    let isPoor = false
    for (const slot of this.#state.slots) {
      const sent = this.#mined(slot) !== null || slot.nonce < this.#sight.accountNonce ? slot : this.#sendOne(slot, moneyWei)
      const version = sent.versions.at(-1)
      if (this.#mined(slot) === null && version !== undefined) moneyWei -= costOf(version.call, version.gasPriceWei)
      if (moneyWei < 0n) isPoor = true
      slots.push(sent)
    }
    this.#state = { ...this.#state, slots }
    if (isPoor) this.#alarm('gas-money', null, `${this.#sight.balanceWei} wei do not pay for ${slots.length} transactions`)
    else this.#state = { ...this.#state, alarms: this.#state.alarms.filter((alarm) => alarm !== 'gas-money account') }
    const isCapped = (slot: NonceSlot): boolean => raisedPrice(slot.versions.at(-1)?.gasPriceWei ?? 0n) > rules.maxGasPriceWei && this.#mined(slot) === null && this.#urgency(slot) < Infinity
    if (slots.some(isCapped)) this.#alarm('price-cap', null, `${rules.maxGasPriceWei} wei is the most that is paid`)
    else this.#state = { ...this.#state, alarms: this.#state.alarms.filter((alarm) => alarm !== 'price-cap account') }
  }

  /** What goes out for a nonce now, if anything. It is sent even where money lacks: money may come before the next look. */
  #sendOne(slot: NonceSlot, moneyWei: bigint): NonceSlot {
    const { rules, account, seal } = this.#tools
    const { head, gasPriceWei } = this.#sight
    const newest = slot.versions.at(-1)
    const job = this.#jobOf(slot)
    // Past its deadline it would only fail, and cost more than nothing does.
    const call: ContractCall = (job === undefined || this.#isPast(job) ? undefined : job.calls[slot.step]) ?? { to: account, data: new Uint8Array(0), gas: FILLER_GAS }
    const isOther = newest !== undefined && contentOf([newest.call]) !== contentOf([call])
    const isDue = slot.sentAt === null || head - slot.sentAt >= rules.resendBlocks || head < slot.sentAt
    if (!isDue && !isOther) return slot
    const going = gasPriceWei < rules.maxGasPriceWei ? gasPriceWei : rules.maxGasPriceWei
    const isHurried = this.#urgency(slot) - head <= rules.hurryBlocks && slot.sentAt !== null
    const raised = newest === undefined ? going : raisedPrice(newest.gasPriceWei)
    const mustRaise = newest !== undefined && (isOther || isHurried || going >= raised)
    const wanted = newest === undefined ? going : mustRaise ? (going > raised ? going : raised) : newest.gasPriceWei
    // A pool takes nothing for a nonce but what pays an eighth more: then the old version goes out again.
    const isPossible = wanted <= rules.maxGasPriceWei && (newest === undefined || wanted === newest.gasPriceWei || costOf(call, wanted) <= moneyWei || isOther)
    if (!isPossible && newest !== undefined) return this.#sendAgain(slot, newest)
    if (newest !== undefined && wanted === newest.gasPriceWei) return this.#sendAgain(slot, newest)
    const sealed = seal({ nonce: slot.nonce, gasPriceWei: wanted, ...call })
    this.#effects.push({ kind: 'send', nonce: slot.nonce, ...sealed })
    const cause = job !== undefined && call === job.calls[slot.step] ? { due: job.due, step: slot.step, steps: job.calls.length, head: slot.versions.find((one) => one.cause !== undefined)?.cause?.head ?? head } : undefined
    return { ...slot, versions: [...slot.versions, { hash: sealed.hash, gasPriceWei: wanted, call, ...(cause === undefined ? {} : { cause }) }], sentAt: head }
  }

  #sendAgain(slot: NonceSlot, version: SentVersion): NonceSlot {
    this.#effects.push({ kind: 'send', nonce: slot.nonce, ...this.#tools.seal({ nonce: slot.nonce, gasPriceWei: version.gasPriceWei, ...version.call }) })
    return { ...slot, sentAt: this.#sight.head }
  }

  #forget(): void {
    const { head } = this.#sight
    const isFresh = ({ block }: { readonly block: number }): boolean => head - block < REMEMBER_BLOCKS
    if (!this.#state.ended.every(isFresh)) this.#state = { ...this.#state, ended: this.#state.ended.filter(isFresh) }
  }
}

function costOf(call: ContractCall, gasPriceWei: bigint): bigint {
  return call.gas * gasPriceWei + (call.valueWei ?? 0n)
}

/** What a pool takes in place of it: an eighth more. */
function raisedPrice(priceWei: bigint): bigint {
  return priceWei + priceWei / 8n + 1n
}

function byNonce(a: NonceSlot, b: NonceSlot): number {
  return a.nonce < b.nonce ? -1 : 1
}
