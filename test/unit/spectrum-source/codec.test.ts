/** The bytes of this room: lists cut apart, eth/63 messages, snappy, Hello, handshake, frames. Fuzzed: what decodes is within bounds, and what does not throws MeshBoxError and nothing else. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, decodeRlp, encodeRlp, toHex } from '../../../src/base/index.ts'
import type { RlpItem } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import * as eth from '../../../src/spectrum/source/eth63.ts'
import { MAX_HEADERS } from '../../../src/spectrum/source/limits.ts'
import { joinList, splitList } from '../../../src/spectrum/source/raw-rlp.ts'
import { Initiator, nodeIdOf, respond } from '../../../src/spectrum/source/rlpx/handshake.ts'
import { DISCONNECT, decodeDisconnect, decodeHello, encodeDisconnect, encodeHello, ourHello } from '../../../src/spectrum/source/rlpx/base-protocol.ts'
import { FRAME_HEADER_BYTES, FrameReader, FrameWriter, paddedBytes } from '../../../src/spectrum/source/rlpx/frame.ts'
import { Unpacking, pack, packBlocks, unpack } from '../../../src/spectrum/source/rlpx/snappy.ts'
import { randomStream } from '../native/random-stream.ts'
import { native, noble } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_NODES } from '../spectrum/devnet.ts'
import { devnet, dice, freshKey } from './towns.ts'

/** Another implementation of snappy, which @ethereumjs/devp2p brings along. */
const snappy = createRequire(import.meta.resolve('@ethereumjs/devp2p'))('snappyjs') as { compress(bytes: Uint8Array): Uint8Array; uncompress(bytes: Uint8Array): Uint8Array }
const { bytes: noise } = randomStream('codec')
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): Hash => `0x${toHex(bytes)}`)
const SEEDED = { seed: 20_261_122, numRuns: 300 }

/** True: it decoded. Anything thrown but a MeshBoxError fails the test. */
function survives(decode: () => unknown): boolean {
  try {
    decode()
    return true
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(MeshBoxError)
    return false
  }
}

/** Bytes near to valid ones: some changed, cut, or grown. */
const spoilt = (valid: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.array(fc.tuple(fc.nat(Math.max(0, valid.length - 1)), fc.nat(255)), { maxLength: 4 }), fc.nat(valid.length), fc.uint8Array({ maxLength: 8 }), fc.boolean()).map(([changes, cut, tail, isCut]) => {
    const bytes = Uint8Array.from(valid)
    for (const [at, byte] of changes) bytes[at] = byte
    return Uint8Array.from([...(isCut ? bytes.subarray(0, cut) : bytes), ...tail])
  })

describe('lists cut apart', () => {
  const tree: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem }>((tie) => ({ item: fc.oneof({ depthSize: 'small' }, fc.uint8Array({ maxLength: 80 }), fc.array(tie('item'), { maxLength: 5 })) })).item

  it('give the items that the strict decoder sees, and join to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 12 }), (items) => {
        const bytes = encodeRlp(items)
        const parts = splitList(bytes, 12, 'list')
        expect(parts).toEqual(items.map(encodeRlp))
        expect(joinList(parts)).toEqual(bytes)
      }),
      SEEDED,
    )
  })

  it('take nothing that the strict decoder refuses at this level', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }).chain((items) => spoilt(encodeRlp(items))), (bytes) => {
        const isSplit = survives(() => splitList(bytes, 100, 'list').forEach((part) => decodeRlp(part, { maxBytes: 1e6, maxItems: 1e4, maxDepth: 100 })))
        const isDecoded = survives(() => decodeRlp(bytes, { maxBytes: 1e6, maxItems: 1e4, maxDepth: 100 }))
        if (isSplit) expect(isDecoded).toBe(true)
        if (isDecoded && (bytes[0] ?? 0) >= 0xc0) expect(isSplit).toBe(true)
      }),
      { ...SEEDED, numRuns: 2000 },
    )
  })

  it.each([
    ['a string', [0x83, 1, 2, 3]],
    ['nothing', []],
    ['bytes behind it', [0xc0, 0]],
    ['an item that reaches out of it', [0xc2, 0x83, 1]],
    ['a length in the long form that fits the short', [0xf8, 1, 0]],
    ['a length with a leading zero', [0xf9, 0, 60, ...new Array<number>(60).fill(1)]],
    ['a length of eight bytes', [0xff, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['a byte below 0x80 as a string', [0xc2, 0x81, 0x05]],
  ])('refuse %s', (_, bytes) => {
    expect(() => splitList(Uint8Array.from(bytes), 10, 'list')).toThrow(MeshBoxError)
  })

  it('refuse more items than allowed', () => {
    expect(() => splitList(joinList([Uint8Array.of(1), Uint8Array.of(2)]), 1, 'list')).toThrow(/at most 1/)
  })
})

