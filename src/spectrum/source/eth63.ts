/**
 * eth/63 messages (spec 3): code and RLP payload, to typed values and back. The same frames are used over
 * RLPx and between mesh neighbours.
 *
 * | code | message | payload |
 * |---|---|---|
 * | 00 | Status | [63, networkId, total difficulty, head, genesis] |
 * | 01 | NewBlockHashes | [[hash, number], …] |
 * | 02 | Transactions | [transaction, …] |
 * | 03, 04 | GetBlockHeaders, BlockHeaders | [hash or number, count, skip, 1 for descending]; [header, …] |
 * | 05, 06 | GetBlockBodies, BlockBodies | [hash, …]; [[transactions, uncles], …] |
 * | 07 | NewBlock | [[header, transactions, uncles], total difficulty] |
 * | 0d, 0e | GetNodeData, NodeData | [hash, …]; [node or code, …] |
 * | 0f, 10 | GetReceipts, Receipts | [hash, …]; [[receipt, …], …] |
 *
 * Replies name no request: they come in the order asked, and leave out what the server has not. Decoders throw
 * input errors and nothing else; headers, bodies, receipts and transactions are cut out, not judged.
 */
import { concatBytes, decodeRlp, encodeRlp, inputError, integerBytes } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { HASH_BYTES, bytesField, bytesOf, hexField, hexOf, integerField, listField, safeIntegerField } from '../codec/fields.ts'
import type { Hash } from '../codec/fields.ts'
import {
  MAX_ANNOUNCED_HASHES,
  MAX_ASKED_HASHES,
  MAX_BODIES,
  MAX_HEADERS,
  MAX_MESSAGE_BYTES,
  MAX_NODES,
  MAX_NODE_DATA_BYTES,
  MAX_PUSHED_TRANSACTIONS,
  MAX_RECEIPTS,
  MAX_REQUEST_BYTES,
  MAX_TRANSACTIONS_BYTES,
} from './limits.ts'
import { joinList, splitList, stringItem } from './raw-rlp.ts'

export const ETH_VERSION = 63
export const CODE = {
  status: 0x00,
  newBlockHashes: 0x01,
  transactions: 0x02,
  getHeaders: 0x03,
  headers: 0x04,
  getBodies: 0x05,
  bodies: 0x06,
  newBlock: 0x07,
  getNodes: 0x0d,
  nodes: 0x0e,
  getReceipts: 0x0f,
  receipts: 0x10,
} as const

export interface Message {
  readonly code: number
  readonly payload: Uint8Array
}

const MAX_HEADERS_BYTES = 512 * 1024
const MAX_STATUS_BYTES = 256
const MAX_HASHES_BYTES = MAX_ANNOUNCED_HASHES * 48
const UINT64_BYTES = 8

/** The largest payload that a message may have; undefined: eth/63 has no such message. */
export const MAX_PAYLOAD_BYTES: Readonly<Record<number, number>> = {
  [CODE.status]: MAX_STATUS_BYTES,
  [CODE.newBlockHashes]: MAX_HASHES_BYTES,
  [CODE.transactions]: MAX_TRANSACTIONS_BYTES,
  [CODE.getHeaders]: MAX_STATUS_BYTES,
  [CODE.headers]: MAX_HEADERS_BYTES,
  [CODE.getBodies]: MAX_REQUEST_BYTES,
  [CODE.bodies]: MAX_MESSAGE_BYTES,
  [CODE.newBlock]: MAX_MESSAGE_BYTES,
  [CODE.getNodes]: MAX_REQUEST_BYTES,
  [CODE.nodes]: MAX_NODE_DATA_BYTES,
  [CODE.getReceipts]: MAX_REQUEST_BYTES,
  [CODE.receipts]: MAX_MESSAGE_BYTES,
}

/** Which reply answers a request. */
export const REPLY_OF: Readonly<Record<number, number>> = {
  [CODE.getHeaders]: CODE.headers,
  [CODE.getBodies]: CODE.bodies,
  [CODE.getNodes]: CODE.nodes,
  [CODE.getReceipts]: CODE.receipts,
}
export const isReply = (code: number): boolean => Object.values(REPLY_OF).includes(code)

