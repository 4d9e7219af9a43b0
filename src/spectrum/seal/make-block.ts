/**
 * From a head and a rank to a whole block of our own, run twice and judged like anybody's before it leaves
 * this file: what we sign must stand up to every check that others make.
 */
import { asError } from '../../base/index.ts'
import type { Clock, Log, Timers } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import type { Receipt } from '../codec/receipt.ts'
import type { Transaction } from '../codec/transaction.ts'
import type { Network } from '../network/network.ts'
import type { Block, Built, ChainBlock, Executor, MinerKey, ProvedState } from '../ports.ts'
import { receiptsRootOf, transactionsRootOf } from '../proof/inclusion.ts'
import { applyBlock } from '../rules/round.ts'
import type { Rank } from '../rules/rank.ts'
import type { Round } from '../rules/round.ts'
import { chiefTransaction, verifyBody, verifyReceipts } from '../rules/verify-body.ts'
import { verifyHeader } from '../rules/verify-header.ts'
import type { VerifiedHeader } from '../rules/verify-header.ts'
import { vrfMessage } from '../vrf.ts'
import { nextGasLimit, plannedHeader, sealedHeader, signWith } from './assemble.ts'
import { Breath } from './breath.ts'
import type { Run } from './pace.ts'
import type { SealingPool } from './pool/pool.ts'

export interface Workshop {
  readonly curve: Secp256k1
  readonly network: Network
  readonly executor: Pick<Executor, 'build' | 'execute'>
  readonly state: Pick<ProvedState, 'account' | 'round' | 'volunteer'>
  readonly pool: Pick<SealingPool, 'candidates' | 'settled' | 'forget'>
  readonly key: MinerKey
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

export interface Order {
  readonly head: ChainBlock
  readonly rank: Rank
  readonly coinbase: Address
  readonly timeSeconds: number
  /** Of all transactions but the chief's. */
  readonly maxGas: bigint
}

export interface Judged {
  readonly verified: VerifiedHeader
  readonly block: Block
  readonly receipts: readonly Receipt[]
  /** After the block. */
  readonly round: Round
}

export type Made = { readonly ok: true; readonly judged: Judged; readonly run: Run } | { readonly ok: false; readonly reason: 'no-volunteer' | 'failed' }

const POOL_WAIT_MS = 300

/** Where a block with transactions cannot be made, one with the chief's alone is: it keeps the slot (spec 6.6). */
export async function makeBlock(shop: Workshop, order: Order): Promise<Made> {
  await settledOrLate(shop)
  // Half of what transactions ask for they do not use: the executor stops at `maxGas` by what they do.
  const candidates = shop.pool.candidates(order.maxGas * 2n)
  try {
    const made = await attempt(shop, order, candidates)
    if (made.ok || made.reason === 'no-volunteer' || candidates.length === 0) return made
  } catch (thrown) {
    if (candidates.length === 0) throw thrown
    shop.log.warn('a block with transactions could not be made', { number: order.head.header.number + 1, transactions: candidates.length, error: asError(thrown) })
  }
  return await attempt(shop, order, [])
}

/** The pool takes the last head in first; a crowd of newcomers must not cost the slot. */
async function settledOrLate({ pool, timers }: Workshop): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const cancel = timers.after(POOL_WAIT_MS, resolve)
    pool
      .settled()
      .then(resolve, reject)
      .finally(() => cancel())
  })
}

async function attempt(shop: Workshop, order: Order, candidates: readonly Transaction[]): Promise<Made> {
  const { curve, network, executor, state, key } = shop
  const { head } = order
  const planned = plannedHeader({
    parent: head,
    coinbase: order.coinbase,
    difficulty: order.rank.difficulty,
    gasLimit: nextGasLimit(network, head.header),
    timeSeconds: order.timeSeconds,
    vrf: key.proveVrf(vrfMessage(head.header)),
  })
  const volunteer = await state.volunteer(head.header, planned, head.round)
  if (volunteer === null) return { ok: false, reason: 'no-volunteer' }
  const { nonce } = await state.account(head.header, key.address)
  const unsigned = chiefTransaction(network, planned.number, nonce, volunteer)
  if (unsigned === null) return { ok: false, reason: 'failed' }
  const chief = signWith(curve, unsigned, network.chainId, (digest) => key.sign(digest))
  const startedMs = shop.clock.boottimeMs()
  const built = await executor.build({
    parent: head.header,
    number: planned.number,
    timeSeconds: planned.timeSeconds,
    coinbase: planned.coinbase,
    signer: key.address,
    gasLimit: planned.gasLimit,
    difficulty: planned.difficulty,
    chief,
    candidates,
    maxGas: order.maxGas,
  })
  forgetRefused(shop, built)
  const breath = new Breath(shop.clock, shop.timers)
  const transactions = transactionsRootOf(curve, built.transactions)
  await breath.take()
  const receipts = receiptsRootOf(curve, built.receipts)
  await breath.take()
  const block: Block = { header: sealedHeader(curve, key, planned, built, { transactions, receipts }), body: { transactions: built.transactions, uncles: [] } }
  const judged = await judgeOwn(shop, head, block, volunteer)
  return judged === null ? { ok: false, reason: 'failed' } : { ok: true, judged, run: { gasUsed: built.gasUsed, elapsedMs: shop.clock.boottimeMs() - startedMs } }
}

/** Not waited for: the pool has its own line, and the slot its time. */
function forgetRefused({ pool, log }: Workshop, { refused }: Built): void {
  if (refused.length === 0) return
  log.info('transactions that the state will never take', { first: refused[0]?.hash, reason: refused[0]?.reason, count: refused.length })
  pool.forget(refused.map((one) => one.hash)).catch((thrown: unknown) => log.error('the pool could not forget them', { error: asError(thrown) }))
}

/**
 * A block of our own, made now or read from disk, run and judged. Null: it does not hold, and the log says
 * why. `volunteer` null: not known; its choice was proved when it was made.
 */
export async function judgeOwn(shop: Pick<Workshop, 'curve' | 'network' | 'executor' | 'state' | 'clock' | 'timers' | 'log' | 'key'>, parent: ChainBlock, block: Block, volunteer: Address | null): Promise<Judged | null> {
  const { curve, network, executor, state } = shop
  const fail = (code: string, reason: string): null => {
    shop.log.error('a block of our own does not hold', { number: block.header.number, refusal: code, reason })
    return null
  }
  const breath = new Breath(shop.clock, shop.timers)
  // "From the future" is left to the sealer, which waits for the block's time.
  const verified = verifyHeader({ curve, network, nowSeconds: null }, parent, block.header, parent.round)
  if (!verified.ok) return fail(verified.code, verified.reason)
  if (verified.signer !== shop.key.address) return fail('errUnauthorized', `signed by ${verified.signer}; the key is ${shop.key.address}`)
  await breath.take()
  const body = verifyBody(curve, network, verified, block.body, volunteer)
  if (!body.ok) return fail(body.code, body.reason)
  const executed = await executor.execute(parent.header, block)
  if (!executed.ok) return fail(executed.code, executed.reason)
  await breath.take()
  const receipts = verifyReceipts(curve, network, block.header, executed.receipts)
  if (!receipts.ok) return fail(receipts.code, receipts.reason)
  const round = (await state.round(block.header)) ?? applyBlock(parent.round, block.header.number, verified.signer, body.volunteer ?? ZERO_ADDRESS).round
  return { verified, block, receipts: executed.receipts, round }
}
