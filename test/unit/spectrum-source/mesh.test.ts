/** Mesh neighbours over an in-memory duplex, and chains of the same box as sources. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Timers } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import type { Block, ChainSource } from '../../../src/spectrum/ports.ts'
import { CODE, encodeGetHeaders, encodeItems, encodeStatus, frameOf, messageOf } from '../../../src/spectrum/source/eth63.ts'
import { OFFERED_TRANSACTIONS } from '../../../src/spectrum/source/limits.ts'
import { Offers, sharedOffers } from '../../../src/spectrum/source/offers.ts'
import { PassingOn } from '../../../src/spectrum/source/passing-on.ts'
import { maxFrameBytes, openMeshSource } from '../../../src/spectrum/source/mesh.ts'
import { LocalSource } from '../../../src/spectrum/source/local-source.ts'
import { forgetfulBans } from '../../../src/spectrum/source/bans.ts'
import { SourcePool } from '../../../src/spectrum/source/pool.ts'
import type { Elsewhere } from '../../../src/spectrum/source/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_NODES } from '../spectrum/devnet.ts'
import { duplex } from './duplex.ts'
import { Ears, MapServer, blockOf, devnet, eventually, realClock } from './towns.ts'

const { bytes: noise } = randomStream('mesh')

function box(server = new MapServer(30), timers: Timers = systemTimers, maxSources = 10) {
  const pool = new SourcePool({ keccak: native, clock: realClock, log: silentLog, bans: forgetfulBans, maxSources })
  const ears = new Ears()
  pool.on(ears)
  return { pool, ears, server, parts: { pool, server, passingOn: null, offers: null, keccak: native, clock: realClock, timers } }
}

async function neighbours(height = 20, elsewhere: Elsewhere | null = null) {
  const [here, there] = [box(new MapServer(height)), box()]
  const [pipe, otherPipe] = duplex()
  const back = openMeshSource({ ...there.parts, passingOn: elsewhere === null ? null : new PassingOn(elsewhere, { clock: realClock, timers: systemTimers }) }, otherPipe)
  const source = await openMeshSource(here.parts, pipe)
  if (source === null || (await back) === null) throw new Error('no source')
  return { here, there, pipe, otherPipe, source }
}

describe('mesh neighbours', () => {
  it('are sources of each other: head, headers, bodies, receipts, nodes', async () => {
    const { source, there } = await neighbours()
    expect(source).toMatchObject({ id: 'mesh:neighbour-b', kind: 'mesh' })
    expect(source.head()).toEqual({ hash: devnet(30).hash, number: null, totalDifficulty: devnet(30).totalDifficulty })
    expect(await source.headers(3, 2)).toEqual([devnet(3).rlp, devnet(4).rlp])
    there.server.holes.add(5)
    expect(await source.bodies([4, 5, 6].map((number) => devnet(number).hash))).toEqual([devnet(4).bodyRlp, null, devnet(6).bodyRlp])
    expect(await source.receipts([devnet(9).hash])).toEqual(there.server.receipts([devnet(9).hash]))
    const hashes = [...DEVNET_NODES.keys()].slice(0, 40)
    expect(await source.nodes(hashes)).toEqual(hashes.map((hash) => DEVNET_NODES.get(hash)))
  })

  it('have what the other does not keep asked of others for them, if they are no strangers; meanwhile other questions are answered', async () => {
    const far = new MapServer(30)
    const ends: (() => void)[] = []
    const elsewhere: Elsewhere = {
      nodes: (hashes) => new Promise((resolve) => ends.push(() => resolve(far.nodes(hashes)))),
      receipts: async (hash) => far.receipts([hash])[0] ?? null,
    }
    const { source, there, otherPipe } = await neighbours(20, elsewhere)
    there.server.nodes = () => []
    there.server.receipts = () => []
    const hashes = [...DEVNET_NODES.keys()].slice(0, 40)
    expect(await source.receipts([devnet(9).hash])).toEqual(far.receipts([devnet(9).hash]))
    const asked = [1, 2, 3, 4, 5].map(() => source.nodes(hashes))
    expect(await source.headers(3, 1)).toEqual([devnet(3).rlp])
    let isAnswered = false
    void Promise.all(asked).then(() => (isAnswered = true))
    await eventually(() => {
      for (const end of ends.splice(0)) end()
      return isAnswered
    })
    for (const one of asked) expect(await one).toEqual(hashes.map((hash) => DEVNET_NODES.get(hash)))
    otherPipe.isWelcome = false
    expect([await source.nodes(hashes), await source.receipts([devnet(9).hash]), ends]).toEqual([[], [null], []])
  })

  it('push blocks and transactions, and fetch a block announced by its hash', async () => {
    const { here, there, source } = await neighbours()
    there.pool.announceBlock(blockOf(21), devnet(21).totalDifficulty)
    expect(here.ears.blocks[0]?.header).toEqual(devnet(21).rlp)
    const transaction = encodeTransaction(blockOf(7).body.transactions[0] as Block['body']['transactions'][number])
    there.pool.sendTransactions([transaction])
    here.pool.sendTransactions([transaction])
    expect(here.ears.transactions).toEqual([transaction])
    expect(there.ears.transactions).toEqual([])
    const [seen] = there.pool.list() as ChainSource[]
    expect(seen?.kind).toBe('mesh')
    ;(seen as typeof source).announceHash({ hash: devnet(22).hash, number: 22 })
    await here.ears.until(() => here.ears.blocks.length === 2)
    expect(here.ears.blocks[1]?.header).toEqual(devnet(22).rlp)
  })

  it('are told what was told before only where it is told again', async () => {
    const { here, there, pipe, otherPipe } = await neighbours()
    const transaction = encodeTransaction(blockOf(7).body.transactions[0] as Block['body']['transactions'][number])
    const frames: number[] = []
    otherPipe.announce = (frame) => (frames.push(frame.length), pipe.handlers?.onAnnouncement(frame), true)
    there.pool.sendTransactions([transaction])
    there.pool.sendTransactions([transaction])
    expect([frames.length, here.ears.transactions]).toEqual([1, [transaction]])
    there.pool.sendTransactions([transaction], true)
    expect([frames.length, here.ears.transactions]).toEqual([2, [transaction]]) // known here, and told to nobody a second time
  })

  it('of the community have few of their transactions taken where each costs a proof, again if they are told again, and strangers none; none is sent back', async () => {
    const [here, there] = [box(), box()]
    const [pipe, otherPipe] = duplex()
    const [each, all, offered] = [new Offers(realClock), sharedOffers(), [] as Uint8Array[]]
    const offers = { take: (neighbour: string, transactions: readonly Uint8Array[]) => each.take(neighbour, all, transactions), offer: async (transaction: Uint8Array) => void offered.push(transaction) }
    const back = openMeshSource(there.parts, otherPipe)
    const source = await openMeshSource({ ...here.parts, offers }, pipe)
    await back
    const sent = Array.from({ length: 3 }, (_, index) => Uint8Array.of(0xc1, index))
    pipe.isWelcome = false
    there.pool.sendTransactions(sent)
    expect(offered).toEqual([])
    pipe.isWelcome = true
    there.pool.sendTransactions(sent)
    expect(offered).toEqual([]) // it was told them on this connection
    there.pool.sendTransactions(sent, true)
    expect([offered, offered.every(({ length, buffer }) => buffer.byteLength === length)]).toEqual([sent, true])
    source?.sendTransactions(sent)
    expect([there.ears.transactions, here.ears.transactions]).toEqual([[], []])
    there.pool.sendTransactions([new Uint8Array(32 * 1024 + 1), ...Array.from({ length: 50 }, (_, index) => Uint8Array.of(0xc2, index, 0))])
    expect([offered.length, pipe.isClosed]).toEqual([OFFERED_TRANSACTIONS.burst, false])
    otherPipe.announce(frameOf({ code: CODE.transactions, payload: Uint8Array.of(0xc1) }))
    expect([pipe.isClosed, here.pool.isBanned('mesh:neighbour-b')]).toEqual([true, true])
  })

  it('of another chain part without a ban', async () => {
    const here = box()
    const there = box(new MapServer(30, { ...new MapServer(1).network, genesisHash: devnet(1).hash }))
    const [pipe, otherPipe] = duplex()
    const back = openMeshSource(there.parts, otherPipe)
    expect(await openMeshSource(here.parts, pipe)).toBeNull()
    expect(await back).toBeNull()
    expect(pipe.isClosed).toBe(true)
    expect(here.pool.bans()).toEqual([])
  })

  it('for whom there is no room are closed', async () => {
    const here = box(new MapServer(30), systemTimers, 1)
    const pipes = [duplex(), duplex()] as const
    const others = [box(), box()] as const
    void openMeshSource(others[0].parts, pipes[0][1])
    void openMeshSource(others[1].parts, pipes[1][1])
    expect(await openMeshSource(here.parts, pipes[0][0])).not.toBeNull()
    expect(await openMeshSource(here.parts, pipes[1][0])).toBeNull()
    expect(pipes[1][0].isClosed).toBe(true)
  })

  it.each<[string, Uint8Array]>([
    ['bytes that are none', noise(100)],
    ['nothing', new Uint8Array(0)],
    ['another reply', frameOf(encodeItems(CODE.bodies, []))],
    ['headers of another height', frameOf(encodeItems(CODE.headers, [devnet(9).rlp]))],
  ])('that answer with %s are banned', async (_, frame) => {
    const { here, pipe, source } = await neighbours()
    pipe.forge = () => Promise.resolve(frame)
    await expect(source.headers(1, 1)).rejects.toMatchObject({ kind: 'input' })
    expect(pipe.isClosed).toBe(true)
    expect(here.pool.isBanned('mesh:neighbour-b')).toBe(true)
    expect(here.ears.sources).toEqual([])
  })

  it('that never answer are closed, and called again later', async () => {
    const { here, pipe, source } = await neighbours()
    void source
    const hurried: Timers = { ...systemTimers, after: (ms, run) => systemTimers.after(ms / 1000, run) }
    const late = box(here.server, hurried)
    const [silent] = duplex()
    silent.forge = () => new Promise(() => undefined)
    expect(await openMeshSource(late.parts, silent)).toBeNull()
    expect(silent.isClosed).toBe(true)
    expect(late.pool.bans()).toEqual([])
    expect(pipe.isClosed).toBe(false)
  })

  it.each<[string, Uint8Array]>([
    ['a request', frameOf(encodeGetHeaders({ from: 1, count: 1, skip: 0, isReverse: false }))],
    ['noise', noise(60)],
    ['a block that is none', Uint8Array.of(CODE.newBlock, 0xc0)],
  ])('that announce %s are banned', async (_, frame) => {
    const { here, otherPipe, pipe } = await neighbours()
    otherPipe.announce(frame)
    expect(pipe.isClosed).toBe(true)
    expect(here.pool.isBanned('mesh:neighbour-b')).toBe(true)
  })

  it('that flood with announcements are banned', async () => {
    const { here, otherPipe } = await neighbours()
    for (let i = 0; i < 3000; i++) otherPipe.announce(Uint8Array.of(CODE.transactions, 0xc0))
    expect(here.pool.isBanned('mesh:neighbour-b')).toBe(true)
  })

  it.each<[string, Uint8Array]>([
    ['an announcement', frameOf(encodeItems(CODE.newBlock, []))],
    ['noise', noise(60)],
    ['a Status that is none', Uint8Array.of(CODE.status, 0xc1, 0x80)],
  ])('that ask with %s are banned', async (_, frame) => {
    const { here, otherPipe } = await neighbours()
    await expect(otherPipe.request(frame, 1000)).rejects.toMatchObject({ kind: 'input' })
    expect(here.pool.isBanned('mesh:neighbour-b')).toBe(true)
  })

  it('that ask too much at once are told to wait', async () => {
    const { here, otherPipe } = await neighbours()
    const frame = frameOf({ code: CODE.getNodes, payload: encodeItems(CODE.nodes, [...DEVNET_NODES.keys()].slice(0, 300).map((hash) => Buffer.from(`a0${hash.slice(2)}`, 'hex'))).payload })
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => otherPipe.request(frame, maxFrameBytes(CODE.nodes))))
    expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(16)
    expect(here.pool.bans()).toEqual([])
  })

  it('ask each other for Status again whenever they like', async () => {
    const { here, otherPipe } = await neighbours()
    const { network } = here.server
    const status = encodeStatus({ version: 63, networkId: BigInt(network.networkId), totalDifficulty: 1n, head: devnet(1).hash, genesis: network.genesisHash })
    expect(messageOf(await otherPipe.request(frameOf(status), 300)).code).toBe(CODE.status)
  })

  it('that go away fail what was asked', async () => {
    const { pipe, otherPipe, source, here } = await neighbours()
    pipe.forge = () => new Promise(() => undefined)
    const asked = source.headers(1, 1)
    otherPipe.close('out of reach')
    await expect(asked).rejects.toMatchObject({ code: 'source-closed' })
    await eventually(() => here.pool.list().length === 0)
  })
})

describe('a chain of this box', () => {
  function local() {
    const { pool, ears } = box()
    const server = new MapServer(12)
    const taken: { transactions: Uint8Array[]; blocks: number[] } = { transactions: [], blocks: [] }
    const source: LocalSource = new LocalSource({
      name: 'village',
      server,
      voice: pool,
      taker: { sendTransactions: (transactions) => void taken.transactions.push(...transactions), announceBlock: (block) => void taken.blocks.push(block.header.number) },
      onClosed: (reason) => pool.dismiss(source, reason),
    })
    pool.admit(source, source.id)
    return { pool, ears, server, source, taken }
  }

  it('answers like any other source', async () => {
    const { source, server } = local()
    server.holes.add(4)
    expect(source.head().number).toBe(12)
    expect(await source.headers(11, 9)).toHaveLength(2)
    expect(await source.bodies([3, 4, 5].map((number) => devnet(number).hash))).toEqual([devnet(3).bodyRlp, null, devnet(5).bodyRlp])
    expect((await source.receipts([devnet(4).hash, devnet(5).hash])).map((one) => one === null)).toEqual([true, false])
    expect(await source.nodes([...DEVNET_NODES.keys()])).toHaveLength(384)
  })

  it('hands over what it is told and what it has, until it is closed', async () => {
    const { pool, ears, source, taken } = local()
    pool.announceBlock(blockOf(3), 9n)
    pool.sendTransactions([noise(10)])
    source.push(blockOf(13), devnet(13).totalDifficulty)
    source.headChanged()
    source.pushTransactions([noise(5)])
    expect(taken.blocks).toEqual([3])
    expect(taken.transactions).toHaveLength(1)
    expect(ears.blocks[0]).toEqual({ header: devnet(13).rlp, body: devnet(13).bodyRlp, totalDifficulty: devnet(13).totalDifficulty })
    expect(ears.heads).toHaveLength(1)
    expect(ears.transactions).toHaveLength(1)
    source.close('done')
    source.push(blockOf(14), 1n)
    expect(ears.blocks).toHaveLength(1)
    expect(ears.ended).toHaveLength(1)
    await expect(source.headers(1, 1)).rejects.toMatchObject({ code: 'source-closed' })
  })
})
