/** Transactions and receipts of a block by their index, against the roots in its header. */
import type { Hash, Keccak } from '../codec/fields.ts'
import { decodeReceipt, encodeReceipt } from '../codec/receipt.ts'
import type { Receipt } from '../codec/receipt.ts'
import { decodeTransaction, encodeTransaction } from '../codec/transaction.ts'
import type { Transaction } from '../codec/transaction.ts'
import { decoded } from './account.ts'
import { buildListTrie, listKey } from './build-trie.ts'
import { readTrie } from './read-trie.ts'
import type { NodeSource, Read } from './read-trie.ts'

/** Null: the block has no transaction with this index. */
export function readTransaction(keccak: Keccak, transactionsRoot: Hash, index: number, nodeOf: NodeSource): Read<Transaction | null> {
  return decoded<Transaction | null>(readTrie(keccak, transactionsRoot, listKey(index), nodeOf), transactionsRoot, null, decodeTransaction)
}

/** Null: the block has no receipt with this index. */
export function readReceipt(keccak: Keccak, receiptsRoot: Hash, index: number, nodeOf: NodeSource): Read<Receipt | null> {
  return decoded<Receipt | null>(readTrie(keccak, receiptsRoot, listKey(index), nodeOf), receiptsRoot, null, decodeReceipt)
}

export function transactionsRootOf(keccak: Keccak, transactions: readonly Transaction[]): Hash {
  return buildListTrie(keccak, transactions.map(encodeTransaction))
}

export function receiptsRootOf(keccak: Keccak, receipts: readonly Receipt[]): Hash {
  return buildListTrie(keccak, receipts.map(encodeReceipt))
}
