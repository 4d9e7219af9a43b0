/** A block's receipts as a list: on the wire, and on disk without the blooms that their logs give. */
import { decodeRlp, encodeRlp, integerBytes } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { bytesOf, listField } from '../codec/fields.ts'
import type { Keccak } from '../codec/fields.ts'
import { BLOOM_BYTES } from '../codec/header.ts'
import { MAX_RECEIPT_BYTES, bloomOfLogs, receiptOf } from '../codec/receipt.ts'
import type { Receipt } from '../codec/receipt.ts'

/** A log costs 375 gas, a receipt 21,000: a block of 40 M gas has fewer. */
const LIMITS = { maxBytes: 2 * MAX_RECEIPT_BYTES, maxItems: 700_000, maxDepth: 5 }
const NO_BLOOM = new Uint8Array(0)

/** RLP, as eth/63 sends it. */
export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(receipts.map((receipt) => receiptItem(receipt, receipt.bloom)))
}

export function encodeStoredReceipts(keccak: Keccak, receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(
    receipts.map((receipt) => {
      const isGiven = Buffer.compare(bloomOfLogs(keccak, receipt.logs), receipt.bloom) === 0
      return receiptItem(receipt, isGiven ? NO_BLOOM : receipt.bloom)
    }),
  )
}

/** Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeStoredReceipts(keccak: Keccak, bytes: Uint8Array): Receipt[] {
  return listField(decodeRlp(bytes, LIMITS, 'receipts'), 'receipts').map((item) => {
    const [status, gas, bloom, logs] = listField(item, 'receipt', 4)
    if (!(bloom instanceof Uint8Array) || bloom.length > 0) return receiptOf(item)
    const receipt = receiptOf([status ?? NO_BLOOM, gas ?? NO_BLOOM, new Uint8Array(BLOOM_BYTES), logs ?? []])
    return { ...receipt, bloom: bloomOfLogs(keccak, receipt.logs) }
  })
}

function receiptItem({ succeeded, cumulativeGasUsed, logs }: Receipt, bloom: Uint8Array): RlpItem {
  return [integerBytes(succeeded ? 1 : 0), integerBytes(cumulativeGasUsed), bloom, logs.map((log): RlpItem => [bytesOf(log.address), log.topics.map(bytesOf), log.data])]
}
