/**
 * The mesh for its owner: what is there, who talks with this box, who carries for whom at what price, which way leads out,
 * and what is wrong. Joins what the parts say and decides nothing about them; amounts are smallest units, times boottime.
 */
import { MeshBoxError } from '../base/index.ts'
import type { Address } from '../base/index.ts'
import type { Community, InviteOrder, Issued, MemberView, Standing } from './joining/index.ts'
import { FOR_GOOD_MS } from './peers/index.ts'
import type { RoamGuests } from './roaming/index.ts'
import type { BoxId, CarriageState, CarriedBytes, Mac, MeshCondition, MeshNode, MeshView, PeerNode, PeerStatus, PriceAdvert, Reach, UplinkState, Uplinks } from './ports.ts'

/** A hop of this box: it carries, or is carried. */
export interface DeskCarriage {
  readonly carrier: BoxId
  readonly client: BoxId
  readonly isOurs: 'carrier' | 'client'
  /** `silent`: the partner does not talk. */
  readonly state: CarriageState | 'silent'
  /** Amounts in it stand as `12 units`. */
  readonly reason: string | null
  readonly bytes: CarriedBytes
  readonly owed: bigint
  readonly paid: bigint
  /** Neither paid nor written off. */
  readonly open: bigint
  readonly writtenOff: bigint
  /** It may begin anew only after its rest, or when readmitted. */
  readonly isResting: boolean
  readonly token: Address
}

export interface DeskAdvert extends Pick<PriceAdvert, 'box' | 'unitsPerMiB' | 'ownUnitsPerMiB' | 'hops'> {
  readonly leftSeconds: number
  /** Why it is not taken; null: it may be. */
  readonly refusal: string | null
}

/** Metering, as the desk reads it. */
export interface DeskRelay {
  carriages(): readonly DeskCarriage[]
  /** Of neighbours. */
  adverts(): readonly DeskAdvert[]
  /** What this box says itself; null: nothing yet. */
  ownAdvert(): Pick<PriceAdvert, 'unitsPerMiB' | 'ownUnitsPerMiB' | 'hops' | 'via'> | null
  alarms(): readonly { readonly box: BoxId; readonly reason: string; readonly atMs: number }[]
  /** On being carried, in the day that runs. */
  spending(): { readonly spent: bigint; readonly cap: bigint; readonly leftMs: number }
  /** As RelayDesk. */
  end(box: BoxId, reason: string): Promise<void>
  readmit(box: BoxId): Promise<void>
  writeOff(box: BoxId): Promise<void>
}

export interface MeshAlarm {
  /** Stable: `twin`, `batman-adv`, `expelled`. */
  readonly code: string
  readonly text: string
  readonly sinceMs: number | null
}

/** A way out that is bought from a paid hotspot. Amounts in `reason` stand as `12 units`. */
export interface DeskPurchase {
  readonly uplink: string
  readonly paidUntilMs: number | null
  readonly spentInDay: bigint
  readonly cap: bigint
  /** What may be spent is, and what was bought is used up. */
  readonly isSpent: boolean
  readonly reason: string
}

export interface DeskBox extends PeerStatus {
  readonly standing: Standing
  readonly standingReason: string
  /** `untilMs` null: until its owner takes it back. */
  readonly ban: { readonly untilMs: number | null; readonly reason: string } | null
}

export interface MeshStatus {
  readonly self: BoxId
  readonly community: Address
  readonly standing: Standing
  /** This box signs for the community. */
  readonly isOurs: boolean
  readonly condition: MeshCondition
  readonly algorithm: 'BATMAN_IV' | 'BATMAN_V' | null
  readonly originator: Mac | null
  readonly nodes: number
  readonly guests: number
  readonly connected: number
  readonly reach: Reach
  readonly uplink: string | null
  readonly purchases: readonly DeskPurchase[]
  readonly token: Address | null
  /** What this box asks for a MiB, all hops behind it included; null: it carries for nobody now. */
  readonly unitsPerMiB: bigint | null
  readonly alarms: readonly MeshAlarm[]
}

/** A box or a node of batman-adv that is no box we talk with. */
export interface MapNode {
  readonly originator: Mac | null
  readonly box: BoxId | null
  readonly name: string | null
  readonly standing: Standing | null
  readonly isSelf: boolean
  readonly node: MeshNode | null
  /** Of its advert. */
  readonly unitsPerMiB: bigint | null
  readonly hops: number | null
}

export interface MeshMap {
  readonly nodes: readonly MapNode[]
  /** Links of this box, and through whom everybody else is reached. */
  readonly links: readonly { readonly to: Mac; readonly via: Mac; readonly tq: number | null; readonly throughputKbit: number | null; readonly isGone: boolean; readonly sinceMs: number }[]
  readonly payments: readonly DeskCarriage[]
  readonly uplinks: readonly UplinkState[]
}

