/** Which neighbour's frames are which box's: what the kernel and batman-adv show, and never a box's word alone. */
import { describe, expect, it } from 'vitest'
import { concatBytes, silentLog } from '../../../src/base/index.ts'
import { macBytes } from '../../../src/mesh/documents/index.ts'
import { BoxLinks } from '../../../src/mesh/metering/index.ts'
import { devicesOf } from '../../../src/mesh/io/mesh-devices.ts'
import type { BoxId, Mac, MeshChange, MeshNode, MeshState, PeerLane } from '../../../src/mesh/ports.ts'
import { FakeTime } from '../../support/fakes.ts'

const ANNA = `0x${'aa'.repeat(20)}` as BoxId
const BEN = `0x${'bb'.repeat(20)}` as BoxId
const [ANNA_ORIGINATOR, ANNA_SECOND, BEN_ORIGINATOR] = ['02:00:00:00:0a:01', '02:00:00:00:0a:02', '02:00:00:00:0b:01']
const [ANNA_DEVICE, BEN_DEVICE] = ['06:00:00:00:0a:00', '06:00:00:00:0b:00']

/** As the room writes addresses. */
const at = (last: string): string => `fd00:0:0:0:0:0:0:${last}`

function node(originator: Mac, nextHop: Mac, isNeighbour: boolean): MeshNode {
  return { originator, nextHop, isNeighbour, interfaceName: 'wlan0', lastSeenMs: 0, tq: 255, throughputKbit: null, gateway: null, sinceMs: 0, isGone: false }
}

class House {
  readonly time = new FakeTime()
  readonly devices = new Map<string, Mac>([[at('a'), ANNA_DEVICE], [at('b'), BEN_DEVICE]])
  readonly peers = [ANNA, BEN].map((box, at) => ({ box, side: 'mesh' as const, address: `/ip6/fd00::${'ab'[at]}/tcp/60404`, isConnected: true }))
  readonly penalties: string[] = []
  readonly sent: Uint8Array[] = []
  readonly unwelcome = new Set<BoxId>()
  asked = 0
  opened: (box: BoxId) => void = () => undefined
  closed: (box: BoxId) => void = () => undefined
  tell: (box: BoxId, ...macs: Mac[]) => void
  frame: (box: BoxId, bytes: Uint8Array) => void = () => undefined
  changed: (change: MeshChange) => void = () => undefined
  state: MeshState = {
    condition: { kind: 'up' },
    sinceMs: 0,
    algorithm: 'BATMAN_IV',
    self: '02:00:00:00:0c:01',
    nodes: [node(ANNA_ORIGINATOR, ANNA_ORIGINATOR, true), node(BEN_ORIGINATOR, BEN_ORIGINATOR, true)],
    clients: [{ mac: ANNA_DEVICE, vlan: null, originator: ANNA_ORIGINATOR, isRoaming: false }, { mac: BEN_DEVICE, vlan: null, originator: BEN_ORIGINATOR, isRoaming: false }],
  }
  readonly links: BoxLinks

  constructor() {
    const lane: PeerLane = {
      send: (_to, bytes) => this.sent.push(bytes.slice()) > 0,
      onFrame: (listener) => ((this.frame = listener), () => undefined),
      onOpen: (listener) => ((this.opened = (box) => listener(box, 'mesh')), () => undefined),
      onClose: (listener) => ((this.closed = listener), () => undefined),
      penalise: (box, points) => void this.penalties.push(`${box} ${points}`),
    }
    this.tell = (box, ...macs) => this.frame(box, concatBytes(...macs.map(macBytes)))
    this.links = new BoxLinks({
      peers: () => this.peers,
      isWelcome: (box) => !this.unwelcome.has(box),
      view: { state: () => this.state, on: (listener) => ((this.changed = listener), () => undefined) },
      lane,
      devices: async () => {
        this.asked += 1
        return this.devices
      },
      clock: this.time,
      timers: this.time,
      log: silentLog,
    })
  }

  of(): readonly (readonly Mac[])[] {
    return [this.links.linksOf(ANNA), this.links.linksOf(BEN)]
  }
}

async function house(change: (house: House) => void = () => undefined): Promise<House> {
  const made = new House()
  change(made)
  await made.links.start()
  return made
}

