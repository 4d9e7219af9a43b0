/**
 * The door for nodes of the original Photon: their packets, one to a datagram, raw (photon.md 2.5, 2.6). A datagram's source
 * says nothing of who sent it, so nothing gets past this door that the account in whose name it speaks has not signed;
 * what needs no signature is an acknowledgement, and that only ends a resend (F8).
 *
 * Storing, acknowledging what is stored and sending again are the node's (node/engine.ts). What UDP and the original add:
 *
 * - An acknowledgement goes back to where the packet came from.
 * - Settle and withdraw requests wait until the packet with a nonce before them has arrived: the original takes both in order.
 * - When a packet stays without an answer the one before it goes out again with it: if that one's acknowledgement was forged,
 *   the partner has a gap and refuses everything until it is closed.
 * - Packets of one address, and of all whom nobody knows, are limited before a signature is looked at.
 */
import { RateLimit } from '../../base/index.ts'
import type { Address, Cancel, Clock, Hash, Log, Timers } from '../../base/index.ts'
import type { PacedTransport } from '../node/index.ts'
import type { Decoded, Message, Wire } from '../ports.ts'
import { MAX_PACKET_BYTES, echoHash } from '../wire/index.ts'
import type { Keccak } from '../wire/index.ts'
import type { Place, Places } from './places.ts'

export interface DatagramSocket {
  /** Where it listens. */
  readonly local: Place
  /** Never throws; a datagram may be lost. */
  send(bytes: Uint8Array, to: Place): void
  close(): Promise<void>
}

/** A socket that hears a group. */
export interface GroupSocket extends DatagramSocket {
  /** Joins again: the kernel forgets it when the interface goes, or loses its address. Never throws. */
  renew(): void
}

export interface LanDoorParts {
  readonly self: Address
  readonly wire: Wire
  readonly keccak: Keccak
  /** Null: nobody made this signature. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null
  /** The other side of a channel of ours; null: there is none of that name. */
  partnerOf(channel: Hash): Address | null
  /** The newest nonce that the partner has used in a channel of ours; 0: none. */
  nonceOf(channel: Hash): bigint
  readonly places: Places
  readonly maxPeers: number
  /** Errors: what the network says, if the address cannot be listened at. */
  openSocket(onDatagram: (bytes: Uint8Array, from: Place) => void): Promise<DatagramSocket>
  /** Whether a datagram may come from there: the network that the door is for. */
  isNear(host: string): boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

/** Datagrams of one address. */
const PER_HOST = { burst: 256, perSecond: 128 } as const
/** Signatures looked at for an address at which nobody is known, and for all of those together. */
const STRANGER = { burst: 16, perSecond: 4 } as const
const STRANGERS = { burst: 128, perSecond: 32 } as const
/** And for each at which somebody is. */
const KNOWN = { burst: 256, perSecond: 128 } as const
const SWEEP_MS = 1_000
/** Who has sent nonsense under his own signature is not heard for so long. */
const SHUT_MS = 60_000
/** Sources of packets that wait for their acknowledgement. */
const MAX_ECHOES = 2_048
/** Sent so often without an answer, the packet before goes along. */
const DOUBT_AFTER_SENDS = 3
const MAX_LINES = 4_096
const MAX_AWAITED = 8_192

type Listener = (from: Address, frame: Uint8Array) => void

/** What of a channel is on its way to the partner. */
interface Line {
  readonly to: Address
  echo: Hash | null
  packet: Uint8Array
  sends: number
  /** Acknowledged, or so it was said. */
  before: Uint8Array | null
}

export interface DoorCounts {
  /** Heard by the node. */
  readonly taken: number
  /** Too long, not to be read, from elsewhere, too many, unsigned or in another's name. */
  readonly dropped: number
}

export class LanDoor implements PacedTransport {
  readonly self: Address
  readonly #parts: LanDoorParts
  readonly #frames = new Set<Listener>()
  readonly #connectedListeners = new Set<(peer: Address) => void>()
  readonly #gone = new Set<(peer: Address) => void>()
  readonly #connected = new Set<Address>()
  readonly #paused = new Set<Address>()
  readonly #shut = new Map<Address, number>()
  readonly #perHost = new RateLimit(PER_HOST)
  readonly #stranger = new RateLimit(STRANGER)
  readonly #strangers = new RateLimit(STRANGERS)
  readonly #known = new RateLimit(KNOWN)
  readonly #sources = new Map<Hash, Place>()
  readonly #lines = new Map<Hash, Line>()
  /** What an acknowledgement may name, and whose it has to be. */
  readonly #awaited = new Map<Hash, Address>()
  /** Where somebody is who matters: its packets do not compete with strangers'. */
  #knownHosts: ReadonlySet<string> = new Set()
  #socket: DatagramSocket | null = null
  #cancel: Cancel = () => undefined
  #taken = 0
  #dropped = 0

