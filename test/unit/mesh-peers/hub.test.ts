/** Who is let in, who goes, who is banned: whole nodes over a network in memory, with a clock that the test moves. */
import { beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { FRAME_TIMEOUT_MS } from '../../../src/mesh/peers/channel.ts'
import { HELLO_TIMEOUT_MS, SILENCE_MS } from '../../../src/mesh/peers/link.ts'
import { joinFrames } from '../../../src/mesh/peers/frames.ts'
import { encodeControl, sealHello } from '../../../src/mesh/peers/hello.ts'
import { KEEP_AFTER_MS, MAX_STRANGERS, MAX_STRANGERS_OF_HOST, PROBE_MS, TWIN_REST_MS } from '../../../src/mesh/peers/node.ts'
import { SECOND_DIALS_AFTER_MS } from '../../../src/mesh/peers/dial-plan.ts'
import { BAN_POINTS, FIRST_BAN_MS, FOR_GOOD_MS } from '../../../src/mesh/peers/penalties.ts'
import { FakeTime } from '../../support/fakes.ts'
import { COMMUNITY, MemoryShelf, NOTES, boxOf } from './boxes.ts'
import type { BoxOptions, TestBox } from './boxes.ts'
import { MemoryNet, MemoryWire } from './memory-wire.ts'
import type { PacedLane } from '../../../src/mesh/peers/index.ts'
import type { Beacon, BoxId } from '../../../src/mesh/ports.ts'

let time: FakeTime
let net: MemoryNet
beforeEach(() => {
  time = new FakeTime()
  net = new MemoryNet()
})

interface Town extends TestBox {
  readonly wire: MemoryWire
  readonly lane: PacedLane
  readonly heard: { from: BoxId; text: string }[]
  readonly opened: BoxId[]
  readonly closed: BoxId[]
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function pass(ms: number, stepMs = 250): Promise<void> {
  for (let at = 0; at < ms; at += stepMs) {
    time.advance(stepMs)
    await turns()
  }
}

async function town(number: number, options: Partial<BoxOptions> & { readonly host?: string; readonly peerId?: number } = {}): Promise<Town> {
  const wire = net.wire(options.host ?? `fd00::${number.toString(16)}`, options.peerId ?? number)
  const box = boxOf({ number, wire, time, ...options })
  const lane = box.hub.open(NOTES)
  const made: Town = { ...box, wire, lane, heard: [], opened: [], closed: [] }
  lane.onFrame((from, frame) => made.heard.push({ from, text: Buffer.from(frame).toString() }))
  lane.onOpen((peer) => made.opened.push(peer))
  lane.onClose((peer) => made.closed.push(peer))
  await box.hub.start()
  return made
}

async function joined(a: Town, b: Town): Promise<void> {
  const dial = a.hub.dial(b.wire.address)
  await turns()
  await dial
  await turns()
}

const statusOf = (of: Town, box: BoxId) => of.hub.peers().find((peer) => peer.box === box)

describe('two boxes', () => {
  it('know each other, talk both ways, and know how long a round trip takes', async () => {
    const [a, b] = [await town(1), await town(2)]
    await joined(a, b)
    expect([a.opened, b.opened]).toEqual([[b.hub.self], [a.hub.self]])
    expect(a.lane.send(b.hub.self, Buffer.from('from a'))).toBe(true)
    expect(b.lane.send(a.hub.self, Buffer.from('from b'))).toBe(true)
    await turns()
    expect(b.heard).toEqual([{ from: a.hub.self, text: 'from a' }])
    expect(a.heard).toEqual([{ from: b.hub.self, text: 'from b' }])
    expect(statusOf(a, b.hub.self)).toMatchObject({ name: 'box 2', side: 'mesh', isConnected: true, address: b.wire.address, penalty: 0, bannedUntilMs: null, protocols: [NOTES.name], roundTripMs: expect.any(Number) as number })
    expect(a.hub.sizes().streams).toBe(2)
  })

  it('that both dial keep one connection, the same one', async () => {
    const [a, b] = [await town(1), await town(2)]
    const dials = [a.hub.dial(b.wire.address), b.hub.dial(a.wire.address)].map((dial) => dial.catch((thrown: unknown) => thrown))
    await turns()
    await pass(1000)
    await Promise.all(dials)
    expect([a.wire.connections.size, b.wire.connections.size]).toEqual([1, 1])
    expect([a.hub.isConnected(b.hub.self), b.hub.isConnected(a.hub.self)]).toEqual([true, true])
    expect(a.lane.send(b.hub.self, Buffer.from('still'))).toBe(true)
    await turns()
    expect(b.heard).toHaveLength(1)
  })

  it('are told of by every listener, and a listener that throws stops neither the box nor the others', async () => {
    const [a, b] = [await town(1), await town(2)]
    let throws = 1
    const told: string[] = []
    b.lane.onOpen(() => {
      if (throws-- > 0) throw new Error('our own fault')
    })
    b.lane.onClose(() => {
      throw new Error('our own fault')
    })
    b.lane.onOpen(() => told.push('open'))
    b.lane.onClose(() => told.push('close'))
    await a.hub.dial(b.wire.address).catch(() => undefined)
    await pass(500)
    expect(told).toEqual(['open', 'close'])
    await joined(a, b)
    expect(told).toEqual(['open', 'close', 'open'])
    expect(statusOf(b, a.hub.self)).toMatchObject({ isConnected: true, penalty: 0 })
  })

  it.each([{ name: 'x'.repeat(65) }, { name: 'a\nb' }, { community: new Uint8Array(7) }, { maxPeers: 0 }, { maxInternetPeers: -1 }, { staticPeers: ['/ip6/fe80::1/tcp/1'] }, { meshPrefixes: ['fd00::'] }])('are not made with %j', async (settings) => {
    await expect(town(1, { settings })).rejects.toThrow(MeshBoxError)
  })

  it('of different communities do not let each other in', async () => {
    const [a, b] = [await town(1), await town(2, { settings: { community: new Uint8Array(8) } })]
    const dial = a.hub.dial(b.wire.address)
    const refused = expect(dial).rejects.toThrow(MeshBoxError)
    await pass(1000)
    await refused
    expect([a.opened, b.opened]).toEqual([[], []])
    expect(a.wire.connections.size).toBe(0)
  })

  it('a box that dials itself finds out, without an alarm', async () => {
    const a = await town(1)
    const dial = expect(a.hub.dial(a.wire.address)).rejects.toThrow('ourselves')
    await turns()
    await dial
    expect(a.alarms).toEqual([])
  })

  it('find each other again after a cut, and one that vanished is let go', async () => {
    const [a, b] = [await town(1, { settings: { staticPeers: ['/ip6/fd00::2/tcp/40003'] } }), await town(2)]
    await pass(1000)
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
    b.hub.disconnect(a.hub.self, 'the test cuts it')
    await turns()
    expect([a.closed, b.closed]).toEqual([[b.hub.self], [a.hub.self]])
    await pass(3000)
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
    b.wire.vanish()
    await pass(SILENCE_MS + 20_000, 1000)
    expect(a.hub.isConnected(b.hub.self)).toBe(false)
    expect(a.closed).toHaveLength(2)
  })

  it('are connected once where the owner named one by its name', async () => {
    net.names.set('/dns4/roof.example/tcp/40003', '/ip6/fd00::2/tcp/40003')
    const [a, b] = [await town(1, { settings: { staticPeers: ['/dns4/roof.example/tcp/40003'] } }), await town(2)]
    await pass(600_000, 2500)
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
    expect([a.wire.dials, a.opened.length]).toEqual([1, 1])
  })

  it('dial ever more seldom where nobody answers', async () => {
    const a = await town(1, { settings: { staticPeers: ['/ip6/fd00::99/tcp/40003'] } })
    await pass(60_000, 500)
    expect(a.wire.dials).toBeGreaterThan(4)
    expect(a.wire.dials).toBeLessThan(14)
    const before = a.wire.dials
    await pass(600_000, 1000)
    expect(a.wire.dials - before).toBeLessThan(9)
    expect(a.hub.sizes().links).toBe(0)
  })

  it('write down an address that held for a minute, and dial it after a restart; none that came and went', async () => {
    const shelf = new MemoryShelf()
    const [a, b, c] = [await town(1, { shelf }), await town(2), await town(3)]
    await joined(a, c)
    a.hub.disconnect(c.hub.self, 'the test cuts it')
    await joined(a, b)
    await pass(KEEP_AFTER_MS + 1000, 5000)
    expect([...shelf.rows.keys()]).toEqual([b.hub.self])
    await a.hub.stop()
    const again = await town(1, { shelf, run: 1 })
    await pass(2000)
    expect([again.hub.isConnected(b.hub.self), again.hub.isConnected(c.hub.self)]).toEqual([true, false])
  })

  it('of which one is not a member do not let each other in', async () => {
    const [a, b] = [await town(1), await town(2, { refuses: () => 'it was expelled' })]
    const refused = expect(a.hub.dial(b.wire.address)).rejects.toThrow('refused')
    await pass(500)
    await refused
    expect(b.opened).toEqual([])
  })

  it('that hear a beacon: the lower peer id dials, the other one when that fails', async () => {
    const [a, b] = [await town(1), await town(2)]
    const beaconOf = (of: Town, ip6: string): Beacon => ({ box: of.hub.self, peerId: of.wire.peerId, ip6, port: 40_003, community: COMMUNITY, originator: '02:00:00:00:00:09' })
    const say = (): void => {
      a.hub.heard(beaconOf(b, 'fd00::2'))
      b.hub.heard(beaconOf(a, 'fd00::1'))
    }
    say()
    await pass(1000)
    expect([a.wire.dials, b.wire.dials]).toEqual([1, 0])
    expect(statusOf(a, b.hub.self)).toMatchObject({ isConnected: true, originator: '02:00:00:00:00:09' })
    // Only b hears: it dials though it is the second.
    a.hub.disconnect(b.hub.self, 'the test cuts it')
    const c = await town(3)
    c.hub.heard(beaconOf(a, 'fd00::1'))
    await pass(SECOND_DIALS_AFTER_MS + 1000)
    expect([c.wire.dials, c.hub.isConnected(a.hub.self)]).toEqual([1, true])
    // Of another community, outside the mesh's prefix, of this box itself: not dialled.
    const before = a.hub.sizes().addresses
    a.hub.heard({ ...beaconOf(c, 'fd00::3'), community: new Uint8Array(8) })
    a.hub.heard(beaconOf(c, 'fdff:0:0:0:0:0:0:1'))
    a.hub.heard(beaconOf(a, 'fd00::7'))
    expect(a.hub.sizes().addresses).toBe(before)
  })
})

describe('sides', () => {
  it('who comes from outside is let in only where that is wanted, and named boxes always', async () => {
    const closed = await town(1)
    const named = await town(2, { settings: { staticPeers: ['/ip6/2001:db8::7/tcp/40003'] } })
    const open = await town(3, { settings: { acceptsInternet: true } })
    const far = await town(7, { host: '2001:db8::7' })
    for (const [there, isLetIn] of [[closed, false], [named, true], [open, true]] as const) {
      const dial = far.hub.dial(there.wire.address).then(() => true, () => false)
      await turns()
      expect(await dial).toBe(isLetIn)
    }
    expect(statusOf(open, far.hub.self)?.side).toBe('internet')
    expect(statusOf(far, open.hub.self)?.side).toBe('mesh')
  })

  it('a neighbour that is connected over the Internet is dialled on the mesh when its beacon is heard, and stays there', async () => {
    const a = await town(1, { settings: { staticPeers: ['/ip6/2001:db8::2/tcp/40003'] } })
    const b = await town(2, { host: '2001:db8::2' })
    net.wires.set('/ip6/fd00:0:0:0:0:0:0:2/tcp/40003', b.wire)
    await pass(5000)
    expect(statusOf(a, b.hub.self)).toMatchObject({ isConnected: true, side: 'internet' })
    const beacon: Beacon = { box: b.hub.self, peerId: b.wire.peerId, ip6: 'fd00:0:0:0:0:0:0:2', port: 40_003, community: COMMUNITY, originator: null }
    for (let second = 0; second < 20; second++) {
      a.hub.heard(beacon)
      await pass(1000)
    }
    expect(statusOf(a, b.hub.self)).toMatchObject({ isConnected: true, side: 'mesh' })
    expect([a.wire.dials, a.opened.length, a.closed.length]).toEqual([2, 2, 1])
    expect(a.hub.sizes().links).toBe(1)
  })

  it('a protocol that is shut to a side has no lane there', async () => {
    const meshOnly = { ...NOTES, name: '/test/mesh-only/1', sides: ['mesh'] as const }
    const made = [1, 7].map((number) => {
      const wire = net.wire(number === 7 ? '2001:db8::7' : 'fd00::1', number)
      const box = boxOf({ number, wire, time, settings: { acceptsInternet: true } })
      return { ...box, wire, lane: box.hub.open(meshOnly), notes: box.hub.open(NOTES) }
    })
    const [near, far] = made
    if (near === undefined || far === undefined) throw new Error('two boxes')
    await Promise.all(made.map(({ hub }) => hub.start()))
    const dial = far.hub.dial(near.wire.address)
    await turns()
    await dial
    await turns()
    expect(near.notes.isOpen(far.hub.self)).toBe(true)
    expect([near.lane.isOpen(far.hub.self), far.lane.isOpen(near.hub.self)]).toEqual([false, false])
    expect(near.lane.send(far.hub.self, Uint8Array.of(1))).toBe(false)
  })
})

describe('penalties', () => {
  it('of a hundred points are a ban that outlives a restart, and ends', async () => {
    const shelf = new MemoryShelf()
    const [a, b] = [await town(1, { shelf }), await town(2)]
    await joined(b, a)
    a.lane.penalise(b.hub.self, BAN_POINTS - 1, 'almost')
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
    a.lane.penalise(b.hub.self, 1, 'enough')
    await pass(500)
    expect(b.closed).toEqual([a.hub.self])
    expect(shelf.rows.get(b.hub.self)?.ban?.reason).toBe(`${NOTES.name}: enough`)
    await a.hub.stop()

    const again = await town(1, { shelf, run: 1 })
    expect(statusOf(again, b.hub.self)?.bannedUntilMs).toBeGreaterThan(time.boottimeMs())
    const refused = expect(b.hub.dial(again.wire.address)).rejects.toThrow('banned')
    await pass(500)
    await refused
    await pass(FIRST_BAN_MS, 30_000)
    await joined(b, again)
    expect(again.hub.isConnected(b.hub.self)).toBe(true)
  })

  it('a power cut does not shorten a ban', async () => {
    const shelf = new MemoryShelf()
    const a = await town(1, { shelf })
    const b = await town(2)
    await joined(b, a)
    a.lane.penalise(b.hub.self, 100, 'enough')
    await pass(FIRST_BAN_MS - 1000, 30_000)
    time.reboot('22222222-2222-4333-8444-555555555555')
    const again = await town(1, { shelf, run: 1 })
    expect(statusOf(again, b.hub.self)?.bannedUntilMs).toBe(time.boottimeMs() + FIRST_BAN_MS)
  })

  it('the owner bans for good, and pardons', async () => {
    const shelf = new MemoryShelf()
    const [a, b] = [await town(1, { shelf }), await town(2)]
    await joined(b, a)
    await a.hub.ban(b.hub.self, 'the owner says so')
    await pass(500)
    expect(a.hub.isConnected(b.hub.self)).toBe(false)
    expect(statusOf(a, b.hub.self)?.bannedUntilMs).toBe(FOR_GOOD_MS)
    const refused = expect(b.hub.dial(a.wire.address)).rejects.toThrow('banned')
    await pass(500)
    await refused
    await a.hub.pardon(b.hub.self)
    expect(shelf.rows.get(b.hub.self)?.ban).toBeNull()
    await joined(b, a)
    expect(a.hub.isConnected(b.hub.self)).toBe(true)
  })

  it('a ban that cannot be written is in force all the same, and told', async () => {
    const shelf = new MemoryShelf()
    const [a, b] = [await town(1, { shelf }), await town(2)]
    await joined(b, a)
    shelf.refuses = true
    a.lane.penalise(b.hub.self, 100, 'enough')
    await pass(500)
    expect(a.hub.isConnected(b.hub.self)).toBe(false)
    expect(a.alarms).toEqual([{ kind: 'not-written', reason: 'the disk is full' }])
    await expect(a.hub.ban(b.hub.self, 'the owner too')).rejects.toThrow('the disk is full')
  })

  it('a flood ends in a ban; other boxes do not notice', async () => {
    const [a, b, c] = [await town(1), await town(2), await town(3)]
    await joined(b, a)
    await joined(c, a)
    const raw = [...b.wire.connections][0]?.streams[1]
    const flood = Buffer.concat(Array.from({ length: 3000 }, () => Buffer.from([2, 1, 1])))
    for (let second = 0; second < 80 && a.hub.isConnected(b.hub.self); second++) {
      raw?.other?.receive(flood)
      c.lane.send(a.hub.self, Buffer.from('c'))
      await pass(1000)
    }
    expect(statusOf(a, b.hub.self)?.bannedUntilMs).toBeGreaterThan(time.boottimeMs())
    expect(a.hub.isConnected(c.hub.self)).toBe(true)
    expect(a.heard.filter(({ from }) => from === c.hub.self).length).toBeGreaterThan(10)
    expect(a.hub.sizes().heldBytes).toBe(0)
  })
})

describe('strangers', () => {
  it('that say nothing are let go, and one address has few of them', async () => {
    const a = await town(1)
    const silent = net.wire('fd00::66', 66)
    await silent.start({ mayConnect: () => true, onConnection: () => undefined, onConnectionClosed: () => undefined, onStream: () => null }, [])
    const dials = await Promise.allSettled(Array.from({ length: 10 }, () => silent.dial(a.wire.address)))
    expect(dials.filter(({ status }) => status === 'fulfilled')).toHaveLength(MAX_STRANGERS_OF_HOST)
    expect(a.hub.sizes().links).toBe(MAX_STRANGERS_OF_HOST)
    await pass(HELLO_TIMEOUT_MS)
    expect(a.hub.sizes()).toMatchObject({ links: 0, hosts: 1 })
  })

  it('and known ones of one address have no more connections than it may have, where that is said', async () => {
    const a = await town(1, { settings: { maxPeersOfHost: 2 } })
    const [b, c, d, e] = [await town(2, { host: 'fd00::77' }), await town(3, { host: 'fd00::77' }), await town(4, { host: 'fd00::77' }), await town(5)]
    await joined(b, a)
    await joined(c, a)
    await expect(d.hub.dial(a.wire.address)).rejects.toMatchObject({ code: 'peer-not-reached' })
    await joined(e, a)
    expect(a.opened).toEqual([b.hub.self, c.hub.self, e.hub.self])
    // What this box dials is its own choice.
    await joined(a, d)
    expect(a.hub.isConnected(d.hub.self)).toBe(true)
    b.wire.connections.forEach((connection) => connection.close('it goes'))
    await turns()
    expect(a.hub.isConnected(b.hub.self)).toBe(false)
  })

  it('that talk garbage are shut out by their address', async () => {
    const a = await town(1)
    const liar = net.wire('fd00::66', 66)
    await liar.start({ mayConnect: () => true, onConnection: () => undefined, onConnectionClosed: () => undefined, onStream: () => null }, [])
    let accepted = 0
    for (let round = 0; round < 10; round++) {
      const connection = await liar.dial(a.wire.address).catch(() => null)
      if (connection === null) continue
      accepted += 1
      await connection.openStream('/meshbox/peer/1', (stream) => {
        queueMicrotask(() => stream.write(Uint8Array.of(3, 1, 0xc0, 0x80)))
        return { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }
      })
      await turns()
    }
    expect(accepted).toBe(5) // twenty points each
    expect(a.hub.sizes().links).toBe(0)
  })

  it('are few also when each comes from elsewhere', async () => {
    const a = await town(1)
    const owner = { mayConnect: () => true, onConnection: () => undefined, onConnectionClosed: () => undefined, onStream: () => null }
    for (let host = 0; host < 2 * MAX_STRANGERS; host++) {
      const silent = net.wire(`fd00::5:${host.toString(16)}`, 1000 + host)
      await silent.start(owner, [])
      await silent.dial(a.wire.address).catch(() => undefined)
    }
    expect(a.hub.sizes().links).toBe(MAX_STRANGERS)
  })

  it('who is dialled opens no streams: who dials does', async () => {
    const wire = net.wire('fd00::1', 1)
    const box = boxOf({ number: 1, wire, time })
    box.hub.open(NOTES)
    box.hub.open({ ...NOTES, name: '/test/more/1' })
    await box.hub.start()
    const b = await town(2)
    const dial = box.hub.dial(b.wire.address)
    await turns()
    await dial
    const [theirs] = [...b.wire.connections]
    await expect(theirs?.openStream('/test/more/1', () => ({ onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }))).rejects.toThrow('refused')
  })

  it('cannot open lanes while it is found out who they are', async () => {
    const a = await town(1)
    const first = await town(5, { host: 'fd00::51', peerId: 51 })
    await joined(first, a)
    const second = net.wire('fd00::52', 52)
    await second.start({ mayConnect: () => true, onConnection: () => undefined, onConnectionClosed: () => undefined, onStream: () => null }, [])
    first.wire.vanish() // the probe takes its time
    const connection = await second.dial(a.wire.address)
    const facts = { instance: new Uint8Array(16), community: COMMUNITY, name: 'x', originator: null, protocols: [NOTES.name] }
    const ends = { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }
    await connection.openStream('/meshbox/peer/1', (stream) => {
      const hello = encodeControl({ kind: 'hello', sealed: sealHello(first.documents, second.peerId, a.wire.peerId, facts) })
      queueMicrotask(() => stream.write(joinFrames([hello, encodeControl({ kind: 'welcome' })], 4608)))
      return ends
    })
    await turns()
    await expect(connection.openStream(NOTES.name, () => ends)).rejects.toThrow('refused')
    await pass(PROBE_MS)
    await connection.openStream(NOTES.name, () => ends) // now it is let in
    expect(a.opened).toHaveLength(2)
  })

  it('cannot open lanes before they are welcome', async () => {
    const a = await town(1)
    const hasty = net.wire('fd00::66', 66)
    await hasty.start({ mayConnect: () => true, onConnection: () => undefined, onConnectionClosed: () => undefined, onStream: () => null }, [])
    const connection = await hasty.dial(a.wire.address)
    await expect(connection.openStream(NOTES.name, () => ({ onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }))).rejects.toThrow('refused')
    expect(a.opened).toEqual([])
  })
})

describe('one key in two places', () => {
  it('both boxes are told, the owner hears of it, neither is let in; after a rest the one that is left is', async () => {
    const a = await town(1)
    const [first, second] = [await town(5, { host: 'fd00::51', peerId: 51 }), await town(5, { host: 'fd00::52', peerId: 52, run: 1 })]
    await joined(first, a)
    const dial = second.hub.dial(a.wire.address).catch(() => 'refused')
    await pass(1000)
    expect(await dial).toBe('refused')
    expect(a.alarms).toMatchObject([{ kind: 'twin', box: first.hub.self }])
    expect(first.alarms).toEqual([{ kind: 'called-twin', by: a.hub.self }])
    expect(second.alarms).toEqual([{ kind: 'called-twin', by: a.hub.self }])
    expect(a.hub.isConnected(first.hub.self)).toBe(false)
    expect(a.closed).toEqual([first.hub.self])
    const tooSoon = first.hub.dial(a.wire.address).catch(() => 'refused')
    await pass(500)
    expect(await tooSoon).toBe('refused')
    await second.hub.stop()
    await pass(TWIN_REST_MS, 1000)
    await joined(first, a)
    expect(a.hub.isConnected(first.hub.self)).toBe(true)
  })

  it('also when the whole disk was copied, peer id and all', async () => {
    const a = await town(1)
    const [first, second] = [await town(5, { host: 'fd00::51', peerId: 5 }), await town(5, { host: 'fd00::52', peerId: 5, run: 1 })]
    await joined(first, a)
    second.hub.dial(a.wire.address).catch(() => undefined)
    await pass(1000)
    expect(a.alarms).toMatchObject([{ kind: 'twin', box: first.hub.self, addresses: [expect.stringContaining('fd00::51'), expect.stringContaining('fd00::52')] }])
  })

  it('a box that was started anew takes its place, when the older connection does not answer', async () => {
    const a = await town(1)
    const before = await town(5, { host: 'fd00::51', peerId: 5 })
    await joined(before, a)
    before.wire.vanish()
    const after = await town(5, { host: 'fd00::52', peerId: 5, run: 1 })
    const dial = after.hub.dial(a.wire.address)
    await pass(PROBE_MS + 500)
    await dial
    expect(a.alarms).toEqual([])
    expect(statusOf(a, after.hub.self)).toMatchObject({ isConnected: true })
    expect(a.opened).toHaveLength(2)
  })

  it('a box that meets its own key elsewhere says so', async () => {
    const [a, copy] = [await town(1), await town(1, { host: 'fd00::ff', peerId: 99, run: 1 })]
    a.hub.dial(copy.wire.address).catch(() => undefined)
    await pass(1000)
    expect(a.alarms[0]).toMatchObject({ kind: 'own-key-elsewhere' })
    expect(copy.alarms[0]).toMatchObject({ kind: 'own-key-elsewhere' })
  })
})

describe('fifty boxes', () => {
  it('take bounded room; the fifty-first is sent away, a partner takes a place, and partners stay', async () => {
    const a = await town(1, { settings: { maxPeers: 50 } })
    const others: Town[] = []
    for (let number = 2; number <= 51; number++) {
      const other = await town(number)
      await joined(other, a)
      others.push(other)
    }
    expect(a.hub.sizes()).toEqual({ links: 50, seated: 50, streams: 100, remembered: 50, addresses: 0, hosts: 0, writtenBytes: 0, heldBytes: 0 })
    const late = await town(60)
    const refused = expect(late.hub.dial(a.wire.address)).rejects.toThrow('full')
    await pass(500)
    await refused

    for (const other of others.slice(1)) a.hub.protect(other.hub.self, 'channel')
    const release = a.hub.protect(late.hub.self, 'channel')
    await joined(late, a)
    await pass(500)
    const [victim] = others
    expect(a.hub.isConnected(victim?.hub.self ?? '0x')).toBe(false)
    expect(others.slice(1).every((other) => a.hub.isConnected(other.hub.self))).toBe(true)
    release()
    expect(a.hub.sizes().seated).toBe(50)
    await a.hub.stop()
    expect(a.hub.sizes()).toMatchObject({ links: 0, seated: 0, streams: 0, writtenBytes: 0, heldBytes: 0 })
  })

  it('that all read nothing make this box keep no more than its budget', async () => {
    const a = await town(1)
    for (let number = 2; number <= 51; number++) await joined(await town(number), a)
    for (const connection of a.wire.connections) for (const stream of connection.streams) stream.isStuck = true
    let refusals = 0
    for (const peer of a.lane.openPeers()) for (let i = 0; i < 100; i++) refusals += a.lane.send(peer, new Uint8Array(1000)) ? 0 : 1
    await turns()
    expect(refusals).toBeGreaterThanOrEqual(50 * 35)
    expect(a.hub.sizes().writtenBytes).toBeLessThanOrEqual(50 * NOTES.maxQueuedBytes)
    await pass(FRAME_TIMEOUT_MS + 1000, 1000)
    expect(a.hub.sizes()).toMatchObject({ seated: 0, writtenBytes: 0 })
  })
})
