/**
 * A payout's money on its way, once: directly by its reference, or over other boxes under a hash that is on disk before anything is locked.
 * What to do next is decided from what is on disk and what the channels say, each time anew; so it goes on after a crash anywhere.
 */
import { createHash, createHmac } from 'node:crypto'
import { MeshBoxError, bytesOf, hexOf, utf8 } from '../base/index.ts'
import type { Hash, Timers } from '../base/index.ts'
import { LOOKED_AT, NEXT_LOOK_MS, PaidOnce } from '../ledger/index.ts'
import type { PaymentOrderTerms } from '../ledger/index.ts'
import type { Store } from '../store/index.ts'
import { noteMark, readMark } from './io/tables.ts'
import { countTries, insertTry, liveTry, noteTryFailed, noteTryPaid } from './io/try-tables.ts'
import { maxFeeOf, nextMove } from './route-choice.ts'
import { NOTE, routedNote } from './statement/index.ts'
import type { LockStanding, Payout, PayoutChannels, PayoutTry } from './types.ts'

export interface PayingParts {
  readonly store: Store
  readonly timers: Timers
  /** Secrets of the tries are made of it: never on disk before they are locked with, and the same again where the book is an old copy. */
  readonly secretKey: Uint8Array
  readonly maxFeePpm: () => number
}

const LOOK_MS = 1000
/** No channel with the recipient, or it cannot give so much. */
const CHANNEL_CODES: ReadonlySet<string> = new Set(['photon-channel', 'photon-refused'])

export class Paying {
  readonly #parts: PayingParts
  readonly #direct: PaidOnce
  #channels: PayoutChannels | null = null

  constructor(parts: PayingParts) {
    this.#parts = parts
    this.#direct = new PaidOnce({ note: NOTE, room: 'payout', store: parts.store, timers: parts.timers, readMark, noteMark })
  }

  /** Null: the room has gone. */
  use(channels: PayoutChannels | null): void {
    this.#channels = channels
    this.#direct.use(channels)
  }

  /** Resolves when the recipient has it, or can claim it from whoever stands before him. Errors: as `PaidOnce.pay`; conflict `payout-lock-failed`, `payout-known-there`. */
  async pay(payout: Payout): Promise<void> {
    for (;;) {
      const live = this.#live(payout)
      const standing = live === null ? null : await this.#standing(payout, live)
      const move = await this.#move(payout, standing)
      if (move === 'done') return
      if (move === 'direct') return this.#payDirectly(payout)
      if (move === 'begin') await this.#begin(payout)
      else if (live !== null) await this.#goOn(payout, live, standing, move)
    }
  }

