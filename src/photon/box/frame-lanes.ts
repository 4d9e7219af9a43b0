/**
 * One connection for all that boxes say to each other. Payments go as they are; other rooms' frames have a letterhead,
 * since their first bytes would be taken for payments, and pieces where they are longer than a frame may be:
 *
 *   0xf0 gossip, 0xf1 watch ‖ 1: more follows, 0: the last piece ‖ piece
 *
 * All pieces but the last are full: small ones would cost more to keep than they carry. Pieces come in order or not at all: a connection that ends in between takes them with it.
 */
import { concatBytes } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import { MAX_FRAME_BYTES } from '../node/index.ts'
import type { PacedTransport } from '../node/index.ts'
import { MAX_BACKUP_BYTES } from '../watch/index.ts'

/** A box's frames of one kind, to and from those connected now. */
export interface FrameLane {
  neighbours(): readonly Address[]
  send(to: Address, frame: Uint8Array): boolean
  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel
  onConnected(listener: (peer: Address) => void): Cancel
  onDisconnected(listener: (peer: Address) => void): Cancel
}

const LANES = { gossip: 0xf0, watch: 0xf1 } as const
type LaneName = keyof typeof LANES

const HEAD_BYTES = 2
const PIECE_BYTES = MAX_FRAME_BYTES - HEAD_BYTES
/** The longest frame is a backup with its type. */
const MAX_WHOLE_BYTES = MAX_BACKUP_BYTES + 1

export class FrameLanes {
  /** For the node: everything that is not another room's. */
  readonly payments: PacedTransport
  readonly gossip: FrameLane
  readonly watch: FrameLane
  readonly #transport: PacedTransport
  readonly #connected = new Set<Address>()
  readonly #listeners = { payments: new Set<Listener>(), gossip: new Set<Listener>(), watch: new Set<Listener>() }
  /** What has come of frames in pieces, per peer and lane. */
  readonly #unfinished = new Map<string, { readonly pieces: Uint8Array[]; bytes: number }>()
  readonly #cancels: readonly Cancel[]

  constructor(transport: PacedTransport) {
    this.#transport = transport
    this.#cancels = [
      transport.onFrame((from, frame) => this.#take(from, frame)),
      transport.onConnected((peer) => void this.#connected.add(peer)),
      transport.onDisconnected((peer) => this.#forget(peer)),
    ]
    this.payments = {
      self: transport.self,
      send: (to, frame) => transport.send(to, frame),
      onFrame: (listener) => listen(this.#listeners.payments, listener),
      onConnected: (listener) => transport.onConnected(listener),
      onDisconnected: (listener) => transport.onDisconnected(listener),
      pause: (peer) => transport.pause(peer),
      resume: (peer) => transport.resume(peer),
      disconnect: (peer, reason) => transport.disconnect(peer, reason),
    }
    this.gossip = this.#lane('gossip')
    this.watch = this.#lane('watch')
  }

  get connected(): readonly Address[] {
    return [...this.#connected]
  }

  isConnected(peer: Address): boolean {
    return this.#connected.has(peer)
  }

  close(): void {
    for (const cancel of this.#cancels) cancel()
  }

  #lane(name: LaneName): FrameLane {
    return {
      neighbours: () => this.connected,
      send: (to, frame) => this.#sendPieces(to, LANES[name], frame),
      onFrame: (listener) => listen(this.#listeners[name], listener),
      onConnected: (listener) => this.#transport.onConnected(listener),
      onDisconnected: (listener) => this.#transport.onDisconnected(listener),
    }
  }

  #sendPieces(to: Address, letterhead: number, frame: Uint8Array): boolean {
    for (let at = 0; at < frame.length; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES >= frame.length
      if (!this.#transport.send(to, concatBytes(Uint8Array.of(letterhead, isLast ? 0 : 1), frame.subarray(at, at + PIECE_BYTES)))) return false
    }
    return true
  }

  #take(from: Address, frame: Uint8Array): void {
    const name = laneOf(frame[0])
    if (name === null) return tell(this.#listeners.payments, from, frame)
    const whole = this.#joined(from, name, frame)
    if (whole !== null) tell(this.#listeners[name], from, whole)
  }

  /** Null: more is to come, or the peer talks nonsense and is sent away. */
  #joined(from: Address, name: LaneName, frame: Uint8Array): Uint8Array | null {
    const more = frame[1]
    const place = `${name}/${from}`
    const before = this.#unfinished.get(place)
    const bytes = (before?.bytes ?? 0) + frame.length - HEAD_BYTES
    const isFull = frame.length - HEAD_BYTES === PIECE_BYTES
    if ((more !== 0 && more !== 1) || (more === 1 && !isFull) || frame.length === HEAD_BYTES || bytes > MAX_WHOLE_BYTES) {
      this.#unfinished.delete(place)
      this.#transport.disconnect(from, `a ${name} frame in pieces that make no sense`)
      return null
    }
    const piece = frame.slice(HEAD_BYTES)
    if (more === 0) {
      this.#unfinished.delete(place)
      return before === undefined ? piece : concatBytes(...before.pieces, piece)
    }
    if (before === undefined) this.#unfinished.set(place, { pieces: [piece], bytes })
    else {
      before.pieces.push(piece)
      before.bytes = bytes
    }
    return null
  }

  #forget(peer: Address): void {
    this.#connected.delete(peer)
    for (const name of ['gossip', 'watch'] as const) this.#unfinished.delete(`${name}/${peer}`)
  }
}

type Listener = (from: Address, frame: Uint8Array) => void

function laneOf(first: number | undefined): LaneName | null {
  return first === LANES.gossip ? 'gossip' : first === LANES.watch ? 'watch' : null
}

function listen(listeners: Set<Listener>, listener: Listener): Cancel {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function tell(listeners: ReadonlySet<Listener>, from: Address, frame: Uint8Array): void {
  for (const listener of listeners) listener(from, frame)
}
