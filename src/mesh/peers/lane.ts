/** One protocol with all peers: who is open on it, and who listens. The streams themselves are each link's (link.ts). */
import { MeshBoxError, inputError } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { BoxId, PeerLane, PeerProtocol, PeerSide } from '../ports.ts'
import type { Channel } from './channel.ts'
import { MAX_FRAME_LIMIT } from './frames.ts'
import { CONTROL_PROTOCOL, MAX_PROTOCOL_BYTES } from './hello.ts'

/**
 * Frames are handed on as windows on what was read: who keeps one for long copies it. A listener that throws ends the
 * connection, with points for the peer: what it sent was not understood.
 *
 * A lane that can hold one peer back without keeping its frames, as a consumer needs that writes to disk.
 */
export interface PacedLane extends PeerLane {
  isOpen(peer: BoxId): boolean
  openPeers(): readonly BoxId[]
  /** The peer's frames stay in the network until `resume`; those that were read already are kept, none is handed on. */
  pause(peer: BoxId): void
  resume(peer: BoxId): void
  /** Ends the connection with all its lanes: it is dialled again. */
  disconnect(peer: BoxId, reason: string): void
}

/** What a lane asks of the node. */
export interface LaneOwner {
  penalise(peer: BoxId, points: number, reason: string): void
  disconnect(peer: BoxId, reason: string): void
  /** A listener of ours threw when it was told of a peer that came or went. */
  listenerFailed(protocol: string, thrown: unknown): void
}

export class Lane implements PacedLane {
  readonly protocol: PeerProtocol
  readonly #owner: LaneOwner
  readonly #channels = new Map<BoxId, { readonly channel: Channel; readonly side: PeerSide }>()
  readonly #frames = new Set<(from: BoxId, frame: Uint8Array) => void>()
  readonly #opens = new Set<(peer: BoxId, side: PeerSide) => void>()
  readonly #closes = new Set<(peer: BoxId) => void>()

  constructor(protocol: PeerProtocol, owner: LaneOwner) {
    checkProtocol(protocol)
    this.protocol = protocol
    this.#owner = owner
  }

  /** The frame must not be changed afterwards. */
  send(to: BoxId, frame: Uint8Array): boolean {
    return this.#channels.get(to)?.channel.send(frame) ?? false
  }

  isOpen(peer: BoxId): boolean {
    return this.#channels.has(peer)
  }

  openPeers(): readonly BoxId[] {
    return [...this.#channels.keys()]
  }

  pause(peer: BoxId): void {
    this.#channels.get(peer)?.channel.pause()
  }

  resume(peer: BoxId): void {
    this.#channels.get(peer)?.channel.resume()
  }

  penalise(peer: BoxId, points: number, reason: string): void {
    this.#owner.penalise(peer, points, `${this.protocol.name}: ${reason}`)
  }

  disconnect(peer: BoxId, reason: string): void {
    this.#owner.disconnect(peer, reason)
  }

  onFrame(listener: (from: BoxId, frame: Uint8Array) => void): Cancel {
    return added(this.#frames, listener)
  }

  onOpen(listener: (peer: BoxId, side: PeerSide) => void): Cancel {
    return added(this.#opens, listener)
  }

  onClose(listener: (peer: BoxId) => void): Cancel {
    return added(this.#closes, listener)
  }

  // ---- told by links

  opened(peer: BoxId, side: PeerSide, channel: Channel): void {
    this.#channels.set(peer, { channel, side })
    // Who could not be told of it does not wait for it either: it goes, and comes again.
    if (!this.#tell(this.#opens, (listener) => listener(peer, side))) this.#owner.disconnect(peer, 'this box failed at its coming')
  }

  arrived(from: BoxId, frame: Uint8Array): void {
    for (const listener of this.#frames) listener(from, frame)
  }

  closed(peer: BoxId, channel: Channel): void {
    if (this.#channels.get(peer)?.channel !== channel) return
    this.#channels.delete(peer)
    this.#tell(this.#closes, (listener) => listener(peer))
  }

  /** Everybody is told, whoever throws. False: somebody did. */
  #tell<T>(listeners: ReadonlySet<T>, tell: (listener: T) => void): boolean {
    let isWell = true
    for (const listener of listeners) {
      try {
        tell(listener)
      } catch (thrown) {
        isWell = false
        this.#owner.listenerFailed(this.protocol.name, thrown)
      }
    }
    return isWell
  }
}

/** Errors: input, naming what a protocol may not be. */
function checkProtocol({ name, maxFrameBytes, maxQueuedBytes, maxFramesPerSecond, maxBytesPerSecond, sides }: PeerProtocol): void {
  if (!/^(\/[a-z0-9.-]+)+$/.test(name) || name.length > MAX_PROTOCOL_BYTES || name === CONTROL_PROTOCOL) throw inputError('protocol.name', name, `/name/version of at most ${MAX_PROTOCOL_BYTES} characters, not ${CONTROL_PROTOCOL}`)
  if (!(maxFrameBytes >= 1 && maxFrameBytes <= MAX_FRAME_LIMIT)) throw inputError('protocol.maxFrameBytes', maxFrameBytes, `1..${MAX_FRAME_LIMIT}`)
  if (!(maxQueuedBytes >= maxFrameBytes + 4)) throw inputError('protocol.maxQueuedBytes', maxQueuedBytes, 'room for one frame of the largest size and its length')
  if (!(maxFramesPerSecond > 0)) throw inputError('protocol.maxFramesPerSecond', maxFramesPerSecond, 'more than 0')
  if (!(maxBytesPerSecond > 0)) throw inputError('protocol.maxBytesPerSecond', maxBytesPerSecond, 'more than 0')
  if (sides.length === 0) throw inputError('protocol.sides', 'none', 'mesh, internet or both')
}

export function noSuchPeer(peer: BoxId): MeshBoxError {
  return new MeshBoxError('unavailable', `${peer} is not connected, or does not speak this`, { code: 'peer-gone', retryAfterSeconds: 10 })
}

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}
