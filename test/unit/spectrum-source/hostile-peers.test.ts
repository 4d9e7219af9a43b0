/** Peers that do not keep to the protocol, over real TCP: each is ended, those that broke it are kept out, and nothing throws or grows. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeRlp, toHex } from '../../../src/base/index.ts'
import { CODE, encodeHashes, encodeItems, encodeNewBlockHashes, encodeNodes } from '../../../src/spectrum/source/eth63.ts'
import { MAX_OUTBOX_BYTES, MAX_PENDING_HANDSHAKES_PER_ADDRESS, MAX_WAITING_ANSWERS } from '../../../src/spectrum/source/limits.ts'
import type { FrameWriter } from '../../../src/spectrum/source/rlpx/frame.ts'
import { Initiator, nodeIdOf } from '../../../src/spectrum/source/rlpx/handshake.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_NODES } from '../spectrum/devnet.ts'
import { bareFrames, closeRawPeers, frame, goodStatus, knock, rawPeer, rawSource } from './raw-peer.ts'
import type { RawPeer } from './raw-peer.ts'
import { devnet, dice, enodeOf, eventually, freshKey, onlySource, stopTowns, town } from './towns.ts'
import type { Town } from './towns.ts'

const escaped: unknown[] = []
const note = (thrown: unknown): void => void escaped.push(thrown)
beforeEach(() => {
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
})
afterEach(async () => {
  await closeRawPeers()
  await stopTowns()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
  expect(escaped.splice(0)).toEqual([])
})

const { bytes: noise } = randomStream('hostile')

describe('before the handshake is done', () => {
  it.each([
    ['noise', noise(2000)],
    ['a length that no handshake has', Uint8Array.of(0xff, 0xff)],
    ['a length that is too short', Uint8Array.of(0, 10, 1, 2, 3)],
    ['a message that is not for us', Uint8Array.from([1, 0x20, 4, ...noise(0x11f)])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: box\r\n\r\n'.repeat(40))],
  ])('%s is hung up on', async (_, bytes) => {
    const place = await town()
    await knock(place, bytes).closed
    await eventually(() => place.node.pendingHandshakes === 0)
    expect(place.pool.list()).toEqual([])
  })

  it('silence, and half a handshake, run out', async () => {
    const place = await town({ hurries: 'handshakes' })
    const auth = new Initiator({ curve: native, randomness: dice }, freshKey(), place.node.nodeId).auth
    await Promise.all([knock(place, new Uint8Array(0)).closed, knock(place, auth.subarray(0, 100)).closed])
    await knock(place, auth).closed
    await eventually(() => place.node.pendingHandshakes === 0)
    expect(place.node.kept.budgetBytes).toBe(0)
  })

  it('an auth used again is worth nothing without the key behind it', async () => {
    const place = await town({ hurries: 'handshakes' })
    const auth = new Initiator({ curve: native, randomness: dice }, freshKey(), place.node.nodeId).auth
    await knock(place, Buffer.concat([auth, noise(32)])).closed
    expect(place.pool.list()).toEqual([])
  })

  it('only so many wait at once from one address', async () => {
    const place = await town()
    const calls = Array.from({ length: 12 }, () => knock(place, Uint8Array.of(1)))
    // The ones above the bound are closed at once; the others stay until their time is over.
    await eventually(() => calls.filter((call) => call.socket.destroyed).length === calls.length - MAX_PENDING_HANDSHAKES_PER_ADDRESS)
    expect(place.node.pendingHandshakes).toBe(MAX_PENDING_HANDSHAKES_PER_ADDRESS)
  })
})

describe('a peer of another chain', () => {
  it.each([
    ['genesis', { ...goodStatus(), genesis: devnet(1).hash }],
    ['network id', { ...goodStatus(), networkId: 3n }],
    ['version', { ...goodStatus(), version: 62 }],
  ])('with another %s is told that it is of no use, and is not banned', async (_, status) => {
    const place = await town()
    const peer = await rawPeer(place, { status })
    expect(await peer.goodbye()).toContain('useless')
    expect(place.ears.sources).toEqual([])
    expect(place.pool.bans()).toEqual([])
  })

  it('that says nothing runs out', async () => {
    const place = await town({ hurries: 'handshakes' })
    const peer = await rawPeer(place, { status: null })
    expect(await peer.goodbye()).toContain('ended')
    await eventually(() => place.node.pendingHandshakes === 0)
  })

  it('that is this box itself is left', async () => {
    const key = freshKey()
    const place = await town({ nodeKey: key })
    await expect(rawPeer(place, { key })).rejects.toThrow(/this box/)
    expect(place.ears.sources).toEqual([])
  })
})

async function outcast(place: Town, peer: RawPeer): Promise<void> {
  expect(await peer.goodbye()).toMatch(/breach|ended|more than/) // the last: our own side has its limits too
  await place.ears.until(() => place.ears.sources.length === 0)
  expect(place.pool.isBanned(peer.identity)).toBe(true)
  expect(place.node.kept.budgetBytes).toBe(0)
}

describe('a peer that breaks the protocol is ended and banned:', () => {
  const headers = encodeItems(CODE.headers, [devnet(1).rlp]).payload
  it.each<[string, (peer: RawPeer) => void]>([
    ['a reply that nobody asked for', (peer) => peer.send(CODE.headers, headers)],
    ['a message that eth/63 has not', (peer) => peer.send(8, Uint8Array.of(0xc0))],
    ['a second Status', (peer) => peer.send(CODE.status, Uint8Array.of(0xc0))],
    ['a request that is no RLP', (peer) => peer.send(CODE.getHeaders, Uint8Array.of(0xff, 1, 2))],
    ['a request of a wrong shape', (peer) => peer.send(CODE.getBodies, encodeRlp([Uint8Array.of(1)]))],
    ['a block that is none', (peer) => peer.send(CODE.newBlock, encodeRlp([[new Uint8Array(3), [], []], Uint8Array.of(9)]))],
    ['too many hashes', (peer) => peer.send(CODE.getNodes, encodeHashes(CODE.getNodes, Array.from({ length: 1500 }, () => devnet(1).hash)).payload)],
    ['a request above its bound', (peer) => peer.send(CODE.getNodes, new Uint8Array(200_000))],
    ['a code beyond all capabilities', (peer) => peer.send(60, Uint8Array.of(0xc0))],
    ['base messages that do not exist', (peer) => void peer.session.sendBase(9, Uint8Array.of(0xc0)).catch(() => undefined)],
    ['a second Hello', (peer) => void peer.session.sendBase(0, Uint8Array.of(0xc0)).catch(() => undefined)],
    ['bytes that are no frame', (peer) => void peer.wire.write(noise(4096)).catch(() => undefined)],
    ['a flood of announcements', (peer) => {
      for (let i = 0; i < 2000; i++) peer.send(CODE.newBlockHashes, encodeNewBlockHashes([{ hash: `0x${toHex(noise(32))}`, number: i }]).payload)
    }],
    ['a flood of pings', (peer) => {
      for (let i = 0; i < 3000; i++) peer.ping()
    }],
  ])('%s', async (_, misbehave) => {
    const place = await town()
    const peer = await rawSource(place)
    misbehave(peer)
    await outcast(place, peer)
  })

  it.each<[string, (writer: FrameWriter) => Uint8Array]>([
    ['a length that its bytes cannot make', (writer) => frame(writer, Uint8Array.of(CODE.newBlock + 16, 0xc0, 0xa8, 0xa5, 0x04, 0, 1))],
    ['the largest frame there is', (writer) => Buffer.concat([writer.header(0xffffff), writer.data(Buffer.concat([Uint8Array.of(CODE.getHeaders + 16), new Uint8Array(64)]))])],
    ['a frame whose code is none', (writer) => frame(writer, Uint8Array.of(0xb8, 1, 2, 3))],
    ['a frame that was changed on the way', (writer) => frame(writer, Uint8Array.of(2, 1, 0, 0xc0)).map((byte, index) => (index === 40 ? byte ^ 1 : byte))],
    ['a frame header that was changed on the way', (writer) => frame(writer, Uint8Array.of(2, 1, 0, 0xc0)).map((byte, index) => (index === 1 ? byte ^ 1 : byte))],
  ])('%s', async (_, bytes) => {
    const place = await town()
    const { wire, writer, identity } = await bareFrames(place)
    await wire.write(bytes(writer))
    await place.ears.until(() => place.ears.ended.length > 0)
    expect(place.pool.isBanned(identity)).toBe(true)
    expect(place.node.kept.budgetBytes).toBe(0)
  })

  it('and comes back in vain', async () => {
    const place = await town()
    const key = freshKey()
    const peer = await rawSource(place, { key })
    peer.send(8, Uint8Array.of(0xc0))
    await outcast(place, peer)
    const again = await rawPeer(place, { key })
    expect(await again.goodbye()).toContain('useless')
  })
})

describe('a peer that lies in a reply', () => {
  it.each<[string, (place: Town, peer: RawPeer) => Promise<unknown>]>([
    ['headers of another height', (place, peer) => asked(place, (source) => source.headers(5, 2), peer, CODE.getHeaders, encodeItems(CODE.headers, [devnet(6).rlp]))],
    ['headers of another hash', (place, peer) => asked(place, (source) => source.headers(devnet(5).hash, 1), peer, CODE.getHeaders, encodeItems(CODE.headers, [devnet(6).rlp]))],
    ['more headers than asked for', (place, peer) => asked(place, (source) => source.headers(5, 1), peer, CODE.getHeaders, encodeItems(CODE.headers, [devnet(5).rlp, devnet(6).rlp]))],
    ['headers that are none', (place, peer) => asked(place, (source) => source.headers(5, 1), peer, CODE.getHeaders, { code: CODE.headers, payload: Uint8Array.of(0xc1, 0x80) })],
    ['more bodies than asked for', (place, peer) => asked(place, (source) => source.bodies([devnet(5).hash]), peer, CODE.getBodies, encodeItems(CODE.bodies, [devnet(5).bodyRlp, devnet(6).bodyRlp]))],
    ['a node that nobody wanted', (place, peer) => asked(place, (source) => source.nodes([devnet(5).hash]), peer, CODE.getNodes, encodeNodes([DEVNET_NODES.values().next().value ?? noise(9)]))],
    ['receipts that are no list', (place, peer) => asked(place, (source) => source.receipts([devnet(5).hash]), peer, CODE.getReceipts, { code: CODE.receipts, payload: Uint8Array.of(0x85, 1, 2) })],
  ])('%s: the question fails by name, the peer is banned', async (_, lie) => {
    const place = await town()
    const peer = await rawSource(place)
    await expect(lie(place, peer)).rejects.toMatchObject({ code: 'source-lied' })
    await outcast(place, peer)
  })

  it('by leaving every other body out for ever', async () => {
    const place = await town()
    const peer = await rawSource(place)
    const source = await onlySource(place)
    const bodies = source.bodies(DEVNET.slice(0, 31).flatMap((block) => [block.hash, block.hash, block.hash, block.hash]))
    void (async () => {
      for (;;) {
        const { payload } = await peer.next(CODE.getBodies)
        const items = payload.length > 40 ? [devnet(1).bodyRlp] : []
        peer.send(CODE.bodies, encodeItems(CODE.bodies, items).payload)
      }
    })().catch(() => undefined)
    await expect(bodies).rejects.toMatchObject({ code: 'source-lied' })
  })
})

async function asked(place: Town, ask: (source: Awaited<ReturnType<typeof onlySource>>) => Promise<unknown>, peer: RawPeer, code: number, reply: { code: number; payload: Uint8Array }): Promise<unknown> {
  const answer = ask(await onlySource(place))
  answer.catch(() => undefined)
  await peer.next(code)
  peer.send(reply.code, reply.payload)
  return answer
}

describe('a peer that is slow', () => {
  it('and never replies fails the question and is ended, without a ban', async () => {
    const place = await town({ hurries: 'peers' })
    const peer = await rawSource(place)
    const source = await onlySource(place)
    await expect(source.headers(1, 1)).rejects.toMatchObject({ code: 'source-slow' })
    expect(await peer.goodbye()).toContain('timeout')
    expect(place.pool.bans()).toEqual([])
  })

  it('and answers nothing, not even a ping, is ended', async () => {
    const place = await town({ hurries: 'peers' })
    await rawSource(place)
    await place.ears.until(() => place.ears.ended.length > 0)
    expect(place.ears.ended[0]?.reason).toContain('nothing heard')
  })

  it('and begins a large message that does not end is kept out for a minute, and its room given back', async () => {
    const place = await town({ hurries: 'peers' })
    const { wire, writer, identity } = await bareFrames(place)
    await wire.write(Buffer.concat([writer.header(5_000_000), writer.data(Buffer.concat([Uint8Array.of(CODE.newBlock + 16, 0xc0, 0x96, 0xb1, 0x02), noise(100_000)]))]))
    await place.ears.until(() => place.ears.ended.length > 0)
    expect(place.ears.ended[0]?.reason).toBe('a message that does not end')
    expect(place.pool.bans()).toMatchObject([{ identity, reason: 'a message that does not end' }])
    expect(place.node.kept.budgetBytes).toBe(0)
  })

  it('gets no more than so many questions at once', async () => {
    const place = await town()
    await rawSource(place)
    const source = await onlySource(place)
    const questions = Array.from({ length: 12 }, (_, number) => source.headers(number, 1))
    const refused = await Promise.allSettled(questions.slice(8))
    expect(refused.map((one) => one.status === 'rejected' && (one.reason as { code?: string }).code)).toEqual(['source-busy', 'source-busy', 'source-busy', 'source-busy'])
    source.close('enough')
    const others = await Promise.allSettled(questions.slice(0, 8))
    expect(others.every((one) => one.status === 'rejected')).toBe(true)
  })

  it('and asks without reading is not read from either', async () => {
    const place = await town()
    place.server.bodies = (hashes) => hashes.map(() => longBody)
    const peer = await rawSource(place)
    for (let i = 0; i < 200; i++) peer.send(CODE.getBodies, encodeHashes(CODE.getBodies, [devnet(1).hash, devnet(2).hash]).payload)
    await eventually(() => place.node.kept.waitingAnswers === MAX_WAITING_ANSWERS)
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(place.node.kept.waitingAnswers).toBeLessThanOrEqual(MAX_WAITING_ANSWERS)
    expect(place.node.kept.outboxBytes).toBeLessThanOrEqual(MAX_OUTBOX_BYTES)
    // What is announced meanwhile is left out, not kept.
    const source = await onlySource(place)
    for (let i = 0; i < 200; i++) source.sendTransactions([noise(30_000)])
    expect(place.node.kept.outboxBytes).toBeLessThanOrEqual(MAX_OUTBOX_BYTES + 2 * longBody.length)
  })
})

const longBody = encodeRlp([Array.from({ length: 30 }, () => noise(30_000)), []])

describe('places', () => {
  it('are for one connection per node', async () => {
    const place = await town()
    const key = freshKey()
    await rawSource(place, { key })
    const second = await rawPeer(place, { key })
    expect(await second.goodbye()).toContain('alreadyConnected')
    expect(place.ears.sources).toHaveLength(1)
  })

  it('end with the settings', async () => {
    const place = await town({ maxPeers: 2 })
    await rawSource(place)
    await rawSource(place)
    const third = await rawPeer(place)
    expect(await third.goodbye()).toContain('tooManyPeers')
    expect(place.node.peerCount).toBe(2)
  })

  it('are kept free, half of them, for those whom we call', async () => {
    const place = await town({ maxPeers: 4, staticPeers: [{ nodeId: nodeIdOf(native, freshKey()), address: '127.0.0.1', tcpPort: 1, udpPort: 1 }] })
    await rawSource(place)
    await rawSource(place)
    expect(await (await rawPeer(place)).goodbye()).toContain('tooManyPeers')
    expect(place.node.peerCount).toBe(2)
  })

  it('are not even looked for where one address calls too often', async () => {
    const place = await town()
    const calls = Array.from({ length: 60 }, () => knock(place, Uint8Array.of(0xff, 0xff)))
    await Promise.all(calls.map((call) => call.closed))
    // A well-behaved peer from there has to wait as well.
    await expect(rawPeer(place)).rejects.toThrow(/closed/)
  })

  it('are given back', async () => {
    const place = await town({ maxPeers: 1 })
    const first = await rawSource(place)
    first.wire.destroy()
    await place.ears.until(() => place.ears.sources.length === 0)
    await rawSource(place)
    expect(place.node.peerCount).toBe(1)
  })

  it('two boxes that call each other keep one connection', async () => {
    const [oneKey, otherKey] = [freshKey(), freshKey()]
    const one = await town({ nodeKey: oneKey })
    const other = await town({ nodeKey: otherKey, staticPeers: [enodeOf(one)] })
    one.node.found({ ...enodeOf(other), nodeId: nodeIdOf(native, otherKey) })
    await Promise.all([one.ears.until(() => one.ears.sources.length > 0), other.ears.until(() => other.ears.sources.length > 0)])
    expect(await (await onlySource(one)).headers(1, 1)).toEqual([devnet(1).rlp])
    expect(one.node.peerCount).toBe(1)
  })

  it('a static peer that went is called again', async () => {
    const called = await town()
    const caller = await town({ hurries: 'peers', staticPeers: [enodeOf(called)] })
    const first = await onlySource(caller)
    first.close('a test')
    await caller.ears.until(() => caller.ears.ended.length > 0)
    await caller.ears.until(() => caller.ears.sources.length > 0)
    expect((await onlySource(caller)).id).toBe(first.id)
  })
})
