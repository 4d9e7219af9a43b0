/** Blocks, transactions, receipts and logs in the JSON that wallets and libraries read. */
import { encodeRlp, integerBytes } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Body } from '../codec/body.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesOf, hexOf } from '../codec/fields.ts'
import type { Address, Hash, Hex, Keccak } from '../codec/fields.ts'
import { SEAL_BYTES, encodeHeader, headerItem, recoverSealer, sealHash } from '../codec/header.ts'
import type { LogEntry, Receipt } from '../codec/receipt.ts'
import { hashTransaction, isProtected, senderOf, transactionItem } from '../codec/transaction.ts'
import type { Transaction } from '../codec/transaction.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { dataText, quantity } from './quantity.ts'

export type Json = Readonly<Record<string, unknown>>

/**
 * `totalDifficulty`: null where it is not known (below a checkpoint). `transactions`: hashes or the whole of
 * them. The chief transaction is among them, unlike in the original: the root can be recomputed.
 */
export function blockJson(curve: Secp256k1, block: KnownHeader, totalDifficulty: bigint | null, body: Body, transactions: readonly unknown[]): Json {
  return {
    ...headerJson(curve, block),
    totalDifficulty: totalDifficulty === null ? null : quantity(totalDifficulty),
    size: quantity(encodeRlp([headerItem(block.header), body.transactions.map(transactionItem), []]).length),
    transactions,
    uncles: [],
  }
}

 function headerJson(curve: Secp256k1, { header, hash }: KnownHeader): Json {
  const isSealed = header.number > 0 && header.extra.length >= SEAL_BYTES
  return {
    number: quantity(header.number),
    hash,
    parentHash: header.parentHash,
    nonce: header.nonce,
    mixHash: header.mixDigest,
    sha3Uncles: header.uncleHash,
    logsBloom: dataText(header.bloom),
    transactionsRoot: header.transactionsRoot,
    stateRoot: header.stateRoot,
    receiptsRoot: header.receiptsRoot,
    miner: header.coinbase,
    difficulty: quantity(header.difficulty),
    extraData: dataText(header.extra),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timeSeconds),
    // Not of Ethereum: who sealed it, and the name under which two blocks are the same seal.
    sealHash: isSealed ? sealHash(curve, header) : null,
    signer: isSealed ? (recoverSealer(curve, header)?.address ?? null) : null,
    headerSize: quantity(encodeHeader(header).length),
  }
}

export interface TransactionPlace {
  /** Of the block. */
  readonly hash: Hash
  readonly number: number
  readonly index: number
}

/** `place`: null while it waits in the pool. */
export function transactionJson(curve: Secp256k1, transaction: Transaction, chainId: bigint, place: TransactionPlace | null): Json {
  return {
    hash: hashTransaction(curve, transaction),
    blockHash: place?.hash ?? null,
    blockNumber: place === null ? null : quantity(place.number),
    transactionIndex: place === null ? null : quantity(place.index),
    type: '0x0',
    from: senderOf(curve, transaction, chainId),
    to: transaction.to,
    nonce: quantity(transaction.nonce),
    gas: quantity(transaction.gas),
    gasPrice: quantity(transaction.gasPriceWei),
    value: quantity(transaction.valueWei),
    input: dataText(transaction.data),
    ...(isProtected(transaction) ? { chainId: quantity(chainId) } : {}),
    v: quantity(transaction.v),
    r: quantity(transaction.r),
    s: quantity(transaction.s),
  }
}

/** Errors: input where block and receipts do not belong together. */
export function receiptJson(curve: Secp256k1, chainId: bigint, block: KnownHeader, transactions: readonly Transaction[], receipts: readonly Receipt[], index: number): Json | null {
  const [transaction, receipt] = [transactions[index], receipts[index]]
  if (transaction === undefined || receipt === undefined) return null
  const from = senderOf(curve, transaction, chainId)
  const place = { hash: block.hash, number: block.header.number, index }
  const transactionHash = hashTransaction(curve, transaction)
  const firstLog = receipts.slice(0, index).reduce((count, before) => count + before.logs.length, 0)
  return {
    transactionHash,
    transactionIndex: quantity(index),
    blockHash: block.hash,
    blockNumber: quantity(block.header.number),
    type: '0x0',
    from,
    to: transaction.to,
    // The chief transaction costs nothing: the sum stays as it was.
    gasUsed: quantity(receipt.cumulativeGasUsed - (receipts[index - 1]?.cumulativeGasUsed ?? 0n)),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(transaction.gasPriceWei),
    contractAddress: transaction.to === null && from !== null ? createdAddress(curve, from, transaction.nonce) : null,
    logs: receipt.logs.map((log, at) => logJson(log, place, transactionHash, firstLog + at, false)),
    logsBloom: dataText(receipt.bloom),
    status: receipt.succeeded ? '0x1' : '0x0',
  }
}

export function logJson(log: LogEntry, place: TransactionPlace, transactionHash: Hash, logIndex: number, removed: boolean): Json {
  return {
    address: log.address,
    topics: log.topics,
    data: dataText(log.data),
    blockHash: place.hash,
    blockNumber: quantity(place.number),
    transactionHash,
    transactionIndex: quantity(place.index),
    logIndex: quantity(logIndex),
    removed,
  }
}

/** Where a contract of this sender and nonce comes to lie (Yellow Paper, 7). */
function createdAddress(keccak: Keccak, sender: Address, nonce: bigint): Hex {
  return hexOf(keccak.keccak256(encodeRlp([bytesOf(sender), integerBytes(nonce)])).subarray(HASH_BYTES - ADDRESS_BYTES))
}
