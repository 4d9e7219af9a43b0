/**
 * Bodies and receipts of blocks, kept here or fetched. What is fetched is held against the header's roots:
 * a source's word for it is nothing.
 */
import type { Body } from '../codec/body.ts'
import type { Receipt } from '../codec/receipt.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import { receiptsRootOf, transactionsRootOf } from '../proof/inclusion.ts'
import { EMPTY_UNCLE_HASH } from '../network/genesis.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import type { RpcPorts } from './ports.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

export type ContentsPorts = Pick<RpcPorts, 'curve' | 'chain' | 'blocks'>

const NOTHING: Body = { transactions: [], uncles: [] }

/** Errors: RpcError -32001 where nobody has it. */
export async function bodyOfBlock(ports: ContentsPorts, block: KnownHeader): Promise<Body> {
  const { header, hash } = block
  if (header.transactionsRoot === EMPTY_TRIE_ROOT && header.uncleHash === EMPTY_UNCLE_HASH) return NOTHING
  const kept = ports.chain.body(hash)
  if (kept !== null) return kept
  const fetched = (await ports.blocks?.body(hash)) ?? null
  if (fetched === null || fetched.uncles.length > 0 || transactionsRootOf(ports.curve, fetched.transactions) !== header.transactionsRoot)
    throw new RpcError(RPC_CODES.missing, `the transactions of block ${header.number} are not kept here, and no source has them now`)
  return fetched
}

/** Errors: RpcError -32001 where nobody has them. */
export async function receiptsOfBlock(ports: ContentsPorts, block: KnownHeader): Promise<readonly Receipt[]> {
  const { header, hash } = block
  if (header.receiptsRoot === EMPTY_TRIE_ROOT) return []
  const kept = ports.chain.receipts(hash)
  if (kept !== null) return kept
  const fetched = (await ports.blocks?.receipts(hash)) ?? null
  if (fetched === null || receiptsRootOf(ports.curve, fetched) !== header.receiptsRoot)
    throw new RpcError(RPC_CODES.missing, `the receipts of block ${header.number} are not kept here, and no source has them now`)
  return fetched
}
