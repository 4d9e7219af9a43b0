/** A mesh as its owner may have to look at it, and a desk that keeps what it is told. */
import { MeshBoxError } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import type { DeskCarriage, MeshDesk, MeshNode, MeshStatus, RoamGuests } from '../../src/mesh/index.ts'
import type { MeshPort } from '../../src/owner/index.ts'

export const box = (number: number): Address => `0x${number.toString(16).padStart(2, '0').repeat(20)}`
export const mac = (number: number): string => `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`
export const MESH_SELF = box(0xa1)
export const ROOF = box(0xb2)
export const FAR = box(0xc3)
const TOKEN = box(0x70)
/** FakeTime's beginning, less a while. */
const SINCE_MS = 400_000

const node = (number: number, over: Partial<MeshNode> = {}): MeshNode => ({
  originator: mac(number), nextHop: mac(number), interfaceName: 'mesh0', lastSeenMs: 120, isNeighbour: true, gateway: null, sinceMs: SINCE_MS, isGone: false, tq: 250, throughputKbit: null, ...over,
})

export const CARRIAGES: readonly DeskCarriage[] = [
  { carrier: MESH_SELF, client: FAR, isOurs: 'carrier', state: 'in-debt', reason: '2500000 units are owed; up to 2000000 units may be', bytes: { up: 30_000_000n, down: 900_000_000n }, owed: 2_500_000n, paid: 0n, open: 2_500_000n, writtenOff: 0n, isResting: false, token: TOKEN },
  { carrier: ROOF, client: MESH_SELF, isOurs: 'client', state: 'running', reason: null, bytes: { up: 1_000_000n, down: 70_000_000n }, owed: 900_000n, paid: 850_000n, open: 50_000n, writtenOff: 0n, isResting: false, token: TOKEN },
  { carrier: MESH_SELF, client: ROOF, isOurs: 'carrier', state: 'ended', reason: 'the figures differ: the carrier says 9000000 bytes, the client 2000000', bytes: { up: 2_000_000n, down: 7_000_000n }, owed: 120_000n, paid: 20_000n, open: 100_000n, writtenOff: 0n, isResting: true, token: TOKEN },
]

export const GUESTS: RoamGuests = {
  away: [{ mac: '0a:00:00:00:00:11', sessionId: 's1', holder: ROOF, sinceMs: SINCE_MS, heardMs: SINCE_MS, leftSeconds: 1800, leftBytes: null, usedSeconds: 600, usedBytes: 9_000_000n, isContested: false, unitsPerMinute: 1000n, token: TOKEN }],
  visitors: [
    { mac: '0a:00:00:00:00:22', sessionId: 's2', seller: ROOF, isIn: true, reason: null, leftSeconds: 900, leftBytes: null, usedSeconds: 120, usedBytes: 4_000_000n, unitsPerMinute: 2000n, token: TOKEN },
    { mac: '0a:00:00:00:00:33', sessionId: 's3', seller: FAR, isIn: false, reason: 'the box that sold this time cannot be reached; it goes on when it can', leftSeconds: 300, leftBytes: null, usedSeconds: 60, usedBytes: 0n, unitsPerMinute: 0n, token: null },
  ],
  debts: [
    { partner: ROOF, isOurs: 'seller', token: TOKEN, owed: 10_000n, paid: 6_000n, open: 4_000n, sinceMs: SINCE_MS },
    { partner: ROOF, isOurs: 'holder', token: TOKEN, owed: 4_000n, paid: 4_000n, open: 0n, sinceMs: null },
  ],
}

const STATUS: MeshStatus = {
  self: MESH_SELF, community: MESH_SELF, standing: 'admitted', isOurs: true, condition: { kind: 'up' }, algorithm: 'BATMAN_IV', originator: mac(1), nodes: 3, guests: 4, connected: 1, reach: 'internet', uplink: 'wan', purchases: [], token: TOKEN, unitsPerMiB: 15_000n, alarms: [],
}

export interface ScriptedMesh extends MeshPort {
  readonly asked: string[]
  readonly desk: MeshDesk
  /** How often somebody looked. */
  readonly looks: { count: number }
}

