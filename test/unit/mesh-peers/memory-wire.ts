/** A network in memory: what one end writes the other reads in a later turn; streams can be held, and swallow what is sent. */
import type { StreamEnds, Wire, WireConnection, WireOwner, WireStream } from '../../../src/mesh/peers/wire.ts'

export class MemoryNet {
  readonly wires = new Map<string, MemoryWire>()
  /** What an address with a name in it means. */
  readonly names = new Map<string, string>()

  /** `host`: an IPv6 address. */
  wire(host: string, peerId: number): MemoryWire {
    const wire = new MemoryWire(this, host, Uint8Array.from({ length: 38 }, (_, at) => (at < 6 ? at : peerId >> (8 * (at % 3)))))
    this.wires.set(wire.address, wire)
    return wire
  }
}

export class MemoryWire implements Wire {
  readonly address: string
  readonly peerId: Uint8Array
  readonly connections = new Set<MemoryConnection>()
  owner: WireOwner | null = null
  dials = 0
  readonly #net: MemoryNet
  #protocols: ReadonlySet<string> = new Set()
  #ports = 50_000
  readonly host: string

  constructor(net: MemoryNet, host: string, peerId: Uint8Array) {
    this.#net = net
    this.host = host
    this.address = `/ip6/${host}/tcp/40003`
    this.peerId = peerId
  }

  speaks(protocol: string): boolean {
    return this.#protocols.has(protocol)
  }

  async start(owner: WireOwner, protocols: readonly string[]): Promise<void> {
    this.owner = owner
    this.#protocols = new Set(protocols)
  }

  addresses(): readonly string[] {
    return [this.address]
  }

  async dial(dialled: string): Promise<WireConnection> {
    this.dials += 1
    const address = this.#net.names.get(dialled) ?? dialled
    const there = this.#net.wires.get(address)
    const from = `/ip6/${this.host}/tcp/${this.#ports++}`
    if (there?.owner === null || there === undefined) throw new Error('no route to it')
    if (!there.owner.mayConnect(from)) throw new Error('it was refused')
    const [ours, theirs] = [new MemoryConnection(this, there, address, true), new MemoryConnection(there, this, from, false)]
    ours.other = theirs
    theirs.other = ours
    this.connections.add(ours)
    there.connections.add(theirs)
    there.owner.onConnection(theirs)
    this.owner?.onConnection(ours)
    return ours
  }

  async stop(): Promise<void> {
    this.owner = null
    for (const connection of [...this.connections]) connection.close('stopped')
  }

  /** As when the power fails: nobody is told. */
  vanish(): void {
    for (const connection of this.connections) connection.isMute = true
    this.owner = null
  }
}

export class MemoryConnection implements WireConnection {
  readonly peerId: Uint8Array
  readonly peerIdText: string
  readonly address: string
  readonly isOutbound: boolean
  readonly streams: MemoryStream[] = []
  other: MemoryConnection | null = null
  isMute = false
  isClosed = false
  readonly wire: MemoryWire

  constructor(wire: MemoryWire, there: MemoryWire, address: string, isOutbound: boolean) {
    this.wire = wire
    this.peerId = there.peerId
    this.peerIdText = Buffer.from(there.peerId).toString('hex')
    this.address = address
    this.isOutbound = isOutbound
  }

  async openStream(protocol: string, ends: (stream: WireStream) => StreamEnds): Promise<void> {
    await Promise.resolve()
    const other = this.other
    if (this.isClosed || other === null || other.isClosed || !other.wire.speaks(protocol)) throw new Error(`${protocol} is not spoken`)
    const [ours, theirs] = [new MemoryStream(this), new MemoryStream(other)]
    ours.other = theirs
    theirs.other = ours
    const theirEnds = other.wire.owner?.onStream(other, protocol, theirs) ?? null
    if (theirEnds === null) throw new Error(`${protocol} was refused`)
    theirs.attach(theirEnds)
    ours.attach(ends(ours))
    this.streams.push(ours)
    other.streams.push(theirs)
  }

  close(_reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.wire.connections.delete(this)
    for (const stream of this.streams) stream.abort()
    this.wire.owner?.onConnectionClosed(this)
    const other = this.other
    if (!this.isMute && other !== null) queueMicrotask(() => other.close('the other end closed it'))
  }
}

export class MemoryStream implements WireStream {
  other: MemoryStream | null = null
  /** Nothing that is written leaves. */
  isStuck = false
  readonly written: Uint8Array[] = []
  readonly #connection: { readonly isMute: boolean } | null
  #ends: StreamEnds | null = null
  #queued = 0
  #unread: Uint8Array[] = []
  isPaused = false
  isClosed = false

  constructor(connection: { readonly isMute: boolean } | null = null) {
    this.#connection = connection
  }

  attach(ends: StreamEnds): void {
    this.#ends = ends
  }

  write(bytes: Uint8Array): void {
    if (this.isClosed) return
    this.written.push(bytes)
    this.#queued += bytes.length
    if (!this.isStuck) queueMicrotask(() => this.#leave(bytes))
  }

  /** What was stuck leaves, all of it or so many bytes. */
  loosen(bytes = this.#queued): void {
    this.isStuck = bytes < this.#queued
    this.#queued -= bytes
    if (bytes > 0) this.#ends?.onDrained()
  }

  queuedBytes(): number {
    return this.#queued
  }

  unreadBytes(): number {
    return this.#unread.reduce((sum, bytes) => sum + bytes.length, 0)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    for (const bytes of this.#unread.splice(0)) this.receive(bytes)
  }

  abort(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#ends?.onClosed()
    if (this.#connection?.isMute !== true) queueMicrotask(() => this.other?.abort())
  }

  receive(bytes: Uint8Array): void {
    if (this.isClosed) return
    if (this.isPaused) this.#unread.push(bytes)
    else this.#ends?.onBytes(bytes)
  }

  #leave(bytes: Uint8Array): void {
    if (this.isClosed) return
    this.#queued = Math.max(0, this.#queued - bytes.length)
    if (this.#connection?.isMute !== true) this.other?.receive(bytes)
    this.#ends?.onDrained()
  }
}
