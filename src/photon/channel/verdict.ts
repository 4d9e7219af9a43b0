/** What a verb answers, and what a channel tells the rest of the box about what it took in. */
import type { Address, Hash } from '../../base/index.ts'
import type { Hop, Lock, Message, Received, SettleTerms, WithdrawTerms } from '../ports.ts'
import type { Keccak } from '../wire/index.ts'
import type { ChannelRules } from './rules.ts'
import type { ChannelState } from './state.ts'

/** What the verbs work with besides their arguments. */
export interface ChannelTools {
  readonly keccak256: Keccak
  readonly rules: ChannelRules
}

/** Nothing changed. `code`: see `CODE`. */
export interface Refusal {
  readonly ok: false
  readonly code: number
  readonly reason: string
}

/** `message` is to be signed, `sealed` noted, stored and only then sent. */
export interface Sent<M extends Message = Message> {
  readonly ok: true
  readonly state: ChannelState
  readonly message: M
}

export interface Taken {
  readonly ok: true
  readonly state: ChannelState
  readonly facts: readonly ChannelFact[]
}

export interface Changed {
  readonly ok: true
  readonly state: ChannelState
}

/** A received message; `contractSigner`: who made `message.contractSignature`, for settle and withdraw messages. */
export interface ChannelReceived extends Received {
  readonly contractSigner?: Address | null
}

/** A lock that came in, with all that its message said. */
export interface LockArrival {
  readonly lock: Lock
  readonly amount: bigint
  readonly fee: bigint
  readonly initiator: Address
  readonly target: Address
  readonly path: readonly Hop[]
  readonly paymentId: Hash | null
}

export type ChannelFact =
  // ---- of a message. All of them: acknowledge it.
  /** Taken before. */
  | { readonly kind: 'duplicate'; readonly nonce: bigint }
  /** Understood and without effect, e.g. a disposal of a lock that is gone. */
  | { readonly kind: 'ignored'; readonly code: number; readonly reason: string }
  /** Final. `total`: the partner's transferred now. */
  | { readonly kind: 'direct-received'; readonly amount: bigint; readonly total: bigint; readonly nonce: bigint; readonly paymentId: Hash | null; readonly data: Uint8Array }
  | ({ readonly kind: 'lock-received' } & LockArrival)
  /** It is in the channel, but it must be given back: answer with `sendDisposed` and this code, forward nothing. */
  | ({ readonly kind: 'lock-unwelcome'; readonly code: number; readonly reason: string } & LockArrival)
  /** The partner paid a lock out: `lock.amount` is ours for good. */
  | { readonly kind: 'lock-unlocked'; readonly lock: Lock; readonly secret: Hash }
  /** The partner took an expired lock back. */
  | { readonly kind: 'lock-expired'; readonly lock: Lock }
  /** The partner gives up a lock of ours: answer with `sendDisposedResponse`. */
  | { readonly kind: 'lock-disposed'; readonly lock: Lock; readonly code: number; readonly reason: string; readonly hopIndex: number | null }
  /** The partner took back the lock that we gave up. */
  | { readonly kind: 'lock-released'; readonly lock: Lock }
  /** An envelope carried ticks that had been lost on the way. */
  | { readonly kind: 'stream-raised'; readonly by: bigint }
  | { readonly kind: 'withdraw-requested'; readonly terms: WithdrawTerms; readonly amount: bigint }
  | { readonly kind: 'withdraw-agreed'; readonly terms: WithdrawTerms }
  | { readonly kind: 'withdraw-refused'; readonly code: number; readonly reason: string }
  | { readonly kind: 'settle-requested'; readonly terms: SettleTerms }
  | { readonly kind: 'settle-agreed'; readonly terms: SettleTerms }
  | { readonly kind: 'settle-refused'; readonly code: number; readonly reason: string }
  | { readonly kind: 'in-sync' }
  /** Send the stored packets of these nonces again, byte for byte. If the one of `seenNonce` has another hash than `seenHash`: `freeze`. */
  | { readonly kind: 'must-resend'; readonly fromNonce: bigint; readonly toNonce: bigint; readonly seenNonce: bigint; readonly seenHash: Hash }
  /** The partner was restored from an old copy: give it back its own packets of these nonces, as received, in order. */
  | { readonly kind: 'must-return'; readonly fromNonce: bigint; readonly toNonce: bigint }
  /** We were: nothing is sent before the partner has given our packets back up to `nonce`. */
  | { readonly kind: 'restored-from-old-copy'; readonly nonce: bigint }
  | { readonly kind: 'own-adopted'; readonly message: Message; readonly nonce: bigint }
  | { readonly kind: 'wait-for-chain'; readonly theirEpoch: bigint }
  /** The channel is frozen; `dutiesOf` has the close. Tell the owner. */
  | { readonly kind: 'must-freeze'; readonly reason: string }
  // ---- of the chain
  | { readonly kind: 'deposited'; readonly participant: Address; readonly total: bigint }
  | { readonly kind: 'withdrawn'; readonly participant: Address; readonly total: bigint }
  | { readonly kind: 'claimed'; readonly payer: Address; readonly cumulative: bigint }
  | { readonly kind: 'closed'; readonly by: Address; readonly settleBlock: number }
  /** `payer`'s proof is in the contract with this nonce. */
  | { readonly kind: 'posted'; readonly payer: Address; readonly nonce: bigint }
  /** A proof of ours is in the contract that we do not know: somebody else signs with our key, or this is an old copy. */
  | { readonly kind: 'unknown-proof-posted'; readonly nonce: bigint }
  | { readonly kind: 'lock-unlocked-on-chain'; readonly payer: Address; readonly lockHash: Hash; readonly lock: Lock | null }
  /** `payer`: whose pending lock it opens. `isInTime` false: too late for that lock. */
  | { readonly kind: 'secret-on-chain'; readonly payer: Address; readonly secret: Hash; readonly secretHash: Hash; readonly isInTime: boolean }
  | { readonly kind: 'punished'; readonly cheater: Address; readonly lockHash: Hash }
  | { readonly kind: 'settled'; readonly cooperative: boolean; readonly ownAmount: bigint | null; readonly partnerAmount: bigint | null }

export function refuse(code: number, reason: string): Refusal {
  return { ok: false, code, reason }
}

export function ignored(state: ChannelState, code: number, reason: string): Taken {
  return { ok: true, state, facts: [{ kind: 'ignored', code, reason }] }
}

/** Stops the channel for good; `dutiesOf` then has the close with the partner's newest proof. */
export function frozen(state: ChannelState, reason: string): Taken {
  const isOnChain = state.phase === 'closed' || state.phase === 'settling' || state.phase === 'settled'
  if (isOnChain || state.phase === 'error') return { ok: true, state, facts: [{ kind: 'must-freeze', reason }] }
  return { ok: true, state: { ...state, phase: 'error', note: reason }, facts: [{ kind: 'must-freeze', reason }] }
}

/** `duplicate` beside `must-freeze`: the nonce has its packet, the second one is not to be stored. */
export function twice(stopped: Taken, nonce: bigint): Taken {
  return { ...stopped, facts: [{ kind: 'duplicate', nonce }, ...stopped.facts] }
}
