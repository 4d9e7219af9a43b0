/**
 * Connections of any kind as one transport between accounts: a hello in both directions says whose account is at the
 * other end, then frames flow. Frames sent in one loop turn leave as one write. One link per account: the newer one
 * replaces the older one; when both ends dialled at the same time, both keep the one that the lower account dialled.
 */
import type { Address, Cancel, Clock, Log, Timers } from '../../../base/index.ts'
import { FrameReader, joinFrames } from '../framing.ts'
import type { PacedTransport } from '../ports.ts'

/** A two-way stream of bytes, already encrypted or not. */
export interface BytePipe {
  write(bytes: Uint8Array): void
  /** Bytes that were written and have not left yet. */
  queuedBytes(): number
  pause(): void
  resume(): void
  close(): void
}

/** How one end shows who it is. Frames of the hello come before all others. */
export interface Hello {
  /** Said at once. */
  first(): Uint8Array
  /** What to say to the peer's next frame of the hello; `peer` when it has shown who it is. */
  next(frame: Uint8Array): { readonly say: Uint8Array | null; readonly peer: Address | null } | { readonly refused: string }
}

export interface PeerLinksOptions {
  readonly self: Address
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly maxPeers: number
  /** Whose place a stranger cannot hold: partners in channels, boxes the owner knows. Asked only when there is no room. */
  readonly keeps: (peer: Address) => boolean
}

const HELLO_TIMEOUT_MS = 10_000
/** Connections that have not said who they are. */
const MAX_STRANGERS = 32
/** A hello is one frame each way: time enough for it on a slow mesh. */
const STRANGERS_OWN_MS = 2_000
/** A peer that does not read is not sent to any more; the outbox remembers. */
const MAX_QUEUED_BYTES = 2 * 1024 * 1024
const SAME_TIME_MS = 3_000

interface Link {
  readonly pipe: BytePipe
  readonly isOutbound: boolean
  readonly since: number
  readonly reader: FrameReader
  readonly hello: Hello
  peer: Address | null
  isClosed: boolean
  cancelTimeout: Cancel
  outgoing: Uint8Array[]
}

/** What the owner of the pipe calls. */
export interface LinkEnds {
  onBytes(bytes: Uint8Array): void
  onClosed(): void
}

export class PeerLinks implements PacedTransport {
  readonly self: Address
  readonly #options: PeerLinksOptions
  readonly #links = new Map<Address, Link>()
  readonly #strangers = new Set<Link>()
  readonly #frameListeners = new Set<(from: Address, frame: Uint8Array) => void>()
  readonly #connectedListeners = new Set<(peer: Address) => void>()
  readonly #disconnectedListeners = new Set<(peer: Address) => void>()

  constructor(options: PeerLinksOptions) {
    this.self = options.self
    this.#options = options
  }

