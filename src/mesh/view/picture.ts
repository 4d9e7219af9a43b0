/**
 * One picture of batman-adv, made of what its dumps say at one moment, and what changed since the last. Rules: a node is
 * the originator that sends for it; its best way counts; who is not in the dump any more, or was not heard for
 * `SILENT_INTERVALS`, is gone, kept for `GONE_FOR_MS`; a device is where the newest announcement says. docs/mesh.md
 */
import type { BatadvGateway, BatadvGlobalTranslation, BatadvLocalTranslation, BatadvMesh, BatadvNeighbour, BatadvOriginator } from '../../native/index.ts'
import { MAX_MESH_CLIENTS, MAX_MESH_NODES } from '../ports.ts'
import type { LinkQuality, Mac, MeshChange, MeshClient, MeshCondition, MeshNode, MeshState } from '../ports.ts'

/** Who left stays on the map, as gone. */
export const GONE_FOR_MS = 24 * 3600 * 1000

/** Originator intervals without a message after which a node is gone. The kernel itself keeps it for 200 s. */
const SILENT_INTERVALS = 30
const DEFAULT_INTERVAL_MS = 1000

/** What the kernel said, dumped at about one moment. */
export interface MeshReading {
  readonly mesh: Pick<BatadvMesh, 'algorithm' | 'primary' | 'address' | 'originatorIntervalMs'>
  readonly originators: readonly BatadvOriginator[]
  readonly neighbours: readonly BatadvNeighbour[]
  readonly gateways: readonly BatadvGateway[]
  readonly localClients: readonly BatadvLocalTranslation[]
  readonly globalClients: readonly BatadvGlobalTranslation[]
}

export interface Picture {
  readonly state: MeshState
  readonly changes: readonly MeshChange[]
}

export function emptyState(condition: MeshCondition, nowMs: number): MeshState {
  return { condition, sinceMs: nowMs, algorithm: null, self: null, nodes: [], clients: [] }
}

/** The mesh cannot be seen: everybody is gone, and is remembered. */
export function withoutMesh(before: MeshState, condition: MeshCondition, nowMs: number): Picture {
  if (sameCondition(before.condition, condition)) return { state: { ...before, nodes: rememberedOf(before.nodes, nowMs) }, changes: [] }
  const nodes = rememberedOf(before.nodes.map((node) => (node.isGone ? node : goneNode(node, nowMs))), nowMs)
  const left = nodes.filter((node) => !before.nodes.some((each) => each.originator === node.originator && each.isGone))
  return {
    state: { ...before, condition, sinceMs: nowMs, self: null, nodes, clients: [] },
    changes: [{ kind: 'condition', condition }, ...left.map((node): MeshChange => ({ kind: 'node-left', node }))],
  }
}

/** Deterministic: nodes and clients come sorted, whatever the order of the dumps. */
export function pictureOf(before: MeshState, reading: MeshReading, nowMs: number): Picture {
  const condition: MeshCondition = { kind: 'up' }
  const isNew = before.condition.kind !== 'up'
  const seen = nodesOf(before, reading, nowMs)
  const silences = silencesOf(reading.originators)
  const gone = before.nodes.filter((node) => !seen.has(node.originator)).map((node) => (node.isGone ? node : goneNode(node, nowMs - (silences.get(node.originator) ?? 0))))
  const nodes = bounded([...seen.values()], rememberedOf(gone, nowMs))
  const clients = clientsOf(reading)
  const state: MeshState = {
    condition,
    sinceMs: isNew ? nowMs : before.sinceMs,
    algorithm: algorithmOf(reading.mesh.algorithm),
    self: macOf(reading.mesh.primary?.address ?? null),
    nodes,
    clients,
  }
  const changes: MeshChange[] = isNew ? [{ kind: 'condition', condition }] : []
  changes.push(...nodeChanges(before.nodes, nodes), ...(isNew ? [] : clientChanges(before.clients, clients)))
  return { state, changes }
}

function nodesOf(before: MeshState, reading: MeshReading, nowMs: number): Map<Mac, MeshNode> {
  const neighbours = new Set(reading.neighbours.map((each) => each.neighbour.toLowerCase()))
  const gateways = new Map(reading.gateways.map((each) => [each.originator.toLowerCase(), each]))
  const known = new Map(before.nodes.map((node) => [node.originator, node]))
  const seen = new Map<Mac, MeshNode>()
  const silences = silencesOf(reading.originators)
  const mostMs = SILENT_INTERVALS * (reading.mesh.originatorIntervalMs ?? DEFAULT_INTERVAL_MS)
  for (const [originator, entry] of waysOf(reading.originators)) {
    if ((silences.get(originator) ?? 0) > mostMs) continue
    const nextHop = macOf(entry.neighbour)
    const old = known.get(originator)
    const gateway = gateways.get(originator)
    seen.set(originator, {
      originator,
      nextHop,
      interfaceName: entry.interfaceName,
      tq: entry.tq,
      throughputKbit: entry.throughputKbit,
      lastSeenMs: entry.lastSeenMs,
      // A box with several radios has a neighbour address for each; its own way over one hop is the sign.
      isNeighbour: neighbours.has(originator) || nextHop === originator,
      gateway: gateway === undefined ? null : { downKbit: gateway.bandwidthDownKbit ?? 0, upKbit: gateway.bandwidthUpKbit ?? 0, isChosen: gateway.isBest },
      sinceMs: old === undefined || old.isGone ? nowMs : old.sinceMs,
      isGone: false,
    })
  }
  return seen
}