describe('eth/63', () => {
  it('Status', () => {
    const status = { version: 63, networkId: 1n, totalDifficulty: 166n, head: devnet(8).hash, genesis: devnet(0).hash }
    expect(eth.decodeStatus(eth.encodeStatus(status).payload)).toEqual(status)
    // [63, 1, 166, head, genesis], by hand.
    expect(toHex(eth.encodeStatus(status).payload)).toBe(`f8463f0181a6a0${devnet(8).hash.slice(2)}a0${devnet(0).hash.slice(2)}`)
  })

  it('hashes of new blocks, requests for headers and hashes, as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ hash, number: fc.maxSafeNat() }), { maxLength: 20 }), fc.oneof(hash, fc.maxSafeNat()), fc.integer({ min: 0, max: MAX_HEADERS }), fc.maxSafeNat(), fc.boolean(), (blocks, from, count, skip, isReverse) => {
        expect(eth.decodeNewBlockHashes(eth.encodeNewBlockHashes(blocks).payload)).toEqual(blocks)
        expect(eth.decodeGetHeaders(eth.encodeGetHeaders({ from, count, skip, isReverse }).payload)).toEqual({ from, count, skip, isReverse })
        const hashes = blocks.map((block) => block.hash)
        expect(eth.decodeHashes(eth.encodeHashes(eth.CODE.getNodes, hashes).payload)).toEqual(hashes)
      }),
      SEEDED,
    )
  })

  it('a count and a skip beyond reason are cut, not refused', () => {
    const payload = encodeRlp([Uint8Array.of(1), new Uint8Array(8).fill(255), new Uint8Array(8).fill(255), new Uint8Array(0)])
    expect(eth.decodeGetHeaders(payload)).toEqual({ from: 1, count: MAX_HEADERS, skip: Number.MAX_SAFE_INTEGER, isReverse: false })
  })

  it('headers, bodies, receipts, transactions and nodes keep their bytes', () => {
    const headers = DEVNET.map((block) => block.rlp)
    const bodies = DEVNET.map((block) => block.bodyRlp)
    const nodes = [...DEVNET_NODES.values()].slice(0, 300)
    expect(eth.decodeHeaders(eth.encodeItems(eth.CODE.headers, headers).payload)).toEqual(headers)
    expect(eth.decodeBodies(eth.encodeItems(eth.CODE.bodies, bodies).payload)).toEqual(bodies)
    expect(eth.decodeReceiptLists(eth.encodeItems(eth.CODE.receipts, bodies).payload)).toEqual(bodies)
    expect(eth.decodeTransactions(eth.encodeTransactions(bodies).payload)).toEqual(bodies)
    expect(eth.decodeNodes(eth.encodeNodes(nodes).payload)).toEqual(nodes)
  })

  it('a new block is taken apart into header and body', () => {
    for (const block of DEVNET.slice(1, 20)) {
      const pushed = { header: block.rlp, body: block.bodyRlp, totalDifficulty: block.totalDifficulty }
      expect(eth.decodeNewBlock(eth.encodeNewBlock(pushed).payload)).toEqual(pushed)
    }
  })

  it('a frame is a code and a payload, each message within its bound', () => {
    const message = eth.encodeHashes(eth.CODE.getNodes, [devnet(1).hash])
    expect(eth.messageOf(eth.frameOf(message))).toEqual(message)
    expect(() => eth.messageOf(new Uint8Array(0))).toThrow(MeshBoxError)
    expect(() => eth.messageOf(Uint8Array.of(9, 0xc0))).toThrow(/message 9/)
    expect(() => eth.messageOf(new Uint8Array(70_000).fill(eth.CODE.getNodes))).toThrow(/at most 65536/)
  })

  const valid: [string, Uint8Array, (payload: Uint8Array) => unknown][] = [
    ['Status', eth.encodeStatus({ version: 63, networkId: 1n, totalDifficulty: 5n, head: devnet(1).hash, genesis: devnet(0).hash }).payload, eth.decodeStatus],
    ['NewBlockHashes', eth.encodeNewBlockHashes([{ hash: devnet(1).hash, number: 1 }]).payload, eth.decodeNewBlockHashes],
    ['Transactions', eth.encodeTransactions([noise(200), noise(10)].map(encodeRlp)).payload, eth.decodeTransactions],
    ['GetBlockHeaders', eth.encodeGetHeaders({ from: devnet(1).hash, count: 5, skip: 0, isReverse: true }).payload, eth.decodeGetHeaders],
    ['BlockHeaders', eth.encodeItems(eth.CODE.headers, [devnet(1).rlp, devnet(2).rlp]).payload, eth.decodeHeaders],
    ['hashes', eth.encodeHashes(eth.CODE.getNodes, [devnet(1).hash, devnet(2).hash]).payload, eth.decodeHashes],
    ['BlockBodies', eth.encodeItems(eth.CODE.bodies, [devnet(1).bodyRlp]).payload, eth.decodeBodies],
    ['NewBlock', eth.encodeNewBlock({ header: devnet(9).rlp, body: devnet(9).bodyRlp, totalDifficulty: 9n }).payload, eth.decodeNewBlock],
    ['NodeData', eth.encodeNodes([...DEVNET_NODES.values()].slice(0, 3)).payload, eth.decodeNodes],
    ['Receipts', eth.encodeItems(eth.CODE.receipts, [Uint8Array.of(0xc0)]).payload, eth.decodeReceiptLists],
    ['Hello', encodeHello(ourHello('somebody/1', 60_303, nodeIdOf(native, freshKey()))), decodeHello],
    ['Disconnect', encodeDisconnect(DISCONNECT.subprotocol), decodeDisconnect],
  ]
  it.each(valid)('%s, spoilt in any way, decodes or is refused', (_, payload, decode) => {
    expect(survives(() => decode(payload))).toBe(true)
    fc.assert(
      fc.property(spoilt(payload), fc.uint8Array({ maxLength: 64 }), (bytes, other) => {
        survives(() => decode(bytes))
        survives(() => decode(other))
      }),
      { ...SEEDED, numRuns: 800 },
    )
  })
})

