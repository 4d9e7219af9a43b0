/** The mesh: boxes, what they ask and are paid for carrying, ways out, who belongs to the community. Boxes are `0x` and 40 lower-case hex digits; originators are MAC addresses. */
import type { Money, TokenJson } from './amounts.ts'

export type MeshStandingJson = 'admitted' | 'provisional' | 'stranger' | 'expelled'

export interface MeshAlarmJson {
  readonly code: string
  readonly text: string
  readonly forSeconds: number | null
}

export interface MeshStatusJson {
  readonly self: string
  readonly community: string
  /** This box's own. */
  readonly standing: MeshStandingJson
  /** This box signs for the community: it invites and expels. */
  readonly isOurs: boolean
  readonly condition: { readonly kind: 'up' | 'no-module' | 'no-interface' | 'idle' | 'refused'; readonly reason: string | null }
  readonly algorithm: 'BATMAN_IV' | 'BATMAN_V' | null
  readonly originator: string | null
  readonly nodes: number
  readonly guests: number
  /** Boxes it talks with. */
  readonly connected: number
  readonly reach: 'internet' | 'intermittent' | 'none'
  /** Name of the way out; null: another box's, or none. */
  readonly uplink: string | null
  /** Ways out that are bought from a paid hotspot. */
  readonly purchases: readonly MeshPurchaseJson[]
  /** That carrying is paid in; null: nothing is paid. */
  readonly token: TokenJson | null
  /** For a MiB, all hops behind this box included; null: it carries for nobody now. */
  readonly price: Money | null
  readonly alarms: readonly MeshAlarmJson[]
}

export interface MeshPurchaseJson {
  readonly uplink: string
  /** Null: nothing is paid now. */
  readonly paidForSeconds: number | null
  /** In the day that runs, orders under way included. */
  readonly spent: Money
  readonly cap: Money
  /** What may be spent is, and what was bought is used up. */
  readonly isSpent: boolean
  readonly reason: string
}

export interface MeshPeerJson {
  readonly box: string
  readonly name: string
  readonly standing: MeshStandingJson
  readonly standingReason: string
  readonly isConnected: boolean
  readonly side: 'mesh' | 'internet'
  readonly address: string
  readonly originator: string | null
  readonly roundTripMs: number | null
  readonly penalty: number
  /** Null: it is not banned. `forSeconds` null: for good, by this box's owner. */
  readonly ban: { readonly forSeconds: number | null; readonly reason: string } | null
}

export interface MeshPeersJson {
  readonly peers: readonly MeshPeerJson[]
  /** All that are known, also those that are not connected. */
  readonly members: readonly { readonly box: string; readonly standing: MeshStandingJson; readonly reason: string }[]
}

export interface MeshCarriageJson {
  readonly carrier: string
  readonly client: string
  readonly isOurs: 'carrier' | 'client'
  readonly state: 'offered' | 'running' | 'in-debt' | 'ended' | 'silent'
  readonly reason: string | null
  readonly upBytes: number
  readonly downBytes: number
  readonly owed: Money
  readonly paid: Money
  /** Neither paid nor written off. */
  readonly open: Money
  /** It ended, and begins anew after ten minutes or when it is readmitted. */
  readonly isResting: boolean
  /** What the amounts are in. */
  readonly token: TokenJson
}

export interface MeshEndRequest {
  /** Told to the other box; at most 160 characters. */
  readonly reason?: string
}

/** A guest of this box who is at another. */
export interface MeshAwayGuestJson {
  /** The device. */
  readonly mac: string
  readonly sessionId: string
  readonly holder: string
  /** He is there; null: on his way. */
  readonly forSeconds: number | null
  /** Since the other box last said what he used; null: it has not yet. */
  readonly heardSecondsAgo: number | null
  readonly leftSeconds: number
  /** Away from here, in all. */
  readonly usedSeconds: number
  readonly usedBytes: number
  /** It was used in two places at once: only its code or its key moves it now. */
  readonly isContested: boolean
}

/** Another box's guest who is here. */
export interface MeshVisitorJson {
  readonly mac: string
  readonly sessionId: string
  readonly seller: string
  readonly isIn: boolean
  /** Why he is not in. */
  readonly reason: string | null
  readonly leftSeconds: number
  readonly usedSeconds: number
  readonly usedBytes: number
  /** What its seller pays for a minute; null: nothing. */
  readonly price: Money | null
  readonly token: TokenJson | null
}

/** What two boxes owe each other for guests, ever. */
export interface MeshGuestDebtJson {
  readonly box: string
  /** `seller`: this box pays for its guests there; `holder`: it is paid for guests here. */
  readonly isOurs: 'seller' | 'holder'
  readonly token: TokenJson
  readonly owed: Money
  readonly paid: Money
  readonly open: Money
  /** So long something is open; null: nothing is. */
  readonly forSeconds: number | null
}

export interface MeshGuestsJson {
  /** False: the gate is at the box with the way out alone, or this box has no guests: no session has to move. */
  readonly walks: boolean
  readonly away: readonly MeshAwayGuestJson[]
  readonly visitors: readonly MeshVisitorJson[]
  readonly debts: readonly MeshGuestDebtJson[]
}