export interface MeshPrices {
  readonly token: Address | null
  readonly own: ReturnType<DeskRelay['ownAdvert']>
  readonly adverts: readonly DeskAdvert[]
  readonly carriages: readonly DeskCarriage[]
  /** Null: nothing is counted or paid here. */
  readonly spending: ReturnType<DeskRelay['spending']> | null
}

export interface MeshPath {
  readonly to: Mac
  readonly box: BoxId | null
  /** Neighbour through whom it is reached; null: it is one itself. */
  readonly nextHop: Mac | null
  readonly tq: number | null
  readonly throughputKbit: number | null
}

export interface MeshDesk {
  status(): MeshStatus
  peers(): readonly DeskBox[]
  members(): readonly MemberView[]
  map(): MeshMap
  prices(): MeshPrices
  /** `to`: originator, or box. Errors: not-found `no-mesh-node`. */
  path(to: string): MeshPath
  /** The way out that this box's bytes take, box by box; empty: its own, or none. */
  wayOut(): readonly BoxId[]
  invitations(): readonly Issued[]
  /** Errors: as Community.invite; conflict `no-code-terms` while this box has no mesh to invite to. */
  invite(order: Omit<InviteOrder, 'terms'>): Promise<{ readonly code: string; readonly number: number }>
  takeBack(number: number): Promise<void>
  /** Errors: as Community.expel. */
  expel(box: BoxId): Promise<void>
  pardon(box: BoxId): Promise<void>
  /** This box alone speaks with it no more, whatever the community says. */
  ban(box: BoxId, reason: string): Promise<void>
  unban(box: BoxId): Promise<void>
  /** Nothing more is carried between this box and that one for ten minutes, or until it is readmitted. Errors: not-found `mesh-no-carriage`; conflict `no-relay` where nothing is counted. */
  endCarriage(box: BoxId, reason: string): Promise<void>
  /** Carriages that rest may begin anew at once. Errors: as above. */
  readmit(box: BoxId): Promise<void>
  /** What it owes of carriages that ended, and for its guests here, is no longer asked for. Errors: as above, where there is neither. */
  writeOff(box: BoxId): Promise<void>
  /** Sessions that walk; null: here they do not. */
  guests(): RoamGuests | null
  /** Somebody looks: batman-adv is asked now. Resolves when the map is of now; never rejects. */
  look(): Promise<void>
}

export interface DeskParts {
  readonly view: Pick<MeshView, 'state' | 'refresh'>
  readonly peers: Pick<PeerNode, 'self' | 'peers' | 'ban' | 'pardon'>
  readonly community: Community
  readonly relay: DeskRelay | null
  readonly roaming: { guests(): RoamGuests; writeOff(box: BoxId): Promise<boolean> } | null
  readonly uplinks: Pick<Uplinks, 'states' | 'reach'> | null
  readonly purchases: () => readonly DeskPurchase[]
  readonly token: Address | null
  /** What goes on codes; null: not known, e.g. while the radio's mesh is off. */
  readonly codeTerms: () => InviteOrder['terms'] | null
  /** Of the parts: what could not start, twins, beacons that do not work. */
  readonly alarms: () => readonly MeshAlarm[]
}

export function meshDesk(parts: DeskParts): MeshDesk {
  const { view, peers, community, relay, token } = parts
  const standingOf = (box: BoxId): Pick<DeskBox, 'standing' | 'standingReason'> => ({ standing: community.standing(box), standingReason: community.members().find((member) => member.box === box)?.reason ?? '' })
  const counted = (): DeskRelay => {
    if (relay === null) throw new MeshBoxError('conflict', 'this box neither counts nor pays what is carried', { code: 'no-relay', allowed: 'roles relay and photon, and mesh.token' })
    return relay
  }
  const boxes = (): readonly DeskBox[] => peers.peers().map((peer) => ({ ...peer, ...standingOf(peer.box), ban: banOf(peer) }))
  return {
    status: () => statusOf(parts),
    peers: boxes,
    members: () => community.members(),
    map: () => mapOf(parts),
    prices: () => ({ token, own: relay?.ownAdvert() ?? null, adverts: relay?.adverts() ?? [], carriages: relay?.carriages() ?? [], spending: relay?.spending() ?? null }),
    path(to) {
      const wanted = to.toLowerCase()
      const named = peers.peers().find(({ box, name }) => box === wanted || name === to)
      const node = view.state().nodes.find(({ originator, isGone }) => !isGone && originator === (named?.originator ?? wanted))
      if (node === undefined) throw new MeshBoxError('not-found', `${to} is not in the mesh now`, { code: 'no-mesh-node', field: 'to', value: to, allowed: 'an originator, an address or a name that `meshbox mesh peers` shows' })
      const box = peers.peers().find(({ originator }) => originator === node.originator)?.box ?? null
      return { to: node.originator, box, nextHop: node.isNeighbour && node.nextHop === node.originator ? null : node.nextHop, tq: node.tq, throughputKbit: node.throughputKbit }
    },
    wayOut: () => relay?.ownAdvert()?.via ?? [],
    invitations: () => community.invitations(),
    async invite(order) {
      const terms = parts.codeTerms()
      if (terms === null) throw new MeshBoxError('conflict', "this box's radio has no mesh yet, or its mesh has no addresses: there is nothing to invite to", { code: 'no-code-terms' })
      return community.invite({ ...order, terms })
    },
    takeBack: (number) => community.takeBack(number),
    expel: (box) => community.expel(box),
    pardon: (box) => community.pardon(box),
    ban: (box, reason) => peers.ban(box, reason),
    unban: (box) => peers.pardon(box),
    endCarriage: async (box, reason) => counted().end(box, reason),
    readmit: async (box) => counted().readmit(box),
    async writeOff(box) {
      const hasGuests = (await parts.roaming?.writeOff(box)) ?? false
      try {
        await counted().writeOff(box)
      } catch (thrown) {
        if (!hasGuests || !(thrown instanceof MeshBoxError) || (thrown.code !== 'no-relay' && thrown.code !== 'mesh-no-carriage')) throw thrown
      }
    },
    guests: () => parts.roaming?.guests() ?? null,
    look: () => view.refresh(),
  }
}

