/** Runs a list of blocks over given state nodes, as `meshbox tool block replay` shows them. */
import { MeshBoxError } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Hash } from '../codec/fields.ts'
import { hashHeader } from '../codec/header.ts'
import type { Network } from '../network/network.ts'
import type { Block } from '../ports.ts'
import { transactionsRootOf } from '../proof/inclusion.ts'

export interface Replayed {
  readonly number: number
  readonly hash: Hash
  readonly stateRoot: Hash
  readonly gasUsed: bigint
  readonly transactions: number
  /** Null: everything in the header is what came out of the run. */
  readonly refusal: { readonly code: string; readonly reason: string } | null
}

const CACHE_BYTES = 16 * 1024 * 1024

/**
 * Ascending blocks, each on the one before; the first is the parent of the second and is not run. Stops at the first
 * that is refused. `nodes`: state nodes and code by hash, as the shared vectors have them; may be empty where the
 * first block is the network's genesis.
 */
export async function* replayBlocks(curve: Secp256k1, network: Network, nodes: ReadonlyMap<Hash, Uint8Array>, blocks: Iterable<Block>): AsyncGenerator<Replayed> {
  // Here, so that whoever imports this room without calling this does not load the virtual machine.
  const { createInlineExecutor, memoryStateStore } = await import('./inline-executor.ts')
  const hashes = new Map<number, Hash>()
  const executor = createInlineExecutor({ curve, store: memoryStateStore(nodes), fetchNodes: () => Promise.resolve([]), ancestorHash: (_, number) => Promise.resolve(hashes.get(number) ?? null), maxCacheBytes: CACHE_BYTES })
  await executor.begin(network)
  let parent: Block | null = null
  for (const block of blocks) {
    const { header } = block
    const hash = hashHeader(curve, header)
    hashes.set(header.number, hash)
    if (parent !== null) {
      const refusal = await judge(block)
      yield { number: header.number, hash, stateRoot: header.stateRoot, gasUsed: header.gasUsed, transactions: block.body.transactions.length, refusal }
      if (refusal !== null) return
    }
    parent = block
  }

  async function judge(block: Block): Promise<Replayed['refusal']> {
    const root = transactionsRootOf(curve, block.body.transactions)
    if (root !== block.header.transactionsRoot) return { code: 'errInvalidTransactionsRoot', reason: `${root}; the header has ${block.header.transactionsRoot}` }
    try {
      const verdict = await executor.execute((parent as Block).header, block)
      return verdict.ok ? null : { code: verdict.code, reason: verdict.reason }
    } catch (thrown) {
      if (thrown instanceof MeshBoxError) return { code: thrown.code, reason: thrown.message }
      throw thrown
    }
  }
}
