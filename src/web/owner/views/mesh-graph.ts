/**
 * Where everything lies on the mesh's map: this box in the middle, its neighbours around it, who is reached through them behind
 * them, the Internet above. The same mesh gives the same picture: places depend on the nodes' own names alone, so nothing jumps
 * when an answer comes in another order. Pixels.
 */
import type { MeshCarriageJson, MeshMapJson, MeshNodeJson, MeshViewJson } from '../../../owner/api.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Place extends Point {
  /** As in the address of its dialog. */
  readonly key: string
  /** As in the list; 0 is this box. */
  readonly number: number
  readonly node: MeshNodeJson
  /** Steps from this box as far as batman-adv tells: 1 a neighbour, 2 all that is behind one. */
  readonly ring: 0 | 1 | 2
}

export interface Edge {
  readonly from: Point
  readonly to: Point
  /** 0 to 1; null: not known. */
  readonly quality: number | null
  readonly isGone: boolean
  /** This box's bytes go there on their way to the Internet. */
  readonly isWayOut: boolean
}

/** A hop that is paid for: money goes from the client to the carrier. */
export interface PayMark extends Point {
  /** Of the arrow, degrees clockwise from the right. */
  readonly angle: number
  readonly state: MeshCarriageJson['state']
}

export interface MeshGraph {
  readonly width: number
  readonly height: number
  readonly radius: number
  readonly places: readonly Place[]
  readonly edges: readonly Edge[]
  readonly pays: readonly PayMark[]
  /** The Internet; `from` are the boxes that have a way out, `isUsed` the one that this box uses. */
  readonly internet: { readonly at: Point; readonly lines: readonly { readonly from: Point; readonly bend: Point; readonly isUsed: boolean }[] }
  /** Names stand at the nodes; where there are too many only their numbers do. */
  readonly hasNames: boolean
}

/** More than these are told apart by number only. */
const MOST_NAMES = 8
const MOST_IN_A_ROW = 10
/** From here on the map grows with them. */
const CROWD = 24
const NARROW_PX = 480
const TOP_PX = 62
/** High enough for one neighbour or two, which lie below this box or beside it. */
const LOW_PX = 196
/** Left free around the top for the Internet, in radians to each side. */
const FREE_ANGLE = 0.45
/** Who is behind a neighbour lies on that side of this box, in radians. */
const MOST_SPREAD = 2.2
/** How far a line to the Internet goes around this box. */
const MOST_BEND = 110
const FULL_TQ = 255
/** A link of this speed is as good as it gets on the map. */
const FULL_KBIT = 100_000

export const keyOf = ({ box, originator }: Pick<MeshNodeJson, 'box' | 'originator'>): string => box ?? originator ?? ''

/** This box, then those in reach, then those that left; each by its name in the mesh. The list and the map number them alike. */
export function numbered(nodes: readonly MeshNodeJson[]): readonly MeshNodeJson[] {
  const rank = ({ isSelf, isGone }: MeshNodeJson): number => (isSelf ? 0 : isGone ? 2 : 1)
  return [...nodes].sort((a, b) => rank(a) - rank(b) || compare(a.originator ?? '~', b.originator ?? '~') || compare(keyOf(a), keyOf(b)))
}

/** 0 to 1; null where batman-adv does not say. */
export function qualityOf({ tq, throughputKbit }: Pick<MeshMapJson['links'][number], 'tq' | 'throughputKbit'>): number | null {
  if (tq !== null) return tq / FULL_TQ
  return throughputKbit === null ? null : Math.min(1, throughputKbit / FULL_KBIT)
}