  /** Whether money of it has left this box, may be leaving it, or is locked where it could still be claimed. Where only the recipient can say, it is the owner who decides. Errors: as `pay`. */
  async hasLeft(payout: Payout): Promise<boolean> {
    const live = this.#live(payout)
    if (live === null) return !(await this.#direct.mayBeGivenUp(orderOf(payout)))
    const standing = await this.#standing(payout, live)
    if (standing === 'paid' || (standing !== 'never' && standing.state !== 'failed')) return true
    await this.#parts.store.turn((tx) => noteTryFailed(tx, live, standing === 'never' ? 'given up before it was ordered' : standing.problem))
    return false
  }

  /** As far as can be said at once: of a payout over other boxes that is not paid yet. */
  look(payout: Payout): { readonly live: PayoutTry; readonly standing: LockStanding | null } | null {
    const live = this.#live(payout)
    return live === null ? null : { live, standing: this.#channels?.locked.standing(payout.tokenAddress, live.secretHash) ?? null }
  }

  async #move(payout: Payout, live: LockStanding | 'never' | 'paid' | null): Promise<ReturnType<typeof nextMove>> {
    const { amount, to, tokenAddress: token } = payout
    const facts = { amount, live, hasLeftDirectly: false, spendable: null, hasWay: false }
    if (live !== null) return nextMove(facts)
    const hasLeftDirectly = await this.#direct.hasLeft(orderOf(payout))
    const spendable = this.#now().spendable(to, token)
    const first = nextMove({ ...facts, hasLeftDirectly, spendable, hasWay: true })
    return first === 'begin' ? nextMove({ ...facts, spendable, hasWay: this.#now().locked.hasWay({ to, token, amount, maxFee: this.#maxFee(payout) }) }) : first
  }

  async #goOn(payout: Payout, live: PayoutTry, standing: LockStanding | 'never' | 'paid' | null, move: ReturnType<typeof nextMove>): Promise<void> {
    const { store } = this.#parts
    if (move === 'lock') {
      const { to, tokenAddress: token, amount, reference } = payout
      return this.#now().locked.pay({ to, token, amount, maxFee: live.maxFee, reference, secret: this.#secretOf(reference, live.number), data: utf8(routedNote(reference)) })
    }
    if (move === 'wait') return this.#wait(LOOK_MS)
    if (typeof standing === 'string' || standing === null) return
    if (standing.state === 'sent') return store.turn((tx) => noteTryPaid(tx, live, standing.fee, standing.via))
    if (standing.state !== 'failed') return
    if (move === 'ask')
      throw new MeshBoxError('conflict', `the recipient says that he was paid under ${live.secretHash} before (this book may be an old copy): ask him for his history; if he was not, give it up with \`meshbox payout resume ${payout.id} --anew\``, { code: 'payout-known-there' })
    await store.turn((tx) => noteTryFailed(tx, live, standing.problem))
    throw new MeshBoxError('conflict', `over other boxes it came to nothing, and is back: ${standing.problem}`, { code: 'payout-lock-failed' })
  }

  /** Its hash is on disk when it resolves; nothing is ordered yet. */
  #begin(payout: Payout): Promise<void> {
    const channels = this.#now()
    const historyId = channels.newest()
    return this.#parts.store.turn((tx) => {
      const number = countTries(tx, payout.id) + 1
      insertTry(tx, { payout: payout.id, number, secretHash: hashOf(this.#secretOf(payout.reference, number)), maxFee: this.#maxFee(payout), contract: channels.locked.contract, historyId, outcome: null, paid: null })
    })
  }

  async #payDirectly(payout: Payout): Promise<void> {
    const { amount, to, tokenAddress } = payout
    const spendable = this.#now().spendable(to, tokenAddress)
    try {
      await this.#direct.pay(orderOf(payout))
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError) || !CHANNEL_CODES.has(thrown.code) || (spendable !== null && spendable >= amount)) throw thrown
      throw new MeshBoxError(thrown.kind, `${thrown.message}; and over other boxes there is no way now that costs at most ${this.#maxFee(payout)} units (payout.max_fee_ppm)`, { code: thrown.code })
    }
  }

  /** What the channels have of it; of one that ended long ago, their history. */
  async #standing({ tokenAddress }: Payout, { secretHash, contract, historyId, outcome }: PayoutTry): Promise<LockStanding | 'never' | 'paid'> {
    if (outcome === 'paid') return 'paid'
    const now = hexOf(bytesOf(this.#now().locked.contract)) // the configuration may have it in capitals
    if (contract !== null && contract !== now)
      throw new MeshBoxError('conflict', `it may be locked in a channel of the contract ${contract}, and photon.contract is ${now}, which knows nothing of it: set photon.contract back until this payout has ended`, { code: 'payout-other-contract' })
    const kept = this.#now().locked.standing(tokenAddress, secretHash)
    if (kept !== null) return kept
    let newest: LockStanding | 'never' = 'never'
    for (let at: number | null = historyId; at !== null; ) {
      const { payments, lookedTo } = this.#now().locked.endedAfter(at, LOOKED_AT)
      newest = payments.findLast((payment) => payment.secretHash === secretHash)?.standing ?? newest
      at = lookedTo
      if (at !== null) await this.#wait(NEXT_LOOK_MS)
    }
    return newest
  }

  #live({ id }: Payout): PayoutTry | null {
    return this.#parts.store.read((tx) => liveTry(tx, id))
  }

  #maxFee({ amount }: Payout): bigint {
    return maxFeeOf(amount, this.#parts.maxFeePpm())
  }

  #secretOf(reference: Hash, number: number): Hash {
    return hexOf(createHmac('sha256', this.#parts.secretKey).update(`${reference} ${number}`).digest())
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.timers.after(delayMs, resolve))
  }

  #now(): PayoutChannels {
    if (this.#channels === null) throw new MeshBoxError('unavailable', 'payment channels are not up yet', { code: 'payout-no-channels', retryAfterSeconds: 30 })
    return this.#channels
  }
}

function hashOf(secret: Hash): Hash {
  return hexOf(createHash('sha256').update(Buffer.from(secret.slice(2), 'hex')).digest())
}

function orderOf({ to, tokenAddress, amount, reference }: Payout): PaymentOrderTerms {
  return { to, token: tokenAddress, amount, reference }
}
