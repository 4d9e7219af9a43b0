/**
 * Finding nodes from a few bootnodes on: everybody is asked to prove its address by a pong before it is told
 * anything or believed to be there. All that is kept is bounded; packets above the limits are dropped unread.
 */
import { RateLimit, asError, toHex } from '../../../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Enode } from '../enode.ts'
import { NODE_ID_BYTES, nodeIdOf } from '../rlpx/handshake.ts'
import { DISCOVERY_VERSION, MAX_NEIGHBOURS, MAX_PACKET_BYTES, decodePacket, encodePacket } from './packet.ts'
import type { Endpoint, Packet, Received } from './packet.ts'
import { NodeTable, isPlausible } from './table.ts'

/** Datagrams. */
export interface DatagramDoor {
  /** Returns the port. Errors (rejects): unavailable. */
  bind(address: string, port: number, onPacket: (bytes: Uint8Array, address: string, port: number) => void): Promise<number>
  /** Best effort. */
  send(bytes: Uint8Array, address: string, port: number): void
  close(): Promise<void>
}

export interface DiscoveryParts {
  readonly door: DatagramDoor
  readonly curve: Secp256k1
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** A node that answered, and may be called. */
  readonly onNode: (enode: Enode) => void
}

export interface DiscoverySettings {
  /** 32 bytes, the same as for RLPx. */
  readonly nodeKey: Uint8Array
  readonly listen: { readonly address: string; readonly port: number }
  /** Told to others: where RLPx listens. */
  readonly tcpPort: number
  readonly bootnodes: readonly Enode[]
}

const EXPIRATION_SECONDS = 20
const PING_TIMEOUT_MS = 4_000
const BOND_MS = 12 * 3_600_000
const TICK_MS = 2_000
const LOOKUP_EVERY_TICKS = 15
const MAX_PENDING = 64
const MAX_BONDS = 512
const NEIGHBOURS_TOLD = 16
const ASKED_AT_ONCE = 3
/** Each costs a recovery of a public key, which is slow without the addon. */
const PACKETS = { burst: 100, perSecond: 25 }
const PACKETS_PER_ADDRESS = { burst: 40, perSecond: 10 }

interface Pending {
  readonly enode: Enode
  readonly hash: string
  readonly sinceMs: number
}

export class Discovery {
  readonly table: NodeTable
  readonly #parts: DiscoveryParts
  readonly #settings: DiscoverySettings
  readonly #ownId: Uint8Array
  /** By node id: our ping that waits for its pong. */
  readonly #pings = new Map<string, Pending>()
  /** By node id: until when its neighbours are welcome, and how many more. */
  readonly #asked = new Map<string, { readonly untilMs: number; left: number }>()
  /** By node id: where it proved to be. */
  readonly #bonds = new Map<string, { readonly address: string; readonly atMs: number }>()
  readonly #overall: RateLimit = new RateLimit(PACKETS, 1)
  readonly #perAddress: RateLimit = new RateLimit(PACKETS_PER_ADDRESS, 512)
  #stop: Cancel = () => undefined
  #port = 0
  #ticks = 0

