/**
 * Whether a watcher takes a job, and what it does with it when the channel moves on the chain. Pure. The newest state
 * wins: an older one is refused, and what was stored before is replaced, so a watcher has nothing older to post.
 */
import { inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { channelId } from '../wire/index.ts'
import type { Digests, Keccak } from '../wire/index.ts'
import { VERDICT } from './frames.ts'
import type { Verdict } from './frames.ts'
import type { Delegation, WatchDuty, WatchEvent, WatchSigner, WatchedChannel } from './ports.ts'

export interface WatchLimits {
  readonly maxJobs: number
  readonly maxJobsPerDelegator: number
  /** In the token's smallest unit; what a transaction costs, and something for the trouble. */
  readonly minReward: (token: Address) => bigint
  /** A job this near to the end of the dispute is not taken any more. */
  readonly minBlocksLeft: number
}

export const WATCH_JOBS = { maxJobs: 1024, maxJobsPerDelegator: 16, minBlocksLeft: 6 } as const
/** The contract pays no more than a uint96. */
const MAX_REWARD = (1n << 96n) - 1n
const MAX_NONCE = (1n << 64n) - 1n

/** A job as it is stored. `closed` and `postedNonce`: what the chain has said of the channel since. */
export interface WatchJob {
  readonly delegation: Delegation
  readonly closed: { readonly block: number; readonly settleBlock: number } | null
  /** Of the partner's proof that the contract holds; 0: none. */
  readonly postedNonce: bigint
}

export interface JobTools {
  readonly digests: Digests
  readonly keccak: Keccak
  readonly signer: WatchSigner
}

/** Errors: input `profile`: only our contract binds a delegation to a watcher and pays it. */
export function requireV2(tools: JobTools): void {
  const { profile } = tools.digests.domain
  if (profile !== 'v2') throw inputError('profile', profile, 'v2')
}

export interface Holdings {
  readonly held: WatchJob | null
  readonly jobs: number
  readonly jobsOfDelegator: number
}

/** What can be said without the chain. `accepted`: go on and ask it. */
export function judgeForm(tools: JobTools, delegation: Delegation, from: Address, limits: WatchLimits): Verdict {
  const { proof } = delegation
  if (delegation.watcher !== tools.signer.self || delegation.receiver !== from) return VERDICT.notMine
  if (delegation.receiver === delegation.partner || proof.nonce === 0n || proof.nonce === MAX_NONCE) return VERDICT.malformed
  if (delegation.channel !== channelId(tools.keccak, delegation.receiver, delegation.partner, delegation.token, tools.digests.domain.contract)) return VERDICT.malformed
  if (delegation.reward < limits.minReward(delegation.token) || delegation.reward > MAX_REWARD) return VERDICT.tooLittle
  if (tools.signer.recover(tools.digests.balanceProof(proof), proof.signature) !== delegation.partner) return VERDICT.wrongSignature
  const { channel, epoch, nonce, transferred, locksroot } = proof
  const digest = tools.digests.updateDelegation({ channel, epoch, nonce, transferred, locksroot, watcher: delegation.watcher, reward: delegation.reward })
  return tools.signer.recover(digest, delegation.receiverSignature) === delegation.receiver ? VERDICT.accepted : VERDICT.wrongSignature
}

/** Room and age, by what is stored; asked before the chain is, and again in the turn that stores. */
export function judgeRoom(delegation: Delegation, holdings: Holdings, limits: WatchLimits): Verdict {
  const { held } = holdings
  if (held !== null && held.delegation.epoch === delegation.epoch) return delegation.proof.nonce > held.delegation.proof.nonce || isSameState(delegation, held.delegation) ? VERDICT.accepted : VERDICT.old
  if (held !== null) return delegation.epoch > held.delegation.epoch ? VERDICT.accepted : VERDICT.old
  return holdings.jobs >= limits.maxJobs || holdings.jobsOfDelegator >= limits.maxJobsPerDelegator ? VERDICT.full : VERDICT.accepted
}

/** The same again: its receipt was lost, or there are other secrets now. */
function isSameState(one: Delegation, other: Delegation): boolean {
  const [a, b] = [one.proof, other.proof]
  return a.nonce === b.nonce && a.transferred === b.transferred && a.locksroot === b.locksroot && a.extra === b.extra && one.reward === other.reward
}

/** What the chain says of it. */
export function judgeChannel(delegation: Delegation, channel: WatchedChannel | 'absent' | null, head: number, limits: WatchLimits): Verdict {
  if (channel === null) return VERDICT.tryLater
  if (channel === 'absent' || channel.epoch !== delegation.epoch) return VERDICT.unknownChannel
  if (channel.settleBlock !== null && channel.settleBlock - head < limits.minBlocksLeft) return VERDICT.late
  // The reward is paid out of what is the receiver's at the settlement.
  const share = channel.receiverFunds + delegation.proof.transferred
  return delegation.reward > channel.capacity || delegation.reward > share ? VERDICT.tooLittle : VERDICT.accepted
}

/** The job with a newer state; what the chain's events have said of the channel stays, else it is as it was found. */
export function withDelegation(held: WatchJob | null, delegation: Delegation, found: WatchedChannel, head: number): WatchJob {
  if (held !== null && held.delegation.epoch === delegation.epoch && held.closed !== null) return { ...held, delegation }
  return asFound({ delegation, closed: null, postedNonce: 0n }, found, head)
}

/** The job with a dispute that is going on already. */
export function asFound(job: WatchJob, found: WatchedChannel, head: number): WatchJob {
  if (found.settleBlock === null || found.epoch !== job.delegation.epoch || job.closed !== null) return job
  return { ...job, closed: { block: head, settleBlock: found.settleBlock }, postedNonce: found.postedNonce }
}

/** What is to be done for a job as it stands at block `head`: from the first block after the close. */
export function dutiesFor(job: WatchJob, head: number): readonly WatchDuty[] {
  if (job.closed === null || job.closed.settleBlock <= head) return []
  const { block, settleBlock } = job.closed
  const duties: WatchDuty[] = []
  if (job.delegation.proof.nonce > job.postedNonce) duties.push({ kind: 'update-delegate', delegation: job.delegation, fromBlock: block + 1, deadlineBlock: settleBlock })
  for (const { expiration, secret } of job.delegation.secrets)
    if (expiration > head) duties.push({ kind: 'register-secret', secret, fromBlock: block + 1, deadlineBlock: Math.min(expiration, settleBlock) })
  return duties
}

/** Null: the job is over. The channel is the job's. */
export function onChannelEvent(job: WatchJob, event: WatchEvent): WatchJob | null {
  const { delegation } = job
  switch (event.kind) {
    case 'opened':
      return event.epoch > delegation.epoch ? null : job
    case 'closed':
      // Who closes posts the other's proof: only the delegator's own close can have brought the partner's.
      return { ...job, closed: { block: event.block, settleBlock: event.settleBlock }, postedNonce: event.by === delegation.receiver ? event.nonce : 0n }
    case 'updated':
      return event.payer === delegation.partner && event.nonce > job.postedNonce ? { ...job, postedNonce: event.nonce } : job
    case 'settled':
      return null
    default:
      return job
  }
}
