/**
 * One header against its parent (spec 2.5 and the header's part of 2.6), in the order of the original so
 * that the same error has the same name. Unlike the original, the signature and the VRF are checked on every
 * header: nothing counts that nobody signed.
 */
import type { Secp256k1 } from '../../native/index.ts'
import { ZERO_ADDRESS, ZERO_HASH } from '../codec/fields.ts'
import type { Address, Hash } from '../codec/fields.ts'
import { SEAL_BYTES, VANITY_BYTES, VRF_BYTES, hashHeader, recoverSealer } from '../codec/header.ts'
import type { Header, Sealer } from '../codec/header.ts'
import { EMPTY_UNCLE_HASH, ZERO_NONCE } from '../network/genesis.ts'
import { isActive } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import { verifyVrf, vrfMessage } from '../vrf.ts'
import { refuse } from './codes.ts'
import type { Refusal } from './codes.ts'
import { isGasLimitBound, isGasLimitPossible, minGasLimit } from './economy.ts'
import { oldRankOf, rankOf } from './rank.ts'
import type { Rank } from './rank.ts'
import type { Round } from './round.ts'

export interface KnownHeader {
  readonly header: Header
  readonly hash: Hash
}

export interface VerifiedHeader extends KnownHeader {
  readonly ok: true
  /** Two blocks of one signer and height with different seal hashes are an equivocation; with the same one they are the same block. */
  readonly sealHash: Hash
  readonly signer: Address
}

export interface HeaderJudge {
  readonly curve: Secp256k1
  readonly network: Network
  /** Null: the clock is not trusted, and "from the future" is not judged. */
  readonly nowSeconds: number | null
}

const ALL_ONES_NONCE = `0x${'ff'.repeat(8)}`
const MAX_DIFFICULTY = 6n
const MAX_OLD_DIFFICULTY = 3n

/**
 * `round`: the state after the parent; before SIP100 only its `signers` count. Null: not known, and then
 * authorisation, exact difficulty and delay are **not** judged (spec 2.12, "headers only").
 * The genesis is not judged but known.
 */
export function verifyHeader(judge: HeaderJudge, parent: KnownHeader, header: Header, round: Pick<Round, 'signers' | 'leaders'> | null): VerifiedHeader | Refusal {
  return verifyShape(judge, parent.header, header) ?? verifyLink(judge.network, parent, header) ?? verifySeal(judge, parent.header, header, round)
}

/** Checks 1 to 6: the header by itself. */
function verifyShape({ network, nowSeconds }: HeaderJudge, parent: Header, header: Header): Refusal | null {
  const { number, extra } = header
  const hasVrf = isActive(network, 'sip100', number)
  if (nowSeconds !== null && header.timeSeconds > nowSeconds) return refuse('ErrFutureBlock', `time ${header.timeSeconds}, now ${nowSeconds}`)
  if (header.nonce !== ZERO_NONCE && header.nonce !== ALL_ONES_NONCE) return refuse('errInvalidNonce', `${header.nonce}; all zeros or all ones`)
  const front = hasVrf ? VRF_BYTES : VANITY_BYTES
  if (extra.length < front) return refuse('errMissingVanity', `extra of ${extra.length} bytes; ${front} at the start`)
  if (extra.length < front + SEAL_BYTES) return refuse('errMissingSignature', `extra of ${extra.length} bytes; ${front + SEAL_BYTES} or more`)
  if (header.mixDigest !== ZERO_HASH) return refuse('errInvalidMixDigest', `${header.mixDigest}; all zeros`)
  if (header.uncleHash !== EMPTY_UNCLE_HASH) return refuse('errInvalidUncleHash', `${header.uncleHash}; that of no uncles`)
  const most = hasVrf ? MAX_DIFFICULTY : MAX_OLD_DIFFICULTY
  const isJudged = !network.uncheckedDifficulty.includes(number)
  if (isJudged && (header.difficulty < 1n || header.difficulty > most)) return refuse('errInvalidDifficulty', `${header.difficulty}; 1 to ${most}`)
  const earliest = parent.timeSeconds + network.periodSeconds - (isActive(network, 'sip002', number) ? 1 : 0)
  if (header.timeSeconds < earliest) return refuse(isActive(network, 'sip002', number) ? 'ErrInvalidTimestampSIP002' : 'ErrInvalidTimestamp', `time ${header.timeSeconds}; ${earliest} or later`)
  return null
}