  constructor(parts: DiscoveryParts, settings: DiscoverySettings) {
    this.#parts = parts
    this.#settings = settings
    this.#ownId = nodeIdOf(parts.curve, settings.nodeKey)
    this.table = new NodeTable(parts.curve, this.#ownId)
  }

  get port(): number {
    return this.#port
  }
  /** What is kept now, besides the table. */
  get kept(): { readonly pings: number; readonly asked: number; readonly bonds: number } {
    return { pings: this.#pings.size, asked: this.#asked.size, bonds: this.#bonds.size }
  }

  async start(): Promise<void> {
    const { address, port } = this.#settings.listen
    this.#port = await this.#parts.door.bind(address, port, (bytes, from, fromPort) => this.#receive(bytes, from, fromPort))
    this.#stop = this.#parts.timers.every(TICK_MS, () => this.#tick())
    for (const bootnode of this.#settings.bootnodes) this.#ping(bootnode)
  }

  async stop(): Promise<void> {
    this.#stop()
    await this.#parts.door.close()
  }

  /** Asks the nodes nearest to `target` for theirs. Default: somewhere at random. */
  lookUp(target: Uint8Array = this.#parts.randomness.bytes(NODE_ID_BYTES)): void {
    const nearest = this.table.closest(target, ASKED_AT_ONCE)
    for (const node of nearest) {
      this.#asked.set(toHex(node.nodeId), { untilMs: this.#now() + PING_TIMEOUT_MS, left: NEIGHBOURS_TOLD })
      this.#send({ kind: 'findnode', target, expirationSeconds: this.#expiration() }, node.address, node.udpPort)
    }
  }

  #tick(): void {
    const now = this.#now()
    for (const [id, pending] of this.#pings)
      if (now - pending.sinceMs > PING_TIMEOUT_MS) {
        this.#pings.delete(id)
        this.table.failed(pending.enode.nodeId)
      }
    for (const [id, asked] of this.#asked) if (now > asked.untilMs) this.#asked.delete(id)
    for (const [id, bond] of this.#bonds) if (now - bond.atMs > BOND_MS) this.#bonds.delete(id)
    const oldest = this.table.oldest()
    if (oldest !== null) this.#ping(oldest)
    if (this.#ticks++ % LOOKUP_EVERY_TICKS !== 0) return
    if (this.table.size === 0) for (const bootnode of this.#settings.bootnodes) this.#ping(bootnode)
    this.lookUp()
  }

  #receive(bytes: Uint8Array, address: string, port: number): void {
    const now = this.#now()
    if (bytes.length > MAX_PACKET_BYTES || this.#perAddress.take(address, now) > 0 || this.#overall.take('all', now) > 0) return
    try {
      const received = decodePacket(this.#parts.curve, bytes)
      if (toHex(received.nodeId) === toHex(this.#ownId) || this.#isExpired(received.packet)) return
      this.#hear(received, address, port)
    } catch (thrown) {
      this.#parts.log.debug('discovery packet refused', { address, error: asError(thrown).message })
    }
  }

  #hear({ packet, nodeId, hash }: Received, address: string, port: number): void {
    switch (packet.kind) {
      case 'ping':
        return this.#hearPing(packet.from, nodeId, hash, address, port)
      case 'pong':
        return this.#hearPong(packet.pingHash, nodeId, address)
      case 'findnode':
        return this.#hearFindnode(packet.target, nodeId, address, port)
      case 'neighbours':
        return this.#hearNeighbours(packet.nodes, nodeId, address)
    }
  }

  #hearPing(from: Endpoint, nodeId: Uint8Array, hash: Uint8Array, address: string, port: number): void {
    this.#send({ kind: 'pong', to: { address, udpPort: port, tcpPort: from.tcpPort }, pingHash: hash, expirationSeconds: this.#expiration() }, address, port)
    if (!this.#isBonded(nodeId, address)) this.#ping({ nodeId, address, udpPort: port, tcpPort: from.tcpPort })
  }

  #hearPong(pingHash: Uint8Array, nodeId: Uint8Array, address: string): void {
    const id = toHex(nodeId)
    const pending = this.#pings.get(id)
    if (pending === undefined || pending.hash !== toHex(pingHash) || pending.enode.address !== address) return
    this.#pings.delete(id)
    if (this.#bonds.size >= MAX_BONDS) {
      const oldest = this.#bonds.keys().next()
      if (oldest.done !== true) this.#bonds.delete(oldest.value)
    }
    this.#bonds.delete(id)
    this.#bonds.set(id, { address, atMs: this.#now() })
    if (this.table.add(pending.enode) && pending.enode.tcpPort > 0) this.#parts.onNode(pending.enode)
  }

  /** Only who proved its address is answered: else we would flood whomever a forger names. */
  #hearFindnode(target: Uint8Array, nodeId: Uint8Array, address: string, port: number): void {
    if (!this.#isBonded(nodeId, address)) return
    const nodes = this.table.closest(target, NEIGHBOURS_TOLD).filter((node) => isPlausible(node.address, address))
    for (let from = 0; from === 0 || from < nodes.length; from += MAX_NEIGHBOURS) {
      const told = nodes.slice(from, from + MAX_NEIGHBOURS).map(({ nodeId: id, address: at, udpPort, tcpPort }) => ({ nodeId: id, address: at, udpPort, tcpPort }))
      this.#send({ kind: 'neighbours', nodes: told, expirationSeconds: this.#expiration() }, address, port)
    }
  }

  #hearNeighbours(nodes: readonly Enode[], nodeId: Uint8Array, address: string): void {
    const asked = this.#asked.get(toHex(nodeId))
    if (asked === undefined || asked.untilMs < this.#now()) return
    for (const node of nodes) {
      if (asked.left-- <= 0) return
      if (node.udpPort > 0 && isPlausible(node.address, address) && !this.table.has(node.nodeId)) this.#ping(node)
    }
  }

  #ping(enode: Enode): void {
    const id = toHex(enode.nodeId)
    if (this.#pings.size >= MAX_PENDING || this.#pings.has(id) || id === toHex(this.#ownId)) return
    const from = { address: '0.0.0.0', udpPort: this.#port, tcpPort: this.#settings.tcpPort }
    const ping: Packet = { kind: 'ping', version: DISCOVERY_VERSION, from, to: enode, expirationSeconds: this.#expiration() }
    const hash = this.#send(ping, enode.address, enode.udpPort)
    this.#pings.set(id, { enode, hash: toHex(hash), sinceMs: this.#now() })
  }

  #send(packet: Packet, address: string, port: number): Uint8Array {
    const { bytes, hash } = encodePacket(this.#parts.curve, this.#settings.nodeKey, packet)
    this.#parts.door.send(bytes, address, port)
    return hash
  }

  #isBonded(nodeId: Uint8Array, address: string): boolean {
    return this.#bonds.get(toHex(nodeId))?.address === address
  }

  /** A box without trusted time takes every packet: names of pings are fresh enough to keep replays out of the table. */
  #isExpired(packet: Packet): boolean {
    return this.#parts.clock.isWallTrusted() && packet.expirationSeconds < Math.floor(this.#parts.clock.wallMs() / 1000)
  }
  #expiration(): number {
    return Math.floor(this.#parts.clock.wallMs() / 1000) + EXPIRATION_SECONDS
  }
  #now(): number {
    return this.#parts.clock.boottimeMs()
  }
}
