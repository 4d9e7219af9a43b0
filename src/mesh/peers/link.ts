/**
 * One connection with one box. On the control stream both say who they are, then that they let each other in; the one that
 * dialled opens a stream for each protocol that both speak. Until both have said welcome there are no lanes.
 */
import { asError, equalBytesConstantTime, hexOf } from '../../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { BoxId, Documents, PeerProtocol, PeerSide } from '../ports.ts'
import { Channel } from './channel.ts'
import type { ChannelOwner } from './channel.ts'
import { CONTROL_PROTOCOL, PING_BYTES, decodeControl, encodeControl, openHello, sealHello } from './hello.ts'
import type { ControlFrame, Farewell, HelloFacts, PeerHello } from './hello.ts'
import type { Lane } from './lane.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { StreamEnds, WireConnection, WireStream } from './wire.ts'

export const HELLO_TIMEOUT_MS = 10_000
const PING_EVERY_MS = 15_000
/** Three pings without an answer. */
export const SILENCE_MS = 46_000
/** Between the farewell and the end. */
const FAREWELL_MS = 100
/** Round trips are smoothed: one in so many counts. */
const SMOOTHING = 4
const MALFORMED_POINTS = 20

/** A hello fits, a flood does not. */
const CONTROL: PeerProtocol = { name: CONTROL_PROTOCOL, maxFrameBytes: 4608, maxQueuedBytes: 16_384, maxFramesPerSecond: 10, maxBytesPerSecond: 8192, sides: ['mesh', 'internet'] }

export interface LinkTools {
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  readonly documents: Documents
  readonly budget: MemoryBudget
  readonly ownPeerId: Uint8Array
  readonly facts: (side: PeerSide) => HelloFacts
}

/** What the node is told; each at most once, but for breaches. */
export interface LinkOwner {
  /** It has shown who it is. The node answers with `welcome` or `end`, now or later. */
  onHello(link: Link, hello: PeerHello): void
  /** Both have said welcome. */
  onReady(link: Link): void
  onBreach(link: Link, points: number, reason: string): void
  onFarewell(link: Link, reason: Farewell): void
  onEnded(link: Link, points: number, reason: string): void
}

export class Link {
  readonly connection: WireConnection
  readonly side: PeerSide
  readonly sinceMs: number
  hello: PeerHello | null = null
  roundTripMs: number | null = null
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #owner: LinkOwner
  readonly #tools: LinkTools
  readonly #channels = new Map<string, Channel>()
  #control: Channel | null = null
  #state: 'hello' | 'deciding' | 'ready' | 'ended' = 'hello'
  #isWelcome = false
  #hasWelcomed = false
  /** Farewell was said. */
  #isLeaving = false
  #pingToken: string | null = null
  #pingMs = 0
  #heardMs: number
  #pongs: (() => void)[] = []
  #cancelHello: Cancel
  #cancelPings: Cancel = () => undefined

  constructor(connection: WireConnection, side: PeerSide, lanes: ReadonlyMap<string, Lane>, owner: LinkOwner, tools: LinkTools) {
    this.connection = connection
    this.side = side
    this.#lanes = lanes
    this.#owner = owner
    this.#tools = tools
    this.sinceMs = tools.clock.boottimeMs()
    this.#heardMs = this.sinceMs
    this.#cancelHello = tools.timers.after(HELLO_TIMEOUT_MS, () => this.end(5, `it did not show who it is in ${HELLO_TIMEOUT_MS} ms`))
  }

  get box(): BoxId | null {
    return this.hello?.box ?? null
  }