describe('links of boxes', () => {
  it('are the originators behind the devices at which they answer', async () => {
    expect((await house()).of()).toEqual([[ANNA_ORIGINATOR], [BEN_ORIGINATOR]])
  })

  it('are none of boxes that are unwelcome, on the Internet, far away, or at an unknown device', async () => {
    expect((await house((one) => one.unwelcome.add(ANNA))).of()[0]).toEqual([])
    expect((await house((one) => Object.assign(one.peers[0] ?? {}, { side: 'internet' }))).of()[0]).toEqual([])
    expect((await house((one) => one.devices.delete(at('a')))).of()[0]).toEqual([])
    expect((await house((one) => (one.state = { ...one.state, nodes: [node(ANNA_ORIGINATOR, BEN_ORIGINATOR, false), node(BEN_ORIGINATOR, BEN_ORIGINATOR, true)] }))).of()).toEqual([[], [BEN_ORIGINATOR]])
  })

  it('are nobody’s where two boxes lead to one originator', async () => {
    const two = await house((one) => one.devices.set(at('b'), ANNA_DEVICE))
    expect(two.of()).toEqual([[], []])
  })

  it('are also second interfaces that a box tells of, when its traffic comes by them', async () => {
    const two = await house((one) => (one.state = { ...one.state, nodes: [node(ANNA_ORIGINATOR, ANNA_SECOND, false), node(ANNA_SECOND, ANNA_SECOND, true), node(BEN_ORIGINATOR, BEN_ORIGINATOR, true)] }))
    expect(two.of()[0]).toEqual([])
    two.tell(ANNA, ANNA_ORIGINATOR, ANNA_SECOND)
    await two.links.look()
    expect(two.of()).toEqual([[ANNA_SECOND], [BEN_ORIGINATOR]])
    two.tell(BEN, ANNA_SECOND)
    await two.links.look()
    expect(two.of()).toEqual([[], [BEN_ORIGINATOR]])
  })

  it('with BATMAN V, a second interface is known as a next hop', async () => {
    const two = await house((one) => (one.state = { ...one.state, nodes: [node(ANNA_ORIGINATOR, ANNA_SECOND, false)] }))
    two.tell(ANNA, ANNA_SECOND)
    await two.links.look()
    expect(two.of()[0]).toEqual([ANNA_SECOND])
  })

  it('are never another device’s originator, whoever says so', async () => {
    const liar = await house((one) => (one.peers.length = 1))
    liar.tell(ANNA, ANNA_ORIGINATOR, BEN_ORIGINATOR)
    await liar.links.look()
    expect(liar.of()[0]).toEqual([ANNA_ORIGINATOR])
  })

  it('stay for a minute when a connection breaks, and while batman-adv cannot be asked', async () => {
    const one = await house()
    const [anna] = one.peers
    if (anna === undefined) throw new Error('no peer')
    anna.isConnected = false
    one.time.advance(30_000)
    await one.links.look()
    expect(one.of()[0]).toEqual([ANNA_ORIGINATOR])
    one.state = { ...one.state, condition: { kind: 'refused', reason: 'it does not answer' }, nodes: [], clients: [] }
    one.time.advance(60_000)
    await one.links.look()
    expect(one.of()[0]).toEqual([ANNA_ORIGINATOR])
    one.state = { ...new House().state }
    await one.links.look()
    expect(one.of()).toEqual([[], [BEN_ORIGINATOR]])
  })

  it('cost no process while nothing changes', async () => {
    const one = await house()
    const before = one.asked
    for (let round = 0; round < 10; round++) await one.links.look()
    expect(one.asked).toBe(before)
    one.devices.set(at('c'), ANNA_DEVICE)
    Object.assign(one.peers[0] ?? {}, { address: '/ip6/fd00::c/tcp/60404' })
    await one.links.look()
    expect([one.asked, one.of()[0]]).toEqual([before + 1, [ANNA_ORIGINATOR]])
  })

  it('of this box are told to who connects, and again when they change', async () => {
    const one = await house()
    one.links.useOwn([ANNA_ORIGINATOR])
    one.opened(BEN)
    one.links.useOwn([ANNA_ORIGINATOR, ANNA_SECOND])
    one.links.useOwn([ANNA_ORIGINATOR, ANNA_SECOND])
    expect(one.sent.map(({ length }) => length)).toEqual([6, 12])
    one.frame(BEN, new Uint8Array(7))
    one.frame(BEN, new Uint8Array(0))
    expect(one.penalties).toEqual([`${BEN} 20`, `${BEN} 20`])
  })
})

it('reads what ip says of neighbours, and leaves out what the kernel does not vouch for', () => {
  const text = ['fd00::A lladdr 02:00:00:00:00:01 REACHABLE', 'fe80::1 dev bat0 lladdr 02:00:00:00:00:02 router STALE', 'fd00::b FAILED', 'fd00::c lladdr 02:00:00:00:00:03 FAILED', 'fd00::d  INCOMPLETE', 'words of another kind', '10.0.0.1 lladdr 02:00:00:00:00:04 REACHABLE', ''].join('\n')
  expect([...devicesOf(text)]).toEqual([[at('a'), '02:00:00:00:00:01'], ['fe80:0:0:0:0:0:0:1', '02:00:00:00:00:02']])
})