function banOf({ bannedUntilMs, banReason }: PeerStatus): DeskBox['ban'] {
  return bannedUntilMs === null ? null : { untilMs: bannedUntilMs === FOR_GOOD_MS ? null : bannedUntilMs, reason: banReason ?? '' }
}

function statusOf({ view, peers, community, relay, uplinks, purchases, token, alarms }: DeskParts): MeshStatus {
  const { condition, algorithm, self, nodes, clients, sinceMs } = view.state()
  const own = relay?.ownAdvert() ?? null
  const standing = community.ownStanding()
  const found: MeshAlarm[] = [...alarms()]
  if (condition.kind !== 'up') found.push({ code: 'batman-adv', text: condition.reason, sinceMs })
  if (standing === 'expelled') found.push({ code: 'expelled', text: 'the community has expelled this box: nobody carries for it', sinceMs: null })
  if (standing === 'stranger') found.push({ code: 'no-paper', text: 'this box has no code of the community: nobody carries for it; join with `meshbox join`', sinceMs: null })
  for (const { uplink, isSpent, reason } of purchases()) if (isSpent) found.push({ code: 'upstream-spent', text: `${uplink} is bought no more today: ${reason}`, sinceMs: null })
  for (const { box, reason, atMs } of relay?.alarms() ?? []) found.push({ code: 'carriage', text: `${box}: ${reason}`, sinceMs: atMs })
  return {
    self: peers.self,
    community: community.address,
    standing,
    isOurs: community.isOurs,
    condition,
    algorithm,
    originator: self,
    nodes: nodes.filter(({ isGone }) => !isGone).length,
    guests: clients.length,
    connected: peers.peers().filter(({ isConnected }) => isConnected).length,
    reach: uplinks?.reach().reach ?? (own?.unitsPerMiB === null || own === null ? 'none' : 'internet'),
    uplink: uplinks?.states().find(({ isChosen }) => isChosen)?.name ?? null,
    purchases: purchases(),
    token,
    unitsPerMiB: own?.unitsPerMiB ?? null,
    alarms: found,
  }
}

function mapOf({ view, peers, community, relay, uplinks }: DeskParts): MeshMap {
  const { self, nodes } = view.state()
  const known = peers.peers()
  const adverts = new Map((relay?.adverts() ?? []).map((advert) => [advert.box, advert]))
  const own = relay?.ownAdvert() ?? null
  const boxNode = (box: BoxId, name: string, originator: Mac | null, node: MeshNode | null): MapNode => {
    const advert = adverts.get(box)
    return { originator, box, name, standing: community.standing(box), isSelf: false, node, unitsPerMiB: advert?.unitsPerMiB ?? null, hops: advert?.hops ?? null }
  }
  const seen = nodes.map((node): MapNode => {
    const peer = known.find(({ originator }) => originator === node.originator)
    if (peer !== undefined) return boxNode(peer.box, peer.name, node.originator, node)
    return { originator: node.originator, box: null, name: null, standing: null, isSelf: false, node, unitsPerMiB: null, hops: null }
  })
  const elsewhere = known.filter(({ originator, isConnected }) => isConnected && !nodes.some((node) => node.originator === originator)).map((peer) => boxNode(peer.box, peer.name, peer.originator, null))
  const me: MapNode = { originator: self, box: peers.self, name: null, standing: community.ownStanding(), isSelf: true, node: null, unitsPerMiB: own?.unitsPerMiB ?? null, hops: own?.hops ?? null }
  return {
    nodes: [me, ...seen, ...elsewhere],
    links: nodes.map(({ originator, nextHop, tq, throughputKbit, isGone, sinceMs }) => ({ to: originator, via: nextHop ?? originator, tq, throughputKbit, isGone, sinceMs })),
    payments: relay?.carriages() ?? [],
    uplinks: uplinks?.states() ?? [],
  }
}
