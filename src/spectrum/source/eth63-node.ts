/**
 * Our place in the eth/63 network: takes calls and makes them, keeps the number of peers within bounds, one
 * connection per node, and keeps out who broke the protocol.
 */
import { RateLimit, asError, inputError, toHex } from '../../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { ChainServer } from '../ports.ts'
import { Dialing } from './dialing.ts'
import type { Enode } from './enode.ts'
import { Eth63Peer, exchangeStatus, identityOf, peerId } from './eth63-peer.ts'
import type { PeerEnd } from './eth63-peer.ts'
import { ACCEPTED_CONNECTIONS, BREACH_BAN_SECONDS, HANDSHAKE_TIMEOUT_MS, MAX_PENDING_HANDSHAKES, MAX_PENDING_HANDSHAKES_PER_ADDRESS, RECEIVE_BUDGET_BYTES, STALL_BAN_SECONDS } from './limits.ts'
import type { SourcePool } from './pool.ts'
import { ReceiveBudget } from './receive-budget.ts'
import { DISCONNECT } from './rlpx/base-protocol.ts'
import { nodeIdOf } from './rlpx/handshake.ts'
import { Unsuited, openRlpx } from './rlpx/open.ts'
import type { Wire } from './rlpx/wire.ts'

/** The network below us. */
export interface WireDoor {
  /** Calls that come in, until closed. Returns the port it listens on. */
  listen(address: string, port: number, onWire: (wire: Wire) => void): Promise<number>
  /** Errors (rejects): unavailable. */
  dial(address: string, port: number): Promise<Wire>
  close(): Promise<void>
}

export interface Eth63NodeParts {
  readonly pool: SourcePool
  readonly server: ChainServer
  readonly door: WireDoor
  readonly curve: Secp256k1
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
}

export interface Eth63Settings {
  /** 32 bytes. Its public key is our node id. Never logged. */
  readonly nodeKey: Uint8Array
  readonly clientName: string
  /** Null: takes no calls. Port 0: any. */
  readonly listen: { readonly address: string; readonly port: number } | null
  readonly staticPeers: readonly Enode[]
  readonly maxPeers: number
}

interface Connected {
  readonly peer: Eth63Peer
  readonly weCalled: boolean
  readonly sinceMs: number
}

const LOOK_MS = 500
const FOUND_DELAY_MS = 3_000
/** Two boxes that call each other at once have two connections for this long at most. */
const CROSSING_MS = 10_000

export class Eth63Node {
  readonly #parts: Eth63NodeParts
  readonly #settings: Eth63Settings
  readonly #ownId: Uint8Array
  readonly #dialing = new Dialing()
  readonly #budget = new ReceiveBudget(RECEIVE_BUDGET_BYTES)
  readonly #accepted: RateLimit = new RateLimit(ACCEPTED_CONNECTIONS, 256)
  readonly #peers = new Map<string, Connected>()
  /** Between call and Status. */
  readonly #pending = new Set<Wire>()
  #dialsUnderWay = 0
  #listenPort = 0
  #stopLooking: Cancel | null = null
  #isClosed = false

  /** Errors: input `nodeKey`, `maxPeers`, `clientName`. */
  constructor(parts: Eth63NodeParts, settings: Eth63Settings) {
    if (settings.nodeKey.length !== 32 || !parts.curve.isPrivateKey(settings.nodeKey)) throw inputError('nodeKey', 'a value that is not shown', '32 bytes, a private key of secp256k1')
    if (!Number.isSafeInteger(settings.maxPeers) || settings.maxPeers < 1 || settings.maxPeers > 100) throw inputError('maxPeers', settings.maxPeers, '1 to 100')
    if (!/^[\x20-\x7e]{1,64}$/.test(settings.clientName)) throw inputError('clientName', settings.clientName, '1 to 64 printable ASCII characters')
    this.#parts = parts
    this.#settings = settings
    this.#ownId = nodeIdOf(parts.curve, settings.nodeKey)
    for (const enode of settings.staticPeers) this.#dialing.addStatic(enode, parts.clock.boottimeMs())
  }