export interface Status {
  readonly version: number
  readonly networkId: bigint
  readonly totalDifficulty: bigint
  readonly head: Hash
  readonly genesis: Hash
}

export function encodeStatus(status: Status): Message {
  const items: RlpItem = [integerBytes(status.version), integerBytes(status.networkId), integerBytes(status.totalDifficulty), bytesOf(status.head), bytesOf(status.genesis)]
  return { code: CODE.status, payload: encodeRlp(items) }
}

export function decodeStatus(payload: Uint8Array): Status {
  const fields = listField(decodeRlp(payload, { maxBytes: MAX_STATUS_BYTES, maxItems: 6, maxDepth: 1 }, 'status'), 'status', 5)
  return {
    version: safeIntegerField(fields[0], 'status.version'),
    networkId: integerField(fields[1], 'status.networkId', UINT64_BYTES),
    totalDifficulty: integerField(fields[2], 'status.totalDifficulty'),
    head: hexField(fields[3], 'status.head', HASH_BYTES),
    genesis: hexField(fields[4], 'status.genesis', HASH_BYTES),
  }
}

export interface BlockName {
  readonly hash: Hash
  readonly number: number
}

export function encodeNewBlockHashes(blocks: readonly BlockName[]): Message {
  return { code: CODE.newBlockHashes, payload: encodeRlp(blocks.map(({ hash, number }): RlpItem => [bytesOf(hash), integerBytes(number)])) }
}

export function decodeNewBlockHashes(payload: Uint8Array): readonly BlockName[] {
  const limits = { maxBytes: MAX_HASHES_BYTES, maxItems: 1 + 3 * MAX_ANNOUNCED_HASHES, maxDepth: 2 }
  return listField(decodeRlp(payload, limits, 'blockHashes'), 'blockHashes').map((item) => {
    const [hash, number] = listField(item, 'blockHashes.block', 2)
    return { hash: hexField(hash, 'blockHashes.hash', HASH_BYTES), number: safeIntegerField(number, 'blockHashes.number') }
  })
}

/** `transactions`: RLP of each. */
export function encodeTransactions(transactions: readonly Uint8Array[]): Message {
  return { code: CODE.transactions, payload: joinList(transactions) }
}

export function decodeTransactions(payload: Uint8Array): readonly Uint8Array[] {
  return splitList(within(payload, CODE.transactions, 'transactions'), MAX_PUSHED_TRANSACTIONS, 'transactions')
}

export interface HeadersRequest {
  readonly from: Hash | number
  readonly count: number
  readonly skip: number
  readonly isReverse: boolean
}

export function encodeGetHeaders(request: HeadersRequest): Message {
  const from = typeof request.from === 'number' ? integerBytes(request.from) : bytesOf(request.from)
  return { code: CODE.getHeaders, payload: encodeRlp([from, integerBytes(request.count), integerBytes(request.skip), integerBytes(request.isReverse ? 1 : 0)]) }
}

/** A count above what is ever sent is cut to that; a skip that leads beyond all heights stays as large as it is. */
export function decodeGetHeaders(payload: Uint8Array): HeadersRequest {
  const fields = listField(decodeRlp(payload, { maxBytes: MAX_STATUS_BYTES, maxItems: 5, maxDepth: 1 }, 'getHeaders'), 'getHeaders', 4)
  const from = bytesField(fields[0], 'getHeaders.from', HASH_BYTES)
  const count = integerField(fields[1], 'getHeaders.count', UINT64_BYTES)
  const skip = integerField(fields[2], 'getHeaders.skip', UINT64_BYTES)
  const isReverse = integerField(fields[3], 'getHeaders.reverse', 1)
  if (isReverse > 1n) throw inputError('getHeaders.reverse', isReverse, '0 or 1')
  return {
    from: from.length === HASH_BYTES ? hexOf(from) : safeIntegerField(from, 'getHeaders.from'),
    count: Number(count < MAX_HEADERS ? count : MAX_HEADERS),
    skip: Number(skip < Number.MAX_SAFE_INTEGER ? skip : Number.MAX_SAFE_INTEGER),
    isReverse: isReverse === 1n,
  }
}

/** Requests for bodies, receipts or nodes. */
export function encodeHashes(code: number, hashes: readonly Hash[]): Message {
  return { code, payload: encodeRlp(hashes.map(bytesOf)) }
}