describe('snappy', () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(fc.constantFrom(...DEVNET.slice(0, 8).map((block) => block.rlp)), { maxLength: 6 }).map((parts) => Uint8Array.from(Buffer.concat(parts))),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 40_000 })).map(([unit, times]) => Uint8Array.from({ length: unit.length * times }, (_, at) => unit[at % unit.length] ?? 0)),
  )

  it('unpacks what it packed, and what another implementation packed, and the other way round', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const packed = pack(text)
        expect(Buffer.compare(unpack(packed, 1 << 20), text)).toBe(0)
        expect(Buffer.compare(new Uint8Array(snappy.uncompress(packed)), text)).toBe(0)
        expect(Buffer.compare(unpack(new Uint8Array(snappy.compress(text)), 1 << 20), text)).toBe(0)
        expect(packed.length).toBeLessThanOrEqual(text.length + Math.ceil(text.length / 6) + 32)
      }),
      { ...SEEDED, numRuns: 150 },
    )
  })

  it('packs what repeats', () => {
    const headers = Uint8Array.from(Buffer.concat(DEVNET.map((block) => block.rlp)))
    expect(pack(headers).length).toBeLessThan(headers.length * 0.7)
    expect(pack(new Uint8Array(1_000_000)).length).toBeLessThan(60_000)
    expect([...packBlocks(new Uint8Array(1_000_000))].every((block) => block.length < 70_000)).toBe(true)
  })

  it('unpacks in steps', () => {
    const text = noise(200_000)
    const unpacking = new Unpacking(pack(text), 200_000)
    let steps = 1
    let whole = unpacking.step(65_536)
    for (; whole === null; steps++) whole = unpacking.step(65_536)
    expect(Buffer.compare(whole, text)).toBe(0)
    expect(steps).toBeGreaterThan(2)
  })

  it('refuses a length above the bound, or above what the bytes can make, before making room', () => {
    expect(() => unpack(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0), 1000)).toThrow(/at most 1000/)
    expect(() => unpack(Uint8Array.of(0x80, 0x80, 0x80, 0x05, 0, 1), 20 * 1024 * 1024)).toThrow(/can make/)
    expect(() => unpack(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 1000)).toThrow(MeshBoxError)
    expect(() => unpack(new Uint8Array(0), 1000)).toThrow(MeshBoxError)
  })

  it('survives anything', () => {
    const packed = pack(Uint8Array.from(Buffer.concat(DEVNET.slice(0, 5).map((block) => block.rlp))))
    fc.assert(
      fc.property(spoilt(packed), fc.uint8Array({ maxLength: 40 }), (bytes, other) => {
        survives(() => unpack(bytes, 10_000))
        survives(() => unpack(other, 10_000))
      }),
      { ...SEEDED, numRuns: 1500 },
    )
  })
})

