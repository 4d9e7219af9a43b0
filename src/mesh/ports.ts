/**
 * What the parts of the mesh ask of each other, and of the rest of the box. Each part is made by somebody who knows
 * only these shapes: `view/` sees batman-adv, `peers/` talks with other boxes, `metering/` counts and settles what is
 * carried, `uplinks/` picks the way out, `roaming/` moves guests' sessions, `joining/` takes boxes in. `mesh.ts` puts
 * them together. Design, states and failure cases: docs/mesh.md.
 *
 * Words: a *box* is named by the address of its own key (`BoxId`); an *originator* is batman-adv's name of a node (a MAC);
 * a *carrier* forwards a *client's* bytes one hop; amounts are smallest units of the token in which a price is.
 */
import type { Address, Cancel, Clock, Hash, Log, Randomness, Timers } from '../base/index.ts'

/** Address of a box's own key; what it signs can be checked by everybody. */
export type BoxId = Address
/** `aa:bb:cc:dd:ee:ff`, lower case. */
export type Mac = string

// ---- the box's signature over the mesh's own documents

/**
 * A document is RLP. What is signed: keccak256("meshbox " ‖ kind ‖ " 1\0" ‖ RLP), so that no document can pass for one of
 * another kind, for a transaction or for a payment. Signatures are 65 bytes r ‖ s ‖ v with low s.
 */
export type DocumentKind = 'price' | 'reading' | 'ticket' | 'roam-claim' | 'invitation' | 'expulsion' | 'binding'

export interface Documents {
  readonly self: BoxId
  sign(kind: DocumentKind, payload: Uint8Array): Uint8Array
  /** Whose signature it is; null: of nobody. */
  signer(kind: DocumentKind, payload: Uint8Array, signature: Uint8Array): BoxId | null
}

// ---- view: what batman-adv knows

export type MeshCondition =
  | { readonly kind: 'up' }
  /** Why there is nothing to see, for people; it is looked at again when the kernel tells of a change, and every 10 s. */
  | { readonly kind: 'no-module' | 'no-interface' | 'idle' | 'refused'; readonly reason: string }

/** TQ (0–255) with BATMAN_IV, kbit/s with BATMAN_V; the other is null. */
export interface LinkQuality {
  readonly tq: number | null
  readonly throughputKbit: number | null
}

export interface MeshNode extends LinkQuality {
  readonly originator: Mac
  /** The neighbour through whom traffic goes; of a node that is gone: went last. */
  readonly nextHop: Mac | null
  readonly interfaceName: string | null
  readonly lastSeenMs: number | null
  readonly isNeighbour: boolean
  /** What it announces as a gateway, or did last; null: it is none. */
  readonly gateway: { readonly downKbit: number; readonly upKbit: number; readonly isChosen: boolean } | null
  /** Boottime ms since when it is seen without a gap, or, where it is gone, since when it is gone. */
  readonly sinceMs: number
  readonly isGone: boolean
}

export interface MeshClient {
  readonly mac: Mac
  readonly vlan: number | null
  /** Null: of this box. */
  readonly originator: Mac | null
  readonly isRoaming: boolean
}

export interface MeshState {
  readonly condition: MeshCondition
  readonly sinceMs: number
  readonly algorithm: 'BATMAN_IV' | 'BATMAN_V' | null
  /** This box's name among originators. */
  readonly self: Mac | null
  /** Including, for `goneForMs`, those that left. At most `MAX_MESH_NODES`. */
  readonly nodes: readonly MeshNode[]
  readonly clients: readonly MeshClient[]
}

export type MeshChange =
  | { readonly kind: 'condition'; readonly condition: MeshCondition }
  | { readonly kind: 'node-came' | 'node-left' | 'next-hop' | 'gateway'; readonly node: MeshNode }
  /** A guest device is now at another node (translation table with the roaming flag, or a new announcement). */
  | { readonly kind: 'client-moved'; readonly mac: Mac; readonly from: Mac | null; readonly to: Mac | null }

export const MAX_MESH_NODES = 512
export const MAX_MESH_CLIENTS = 4096

export interface MeshView {
  state(): MeshState
  on(listener: (change: MeshChange) => void): Cancel
  /** Reads now. One reading at a time; joined by who asks meanwhile. */
  refresh(): Promise<void>
}

// ---- peers: other boxes over libp2p

/** Where a connection came from. Each has its own allowance, and protocols may be shut to one. */
export type PeerSide = 'mesh' | 'internet'

export interface PeerProtocol {
  /** `/meshbox/price/1`; one long-lived stream per peer, frames with their length before them. */
  readonly name: string
  readonly maxFrameBytes: number
  /** What may wait for a peer that reads slowly; above it `send` says false. */
  readonly maxQueuedBytes: number
  /** A peer that sends more is penalised. */
  readonly maxFramesPerSecond: number
  readonly maxBytesPerSecond: number
  readonly sides: readonly PeerSide[]
}