export function decodeHashes(payload: Uint8Array): readonly Hash[] {
  const limits = { maxBytes: MAX_REQUEST_BYTES, maxItems: 1 + MAX_ASKED_HASHES, maxDepth: 1 }
  return listField(decodeRlp(payload, limits, 'hashes'), 'hashes').map((item) => hexField(item, 'hashes.hash', HASH_BYTES))
}

/** Headers, bodies or receipts lists: RLP of each. */
export function encodeItems(code: number, items: readonly Uint8Array[]): Message {
  return { code, payload: joinList(items) }
}

export function decodeHeaders(payload: Uint8Array): readonly Uint8Array[] {
  return splitList(within(payload, CODE.headers, 'headers'), MAX_HEADERS, 'headers')
}
export function decodeBodies(payload: Uint8Array): readonly Uint8Array[] {
  return splitList(within(payload, CODE.bodies, 'bodies'), MAX_BODIES, 'bodies')
}
export function decodeReceiptLists(payload: Uint8Array): readonly Uint8Array[] {
  return splitList(within(payload, CODE.receipts, 'receipts'), MAX_RECEIPTS, 'receipts')
}

export function encodeNodes(nodes: readonly Uint8Array[]): Message {
  return { code: CODE.nodes, payload: joinList(nodes.map(stringItem)) }
}

export function decodeNodes(payload: Uint8Array): readonly Uint8Array[] {
  const limits = { maxBytes: MAX_NODE_DATA_BYTES, maxItems: 1 + MAX_NODES, maxDepth: 1 }
  return listField(decodeRlp(payload, limits, 'nodes'), 'nodes').map((item) => bytesField(item, 'nodes.node', MAX_NODE_DATA_BYTES))
}

/** A block as it is pushed: header and body in their own RLP. */
export interface PushedBlock {
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly totalDifficulty: bigint
}

export function encodeNewBlock(block: PushedBlock): Message {
  const [transactions, uncles] = splitList(block.body, 2, 'body')
  if (transactions === undefined || uncles === undefined) throw inputError('body', 'fewer than 2 lists', 'transactions and uncles')
  return { code: CODE.newBlock, payload: joinList([joinList([block.header, transactions, uncles]), encodeRlp(integerBytes(block.totalDifficulty))]) }
}

export function decodeNewBlock(payload: Uint8Array): PushedBlock {
  const [block, total] = exactly(splitList(within(payload, CODE.newBlock, 'newBlock'), 2, 'newBlock'), 2, 'newBlock')
  const [header, transactions, uncles] = exactly(splitList(block ?? payload, 3, 'newBlock.block'), 3, 'newBlock.block')
  if (header === undefined || transactions === undefined || uncles === undefined || total === undefined) throw inputError('newBlock', 'too few items', 'a block and a total difficulty')
  const totalDifficulty = integerField(decodeRlp(total, { maxBytes: 40, maxItems: 1, maxDepth: 0 }, 'newBlock.totalDifficulty'), 'newBlock.totalDifficulty')
  return { header, body: joinList([transactions, uncles]), totalDifficulty }
}

/** A message as one string of bytes, for transports without message codes: code, then payload. */
export function frameOf(message: Message): Uint8Array {
  return concatBytes(Uint8Array.of(message.code), message.payload)
}

/** Errors: input `frame` for no code, one that eth/63 has not, or a payload above that message's bound. */
export function messageOf(frame: Uint8Array): Message {
  const code = frame[0]
  if (code === undefined) throw inputError('frame', 'no bytes', 'a message code and a payload')
  const payload = new Uint8Array(frame.buffer, frame.byteOffset + 1, frame.length - 1)
  return { code, payload: within(payload, code, 'frame') }
}

function within(payload: Uint8Array, code: number, field: string): Uint8Array {
  const most = MAX_PAYLOAD_BYTES[code]
  if (most === undefined) throw inputError(field, `message ${code}`, 'a message of eth/63')
  if (payload.length > most) throw inputError(field, `${payload.length} bytes`, `at most ${most} bytes`)
  return payload
}

function exactly(items: Uint8Array[], count: number, field: string): Uint8Array[] {
  if (items.length !== count) throw inputError(field, `${items.length} items`, `${count} items`)
  return items
}