describe('the handshake', () => {
  const [callerKey, calledKey] = [freshKey(), freshKey()]

  it.each([['native', native], ['noble', noble]])('gives both sides the same keys, and the proof of the other (%s)', (_, curve) => {
    const crypto = { curve, randomness: dice }
    const initiator = new Initiator(crypto, callerKey, nodeIdOf(curve, calledKey))
    const { ack, secrets } = respond(crypto, calledKey, initiator.auth)
    const mine = initiator.finish(ack)
    expect(mine.aes).toEqual(secrets.aes)
    expect(mine.mac).toEqual(secrets.mac)
    expect([mine.egressSeed, mine.ingressSeed]).toEqual([secrets.ingressSeed, secrets.egressSeed])
    expect(secrets.remoteId).toEqual(nodeIdOf(curve, callerKey))
  })

  it('with any byte changed is refused by both sides', () => {
    const crypto = { curve: native, randomness: dice }
    const initiator = new Initiator(crypto, callerKey, nodeIdOf(native, calledKey))
    const { ack } = respond(crypto, calledKey, initiator.auth)
    for (const [message, open] of [[initiator.auth, (bytes: Uint8Array) => respond(crypto, calledKey, bytes)], [ack, (bytes: Uint8Array) => initiator.finish(bytes)]] as const)
      fc.assert(
        fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const bytes = Uint8Array.from(message)
          bytes[at] = (bytes[at] ?? 0) ^ change
          expect(survives(() => open(bytes))).toBe(false)
        }),
        SEEDED,
      )
  })

  it('to another key, of nobody, or to no point is refused', () => {
    const crypto = { curve: native, randomness: dice }
    const { auth } = new Initiator(crypto, callerKey, nodeIdOf(native, calledKey))
    expect(() => respond(crypto, freshKey(), auth)).toThrow(/our key/)
    expect(() => new Initiator(crypto, callerKey, new Uint8Array(64))).toThrow(MeshBoxError)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => !survives(() => respond(crypto, calledKey, bytes))), SEEDED)
  })
})

describe('frames', () => {
  function wires(): { writer: FrameWriter; reader: FrameReader } {
    const crypto = { curve: native, randomness: dice }
    const key = freshKey()
    const initiator = new Initiator(crypto, freshKey(), nodeIdOf(native, key))
    const { ack, secrets } = respond(crypto, key, initiator.auth)
    return { writer: new FrameWriter(initiator.finish(ack)), reader: new FrameReader(secrets) }
  }
  const frame = (writer: FrameWriter, data: Uint8Array): Uint8Array => Buffer.concat([writer.header(data.length), writer.data(data), writer.end()])
  function read(reader: FrameReader, bytes: Uint8Array): Uint8Array {
    const size = reader.header(bytes.subarray(0, FRAME_HEADER_BYTES))
    const data = reader.data(bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + paddedBytes(size)))
    reader.end(bytes.subarray(FRAME_HEADER_BYTES + paddedBytes(size)))
    return data.subarray(0, size)
  }

  it('come out as they went in, one after the other, written in any pieces', () => {
    const { writer, reader } = wires()
    for (const size of [1, 15, 16, 17, 1000, 70_000]) {
      const data = noise(size)
      const half = Math.floor(size / 2)
      const bytes = Buffer.concat([writer.header(size), writer.data(data.subarray(0, half)), writer.data(data.subarray(half)), writer.end()])
      expect(Buffer.compare(read(reader, bytes), data)).toBe(0)
    }
  })

  it('with any byte changed, left out or repeated are refused', () => {
    for (const at of [0, 3, 16, 31, 32, 40, 63, 64, 79]) {
      const { writer, reader } = wires()
      const bytes = frame(writer, noise(30)).map((byte, index) => (index === at ? byte ^ 0x80 : byte))
      expect(survives(() => read(reader, bytes))).toBe(false)
    }
    const { writer, reader } = wires()
    const first = frame(writer, noise(30))
    read(reader, first)
    expect(survives(() => read(reader, first))).toBe(false)
  })

  it('are not written shorter or longer than said', () => {
    const { writer } = wires()
    expect(() => writer.header(0)).toThrow(MeshBoxError)
    expect(() => writer.header(1 << 24)).toThrow(MeshBoxError)
    writer.header(10)
    expect(() => writer.data(noise(11))).toThrow(/the 10 left/)
    expect(() => writer.end()).toThrow(/10 bytes more/)
  })
})