/** Checks 9 to 13: the header behind its parent. */
function verifyLink(network: Network, parent: KnownHeader, header: Header): Refusal | null {
  if (header.parentHash !== parent.hash || header.number !== parent.header.number + 1) return refuse('ErrUnknownAncestor', `block ${header.number} behind ${header.parentHash}; this parent is ${parent.header.number} ${parent.hash}`)
  if (!isGasLimitPossible(header.gasLimit)) return refuse('errInvalidGasLimit', `${header.gasLimit}; below 2^63`)
  if (header.gasUsed > header.gasLimit) return refuse('errInvalidGasUsed', `${header.gasUsed}; at most the limit ${header.gasLimit}`)
  if (!isGasLimitBound(network, parent.header.gasLimit, header))
    return refuse('errInvalidGasLimit', `${header.gasLimit} after ${parent.header.gasLimit}; less than a 1024th away, and ${minGasLimit(network, header.number)} or more`)
  return null
}

/** Checks 15 to 20: who sealed it. */
function verifySeal({ curve, network }: HeaderJudge, parent: Header, header: Header, round: Pick<Round, 'signers' | 'leaders'> | null): VerifiedHeader | Refusal {
  const { number } = header
  const sealer = recoverSealer(curve, header)
  if (sealer === null) return refuse('errInvalidSignature', 'the signature is nobody’s')
  const isJudged = number >= network.firstJudgedBlock
  const refusal = isJudged ? verifySealer(curve, network, parent, header, sealer, round) : null
  return refusal ?? { ok: true, header, hash: hashHeader(curve, header), sealHash: sealer.sealHash, signer: sealer.address }
}

function verifySealer(curve: Secp256k1, network: Network, parent: Header, header: Header, sealer: Sealer, round: Pick<Round, 'signers' | 'leaders'> | null): Refusal | null {
  const { number } = header
  const hasVrf = isActive(network, 'sip100', number)
  const rank = round === null ? null : rankAt(network, round, number, sealer.address)
  if (rank !== null && !network.uncheckedDifficulty.includes(number) && header.difficulty !== rank.difficulty) return refuse('errInvalidDifficulty', `${header.difficulty}; ${rank.difficulty} for ${sealer.address}`)
  if (hasVrf && !verifyVrf(curve, sealer.publicKey, vrfMessage(parent), header.extra.subarray(0, VRF_BYTES))) return refuse('errInvalidVrf', `not ${sealer.address}'s for block ${number}`)
  const earliest = parent.timeSeconds + (rank?.delaySeconds ?? 0)
  if (header.timeSeconds < earliest) return refuse('errUnauthorized', `time ${header.timeSeconds}; ${earliest} or later for ${sealer.address}`)
  if (hasVrf && header.coinbase === ZERO_ADDRESS) return refuse('errUnauthorized', 'the coinbase is the zero address')
  if (rank !== null && !rank.isAuthorised) return refuse('errUnauthorized', `${sealer.address} may not seal block ${number}`)
  return null
}

function rankAt(network: Network, round: Pick<Round, 'signers' | 'leaders'>, number: number, signer: Address): Rank {
  if (isActive(network, 'sip100', number)) return rankOf(round, number, network.periodSeconds, signer)
  return oldRankOf(round.signers, number, network.periodSeconds, isActive(network, 'sip002', number), signer)
}
