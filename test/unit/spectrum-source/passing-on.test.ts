/** What a neighbour may have asked of others in its place, and what bounds it. */
import { describe, expect, it } from 'vitest'
import type { Hash } from '../../../src/spectrum/index.ts'
import { CODE, decodeNodes, decodeReceiptLists, encodeHashes } from '../../../src/spectrum/source/eth63.ts'
import type { Message } from '../../../src/spectrum/source/eth63.ts'
import { ALL_PASSED_ON_BYTES, ASKED_HASH_BYTES, MAX_ASKED_FOR_NODES, MAX_PASSED_ON_NODES, PASSED_ON_BYTES, PASS_ON_MS } from '../../../src/spectrum/source/limits.ts'
import { PassingOn } from '../../../src/spectrum/source/passing-on.ts'
import type { Elsewhere } from '../../../src/spectrum/source/passing-on.ts'
import { FakeTime } from '../../support/fakes.ts'
import { DEVNET_NODES } from '../spectrum/devnet.ts'
import { MapServer, devnet } from './towns.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const far = new MapServer(30)
const known = [...DEVNET_NODES.keys()] as Hash[]
const nowhere = (count: number): Hash[] => Array.from({ length: count }, (_, index): Hash => `0x${index.toString(16).padStart(64, '0')}`)
const forNodes = (hashes: readonly Hash[]): Message => encodeHashes(CODE.getNodes, hashes)
const forReceipts = (...numbers: readonly number[]): Message => encodeHashes(CODE.getReceipts, numbers.map((number) => devnet(number).hash))

/** A box that keeps nothing, and others behind it. */
class Place {
  readonly time = new FakeTime()
  readonly asked: string[] = []
  readonly server = new MapServer(30)
  nodes: (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]> = async (hashes) => far.nodes(hashes)
  receipts: (hash: Hash) => Promise<Uint8Array | null> = async (hash) => far.receipts([hash])[0] ?? null
  readonly shared: PassingOn
  #count = 0

  constructor() {
    const elsewhere: Elsewhere = {
      nodes: (hashes) => (this.asked.push(`nodes ${hashes.length}`), this.nodes(hashes)),
      receipts: (hash) => (this.asked.push(`receipts ${hash}`), this.receipts(hash)),
    }
    this.shared = new PassingOn(elsewhere, { clock: this.time, timers: this.time })
    this.server.receipts = () => []
  }

  neighbour(name = `neighbour ${this.#count++}`): (request: Message) => Promise<Message | null> {
    const one = this.shared.of(name)
    return (request) => one.answer(this.server, request)
  }
}

const bytesIn = (message: Message | null): number => message?.payload.length ?? 0

describe('a neighbour gets from others', () => {
  it('state, and receipts of blocks; other things are not asked for', async () => {
    const place = new Place()
    const ask = place.neighbour()
    const state = await ask(forNodes(known.slice(0, 40)))
    expect(decodeNodes(state?.payload ?? new Uint8Array(0))).toEqual(known.slice(0, 40).map((hash) => DEVNET_NODES.get(hash)))
    const lists = await ask(forReceipts(9))
    expect(decodeReceiptLists(lists?.payload ?? new Uint8Array(0))).toEqual(far.receipts([devnet(9).hash]))
    expect(place.asked).toEqual(['nodes 40', `receipts ${devnet(9).hash}`])
    expect([await ask({ code: CODE.getHeaders, payload: new Uint8Array(0) }), await ask({ code: CODE.getBodies, payload: new Uint8Array(0) }), await ask(forNodes([]))]).toEqual([null, null, null])
    expect(place.asked).toHaveLength(2)
  })

  it('receipts that nobody has are left out, and what is kept here is asked of nobody', async () => {
    const place = new Place()
    const [seven, nine] = far.receipts([devnet(7).hash, devnet(9).hash])
    place.receipts = async (hash) => (hash === devnet(9).hash ? (nine ?? null) : null)
    place.server.receipts = (hashes) => (hashes[0] === devnet(7).hash ? far.receipts(hashes) : [])
    expect(decodeReceiptLists((await place.neighbour()(forReceipts(7, 8, 9)))?.payload ?? new Uint8Array(0))).toEqual([seven, nine])
    expect(place.asked).toHaveLength(2)
    place.server.receipts = (hashes) => far.receipts(hashes)
    expect(await place.neighbour()(forReceipts(7, 8))).toBeNull()
    expect(place.asked).toHaveLength(2)
  })

  it('few hashes at a time, and long answers in parts', async () => {
    const place = new Place()
    const ask = place.neighbour()
    place.nodes = async () => Array.from({ length: 5 }, () => new Uint8Array(200 * 1024))
    const part = bytesIn(await ask(forNodes(known.slice(0, 384))))
    expect([place.asked, part > 400 * 1024, part < 512 * 1024]).toEqual([[`nodes ${MAX_PASSED_ON_NODES}`], true, true])
    place.nodes = async () => [new Uint8Array(600 * 1024)]
    expect(bytesIn(await ask(forNodes(known.slice(0, 1))))).toBeGreaterThan(600 * 1024)
    place.receipts = async () => new Uint8Array([0xf9, 0xff, 0xff, ...new Uint8Array(65_535)])
    place.asked.length = 0
    await place.neighbour()(forReceipts(...Array.from({ length: 20 }, (_, number) => number)))
    expect(place.asked).toHaveLength(8)
  })

  it('nothing for a request that is none', async () => {
    await expect(new Place().neighbour()({ code: CODE.getNodes, payload: new Uint8Array([1, 2, 3]) })).rejects.toMatchObject({ kind: 'input' })
  })
})

