/** Two of our nodes over TCP on loopback: every message of eth/63, both ways. */
import { afterEach, describe, expect, it } from 'vitest'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import { PeerSource } from '../../../src/spectrum/source/peer-source.ts'
import { DEVNET, DEVNET_NODES } from '../spectrum/devnet.ts'
import { MapServer, blockOf, devnet, enodeOf, eventually, onlySource, stopTowns, town } from './towns.ts'
import type { Town } from './towns.ts'

afterEach(stopTowns)

async function pair(callerHeight = 20, calledHeight = 30): Promise<{ caller: Town; called: Town }> {
  const called = await town({ server: new MapServer(calledHeight) })
  const caller = await town({ server: new MapServer(callerHeight), staticPeers: [enodeOf(called)] })
  return { caller, called }
}

describe('two nodes', () => {
  it('know each other by Status, and tell their heads', async () => {
    const { caller, called } = await pair()
    const source = await onlySource(caller)
    const back = await onlySource(called)
    expect(source.id).toBe(`eth63:127.0.0.1:${called.node.listenPort}`)
    expect(source.head()).toEqual({ hash: devnet(30).hash, number: null, totalDifficulty: devnet(30).totalDifficulty })
    expect(back.head()?.hash).toBe(devnet(20).hash)
  })

  it('give headers by number and by hash, both ways', async () => {
    const { caller, called } = await pair()
    const source = await onlySource(caller)
    expect(await source.headers(5, 4)).toEqual([5, 6, 7, 8].map((number) => devnet(number).rlp))
    expect(await source.headers(devnet(9).hash, 2)).toEqual([9, 10].map((number) => devnet(number).rlp))
    expect(await source.headers(29, 100)).toHaveLength(2)
    expect(await source.headers(31, 5)).toEqual([])
    expect(await (await onlySource(called)).headers(1, 1)).toEqual([devnet(1).rlp])
  })

  it('give bodies in the order asked, and null for those they have not, wherever they are missing', async () => {
    const { caller, called } = await pair()
    const source = await onlySource(caller)
    called.server.holes.add(3).add(4).add(11)
    const asked = [12, 3, 5, 4, 11, 1]
    const bodies = await source.bodies(asked.map((number) => devnet(number).hash))
    expect(bodies).toEqual(asked.map((number) => (called.server.holes.has(number) ? null : devnet(number).bodyRlp)))
    expect(await source.bodies([])).toEqual([])
  })

  it('give receipts and nodes', async () => {
    const { caller } = await pair()
    const source = await onlySource(caller)
    const receipts = await source.receipts([devnet(7).hash, `0x${'ab'.repeat(32)}`])
    expect(receipts[0]).toEqual(caller.server.receipts([devnet(7).hash])[0])
    expect(receipts[1]).toBeNull()
    const hashes = [...DEVNET_NODES.keys()].slice(0, 300)
    const nodes = await source.nodes([`0x${'cd'.repeat(32)}` as Hash, ...hashes])
    expect(nodes).toEqual(hashes.map((hash) => DEVNET_NODES.get(hash)))
  })

  it('push a block whole, once, and do not send it back', async () => {
    const { caller, called } = await pair()
    await onlySource(called)
    await onlySource(caller)
    called.pool.announceBlock(blockOf(21), devnet(21).totalDifficulty)
    called.pool.announceBlock(blockOf(21), devnet(21).totalDifficulty)
    await caller.ears.until(() => caller.ears.blocks.length > 0)
    expect(caller.ears.blocks).toEqual([{ header: devnet(21).rlp, body: devnet(21).bodyRlp, totalDifficulty: devnet(21).totalDifficulty }])
    caller.pool.announceBlock(blockOf(21), devnet(21).totalDifficulty)
    // Something sent afterwards arrives, and the block did not arrive before it.
    caller.pool.sendTransactions([encodeTransaction(txOf(7))])
    await called.ears.until(() => called.ears.transactions.length > 0)
    expect(called.ears.blocks).toEqual([])
  })

  it('fetch a block that is announced by its hash, from the next announcer where the first has it not', async () => {
    const [without, having] = [await town({ server: new MapServer(20) }), await town()]
    const caller = await town({ server: new MapServer(20), staticPeers: [enodeOf(without), enodeOf(having)] })
    await caller.ears.until(() => caller.ears.sources.length === 2)
    const name = { hash: devnet(21).hash, number: 21 }
    const [first, second] = [await onlySource(without), await onlySource(having)]
    if (first instanceof PeerSource) first.announceHash(name)
    await caller.ears.until(() => caller.ears.heads.length > 0)
    if (second instanceof PeerSource) second.announceHash(name)
    await caller.ears.until(() => caller.ears.blocks.length > 0)
    expect(caller.ears.blocks).toMatchObject([{ header: devnet(21).rlp, body: devnet(21).bodyRlp }])
    await eventually(() => caller.pool.fetches.size === 0)
  })

  it('do not fetch an announced block that they have', async () => {
    const { caller, called } = await pair()
    await onlySource(caller)
    const source = await onlySource(called)
    if (source instanceof PeerSource) source.announceHash({ hash: devnet(19).hash, number: 19 })
    called.server.asked.length = 0
    called.pool.announceBlock(blockOf(21), devnet(21).totalDifficulty)
    await caller.ears.until(() => caller.ears.blocks.length > 0)
    expect(called.server.asked).toEqual([])
  })

  it('know the head that was last pushed or announced', async () => {
    const { caller, called } = await pair(20, 20)
    const source = await onlySource(caller)
    await onlySource(called)
    called.pool.announceBlock(blockOf(22), devnet(22).totalDifficulty)
    await caller.ears.until(() => caller.ears.heads.length > 0)
    expect(source.head()).toEqual({ hash: devnet(22).hash, number: 22, totalDifficulty: devnet(22).totalDifficulty })
    // A lighter one does not take its place.
    called.pool.announceBlock(blockOf(21), devnet(21).totalDifficulty)
    await caller.ears.until(() => caller.ears.blocks.length === 2)
    expect(source.head()?.number).toBe(22)
  })

  it('send transactions both ways, each only once', async () => {
    const { caller, called } = await pair()
    await onlySource(called)
    const source = await onlySource(caller)
    const [first, second] = [encodeTransaction(txOf(7)), encodeTransaction(txOf(8))]
    source.sendTransactions([first])
    source.sendTransactions([first, second])
    await called.ears.until(() => called.ears.transactions.length >= 2)
    expect(called.ears.transactions).toEqual([first, second])
    called.pool.sendTransactions([first, second, encodeTransaction(txOf(9))])
    await caller.ears.until(() => caller.ears.transactions.length > 0)
    expect(caller.ears.transactions).toEqual([encodeTransaction(txOf(9))])
  })

  it('ask for a large reply in parts where the answer stops at its soft limit', async () => {
    const { caller, called } = await pair()
    const source = await onlySource(caller)
    const large = new Uint8Array(600_000).fill(7)
    called.server.bodies = (hashes) => hashes.map((_, index) => rlpString(index === 0 ? large : large.subarray(1)))
    const bodies = await source.bodies(DEVNET.slice(1, 8).map((block) => block.hash))
    expect(bodies.every((one) => one !== null && one.length > 599_000)).toBe(true)
  })
})

function txOf(number: number): (typeof DEVNET)[number]['body']['transactions'][number] {
  const [transaction] = devnet(number).body.transactions
  if (transaction === undefined) throw new Error('no transaction')
  return transaction
}

function rlpString(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([0xba, bytes.length >> 16, (bytes.length >> 8) & 0xff, bytes.length & 0xff, ...bytes])
}
