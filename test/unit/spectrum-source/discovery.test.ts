/** Discovery: packets and table by themselves, bonding and finding over UDP on loopback, and senders that do not keep to it. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { MeshBoxError, decodeRlp, silentLog, toHex } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { Discovery } from '../../../src/spectrum/source/discovery/discovery.ts'
import { MAX_PACKET_BYTES, decodePacket, encodePacket } from '../../../src/spectrum/source/discovery/packet.ts'
import type { Packet } from '../../../src/spectrum/source/discovery/packet.ts'
import { NodeTable, distanceOf, isPlausible } from '../../../src/spectrum/source/discovery/table.ts'
import type { Enode } from '../../../src/spectrum/source/enode.ts'
import { UdpDoor } from '../../../src/spectrum/source/io/udp-door.ts'
import { nodeIdOf } from '../../../src/spectrum/source/rlpx/handshake.ts'
import { randomStream } from '../native/random-stream.ts'
import { native, noble } from '../spectrum/curves.ts'
import { dice, eventually, freshKey, realClock, stopTowns, town } from './towns.ts'

const { bytes: noise } = randomStream('discovery')
const open: Discovery[] = []
const doors: UdpDoor[] = []
afterEach(async () => {
  await Promise.all([...open.splice(0).map((one) => one.stop()), ...doors.splice(0).map((one) => one.close())])
  await stopTowns()
})

const endpoint = { address: '203.0.113.7', udpPort: 60303, tcpPort: 60304 }
const inTheFuture = (): number => Math.floor(Date.now() / 1000) + 60
const node = (last: number, address = `203.0.${last}.1`): Enode => ({ nodeId: nodeIdOf(native, freshKey()), address, udpPort: 1000 + last, tcpPort: 2000 + last })
const PACKETS: readonly Packet[] = [
  { kind: 'ping', version: 4, from: { address: '', udpPort: 1, tcpPort: 0 }, to: endpoint, expirationSeconds: 1_700_000_000 },
  { kind: 'pong', to: { ...endpoint, address: '2001:db8:0:0:0:0:0:1' }, pingHash: noise(32), expirationSeconds: 1_700_000_000 },
  { kind: 'findnode', target: noise(64), expirationSeconds: 1_700_000_000 },
  { kind: 'neighbours', nodes: [1, 2, 3].map((last) => node(last)), expirationSeconds: 1_700_000_000 },
]

describe('packets', () => {
  it.each(PACKETS.map((packet) => [packet.kind, packet] as const))('%s comes out as it went in, with its signer, on both backends', (_, packet) => {
    const key = freshKey()
    const { bytes, hash } = encodePacket(native, key, packet)
    expect(bytes.length).toBeLessThanOrEqual(MAX_PACKET_BYTES)
    for (const curve of [native, noble]) expect(decodePacket(curve, bytes)).toEqual({ packet, nodeId: nodeIdOf(native, key), hash })
  })

  it('has its types moved to 10 to 13, and the layout of discovery v4', () => {
    expect(PACKETS.map((packet) => encodePacket(native, freshKey(), packet).bytes[97])).toEqual([10, 11, 12, 13])
    const { bytes } = encodePacket(native, freshKey(), PACKETS[0] as Packet)
    expect(toHex(native.keccak256(bytes.slice(32)))).toBe(toHex(bytes.slice(0, 32)))
    const empty = new Uint8Array(0)
    expect(decodeRlp(bytes.slice(98), { maxBytes: 1280, maxItems: 99, maxDepth: 3 })).toEqual([Uint8Array.of(4), [empty, Uint8Array.of(1), empty], [Uint8Array.of(203, 0, 113, 7), Uint8Array.of(0xeb, 0x8f), Uint8Array.of(0xeb, 0x90)], Uint8Array.of(0x65, 0x53, 0xf1, 0x00)])
  })

  it('a full set of neighbours with IPv6 fits', () => {
    const nodes = Array.from({ length: 12 }, (_, last) => node(last, `2001:db8:1:2:3:4:5:${(0xff00 + last).toString(16)}`))
    const { bytes } = encodePacket(native, freshKey(), { kind: 'neighbours', nodes, expirationSeconds: inTheFuture() })
    expect(bytes.length).toBeLessThanOrEqual(MAX_PACKET_BYTES)
    expect(decodePacket(native, bytes).packet).toMatchObject({ nodes })
  })

  it('passes over items and bytes of later versions', () => {
    // Ping with one more item and bytes behind the list, signed by hand.
    const key = freshKey()
    const typed = Uint8Array.from([10, 0xd0, 4, 0xc3, 0x80, 1, 2, 0xc3, 0x80, 3, 4, 0x84, 0x7f, 0, 0, 0, 0x2a, 0x07, 9, 9, 9])
    const signature = native.sign(native.keccak256(typed), key)
    signature[64] = (signature[64] ?? 0) - 27
    const signed = Uint8Array.from([...signature, ...typed])
    const received = decodePacket(native, Uint8Array.from([...native.keccak256(signed), ...signed]))
    expect(received.packet).toEqual({ kind: 'ping', version: 4, from: { address: '', udpPort: 1, tcpPort: 2 }, to: { address: '', udpPort: 3, tcpPort: 4 }, expirationSeconds: 0x7f000000 })
    expect(received.nodeId).toEqual(nodeIdOf(native, key))
  })

  it('are refused by name, and by nothing else, however they are spoilt', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PACKETS), fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }), fc.boolean(), fc.uint8Array({ maxLength: 300 }), (packet, changes, isSigned, other) => {
        const key = new Uint8Array(32).fill(9)
        const bytes = encodePacket(native, key, packet).bytes.slice()
        for (const [at, change] of changes) if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ change
        // With hash and signature made anew, what is inside is reached.
        if (isSigned) {
          const typed = bytes.slice(97)
          bytes.set(native.sign(native.keccak256(typed), key), 32)
          bytes[96] = (bytes[96] ?? 0) - 27
          bytes.set(native.keccak256(bytes.slice(32)), 0)
        }
        for (const candidate of [bytes, other])
          try {
            decodePacket(native, candidate)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(MeshBoxError)
          }
      }),
      { seed: 7, numRuns: 1500 },
    )
  })
})

describe('the table', () => {
  it('gives the nearest first', () => {
    const table = new NodeTable(native, noise(64))
    for (let i = 0; i < 60; i++) table.add(node(i))
    const target = noise(64)
    const distances = table.closest(target, 10).map((one) => distanceOf(native.keccak256(target), one.idHash))
    expect(distances).toEqual([...distances].sort((a, b) => a - b))
    const nearest = Math.min(...table.nodes().map((one) => distanceOf(native.keccak256(target), one.idHash)))
    expect(distances[0]).toBe(nearest)
  })

  it('counts the distance in bits', () => {
    const zero = new Uint8Array(32)
    const bit = (at: number): Uint8Array => Uint8Array.from(zero, (_, index) => (index === 31 - (at >> 3) ? 1 << (at & 7) : 0))
    expect(distanceOf(zero, zero)).toBe(0)
    for (const at of [0, 1, 7, 8, 100, 255]) expect(distanceOf(zero, bit(at))).toBe(at + 1)
  })

  it('is bounded by distance, by network and in all', () => {
    const table = new NodeTable(native, noise(64))
    for (let i = 0; i < 30; i++) table.add(node(1, '198.51.100.9'))
    expect(table.size).toBe(8)
    for (let i = 0; i < 600; i++) table.add(node(i % 200, `10.0.${i % 200}.1`))
    expect(table.size).toBeLessThanOrEqual(256)
  })

  it('forgets who does not answer, and renews who does', () => {
    const table = new NodeTable(native, noise(64))
    const one = node(1)
    expect(table.add(one)).toBe(true)
    table.failed(one.nodeId)
    table.failed(one.nodeId)
    expect(table.add({ ...one, address: '203.0.9.9' })).toBe(false)
    table.failed(one.nodeId)
    expect(table.nodes().map((known) => known.address)).toEqual(['203.0.9.9'])
    table.failed(one.nodeId)
    table.failed(one.nodeId)
    expect(table.size).toBe(0)
  })

  it.each([
    ['10.0.0.1', '203.0.113.1', false],
    ['127.0.0.1', '203.0.113.1', false],
    ['10.0.0.1', '192.168.1.1', true],
    ['203.0.113.5', '203.0.113.1', true],
    ['224.0.0.1', '203.0.113.1', false],
    ['0.0.0.0', '127.0.0.1', false],
    ['', '127.0.0.1', false],
    ['ff02:0:0:0:0:0:0:1', 'fe80:0:0:0:0:0:0:1', false],
    ['fe80:0:0:0:0:0:0:1', '2001:db8:0:0:0:0:0:1', false],
  ])('%s, told of by %s, is plausible: %s', (address, teller, isSo) => {
    expect(isPlausible(address, teller)).toBe(isSo)
  })
})

interface Place {
  readonly discovery: Discovery
  readonly found: Enode[]
  readonly enode: Enode
}

async function place(bootnodes: readonly Enode[] = [], nodeKey = freshKey(), tcpPort = 4000): Promise<Place> {
  const found: Enode[] = []
  const discovery = new Discovery(
    { door: new UdpDoor(), curve: native, clock: realClock, timers: systemTimers, randomness: dice, log: silentLog, onNode: (enode) => found.push(enode) },
    { nodeKey, listen: { address: '127.0.0.1', port: 0 }, tcpPort, bootnodes },
  )
  open.push(discovery)
  await discovery.start()
  return { discovery, found, enode: { nodeId: nodeIdOf(native, nodeKey), address: '127.0.0.1', udpPort: discovery.port, tcpPort } }
}

/** A sender whose packets a test makes by hand. */
async function sender(): Promise<{ key: Uint8Array; heard: Packet[]; send(packet: Packet | Uint8Array, to: Place): Uint8Array; pongTo(to: Place): void }> {
  const key = freshKey()
  const door = new UdpDoor()
  doors.push(door)
  const heard: Packet[] = []
  const hashes: Uint8Array[] = []
  await door.bind('127.0.0.1', 0, (bytes) => {
    const received = decodePacket(native, bytes)
    heard.push(received.packet)
    if (received.packet.kind === 'ping') hashes.push(received.hash)
  })
  const send = (packet: Packet | Uint8Array, to: Place): Uint8Array => {
    const { bytes, hash } = packet instanceof Uint8Array ? { bytes: packet, hash: packet } : encodePacket(native, key, packet)
    door.send(bytes, '127.0.0.1', to.discovery.port)
    return hash
  }
  return { key, heard, send, pongTo: (to) => void send({ kind: 'pong', to: endpoint, pingHash: hashes.at(-1) ?? noise(32), expirationSeconds: inTheFuture() }, to) }
}

