/**
 * Payment channels between the boxes of a mesh. Their frames, with the gossip of channels and the watchers' jobs in them, go over a
 * lane of the mesh's node between accounts, so that two boxes that know no address of each other pay each other; partners in
 * channels keep their places there. Who has no paper of the community gets no account. docs/mesh.md "Payments"
 */
import type { Address, Cancel, Log, Timers } from '../base/index.ts'
import { AccountLane, type BoxId, type BoxPeerNode, type PeerProtocol } from '../mesh/index.ts'
import type { PeerDoor, PeerDoorTerms } from '../photon/index.ts'
import { JoinedDoor } from './joined-door.ts'

const MIB = 1024 * 1024
/** As payments' own libp2p has it (photon/node): frames of 1,200 bytes, 2 MiB that wait. */
const PHOTON_LANE: PeerProtocol = { name: '/photon/3', maxFrameBytes: 1200, maxQueuedBytes: 2 * MIB, maxFramesPerSecond: 4000, maxBytesPerSecond: 4 * MIB, sides: ['mesh', 'internet'] }
/** A channel may be opened or end while its partner stays connected. */
const LOOK_EVERY_MS = 10_000

export interface MeshPhotonParts {
  readonly hub: Pick<BoxPeerNode, 'open' | 'peerIdOf' | 'addresses' | 'dial' | 'protect' | 'disconnect'>
  /** The node's own. */
  readonly peerId: Uint8Array
  /** That this box pays from. */
  readonly account: Address
  readonly isWelcome: (box: BoxId) => boolean
  /** Left out: all whose account is known. `partners`: those with a channel; to the others nothing is said, and nothing is heard of them. */
  readonly meets?: 'partners'
  readonly timers: Timers
  readonly log: Log
}

export class MeshPhoton {
  readonly #parts: MeshPhotonParts
  readonly #lane: AccountLane
  readonly #kept = new Map<Address, { readonly box: BoxId; readonly cancel: Cancel }>()

  /** Before the node starts. */
  constructor(parts: MeshPhotonParts) {
    const { hub, peerId, account, isWelcome, log } = parts
    this.#parts = parts
    this.#lane = new AccountLane({ account, binding: null, isWelcome, ownPeerId: peerId, lane: hub.open(PHOTON_LANE), node: hub, log })
  }

  /** Who is welcome may have changed. */
  look(): void {
    this.#lane.look()
  }

  /** Of which box an account is, while it is connected. */
  boxOf(account: Address): BoxId | null {
    return this.#lane.boxOf(account)
  }

  /** Of a box that is connected. */
  accountOf(box: BoxId): Address | null {
    return this.#lane.accounts().find((account) => this.#lane.boxOf(account) === box) ?? null
  }

  /** The channels' door: the mesh, and `own` for addresses that the owner named. One at a time. */
  door({ binding, keeps }: Pick<PeerDoorTerms, 'binding' | 'keeps'>, own: PeerDoor): PeerDoor {
    const lane = this.#parts.meets === 'partners' ? new PartnersLane(this.#lane, keeps, (account) => this.#greetAnew(account)) : this.#lane
    let cancels: readonly Cancel[] = []
    const open = (): void => {
      if (cancels.length > 0) return
      cancels = [
        ...(lane instanceof PartnersLane ? [lane.begin()] : []),
        this.#lane.onConnected(() => this.#keepPlaces(keeps)),
        this.#parts.timers.every(LOOK_EVERY_MS, () => {
          this.#keepPlaces(keeps)
          if (lane instanceof PartnersLane) lane.look()
        }),
      ]
      this.#lane.bind(binding)
    }
    const close = (): void => {
      this.#keepPlaces(() => false)
      this.#lane.bind(null) // told to whoever listens
      for (const cancel of cancels) cancel()
      cancels = []
    }
    return new JoinedDoor({
      own,
      mesh: {
        self: lane.self,
        send: (to, frame) => lane.send(to, frame),
        onFrame: (listener) => lane.onFrame(listener),
        onConnected: (listener) => lane.onConnected(listener),
        onDisconnected: (listener) => lane.onDisconnected(listener),
        pause: (peer) => lane.pause(peer),
        resume: (peer) => lane.resume(peer),
        disconnect: (peer, reason) => lane.disconnect(peer, reason),
        open,
        close,
      },
    })
  }

  /** What it said before it was met was heard by nobody: both begin again with a new connection. */
  #greetAnew(account: Address): void {
    const box = this.#lane.boxOf(account)
    if (box !== null) this.#parts.hub.disconnect(box, 'a channel begins: both greet anew')
  }

  /** A partner keeps its place also while it is away. */
  #keepPlaces(keeps: (account: Address) => boolean): void {
    for (const [account, { cancel }] of this.#kept) {
      if (keeps(account)) continue
      cancel()
      this.#kept.delete(account)
    }
    for (const account of this.#lane.accounts()) {
      const box = this.#lane.boxOf(account)
      const before = this.#kept.get(account)
      if (box === null || before?.box === box || !keeps(account)) continue
      before?.cancel()
      this.#kept.set(account, { box, cancel: this.#parts.hub.protect(box, 'photon') })
    }
  }
}

type LaneEnds = Pick<AccountLane, 'self' | 'send' | 'onFrame' | 'onConnected' | 'onDisconnected' | 'pause' | 'resume' | 'disconnect' | 'accounts'>

/** Of a lane, the accounts that have a channel when they come: gossip, jobs and backups are not for anybody who shows a key. */
class PartnersLane implements LaneEnds {
  readonly self: Address
  readonly #lane: LaneEnds
  readonly #isPartner: (account: Address) => boolean
  readonly #onBecame: (account: Address) => void
  readonly #met = new Set<Address>()
  readonly #connected = new Set<(peer: Address) => void>()
  readonly #gone = new Set<(peer: Address) => void>()

  constructor(lane: LaneEnds, isPartner: (account: Address) => boolean, onBecame: (account: Address) => void) {
    this.self = lane.self
    this.#lane = lane
    this.#isPartner = isPartner
    this.#onBecame = onBecame
  }

  /** The cancel comes after the lane has told that all are gone. */
  begin(): Cancel {
    const cancels = [
      this.#lane.onConnected((peer) => {
        if (!this.#isPartner(peer)) return
        this.#met.add(peer)
        for (const listener of this.#connected) listener(peer)
      }),
      this.#lane.onDisconnected((peer) => {
        if (this.#met.delete(peer)) for (const listener of this.#gone) listener(peer)
      }),
    ]
    return () => {
      for (const cancel of cancels) cancel()
    }
  }

  /** A channel may have been opened since they came. */
  look(): void {
    for (const account of this.#lane.accounts()) if (!this.#met.has(account) && this.#isPartner(account)) this.#onBecame(account)
  }

  accounts(): readonly Address[] {
    return [...this.#met]
  }

  send(to: Address, frame: Uint8Array): boolean {
    return this.#met.has(to) && this.#lane.send(to, frame)
  }

  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel {
    return this.#lane.onFrame((from, frame) => {
      if (this.#met.has(from)) listener(from, frame)
    })
  }

  onConnected(listener: (peer: Address) => void): Cancel {
    this.#connected.add(listener)
    return () => this.#connected.delete(listener)
  }

  onDisconnected(listener: (peer: Address) => void): Cancel {
    this.#gone.add(listener)
    return () => this.#gone.delete(listener)
  }

  pause(peer: Address): void {
    this.#lane.pause(peer)
  }

  resume(peer: Address): void {
    this.#lane.resume(peer)
  }

  disconnect(peer: Address, reason: string): void {
    this.#lane.disconnect(peer, reason)
  }
}
