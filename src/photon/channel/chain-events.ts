/**
 * What the chain says about a channel (specs/photon.md 1.6, 1.8, 9.3). Events come in the order of the chain and may
 * be told again from the start: each changes something at most once.
 */
import type { Address } from '../../base/index.ts'
import { ZERO_HASH } from '../../base/index.ts'
import type { ChannelEvent, SecretEvent } from '../ports.ts'
import { settlementOf } from './amounts.ts'
import { lockIn, plainLock, withMark } from './locks.ts'
import { PROFILE_RULES } from './rules.ts'
import { freshSide } from './state.ts'
import type { ChannelSide, ChannelState, Disposal, Dispute, PostedProof } from './state.ts'
import type { ChannelFact, Taken } from './verdict.ts'
import { frozen } from './verdict.ts'

type Told = Omit<Taken, 'ok'>
type Event<K extends ChannelEvent['kind']> = Extract<ChannelEvent, { kind: K }>

const NOTHING_POSTED: PostedProof = { nonce: 0n, transferred: 0n, locksroot: ZERO_HASH, unlocked: [] }
/** What the contract writes as nonce of a proof that was voided by punishment. */
const VOID_NONCE = (1n << 64n) - 1n

/** Of a proof that was voided: nothing of it was paid out. */
export function isVoid({ nonce }: PostedProof): boolean {
  return nonce === VOID_NONCE
}

export function onChain(state: ChannelState, event: ChannelEvent | SecretEvent): Told {
  if (event.kind === 'secret') return onSecret(state, event)
  if (event.channel !== state.key.channel || state.phase === 'settled') return { state, facts: [] }
  switch (event.kind) {
    case 'opened':
      return { state, facts: [] }
    case 'deposited':
      return onSide(state, event.participant, (side) => (event.total > side.deposit ? { ...side, deposit: event.total } : side), { kind: 'deposited', participant: event.participant, total: event.total })
    case 'withdrawn':
      return PROFILE_RULES[state.domain.profile].hasCumulativeWithdrawals ? onWithdrawn(state, event) : onWithdrawnV1(state, event)
    case 'claimed':
      return onSide(state, event.payer, (side) => claimedUpTo(side, event.cumulative), { kind: 'claimed', payer: event.payer, cumulative: event.cumulative })
    case 'closed':
      return onClosed(state, event)
    case 'updated':
      return onUpdated(state, event)
    case 'unlocked':
      return onUnlocked(state, event)
    case 'punished':
      return onPunished(state, event)
    case 'settled':
      return onSettled(state, event)
  }
}

function onSide(state: ChannelState, who: Address, change: (side: ChannelSide) => ChannelSide, fact: ChannelFact): Told {
  const [own, partner] = [who === state.own.address ? change(state.own) : state.own, who === state.partner.address ? change(state.partner) : state.partner]
  return own === state.own && partner === state.partner ? { state, facts: [] } : { state: { ...state, own, partner }, facts: [fact] }
}

/** One counter: what is claimed is given. */
function claimedUpTo(side: ChannelSide, cumulative: bigint): ChannelSide {
  if (cumulative <= side.claimed) return side
  return { ...side, claimed: cumulative, transferred: cumulative > side.transferred ? cumulative : side.transferred }
}

function onWithdrawn(state: ChannelState, event: Event<'withdrawn'>): Told {
  const change = (side: ChannelSide): ChannelSide => {
    if (event.total <= side.withdrawn) return side
    const withdrawal = side.withdrawal !== null && side.withdrawal.total > event.total ? side.withdrawal : null
    return { ...side, withdrawn: event.total, withdrawal }
  }
  return onSide(state, event.participant, change, { kind: 'withdrawn', participant: event.participant, total: event.total })
}

