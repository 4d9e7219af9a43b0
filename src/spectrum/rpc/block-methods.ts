/** Blocks. What is not there is null; what is there but not kept any more is an error, never half a block. */
import { hashTransaction } from '../codec/transaction.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { bodyOfBlock } from './block-contents.ts'
import { blockByHash, findBlock, readBlockTag } from './block-tag.ts'
import type { Asked, MethodTable } from './method.ts'
import type { Param, Params } from './params.ts'
import { blockJson, transactionJson } from './present.ts'
import { quantity } from './quantity.ts'
import { mapInTurns } from './turn.ts'

const MAX_INDEX = 2n ** 32n - 1n
/** A sender is recovered in some 0.13 ms native, 3 ms in JavaScript, and ten times that on a small router. */
const RECOVERIES_PER_TURN = { native: 16, noble: 1 } as const
const HASHES_PER_TURN = { native: 256, noble: 32 } as const

type Finder = (asked: Asked, param: Param) => KnownHeader | null
/** No block is shown before it is sealed: pending is null. */
const byNumber: Finder = ({ ports }, param) => {
  if (param.isAbsent) throw param.refuse('a block number in hex, or a tag')
  const wanted = readBlockTag(param)
  return 'tag' in wanted && wanted.tag === 'pending' ? null : findBlock(ports.curve, ports.chain, wanted)
}
const byHash: Finder = ({ ports }, param) => blockByHash(ports.chain, param.hash())

export const BLOCK_METHODS: MethodTable = {
  eth_getBlockByNumber: { maxParams: 2, run: (asked, params) => wholeBlock(asked, params, byNumber) },
  eth_getBlockByHash: { maxParams: 2, run: (asked, params) => wholeBlock(asked, params, byHash) },
  eth_getBlockTransactionCountByNumber: { maxParams: 1, run: (asked, params) => count(asked, params, byNumber) },
  eth_getBlockTransactionCountByHash: { maxParams: 1, run: (asked, params) => count(asked, params, byHash) },
  eth_getUncleCountByBlockNumber: { maxParams: 1, run: (asked, params) => (byNumber(asked, params.at(0)) === null ? null : quantity(0)) },
  eth_getUncleCountByBlockHash: { maxParams: 1, run: (asked, params) => (byHash(asked, params.at(0)) === null ? null : quantity(0)) },
  eth_getTransactionByBlockNumberAndIndex: { maxParams: 2, run: (asked, params) => transactionAt(asked, params, byNumber) },
  eth_getTransactionByBlockHashAndIndex: { maxParams: 2, run: (asked, params) => transactionAt(asked, params, byHash) },
}

async function wholeBlock(asked: Asked, params: Params, find: Finder): Promise<unknown> {
  const { ports } = asked
  const { curve, chain } = ports
  const isWhole = params.at(1).isAbsent ? false : params.at(1).boolean()
  const block = find(asked, params.at(0))
  if (block === null) return null
  const body = await bodyOfBlock(ports, block)
  const { number } = block.header
  const transactions = isWhole
    ? await mapInTurns(ports, body.transactions, RECOVERIES_PER_TURN[curve.backend], (one, index) => transactionJson(curve, one, chain.network.chainId, { hash: block.hash, number, index }))
    : await mapInTurns(ports, body.transactions, HASHES_PER_TURN[curve.backend], (one) => hashTransaction(curve, one))
  return blockJson(curve, block, chain.totalDifficulty(block.hash), body, transactions)
}

async function count(asked: Asked, params: Params, find: Finder): Promise<unknown> {
  const block = find(asked, params.at(0))
  return block === null ? null : quantity((await bodyOfBlock(asked.ports, block)).transactions.length)
}

async function transactionAt(asked: Asked, params: Params, find: Finder): Promise<unknown> {
  const index = Number(params.at(1).quantity(MAX_INDEX))
  const block = find(asked, params.at(0))
  if (block === null) return null
  const transaction = (await bodyOfBlock(asked.ports, block)).transactions[index]
  const { curve, chain } = asked.ports
  return transaction === undefined ? null : transactionJson(curve, transaction, chain.network.chainId, { hash: block.hash, number: block.header.number, index })
}
