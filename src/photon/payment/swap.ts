/**
 * Two payments under one hash, in two tokens (photon.md 9.7). The maker knows the secret and locks first; the taker
 * locks back for a shorter time; the maker takes the taker's lock, which shows the secret, and the taker takes the
 * maker's. The record is written before the first packet; both legs are ordinary records of an initiator and a target
 * under the same hash, so a crash at any point finds them and goes on.
 */
import { CODE } from './codes.ts'
import { holdback, isFarFromEnd } from './deadlines.ts'
import { secretHashOf } from '../channel/index.ts'
import { lockedAmount } from './initiator.ts'
import { STATUS, initiatorId, swapId, targetId } from './state.ts'
import type { Failure, InitiatorState, SwapState, TargetState } from './state.ts'
import { heldParts } from './target.ts'
import type { Expectation } from './target.ts'
import type { SwapOrder } from './turn.ts'
import type { PaymentView } from './view.ts'

export function swapOf(order: SwapOrder, view: PaymentView): SwapState {
  const { pay } = order
  return {
    role: 'swap',
    id: swapId(pay.secretHash),
    token: pay.token,
    secretHash: pay.secretHash,
    secret: order.side === 'maker' ? pay.secret : null,
    registeredBlock: null,
    isEnded: false,
    side: order.side,
    pay,
    receivingToken: order.receivingToken,
    receivingAmount: order.receivingAmount,
    deadlineBlock: view.moment.block + view.rules.swapTimeoutBlocks,
    outcome: 'open',
  }
}

export function swapFault(order: SwapOrder, view: PaymentView): Failure | null {
  const { pay } = order
  if (view.payment(swapId(pay.secretHash)) !== undefined || view.payment(initiatorId(pay.token, pay.secretHash)) !== undefined) return { code: CODE.duplicateSecret, reason: 'there is a payment under this hash' }
  if (pay.token === order.receivingToken) return { code: CODE.argument, reason: 'a swap needs two tokens' }
  if (pay.amount <= 0n || order.receivingAmount <= 0n) return { code: CODE.invalidAmount, reason: 'amounts must be above 0' }
  if (pay.target === view.self) return { code: CODE.argument, reason: 'a swap needs two nodes' }
  if (order.side === 'maker' && (pay.secret === null || secretHashOf(pay.secret) !== pay.secretHash)) return { code: CODE.argument, reason: 'the maker has the secret' }
  if (order.side === 'taker' && pay.secret !== null) return { code: CODE.argument, reason: 'the taker does not have the secret' }
  return holdback(view)
}

/** What the other side's lock must be like. The taker's own lock has to fit into it twice the reveal time before its end. */
export function swapExpectation(swap: SwapState, view: PaymentView): Expectation {
  const { block } = view.moment
  const reveal = view.rules.revealTimeoutBlocks
  const notBefore = swap.side === 'taker' ? block + 3 * reveal + view.rules.confirmationBlocks : null
  return { kind: swap.side === 'maker' ? 'swap-maker' : 'swap-taker', amount: swap.receivingAmount, from: swap.pay.target, notBefore }
}

/** The last block of the taker's lock: Tt ≤ Tm − 2·reveal. */
export function takerLimit(theirs: TargetState, view: PaymentView): number {
  return Math.min(...heldParts(theirs).map((part) => part.held.lock.expiration)) - 2 * view.rules.revealTimeoutBlocks
}

/** The maker takes the taker's lock (and so shows the secret) only while its own leg stands whole and the taker's has time. */
export function mayTake(ours: InitiatorState | undefined, theirs: TargetState, view: PaymentView): boolean {
  return ours !== undefined && ours.status === STATUS.canCancel && lockedAmount(ours) === ours.amount && theirs.isComplete && heldParts(theirs).every((part) => isFarFromEnd(part.held.lock, view))
}

export function legsOf(swap: SwapState, payment: PaymentView['payment']): { readonly ours: InitiatorState | undefined; readonly theirs: TargetState | undefined } {
  const ours = payment(initiatorId(swap.token, swap.secretHash))
  const theirs = payment(targetId(swap.receivingToken, swap.secretHash))
  return { ours: ours?.role === 'initiator' ? ours : undefined, theirs: theirs?.role === 'target' ? theirs : undefined }
}

/** Over when both legs are, or when one will never begin. */
export function swapAfter(swap: SwapState, payment: PaymentView['payment'], view: PaymentView): SwapState {
  const { ours, theirs } = legsOf(swap, payment)
  if (swap.isEnded) return swap
  const isLate = !view.moment.isFrozen && view.moment.block >= swap.deadlineBlock
  const isOurLegOver = ours === undefined ? swap.side === 'taker' && isLate : ours.isEnded
  const isTheirLegOver = theirs === undefined ? ours?.isEnded === true || (swap.side === 'taker' && isLate) : theirs.isEnded
  if (!isOurLegOver || !isTheirLegOver) return swap
  const isSwapped = ours?.status === STATUS.success && theirs?.outcome === 'received'
  return { ...swap, isEnded: true, outcome: isSwapped ? 'swapped' : 'not-swapped' }
}