/** v1: a new life with new deposits; its block is the epoch. Only what both signed tells the deposits. */
function onWithdrawnV1(state: ChannelState, event: Event<'withdrawn'>): Told {
  if (BigInt(event.block) <= state.key.epoch) return { state, facts: [] }
  const { agreement, own, partner } = state
  if (agreement === null || agreement.kind !== 'withdraw' || agreement.terms.participant !== event.participant) return frozen(state, 'a withdrawal was mined that we know nothing of')
  const { balance, withdraw } = agreement.terms
  const pot = own.deposit + partner.deposit
  const isOwn = event.participant === own.address
  const [ownDeposit, partnerDeposit] = isOwn ? [balance - withdraw, pot - balance] : [pot - balance, balance - withdraw]
  const next: ChannelState = {
    ...state,
    key: { channel: state.key.channel, epoch: BigInt(event.block) },
    openBlock: event.block,
    phase: 'opened',
    own: freshSide(own.address, ownDeposit),
    partner: freshSide(partner.address, partnerDeposit),
    disposals: [],
    renounced: [],
    agreement: null,
    offlineFrom: null,
  }
  return { state: next, facts: [{ kind: 'withdrawn', participant: event.participant, total: withdraw }] }
}

function onClosed(state: ChannelState, event: Event<'closed'>): Told {
  if (state.dispute !== null) return { state, facts: [] }
  const posted: PostedProof = event.nonce === 0n ? NOTHING_POSTED : { nonce: event.nonce, transferred: event.transferred, locksroot: event.locksroot, unlocked: [] }
  const isOwnClose = event.by === state.own.address
  const dispute: Dispute = {
    closedBy: event.by,
    closeBlock: event.block,
    settleBlock: event.settleBlock,
    own: isOwnClose ? NOTHING_POSTED : posted,
    partner: isOwnClose ? posted : NOTHING_POSTED,
  }
  const payer = isOwnClose ? state.partner.address : state.own.address
  const facts: ChannelFact[] = [{ kind: 'closed', by: event.by, settleBlock: event.settleBlock }]
  if (event.nonce > 0n) facts.push(...postedFacts(state, payer, posted))
  return { state: { ...state, phase: 'closed', dispute, agreement: null }, facts }
}

function onUpdated(state: ChannelState, event: Event<'updated'>): Told {
  const posted: PostedProof = { nonce: event.nonce, transferred: event.transferred, locksroot: event.locksroot, unlocked: [] }
  return onPosted(state, event.payer, (before) => (event.nonce > before.nonce ? posted : before), (after) => postedFacts(state, event.payer, after))
}

function onUnlocked(state: ChannelState, event: Event<'unlocked'>): Told {
  const lock = sideOf(state, event.payer)?.locks.find((pending) => pending.hash === event.lockHash)
  return onPosted(
    state,
    event.payer,
    (before) => (before.unlocked.includes(event.lockHash) ? before : { ...before, transferred: event.transferred, unlocked: [...before.unlocked, event.lockHash] }),
    () => [{ kind: 'lock-unlocked-on-chain', payer: event.payer, lockHash: event.lockHash, lock: lock === undefined ? null : plainLock(lock) }],
  )
}

/** The payer's proof is void and the cheater's free deposit is the payer's. */
function onPunished(state: ChannelState, event: Event<'punished'>): Told {
  const { dispute } = state
  const isPartner = event.cheater === state.partner.address
  if (dispute === null || (!isPartner && event.cheater !== state.own.address)) return { state, facts: [] }
  const [payer, cheater] = isPartner ? [state.own, state.partner] : [state.partner, state.own]
  const voided = isPartner ? dispute.own : dispute.partner
  if (isVoid(voided)) return { state, facts: [] }
  const left = cheater.deposit - cheater.claimed - cheater.withdrawn
  const free = left > 0n ? left : 0n
  const richer = { ...payer, deposit: payer.deposit + free }
  const poorer = { ...cheater, deposit: cheater.deposit - free }
  const empty: PostedProof = { ...NOTHING_POSTED, nonce: VOID_NONCE }
  const next: ChannelState = isPartner
    ? { ...state, own: richer, partner: poorer, dispute: { ...dispute, own: empty } }
    : { ...state, own: poorer, partner: richer, dispute: { ...dispute, partner: empty } }
  return { state: next, facts: [{ kind: 'punished', cheater: event.cheater, lockHash: event.lockHash }] }
}

