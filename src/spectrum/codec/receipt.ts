/**
 * Receipts in their consensus form, RLP([status, cumulativeGasUsed, bloom, logs]), as they are in the receipts
 * trie and on the wire. Byzantium is on since block 0, so the first field is a status and never a state root.
 * The bloom has three bits per address and topic (Yellow Paper, 4.3.1).
 */
import { decodeRlp, encodeRlp, inputError, integerBytes } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesField, bytesOf, fixedField, hexField, integerField, listField } from './fields.ts'
import type { Address, Hash, Hex, Keccak } from './fields.ts'
import { BLOOM_BYTES } from './header.ts'

export interface LogEntry {
  readonly address: Address
  /** At most 4. */
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
}

export interface Receipt {
  readonly succeeded: boolean
  readonly cumulativeGasUsed: bigint
  /** 256 bytes. */
  readonly bloom: Uint8Array
  readonly logs: readonly LogEntry[]
}

/** eth/63 sends no larger messages. */
export const MAX_RECEIPT_BYTES = 10 * 1024 * 1024
const MAX_TOPICS = 4
/** A log costs 375 gas at least: a block of 40 M gas has no more than this. */
const MAX_LOGS = 110_000
const LIMITS = { maxBytes: MAX_RECEIPT_BYTES, maxItems: 6 + 4 * MAX_LOGS, maxDepth: 4 }
const UINT64_BYTES = 8

/** Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  return receiptOf(decodeRlp(bytes, LIMITS, 'receipt'))
}

export function receiptOf(item: RlpItem): Receipt {
  const fields = listField(item, 'receipt', 4)
  const status = integerField(fields[0], 'receipt.status', 1)
  if (status > 1n) throw inputError('receipt.status', status, '0 or 1')
  return {
    succeeded: status === 1n,
    cumulativeGasUsed: integerField(fields[1], 'receipt.cumulativeGasUsed', UINT64_BYTES),
    bloom: fixedField(fields[2], 'receipt.bloom', BLOOM_BYTES),
    logs: listField(fields[3], 'receipt.logs').map(logOf),
  }
}

function logOf(item: RlpItem): LogEntry {
  const [address, topics, data] = listField(item, 'receipt.log', 3)
  const topicItems = listField(topics, 'receipt.log.topics')
  if (topicItems.length > MAX_TOPICS) throw inputError('receipt.log.topics', `${topicItems.length} topics`, `at most ${MAX_TOPICS}`)
  return {
    address: hexField(address, 'receipt.log.address', ADDRESS_BYTES),
    topics: topicItems.map((topic) => hexField(topic, 'receipt.log.topic', HASH_BYTES)),
    data: bytesField(data, 'receipt.log.data', MAX_RECEIPT_BYTES),
  }
}

export function encodeReceipt(receipt: Receipt): Uint8Array {
  const logs = receipt.logs.map((log): RlpItem => [bytesOf(log.address), log.topics.map(bytesOf), log.data])
  return encodeRlp([integerBytes(receipt.succeeded ? 1 : 0), integerBytes(receipt.cumulativeGasUsed), receipt.bloom, logs])
}

/** 256 bytes: every address and topic of these logs. A block's bloom is that of all its logs. */
export function bloomOfLogs(keccak: Keccak, logs: Iterable<LogEntry>): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES)
  for (const log of logs) for (const entry of [log.address, ...log.topics]) for (const bit of bloomBits(keccak, entry)) addBit(bloom, bit)
  return bloom
}

/** False: no log with this address or topic is below this bloom. True: perhaps. */
export function mayContain(keccak: Keccak, bloom: Uint8Array, entry: Hex): boolean {
  return bloomBits(keccak, entry).every((bit) => ((bloom[byteOf(bit)] ?? 0) & (1 << (bit % 8))) !== 0)
}

/** Three times the low 11 bits of a pair of bytes of the hash. */
function bloomBits(keccak: Keccak, entry: Hex): number[] {
  const hash = keccak.keccak256(bytesOf(entry))
  return [0, 2, 4].map((at) => (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 0x7ff)
}

function byteOf(bit: number): number {
  return BLOOM_BYTES - 1 - (bit >> 3)
}

function addBit(bloom: Uint8Array, bit: number): void {
  bloom[byteOf(bit)] = (bloom[byteOf(bit)] ?? 0) | (1 << (bit % 8))
}
