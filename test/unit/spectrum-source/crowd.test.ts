/** Many peers at once: what is kept for all of them together stays within bounds, and the whole of it opens and closes by its settings. */
import { afterEach, describe, expect, it } from 'vitest'
import { encodeRlp, silentLog, toHex } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { encodeHeader } from '../../../src/spectrum/codec/header.ts'
import { CODE, encodeHashes, encodeNewBlock, encodeNewBlockHashes, encodeTransactions } from '../../../src/spectrum/source/eth63.ts'
import { Sources, formatEnode } from '../../../src/spectrum/source/index.ts'
import { forgetfulBans } from '../../../src/spectrum/source/bans.ts'
import type { SourcesSettings } from '../../../src/spectrum/source/index.ts'
import { KNOWN_BLOCKS, KNOWN_TRANSACTIONS, MAX_OUTBOX_BYTES, MAX_PEERS, MAX_WAITING_ANSWERS, RECEIVE_BUDGET_BYTES, SOFT_REPLY_BYTES } from '../../../src/spectrum/source/limits.ts'
import { joinList } from '../../../src/spectrum/source/raw-rlp.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { bareFrames, closeRawPeers, rawSource } from './raw-peer.ts'
import type { RawPeer } from './raw-peer.ts'
import { Ears, MapServer, blockOf, devnet, dice, enodeOf, eventually, freshKey, realClock, stopTowns, town } from './towns.ts'

const { bytes: noise } = randomStream('crowd')
const opened: Sources[] = []
afterEach(async () => {
  await closeRawPeers()
  await Promise.all(opened.splice(0).map((sources) => sources.stop()))
  await stopTowns()
})