  /** A new connection. Its pipe is closed at once when there are too many. */
  adopt(pipe: BytePipe, isOutbound: boolean, hello: Hello): LinkEnds {
    const link: Link = {
      pipe,
      isOutbound,
      since: this.#options.clock.boottimeMs(),
      reader: new FrameReader(),
      hello,
      peer: null,
      isClosed: false,
      cancelTimeout: () => undefined,
      outgoing: [],
    }
    if (!this.#hasRoomForStranger(link.since)) {
      this.#close(link, 'too many connections that have not said who they are')
    } else {
      this.#strangers.add(link)
      link.cancelTimeout = this.#options.timers.after(HELLO_TIMEOUT_MS, () => this.#close(link, 'it did not say who it is'))
      this.#write(link, hello.first())
    }
    return { onBytes: (bytes) => this.#onBytes(link, bytes), onClosed: () => this.#close(link, null) }
  }

  send(to: Address, frame: Uint8Array): boolean {
    const link = this.#links.get(to)
    if (link === undefined || link.pipe.queuedBytes() > MAX_QUEUED_BYTES) return false
    this.#write(link, frame)
    return true
  }

  isConnected(peer: Address): boolean {
    return this.#links.has(peer)
  }

  peers(): readonly Address[] {
    return [...this.#links.keys()]
  }

  pause(peer: Address): void {
    this.#links.get(peer)?.pipe.pause()
  }

  resume(peer: Address): void {
    this.#links.get(peer)?.pipe.resume()
  }

  disconnect(peer: Address, reason: string): void {
    const link = this.#links.get(peer)
    if (link !== undefined) this.#close(link, reason)
  }

  closeAll(): void {
    for (const link of [...this.#links.values(), ...this.#strangers]) this.#close(link, null)
  }

  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel {
    this.#frameListeners.add(listener)
    return () => this.#frameListeners.delete(listener)
  }

  onConnected(listener: (peer: Address) => void): Cancel {
    this.#connectedListeners.add(listener)
    return () => this.#connectedListeners.delete(listener)
  }

  onDisconnected(listener: (peer: Address) => void): Cancel {
    this.#disconnectedListeners.add(listener)
    return () => this.#disconnectedListeners.delete(listener)
  }

  #write(link: Link, frame: Uint8Array): void {
    link.outgoing.push(frame)
    if (link.outgoing.length > 1) return
    queueMicrotask(() => {
      const frames = link.outgoing
      link.outgoing = []
      if (!link.isClosed) link.pipe.write(joinFrames(frames))
    })
  }

  #onBytes(link: Link, bytes: Uint8Array): void {
    if (link.isClosed) return
    const frames = link.reader.push(bytes)
    if ('refused' in frames) return this.#close(link, frames.refused)
    for (const frame of frames) {
      if (link.isClosed) return
      if (link.peer === null) this.#onHello(link, frame)
      else for (const listener of this.#frameListeners) listener(link.peer, frame)
    }
  }

  #onHello(link: Link, frame: Uint8Array): void {
    const answer = link.hello.next(frame)
    if ('refused' in answer) return this.#close(link, answer.refused)
    if (answer.say !== null) this.#write(link, answer.say)
    if (answer.peer !== null) this.#welcome(link, answer.peer)
  }

  #welcome(link: Link, peer: Address): void {
    if (peer === this.self) return this.#close(link, 'it is ourselves')
    const older = this.#links.get(peer)
    if (older === undefined && this.#links.size >= this.#options.maxPeers && !this.#makeRoom(peer)) return this.#close(link, 'too many peers')
    if (older !== undefined) {
      const isSameTime = older.isOutbound !== link.isOutbound && link.since - older.since < SAME_TIME_MS
      if (isSameTime && older.isOutbound === this.self < peer) return this.#close(link, null)
      this.#close(older, null)
    }
    this.#strangers.delete(link)
    link.cancelTimeout()
    link.peer = peer
    this.#links.set(peer, link)
    for (const listener of this.#connectedListeners) listener(peer)
  }

  /** Silent connections must not keep the door shut: one that has had its time to speak gives way to a new one. */
  #hasRoomForStranger(now: number): boolean {
    if (this.#strangers.size < MAX_STRANGERS) return true
    const [oldest] = this.#strangers
    if (oldest === undefined || now - oldest.since < STRANGERS_OWN_MS) return false
    this.#close(oldest, 'its place is wanted, and it has not said who it is')
    return true
  }

  /** Accounts cost nothing: whoever fills all places must not keep those away with whom there is money to move. */
  #makeRoom(peer: Address): boolean {
    const { keeps } = this.#options
    if (!keeps(peer)) return false
    for (const [other, link] of this.#links) {
      if (keeps(other)) continue
      this.#close(link, 'its place is wanted for a partner')
      return true
    }
    return false
  }

  /** `reason` null: nothing worth telling. */
  #close(link: Link, reason: string | null): void {
    if (link.isClosed) return
    link.isClosed = true
    link.cancelTimeout()
    this.#strangers.delete(link)
    if (reason !== null) this.#options.log.info('photon: a connection was ended', { peer: link.peer ?? 'unknown', reason })
    link.pipe.close()
    if (link.peer === null || this.#links.get(link.peer) !== link) return
    this.#links.delete(link.peer)
    for (const listener of this.#disconnectedListeners) listener(link.peer)
  }
}
