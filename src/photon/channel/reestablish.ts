/**
 * Two ends that meet again compare what each has sent and seen (specs/photon.md 9.5). Hashes are those of the packets
 * before their signature, the proofs' `extra`.
 */
import type { Hash } from '../../base/index.ts'
import { ZERO_HASH } from '../../base/index.ts'
import type { EnvelopeMessage, Message } from '../ports.ts'
import { CODE } from './codes.ts'
import { isHash, lockIn, secretHashOf, withLock, withoutLock } from './locks.ts'
import { MAX_NONCE, MAX_UINT256, PROFILE_RULES } from './rules.ts'
import { IN_SYNC } from './state.ts'
import type { ChannelSide, ChannelState } from './state.ts'
import type { ChannelFact, ChannelReceived, ChannelTools, Refusal, Sent, Taken } from './verdict.ts'
import { frozen, refuse, twice } from './verdict.ts'

/** After a start: nothing is sent before the partner has told what it knows. v1 has no such message. */
export function awaitPartner(state: ChannelState): ChannelState {
  return PROFILE_RULES[state.domain.profile].hasReestablish && state.sync.kind === 'in-sync' ? { ...state, sync: { kind: 'waiting', isRestored: false } } : state
}

/**
 * After a start from an old copy. What we signed since that copy was made is forgotten, also which locks we gave up;
 * unlocking one of those would cost the whole deposit, so every lock of the partner counts as given up.
 */
export function restored(state: ChannelState): ChannelState {
  const { partner } = state
  const sync: ChannelState['sync'] = PROFILE_RULES[state.domain.profile].hasReestablish && state.sync.kind !== 'behind' ? { kind: 'waiting', isRestored: true } : state.sync
  return { ...state, sync, partner: { ...partner, locks: partner.locks.map((lock) => ({ ...lock, isDisposed: true })) } }
}

/** To be sent after each connect. */
export function sendReestablish(state: ChannelState): Sent | Refusal {
  if (!PROFILE_RULES[state.domain.profile].hasReestablish) return refuse(CODE.argument, 'v1 has no reestablish')
  const { key, own, partner } = state
  return { ok: true, state, message: { kind: 'reestablish', key, sentNonce: sealedNonce(own), sentHash: hashOf(own), seenNonce: partner.nonce, seenHash: hashOf(partner) } }
}

export function receiveReestablish(_tools: ChannelTools, state: ChannelState, _received: ChannelReceived, message: Extract<Message, { kind: 'reestablish' }>): Taken | Refusal {
  if (!PROFILE_RULES[state.domain.profile].hasReestablish) return refuse(CODE.argument, 'v1 has no reestablish')
  if (message.key.epoch !== state.key.epoch) return { ok: true, state, facts: [{ kind: 'wait-for-chain', theirEpoch: message.key.epoch }] }
  const { own, partner } = state
  const { sentNonce, sentHash, seenNonce, seenHash } = message
  if (sentNonce < 0n || seenNonce < 0n || sentNonce > MAX_NONCE || seenNonce > MAX_NONCE) return refuse(CODE.nonce, 'not a nonce')
  const sent = sealedNonce(own)
  if (seenNonce === sent && seenHash !== hashOf(own)) return frozen(state, `the partner knows another packet of ours with nonce ${sent}`)
  if (sentNonce === partner.nonce && sentHash !== hashOf(partner)) return frozen(state, `the partner signed two packets with nonce ${partner.nonce}`)
  const facts: ChannelFact[] = []
  if (sentNonce < partner.nonce) facts.push({ kind: 'must-return', fromNonce: sentNonce + 1n, toNonce: partner.nonce })
  if (seenNonce > sent) {
    facts.push({ kind: 'restored-from-old-copy', nonce: seenNonce })
    if (state.sync.kind === 'behind' && state.sync.nonce >= seenNonce) return { ok: true, state, facts }
    return { ok: true, state: { ...doubting(restored(state), sentNonce), sync: { kind: 'behind', nonce: seenNonce, hash: seenHash } }, facts }
  }
  if (seenNonce < sent) facts.push({ kind: 'must-resend', fromNonce: seenNonce + 1n, toNonce: sent, seenNonce, seenHash })
  else if (sentNonce === partner.nonce) facts.push({ kind: 'in-sync' })
  // Who is behind stays so until its packets are back, whatever the partner says later.
  if (state.sync.kind !== 'waiting') return { ok: true, state, facts }
  return { ok: true, state: { ...(state.sync.isRestored ? doubting(state, sentNonce) : state), sync: IN_SYNC }, facts }
}

