/**
 * A source behind a JSON-RPC server, as untrusted as any: headers are rebuilt from their fields and must hash to
 * their names; bodies and receipts must give the roots in their header. The servers of this chain hide the chief
 * transaction from `transactions`, and give it by its index. Trie nodes cannot be had by hash.
 */
import { MeshBoxError, asError } from '../../../base/index.ts'
import { decodeBody } from '../../codec/body.ts'
import { hexOf, keccakHex } from '../../codec/fields.ts'
import type { Hash, Keccak } from '../../codec/fields.ts'
import { encodeReceipt } from '../../codec/receipt.ts'
import type { Block, ChainSource, SourceHead } from '../../ports.ts'
import { EMPTY_UNCLE_HASH } from '../../network/genesis.ts'
import { buildListTrie } from '../../proof/build-trie.ts'
import { MAX_BODIES, MAX_HEADERS, MAX_RECEIPTS } from '../limits.ts'
import type { SourceVoice } from '../pool.ts'
import { joinList, splitList } from '../raw-rlp.ts'
import { closed, decoding, lied } from '../source-errors.ts'
import type { RpcCall, RpcClient, RpcOutcome } from './rpc-client.ts'
import { bytesOfText, hashesOfJson, headerOfJson, objectOf, receiptOfJson, transactionOfJson } from './rpc-json.ts'
import type { RpcHeader } from './rpc-json.ts'

export interface RpcSourceParts {
  readonly id: string
  readonly keccak: Keccak
  readonly client: RpcClient
  readonly voice: SourceVoice
  readonly onClosed: (reason: string) => void
  readonly onLie: (reason: string) => void
}

const HEADERS_A_CALL = 8
const BLOCKS_A_CALL = 8
const RECEIPTS_A_CALL = 32
/** Blocks with more are left to other sources: their JSON would hold the event loop. */
const MAX_TRANSACTIONS = 2048
const MAX_RAW_BYTES = 128 * 1024
const MAX_BLOCK_BYTES = 1024 * 1024
const MAX_SENT = 64
const EMPTY_LIST = Uint8Array.of(0xc0)

/** A block as the server shows it, its header proved; `first`: its first transaction, which the list may hide. */
interface ShownBlock {
  readonly header: RpcHeader
  readonly json: unknown
  readonly first: Uint8Array | null
}

export class RpcSource implements ChainSource {
  readonly id: string
  readonly kind = 'rpc'
  readonly #parts: RpcSourceParts
  #head: SourceHead | null = null
  #closedReason: string | null = null

  constructor(parts: RpcSourceParts) {
    this.id = parts.id
    this.#parts = parts
  }

  head(): SourceHead | null {
    return this.#head
  }

  /** Asks for the head. Errors (rejects) as all questions. */
  async poll(): Promise<void> {
    const [latest] = await this.#headersOf([{ method: 'eth_getBlockByNumber', params: ['latest', false] }])
    if (latest === undefined || latest.hash === this.#head?.hash) return
    this.#head = { hash: latest.hash, number: latest.header.number, totalDifficulty: latest.totalDifficulty }
    this.#parts.voice.headChanged(this)
  }

  async headers(from: Hash | number, count: number): Promise<readonly Uint8Array[]> {
    const asked = Math.min(count, MAX_HEADERS)
    const headers: RpcHeader[] = []
    let next = typeof from === 'number' ? from : 0
    if (typeof from === 'string' && asked > 0) {
      const [first] = await this.#headersOf([{ method: 'eth_getBlockByHash', params: [from, false] }])
      if (first === undefined) return []
      if (first.hash !== from) throw this.#lie(lied('another header than the one asked for'))
      headers.push(first)
      next = first.header.number + 1
    }
    while (headers.length < asked) {
      const wanted = Math.min(HEADERS_A_CALL, asked - headers.length)
      const numbers = Array.from({ length: wanted }, (_, index) => next + index)
      const got = await this.#headersOf(numbers.map((number) => ({ method: 'eth_getBlockByNumber', params: [`0x${number.toString(16)}`, false] })))
      for (const [index, header] of got.entries()) if (header.header.number !== numbers[index]) throw this.#lie(lied('a header of another height than asked for'))
      // The server may have changed its chain between two calls: what no longer follows is not handed on.
      const linked = got.findIndex((header, index) => header.header.parentHash !== (got[index - 1] ?? headers.at(-1) ?? header).hash && (index > 0 || headers.length > 0))
      headers.push(...(linked < 0 ? got : got.slice(0, linked)))
      if (linked >= 0 || got.length < wanted) break
      next += wanted
    }
    return headers.map(({ bytes }) => bytes)
  }

  async bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#ofBlocks(hashes.slice(0, MAX_BODIES), true, (block) => this.#body(block))
  }