/** Order is kept while connected; delivery is not promised. Who sends is known: noise showed the peer id, a binding its box. */
export interface PeerLane {
  /** False: not connected, or it does not read. */
  send(to: BoxId, frame: Uint8Array): boolean
  onFrame(listener: (from: BoxId, frame: Uint8Array) => void): Cancel
  /** It speaks this protocol and can be sent to. */
  onOpen(listener: (peer: BoxId, side: PeerSide) => void): Cancel
  onClose(listener: (peer: BoxId) => void): Cancel
  /** Breach of the protocol, 1–100 points; 100 within ten minutes: banned for as long again each time, at most a day. */
  penalise(peer: BoxId, points: number, reason: string): void
}

export interface PeerStatus {
  readonly box: BoxId
  readonly peerId: string
  readonly side: PeerSide
  /** `/ip6/fd…/tcp/40003`. */
  readonly address: string
  /** batman-adv's name, where it is a neighbour of this mesh and told it. */
  readonly originator: Mac | null
  readonly name: string
  readonly isConnected: boolean
  readonly sinceMs: number
  readonly roundTripMs: number | null
  readonly penalty: number
  readonly bannedUntilMs: number | null
  readonly banReason: string | null
  readonly protocols: readonly string[]
}

export interface PeerNode {
  readonly self: BoxId
  /** Before `start`. Each name once. */
  open(protocol: PeerProtocol): PeerLane
  peers(): readonly PeerStatus[]
  /** One question, one answer on a lane made for questions; rejects when there is none in `timeoutMs`. */
  openQuestions(protocol: PeerProtocol, answer: (from: BoxId, question: Uint8Array) => Promise<Uint8Array | null>): PeerQuestions
  dial(address: string): Promise<void>
  /** Never again until taken back; written down. */
  ban(box: BoxId, reason: string): Promise<void>
  pardon(box: BoxId): Promise<void>
}

export interface PeerQuestions {
  ask(to: BoxId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  onOpen(listener: (peer: BoxId, side: PeerSide) => void): Cancel
  onClose(listener: (peer: BoxId) => void): Cancel
}

/** Said into the link every second (UDP6 multicast on the mesh interface only; performance.md §4 why not mDNS). */
export interface Beacon {
  readonly box: BoxId
  readonly peerId: Uint8Array
  /** ULA of the sender on the mesh interface, and its port. */
  readonly ip6: string
  readonly port: number
  /** First 8 bytes of the community's key hash: others are not dialled. */
  readonly community: Uint8Array
  readonly originator: Mac | null
}

// ---- metering: bytes carried, counted on both ends

/** Cumulative since `epoch`; only forwarded traffic, not what ends in the box itself. */
export interface CarriedBytes {
  /** From the client towards the uplink, and back. */
  readonly up: bigint
  readonly down: bigint
}

/** The kernel's counters (netdev tables on the hard interfaces, ethertype 0x4305; qemu.md). */
export interface LinkCounters {
  readonly neighbour: Mac
  /** What came from the neighbour / went to it, as batman-adv unicast frames, without what is for or of this box itself. */
  readonly receivedBytes: bigint
  readonly sentBytes: bigint
  readonly receivedPackets: bigint
  readonly sentPackets: bigint
}

/** Signed by the box that sells; the newest sequence counts. */
export interface PriceAdvert {
  readonly box: BoxId
  readonly sequence: number
  /** Photon account that is to be paid, and in what. */
  readonly payee: Address
  readonly token: Address
  /** To the Internet and back through this box, all hops behind it included. Null: no way out now. */
  readonly unitsPerMiB: bigint | null
  /** Of it, what this box keeps. */
  readonly ownUnitsPerMiB: bigint
  /** Seconds the advert holds after it was received; 10–600. */
  readonly validSeconds: number
  /** Hops to the uplink: 0 has one itself. */
  readonly hops: number
  /** Nobody behind it may be dearer or longer: these are who is paid in turn. */
  readonly via: readonly BoxId[]
}

/** One end's figure. Both ends sign their own; the two together are the evidence of an earning. */
export interface Reading {
  readonly carrier: BoxId
  readonly client: BoxId
  /** 8 random bytes of the carrier: a new one where counters began anew. */
  readonly epoch: Uint8Array
  readonly sequence: number
  readonly bytes: CarriedBytes
  /** Of the advert by which the bytes since the last reading count. */
  readonly priceSequence: number
  /** Number of the last exchange of which the carrier has both figures; 0: none. This one counts from there. */
  readonly after: number
  /**
   * What both had agreed on up to `after`, in 2⁻²⁰ of a unit: units × bytes, so that nothing is
   * rounded before it is paid. Both ends sign the same sum, or the carriage ends.
   */
  readonly owedParts: bigint
  readonly token: Address
}

export type CarriageState = 'offered' | 'running' | 'in-debt' | 'ended'

export interface CarriageView {
  readonly carrier: BoxId
  readonly client: BoxId
  readonly isOurs: 'carrier' | 'client'
  readonly state: CarriageState
  /** Why it is in debt or ended, for people. Amounts in it stand as `12 units`: who shows it knows the token's decimals. */
  readonly reason: string | null
  readonly bytes: CarriedBytes
  readonly owed: bigint
  readonly paid: bigint
  /** Neither paid nor written off. */
  readonly open: bigint
  readonly writtenOff: bigint
  /** It ended, and may begin anew only after its rest, or when the owner says so. */
  readonly isResting: boolean
  readonly token: Address
  readonly lastReadingMs: number | null
}

/** Cuts or opens what a client may send through this box. In the kernel, before batman-adv forwards. */
export interface CarriageGate {
  setAllowed(neighbours: ReadonlyMap<Mac, 'open' | 'closed'>): Promise<void>
}

/** Photon, as metering needs it. */
export interface CarriagePayer {
  /** Cumulative: the receiver books what is new. Resolves when it is on both disks; rejects with why not. */
  pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly reference: Hash }): Promise<void>
  /** A payment that carried a reference of ours, durable on our side. */
  onPaid(listener: (payment: { readonly from: Address; readonly token: Address; readonly amount: bigint; readonly reference: Hash }) => void): Cancel
}