function onSettled(state: ChannelState, event: Event<'settled'>): Told {
  const [own, partner] = event.amounts === null ? [null, null] : settledAmounts(state, event.amounts)
  const payout = own === null || partner === null ? null : { own, partner, isCooperative: event.cooperative }
  return { state: { ...state, phase: 'settled', payout }, facts: [{ kind: 'settled', cooperative: event.cooperative, ownAmount: own, partnerAmount: partner }] }
}

/** v2: the lower address comes first. v1's event has the order of whoever settled: our own figures tell which is ours. */
function settledAmounts(state: ChannelState, [first, second]: readonly [bigint, bigint]): readonly [bigint, bigint] {
  const [expected] = state.dispute === null ? settlementOf(state.own, state.partner) : postedSettlement(state, state.dispute)
  const isOwnLower = state.own.address < state.partner.address
  const isOwnFirst = state.domain.profile === 'v2' || (expected !== first && expected !== second) ? isOwnLower : expected === first
  return isOwnFirst ? [first, second] : [second, first]
}

/** What settle() pays [us, the partner] with what is in the contract now. */
export function postedSettlement(state: ChannelState, dispute: Dispute): readonly [bigint, bigint] {
  return settlementOf({ ...state.own, transferred: dispute.own.transferred }, { ...state.partner, transferred: dispute.partner.transferred })
}

function onPosted(state: ChannelState, payer: Address, change: (before: PostedProof) => PostedProof, tell: (after: PostedProof) => readonly ChannelFact[]): Told {
  const { dispute } = state
  if (dispute === null || sideOf(state, payer) === undefined) return { state, facts: [] }
  const isOwn = payer === state.own.address
  const before = isOwn ? dispute.own : dispute.partner
  const after = change(before)
  if (after === before) return { state, facts: [] }
  return { state: { ...state, dispute: isOwn ? { ...dispute, own: after } : { ...dispute, partner: after } }, facts: tell(after) }
}

function postedFacts(state: ChannelState, payer: Address, posted: PostedProof): ChannelFact[] {
  const fact: ChannelFact = { kind: 'posted', payer, nonce: posted.nonce }
  const { own } = state
  const isUnknown = payer === own.address && (posted.nonce > own.nonce || (posted.nonce === own.proof?.nonce && posted.transferred !== own.proof.transferred))
  return isUnknown ? [fact, { kind: 'unknown-proof-posted', nonce: posted.nonce }] : [fact]
}

function sideOf(state: ChannelState, who: Address): ChannelSide | undefined {
  return who === state.own.address ? state.own : who === state.partner.address ? state.partner : undefined
}

function onSecret(state: ChannelState, event: SecretEvent): Told {
  const facts: ChannelFact[] = []
  const mark = (side: ChannelSide): ChannelSide => {
    const lock = lockIn(side, event.secretHash)
    if (lock === undefined || lock.registeredBlock !== null) return side
    const isInTime = event.block <= lock.expiration
    if (lock.secret !== null && !isInTime) return side
    facts.push({ kind: 'secret-on-chain', payer: side.address, secret: event.secret, secretHash: event.secretHash, isInTime })
    return withMark(side, lock, { secret: event.secret, registeredBlock: isInTime ? event.block : null })
  }
  const [own, partner] = [mark(state.own), mark(state.partner)]
  const isOpenedNow = (disposal: Disposal): boolean => disposal.secretHash === event.secretHash && disposal.registeredBlock === null && event.block <= disposal.expiration
  const disposals = state.disposals.some(isOpenedNow) ? state.disposals.map((disposal) => (isOpenedNow(disposal) ? { ...disposal, registeredBlock: event.block } : disposal)) : state.disposals
  const isSame = own === state.own && partner === state.partner && disposals === state.disposals
  return { state: isSame ? state : { ...state, own, partner, disposals }, facts }
}