  /** Both let each other in. */
  get isReady(): boolean {
    return this.#state === 'ready' && !this.#isLeaving
  }

  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  openProtocols(): readonly string[] {
    return [...this.#channels.keys()]
  }

  /** Of who dialled. */
  start(): void {
    this.connection.openStream(CONTROL_PROTOCOL, (stream) => this.#takeControl(stream)).catch((thrown: unknown) => this.end(0, asError(thrown).message))
  }

  /** A stream that the other end opened; null: refused. */
  onStream(protocol: string, stream: WireStream): StreamEnds | null {
    if (this.isEnded || this.#isLeaving || this.connection.isOutbound) return null // only who dialled opens
    if (protocol === CONTROL_PROTOCOL) return this.#control === null ? this.#takeControl(stream) : null
    return this.#hasWelcomed ? this.#takeLane(protocol, stream) : null
  }

  /** The node lets it in. */
  welcome(): void {
    if (this.#state !== 'deciding' || this.#isLeaving) return
    this.#hasWelcomed = true
    this.#say({ kind: 'welcome' })
    this.#readyIfBoth()
  }

  /** True when it answers in time. */
  probe(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.isEnded) return resolve(false)
      const cancel = this.#tools.timers.after(timeoutMs, () => resolve(false))
      this.#pongs.push(() => {
        cancel()
        resolve(!this.isEnded)
      })
      this.#ping()
    })
  }

  farewell(reason: Farewell, text: string): void {
    if (this.isEnded || this.#isLeaving) return
    this.#isLeaving = true
    this.#say({ kind: 'farewell', reason })
    // For this box the lanes are closed now. Their streams end with the connection: the other end must hear why first.
    const { box } = this
    if (box !== null) for (const [name, channel] of this.#channels) this.#lanes.get(name)?.closed(box, channel)
    this.#cancelHello()
    this.#cancelHello = this.#tools.timers.after(FAREWELL_MS, () => this.end(0, text))
  }

  end(points: number, reason: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#cancelHello()
    this.#cancelPings()
    for (const channel of [...this.#channels.values()]) channel.end(0, reason)
    this.#control?.end(0, reason)
    for (const told of this.#pongs.splice(0)) told()
    this.connection.close(reason)
    this.#owner.onEnded(this, points, reason)
  }

  #takeControl(stream: WireStream): StreamEnds {
    if (this.isEnded) return closedEnds(stream)
    const control = new Channel(CONTROL, stream, this.#channelOwner((frame) => this.#onControl(frame)), this.#tools)
    this.#control = control
    const { documents, ownPeerId, facts } = this.#tools
    this.#say({ kind: 'hello', sealed: sealHello(documents, ownPeerId, this.connection.peerId, facts(this.side)) })
    return control
  }

  #takeLane(protocol: string, stream: WireStream): StreamEnds | null {
    const [lane, box] = [this.#lanes.get(protocol), this.box]
    if (this.isEnded || this.#isLeaving) return null
    if (lane === undefined || box === null || !lane.protocol.sides.includes(this.side) || this.#channels.has(protocol)) return null
    const owner = this.#channelOwner((frame) => this.#isLeaving || lane.arrived(box, frame))
    const channel = new Channel(lane.protocol, stream, {
      ...owner,
      onEnd: (points, reason) => {
        this.#channels.delete(protocol)
        lane.closed(box, channel)
        owner.onEnd(points, reason)
      },
    }, this.#tools)
    this.#channels.set(protocol, channel)
    // After the ends are in place: who hears of it may send at once.
    queueMicrotask(() => {
      if (this.#channels.get(protocol) === channel) lane.opened(box, this.side, channel)
    })
    return channel
  }

  /** A stream that ends takes its connection along: what is lost is found again by dialling, and in no other way. */
  #channelOwner(onFrame: (frame: Uint8Array) => unknown): ChannelOwner {
    return {
      onFrame: (frame) => {
        this.#heardMs = this.#tools.clock.boottimeMs()
        onFrame(frame)
      },
      onBreach: (points, reason) => this.#owner.onBreach(this, points, reason),
      onEnd: (points, reason) => this.end(points, reason),
    }
  }

  #onControl(bytes: Uint8Array): void {
    const frame = decodeControl(bytes)
    if (this.#isLeaving) return
    if (frame.kind === 'hello') return this.#onHello(frame.sealed)
    if (frame.kind === 'farewell') return this.#owner.onFarewell(this, frame.reason)
    if (frame.kind === 'ping') return this.#say({ kind: 'pong', token: frame.token })
    if (frame.kind === 'pong') return this.#onPong(frame.token)
    this.#isWelcome = true
    this.#readyIfBoth()
  }

  #onHello(sealed: Uint8Array): void {
    if (this.#state !== 'hello') return this.end(MALFORMED_POINTS, 'it said twice who it is')
    const { documents, ownPeerId } = this.#tools
    const hello = openHello(documents, this.connection.peerId, ownPeerId, sealed)
    this.hello = hello
    this.#state = 'deciding'
    this.#cancelHello()
    // Also the other end decides within bounds.
    this.#cancelHello = this.#tools.timers.after(HELLO_TIMEOUT_MS, () => this.end(0, 'it did not let us in'))
    this.#owner.onHello(this, hello)
  }

  #readyIfBoth(): void {
    if (!this.#isWelcome || !this.#hasWelcomed || this.#state !== 'deciding') return
    this.#state = 'ready'
    this.#cancelHello()
    this.#cancelPings = this.#tools.timers.every(PING_EVERY_MS, () => this.#keepAlive())
    this.#ping()
    this.#owner.onReady(this)
    if (this.connection.isOutbound) this.#openLanes()
  }

  #openLanes(): void {
    const theirs = new Set(this.hello?.protocols)
    for (const [name, lane] of this.#lanes) {
      if (!theirs.has(name) || !lane.protocol.sides.includes(this.side)) continue
      this.connection
        .openStream(name, (stream) => this.#takeLane(name, stream) ?? closedEnds(stream))
        .catch((thrown: unknown) => this.end(0, `${name}: ${asError(thrown).message}`))
    }
  }

  #keepAlive(): void {
    if (this.#tools.clock.boottimeMs() - this.#heardMs > SILENCE_MS) return this.end(0, `nothing was heard of it for ${SILENCE_MS} ms`)
    this.#ping()
  }

  #ping(): void {
    const token = this.#tools.randomness.bytes(PING_BYTES)
    this.#pingToken = hexOf(token)
    this.#pingMs = this.#tools.clock.boottimeMs()
    this.#say({ kind: 'ping', token })
  }

  #onPong(token: Uint8Array): void {
    if (this.#pingToken !== hexOf(token)) return // of an older one
    this.#pingToken = null
    const tookMs = this.#tools.clock.boottimeMs() - this.#pingMs
    this.roundTripMs = this.roundTripMs === null ? tookMs : this.roundTripMs + (tookMs - this.roundTripMs) / SMOOTHING
    for (const told of this.#pongs.splice(0)) told()
  }

  #say(frame: ControlFrame): void {
    // A control stream that does not take a ping is dead: its silence ends it.
    this.#control?.send(encodeControl(frame))
  }
}

/** Two connections of one run of one box. */
export function isSameRun(a: PeerHello, b: PeerHello): boolean {
  return equalBytesConstantTime(a.instance, b.instance)
}

function closedEnds(stream: WireStream): StreamEnds {
  stream.abort('it is not needed any more')
  return { onBytes: () => undefined, onDrained: () => undefined, onClosed: () => undefined }
}
