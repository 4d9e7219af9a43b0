/**
 * Whole blocks on a world: every transaction in order, then the block's reward and the one burn of mainnet
 * (spec 1.3). `runBlock` judges a block that somebody made, `draftBlock` makes one.
 */
import type { Secp256k1 } from '../../native/index.ts'
import type { Body } from '../codec/body.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address, Hash } from '../codec/fields.ts'
import { recoverSealer } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import { bloomOfLogs } from '../codec/receipt.ts'
import type { Receipt } from '../codec/receipt.ts'
import { hashTransaction, isProtected, senderOf } from '../codec/transaction.ts'
import type { Transaction } from '../codec/transaction.ts'
import { isActive } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import type { Draft } from '../ports.ts'
import { blockRewardWei, burnWei } from '../rules/economy.ts'
import { refuse } from '../rules/codes.ts'
import type { Refusal } from '../rules/codes.ts'
import { verifyReceipts } from '../rules/verify-body.ts'
import type { BlockHashOf } from './evm.ts'
import { MAX_BLOCK_STEPS, Meter, Unprovable } from './meter.ts'
import { applyTransaction, workplace } from './transaction.ts'
import type { BlockContext, Workplace } from './transaction.ts'
import type { Commit, World } from './world.ts'

export interface BlockRun {
  readonly network: Network
  readonly curve: Secp256k1
  /** At the parent's state. Changed by the run, whatever comes of it. */
  readonly world: World
  readonly blockHash: BlockHashOf
  readonly maxSteps?: number
}

export interface Ran {
  readonly ok: true
  readonly receipts: readonly Receipt[]
  readonly commit: Commit
}

/** Errors: unavailable. */
export async function runBlock(options: BlockRun, header: Header, body: Body): Promise<Ran | Refusal> {
  const { network, curve, world } = options
  const signer = header.coinbase === ZERO_ADDRESS ? recoverSealer(curve, header) : null
  const place = placeOf(options, { ...header, signer: signer === null ? ZERO_ADDRESS : signer.address })
  const senders = body.transactions.map((transaction) => senderOf(curve, transaction, network.chainId))
  await world.prefetch(touchedAddresses(header.coinbase, body.transactions, senders))
  const receipts: Receipt[] = []
  let gasUsed = 0n
  try {
    for (const [index, transaction] of body.transactions.entries()) {
      const sender = senders[index] ?? null
      if (sender === null) return refuse('errInvalidTransaction', `transaction ${index} is signed by nobody, for another chain or with high s`)
      const applied = await applyTransaction(place, transaction, sender, gasUsed)
      if (!applied.ok) return refuse('errInvalidTransaction', `transaction ${index} of ${sender}: ${applied.reason}`)
      gasUsed += applied.gasUsed
      receipts.push(applied.receipt)
    }
  } catch (thrown) {
    if (thrown instanceof Unprovable) return refuse('errUnprovable', `transaction ${receipts.length}: ${thrown.message}`)
    throw thrown
  }
  const judged = verifyReceipts(curve, network, header, receipts)
  if (!judged.ok) return judged
  await payReward(network, world, header)
  const commit = await world.finish()
  return commit.root === header.stateRoot ? { ok: true, receipts, commit } : refuse('errInvalidStateRoot', `${commit.root}; the header has ${header.stateRoot}`)
}

export interface Drafted {
  /** Places in `draft.candidates`, in order. */
  readonly taken: readonly number[]
  readonly receipts: readonly Receipt[]
  readonly stateRoot: Hash
  readonly gasUsed: bigint
  readonly bloom: Uint8Array
  readonly refused: readonly { readonly hash: Hash; readonly reason: string }[]
}

/** For the chief's update, beside a step for each gas of the candidates. */
const CHIEF_STEPS = 3_000_000
/** Candidates that cannot be run to an end before the block is made without any. */
const MAX_STARTS = 2

/**
 * The chief's update first, then what of the candidates the state and the gas take. `fresh` makes a world at the
 * parent's state. A candidate that cannot be run to an end costs a new start without it; the second such costs the
 * block all its candidates, so that nobody can make a sealer miss its slot.
 * Errors: unavailable; input `draft.chief` where the chief transaction itself cannot be applied or fails.
 */