describe('nodes', () => {
  it('bond with each other', async () => {
    const first = await place()
    const second = await place([first.enode])
    await eventually(() => first.found.length > 0 && second.found.length > 0)
    expect(second.found).toEqual([first.enode])
    expect(first.found).toEqual([second.enode])
    expect(first.discovery.table.size).toBe(1)
  })

  it('find each other through a third', async () => {
    const boot = await place()
    const first = await place([boot.enode])
    const second = await place([boot.enode])
    await eventually(() => boot.found.length === 2 && first.discovery.table.size > 0)
    first.discovery.lookUp(second.enode.nodeId)
    await eventually(() => first.found.some((one) => toHex(one.nodeId) === toHex(second.enode.nodeId)))
    expect(first.found.find((one) => toHex(one.nodeId) === toHex(second.enode.nodeId))).toEqual(second.enode)
  })

  it('lead an eth/63 node to its peers', async () => {
    const nodeKey = freshKey()
    const called = await town({ nodeKey })
    const there = await place([], nodeKey, called.node.listenPort)
    const caller = await town()
    const here = await place([there.enode])
    await eventually(() => here.found.length > 0)
    for (const enode of here.found) caller.node.found(enode)
    await caller.ears.until(() => caller.ears.sources.length > 0)
    expect(called.node.peerCount).toBe(1)
  })
})