/** `over`: of the status; `change`: other answers of the desk. */
export function scriptedMesh(over: Partial<MeshStatus> = {}, change: Partial<MeshDesk> = {}): ScriptedMesh {
  const asked: string[] = []
  const looks = { count: 0 }
  const peer = { peerId: '12D3Koo', side: 'mesh', penalty: 0, protocols: [], sinceMs: SINCE_MS } as const
  const desk: MeshDesk = {
    status: () => ({ ...STATUS, ...over }),
    peers: () => [
      { ...peer, box: ROOF, name: 'roof two', address: '/ip6/fd12::2/tcp/60404', originator: mac(2), isConnected: true, roundTripMs: 3.4, bannedUntilMs: null, banReason: null, ban: null, standing: 'admitted', standingReason: 'the community has signed for it' },
      { ...peer, box: box(0xd4), name: 'noisy', address: '/ip6/fd12::4/tcp/60404', originator: mac(4), isConnected: false, roundTripMs: null, bannedUntilMs: 1_060_000, banReason: 'sends too much', ban: { untilMs: 1_060_000, reason: 'sends too much' }, standing: 'stranger', standingReason: 'it has shown nothing' },
    ],
    members: () => [{ box: ROOF, standing: 'admitted', reason: 'the community has signed for it' }, { box: FAR, standing: 'provisional', reason: 'ticket 3' }],
    map: () => ({
      nodes: [
        { originator: mac(1), box: MESH_SELF, name: null, standing: 'admitted', isSelf: true, node: null, unitsPerMiB: 15_000n, hops: 1 },
        { originator: mac(2), box: ROOF, name: 'roof two', standing: 'admitted', isSelf: false, node: node(2), unitsPerMiB: 10_000n, hops: 0 },
        { originator: mac(3), box: null, name: null, standing: null, isSelf: false, node: node(3, { isGone: true, nextHop: mac(2), isNeighbour: false }), unitsPerMiB: null, hops: null },
      ],
      links: [{ to: mac(2), via: mac(2), tq: 250, throughputKbit: null, isGone: false, sinceMs: SINCE_MS }],
      payments: CARRIAGES,
      uplinks: [{ name: 'wan', kind: 'ethernet', interfaceName: 'eth0', health: 'good', roundTripMs: 18, loss: 0, unitsPerMiB: 0n, isChosen: true, sinceMs: SINCE_MS, reason: 'the best there is' }],
    }),
    prices: () => ({
      token: TOKEN,
      own: { unitsPerMiB: 15_000n, ownUnitsPerMiB: 5000n, hops: 1, via: [ROOF] },
      adverts: [
        { box: ROOF, unitsPerMiB: 10_000n, ownUnitsPerMiB: 10_000n, hops: 0, leftSeconds: 100, refusal: null },
        { box: FAR, unitsPerMiB: null, ownUnitsPerMiB: 3000n, hops: 0, leftSeconds: 40, refusal: 'it has no way out' },
      ],
      carriages: CARRIAGES,
      spending: { spent: 250_000n, cap: 1_000_000n, leftMs: 18_000_000 },
    }),
    path(to) {
      if (to === 'nowhere') throw new MeshBoxError('not-found', 'nowhere is not in the mesh now', { code: 'no-mesh-node', field: 'to' })
      return { to: mac(2), box: ROOF, nextHop: null, tq: 250, throughputKbit: null }
    },
    wayOut: () => [ROOF],
    invitations: () => [{ number: 3, uses: 2, usedBy: [ROOF], leftMs: 86_400_000 }],
    invite: async ({ uses, validMs }) => (asked.push(`invite ${uses} ${validMs}`), { number: 4, code: 'meshbox:AbCdEf' }),
    takeBack: async (number) => void asked.push(`take-back ${number}`),
    expel: async (who) => void asked.push(`expel ${who}`),
    pardon: async (who) => void asked.push(`pardon ${who}`),
    ban: async (who, why) => void asked.push(`ban ${who} ${why}`),
    unban: async (who) => void asked.push(`unban ${who}`),
    endCarriage: async (who, why) => void asked.push(`end ${who} ${why}`),
    readmit: async (who) => void asked.push(`readmit ${who}`),
    writeOff: async (who) => void asked.push(`write-off ${who}`),
    guests: () => GUESTS,
    look: async () => void (looks.count += 1),
    ...change,
  }
  const token = { symbol: 'MIN', decimals: 6 }
  return { desk, token: () => token, tokenAt: (address) => (address === TOKEN ? token : null), asked, looks }
}