/** Each node's way that is in use. The kernel marks it; where it marks none yet, the better one counts. */
function waysOf(entries: readonly BatadvOriginator[]): Map<Mac, BatadvOriginator> {
  const ways = new Map<Mac, BatadvOriginator>()
  for (const entry of entries) {
    const originator = entry.originator.toLowerCase()
    const other = ways.get(originator)
    if (other === undefined || (entry.isBest && !other.isBest) || (entry.isBest === other.isBest && compareQuality(entry, other) > 0)) ways.set(originator, entry)
  }
  return ways
}

/** How long each node was not heard, over whichever way. */
function silencesOf(entries: readonly BatadvOriginator[]): Map<Mac, number> {
  const silences = new Map<Mac, number>()
  for (const entry of entries) {
    const originator = entry.originator.toLowerCase()
    silences.set(originator, Math.min(silences.get(originator) ?? Number.POSITIVE_INFINITY, entry.lastSeenMs ?? 0))
  }
  return silences
}

function clientsOf(reading: MeshReading): MeshClient[] {
  const clients = new Map<string, MeshClient>()
  for (const each of reading.globalClients) {
    if (each.flags.isDeleted || each.flags.isTemporary) continue
    const client: MeshClient = { mac: each.address.toLowerCase(), vlan: each.vlan, originator: macOf(each.originator), isRoaming: each.flags.isRoaming }
    const other = clients.get(keyOf(client))
    if (other === undefined || each.isBest) clients.set(keyOf(client), client)
  }
  for (const each of reading.localClients) {
    if (each.flags.isDeleted || each.flags.isPending) continue
    const client: MeshClient = { mac: each.address.toLowerCase(), vlan: each.vlan, originator: null, isRoaming: each.flags.isRoaming }
    clients.set(keyOf(client), client)
  }
  return [...clients.values()].sort((a, b) => compareText(keyOf(a), keyOf(b))).slice(0, MAX_MESH_CLIENTS)
}

function nodeChanges(before: readonly MeshNode[], after: readonly MeshNode[]): MeshChange[] {
  const old = new Map(before.map((node) => [node.originator, node]))
  return after.flatMap((node): MeshChange[] => {
    const was = old.get(node.originator)
    if (was === undefined || (was.isGone && !node.isGone)) return node.isGone ? [] : [{ kind: 'node-came', node }]
    if (node.isGone) return was.isGone ? [] : [{ kind: 'node-left', node }]
    const changes: MeshChange[] = []
    if (was.nextHop !== node.nextHop) changes.push({ kind: 'next-hop', node })
    if (!sameGateway(was.gateway, node.gateway)) changes.push({ kind: 'gateway', node })
    return changes
  })
}

/** Only devices that were known: that a device came is the hotspot's affair. */
function clientChanges(before: readonly MeshClient[], after: readonly MeshClient[]): MeshChange[] {
  const old = new Map(before.map((client) => [keyOf(client), client]))
  return after.flatMap((client): MeshChange[] => {
    const was = old.get(keyOf(client))
    return was === undefined || was.originator === client.originator ? [] : [{ kind: 'client-moved', mac: client.mac, from: was.originator, to: client.originator }]
  })
}

function bounded(seen: readonly MeshNode[], gone: readonly MeshNode[]): MeshNode[] {
  const newestGone = [...gone].sort((a, b) => b.sinceMs - a.sinceMs || compareText(a.originator, b.originator))
  const present = [...seen].sort((a, b) => compareQuality(b, a) || compareText(a.originator, b.originator))
  return [...present, ...newestGone].slice(0, MAX_MESH_NODES).sort((a, b) => compareText(a.originator, b.originator))
}

function rememberedOf(nodes: readonly MeshNode[], nowMs: number): MeshNode[] {
  return nodes.filter((node) => !node.isGone || nowMs - node.sinceMs < GONE_FOR_MS)
}

/** Through whom it was reached, and what it announced, stay: whoever looks for a lost way out wants to know. */
function goneNode(node: MeshNode, nowMs: number): MeshNode {
  return { ...node, gateway: node.gateway === null ? null : { ...node.gateway, isChosen: false }, isNeighbour: false, tq: null, throughputKbit: null, sinceMs: nowMs, isGone: true }
}

/** Positive: `a` is the better way. */
function compareQuality(a: LinkQuality, b: LinkQuality): number {
  return (a.throughputKbit ?? a.tq ?? 0) - (b.throughputKbit ?? b.tq ?? 0)
}

const sameGateway = (a: MeshNode['gateway'], b: MeshNode['gateway']): boolean =>
  a === b || (a !== null && b !== null && a.downKbit === b.downKbit && a.upKbit === b.upKbit && a.isChosen === b.isChosen)
const sameCondition = (a: MeshCondition, b: MeshCondition): boolean => a.kind === b.kind && (a.kind === 'up' || (b.kind !== 'up' && a.reason === b.reason))
const algorithmOf = (text: string | null): MeshState['algorithm'] => (text === 'BATMAN_IV' || text === 'BATMAN_V' ? text : null)
const macOf = (text: string | null): Mac | null => text?.toLowerCase() ?? null
const keyOf = (client: MeshClient): string => `${client.mac} ${client.vlan ?? ''}`
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