describe('it costs this box no more than', () => {
  it('so much for a neighbour, in vain or not, and for all of them; it comes back with time', async () => {
    const place = new Place()
    place.nodes = async () => []
    const invain = forNodes(nowhere(MAX_PASSED_ON_NODES))
    const cost = MAX_PASSED_ON_NODES * MAX_ASKED_FOR_NODES * ASKED_HASH_BYTES
    const each = Math.floor(PASSED_ON_BYTES.burst / cost)
    const askFor = async (ask: (request: Message) => Promise<Message | null>, times: number): Promise<number> => {
      place.asked.length = 0
      for (let i = 0; i < times; i++) await ask(invain)
      return place.asked.length
    }
    const first = place.neighbour('first')
    expect(await askFor(first, 2 * each)).toBe(each)
    expect([await first(invain), await place.neighbour('first')(invain)]).toEqual([null, null])
    expect(await askFor(place.neighbour(), 3)).toBe(3)
    let all = each + 3
    for (let i = 0; i < 6; i++) all += await askFor(place.neighbour(), each + 1)
    expect(all).toBe(Math.floor(ALL_PASSED_ON_BYTES.burst / cost))
    place.time.advance(1000)
    expect(await askFor(first, 10)).toBe(Math.floor(((PASSED_ON_BYTES.burst % cost) + PASSED_ON_BYTES.perSecond) / cost))
  })

  it('what was fetched counts, also where it is not given on', async () => {
    const place = new Place()
    place.nodes = async () => Array.from({ length: 64 }, () => new Uint8Array(24 * 1024))
    const ask = place.neighbour()
    for (let i = 0; i < 10; i++) await ask(forNodes(known.slice(0, 64)))
    expect(place.asked).toHaveLength(2)
  })

  it('two questions of one neighbour at a time and four of all, fairly; who waits too long gets nothing, and the work keeps its place', async () => {
    const place = new Place()
    const ends: (() => void)[] = []
    place.nodes = () => new Promise((resolve) => ends.push(() => resolve(far.nodes(known.slice(0, 1)))))
    const [greedy, other, third] = [place.neighbour(), place.neighbour(), place.neighbour()]
    const question = forNodes(known.slice(0, 1))
    const many = Array.from({ length: 10 }, () => greedy(question))
    const two = [other(question), other(question)]
    const late = third(question)
    await settled()
    expect(place.asked).toHaveLength(4)
    ends[0]?.()
    await settled()
    expect(place.asked).toHaveLength(5) // the third's: the greedy one's next came after it
    for (const end of ends.slice(1)) end()
    await settled()
    expect((await Promise.all([...two, late])).map((one) => decodeNodes(one?.payload ?? new Uint8Array(0)).length)).toEqual([1, 1, 1])
    const begun = place.asked.length
    place.time.advance(PASS_ON_MS)
    expect((await Promise.all(many)).filter((one) => decodeNodes(one?.payload ?? new Uint8Array(0)).length === 0).length).toBeGreaterThan(0)
    // Nobody waits for the others any more: they are not asked for.
    for (const end of ends) end()
    await settled()
    expect(place.asked).toHaveLength(begun)
  })

  it('eight seconds for many receipts together', async () => {
    const place = new Place()
    const [list] = far.receipts([devnet(9).hash])
    const waits: (() => void)[] = []
    place.receipts = () => new Promise((resolve) => waits.push(() => resolve(list ?? null)))
    const answer = place.neighbour()(forReceipts(1, 2, 3, 4))
    await settled()
    waits[0]?.()
    await settled()
    place.time.advance(PASS_ON_MS)
    expect(decodeReceiptLists((await answer)?.payload ?? new Uint8Array(0))).toEqual([list])
    waits[1]?.()
    await settled()
    expect(place.asked).toHaveLength(2)
  })
})
