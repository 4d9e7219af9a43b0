/**
 * What a channel needs from the chain, and until when (specs/photon.md 2.4, 9.9). Computed anew from the state each
 * time: a duty is done when its event has come and it is no longer in the list.
 */
import type { Address } from '../../base/index.ts'
import type { DueDuty, Duty, SettledSide } from '../ports.ts'
import { merkleProof as merkleProofOf } from '../wire/index.ts'
import { REGISTER_MARGIN_BLOCKS, SETTLE_DELAY_BLOCKS } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelState, Dispute, PendingLock, PostedProof } from './state.ts'
import type { ChannelTools } from './verdict.ts'

const NO_DUTIES: readonly DueDuty[] = []

export function dutiesOf(tools: ChannelTools, state: ChannelState, moment: ChannelMoment): readonly DueDuty[] {
  if (state.phase === 'settled') return NO_DUTIES
  const { dispute } = state
  if (dispute !== null) return disputeDuties(tools, state, dispute, moment)
  return [...closeDuty(state, moment), ...secretDuties(tools, state, moment, null), ...agreementDuties(state, moment)]
}

function due(state: ChannelState, duty: Duty, fromBlock: number, deadlineBlock: number | null): DueDuty {
  return { duty, key: state.key, fromBlock, deadlineBlock }
}

/** Ours to order (`closing`), and the way out of `error`. */
function closeDuty(state: ChannelState, moment: ChannelMoment): DueDuty[] {
  if (state.phase !== 'closing' && state.phase !== 'error') return []
  return [due(state, { kind: 'close', token: state.token, partner: state.partner.address, proof: state.partner.proof }, moment.block, null)]
}

/**
 * A secret that opens a lock of the partner goes to the chain when the lock comes within the reveal timeout of its
 * expiration, or at once when the channel is closed. Too late is left out: it would open nothing.
 */
function secretDuties(tools: ChannelTools, state: ChannelState, moment: ChannelMoment, closeBlock: number | null): DueDuty[] {
  const duties: DueDuty[] = []
  for (const lock of state.partner.locks) {
    if (lock.secret === null || lock.registeredBlock !== null || lock.isDisposed || moment.block > lock.expiration) continue
    const fromBlock = closeBlock ?? Math.max(0, lock.expiration - tools.rules.revealTimeout)
    duties.push(due(state, { kind: 'register-secret', secret: lock.secret }, fromBlock, lock.expiration - REGISTER_MARGIN_BLOCKS))
  }
  return duties
}

/** Signed by both: mined by whoever asked for it. */
function agreementDuties(state: ChannelState, moment: ChannelMoment): DueDuty[] {
  const { agreement, own, partner, token } = state
  const duties: DueDuty[] = []
  const { withdrawal } = own
  if (withdrawal !== null && withdrawal.participantSignature !== null && withdrawal.partnerSignature !== null && moment.block <= withdrawal.validUntil) {
    const signatures = [withdrawal.participantSignature, withdrawal.partnerSignature] as const
    const { total, validUntil } = withdrawal
    duties.push(due(state, { kind: 'withdraw', token, participant: own.address, partner: partner.address, total, validUntil, signatures }, moment.block, validUntil))
  }
  if (agreement === null || agreement.ownSignature === null || agreement.partnerSignature === null || agreement.asker !== own.address) return duties
  if (agreement.kind === 'settle') {
    const { terms } = agreement
    const isOwnFirst = terms.p1 === own.address
    const signatures = isOwnFirst ? ([agreement.ownSignature, agreement.partnerSignature] as const) : ([agreement.partnerSignature, agreement.ownSignature] as const)
    if (terms.validUntil === null || moment.block <= terms.validUntil) duties.push(due(state, { kind: 'cooperative-settle', token, terms, signatures }, moment.block, terms.validUntil))
  }
  return duties
}

function disputeDuties(tools: ChannelTools, state: ChannelState, dispute: Dispute, moment: ChannelMoment): DueDuty[] {
  const { own, partner, token } = state
  const { settleBlock, closeBlock } = dispute
  const duties: DueDuty[] = []
  if (moment.block <= settleBlock) {
    if (partner.proof !== null && partner.proof.nonce > dispute.partner.nonce)
      duties.push(due(state, { kind: 'update', token, partner: partner.address, proof: partner.proof }, closeBlock, settleBlock))
    duties.push(...secretDuties(tools, state, moment, closeBlock), ...unlockDuties(tools, state, dispute), ...claimDuties(state, dispute))
  }
  duties.push(...punishDuties(state, dispute))
  const sides = [sideOf(own.address, dispute.own), sideOf(partner.address, dispute.partner)] as const
  duties.push(due(state, { kind: 'settle', token, sides }, settleBlock + SETTLE_DELAY_BLOCKS, null))
  return duties
}

/**
 * Each unlock names what the contract holds at that time, so they are listed in the order in which they are to be
 * mined: as their secrets came, then as the locks stand.
 */
function unlockDuties(tools: ChannelTools, state: ChannelState, dispute: Dispute): DueDuty[] {
  const { partner, token } = state
  const newest = partner.proof
  if (newest === null || dispute.partner.nonce > newest.nonce) return []
  const posted = dispute.partner.nonce === newest.nonce ? dispute.partner : { ...newest, unlocked: [] }
  const leaves = partner.locks.map((lock) => lock.hash)
  let { transferred } = posted
  const duties: DueDuty[] = []
  for (const lock of opened(partner.locks)) {
    if (posted.unlocked.includes(lock.hash)) continue
    const { expiration, amount, secretHash } = lock
    const merkleProof = merkleProofOf(tools.keccak256, leaves, lock.hash)
    duties.push(due(state, { kind: 'unlock', token, partner: partner.address, transferred, lock: { expiration, amount, secretHash }, merkleProof }, dispute.closeBlock, dispute.settleBlock))
    transferred += amount
  }
  return duties
}

function opened(locks: readonly PendingLock[]): readonly PendingLock[] {
  return locks.filter((lock) => lock.registeredBlock !== null && !lock.isDisposed).sort((a, b) => (a.registeredBlock ?? 0) - (b.registeredBlock ?? 0))
}

/** Only where a voucher says more than the proof that counts: settle() pays the larger of the two. */
function claimDuties(state: ChannelState, dispute: Dispute): DueDuty[] {
  const { own, partner, token } = state
  const evidence = partner.stream?.evidence ?? null
  const proved = partner.proof?.transferred ?? 0n
  if (partner.stream === null || evidence === null || partner.stream.value <= proved || partner.stream.value <= partner.claimed) return []
  const { voucher, preimage, steps } = evidence
  return [due(state, { kind: 'claim', token, payer: partner.address, payee: own.address, voucher, preimage, steps }, dispute.closeBlock, dispute.settleBlock)]
}

/** The partner unlocked what it had given up. One punishment takes all; possible until the channel is settled. */
function punishDuties(state: ChannelState, dispute: Dispute): DueDuty[] {
  const evidence = state.disposals.find((disposal) => dispute.own.unlocked.includes(disposal.lockHash))
  if (evidence === undefined) return []
  const { lockHash, extra, signature } = evidence
  const duty: Duty = { kind: 'punish', token: state.token, cheater: state.partner.address, lockHash, extra, signature }
  return [due(state, duty, dispute.closeBlock, dispute.settleBlock + SETTLE_DELAY_BLOCKS - 1)]
}

function sideOf(participant: Address, posted: PostedProof): SettledSide {
  return { participant, transferred: posted.transferred, locksroot: posted.locksroot }
}
