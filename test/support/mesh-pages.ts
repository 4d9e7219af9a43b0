/** What the mesh page may have to show, made by the owner's verbs of scripted desks: nobody, one, twenty, a partition, the way out lost. */
import type { Clock } from '../../src/base/index.ts'
import type { MapNode, MeshDesk, MeshMap, MeshNode, MeshStatus } from '../../src/mesh/index.ts'
import { MeshVerbs } from '../../src/owner/mesh.ts'
import type { MeshPageProps } from '../../src/web/owner/views/mesh.tsx'
import { CARRIAGES, MESH_SELF, ROOF, box, mac, scriptedMesh } from './mesh-views.ts'

export type MeshSample = Omit<MeshPageProps, 'onTakeBack'>

const NOW_MS = 10_000_000
const SINCE_MS = NOW_MS - 7_260_000
const clock: Pick<Clock, 'boottimeMs'> = { boottimeMs: () => NOW_MS }

interface Drawn {
  readonly number: number
  readonly name?: string
  /** Number of the node that it is behind; left out: a neighbour. */
  readonly via?: number
  readonly tq?: number | null
  readonly kbit?: number
  readonly gone?: number
  readonly gateway?: boolean
  readonly standing?: NonNullable<MapNode['standing']> | null
}

const self: MapNode = { originator: mac(1), box: MESH_SELF, name: null, standing: 'admitted', isSelf: true, node: null, unitsPerMiB: 15_000n, hops: 1 }

function mapNode({ number, name, via, tq = 240, kbit, gone, gateway, standing = 'admitted' }: Drawn): MapNode {
  const node: MeshNode = {
    originator: mac(number),
    nextHop: mac(via ?? number),
    interfaceName: 'mesh0',
    lastSeenMs: 300,
    isNeighbour: via === undefined,
    gateway: gateway === true ? { downKbit: 50_000, upKbit: 10_000, isChosen: gone === undefined } : null,
    sinceMs: gone === undefined ? SINCE_MS : NOW_MS - gone * 1000,
    isGone: gone !== undefined,
    tq,
    throughputKbit: kbit ?? null,
  }
  return { originator: mac(number), box: standing === null ? null : number === 2 ? ROOF : box(number + 0xc0), name: standing === null ? null : (name ?? `box ${number}`), standing, isSelf: false, node, unitsPerMiB: gateway === true ? 10_000n : null, hops: gateway === true ? 0 : null }
}

function mapOf(drawn: readonly Drawn[], over: Partial<MeshMap> = {}): MeshMap {
  const nodes = drawn.map(mapNode)
  return {
    nodes: [self, ...nodes],
    links: nodes.flatMap(({ node }) => (node === null ? [] : [{ to: node.originator, via: node.nextHop ?? node.originator, tq: node.tq, throughputKbit: node.throughputKbit, isGone: node.isGone, sinceMs: node.sinceMs }])),
    payments: [],
    uplinks: [],
    ...over,
  }
}

async function sample(drawn: readonly Drawn[], status: Partial<MeshStatus>, over: Partial<MeshMap> = {}, change: Partial<MeshDesk> = {}): Promise<MeshSample> {
  const map = mapOf(drawn, over)
  const here = map.nodes.filter(({ isSelf, node }) => !isSelf && node?.isGone !== true)
  const peers = (): ReturnType<MeshDesk['peers']> =>
    here.flatMap(({ box: account, name, originator, standing }) =>
      account === null || standing === null || standing === 'expelled'
        ? []
        : [{ box: account, peerId: '12D3Koo', side: 'mesh', address: '/ip6/fd12::2/tcp/60404', originator, name: name ?? '', isConnected: standing !== 'stranger', sinceMs: SINCE_MS, roundTripMs: 3.4, penalty: 0, bannedUntilMs: null, banReason: null, ban: null, protocols: [], standing, standingReason: '' }],
    )
  const desk = scriptedMesh({ nodes: here.length, connected: peers().filter(({ isConnected }) => isConnected).length, uplink: null, ...status }, { map: () => map, peers, ...change })
  return { view: await new MeshVerbs(desk, null, clock).view(), joining: { community: { address: MESH_SELF, name: 'Roofs of Alma' }, needsRestart: false, canUndo: true }, problem: null }
}

const LINE: readonly Drawn[] = [
  { number: 2, name: 'Roof two', gateway: true, tq: 250 },
  { number: 3, name: 'Bakery', tq: 70 },
  { number: 4, name: 'School, second floor over the yard', via: 3, tq: 60, standing: 'provisional' },
  { number: 5, via: 2, tq: 200, standing: null },
]
const NOBODY: Partial<MeshDesk> = { prices: () => ({ token: null, own: null, adverts: [], carriages: [], spending: null }), wayOut: () => [], invitations: () => [], guests: () => null }

export async function meshPages(): Promise<Readonly<Record<string, MeshSample>>> {
  return {
    busy: await sample(LINE, {}, { payments: CARRIAGES.map((one) => (one.isOurs === 'carrier' ? { ...one, client: box(3 + 0xc0) } : one)), uplinks: [{ name: 'wan', kind: 'ethernet', interfaceName: 'eth0', health: 'down', roundTripMs: null, loss: 1, unitsPerMiB: 0n, isChosen: false, sinceMs: SINCE_MS, reason: 'no probe was answered' }] }, { wayOut: () => [ROOF] }),
    nobody: await sample([], { reach: 'internet', uplink: 'wan', connected: 0, guests: 0, unitsPerMiB: null, token: null }, { uplinks: [{ name: 'wan', kind: 'ethernet', interfaceName: 'eth0', health: 'good', roundTripMs: 18, loss: 0, unitsPerMiB: 0n, isChosen: true, sinceMs: SINCE_MS, reason: '' }] }, NOBODY),
    one: await sample([{ number: 2, name: 'Roof two', gateway: true, tq: null, kbit: 86_000 }], { algorithm: 'BATMAN_V' }, {}, { wayOut: () => [ROOF] }),
    twenty: await sample(Array.from({ length: 20 }, (_, index) => ({ number: index + 2, tq: 40 + ((index * 53) % 215), ...(index >= 12 ? { via: 2 + (index % 5) } : {}), ...(index === 0 || index === 7 ? { gateway: true } : {}) })), {}, {}, { wayOut: () => [ROOF] }),
    partition: await sample(LINE.map((one) => (one.number === 3 || one.number === 4 ? { ...one, gone: 5400 } : one)), {}, {}, { wayOut: () => [ROOF] }),
    'gateway-lost': await sample(LINE.map((one) => (one.number === 2 || one.number === 5 ? { ...one, gone: 95 } : one)), { reach: 'none', unitsPerMiB: null, alarms: [{ code: 'carriage', text: `${ROOF}: no answer for 30 s`, sinceMs: NOW_MS - 60_000 }] }, {}, { ...NOBODY }),
    broken: await sample([], { condition: { kind: 'no-module', reason: "batman-adv is not in the kernel: `opkg install kmod-batman-adv`" }, reach: 'none', nodes: 0, connected: 0, isOurs: false, standing: 'stranger', alarms: [{ code: 'batman-adv', text: 'batman-adv is not in the kernel: `opkg install kmod-batman-adv`', sinceMs: 5 }] }, {}, NOBODY),
  }
}