  constructor(parts: LanDoorParts) {
    this.self = parts.self
    this.#parts = parts
  }

  get counts(): DoorCounts {
    return { taken: this.#taken, dropped: this.#dropped }
  }

  get local(): Place | null {
    return this.#socket?.local ?? null
  }

  get connected(): readonly Address[] {
    return [...this.#connected]
  }

  async start(): Promise<void> {
    this.#socket = await this.#parts.openSocket((bytes, from) => this.#take(bytes, from))
    this.#cancel = this.#parts.timers.every(SWEEP_MS, () => this.look())
    this.look()
  }

  async close(): Promise<void> {
    this.#cancel()
    const socket = this.#socket
    this.#socket = null
    await socket?.close()
    for (const peer of this.#connected) this.#lose(peer)
  }

  /** Takes in what has become known of places. */
  look(): void {
    const { places, clock, maxPeers } = this.#parts
    if (this.#socket === null) return
    const now = clock.boottimeMs()
    places.sweep(now)
    const all = places.all(now)
    this.#knownHosts = new Set(all.flatMap(({ account, place }) => (places.matters(account) ? [place.host] : [])))
    for (const [peer, untilMs] of this.#shut) if (untilMs <= now) this.#shut.delete(peer)
    const live = new Set(all.flatMap(({ account }) => (this.#shut.has(account) ? [] : [account])))
    for (const peer of this.#connected) if (!live.has(peer)) this.#lose(peer)
    for (const peer of live) {
      // Names cost nothing on a LAN; channels do.
      if (this.#connected.has(peer) || (this.#connected.size >= maxPeers && !places.matters(peer))) continue
      this.#connected.add(peer)
      for (const listener of this.#connectedListeners) listener(peer)
    }
  }

  send(to: Address, frame: Uint8Array): boolean {
    const { places, clock, wire } = this.#parts
    const socket = this.#socket
    if (socket === null || !this.#connected.has(to)) return this.#answerUnplaced(to, frame)
    const place = places.of(to, clock.boottimeMs())
    if (place === null) return false
    const decoded = wire.decode(frame)
    if ('refused' in decoded) {
      this.#parts.log.error('photon v1: a packet of our own cannot be read', { to, reason: decoded.refused })
      return false
    }
    const { message } = decoded
    if (message.kind === 'ack') socket.send(frame, this.#sourceOf(message.echo) ?? place)
    else if ('envelope' in message) this.#sendInLine(socket, place, to, message.envelope.channel, frame)
    else if (!this.#waitsInLine(message)) {
      this.#await(echoHash(this.#parts.keccak, frame, to), to)
      socket.send(frame, place)
    }
    return true
  }

  onFrame(listener: Listener): Cancel {
    return added(this.#frames, listener)
  }

  onConnected(listener: (peer: Address) => void): Cancel {
    return added(this.#connectedListeners, listener)
  }

  onDisconnected(listener: (peer: Address) => void): Cancel {
    return added(this.#gone, listener)
  }

  /** What comes meanwhile is dropped: it is sent again. */
  pause(peer: Address): void {
    this.#paused.add(peer)
  }

  resume(peer: Address): void {
    this.#paused.delete(peer)
  }

  disconnect(peer: Address, reason: string): void {
    const { clock, log } = this.#parts
    log.warn('photon v1: a node is not heard for a while', { peer, reason })
    this.#shut.set(peer, clock.boottimeMs() + SHUT_MS)
    this.#lose(peer)
  }

  // ---- what comes in

  #take(bytes: Uint8Array, from: Place): void {
    const account = this.#accepted(bytes, from)
    if (account === null) {
      this.#dropped++
      return
    }
    this.#taken++
  }

  /** Who has said it; null: it is not heard. */
  #accepted(bytes: Uint8Array, from: Place): Address | null {
    const { wire, clock, isNear, places } = this.#parts
    const now = clock.boottimeMs()
    if (bytes.length === 0 || bytes.length > MAX_PACKET_BYTES || !isNear(from.host)) return null
    if (this.#perHost.take(from.host, now) > 0) return null
    const decoded = wire.decode(bytes)
    if ('refused' in decoded) return null
    const { message } = decoded
    if (message.kind === 'ack') return this.#takeAck(message, bytes, from, now)
    const claimed = this.#claimed(message)
    if (claimed === null && namesChannel(message)) return null
    if (!this.#mayCost(from.host, now)) return null
    const signer = this.#signer(decoded)
    if (signer === null || signer === this.self || (claimed !== null && signer !== claimed)) return null
    if (this.#paused.has(signer) || this.#shut.has(signer)) return null
    if (message.kind === 'ping') return this.#answerPing(bytes, signer, from)
    this.#remember(echoHash(this.#parts.keccak, bytes, this.self), from)
    // Only a channel's partner: who speaks of a payment alone may be anybody.
    if (claimed !== null && places.heard(signer, from, now, this.#isFresh(message))) this.look()
    for (const listener of this.#frames) listener(signer, bytes)
    return signer
  }

  /** Whether a signature is looked at for this address. */
  #mayCost(host: string, now: number): boolean {
    if (this.#knownHosts.has(host)) return this.#known.take(host, now) === 0
    return this.#stranger.take(host, now) === 0 && this.#strangers.take('all', now) === 0
  }

  /** Unsigned: from where its sender is, it may end a resend. */
  #takeAck(message: Extract<Message, { kind: 'ack' }>, bytes: Uint8Array, from: Place, now: number): Address | null {
    const { sender, echo } = message
    const place = this.#parts.places.of(sender, now)
    if (place === null || place.host !== from.host || this.#awaited.get(echo) !== sender || this.#shut.has(sender)) return null
    this.#awaited.delete(echo)
    for (const line of this.#lines.values())
      if (line.to === sender && line.echo === echo) {
        line.before = line.packet
        line.echo = null
      }
    for (const listener of this.#frames) listener(sender, bytes)
    return sender
  }

  /** Not a copy: the partner has just used that nonce. */
  #isFresh(message: Message): boolean {
    return 'envelope' in message && message.envelope.nonce === this.#parts.nonceOf(message.envelope.channel) + 1n
  }

  #claimed(message: Message): Address | null {
    const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
    return key === null ? null : this.#parts.partnerOf(key.channel)
  }

  #signer({ digest, signature }: Decoded): Address | null {
    return digest === null || signature === null ? null : this.#parts.recover(digest, signature)
  }

  /** The original asks so whether we are there. Nothing is stored for it; a stranger gets no answer. */
  #answerPing(bytes: Uint8Array, signer: Address, from: Place): Address | null {
    const { wire, keccak, places, clock } = this.#parts
    if (places.of(signer, clock.boottimeMs()) === null) return null
    this.#socket?.send(wire.prepare({ kind: 'ack', sender: this.self, echo: echoHash(keccak, bytes, this.self) }).seal(UNSIGNED), from)
    return signer
  }

  // ---- what goes out

  /** An acknowledgement is owed also to one whose place is not kept: there are as many as are. */
  #answerUnplaced(to: Address, frame: Uint8Array): boolean {
    const decoded = this.#parts.wire.decode(frame)
    if ('refused' in decoded || decoded.message.kind !== 'ack' || this.#shut.has(to)) return false
    const source = this.#sourceOf(decoded.message.echo)
    if (source === null || this.#socket === null) return false
    this.#socket.send(frame, source)
    return true
  }

  #sendInLine(socket: DatagramSocket, place: Place, to: Address, channel: Hash, packet: Uint8Array): void {
    const echo = echoHash(this.#parts.keccak, packet, to)
    this.#await(echo, to)
    let line = this.#lines.get(channel)
    if (line === undefined) {
      if (this.#lines.size >= MAX_LINES) this.#lines.delete(this.#lines.keys().next().value ?? channel)
      this.#lines.set(channel, (line = { to, echo, packet, sends: 0, before: null }))
    } else if (line.echo !== echo) {
      // The one before has its acknowledgement, or the node has read it in another way.
      if (line.echo !== null) line.before = line.packet
      Object.assign(line, { echo, packet, sends: 0 })
    }
    line.sends++
    if (line.sends >= DOUBT_AFTER_SENDS && line.before !== null) socket.send(line.before, place)
    socket.send(packet, place)
  }

  /** The node sends it again; by then the way may be free. */
  #waitsInLine(message: Message): boolean {
    return (message.kind === 'settle-request' || message.kind === 'withdraw-request') && (this.#lines.get(message.key.channel)?.echo ?? null) !== null
  }

  #await(echo: Hash, to: Address): void {
    this.#awaited.delete(echo)
    if (this.#awaited.size >= MAX_AWAITED) this.#awaited.delete(this.#awaited.keys().next().value ?? echo)
    this.#awaited.set(echo, to)
  }

  #remember(echo: Hash, from: Place): void {
    this.#sources.delete(echo)
    if (this.#sources.size >= MAX_ECHOES) this.#sources.delete(this.#sources.keys().next().value ?? echo)
    this.#sources.set(echo, from)
  }

  #sourceOf(echo: Hash): Place | null {
    const source = this.#sources.get(echo) ?? null
    this.#sources.delete(echo)
    return source
  }

  #lose(peer: Address): void {
    if (!this.#connected.delete(peer)) return
    this.#paused.delete(peer)
    for (const listener of this.#gone) listener(peer)
  }
}

const UNSIGNED = new Uint8Array(0)

function namesChannel(message: Message): boolean {
  return 'envelope' in message || 'key' in message
}

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}