function doubting(state: ChannelState, sentNonce: bigint): ChannelState {
  return sentNonce > state.doubtfulUntil ? { ...state, doubtfulUntil: sentNonce } : state
}

/**
 * A packet with our own signature, given back by the partner because we were restored from an old copy. It is taken
 * exactly as it was sent; only the next nonce fits, or a later one after which no lock is unknown to us.
 */
export function adoptOwn(tools: ChannelTools, state: ChannelState, received: ChannelReceived, message: EnvelopeMessage): Taken | Refusal {
  const { sync, own } = state
  const { envelope } = message
  if (received.signature === null) return refuse(CODE.sender, 'not signed')
  if (envelope.nonce < 1n || envelope.nonce > MAX_NONCE) return refuse(CODE.nonce, 'not a nonce')
  if (envelope.nonce === own.nonce && own.proof !== null && own.proof.nonce === own.nonce && own.proof.extra !== received.extra)
    return twice(frozen(state, `there are two packets of ours with nonce ${own.nonce}`), own.nonce)
  if (envelope.nonce <= own.nonce) return { ok: true, state, facts: [{ kind: 'duplicate', nonce: envelope.nonce }] }
  if (sync.kind !== 'behind' || envelope.nonce > sync.nonce) return refuse(CODE.nonce, 'no packet of ours is missing')
  if (envelope.transferred < own.transferred) return frozen(state, 'a later packet of ours gives less than we know of')
  if (envelope.nonce === sync.nonce && received.extra !== sync.hash) return refuse(CODE.nonce, 'not the packet that the partner told of')
  const locks = locksAfter(tools, own, message)
  if (locks === null) return refuse(CODE.nonce, `nonce ${own.nonce + 1n} is needed first`)
  const next: ChannelState = {
    ...state,
    own: { ...own, ...locks, nonce: envelope.nonce, transferred: envelope.transferred, proof: { ...envelope, extra: received.extra, signature: received.signature } },
    sync: envelope.nonce === sync.nonce ? IN_SYNC : sync,
  }
  const adopted: ChannelFact = { kind: 'own-adopted', message, nonce: envelope.nonce }
  return { ok: true, state: next, facts: envelope.nonce === sync.nonce ? [adopted, { kind: 'in-sync' }] : [adopted] }
}

/** Our locks after a packet of ours; null where they cannot be known. */
function locksAfter(tools: ChannelTools, own: ChannelSide, message: EnvelopeMessage): Pick<ChannelSide, 'locks' | 'locked' | 'locksroot'> | null {
  const { locksroot } = message.envelope
  if (locksroot === own.locksroot) return { locks: own.locks, locked: own.locked, locksroot }
  if (locksroot === ZERO_HASH) return { locks: [], locked: 0n, locksroot }
  const candidate = changedBy(tools, own, message)
  return candidate !== null && candidate.locksroot === locksroot ? candidate : null
}

function changedBy(tools: ChannelTools, own: ChannelSide, message: EnvelopeMessage): Pick<ChannelSide, 'locks' | 'locked' | 'locksroot'> | null {
  if (message.kind === 'direct') return null
  if (message.kind === 'locked') {
    const { lock } = message
    const isUsable = isHash(lock.secretHash) && Number.isSafeInteger(lock.expiration) && lock.expiration >= 0 && lock.amount > 0n && lock.amount <= MAX_UINT256
    return isUsable && own.locks.length < 2 * tools.rules.maxLocks ? withLock(tools.keccak256, own, lock) : null
  }
  if (message.kind === 'unlock' && !isHash(message.secret)) return null
  const lock = lockIn(own, message.kind === 'unlock' ? secretHashOf(message.secret) : message.secretHash)
  return lock === undefined ? null : withoutLock(tools.keccak256, own, lock)
}

/** What has a signature and may be on its way: packets of the same turn that are not signed yet are nobody's business. */
function sealedNonce(side: ChannelSide): bigint {
  return side.proof === null ? 0n : side.proof.nonce
}

function hashOf(side: ChannelSide): Hash {
  return side.proof === null ? ZERO_HASH : side.proof.extra
}