describe('a sender', () => {
  const ping = (expirationSeconds = inTheFuture()): Packet => ({ kind: 'ping', version: 4, from: { address: '127.0.0.1', udpPort: 1, tcpPort: 77 }, to: endpoint, expirationSeconds })
  const findnode = (): Packet => ({ kind: 'findnode', target: noise(64), expirationSeconds: inTheFuture() })

  it('gets a pong with the name of its ping, and a ping to prove where it is', async () => {
    const here = await place()
    const there = await sender()
    const hash = there.send(ping(), here)
    await eventually(() => there.heard.length === 2)
    expect(there.heard.map((packet) => packet.kind)).toEqual(['pong', 'ping'])
    expect(there.heard[0]).toMatchObject({ pingHash: hash })
    expect(here.discovery.table.size).toBe(0)
    there.pongTo(here)
    await eventually(() => here.found.length === 1)
    expect(here.found[0]).toMatchObject({ tcpPort: 77, nodeId: nodeIdOf(native, there.key) })
  })

  it('is told nothing before it has proved where it is', async () => {
    const here = await place()
    const there = await sender()
    there.send(findnode(), here)
    there.send(ping(), here)
    await eventually(() => there.heard.length === 2)
    expect(there.heard.some((packet) => packet.kind === 'neighbours')).toBe(false)
    there.pongTo(here)
    await eventually(() => here.found.length === 1)
    there.send(findnode(), here)
    await eventually(() => there.heard.some((packet) => packet.kind === 'neighbours'))
  })

  it('that is late, forged, noisy or unasked changes nothing', async () => {
    const here = await place()
    const there = await sender()
    there.send(ping(1_600_000_000), here)
    there.send({ kind: 'pong', to: endpoint, pingHash: noise(32), expirationSeconds: inTheFuture() }, here)
    there.send({ kind: 'neighbours', nodes: [node(1), node(2)], expirationSeconds: inTheFuture() }, here)
    there.send(noise(500), here)
    there.send(noise(1400), here)
    // Its next ping is answered, and nothing was before it.
    const hash = there.send(ping(), here)
    await eventually(() => there.heard.length > 0)
    expect(there.heard[0]).toMatchObject({ kind: 'pong', pingHash: hash })
    expect(here.discovery.table.size).toBe(0)
    expect(here.discovery.kept).toEqual({ pings: 1, asked: 0, bonds: 0 })
  })

  it('that floods is heard only so often, and what is kept stays bounded', async () => {
    const here = await place()
    const there = await sender()
    for (let i = 0; i < 400; i++) {
      const key = freshKey()
      const { bytes } = encodePacket(native, key, ping())
      there.send(bytes, here)
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => there.heard.length > 0)
    const other = await place([here.enode])
    // From the same address: unheard while the flood lasts.
    expect(here.discovery.kept.pings).toBeLessThanOrEqual(64)
    expect(other.found).toEqual([])
  })
})
