/**
 * A channel as the contract's own storage has it, instead of the news that nobody heard. Pure. What the storage has only
 * as a hash (the posted proofs' sums, PhotonV2.balanceHashOf) is found among what this box knows of the channel.
 */
import { ZERO_HASH, bytesOf, concatBytes, fromHex, hexOf } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ProvedChannel, StoredSide } from '../chain/index.ts'
import { openChannel, restored } from '../channel/index.ts'
import type { ChannelRole, ChannelSide, ChannelState, Dispute, PostedProof } from '../channel/index.ts'
import type { Domain } from '../ports.ts'
import type { BackupRecord } from '../watch/index.ts'

/** What a posted proof may say: of each nonce, by whom. */
export type ProofOf = (who: 'own' | 'partner', nonce: bigint) => Pick<PostedProof, 'transferred' | 'locksroot'> | null

export interface Tools {
  readonly keccak: (data: Uint8Array) => Uint8Array
  readonly proofOf: ProofOf
}

const NOTHING: PostedProof = { nonce: 0n, transferred: 0n, locksroot: ZERO_HASH, unlocked: [] }
/** What the contract writes as nonce of a proof that was voided by punishment. */
const VOID_NONCE = (1n << 64n) - 1n
const BALANCE_HASH_BYTES = 24
const NO_SIGNATURE = new Uint8Array(65)

/** `found.sides`: own first. Its epoch is the state's; it is open or closed. */
export function asProved(tools: Tools, state: ChannelState, found: ProvedChannel): ChannelState {
  const [own, partner] = [fundedAs(state.own, found.sides[0]), fundedAs(state.partner, found.sides[1])]
  const funded = { ...state, own, partner }
  if (found.state === 'closed') return { ...funded, phase: 'closed', agreement: null, dispute: disputeOf(tools, state, found) }
  if (state.dispute !== null) return { ...funded, phase: 'closing', dispute: null, note: 'its close is not in the chain any more' }
  const isPoorer = own.deposit < state.own.deposit || partner.deposit < state.partner.deposit
  return isPoorer && state.phase !== 'closing' && state.phase !== 'error' ? { ...funded, phase: 'closing', note: 'a deposit that was counted on is not in the chain any more' } : funded
}

/** One counter: what is claimed is given. */
function fundedAs(side: ChannelSide, found: StoredSide): ChannelSide {
  const { deposit, claimed, withdrawn } = found
  const withdrawal = side.withdrawal !== null && side.withdrawal.total > withdrawn ? side.withdrawal : null
  return { ...side, deposit, claimed, withdrawn, withdrawal, transferred: claimed > side.transferred ? claimed : side.transferred }
}

function disputeOf(tools: Tools, state: ChannelState, found: ProvedChannel): Dispute {
  const { dispute } = state
  const [own, partner] = [postedBy(tools, 'own', found.sides[0], dispute?.own ?? NOTHING), postedBy(tools, 'partner', found.sides[1], dispute?.partner ?? NOTHING)]
  // Who closed is not kept there: whoever closes posts the other's proof.
  const closedBy = dispute?.closedBy ?? (own.nonce > 0n ? state.partner.address : state.own.address)
  return { closedBy, closeBlock: dispute?.closeBlock ?? found.settleBlock - found.settleTimeout, settleBlock: found.settleBlock, own, partner }
}

function postedBy({ keccak, proofOf }: Tools, who: 'own' | 'partner', found: StoredSide, before: PostedProof): PostedProof {
  if (found.isVoided) return { ...NOTHING, nonce: VOID_NONCE }
  if (found.nonce === 0n) return NOTHING
  const isIt = ({ transferred, locksroot }: Pick<PostedProof, 'transferred' | 'locksroot'>): boolean => balanceHash(keccak, transferred, locksroot) === found.balanceHash
  if (before.nonce === found.nonce && isIt(before)) return before
  const known = proofOf(who, found.nonce)
  // Not known: the nonce says at least whether ours is newer; to settle is then left to the partner.
  return known !== null && isIt(known) ? { nonce: found.nonce, ...known, unlocked: [] } : { ...NOTHING, nonce: found.nonce }
}

function balanceHash(keccak: Tools['keccak'], transferred: bigint, locksroot: Hash): string {
  if (transferred === 0n && locksroot === ZERO_HASH) return hexOf(new Uint8Array(BALANCE_HASH_BYTES))
  return hexOf(keccak(concatBytes(bytesOf(locksroot), fromHex(transferred.toString(16).padStart(64, '0')))).subarray(0, BALANCE_HASH_BYTES))
}

export interface FoundChannel {
  readonly domain: Domain
  readonly token: Address
  readonly channel: Hash
  readonly self: Address
  readonly partner: Address
  readonly role: ChannelRole
  /** Own side first. */
  readonly found: ProvedChannel
  /** In which it was found. */
  readonly block: number
}

/** A channel in which this box has signed nothing. */
export function neverUsed(it: FoundChannel): ChannelState {
  const { domain, token, channel, self, partner, role, found, block } = it
  const { epoch, settleTimeout, sides } = found
  return openChannel({ domain, token, own: self, partner, key: { channel, epoch }, settleTimeout, role, ownDeposit: sides[0].deposit, partnerDeposit: sides[1].deposit, openBlock: block })
}

/**
 * A channel whose book is lost, with what a neighbour's copy says of it, if there is one: nothing is sent before the
 * partner has said where it stands, and every lock of the partner counts as given up.
 */
export function fromCopy(it: FoundChannel, copy: BackupRecord | null): ChannelState {
  const blank = neverUsed(it)
  const isOfThisLife = copy !== null && copy.epoch === it.found.epoch
  const known = restored(isOfThisLife ? { ...blank, own: ownAsOf(blank.own, copy), partner: partnerAsOf(blank.partner, copy) } : blank)
  return { ...known, phase: 'prepare-cooperative-settle', note: 'the book was lost: the partner is asked what was signed, and nothing is sent before' }
}

function ownAsOf(side: ChannelSide, { channel, epoch, ownNonce, ownHash, ownTransferred, ownLocksroot }: BackupRecord): ChannelSide {
  const proof = ownNonce === 0n ? null : { channel, epoch, nonce: ownNonce, transferred: ownTransferred, locksroot: ownLocksroot, extra: ownHash, signature: NO_SIGNATURE }
  return { ...side, nonce: ownNonce, transferred: ownTransferred, locksroot: ownLocksroot, proof }
}

function partnerAsOf(side: ChannelSide, { proof }: BackupRecord): ChannelSide {
  return proof === null ? side : { ...side, nonce: proof.nonce, transferred: proof.transferred, locksroot: proof.locksroot, proof }
}

/** Locks are pending of which only the root is known: nothing can be paid on top of them. */
export function hasUnknownLocks({ own, partner }: ChannelState): boolean {
  return [own, partner].some(({ locksroot, locks }) => locksroot !== ZERO_HASH && locks.length === 0)
}