export function meshGraph({ map, status, wayOut }: Pick<MeshViewJson, 'map' | 'status' | 'wayOut'>, width: number): MeshGraph {
  const nodes = numbered(map.nodes)
  const links = new Map(map.links.map((link) => [link.to, link]))
  const onMap = nodes.flatMap((node, number) => (node.isSelf || (node.originator !== null && links.has(node.originator)) ? [{ node, number }] : []))
  const behind = new Map<string, { node: MeshNodeJson; number: number }[]>()
  const near: { node: MeshNodeJson; number: number }[] = []
  const isFirst = ({ originator }: MeshNodeJson): boolean => {
    const via = links.get(originator ?? '')?.via
    return via === undefined || via === originator || !onMap.some(({ node }) => node.originator === via && !node.isSelf)
  }
  for (const each of onMap) {
    if (each.node.isSelf) continue
    if (isFirst(each.node)) near.push(each)
    else {
      const via = links.get(each.node.originator ?? '')?.via ?? ''
      behind.set(via, [...(behind.get(via) ?? []), each])
    }
  }
  near.sort((a, b) => compare(keyOf(a.node), keyOf(b.node)))
  // A node behind one that is itself behind another hangs at the first of them.
  const rootOf = (via: string): string => (near.some(({ node }) => node.originator === via) ? via : (near[0]?.node.originator ?? via))
  for (const [via, some] of [...behind]) {
    const root = rootOf(via)
    if (root === via) continue
    behind.delete(via)
    behind.set(root, [...(behind.get(root) ?? []), ...some])
  }

  const count = onMap.length - 1
  const isMany = count > MOST_NAMES
  const isNarrow = width < NARROW_PX
  const hasSecond = behind.size > 0
  const isLow = near.length <= 2 && (near.length === 2 || !hasSecond) && [...behind.values()].every((some) => some.length === 1)
  const radius = count > CROWD ? 10 : isMany && isNarrow ? 13 : 16
  const roomy = (isNarrow ? width * (isMany ? 1.25 : 1.1) : isMany ? 460 : 400) * Math.max(1, Math.sqrt(count / CROWD))
  const height = isLow ? LOW_PX : Math.round(roomy)
  const centre = { x: width / 2, y: isLow ? TOP_PX + 56 : TOP_PX + (height - TOP_PX) / 2 - (isMany ? 4 : 14) }
  const reach = { x: width / 2 - radius - (isMany ? 8 : 38), y: height - centre.y - radius - (isMany ? 8 : 24) }
  const isStaggered = near.length > MOST_IN_A_ROW
  const at = (angle: number, share: number): Point => ({ x: round(centre.x + reach.x * share * Math.cos(angle)), y: round(centre.y + reach.y * share * Math.sin(angle)) })

  const places: Place[] = []
  for (const { node, number } of onMap) if (node.isSelf) places.push({ key: keyOf(node), number, node, ring: 0, ...centre })
  const weights = near.map(({ node }) => Math.max(1, (behind.get(node.originator ?? '') ?? []).length))
  // One alone lies beside this box, as the right one of two: below it, its way to the Internet would seem to be this box's.
  const sum = weights.reduce((total, weight) => total + weight, 0) * (near.length === 1 ? 2 : 1)
  let used = 0
  for (const [index, { node, number }] of near.entries()) {
    const weight = weights[index] ?? 1
    const [from, to] = [angleAt(used / sum), angleAt((used + weight) / sum)]
    used += weight
    const isOdd = isStaggered && index % 2 === 1
    const first = behind.has(node.originator ?? '') ? (isOdd ? 0.42 : 0.56) : isOdd ? 0.62 : hasSecond ? 0.85 : 1
    const middle = (from + to) / 2
    places.push({ key: keyOf(node), number, node, ring: 1, ...at(middle, first) })
    const children = [...(behind.get(node.originator ?? '') ?? [])].sort((a, b) => compare(keyOf(a.node), keyOf(b.node)))
    for (const [place, child] of children.entries()) {
      const angle = middle + Math.min(to - from, MOST_SPREAD) * ((place + 0.5) / children.length - 0.5)
      places.push({ key: keyOf(child.node), number: child.number, node: child.node, ring: 2, ...at(angle, children.length > MOST_IN_A_ROW && place % 2 === 1 ? 0.8 : 1) })
    }
  }

  const byOriginator = new Map(places.map((place) => [place.node.originator, place]))
  const byBox = new Map(places.flatMap((place) => (place.node.box === null ? [] : [[place.node.box, place] as const])))
  const self = places.find(({ ring }) => ring === 0) ?? { ...centre, node: null }
  const outBoxes = new Set(wayOut)
  const edges = places.flatMap((place): Edge[] => {
    if (place.ring === 0) return []
    const link = links.get(place.node.originator ?? '')
    const via = place.ring === 1 ? self : (byOriginator.get(link?.via ?? '') ?? self)
    return [{ from: pointOf(via), to: pointOf(place), quality: link === undefined ? null : qualityOf(link), isGone: place.node.isGone, isWayOut: status.reach !== 'none' && outBoxes.has(place.node.box ?? '') && !place.node.isGone }]
  })
  return {
    width,
    height,
    radius,
    places,
    edges,
    pays: map.payments.flatMap(({ client, carrier, state }) => payMark(byBox.get(client), byBox.get(carrier), state)),
    internet: internetOf({ map, status, wayOut }, { x: centre.x, y: 22 }, places),
    hasNames: !isMany,
  }
}

function internetOf({ map, status, wayOut }: Pick<MeshViewJson, 'map' | 'status' | 'wayOut'>, at: Point, places: readonly Place[]): MeshGraph['internet'] {
  const own = map.uplinks.some(({ isChosen }) => isChosen) && status.reach !== 'none'
  const last = wayOut.at(-1)
  const lines = places.flatMap((place) => {
    if (place.ring === 0) return own ? [{ from: pointOf(place), bend: pointOf(place), isUsed: true }] : []
    const isLast = last !== undefined && place.node.box === last
    if (place.node.isGone || (!place.node.isGateway && !isLast)) return []
    return [{ from: pointOf(place), bend: bendOf(place, at), isUsed: !own && status.reach !== 'none' && (last === undefined ? place.node.gateway?.isChosen === true : isLast) }]
  })
  return { at, lines }
}

/** Around this box, which has no part in another one's way to the Internet. */
function bendOf({ x, y }: Point, at: Point): Point {
  const aside = x - at.x
  return { x: round(at.x + (aside < 0 ? -1 : 1) * Math.max(Math.abs(aside) * 1.1, MOST_BEND)), y: round(at.y + (y - at.y) * 0.3) }
}

/** In the middle of the hop, which lies straight between the two. */
function payMark(client: Place | undefined, carrier: Place | undefined, state: MeshCarriageJson['state']): PayMark[] {
  if (client === undefined || carrier === undefined) return []
  const angle = (Math.atan2(carrier.y - client.y, carrier.x - client.x) * 180) / Math.PI
  return [{ x: round((client.x + carrier.x) / 2), y: round((client.y + carrier.y) / 2), angle: round(angle), state }]
}

/** `share` of the way round, clockwise from the right of the Internet to its left. */
function angleAt(share: number): number {
  return -Math.PI / 2 + FREE_ANGLE + share * (2 * Math.PI - 2 * FREE_ANGLE)
}

const pointOf = ({ x, y }: Point): Point => ({ x, y })
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const round = (value: number): number => Math.round(value * 10) / 10
