/** Real nodes over loopback TCP, noise and yamux. */
import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { Libp2pWire } from '../../../src/mesh/peers/io/libp2p-wire.ts'
import { CONTROL_PROTOCOL, encodeControl, sealHello } from '../../../src/mesh/peers/hello.ts'
import { joinFrames } from '../../../src/mesh/peers/frames.ts'
import type { PacedLane, PeerSettings, WireConnection, WireStream } from '../../../src/mesh/peers/index.ts'
import type { BoxId, PeerProtocol } from '../../../src/mesh/ports.ts'
import { COMMUNITY, NOTES, boxOf, documentsOf, keyOf } from './boxes.ts'
import type { TestBox } from './boxes.ts'

const time = Object.assign(new SystemClock('always'), systemTimers)
const BULK: PeerProtocol = { name: '/test/bulk/1', maxFrameBytes: 65_536, maxQueuedBytes: 1_048_576, maxFramesPerSecond: 10_000, maxBytesPerSecond: 64 * 1024 * 1024, sides: ['mesh'] }
const ASK: PeerProtocol = { ...BULK, name: '/test/ask/1', maxFrameBytes: 4096 }

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((clean) => clean()))
})

interface RealBox extends TestBox {
  readonly wire: Libp2pWire
  readonly notes: PacedLane
  readonly bulk: PacedLane
  readonly ask: (to: BoxId, question: string) => Promise<string>
  readonly heard: string[]
  readonly bulkBytes: { count: number }
  readonly address: string
}

const wireOf = (seed: number): Libp2pWire => new Libp2pWire({ seed: keyOf(seed), listen: ['/ip4/127.0.0.1/tcp/0'], maxConnections: 64, onTrouble: () => undefined })

async function real(number: number, settings: Partial<PeerSettings> = {}): Promise<RealBox> {
  const wire = wireOf(100 + number)
  const box = boxOf({ number, wire, time, settings })
  const heard: string[] = []
  const bulkBytes = { count: 0 }
  const [notes, bulk] = [box.hub.open(NOTES), box.hub.open(BULK)]
  notes.onFrame((_from, frame) => heard.push(Buffer.from(frame).toString()))
  bulk.onFrame((_from, frame) => (bulkBytes.count += frame.length))
  const questions = box.hub.openQuestions(ASK, async (_from, question) => Buffer.from(`${Buffer.from(question).toString()}, says ${number}`))
  await box.hub.start()
  cleanUps.push(() => box.hub.stop())
  const ask = async (to: BoxId, question: string): Promise<string> => Buffer.from(await questions.ask(to, Buffer.from(question), 5000)).toString()
  return { ...box, wire, notes, bulk, ask, heard, bulkBytes, address: (box.hub.addresses()[0] ?? '').replace(/\/p2p\/.*/, '') }
}

