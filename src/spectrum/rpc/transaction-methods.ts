/** Transactions: sending one, and what became of it. */
import type { PoolRefusalCode } from '../ports.ts'
import { bodyOfBlock, receiptsOfBlock } from './block-contents.ts'
import { blockByHash } from './block-tag.ts'
import type { MethodTable } from './method.ts'
import { receiptJson, transactionJson } from './present.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

/** The chain's own bound for what a pool takes (spec 1.3). */
const MAX_RAW_BYTES = 32 * 1024

/** In the words that wallets and libraries look for. */
const REFUSALS: Readonly<Record<PoolRefusalCode, string>> = {
  known: 'already known',
  underpriced: 'transaction underpriced',
  'nonce-too-low': 'nonce too low',
  'nonce-gap': 'nonce too high: transactions before it are missing',
  'insufficient-funds': 'insufficient funds for gas * price + value',
  'too-large': 'oversized data',
  'gas-limit': 'exceeds block gas limit',
  'bad-signature': 'invalid sender',
  'wrong-chain': 'only replay-protected (EIP-155) transactions of this chain are taken',
  'chief-transaction': 'the chief transaction is made by the sealer only',
  'pool-full': 'txpool is full',
  'replacement-underpriced': 'replacement transaction underpriced',
}

export const TRANSACTION_METHODS: MethodTable = {
  /** Answered when the pool has it; the pool keeps it before it says so. */
  eth_sendRawTransaction: {
    maxParams: 1,
    run: async ({ ports }, params) => {
      const raw = params.at(0).data(MAX_RAW_BYTES)
      const alarm = ports.chain.alarm()
      if (alarm !== null) throw new RpcError(RPC_CODES.rejected, `nothing is sent while the chain's alarm stands: ${alarm.reason}`, { data: { code: 'alarm' } })
      const added = await ports.pool.add(raw, 'wallet')
      if (added.ok) return added.hash
      throw new RpcError(RPC_CODES.rejected, `${REFUSALS[added.code]}: ${added.reason}`, { data: { code: added.code } })
    },
  },
  eth_getTransactionByHash: {
    maxParams: 1,
    run: async ({ ports }, params) => {
      const { curve, chain, pool } = ports
      const hash = params.at(0).hash()
      const place = chain.transaction(hash)
      const block = place === null ? null : blockByHash(chain, place.blockHash)
      if (place === null || block === null) {
        const waiting = pool.get(hash)
        return waiting === null ? null : transactionJson(curve, waiting, chain.network.chainId, null)
      }
      const transaction = (await bodyOfBlock(ports, block)).transactions[place.index]
      return transaction === undefined ? null : transactionJson(curve, transaction, chain.network.chainId, { hash: block.hash, number: place.number, index: place.index })
    },
  },
  eth_getTransactionReceipt: {
    maxParams: 1,
    run: async ({ ports }, params) => {
      const { curve, chain } = ports
      const place = chain.transaction(params.at(0).hash())
      const block = place === null ? null : blockByHash(chain, place.blockHash)
      if (place === null || block === null) return null
      const { transactions } = await bodyOfBlock(ports, block)
      return receiptJson(curve, chain.network.chainId, block, transactions, await receiptsOfBlock(ports, block), place.index)
    },
  },
}
