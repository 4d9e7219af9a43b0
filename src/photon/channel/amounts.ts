/**
 * Who may give how much, and who gets what in the end (specs/photon.md 2.2, 9.3 row settle, 9.4).
 *
 * What a side has given by vouchers can leave the channel at any time (claim()), so the other side cannot count it
 * as money in the channel: `spendable` leaves it out. What is under a withdrawal that may still be mined is out too.
 */
import type { ChannelSide, ChannelState } from './state.ts'

export type SettledFigures = Pick<ChannelSide, 'deposit' | 'withdrawn' | 'claimed' | 'transferred'>

/** What the contract pays to `a` and to `b` when their proofs and vouchers are posted. v1 has no claims and no totals withdrawn. */
export function settlementOf(a: SettledFigures, b: SettledFigures): readonly [bigint, bigint] {
  const pot = a.deposit + b.deposit - a.claimed - b.claimed - a.withdrawn - b.withdrawn
  const givenByA = larger(a.transferred, a.claimed)
  const givenByB = larger(b.transferred, b.claimed)
  const forA = a.deposit + givenByB - givenByA - b.claimed - a.withdrawn
  const clamped = forA < 0n ? 0n : forA > pot ? pot : forA
  return [clamped, pot - clamped]
}

/** All that the contract still holds. */
export function capacity(state: Pick<ChannelState, 'own' | 'partner'>): bigint {
  const { own, partner } = state
  return own.deposit + partner.deposit - own.claimed - partner.claimed - own.withdrawn - partner.withdrawn
}

/**
 * The most that we can give now. The partner may have revealed ticks that were lost on the way and counts them as
 * claimable: we do too, so that what we send is never more than what the partner takes.
 */
export function spendable(state: Pick<ChannelState, 'own' | 'partner'>): bigint {
  return free(state.own, allRevealed(state.partner))
}

/** The most that the partner can give us now. */
export function receivable(state: Pick<ChannelState, 'own' | 'partner'>): bigint {
  return free(state.partner, state.own)
}

/** The most that we can put under another lock. */
export function ownLockable(state: Pick<ChannelState, 'own' | 'partner'>): bigint {
  return lockable(state.own, allRevealed(state.partner))
}

/** The most that `payer` can put under another lock: what its voucher may still take stays aside. */
export function lockable(payer: ChannelSide, payee: ChannelSide): bigint {
  const reserved = payer.stream === null ? 0n : larger(payer.stream.reserved - payer.transferred, 0n)
  return larger(free(payer, payee) - reserved, 0n)
}

/** The most that `payer`'s vouchers may reach: claim() pays out of the payer's own deposit only. */
export function streamCeiling(payer: ChannelSide): bigint {
  return larger(payer.deposit - takenOut(payer) - payer.locked, 0n)
}

/** The largest total that `participant` may have withdrawn so that all that it owes stays covered. */
export function withdrawable(participant: ChannelSide, partner: ChannelSide): bigint {
  const forProofs = freeSigned(participant, partner) + takenOut(participant)
  const promised = participant.stream === null ? 0n : larger(participant.stream.reserved, participant.stream.value)
  const forVouchers = participant.stream === null ? forProofs : participant.deposit - promised - participant.locked
  return larger(forProofs < forVouchers ? forProofs : forVouchers, participant.withdrawn)
}

/**
 * What is ours whatever the partner does, if our duties are done in time: every lock of ours counts as lost, of the
 * partner's only those whose secret is on the chain in time. After a restore from an old copy nothing is sure before
 * the two ends have compared, and when all is paid nothing more comes.
 */
export function guaranteed(state: ChannelState): bigint {
  const { own, partner, sync, phase } = state
  if (phase === 'settled' || sync.kind === 'behind' || (sync.kind === 'waiting' && sync.isRestored)) return 0n
  let sure = 0n
  for (const lock of partner.locks) if (lock.registeredBlock !== null && !lock.isDisposed) sure += lock.amount
  const share = settlementOf({ ...own, transferred: own.transferred + own.locked }, { ...partner, transferred: partner.transferred + sure })[0]
  // What the partner may still take out beforehand: by our vouchers, and by the withdrawal that we signed.
  const left = capacity(state) - (claimable(own) - own.claimed) - (takenOut(partner) - partner.withdrawn)
  return share < left ? share : larger(left, 0n)
}

/** True where `payer` owes more than is in the channel for it once all vouchers of `payee` are claimed. */
export function isOverspent(payer: ChannelSide, payee: ChannelSide): boolean {
  return freeSigned(payer, payee) < 0n
}

function free(payer: ChannelSide, payee: ChannelSide): bigint {
  return larger(freeSigned(payer, payee), 0n)
}

function freeSigned(payer: ChannelSide, payee: ChannelSide): bigint {
  return payer.deposit - takenOut(payer) - payer.transferred - payer.locked + payee.transferred - claimable(payee)
}

function allRevealed(side: ChannelSide): ChannelSide {
  const { stream } = side
  if (stream === null || stream.reserved === stream.value) return side
  return { ...side, stream: { ...stream, value: stream.reserved < side.transferred ? stream.reserved : side.transferred } }
}

function takenOut(side: ChannelSide): bigint {
  return side.withdrawal === null ? side.withdrawn : larger(side.withdrawn, side.withdrawal.total)
}

function claimable(side: ChannelSide): bigint {
  return side.stream === null ? side.claimed : larger(side.claimed, side.stream.value)
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
