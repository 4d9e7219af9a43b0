/**
 * Headers and blocks as people have them at hand: RLP in hex (of a header; of a block: header, transactions,
 * uncles), the shared vectors' form (`rlp` and `body` in hex), or what eth_getBlockBy* answers, with or
 * without the envelope of JSON-RPC. A hash in it is not believed but computed.
 */
import { decodeRlp, fromHex, inputError } from '../../../base/index.ts'
import { MAX_BODY_BYTES, MAX_TRANSACTIONS, bodyOf, decodeBody } from '../../codec/body.ts'
import type { Body } from '../../codec/body.ts'
import { hexOf, listField } from '../../codec/fields.ts'
import type { Hex } from '../../codec/fields.ts'
import { BLOOM_BYTES, MAX_EXTRA_BYTES, decodeHeader, headerOf } from '../../codec/header.ts'
import type { Header } from '../../codec/header.ts'
import type { Transaction } from '../../codec/transaction.ts'
import { Param } from '../params.ts'

export interface BlockInput {
  readonly header: Header
  readonly body: Body
}

type Fields = Readonly<Record<string, unknown>>

const BLOCK_LIMITS = { maxBytes: MAX_BODY_BYTES, maxItems: 32 + 10 * MAX_TRANSACTIONS, maxDepth: 3 }
const UINT64 = 2n ** 64n - 1n
const SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const MAX_DATA_BYTES = 1 << 20

/** Errors: input, or RpcError -32602, naming the field. */
export function readHeader(text: string): Header {
  const json = readJson(text)
  if (json === null) return decodeHeader(readHex(text, 'header'))
  return typeof json['rlp'] === 'string' ? decodeHeader(readHex(json['rlp'], 'rlp')) : headerOfJson(json)
}

/** Errors: as `readHeader`. */
export function readBlock(text: string): BlockInput {
  const json = readJson(text)
  if (json === null) return decodeBlock(readHex(text, 'block'))
  return blockOfJson(json)
}

/** One of a list, as `readBlock` takes it. */
export function blockOfJson(json: Fields): BlockInput {
  if (typeof json['rlp'] === 'string') {
    const rlp = readHex(json['rlp'], 'rlp')
    if (json['body'] === undefined) return decodeBlock(rlp)
    if (typeof json['body'] !== 'string') throw inputError('body', json['body'], 'RLP of transactions and uncles in hex')
    return { header: decodeHeader(rlp), body: decodeBody(readHex(json['body'], 'body')) }
  }
  const header = headerOfJson(json)
  const uncles = json['uncles']
  if (Array.isArray(uncles) && uncles.length > 0) throw inputError('uncles', `${uncles.length}`, 'none: their headers are not in this form')
  return { header, body: { transactions: new Param(json['transactions'], 'transactions').list(MAX_TRANSACTIONS).map(transactionOfJson), uncles: [] } }
}

function decodeBlock(bytes: Uint8Array): BlockInput {
  const [header, transactions, uncles] = listField(decodeRlp(bytes, BLOCK_LIMITS, 'block'), 'block', 3)
  if (header === undefined || transactions === undefined || uncles === undefined) throw inputError('block', 'fewer items', 'header, transactions, uncles')
  return { header: headerOf(header), body: bodyOf([transactions, uncles]) }
}

/** Digits may stand in several lines. Errors: input `field`. */
export function readHex(text: string, field: string): Uint8Array {
  const digits = text.replace(/\s+/g, '')
  if (digits === '' || digits === '0x') throw inputError(field, text.slice(0, 10), 'hex digits')
  return fromHex(digits, field)
}

/** Null: not JSON of an object, so hex. Errors: input `input` for JSON that is broken or no object. */
export function readJson(text: string): Fields | null {
  if (!/^\s*[{["]/.test(text)) return null
  const value = parseJson(text, 'input')
  if (typeof value === 'string') throw inputError('input', value, 'hex without quotes, or a JSON object')
  const { result } = objectOf(value, 'input')
  return typeof result === 'object' && result !== null ? objectOf(result, 'result') : objectOf(value, 'input')
}

export function parseJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw inputError(field, text.slice(0, 20), 'valid JSON')
    throw thrown
  }
}

export function objectOf(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw inputError(field, Array.isArray(value) ? 'a list' : value, 'a JSON object')
  return value as Fields
}

function headerOfJson(json: Fields): Header {
  const at = (...names: readonly string[]): Param => new Param(json[names.find((name) => json[name] !== undefined) ?? ''], names[0] ?? '')
  return {
    parentHash: at('parentHash').hash(),
    uncleHash: at('sha3Uncles', 'uncleHash').hash(),
    coinbase: at('miner', 'coinbase').address(),
    stateRoot: at('stateRoot').hash(),
    transactionsRoot: at('transactionsRoot').hash(),
    receiptsRoot: at('receiptsRoot').hash(),
    bloom: exactly(at('logsBloom', 'bloom'), BLOOM_BYTES),
    difficulty: at('difficulty').quantity(),
    number: Number(at('number').quantity(SAFE)),
    gasLimit: at('gasLimit').quantity(UINT64),
    gasUsed: at('gasUsed').quantity(UINT64),
    timeSeconds: Number(at('timestamp', 'time').quantity(SAFE)),
    extra: at('extraData', 'extra').data(MAX_EXTRA_BYTES),
    mixDigest: at('mixHash', 'mixDigest').hash(),
    nonce: hexOf(exactly(at('nonce'), 8)) as Hex,
  }
}

function exactly(param: Param, length: number): Uint8Array {
  const bytes = param.data(length)
  if (bytes.length !== length) throw param.refuse(`${length} bytes`)
  return bytes
}

function transactionOfJson(param: Param): Transaction {
  const json = objectOf(param.value, param.name)
  const at = (...names: readonly string[]): Param => new Param(json[names.find((name) => json[name] !== undefined) ?? ''], `${param.name}.${names[0] ?? ''}`)
  return {
    nonce: at('nonce').quantity(UINT64),
    gasPriceWei: at('gasPrice').quantity(),
    gas: at('gas').quantity(),
    to: at('to').isAbsent ? null : at('to').address(),
    valueWei: at('value').quantity(),
    data: at('input', 'data').data(MAX_DATA_BYTES),
    v: at('v').quantity(),
    r: at('r').quantity(),
    s: at('s').quantity(),
  }
}