  async receipts(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#ofBlocks(hashes.slice(0, MAX_RECEIPTS), false, (block) => this.#receipts(block))
  }

  async nodes(): Promise<readonly Uint8Array[]> {
    return []
  }

  sendTransactions(transactions: readonly Uint8Array[]): void {
    if (this.#closedReason !== null) return
    const calls = transactions.slice(0, MAX_SENT).map((transaction) => ({ method: 'eth_sendRawTransaction', params: [hexOf(transaction)] }))
    this.#parts.client.batch(calls).catch(() => undefined) // best effort, as with every source; a dead server is noticed by the poll
  }

  /** A server makes no use of blocks. */
  announceBlock(_block: Block, _totalDifficulty: bigint): void {
    return
  }

  close(reason: string): void {
    if (this.#closedReason !== null) return
    this.#closedReason = reason
    this.#parts.onClosed(reason)
  }

  async #body(block: ShownBlock): Promise<Uint8Array | null> {
    const { header } = block.header
    if (header.uncleHash !== EMPTY_UNCLE_HASH) return null
    const shown = objectOf(block.json, 'block')['transactions']
    if (!Array.isArray(shown) || shown.length > MAX_TRANSACTIONS) return null
    const listed = this.#judged(() => shown.map(transactionOfJson))
    for (const transactions of block.first === null ? [listed] : [[block.first, ...listed], listed])
      if (buildListTrie(this.#parts.keccak, transactions) === header.transactionsRoot) return joinList([joinList(transactions), EMPTY_LIST])
    return this.#rawBody(block.header)
  }

  /** Where the server shows its debugging namespace: the block as it is. */
  async #rawBody(wanted: RpcHeader): Promise<Uint8Array | null> {
    const outcome = await this.#client().call('debug_getBlockRlp', wanted.header.number)
    if (!outcome.ok || typeof outcome.result !== 'string') return null
    const text = outcome.result.startsWith('0x') ? outcome.result : `0x${outcome.result}`
    return this.#judged(() => {
      const [header, transactions, uncles] = splitList(bytesOfText(text, 'block', 1, MAX_BLOCK_BYTES), 3, 'block')
      if (header === undefined || transactions === undefined || uncles === undefined || keccakHex(this.#parts.keccak, header) !== wanted.hash) return null
      const body = joinList([transactions, uncles])
      decodeBody(body)
      return buildListTrie(this.#parts.keccak, splitList(transactions, MAX_TRANSACTIONS, 'transactions')) === wanted.header.transactionsRoot ? body : null
    })
  }

  async #receipts(block: ShownBlock): Promise<Uint8Array | null> {
    const shown = this.#judged(() => hashesOfJson(block.json, MAX_TRANSACTIONS))
    const firstHash = block.first === null ? null : keccakHex(this.#parts.keccak, block.first)
    const all = firstHash === null || shown.includes(firstHash) ? shown : [firstHash, ...shown]
    const receipts: Uint8Array[] = []
    for (let from = 0; from < all.length; from += RECEIPTS_A_CALL) {
      const outcomes = await this.#client().batch(all.slice(from, from + RECEIPTS_A_CALL).map((one) => ({ method: 'eth_getTransactionReceipt', params: [one] })))
      for (const outcome of outcomes) {
        if (!outcome.ok || outcome.result === null) return null
        receipts.push(this.#judged(() => encodeReceipt(receiptOfJson(outcome.result))))
      }
    }
    return buildListTrie(this.#parts.keccak, receipts) === block.header.header.receiptsRoot ? joinList(receipts) : null
  }

  /** Several blocks at a time, since each question is a journey; one at a time where several are too large an answer. */
  async #ofBlocks(hashes: readonly Hash[], inFull: boolean, read: (block: ShownBlock) => Promise<Uint8Array | null>): Promise<(Uint8Array | null)[]> {
    const found: (Uint8Array | null)[] = []
    for (let from = 0; from < hashes.length; from += BLOCKS_A_CALL) {
      const some = hashes.slice(from, from + BLOCKS_A_CALL)
      for (const block of await this.#blocks(some, inFull)) found.push(block === null ? null : await read(block))
    }
    return found
  }

  async #blocks(hashes: readonly Hash[], inFull: boolean): Promise<readonly (ShownBlock | null)[]> {
    const blocks = hashes.map((hash) => ({ method: 'eth_getBlockByHash', params: [hash, inFull] }))
    const firsts = hashes.map((hash) => ({ method: 'eth_getRawTransactionByBlockHashAndIndex', params: [hash, '0x0'] }))
    try {
      const outcomes = await this.#client().batch([...blocks, ...firsts])
      return hashes.map((hash, index) => this.#shownBlock(hash, outcomes[index], outcomes[hashes.length + index]))
    } catch (thrown) {
      if (hashes.length === 1 || !(thrown instanceof MeshBoxError) || thrown.code !== 'source-slow') throw thrown
    }
    const single: (ShownBlock | null)[] = []
    for (const hash of hashes) single.push(...(await this.#blocks([hash], inFull)))
    return single
  }

  #shownBlock(hash: Hash, block: RpcOutcome | undefined, first: RpcOutcome | undefined): ShownBlock | null {
    if (block?.ok !== true || block.result === null) return null
    const header = this.#judged(() => headerOfJson(this.#parts.keccak, block.result))
    if (header.hash !== hash) throw this.#lie(lied('another block than the one asked for'))
    const isShown = first?.ok === true && typeof first.result === 'string' && first.result !== '0x'
    return { header, json: block.result, first: isShown ? this.#judged(() => bytesOfText(first.result, 'transaction', 1, MAX_RAW_BYTES)) : null }
  }

  /** Up to the first that is not there. */
  async #headersOf(calls: readonly RpcCall[]): Promise<readonly RpcHeader[]> {
    const outcomes = await this.#client().batch(calls)
    const missing = outcomes.findIndex((outcome) => !outcome.ok || outcome.result === null)
    const there = missing < 0 ? outcomes : outcomes.slice(0, missing)
    return this.#judged(() => there.map((outcome) => headerOfJson(this.#parts.keccak, outcome.ok ? outcome.result : null)))
  }

  #client(): RpcClient {
    if (this.#closedReason !== null) throw closed(this.#closedReason)
    return this.#parts.client
  }

  #judged<T>(judge: () => T): T {
    try {
      return decoding(judge)
    } catch (thrown) {
      throw this.#lie(asError(thrown))
    }
  }

  #lie(error: Error): Error {
    this.#parts.onLie(error.message)
    this.close(error.message)
    return error
  }
}

/** What a genesis question must give for a server to be of our chain. */
export async function genesisHashOf(client: RpcClient, keccak: Keccak): Promise<Hash> {
  const outcome = await client.call('eth_getBlockByNumber', '0x0', false)
  if (!outcome.ok || outcome.result === null) throw closed('it does not show its genesis')
  return decoding(() => headerOfJson(keccak, outcome.result).hash)
}