export async function draftBlock(options: Omit<BlockRun, 'world'>, fresh: () => World, draft: Draft, chiefError: (reason: string) => Error): Promise<Drafted> {
  const { network, curve } = options
  const senders = draft.candidates.map((candidate) => (isActive(network, 'sip003', draft.number) && !isProtected(candidate) ? null : senderOf(curve, candidate, network.chainId)))
  const left = new Set(draft.candidates.keys())
  const refused = new Map<number, string>()
  for (const [index, sender] of senders.entries())
    if (sender === null) {
      refused.set(index, 'signed by nobody, for another chain or with high s')
      left.delete(index)
    }
  const maxSteps = Math.min(options.maxSteps ?? MAX_BLOCK_STEPS, Number(draft.maxGas) + CHIEF_STEPS)
  for (let starts = 0; ; starts++) {
    if (starts === MAX_STARTS) left.clear()
    const world = fresh()
    await world.prefetch(touchedAddresses(draft.coinbase, draft.candidates, senders))
    const attempt = await tryDraft({ ...options, maxSteps, world }, draft, senders, left, refused, chiefError)
    if (attempt !== null) return { ...attempt, refused: [...refused].map(([index, reason]) => ({ hash: hashTransaction(curve, draft.candidates[index] as Transaction), reason })) }
  }
}

/** Null: a candidate would not end; it is no longer in `left`. */
async function tryDraft(options: BlockRun, draft: Draft, senders: readonly (Address | null)[], left: Set<number>, refused: Map<number, string>, chiefError: (reason: string) => Error): Promise<Omit<Drafted, 'refused'> | null> {
  const { network, curve, world } = options
  const place = placeOf(options, draft)
  const chiefSender = senderOf(curve, draft.chief, network.chainId)
  if (chiefSender !== draft.signer) throw chiefError(`it is from ${chiefSender ?? 'nobody'}, the block from ${draft.signer}`)
  const chief = await applyTransaction(place, draft.chief, draft.signer, 0n)
  if (!chief.ok) throw chiefError(chief.reason)
  if (!chief.receipt.succeeded) throw chiefError('the chief contract refuses it')
  const receipts = [chief.receipt]
  let gasUsed = chief.gasUsed
  let candidateGas = 0n
  const taken: number[] = []
  for (const index of [...left]) {
    const candidate = draft.candidates[index] as Transaction
    const sender = senders[index] as Address
    if (candidate.gas > draft.maxGas - candidateGas) continue
    try {
      const applied = await applyTransaction(place, candidate, sender, gasUsed)
      if (!applied.ok) {
        if (!applied.mayDoLater) refused.set(index, applied.reason)
        continue
      }
      gasUsed += applied.gasUsed
      candidateGas += applied.gasUsed
      receipts.push(applied.receipt)
      taken.push(index)
    } catch (thrown) {
      if (!(thrown instanceof Unprovable)) throw thrown
      // The world is half changed, and the steps of others are spent on it: start again without it.
      refused.set(index, thrown.message)
      left.delete(index)
      return null
    }
  }
  await payReward(network, world, draft)
  const { root } = await world.finish()
  return { taken, receipts, stateRoot: root, gasUsed, bloom: bloomOfLogs(curve, receipts.flatMap((receipt) => receipt.logs)) }
}

function placeOf(options: BlockRun, block: BlockContext): Workplace {
  return workplace({ ...options, meter: new Meter(options.maxSteps ?? MAX_BLOCK_STEPS), block })
}

async function payReward(network: Network, world: World, block: { readonly number: number; readonly coinbase: Address }): Promise<void> {
  const reward = blockRewardWei(network, block.number)
  if (reward > 0n) await world.credit(block.coinbase, reward)
  if (network.burn === null || block.number !== network.burn.block) return
  const account = await world.account(network.burn.address)
  if (account !== null) await world.credit(network.burn.address, -burnWei(network, block.number, account.balance))
}

function touchedAddresses(coinbase: Address, transactions: readonly Transaction[], senders: readonly (Address | null)[]): Address[] {
  return [coinbase, ...transactions.flatMap(({ to }) => (to === null ? [] : [to])), ...senders.filter((sender) => sender !== null)]
}
