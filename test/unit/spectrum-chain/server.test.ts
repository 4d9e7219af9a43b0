/** What others get of the chain: which headers, how many, and never more than a message holds. */
import { describe, expect, it } from 'vitest'
import { decodeRlp } from '../../../src/base/index.ts'
import { encodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import { decodeBody } from '../../../src/spectrum/codec/body.ts'
import { decodeHeader } from '../../../src/spectrum/codec/header.ts'
import { keccakHex } from '../../../src/spectrum/codec/fields.ts'
import type { Hash, Receipt } from '../../../src/spectrum/index.ts'
import type { ChainServer, NewBlock } from '../../../src/spectrum/ports.ts'
import { createChainServer } from '../../../src/spectrum/chain/index.ts'
import { SERVED } from '../../../src/spectrum/chain/server.ts'
import { native } from '../spectrum/curves.ts'
import { DRAWN_NETWORK, DRAWN_OPTIONS, DRAWN_START, drawn, drawnBranch, hashesOf } from './drawn-blocks.ts'
import { openTestChain, openTestStore } from './kept-chain.ts'

const NODES = new Map<Hash, Uint8Array>(Array.from({ length: 500 }, (_, index) => [`0x${index.toString(16).padStart(64, '0')}`, new Uint8Array(40).fill(index % 256)]))
let server: ChainServer
let ours: NewBlock[]
let side: NewBlock[]
let store: ReturnType<typeof openTestStore>

const RECEIPT: Receipt = { succeeded: true, cumulativeGasUsed: 21_000n, bloom: new Uint8Array(256), logs: [] }

async function serve(): Promise<void> {
  store = openTestStore()
  const chain = await openTestChain(store, DRAWN_OPTIONS)
  ours = drawnBranch(DRAWN_START.known, 600).map((block) => ({ ...block, receipts: [RECEIPT, { ...RECEIPT, succeeded: false, cumulativeGasUsed: 42_000n }] }))
  await chain.insert(ours.slice(0, 500))
  await chain.insert(ours.slice(500))
  side = drawnBranch(ours[579]?.verified ?? DRAWN_START.known, 6, { salt: 'side', difficulty: 1n })
  await chain.insert(side)
  server = createChainServer(chain, { node: (hash) => NODES.get(hash) })
}

const numbersOf = (headers: readonly Uint8Array[]): number[] => headers.map((bytes) => decodeHeader(bytes).number)
const hashAt = (number: number): Hash => (number === 0 ? DRAWN_START.known.hash : (ours[number - 1]?.verified.hash ?? '0x'))

describe('a chain server', () => {
  it('tells its head and its headers, from tree and archive, to the byte', async () => {
    await serve()
    expect(server.network).toBe(DRAWN_NETWORK)
    expect(server.head()).toEqual({ hash: hashAt(600), number: 600, totalDifficulty: 6n * 601n })
    const all: Hash[] = []
    for (let from = 0; from <= 600; from += 150) all.push(...server.headers(from, 150, 0, false).map((bytes) => keccakHex(native, bytes)))
    expect(all).toEqual(Array.from({ length: 601 }, (_, number) => hashAt(number)))
  })

  it('by number or hash, forwards and backwards, with gaps', async () => {
    await serve()
    expect(numbersOf(server.headers(10, 3, 0, false))).toEqual([10, 11, 12])
    expect(numbersOf(server.headers(hashAt(10), 3, 0, false))).toEqual([10, 11, 12])
    expect(numbersOf(server.headers(hashAt(460), 4, 9, false))).toEqual([460, 470, 480, 490])
    expect(numbersOf(server.headers(480, 4, 9, true))).toEqual([480, 470, 460, 450])
    expect(numbersOf(server.headers(2, 5, 0, true))).toEqual([2, 1, 0])
    expect(numbersOf(server.headers(599, 5, 0, false))).toEqual([599, 600])
    expect(numbersOf(server.headers(0, 5, 299, false))).toEqual([0, 300, 600])
    for (const nothing of [server.headers(601, 5, 0, false), server.headers(`0x${'ab'.repeat(32)}`, 5, 0, false), server.headers(1, 0, 0, false), server.headers(-1, 5, 0, false), server.headers(1.5, 5, 0, false)]) expect(nothing).toEqual([])
  })

  it('from a block beside the chain: its ancestors, but no descendants', async () => {
    await serve()
    const tip = side[5]?.verified.hash ?? '0x'
    expect(server.headers(tip, 9, 0, true).map((bytes) => keccakHex(native, bytes))).toEqual([...hashesOf(side).reverse(), hashAt(580), hashAt(579), hashAt(578)])
    expect(numbersOf(server.headers(tip, 4, 3, true))).toEqual([586, 582, 578, 574])
    expect(numbersOf(server.headers(side[0]?.verified.hash ?? '0x', 9, 0, false))).toEqual([581])
  })

  it('never more than 192 headers, 128 bodies, 256 receipts, 384 nodes, whatever was asked', async () => {
    await serve()
    const hashes = hashesOf(ours)
    for (const count of [193, 100_000, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) expect(server.headers(1, count, 0, false)).toHaveLength(192)
    for (const count of [0, -1, Number.NaN]) expect(server.headers(1, count, 0, false)).toEqual([])
    for (const skip of [-1, 0.5, Number.MAX_SAFE_INTEGER, Number.NaN]) expect(server.headers(5, 9, skip, false).length).toBeLessThanOrEqual(1)
    expect(server.headers(5, 9, Number.MAX_SAFE_INTEGER - 1, true)).toHaveLength(1)
    expect(server.bodies(hashes)).toHaveLength(SERVED.bodies)
    expect(server.receipts(hashes)).toHaveLength(SERVED.receipts)
    expect(server.nodes([...NODES.keys()])).toHaveLength(SERVED.nodes)
  })

  it('bodies, receipts and nodes in the order asked, without what it has not', async () => {
    await serve()
    const wanted: Hash[] = [hashAt(7), `0x${'cd'.repeat(32)}`, side[2]?.verified.hash ?? '0x', hashAt(600)]
    expect(server.bodies(wanted).map(decodeBody)).toEqual([{ transactions: [], uncles: [] }, { transactions: [], uncles: [] }, { transactions: [], uncles: [] }])
    const [first] = server.receipts(wanted)
    expect(server.receipts(wanted)).toHaveLength(2)
    const list = decodeRlp(first ?? new Uint8Array(0), { maxBytes: 10_000, maxItems: 100, maxDepth: 4 })
    expect(list).toEqual([RECEIPT, { ...RECEIPT, succeeded: false, cumulativeGasUsed: 42_000n }].map((receipt) => decodeRlp(encodeReceipt(receipt), { maxBytes: 1000, maxItems: 9, maxDepth: 3 })))
    const [known] = NODES
    expect(server.nodes([`0x${'ee'.repeat(32)}`, known?.[0] ?? '0x'])).toEqual([known?.[1]])
  })

  it('ends an answer where it has grown to 2 MiB', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const body = { transactions: [{ nonce: 0n, gasPriceWei: 0n, gas: 0n, to: null, valueWei: 0n, data: new Uint8Array(300_000), v: 37n, r: 1n, s: 1n }], uncles: [] }
    const blocks = drawnBranch(DRAWN_START.known, 12, { body })
    await chain.insert(blocks)
    await chain.insert([drawn(DRAWN_START.known, { salt: 'x' })])
    expect(createChainServer(chain, { node: () => undefined }).bodies(hashesOf(blocks))).toHaveLength(7)
  })
})
