/** The picture of the mesh: what counts, what is told, what is remembered. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_MESH_CLIENTS, MAX_MESH_NODES } from '../../../src/mesh/ports.ts'
import type { MeshState } from '../../../src/mesh/ports.ts'
import { GONE_FOR_MS, emptyState, pictureOf, withoutMesh } from '../../../src/mesh/view/picture.ts'
import { far, mac, near, reading, way } from './readings.ts'

const START = emptyState({ kind: 'idle', reason: 'not asked yet' }, 0)
const see = (before: MeshState, parts: Parameters<typeof reading>[0], nowMs: number): ReturnType<typeof pictureOf> => pictureOf(before, reading(parts), nowMs)

describe('nodes', () => {
  it('come with their best way, and say since when', () => {
    const { state, changes } = see(START, { originators: [way(2, 2, 200, false), way(2, 3, 220), way(3, 3, 255)] }, 1000)
    expect(state).toMatchObject({ condition: { kind: 'up' }, sinceMs: 1000, algorithm: 'BATMAN_IV', self: mac(1) })
    expect(state.nodes).toMatchObject([
      { originator: mac(2), nextHop: mac(3), tq: 220, isNeighbour: true, sinceMs: 1000, isGone: false, gateway: null },
      { originator: mac(3), nextHop: mac(3), tq: 255, isNeighbour: true },
    ])
    expect(changes.map((change) => change.kind)).toEqual(['condition', 'node-came', 'node-came'])
  })

  it('have the better way where the kernel marks none, and the marked one even if it looks worse', () => {
    expect(see(START, { originators: [way(2, 3, 90, false), way(2, 4, 100, false)] }, 0).state.nodes[0]).toMatchObject({ nextHop: mac(4) })
    expect(see(START, { originators: [way(2, 3, 90, true), way(2, 4, 100, false)] }, 0).state.nodes[0]).toMatchObject({ nextHop: mac(3) })
    expect(see(START, { originators: [way(2, 4, 100, false), way(2, 3, 90, true)] }, 0).state.nodes[0]).toMatchObject({ nextHop: mac(3) })
  })

  it('that leave are remembered for a day, and come back as new', () => {
    const first = see(START, { originators: [way(2, 2, 200)] }, 1000).state
    const gone = see(first, {}, 5000)
    expect(gone.changes).toMatchObject([{ kind: 'node-left', node: { originator: mac(2), isGone: true, sinceMs: 5000, nextHop: mac(2), isNeighbour: false, tq: null } }])
    expect(see(gone.state, {}, 6000).changes).toEqual([])
    const back = see(gone.state, { originators: [way(2, 2, 190)] }, 7000)
    expect(back.changes).toMatchObject([{ kind: 'node-came', node: { sinceMs: 7000, isGone: false } }])
    expect(see(gone.state, {}, 5000 + GONE_FOR_MS - 1).state.nodes).toHaveLength(1)
    expect(see(gone.state, {}, 5000 + GONE_FOR_MS).state.nodes).toHaveLength(0)
  })

  it('that are silent for 30 intervals are gone since they were last heard, though the kernel keeps them for minutes', () => {
    const first = see(START, { originators: [way(2, 2, 200), way(2, 3, 90, false)] }, 1000).state
    const heard = (lastSeenMs: number, otherMs: number): Parameters<typeof reading>[0] => ({ originators: [{ ...way(2, 2, 200), lastSeenMs }, { ...way(2, 3, 90, false), lastSeenMs: otherMs }] })
    expect(see(first, heard(40_000, 30_000), 50_000).changes).toEqual([])
    const gone = see(first, heard(40_000, 30_001), 50_000)
    expect(gone.changes).toMatchObject([{ kind: 'node-left', node: { originator: mac(2), isGone: true, sinceMs: 50_000 - 30_001 } }])
    expect(see(gone.state, heard(41_000, 31_001), 51_000).changes).toEqual([])
    expect(see(gone.state, heard(10, 10), 52_000).changes).toMatchObject([{ kind: 'node-came', node: { sinceMs: 52_000 } }])
    expect(see(START, heard(40_000, 40_000), 50_000).state.nodes).toEqual([])
    const slow = { ...reading(heard(40_000, 40_000)), mesh: { ...reading({}).mesh, originatorIntervalMs: 5000 } }
    expect(pictureOf(first, slow, 50_000).changes).toEqual([])
  })

  it('tell of another next hop and of gateways, and keep since when they are there', () => {
    const first = see(START, { originators: [way(2, 3, 200)] }, 1000).state
    const gateway = { originator: mac(2), router: mac(4), interfaceName: 'mesh0', bandwidthDownKbit: 10_000, bandwidthUpKbit: 2000, isBest: true, tq: 200, throughputKbit: null }
    const second = see(first, { originators: [way(2, 4, 201)], gateways: [gateway] }, 2000)
    expect(second.changes.map((change) => change.kind)).toEqual(['next-hop', 'gateway'])
    expect(second.state.nodes[0]).toMatchObject({ sinceMs: 1000, gateway: { downKbit: 10_000, upKbit: 2000, isChosen: true } })
    expect(see(second.state, { originators: [way(2, 4, 180)], gateways: [gateway] }, 3000).changes).toEqual([])
    expect(see(second.state, { originators: [way(2, 4, 180)] }, 3000).changes).toMatchObject([{ kind: 'gateway', node: { gateway: null } }])
  })

  it('of a mesh that is not there any more are gone, once', () => {
    const first = see(START, { originators: [way(2, 2, 200)], localClients: [near(9)] }, 1000).state
    const down = withoutMesh(first, { kind: 'no-module', reason: 'gone' }, 2000)
    expect(down.changes.map((change) => change.kind)).toEqual(['condition', 'node-left'])
    expect(down.state).toMatchObject({ condition: { kind: 'no-module' }, sinceMs: 2000, self: null, clients: [] })
    expect(withoutMesh(down.state, { kind: 'no-module', reason: 'gone' }, 3000)).toMatchObject({ changes: [], state: { sinceMs: 2000 } })
    expect(see(down.state, { originators: [way(2, 2, 200)] }, 4000).changes.map((change) => change.kind)).toEqual(['condition', 'node-came'])
  })
})

describe('devices', () => {
  it('are told when they move between boxes, not when they come', () => {
    const first = see(START, { globalClients: [far(9, 2)] }, 0)
    expect(first.changes.map((change) => change.kind)).toEqual(['condition'])
    const here = see(first.state, { localClients: [near(9, { isNew: true })] }, 1000)
    expect(here.changes).toEqual([{ kind: 'client-moved', mac: mac(9), from: mac(2), to: null }])
    expect(see(here.state, { globalClients: [far(9, 3, { isRoaming: true })] }, 2000).changes).toEqual([{ kind: 'client-moved', mac: mac(9), from: null, to: mac(3) }])
  })

  it('are here while an older announcement of elsewhere is still there', () => {
    expect(see(START, { localClients: [near(9)], globalClients: [far(9, 2)] }, 0).state.clients).toMatchObject([{ mac: mac(9), originator: null }])
    expect(see(START, { localClients: [near(9, { isPending: true })], globalClients: [far(9, 2)] }, 0).state.clients).toMatchObject([{ mac: mac(9), originator: mac(2) }])
    expect(see(START, { globalClients: [far(9, 2, { isTemporary: true }), far(9, 3, { isDeleted: true })] }, 0).state.clients).toEqual([])
  })
})

describe('any readings', () => {
  const numbers = fc.integer({ min: 2, max: 40 })
  const readings = fc
    .record({
      originators: fc.array(fc.tuple(numbers, numbers, fc.integer({ min: 0, max: 255 }), fc.boolean()).map(([a, b, quality, best]) => way(a, b, quality, best)), { maxLength: 60 }),
      globalClients: fc.array(fc.tuple(numbers, numbers, fc.boolean()).map(([a, b, isRoaming]) => far(a, b, { isRoaming })), { maxLength: 40 }),
      localClients: fc.array(numbers.map((a) => near(a)), { maxLength: 20 }),
    })
    .map(reading)

  it('give each node and device once, sorted, whatever the order of the dump', () => {
    fc.assert(
      fc.property(readings, (each) => {
        const { state } = pictureOf(START, each, 5)
        const names = state.nodes.map((node) => node.originator)
        expect(names).toEqual([...new Set(each.originators.map((way) => way.originator))].sort())
        const devices = state.clients.map((client) => client.mac)
        expect(devices).toEqual([...new Set(devices)].sort())
        expect(new Set(devices)).toEqual(new Set([...each.localClients, ...each.globalClients].map((client) => client.address)))
      }),
    )
  })

  it('tell exactly the difference: changes replayed on the old picture give who is there now', () => {
    fc.assert(
      fc.property(fc.array(readings, { minLength: 1, maxLength: 6 }), (all) => {
        let state = START
        const present = new Set<string>()
        all.forEach((each, index) => {
          const picture = pictureOf(state, each, index * 1000)
          for (const change of picture.changes) {
            if (change.kind === 'node-came') present.add(change.node.originator)
            if (change.kind === 'node-left') present.delete(change.node.originator)
          }
          state = picture.state
          expect(present).toEqual(new Set(state.nodes.filter((node) => !node.isGone).map((node) => node.originator)))
        })
      }),
    )
  })

  it('stay within bounds, and those present outlast those gone', () => {
    const many = Array.from({ length: MAX_MESH_NODES + 100 }, (_, index) => ({ ...way(2, 2, index % 256), originator: `02:00:00:01:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}` }))
    const crowded = pictureOf(START, reading({ originators: many.slice(0, MAX_MESH_NODES) }), 0).state
    expect(crowded.nodes).toHaveLength(MAX_MESH_NODES)
    const next = pictureOf(crowded, reading({ originators: many.slice(100) }), 1000).state
    expect(next.nodes).toHaveLength(MAX_MESH_NODES)
    expect(next.nodes.every((node) => !node.isGone)).toBe(true)
    const devices = Array.from({ length: MAX_MESH_CLIENTS + 10 }, (_, index) => ({ ...far(1, 2), address: `02:00:01:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}` }))
    expect(pictureOf(START, reading({ globalClients: devices }), 0).state.clients).toHaveLength(MAX_MESH_CLIENTS)
  })
})
