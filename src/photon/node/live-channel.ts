/** A channel in memory: its newest stored state, and which of our packets the partner has not acknowledged yet. */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelState } from '../channel/index.ts'

/** One of our packets on its way. */
export interface Outstanding {
  readonly nonce: bigint
  /** What its acknowledgement names. */
  readonly echo: Hash
  readonly packet: Uint8Array
  readonly delivered: (() => void) | null
}

/** Packets of one channel on their way at once; v1 waits for each. */
export const MAX_IN_FLIGHT = 1024
const FIRST_RESEND_MS = 1_000
/** A partner that has not said where it stands may not have known the channel when we said it: the chain told one of us first. */
const GREET_AGAIN_MS = 3_000
const LAST_RESEND_MS = 60_000
/** What is not taken comes again and again: it is told that seldom. */
const TELL_REFUSAL_EVERY_MS = 600_000

export class LiveChannel {
  readonly number: number
  readonly partner: Address
  /** As it is on disk. */
  state: ChannelState
  /** All nonces of ours up to this one are known to have arrived. */
  acked: bigint
  storedAcked: bigint
  /** The partner has said on this connection what it knows. */
  hasMet = false
  /** Since we said last where we stand, a packet of the partner's was not taken; it may be when the chain has said more. */
  hasRefused = false
  readonly #isOneByOne: boolean
  #outstanding: Outstanding[] = []
  /** How many of them went out on this connection. */
  #sent = 0
  #resendAt = 0
  #resendDelay = FIRST_RESEND_MS
  #greetedAt = -GREET_AGAIN_MS
  #toldRefusalAt = -TELL_REFUSAL_EVERY_MS

  constructor(number: number, acked: bigint, state: ChannelState) {
    this.number = number
    this.acked = acked
    this.storedAcked = acked
    this.state = state
    this.partner = state.partner.address
    this.#isOneByOne = state.domain.profile === 'v1'
  }

  /** Both ends have told each other what they know, on this connection, and nothing has put that in doubt since: packets may go out. */
  get isInSync(): boolean {
    return this.hasMet && this.state.sync.kind === 'in-sync'
  }

  get inFlight(): number {
    return this.#outstanding.length
  }

  get oldestOutstanding(): bigint | null {
    return this.#outstanding[0]?.nonce ?? null
  }

  /** After it was stored, in the order of the nonces. */
  add(outstanding: Outstanding): void {
    this.#outstanding.push(outstanding)
  }

  /** Read from disk: older than all that is on its way. */
  addBefore(older: readonly Outstanding[]): void {
    this.#outstanding = [...older, ...this.#outstanding]
    this.#sent = 0
  }

  /** We have said where we stand. */
  greeted(nowMs: number): void {
    this.#greetedAt = nowMs
    this.hasRefused = false
  }

  /** A packet of the partner's was not taken. True: the owner has not been told of one for some time. */
  refused(nowMs: number): boolean {
    this.hasRefused = true
    if (nowMs - this.#toldRefusalAt < TELL_REFUSAL_EVERY_MS) return false
    this.#toldRefusalAt = nowMs
    return true
  }

  isGreetingDue(nowMs: number): boolean {
    return nowMs - this.#greetedAt >= GREET_AGAIN_MS
  }

  /** The connection is gone or new: nothing counts as sent. */
  forgetSent(): void {
    this.#sent = 0
    this.#resendDelay = FIRST_RESEND_MS
  }

  /** What may go out now; the caller sends all of it. */
  takeUnsent(nowMs: number): readonly Outstanding[] {
    const end = this.#isOneByOne ? Math.min(1, this.#outstanding.length) : this.#outstanding.length
    if (this.#sent >= end) return []
    const some = this.#outstanding.slice(this.#sent, end)
    if (this.#sent === 0) this.#resendAt = nowMs + this.#resendDelay
    this.#sent = end
    return some
  }

  /** The partner has `echo`, and all before it. False: it is none of ours on its way. */
  acknowledge(echo: Hash, nowMs: number): boolean {
    const index = this.#outstanding.findIndex((packet) => packet.echo === echo)
    const newest = this.#outstanding[index]
    if (newest === undefined) return false
    this.#arrived(index + 1, newest.nonce, nowMs)
    return true
  }

  /** The partner says that it has seen all up to `nonce`. */
  seenUpTo(nonce: bigint, nowMs: number): void {
    const count = this.#outstanding.findIndex((packet) => packet.nonce > nonce)
    const arrived = count < 0 ? this.#outstanding.length : count
    if (arrived > 0 && nonce > this.acked) this.#arrived(arrived, nonce, nowMs)
  }

  /** Sends all of it again if its time has come. */
  resend(nowMs: number): void {
    if (this.#sent === 0 || nowMs < this.#resendAt) return
    this.#sent = 0
    this.#resendDelay = Math.min(2 * this.#resendDelay, LAST_RESEND_MS)
  }

  #arrived(count: number, nonce: bigint, nowMs: number): void {
    const arrived = this.#outstanding.splice(0, count)
    this.#sent = Math.max(0, this.#sent - count)
    if (nonce > this.acked) this.acked = nonce
    this.#resendDelay = FIRST_RESEND_MS
    this.#resendAt = nowMs + FIRST_RESEND_MS
    for (const packet of arrived) packet.delivered?.()
  }
}
