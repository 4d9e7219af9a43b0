/** All sources of one chain, from settings: the pool, the eth/63 node, discovery, the RPC servers. Opened in order, closed in reverse. */
import { networkInterfaces } from 'node:os'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../../base/index.ts'
import { inputError } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Block, ChainServer } from '../../ports.ts'
import type { BanStore } from '../bans.ts'
import { Discovery } from '../discovery/discovery.ts'
import { parseEnode } from '../enode.ts'
import { Eth63Node } from '../eth63-node.ts'
import { ServedGuests } from '../guests.ts'
import type { GuestChainTransport } from '../guests.ts'
import { openMeshSource } from '../mesh.ts'
import type { MeshChainTransport, MeshParts } from '../mesh.ts'
import { Offers, sharedOffers } from '../offers.ts'
import { PassingOn } from '../passing-on.ts'
import type { Elsewhere } from '../passing-on.ts'
import { SourcePool } from '../pool.ts'
import { RpcNode } from '../rpc/rpc-node.ts'
import { NodeHttpDoor } from './http-door.ts'
import { TcpDoor } from './tcp-door.ts'
import { UdpDoor } from './udp-door.ts'

export interface SourcesSettings {
  /** Null: no eth/63. */
  readonly eth63: {
    /** 32 bytes, secret. */
    readonly nodeKey: Uint8Array
    readonly clientName: string
    /** Null: calls others, takes no calls. */
    readonly listen: { readonly address: string; readonly port: number } | null
    /** enode URLs, called for ever. */
    readonly staticPeers: readonly string[]
    /** enode URLs. Without one there is no discovery and no UDP socket. */
    readonly bootnodes: readonly string[]
    readonly maxPeers: number
  } | null
  /** URLs of JSON-RPC servers. */
  readonly rpc: readonly string[]
  readonly rpcPollMs: number
  /** Of all kinds together. */
  readonly maxSources: number
}

export interface SourcesParts {
  readonly server: ChainServer
  /** For neighbours of the mesh; null: what this box keeps is all that it gives. */
  readonly elsewhere: Elsewhere | null
  /** A transaction of a guest, and of a neighbour where `elsewhere` is there, for the pool. */
  readonly offer: (transaction: Uint8Array) => Promise<unknown>
  readonly curve: Secp256k1
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  readonly bans: BanStore
}

const ADDRESSES_EVERY_MS = 3000

/** With their interfaces, of those that are up. */
const ownAddresses = (): ReadonlySet<string> => new Set(Object.entries(networkInterfaces()).flatMap(([name, all]) => (all ?? []).map(({ address }) => `${name} ${address}`)))

export class Sources {
  readonly pool: SourcePool
  readonly #parts: SourcesParts
  readonly #settings: SourcesSettings
  readonly #eth63: Eth63Node | null
  readonly #rpc: RpcNode
  readonly #passingOn: PassingOn | null
  readonly #offers: MeshParts['offers']
  readonly #guests: ServedGuests
  readonly #bootnodes: ReturnType<typeof parseEnode>[]
  #discovery: Discovery | null = null
  #closes: (() => Promise<void> | void)[] = []

  /** Errors: input, naming the setting. Opens nothing. */
  constructor(parts: SourcesParts, settings: SourcesSettings) {
    if (!Number.isSafeInteger(settings.maxSources) || settings.maxSources < 1) throw inputError('maxSources', settings.maxSources, '1 or more')
    this.#parts = parts
    this.#settings = settings
    this.#passingOn = parts.elsewhere === null ? null : new PassingOn(parts.elsewhere, parts)
    const { elsewhere, offer } = parts
    const [each, all] = [new Offers(parts.clock), sharedOffers()]
    this.#offers = elsewhere === null ? null : { take: (neighbour, transactions) => each.take(neighbour, all, transactions), offer }
    this.#guests = new ServedGuests({ ...parts, keccak: parts.curve, passingOn: elsewhere === null ? null : () => new PassingOn(elsewhere, parts) })
    this.pool = new SourcePool({ ...parts, keccak: parts.curve, maxSources: settings.maxSources })
    this.#bootnodes = (settings.eth63?.bootnodes ?? []).map(parseEnode)
    this.#rpc = new RpcNode({ ...parts, pool: this.pool, network: parts.server.network, keccak: parts.curve, door: new NodeHttpDoor() }, settings.rpc, settings.rpcPollMs)
    this.#eth63 = settings.eth63 === null ? null : new Eth63Node({ ...parts, pool: this.pool, door: new TcpDoor() }, { ...settings.eth63, staticPeers: settings.eth63.staticPeers.map(parseEnode) })
  }

  /** 64 bytes; null without eth/63. */
  get nodeId(): Uint8Array | null {
    return this.#eth63?.nodeId ?? null
  }
  /** Of TCP; 0 where nothing listens. */
  get listenPort(): number {
    return this.#eth63?.listenPort ?? 0
  }
  /** Of UDP; 0 without discovery. */
  get discoveryPort(): number {
    return this.#discovery?.port ?? 0
  }

  /** Errors (rejects): unavailable: an address in use; what was opened before is closed again. */
  async start(): Promise<void> {
    try {
      if (this.#eth63 !== null) {
        const eth63 = this.#eth63
        this.#closes.push(() => eth63.stop())
        await eth63.start()
        await this.#discover(eth63)
        this.#redialOnNewAddress(eth63)
      }
      this.#closes.push(() => this.#rpc.stop())
      this.#rpc.start()
    } catch (thrown) {
      await this.stop()
      throw thrown
    }
  }

  async stop(): Promise<void> {
    this.#guests.close('we stop')
    this.pool.close('we stop')
    for (const close of this.#closes.splice(0).reverse()) await close()
  }

  /** A neighbour of the mesh. False: it is no source; the transport is closed. */
  async neighbour(transport: MeshChainTransport): Promise<boolean> {
    return (await openMeshSource({ ...this.#parts, passingOn: this.#passingOn, offers: this.#offers, pool: this.pool, keccak: this.#parts.curve }, transport)) !== null
  }

  /** A box that is a guest: it is served, and no source. */
  serve(transport: GuestChainTransport): void {
    this.#guests.serve(transport)
  }

  /** A new head: to all sources that do not have it, and to guests. */
  announceBlock(block: Block, totalDifficulty: bigint): void {
    this.pool.announceBlock(block, totalDifficulty)
    this.#guests.announceBlock(block, totalDifficulty)
  }

  on(listener: Parameters<SourcePool['on']>[0]): Cancel {
    return this.pool.on(listener)
  }

  /** A way out that comes after hours without one is not waited for as long as the last call was put off. */
  #redialOnNewAddress(eth63: Eth63Node): void {
    let before = ownAddresses()
    const cancel = this.#parts.timers.every(ADDRESSES_EVERY_MS, () => {
      const now = ownAddresses()
      if ([...now].some((address) => !before.has(address))) eth63.redial()
      before = now
    })
    this.#closes.push(() => void cancel())
  }

  async #discover(eth63: Eth63Node): Promise<void> {
    const settings = this.#settings.eth63
    if (settings === null || this.#bootnodes.length === 0) return
    const listen = { address: settings.listen?.address ?? '0.0.0.0', port: eth63.listenPort }
    const discovery = new Discovery({ ...this.#parts, door: new UdpDoor(), onNode: (enode) => eth63.found(enode) }, { nodeKey: settings.nodeKey, listen, tcpPort: eth63.listenPort, bootnodes: this.#bootnodes })
    this.#discovery = discovery
    this.#closes.push(() => discovery.stop())
    await discovery.start()
  }
}
