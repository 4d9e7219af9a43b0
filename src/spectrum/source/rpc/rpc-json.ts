/**
 * Blocks, transactions and receipts as Ethereum's JSON-RPC shows them, back to what they are on the chain. The
 * JSON is a stranger's: each field has its form and length, and a header is believed only where it hashes to
 * its name.
 */
import { fromHex, inputError } from '../../../base/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, hexOf, keccakHex } from '../../codec/fields.ts'
import type { Address, Hash, Hex, Keccak } from '../../codec/fields.ts'
import { BLOOM_BYTES, MAX_EXTRA_BYTES, encodeHeader } from '../../codec/header.ts'
import type { Header } from '../../codec/header.ts'
import type { LogEntry, Receipt } from '../../codec/receipt.ts'
import { encodeTransaction } from '../../codec/transaction.ts'

export type Json = Readonly<Record<string, unknown>>

const UINT64_BYTES = 8
const WORD_BYTES = 32
const NONCE_BYTES = 8
const MAX_DATA_BYTES = 1024 * 1024
const MAX_LOGS = 8192

export interface RpcHeader {
  readonly header: Header
  readonly hash: Hash
  /** RLP. */
  readonly bytes: Uint8Array
  /** As the server says. */
  readonly totalDifficulty: bigint
}

/** Errors: input, naming the field; also where the fields do not hash to `hash`. */
export function headerOfJson(keccak: Keccak, value: unknown): RpcHeader {
  const json = objectOf(value, 'block')
  const header: Header = {
    parentHash: fixed(json, 'parentHash', HASH_BYTES),
    uncleHash: fixed(json, 'sha3Uncles', HASH_BYTES),
    coinbase: fixed(json, 'miner', ADDRESS_BYTES),
    stateRoot: fixed(json, 'stateRoot', HASH_BYTES),
    transactionsRoot: fixed(json, 'transactionsRoot', HASH_BYTES),
    receiptsRoot: fixed(json, 'receiptsRoot', HASH_BYTES),
    bloom: data(json, 'logsBloom', BLOOM_BYTES, BLOOM_BYTES),
    difficulty: quantity(json, 'difficulty', WORD_BYTES),
    number: safe(json, 'number'),
    gasLimit: quantity(json, 'gasLimit', UINT64_BYTES),
    gasUsed: quantity(json, 'gasUsed', UINT64_BYTES),
    timeSeconds: safe(json, 'timestamp'),
    extra: data(json, 'extraData', 0, MAX_EXTRA_BYTES),
    mixDigest: fixed(json, 'mixHash', HASH_BYTES),
    nonce: fixed(json, 'nonce', NONCE_BYTES),
  }
  const bytes = encodeHeader(header)
  const hash = keccakHex(keccak, bytes)
  const said = fixed(json, 'hash', HASH_BYTES)
  if (hash !== said) throw inputError('block.hash', said, `${hash}, of the fields beside it`)
  return { header, hash, bytes, totalDifficulty: json['totalDifficulty'] === undefined ? 0n : quantity(json, 'totalDifficulty', WORD_BYTES) }
}

/** RLP of a transaction shown in full. Errors: input. */
export function transactionOfJson(value: unknown): Uint8Array {
  const json = objectOf(value, 'transaction')
  return encodeTransaction({
    nonce: quantity(json, 'nonce', UINT64_BYTES),
    gasPriceWei: quantity(json, 'gasPrice', WORD_BYTES),
    gas: quantity(json, 'gas', UINT64_BYTES),
    to: json['to'] === null || json['to'] === undefined ? null : addressOf(json, 'to'),
    valueWei: quantity(json, 'value', WORD_BYTES),
    data: data(json, 'input', 0, MAX_DATA_BYTES),
    v: quantity(json, 'v', WORD_BYTES),
    r: quantity(json, 'r', WORD_BYTES),
    s: quantity(json, 's', WORD_BYTES),
  })
}

/** Errors: input. */
export function receiptOfJson(value: unknown): Receipt {
  const json = objectOf(value, 'receipt')
  const status = quantity(json, 'status', 1)
  const logs = json['logs']
  if (!Array.isArray(logs) || logs.length > MAX_LOGS) throw inputError('receipt.logs', 'something else', `a list of at most ${MAX_LOGS}`)
  return {
    succeeded: status === 1n,
    cumulativeGasUsed: quantity(json, 'cumulativeGasUsed', UINT64_BYTES),
    bloom: data(json, 'logsBloom', BLOOM_BYTES, BLOOM_BYTES),
    logs: logs.map(logOfJson),
  }
}

function logOfJson(value: unknown): LogEntry {
  const json = objectOf(value, 'log')
  const topics = json['topics']
  if (!Array.isArray(topics) || topics.length > 4) throw inputError('log.topics', 'something else', 'a list of at most 4')
  return {
    address: addressOf(json, 'address'),
    topics: topics.map((topic) => hexOf(bytesOfText(topic, 'log.topic', HASH_BYTES, HASH_BYTES))),
    data: data(json, 'data', 0, MAX_DATA_BYTES),
  }
}

/** Of `transactions` in a block that is shown without them: their hashes. Errors: input. */
export function hashesOfJson(value: unknown, most: number): readonly Hash[] {
  const list = objectOf(value, 'block')['transactions']
  if (!Array.isArray(list) || list.length > most) throw inputError('block.transactions', 'something else', `a list of at most ${most}`)
  return list.map((hash) => hexOf(bytesOfText(hash, 'block.transaction', HASH_BYTES, HASH_BYTES)))
}

/** Bytes shown as 0x and hex digits. Errors: input. */
export function bytesOfText(value: unknown, field: string, least: number, most: number): Uint8Array {
  if (typeof value !== 'string' || !value.startsWith('0x')) throw inputError(field, value, 'a text of 0x and hex digits')
  if (value.length > 2 + 2 * most) throw inputError(field, `${value.length} characters`, `at most ${most} bytes`)
  const bytes = fromHex(value, field)
  if (bytes.length < least) throw inputError(field, `${bytes.length} bytes`, `at least ${least}`)
  return bytes
}

export function objectOf(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw inputError(field, value, 'an object')
  return value as Json
}

function data(json: Json, field: string, least: number, most: number): Uint8Array {
  return bytesOfText(json[field], field, least, most)
}

function fixed(json: Json, field: string, length: number): Hex {
  return hexOf(data(json, field, length, length))
}

function addressOf(json: Json, field: string): Address {
  return fixed(json, field, ADDRESS_BYTES)
}

function quantity(json: Json, field: string, maxBytes: number): bigint {
  const value = json[field]
  if (typeof value !== 'string' || value.length > 2 + 2 * maxBytes || !/^0x[0-9a-fA-F]+$/.test(value)) throw inputError(field, value, `0x and 1 to ${2 * maxBytes} hex digits`)
  return BigInt(value)
}

function safe(json: Json, field: string): number {
  const value = Number(quantity(json, field, UINT64_BYTES))
  if (!Number.isSafeInteger(value)) throw inputError(field, value, 'at most 2^53 - 1')
  return value
}