  get nodeId(): Uint8Array {
    return this.#ownId
  }
  /** 0 before `start`, or where it takes no calls. */
  get listenPort(): number {
    return this.#listenPort
  }
  get peerCount(): number {
    return this.#peers.size
  }
  get pendingHandshakes(): number {
    return this.#pending.size
  }
  /** What is kept for all peers together now. */
  get kept(): { readonly budgetBytes: number; readonly outboxBytes: number; readonly knownHashes: number; readonly waitingAnswers: number } {
    const kept = [...this.#peers.values()].map(({ peer }) => peer.kept)
    const sum = (of: (one: (typeof kept)[number]) => number): number => kept.reduce((total, one) => total + of(one), 0)
    return { budgetBytes: this.#budget.usedBytes, outboxBytes: sum((one) => one.outboxBytes), knownHashes: sum((one) => one.knownHashes), waitingAnswers: sum((one) => one.waitingAnswers) }
  }

  /** Errors (rejects): what the door says of an address in use. */
  async start(): Promise<void> {
    const { listen } = this.#settings
    if (listen !== null) this.#listenPort = await this.#parts.door.listen(listen.address, listen.port, (wire) => this.#called(wire))
    this.#stopLooking = this.#parts.timers.every(LOOK_MS, () => this.#look())
    this.#look()
  }

  async stop(): Promise<void> {
    this.#isClosed = true
    this.#stopLooking?.()
    for (const { peer } of this.#peers.values()) peer.close('we stop', DISCONNECT.quitting)
    for (const wire of this.#pending) wire.destroy()
    await this.#parts.door.close()
  }

  /** Of discovery: called while there is room; not at once, since it has found us at the same moment. */
  found(enode: Enode): void {
    const { clock } = this.#parts
    this.#dialing.addFound(enode, clock.boottimeMs() + FOUND_DELAY_MS * this.#dice())
  }

  /** Calls at once whoever it would call at some time. */
  redial(): void {
    this.#dialing.again(this.#parts.clock.boottimeMs())
  }

  #look(): void {
    const { clock, pool } = this.#parts
    const room = Math.min(this.#settings.maxPeers - this.#peers.size, MAX_PENDING_HANDSHAKES) - this.#dialsUnderWay
    const due = this.#dialing.due(clock.boottimeMs(), room, (identity) => this.#peers.has(identity) || pool.isBanned(identity))
    for (const enode of due) void this.#call(enode)
  }

  async #call(enode: Enode): Promise<void> {
    const { door, clock, log } = this.#parts
    const identity = identityOf(enode.nodeId)
    this.#dialsUnderWay++
    let isCalling = true
    const over = (): void => {
      if (isCalling) this.#dialsUnderWay--
      isCalling = false
    }
    let wasUseful = false
    try {
      const wire = await door.dial(enode.address, enode.tcpPort)
      wasUseful = await this.#talk(wire, enode.nodeId, over)
    } catch (thrown) {
      log.debug('no connection', { node: identity.slice(0, 16), address: enode.address, error: asError(thrown).message })
    }
    over()
    this.#dialing.ended(identity, wasUseful, clock.boottimeMs(), this.#dice())
  }

  /** 0 to 1. */
  #dice(): number {
    return (this.#parts.randomness.bytes(1)[0] ?? 0) / 255
  }

  #called(wire: Wire): void {
    const { clock } = this.#parts
    const address = wire.remoteAddress
    const fromThere = [...this.#pending].filter((pending) => pending.remoteAddress === address).length
    const isTooMany = this.#pending.size >= MAX_PENDING_HANDSHAKES || fromThere >= MAX_PENDING_HANDSHAKES_PER_ADDRESS
    // Before any curve arithmetic is spent on it.
    if (this.#isClosed || isTooMany || this.#accepted.take(address, clock.boottimeMs()) > 0) return wire.destroy()
    void this.#talk(wire, null, () => undefined)
  }

  /** From a wire to the end of the peer. True: it became one. */
  async #talk(wire: Wire, calledId: Uint8Array | null, onOpen: () => void): Promise<boolean> {
    const { timers, log } = this.#parts
    this.#pending.add(wire)
    const stopWaiting = timers.after(HANDSHAKE_TIMEOUT_MS, () => wire.destroy())
    try {
      const connected = await this.#open(wire, calledId)
      if (connected === null) return false
      this.#pending.delete(wire)
      stopWaiting()
      onOpen()
      await this.#keep(connected.peer, connected.identity)
      return true
    } catch (thrown) {
      const error = asError(thrown)
      log.debug('handshake failed', { address: wire.remoteAddress, error: error.message })
      if (!(error instanceof Unsuited)) wire.destroy() // an unsuited peer is still being told why
      return false
    } finally {
      this.#pending.delete(wire)
      stopWaiting()
    }
  }

  async #open(wire: Wire, calledId: Uint8Array | null): Promise<{ readonly peer: Eth63Peer; readonly identity: string } | null> {
    const { server, pool, clock, curve } = this.#parts
    const { session } = await openRlpx({ ...this.#parts, ...this.#settings, listenPort: this.#listenPort, budget: this.#budget }, wire, calledId)
    const identity = identityOf(session.remoteId)
    const refusal = this.#refusal(identity, calledId !== null)
    if (refusal !== null) {
      session.close(refusal)
      return null
    }
    const status = await exchangeStatus(session, server)
    // Others may have become peers meanwhile.
    const lateRefusal = this.#refusal(identity, calledId !== null)
    if (lateRefusal !== null) {
      session.close(lateRefusal)
      return null
    }
    this.#peers.get(identity)?.peer.close('another connection of the same node', DISCONNECT.alreadyConnected)
    const peer = new Eth63Peer({ ...this.#parts, session, id: peerId(wire.remoteAddress, wire.remotePort), keccak: curve, listener: pool, fetches: pool.fetches }, status)
    this.#peers.set(identity, { peer, weCalled: calledId !== null, sinceMs: clock.boottimeMs() })
    return { peer, identity }
  }

  #refusal(identity: string, weCalled: boolean): (typeof DISCONNECT)[keyof typeof DISCONNECT] | null {
    if (this.#isClosed) return DISCONNECT.quitting
    if (this.#parts.pool.isBanned(identity)) return DISCONNECT.useless
    const other = this.#peers.get(identity)
    if (other !== undefined) return this.#isBetter(identity, weCalled, other) ? null : DISCONNECT.alreadyConnected
    const hasRoom = this.#peers.size < this.#settings.maxPeers && (weCalled || this.#dialing.isStatic(identity) || this.#hasRoomForCallers())
    return hasRoom ? null : DISCONNECT.tooManyPeers
  }

  /** Where there is somebody to call, half of the places are for those: strangers cannot take them all. */
  #hasRoomForCallers(): boolean {
    const callers = [...this.#peers.values()].filter((peer) => !peer.weCalled).length
    return this.#dialing.size === 0 || callers < Math.ceil(this.#settings.maxPeers / 2)
  }

  /** Two calls that crossed: both sides keep the one that the smaller node id made. */
  #isBetter(identity: string, weCalled: boolean, other: Connected): boolean {
    if (other.weCalled === weCalled || this.#parts.clock.boottimeMs() - other.sinceMs > CROSSING_MS) return false
    return weCalled === toHex(this.#ownId) < identity
  }

  async #keep(peer: Eth63Peer, identity: string): Promise<void> {
    const { pool, log } = this.#parts
    if (!pool.admit(peer.source, identity)) peer.close('no room', DISCONNECT.tooManyPeers)
    log.debug('peer', { source: peer.source.id, node: identity.slice(0, 16) })
    const end = await peer.run()
    if (this.#peers.get(identity)?.peer === peer) this.#peers.delete(identity)
    pool.dismiss(peer.source, end.reason)
    this.#punish(identity, end)
    log.debug('peer gone', { source: peer.source.id, kind: end.kind, reason: end.reason })
  }

  #punish(identity: string, end: PeerEnd): void {
    if (end.kind === 'breach') this.#parts.pool.ban(identity, end.reason, BREACH_BAN_SECONDS)
    if (end.kind === 'stalled') this.#parts.pool.ban(identity, end.reason, STALL_BAN_SECONDS)
  }
}