// ---- uplinks

export type UplinkKind = 'ethernet' | 'lte' | 'satellite' | 'wifi' | 'neighbour'
export type UplinkHealth = 'unknown' | 'good' | 'poor' | 'down'

export interface UplinkState {
  readonly name: string
  readonly kind: UplinkKind
  readonly interfaceName: string
  readonly health: UplinkHealth
  readonly roundTripMs: number | null
  /** Of the last probes, 0–1. */
  readonly loss: number
  /** What it costs this box; 0 where it is flat. */
  readonly unitsPerMiB: bigint
  readonly isChosen: boolean
  readonly sinceMs: number
  readonly reason: string
}

/** What guests are told. */
export type Reach = 'internet' | 'intermittent' | 'none'

export interface Uplinks {
  states(): readonly UplinkState[]
  reach(): { readonly reach: Reach; readonly sinceMs: number }
  on(listener: (chosen: UplinkState | null, reach: Reach) => void): Cancel
}

/** The kernel's routes and batman-adv's gateway mode. */
export interface UplinkRoutes {
  choose(interfaceName: string | null): Promise<void>
  announceGateway(mode: { readonly kind: 'server'; readonly downKbit: number; readonly upKbit: number } | { readonly kind: 'client' }): Promise<void>
}

export interface UplinkProbe {
  /** A real exchange over exactly this interface: TCP or DNS to the configured targets. */
  probe(interfaceName: string, target: string, timeoutMs: number): Promise<{ readonly ok: boolean; readonly roundTripMs: number; readonly reason: string }>
}

// ---- roaming

/** What the box that sold a session says of it, for another box to let the guest in. Signed by the seller. */
export interface RoamTicket {
  readonly seller: BoxId
  readonly sessionId: string
  readonly mac: Mac
  /** Hash of the bearer key of the session; who shows the key may move it. */
  readonly bearerHash: Hash
  readonly leftSeconds: number
  readonly leftBytes: bigint | null
  /** What a second is worth between boxes of different owners. */
  readonly unitsPerMinute: bigint
  readonly token: Address | null
  /** Rises with every move; the highest with a valid proof is where the session is. */
  readonly counter: number
  readonly holder: BoxId
  /** So many seconds away from the seller are charged before the guest's key is shown; null: nothing need be shown. */
  readonly proofAfterSeconds: number | null
}

// ---- joining

/** What is on the code that a new box scans. Nothing secret but the Wi-Fi/mesh parameters that joining needs. */
export interface Invitation {
  readonly community: Address
  readonly name: string
  /** Community's chain: hash of the join file, and where neighbours hand it out. */
  readonly chainFileHash: Hash | null
  readonly meshId: string
  readonly meshChannel: number
  /** SAE password of the mesh; empty: open. */
  readonly meshSecret: string
  readonly ulaPrefix: string
  readonly contract: Address | null
  readonly tokens: readonly { readonly address: Address; readonly symbol: string; readonly decimals: number }[]
  readonly issuedBy: BoxId
  /** 16 random bytes; may be used `uses` times until the issuer takes it back. */
  readonly nonce: Uint8Array
}

// ---- what the room is given

export interface MeshTools {
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  readonly documents: Documents
}