export interface MeshUplinkJson {
  readonly name: string
  readonly kind: 'ethernet' | 'lte' | 'satellite' | 'wifi' | 'neighbour'
  readonly interfaceName: string
  readonly health: 'unknown' | 'good' | 'poor' | 'down'
  readonly roundTripMs: number | null
  /** 0 to 1. */
  readonly loss: number
  readonly cost: Money
  readonly isChosen: boolean
  readonly forSeconds: number
  readonly reason: string
}

export interface MeshNodeJson {
  readonly originator: string | null
  readonly box: string | null
  readonly name: string | null
  readonly standing: MeshStandingJson | null
  readonly isSelf: boolean
  readonly isGone: boolean
  /** Since when it is there without a gap, or gone; null: batman-adv does not know it. */
  readonly forSeconds: number | null
  readonly isGateway: boolean
  /** What it announces; `isChosen`: this box's traffic to the Internet goes there. */
  readonly gateway: { readonly downKbit: number; readonly upKbit: number; readonly isChosen: boolean } | null
  readonly isNeighbour: boolean
  /** It talks with this box. */
  readonly isConnected: boolean
  readonly price: Money | null
  readonly hops: number | null
}

export interface MeshMapJson {
  readonly nodes: readonly MeshNodeJson[]
  readonly links: readonly { readonly to: string; readonly via: string; readonly tq: number | null; readonly throughputKbit: number | null; readonly isGone: boolean }[]
  readonly payments: readonly MeshCarriageJson[]
  readonly uplinks: readonly MeshUplinkJson[]
}

export interface MeshPricesJson {
  readonly token: TokenJson | null
  /** What this box says. */
  readonly own: { readonly price: Money | null; readonly share: Money; readonly hops: number; readonly via: readonly string[] } | null
  readonly adverts: readonly { readonly box: string; readonly price: Money | null; readonly share: Money; readonly hops: number; readonly leftSeconds: number; readonly refusal: string | null }[]
  readonly carriages: readonly MeshCarriageJson[]
  /** On being carried, in the day that runs (24 hours in which the box ran); null: nothing is counted or paid here. */
  readonly spending: { readonly spent: Money; readonly cap: Money; readonly leftSeconds: number } | null
}

export interface MeshPathJson {
  readonly to: string
  readonly box: string | null
  /** Null: it is a neighbour. */
  readonly nextHop: string | null
  readonly tq: number | null
  readonly throughputKbit: number | null
  /** Boxes that this box's bytes take to the Internet; empty: its own way out, or none. */
  readonly wayOut: readonly string[]
}

/** All that the dashboard's page shows, in one answer. */
export interface MeshViewJson {
  readonly status: MeshStatusJson
  readonly map: MeshMapJson
  readonly prices: Pick<MeshPricesJson, 'own' | 'adverts' | 'spending'>
  readonly peers: readonly MeshPeerJson[]
  readonly members: MeshPeersJson['members']
  /** Boxes that this box's bytes take to the Internet; empty: its own way out, or none. */
  readonly wayOut: readonly string[]
  /** Empty on another box than the community's own. */
  readonly invitations: MeshInvitationsJson['invitations']
  readonly guests: MeshGuestsJson
}

export interface MeshInvitationsJson {
  readonly invitations: readonly { readonly number: number; readonly uses: number; readonly usedBy: readonly string[]; readonly leftSeconds: number | null }[]
}

export interface MeshInviteRequest {
  /** Boxes it is for; default 1. */
  readonly uses?: number
  /** Days that this box runs until it is taken back; left out: until it is used up. */
  readonly days?: number
}

export interface MeshInviteReply {
  readonly number: number
  /** To be shown as a QR code, or pasted; whoever has it can join, and knows the password of the mesh. */
  readonly code: string
  readonly qr: QrJson
}

/** Dark areas as the path of an SVG with fill-rule evenodd, one unit a module; a quiet zone of 4 around them is the reader's right. */
export interface QrJson {
  readonly modules: number
  readonly path: string
}

export interface MeshBanRequest {
  /** For the owner himself, later; at most 160 characters. */
  readonly reason?: string
}

/** Whether the box belongs to a community, as its files say it; what is in force only after a restart counts already. */
export interface MeshJoiningJson {
  /** Null: to none. */
  readonly community: { readonly address: string; readonly name: string } | null
  /** The service runs with something else than the files say: restart the box. */
  readonly needsRestart: boolean
  /** `undo` would put the files back as they were. */
  readonly canUndo: boolean
}

/**
 * `join`: by `code`. `begin`: a community of this box's own, `name` and `channel` of the radio's mesh (36). `leave`. `undo`: the files as
 * they were before `join` or `begin`. Without `apply` nothing is written: the answer says what would be.
 */
export interface MeshJoinRequest {
  readonly do: 'join' | 'begin' | 'leave' | 'undo'
  readonly code?: string
  readonly name?: string
  readonly channel?: number
  readonly apply?: boolean
}

export interface MeshJoinReply {
  /** Null where it is left, or undone. */
  readonly community: { readonly address: string; readonly name: string; readonly meshId: string; readonly meshChannel: number; readonly hasPassword: boolean } | null
  /** Passwords are never in it. `from` null: not there before; `to` null: not there after. */
  readonly changes: readonly { readonly option: string; readonly from: string | null; readonly to: string | null }[]
  readonly notes: readonly string[]
  readonly isWritten: boolean
}
