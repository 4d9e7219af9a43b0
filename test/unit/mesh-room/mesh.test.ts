/** The room joined: what cannot start now is tried again, and the owner sees it all. */
import { beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError, hexOf, silentLog } from '../../../src/base/index.ts'
import { MeshRoom, meshDesk } from '../../../src/mesh/index.ts'
import type { BoxId, DeskParts, MeshPart, MeshState, PeerStatus } from '../../../src/mesh/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { Net, TERMS, box, boxDocuments } from '../mesh-joining/boxes.ts'
import type { TestBox } from '../mesh-joining/boxes.ts'

const id = (byte: number): BoxId => hexOf(new Uint8Array(20).fill(byte))
const mac = (last: number): string => `02:00:00:00:00:${last.toString(16).padStart(2, '0')}`

describe('parts', () => {
  const order: string[] = []
  let failures = 1
  const part = (name: string, isShaky = false): MeshPart => ({
    name,
    start: () => {
      if (isShaky && failures-- > 0) throw new MeshBoxError('unavailable', 'no interface yet', { code: 'no-interface' })
      order.push(`+${name}`)
    },
    stop: () => void order.push(`-${name}`),
  })
  beforeEach(() => {
    order.length = 0
    failures = 1
  })

  it('start in order, the shaky one later, and stop in reverse', async () => {
    const time = new FakeTime()
    const room = new MeshRoom({ clock: time, timers: time, log: silentLog }, [part('a'), part('b', true), part('c')])
    await room.start()
    expect(order).toEqual(['+a', '+c'])
    expect(room.alarms()).toEqual([{ code: 'not-started', text: 'b: no interface yet', sinceMs: time.boottimeMs() }])
    time.advance(10_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect([order, room.alarms()]).toEqual([['+a', '+c', '+b'], []])
    await room.stop()
    expect(order.slice(3)).toEqual(['-c', '-b', '-a'])
    time.advance(60_000)
    expect(order).toHaveLength(6)
  })

  it('stop all, also when one fails, and only what was started', async () => {
    failures = 100
    const time = new FakeTime()
    const sick: MeshPart = { name: 'sick', start: () => undefined, stop: () => Promise.reject(new Error('stuck')) }
    const room = new MeshRoom({ clock: time, timers: time, log: silentLog }, [part('a'), sick, part('b', true)])
    await room.start()
    await expect(room.stop()).rejects.toThrow('stuck')
    expect(order).toEqual(['+a', '-a'])
  })
})

describe('the desk', () => {
  let net: Net
  let founder: TestBox
  let parts: DeskParts
  let orders: string[]
  const state: MeshState = {
    condition: { kind: 'up' },
    sinceMs: 5,
    algorithm: 'BATMAN_IV',
    self: mac(1),
    nodes: [
      { originator: mac(2), nextHop: mac(2), interfaceName: 'mesh0', lastSeenMs: 10, isNeighbour: true, gateway: null, sinceMs: 5, isGone: false, tq: 250, throughputKbit: null },
      { originator: mac(3), nextHop: mac(2), interfaceName: 'mesh0', lastSeenMs: 10, isNeighbour: false, gateway: null, sinceMs: 5, isGone: false, tq: 180, throughputKbit: null },
      { originator: mac(4), nextHop: null, interfaceName: null, lastSeenMs: null, isNeighbour: false, gateway: null, sinceMs: 7, isGone: true, tq: null, throughputKbit: null },
    ],
    clients: [],
  }
  const peer = (box: BoxId, originator: string | null, name: string): PeerStatus => ({ box, peerId: 'p', side: 'mesh', address: '/ip6/fd00::1/tcp/1', originator, name, isConnected: true, sinceMs: 1, roundTripMs: 2, penalty: 0, bannedUntilMs: null, banReason: null, protocols: [] })

  beforeEach(() => {
    net = new Net()
    founder = box(net, 0, boxDocuments(0).self)
    orders = []
    parts = {
      view: { state: () => state, refresh: async () => undefined },
      peers: { self: founder.id, peers: () => [peer(id(2), mac(2), 'roof two'), peer(id(9), null, 'far away')], ban: async () => undefined, pardon: async () => undefined },
      community: founder.room,
      relay: {
        carriages: () => [{ carrier: founder.id, client: id(2), isOurs: 'carrier', state: 'running', reason: null, bytes: { up: 1n, down: 2n }, owed: 3n, paid: 2n, open: 1n, writtenOff: 0n, isResting: false, token: id(7) }],
        adverts: () => [{ box: id(2), unitsPerMiB: 12n, ownUnitsPerMiB: 2n, hops: 1, leftSeconds: 60, refusal: null }],
        ownAdvert: () => ({ unitsPerMiB: 15n, ownUnitsPerMiB: 3n, hops: 2, via: [id(2), id(5)] }),
        alarms: () => [{ box: id(2), reason: 'the figures differ', atMs: 9 }],
        spending: () => ({ spent: 4n, cap: 9n, leftMs: 1000 }),
        end: async (who, why) => void orders.push(`end ${who} ${why}`),
        readmit: async (who) => void orders.push(`readmit ${who}`),
        writeOff: async (who) => void orders.push(`write-off ${who}`),
      },
      roaming: null,
      uplinks: null,
      purchases: () => [],
      token: id(7),
      codeTerms: () => TERMS,
      alarms: () => [{ code: 'twin', text: 'two boxes with one key', sinceMs: 3 }],
    }
  })

  it('says how it is in one page, what is wrong first of all', () => {
    const status = meshDesk(parts).status()
    expect(status).toMatchObject({ self: founder.id, isOurs: true, standing: 'admitted', nodes: 2, connected: 2, reach: 'internet', unitsPerMiB: 15n, originator: mac(1) })
    expect(status.alarms.map(({ code }) => code)).toEqual(['twin', 'carriage'])
    const broken = meshDesk({ ...parts, view: { ...parts.view, state: () => ({ ...state, condition: { kind: 'no-module', reason: 'install kmod-batman-adv' } }) } }).status()
    expect(broken.alarms).toContainEqual({ code: 'batman-adv', text: 'install kmod-batman-adv', sinceMs: 5 })
    expect(meshDesk({ ...parts, relay: null }).status()).toMatchObject({ reach: 'none', unitsPerMiB: null })
  })

  it('tells a box without a paper how to get one', () => {
    const stranger = box(net, 3, founder.id)
    expect(meshDesk({ ...parts, community: stranger.room }).status().alarms.map(({ code }) => code)).toContain('no-paper')
  })

  it('maps nodes to boxes, links to next hops, and keeps boxes from elsewhere', () => {
    const map = meshDesk(parts).map()
    expect(map.nodes.map((node) => [node.originator, node.box, node.unitsPerMiB])).toEqual([
      [mac(1), founder.id, 15n],
      [mac(2), id(2), 12n],
      [mac(3), null, null],
      [mac(4), null, null],
      [null, id(9), null],
    ])
    expect(map.links.map(({ to, via, isGone }) => [to, via, isGone])).toEqual([[mac(2), mac(2), false], [mac(3), mac(2), false], [mac(4), mac(4), true]])
  })

  it('finds a path by originator, box or name, and says when there is none', () => {
    const desk = meshDesk(parts)
    expect([desk.path(mac(3)), desk.path(id(2)), desk.path('roof two')]).toMatchObject([{ nextHop: mac(2), box: null }, { to: mac(2), nextHop: null, box: id(2) }, { to: mac(2) }])
    expect(() => desk.path(mac(77))).toThrow(/not in the mesh/)
    expect(desk.wayOut()).toEqual([id(2), id(5)])
  })

  it('invites only where there is a mesh to come to', async () => {
    const made = await meshDesk(parts).invite({ uses: 2, validMs: null })
    expect([made.number, made.code.startsWith('meshbox:'), meshDesk(parts).invitations()]).toMatchObject([1, true, [{ number: 1, uses: 2 }]])
    await expect(meshDesk({ ...parts, codeTerms: () => null }).invite({ uses: 1, validMs: null })).rejects.toMatchObject({ code: 'no-code-terms' })
  })

  it("hands the owner's orders for carriages on, where anything is counted", async () => {
    const desk = meshDesk(parts)
    await desk.endCarriage(id(2), 'enough')
    await desk.readmit(id(2))
    await desk.writeOff(id(2))
    expect(orders).toEqual([`end ${id(2)} enough`, `readmit ${id(2)}`, `write-off ${id(2)}`])
    await expect(meshDesk({ ...parts, relay: null }).writeOff(id(2))).rejects.toMatchObject({ kind: 'conflict', code: 'no-relay' })
    const guests = { away: [], visitors: [], debts: [] }
    let owes = true
    const roaming = {
      guests: () => guests,
      writeOff: async (box: string) => {
        orders.push(`for guests ${box}`)
        return owes
      },
    }
    expect([desk.guests(), meshDesk({ ...parts, roaming }).guests()]).toEqual([null, guests])
    // Where nothing is counted there may still be a debt for guests.
    await meshDesk({ ...parts, relay: null, roaming }).writeOff(id(2))
    await meshDesk({ ...parts, roaming }).writeOff(id(2))
    expect(orders.slice(3)).toEqual([`for guests ${id(2)}`, `for guests ${id(2)}`, `write-off ${id(2)}`])
    owes = false
    await expect(meshDesk({ ...parts, relay: null, roaming }).writeOff(id(2))).rejects.toMatchObject({ code: 'no-relay' })
  })

  it('expels, and shows it', async () => {
    const desk = meshDesk(parts)
    await desk.expel(id(2))
    expect([desk.peers()[0]?.standing, desk.members()]).toMatchObject(['expelled', [{ box: id(2), standing: 'expelled' }]])
  })
})