describe(`${MAX_PEERS} peers`, () => {
  it('that ask, push and announce as much as they may do not make us keep more than the bounds say', async () => {
    const place = await town({ maxPeers: MAX_PEERS })
    place.server.bodies = (hashes) => hashes.map(() => body)
    const peers: RawPeer[] = []
    for (let i = 0; i < MAX_PEERS; i++) peers.push(await rawSource(place))
    expect(place.node.peerCount).toBe(MAX_PEERS)
    let most = { budgetBytes: 0, outboxBytes: 0, knownHashes: 0, waitingAnswers: 0 }
    const watch = (): void => {
      const { kept } = place.node
      most = { budgetBytes: Math.max(most.budgetBytes, kept.budgetBytes), outboxBytes: Math.max(most.outboxBytes, kept.outboxBytes), knownHashes: Math.max(most.knownHashes, kept.knownHashes), waitingAnswers: Math.max(most.waitingAnswers, kept.waitingAnswers) }
    }
    for (let round = 0; round < 6; round++) {
      for (const peer of peers) {
        peer.send(CODE.getBodies, encodeHashes(CODE.getBodies, [devnet(1).hash]).payload)
        peer.send(CODE.newBlockHashes, encodeNewBlockHashes(Array.from({ length: 60 }, () => ({ hash: `0x${toHex(noise(32))}` as const, number: 1 }))).payload)
        peer.send(CODE.transactions, encodeTransactions(Array.from({ length: 300 }, () => encodeRlp(noise(250)))).payload)
      }
      place.pool.announceBlock(blockOf(20 + round), devnet(20 + round).totalDifficulty)
      for (let i = 0; i < 20; i++) {
        watch()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    // All transactions are there: none of these peers was too much.
    await eventually(() => {
      watch()
      return place.ears.transactions.length >= 6 * MAX_PEERS * 300
    })
    expect(most.budgetBytes).toBeLessThanOrEqual(RECEIVE_BUDGET_BYTES)
    expect(most.outboxBytes).toBeLessThanOrEqual(MAX_PEERS * (MAX_OUTBOX_BYTES + SOFT_REPLY_BYTES))
    expect(most.knownHashes).toBeLessThanOrEqual(MAX_PEERS * (KNOWN_BLOCKS + KNOWN_TRANSACTIONS))
    expect(most.waitingAnswers).toBeLessThanOrEqual(MAX_PEERS * MAX_WAITING_ANSWERS)
    expect(place.pool.fetches.size).toBeLessThanOrEqual(64)
    expect(place.node.peerCount).toBe(MAX_PEERS)
  })

  it('that push the largest blocks at the same time are all heard, one after the other', async () => {
    const place = await town({ maxPeers: MAX_PEERS })
    const peers = [await rawSource(place), await rawSource(place)]
    peers.forEach((peer, index) => peer.send(CODE.newBlock, hugeBlock(index)))
    await place.ears.until(() => place.ears.blocks.length === 2)
    await eventually(() => place.node.kept.budgetBytes === 0)
  })

  it('that begin a message of ten megabytes each share one budget', async () => {
    const place = await town({ maxPeers: MAX_PEERS })
    for (let i = 0; i < 8; i++) {
      const { wire, writer } = await bareFrames(place)
      await wire.write(Buffer.concat([writer.header(10_000_000), writer.data(Buffer.concat([Uint8Array.of(CODE.newBlock + 16, 0x80, 0xad, 0xe2, 0x04), noise(200_000)]))]))
    }
    // One of them with what it unpacks to; the next does not fit beside it.
    await eventually(() => place.node.kept.budgetBytes > 0)
    expect(place.node.kept.budgetBytes).toBeLessThanOrEqual(RECEIVE_BUDGET_BYTES)
    // Small messages need none of it.
    const peer = await rawSource(place)
    peer.send(CODE.transactions, encodeTransactions([encodeRlp(noise(100))]).payload)
    await place.ears.until(() => place.ears.transactions.length > 0)
    // Those that go give back what they held, and the next ones in the queue get it.
    await closeRawPeers()
    await place.ears.until(() => place.ears.sources.length === 0)
    await eventually(() => place.node.kept.budgetBytes === 0)
  })
})

/** A block of some 9 MB that does not pack. */
function hugeBlock(number: number): Uint8Array {
  const header = encodeHeader({ ...devnet(9).header, number })
  const transactions = joinList(Array.from({ length: 9 }, () => encodeRlp(noise(1_000_000))))
  return encodeNewBlock({ header, body: joinList([transactions, Uint8Array.of(0xc0)]), totalDifficulty: 1n }).payload
}

const body = encodeRlp([Array.from({ length: 10 }, () => noise(20_000)), []])

describe('all sources of a chain', () => {
  const parts = (height: number) => ({ server: new MapServer(height), elsewhere: null, offer: () => Promise.resolve(), curve: native, clock: realClock, timers: systemTimers, randomness: dice, log: silentLog, bans: forgetfulBans })
  const settings = (more: Partial<NonNullable<SourcesSettings['eth63']>> = {}): SourcesSettings => ({
    eth63: { nodeKey: freshKey(), clientName: 'meshbox/test', listen: { address: '127.0.0.1', port: 0 }, staticPeers: [], bootnodes: [], maxPeers: 5, ...more },
    rpc: [],
    rpcPollMs: 1000,
    maxSources: 10,
  })
  async function open(height: number, set: SourcesSettings) {
    const sources = new Sources(parts(height), set)
    opened.push(sources)
    const ears = new Ears()
    sources.on(ears)
    await sources.start()
    return { sources, ears }
  }

  it('open by their settings, find each other by a bootnode, and close', async () => {
    const boot = await open(30, settings())
    expect(boot.sources.discoveryPort).toBe(0)
    const called = await open(30, settings({ staticPeers: [enodeUrl(boot.sources)] }))
    await called.ears.until(() => called.ears.sources.length > 0)
    await called.sources.stop()
    expect(called.ears.sources).toEqual([])
    await boot.ears.until(() => boot.ears.ended.length > 0)
  })

  it('use UDP where there are bootnodes', async () => {
    const first = await open(30, settings({ bootnodes: [formatEnode({ nodeId: noise(64), address: '127.0.0.1', tcpPort: 9, udpPort: 9 })] }))
    expect(first.sources.discoveryPort).toBe(first.sources.listenPort)
    const second = await open(20, settings({ bootnodes: [enodeUrl(first.sources)] }))
    expect(await firstHeader(second.ears)).toEqual([devnet(1).rlp])
  })

  it('work with none at all', async () => {
    const { sources } = await open(1, { eth63: null, rpc: [], rpcPollMs: 1000, maxSources: 1 })
    expect([sources.nodeId, sources.listenPort, sources.discoveryPort, sources.pool.list()]).toEqual([null, 0, 0, []])
  })

  it('say what is wrong with a setting, and never show the key', () => {
    const bad = (more: Partial<NonNullable<SourcesSettings['eth63']>>) => () => new Sources(parts(1), settings(more))
    expect(bad({ nodeKey: new Uint8Array(32) })).toThrow(/nodeKey: a value that is not shown/)
    expect(bad({ maxPeers: 0 })).toThrow(/maxPeers/)
    expect(bad({ clientName: '\n' })).toThrow(/clientName/)
    expect(bad({ staticPeers: ['enode://x'] })).toThrow(/enode/)
    expect(bad({ bootnodes: ['enode://x'] })).toThrow(/enode/)
    expect(() => new Sources(parts(1), { ...settings(), maxSources: 0 })).toThrow(/maxSources/)
    expect(() => new Sources(parts(1), { ...settings(), rpc: ['x'] })).toThrow(/rpc/)
  })

  it('where the port is taken say so, and leave nothing open', async () => {
    const other = await town()
    const sources = new Sources(parts(1), settings({ listen: { address: '127.0.0.1', port: enodeOf(other).tcpPort } }))
    opened.push(sources)
    await expect(sources.start()).rejects.toMatchObject({ code: 'cannot-listen' })
    expect(sources.pool.list()).toEqual([])
  })
})

/** Both have found each other: one of two calls that crossed may be ended while it is asked. */
async function firstHeader(ears: Ears): Promise<readonly Uint8Array[] | undefined> {
  for (;;) {
    await ears.until(() => ears.sources.length > 0)
    try {
      return await ears.sources[0]?.headers(1, 1)
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'source-closed' })
    }
  }
}

function enodeUrl(sources: Sources): string {
  return formatEnode({ nodeId: sources.nodeId ?? noise(64), address: '127.0.0.1', tcpPort: sources.listenPort, udpPort: sources.listenPort })
}