async function until(isTrue: () => boolean, look: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  const end = performance.now() + 60_000
  for (await look(); !isTrue(); await look()) {
    if (performance.now() > end) throw new Error(`not in a minute: ${isTrue.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('two nodes', () => {
  it('talk, ask and answer, and say how they know each other', async () => {
    const [a, b] = [await real(1), await real(2)]
    await a.hub.dial(b.address)
    await until(() => a.notes.isOpen(b.hub.self) && b.notes.isOpen(a.hub.self) && a.bulk.isOpen(b.hub.self))
    for (let i = 0; i < 50; i++) a.notes.send(b.hub.self, Buffer.from(`note ${i}`))
    await until(() => b.heard.length === 50)
    expect(b.heard).toEqual(Array.from({ length: 50 }, (_, i) => `note ${i}`))
    await until(() => a.hub.peers()[0]?.protocols.length === 3 && b.hub.peers()[0]?.roundTripMs !== null)
    expect(await Promise.all([a.ask(b.hub.self, 'who'), b.ask(a.hub.self, 'who')])).toEqual(['who, says 2', 'who, says 1'])
    expect(a.hub.peers()).toMatchObject([{ box: b.hub.self, isConnected: true, address: b.address, side: 'mesh', name: 'box 2' }])
  })

  it('carry more than a window in order, and stand still while the reader rests', async () => {
    const [a, b] = [await real(1), await real(2)]
    await a.hub.dial(b.address)
    await until(() => a.bulk.isOpen(b.hub.self) && b.bulk.isOpen(a.hub.self))
    b.bulk.pause(a.hub.self)
    let sent = 0
    const fill = (): void => {
      while (a.bulk.send(b.hub.self, new Uint8Array(60_000).fill(sent))) sent += 1
    }
    fill()
    await until(() => {
      fill()
      return b.hub.sizes().heldBytes > 200_000
    })
    expect(b.bulkBytes.count).toBe(0)
    expect(a.hub.sizes().writtenBytes).toBeLessThanOrEqual(BULK.maxQueuedBytes)
    b.bulk.resume(a.hub.self)
    await until(() => b.bulkBytes.count === sent * 60_000)
    await until(() => a.hub.sizes().writtenBytes === 0 && b.hub.sizes().heldBytes === 0)
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
  })

  it('connect again after a cut, by themselves', async () => {
    const b = await real(2)
    const a = await real(1, { staticPeers: [b.address] })
    await until(() => a.notes.isOpen(b.hub.self))
    b.hub.disconnect(a.hub.self, 'the test cuts it')
    await until(() => !a.hub.isConnected(b.hub.self))
    await until(() => a.notes.isOpen(b.hub.self) && b.notes.isOpen(a.hub.self))
  })

  it('start when the port is free, and not before', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const wire = new Libp2pWire({ seed: keyOf(150), listen: [`/ip4/127.0.0.1/tcp/${port}`], maxConnections: 8, onTrouble: () => undefined })
    const { hub } = boxOf({ number: 50, wire, time })
    await expect(hub.start()).rejects.toThrow()
    expect(hub.addresses()).toEqual([])
    await new Promise((resolve) => holder.close(resolve))
    await hub.start()
    cleanUps.push(() => hub.stop())
    const b = await real(2)
    await b.hub.dial(`/ip4/127.0.0.1/tcp/${port}`)
    await until(() => hub.isConnected(b.hub.self))
    await expect(hub.start()).rejects.toThrow('not started before')
  })

  it('that dial each other at once end with one connection', async () => {
    const [a, b] = [await real(1), await real(2)]
    await Promise.allSettled([a.hub.dial(b.address), b.hub.dial(a.address)])
    await until(() => a.hub.sizes().links === 1 && b.hub.sizes().links === 1 && a.hub.isConnected(b.hub.self) && b.hub.isConnected(a.hub.self))
    await until(() => a.notes.isOpen(b.hub.self) && b.notes.isOpen(a.hub.self))
    expect(a.notes.send(b.hub.self, Buffer.from('one'))).toBe(true)
    await until(() => b.heard.length === 1)
  })
})

describe('five nodes', () => {
  it('all know each other, each asks each', async () => {
    const boxes: RealBox[] = []
    for (let number = 1; number <= 5; number++) boxes.push(await real(number))
    for (const [index, box] of boxes.entries()) for (const other of boxes.slice(index + 1)) await box.hub.dial(other.address)
    const pairs = boxes.flatMap((a) => boxes.filter((b) => b !== a).map((b) => [a, b] as const))
    await until(() => pairs.every(([a, b]) => a.notes.isOpen(b.hub.self) && a.hub.peers().find(({ box }) => box === b.hub.self)?.protocols.length === 3))
    const answers = await Promise.all(pairs.map(([a, b]) => a.ask(b.hub.self, 'hello')))
    expect(answers).toHaveLength(20)
    expect(boxes.map(({ hub }) => hub.sizes())).toMatchObject(boxes.map(() => ({ links: 4, seated: 4, streams: 16, writtenBytes: 0 })))
  })
})

describe('an adversary over the same network', () => {
  /** A node of its own that says on the control stream what the test wants. */
  async function liar(seed: number): Promise<{ wire: Libp2pWire; talk: (to: string, protocol: string, said: (connection: WireConnection) => Uint8Array) => Promise<{ stream: WireStream; isClosed: () => boolean }> }> {
    const wire = wireOf(seed)
    await wire.start({ mayConnect: () => false, onConnection: () => undefined, onConnectionClosed: () => undefined, onStream: () => null }, [CONTROL_PROTOCOL])
    cleanUps.push(() => wire.stop())
    return {
      wire,
      talk: async (to, protocol, said) => {
        const connection = await wire.dial(to)
        let isClosed = false
        const streams: WireStream[] = []
        await connection.openStream(protocol, (stream) => {
          streams.push(stream)
          return { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => (isClosed = true) }
        })
        const [stream] = streams
        if (stream === undefined) throw new Error('a stream')
        stream.write(said(connection))
        return { stream, isClosed: () => isClosed }
      },
    }
  }

  const facts = { instance: new Uint8Array(16), community: COMMUNITY, name: 'x', originator: null, protocols: [NOTES.name] }
  const control = (sealed: Uint8Array): Uint8Array => joinFrames([encodeControl({ kind: 'hello', sealed }), encodeControl({ kind: 'welcome' })], 4608)

  it('cannot use a binding that was made for another box, or for another peer id', async () => {
    const [a, c] = [await real(1), await real(3)]
    const evil = await liar(200)
    const victim = documentsOf(2)
    const replays = [
      sealHello(victim, evil.wire.peerId, c.wire.peerId, facts), // shown to c, said again to a
      sealHello(victim, wireOf(102).peerId, a.wire.peerId, facts), // of the victim's own peer id
    ]
    for (const sealed of replays) {
      const { isClosed } = await evil.talk(a.address, CONTROL_PROTOCOL, () => control(sealed))
      await until(isClosed)
    }
    expect(a.hub.peers()).toEqual([])
  })

  it('is let go for garbage and for frames that are too long, and its address with it', async () => {
    const a = await real(1)
    const evil = await liar(200)
    for (const bytes of ['00', 'ffffffff7f', '80ffff07', '0501020304ff', '02ff00']) {
      const { isClosed } = await evil.talk(a.address, CONTROL_PROTOCOL, () => fromHex(bytes))
      await until(isClosed)
    }
    await expect(evil.wire.dial(a.address)).rejects.toThrow()
    expect(a.hub.sizes()).toMatchObject({ links: 0, streams: 0, hosts: 1 })
  })

  it('finds no protocol before it was let in, and none that is not there', async () => {
    const a = await real(1)
    const evil = await liar(200)
    const { isClosed } = await evil.talk(a.address, NOTES.name, () => joinFrames([Uint8Array.of(1)], 10))
    await until(isClosed)
    await expect(evil.talk(a.address, '/not/there/1', () => Uint8Array.of(1))).rejects.toThrow()
    expect(a.heard).toEqual([])
  })

  it('that breaks the rules of a lane is let go and penalised by its key; its neighbours go on', async () => {
    const [a, b] = [await real(1), await real(2)]
    await b.hub.dial(a.address)
    const evil = await liar(200)
    const key = documentsOf(9)
    const connection = await evil.wire.dial(a.address)
    await connection.openStream(CONTROL_PROTOCOL, (stream) => {
      stream.write(control(sealHello(key, evil.wire.peerId, connection.peerId, facts)))
      return { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }
    })
    await until(() => a.hub.isConnected(key.self))
    let isClosed = false
    await connection.openStream(NOTES.name, (stream) => {
      stream.write(Uint8Array.of(0xff, 0xff, 0x7f)) // longer than notes are
      return { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => (isClosed = true) }
    })
    await until(() => isClosed)
    expect(a.hub.peers().find(({ box }) => box === key.self)).toMatchObject({ isConnected: false, penalty: 20 })
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
    await until(() => b.notes.isOpen(a.hub.self))
    b.notes.send(a.hub.self, Buffer.from('still here'))
    await until(() => a.heard.length === 1)
  })

  it('has one control stream and one of each lane, however many it opens, and is not remembered by its peer ids', async () => {
    const a = await real(1)
    let remembered = -1
    const ends = { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }
    for (let seed = 200; seed < 206; seed++) {
      const [evil, key] = [await liar(seed), documentsOf(seed)]
      const connection = await evil.wire.dial(a.address)
      let isGone = false
      await connection.openStream(CONTROL_PROTOCOL, (stream) => {
        stream.write(control(sealHello(key, evil.wire.peerId, connection.peerId, facts)))
        return { ...ends, onClosed: () => (isGone = true) }
      })
      await until(() => a.hub.isConnected(key.self))
      const more = await Promise.allSettled([...Array.from({ length: 20 }, () => connection.openStream(CONTROL_PROTOCOL, () => ends)), ...Array.from({ length: 20 }, () => connection.openStream(NOTES.name, () => ends))])
      expect(more.length).toBe(40)
      expect(a.hub.sizes().streams).toBeLessThanOrEqual(2)
      connection.close('enough')
      await until(() => isGone && a.hub.sizes().links === 0)
    }
    expect(a.hub.sizes()).toMatchObject({ links: 0, streams: 0, seated: 0, heldBytes: 0, writtenBytes: 0 })
    await until(() => remembered === 0, async () => (remembered = await a.wire.rememberedPeers()))
  })

  it('with many connections that say nothing gets few, and others get in', async () => {
    const [a, b] = [await real(1), await real(2)]
    const port = Number(/tcp\/(\d+)/.exec(a.address)?.[1])
    let open = 0
    const sockets = await Promise.all(
      Array.from({ length: 60 }, () => new Promise<Socket>((resolve) => {
        const socket = createConnection({ host: '127.0.0.1', port, localAddress: '127.0.0.2' }, () => {
          open += 1
          resolve(socket)
        }).on('error', () => resolve(socket)).on('close', () => (open -= 1))
      })),
    )
    cleanUps.push(() => Promise.all(sockets.map((socket) => socket.destroy())))
    await until(() => open <= 4)
    await b.hub.dial(a.address)
    expect(b.hub.isConnected(a.hub.self)).toBe(true)
    expect(a.hub.sizes().links).toBe(1)
  })
})
