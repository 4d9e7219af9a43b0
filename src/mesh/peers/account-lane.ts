/**
 * A lane between accounts instead of boxes, for a room whose partners are named by another key of theirs (a payment
 * account). The first frame each way proves that the account's key knows the peer id that noise has shown; frames flow
 * after it. Of two boxes that prove the same account the newer one counts. It has the shape of a transport that connects,
 * paces and cuts, so that such a room need not know this one.
 *
 * The lane is opened before the node starts; the room behind it may come later (`bind`), and a box may be welcome later than it
 * connects (`look`). So a proof is said to who is welcome and not before, and one that came too early is kept.
 */
import type { Address, Cancel, Log } from '../../base/index.ts'
import type { BoxId } from '../ports.ts'
import type { PacedLane } from './lane.ts'
import type { BoxPeerNode } from './parts.ts'

const UNPROVED_POINTS = 5
const MALFORMED_POINTS = 20
const MAX_PROOF_BYTES = 256

/** What ties a peer id to an account. */
export interface AccountBinding {
  /** What this box says of its own. */
  prove(ownPeerId: Uint8Array): Uint8Array
  /** Whose account `peerId` is; null: the proof proves nothing. */
  check(peerId: Uint8Array, proof: Uint8Array): Address | null
}

export interface AccountLaneParts {
  readonly account: Address
  /** Null: `bind` gives it. */
  readonly binding: AccountBinding | null
  /** Whether money may be between this box and that one. Left out: with all. */
  readonly isWelcome?: (box: BoxId) => boolean
  /** The wire's. */
  readonly ownPeerId: Uint8Array
  readonly lane: PacedLane
  readonly node: Pick<BoxPeerNode, 'peerIdOf' | 'addresses' | 'dial'>
  readonly log: Log
}

export class AccountLane {
  readonly self: Address
  readonly #parts: AccountLaneParts
  readonly #accounts = new Map<BoxId, Address>()
  readonly #boxes = new Map<Address, BoxId>()
  readonly #frames = new Set<(from: Address, frame: Uint8Array) => void>()
  readonly #connected = new Set<(peer: Address) => void>()
  readonly #disconnected = new Set<(peer: Address) => void>()
  readonly #cancels: Cancel[]
  /** As they came, while the box is connected. */
  readonly #proofs = new Map<BoxId, Uint8Array>()
  /** That were told ours on this connection. */
  readonly #told = new Set<BoxId>()
  #binding: AccountBinding | null

  constructor(parts: AccountLaneParts) {
    const { lane } = parts
    this.self = parts.account
    this.#parts = parts
    this.#binding = parts.binding
    this.#cancels = [
      lane.onOpen((box) => this.#lookAt(box)),
      lane.onFrame((box, frame) => this.#onFrame(box, frame)),
      lane.onClose((box) => {
        this.#proofs.delete(box)
        this.#told.delete(box)
        this.#forget(box)
      }),
    ]
  }

  /** The room behind it is there, and boxes that are connected are met; null: it has gone, and may come again. */
  bind(binding: AccountBinding | null): void {
    this.#binding = binding
    if (binding === null) for (const box of [...this.#accounts.keys()]) this.#forget(box)
    else this.look()
  }

  /** Who is welcome may have changed. */
  look(): void {
    for (const box of this.#parts.lane.openPeers()) this.#lookAt(box)
  }

  /** The node is started by who owns it. */
  start(): Promise<void> {
    return Promise.resolve()
  }

  addresses(): readonly string[] {
    return this.#parts.node.addresses()
  }

  /** Who answered is told by `onConnected`. Errors: what the node says. */
  dial(address: string): Promise<void> {
    return this.#parts.node.dial(address)
  }

  /** Hears nothing any more; connections stay, they are others' too. */
  close(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.bind(null)
    return Promise.resolve()
  }

  /** False: not connected, or it does not read. */
  send(to: Address, frame: Uint8Array): boolean {
    const box = this.#boxes.get(to)
    return box !== undefined && this.#parts.lane.send(box, frame)
  }

  isConnected(peer: Address): boolean {
    return this.#boxes.has(peer)
  }

  pause(peer: Address): void {
    this.#withBox(peer, (box) => this.#parts.lane.pause(box))
  }

  resume(peer: Address): void {
    this.#withBox(peer, (box) => this.#parts.lane.resume(box))
  }

  disconnect(peer: Address, reason: string): void {
    this.#withBox(peer, (box) => this.#parts.lane.disconnect(box, reason))
  }

  /** Of which box an account is, while it is connected. */
  boxOf(account: Address): BoxId | null {
    return this.#boxes.get(account) ?? null
  }

  /** Connected ones. */
  accounts(): readonly Address[] {
    return [...this.#boxes.keys()]
  }

  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel {
    return added(this.#frames, listener)
  }

  onConnected(listener: (peer: Address) => void): Cancel {
    return added(this.#connected, listener)
  }

  onDisconnected(listener: (peer: Address) => void): Cancel {
    return added(this.#disconnected, listener)
  }

  #onFrame(box: BoxId, frame: Uint8Array): void {
    const account = this.#accounts.get(box)
    if (account !== undefined) {
      const own = frame.slice() // it is kept until it is on disk, longer than what it is a window on
      for (const listener of this.#frames) listener(account, own)
      return
    }
    if (this.#proofs.has(box)) return // not met: what it says is nobody's
    if (frame.length > MAX_PROOF_BYTES) return this.#parts.lane.penalise(box, MALFORMED_POINTS, 'its first frame is no proof')
    this.#proofs.set(box, frame.slice())
    this.#lookAt(box)
  }

  #lookAt(box: BoxId): void {
    const { lane, isWelcome, ownPeerId } = this.#parts
    const binding = this.#binding
    if (binding === null) return
    if (isWelcome?.(box) === false) return this.#forget(box)
    if (!this.#told.has(box) && lane.send(box, binding.prove(ownPeerId))) this.#told.add(box)
    const proof = this.#proofs.get(box) ?? NO_PROOF
    if (proof.length > 0 && !this.#accounts.has(box)) this.#meet(box, proof, binding)
  }

  #meet(box: BoxId, proof: Uint8Array, binding: AccountBinding): void {
    const { node, lane, log } = this.#parts
    const peerId = node.peerIdOf(box)
    const account = peerId === null ? null : binding.check(peerId, proof)
    if (account === null || account === this.self) {
      this.#proofs.set(box, NO_PROOF) // looked at once
      log.warn('a box has no account with us: its account did not sign for its peer id, or it pays by another contract', { box })
      return lane.penalise(box, UNPROVED_POINTS, 'its account did not sign for its peer id')
    }
    const before = this.#boxes.get(account)
    if (before !== undefined) {
      log.warn('an account is at another box now', { account, before, box })
      this.#forget(before)
      lane.disconnect(before, 'its account is at another box now')
    }
    this.#accounts.set(box, account)
    this.#boxes.set(account, box)
    for (const listener of this.#connected) listener(account)
  }

  #forget(box: BoxId): void {
    const account = this.#accounts.get(box)
    if (account === undefined) return
    this.#accounts.delete(box)
    this.#boxes.delete(account)
    for (const listener of this.#disconnected) listener(account)
  }

  #withBox(peer: Address, act: (box: BoxId) => void): void {
    const box = this.#boxes.get(peer)
    if (box !== undefined) act(box)
  }
}

const NO_PROOF = new Uint8Array(0)

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}
