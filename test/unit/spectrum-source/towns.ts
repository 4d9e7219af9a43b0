/** Boxes on loopback for the tests of sources: chains kept in maps, listeners that remember, nodes with keys of their own. */
import { concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Clock, Randomness, Timers } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { encodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import type { Block, ChainServer, ChainSource, SourceListener } from '../../../src/spectrum/ports.ts'
import type { Hash, Network } from '../../../src/spectrum/index.ts'
import { Eth63Node } from '../../../src/spectrum/source/eth63-node.ts'
import type { Eth63Settings } from '../../../src/spectrum/source/eth63-node.ts'
import { TcpDoor } from '../../../src/spectrum/source/io/tcp-door.ts'
import { forgetfulBans } from '../../../src/spectrum/source/bans.ts'
import { SourcePool } from '../../../src/spectrum/source/pool.ts'
import type { BanStore } from '../../../src/spectrum/source/index.ts'
import { HANDSHAKE_TIMEOUT_MS } from '../../../src/spectrum/source/limits.ts'
import { joinList } from '../../../src/spectrum/source/raw-rlp.ts'
import { bytes32 } from '../native/scalars.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_NODES } from '../spectrum/devnet.ts'

/** A chain of the public vectors up to `height`, answering as the port asks for. */
export class MapServer implements ChainServer {
  network: Network
  height: number
  /** What was asked, in order: kind and count. */
  readonly asked: string[] = []
  /** Heights whose bodies and receipts this server does not have. */
  readonly holes = new Set<number>()

  constructor(height: number, network: Network = DEVNET_NETWORK) {
    this.height = height
    this.network = network
  }

  head(): { readonly hash: Hash; readonly number: number; readonly totalDifficulty: bigint } {
    const block = DEVNET[this.height]
    if (block === undefined) throw new Error('no such height in the vectors')
    return { hash: block.hash, number: block.number, totalDifficulty: block.totalDifficulty }
  }

  headers(from: Hash | number, count: number, skip: number, isReverse: boolean): readonly Uint8Array[] {
    this.asked.push(`headers ${count}`)
    const first = typeof from === 'number' ? from : DEVNET.findIndex((block) => block.hash === from)
    const headers: Uint8Array[] = []
    for (let at = first, left = count; left > 0 && at >= 0 && at <= this.height; at += (isReverse ? -1 : 1) * (skip + 1), left--) {
      const block = DEVNET[at]
      if (block !== undefined) headers.push(block.rlp)
    }
    return headers
  }

  bodies(hashes: readonly Hash[]): readonly Uint8Array[] {
    this.asked.push(`bodies ${hashes.length}`)
    return hashes.flatMap((hash) => this.#at(hash)?.bodyRlp ?? [])
  }

  receipts(hashes: readonly Hash[]): readonly Uint8Array[] {
    return hashes.flatMap((hash) => {
      const block = this.#at(hash)
      return block === undefined ? [] : [joinList(block.receipts.map(encodeReceipt))]
    })
  }

  nodes(hashes: readonly Hash[]): readonly Uint8Array[] {
    return hashes.flatMap((hash) => DEVNET_NODES.get(hash) ?? [])
  }

  #at(hash: Hash): (typeof DEVNET)[number] | undefined {
    return DEVNET.find((block) => block.hash === hash && block.number <= this.height && !this.holes.has(block.number))
  }
}

export interface Pushed {
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly totalDifficulty: bigint
}

/** Remembers what sources said, and lets a test wait for it. */
export class Ears implements SourceListener {
  readonly sources: ChainSource[] = []
  readonly ended: { readonly source: ChainSource; readonly reason: string }[] = []
  readonly heads: string[] = []
  readonly blocks: Pushed[] = []
  readonly transactions: Uint8Array[] = []
  #waiting: (() => void)[] = []

  opened(source: ChainSource): void {
    this.sources.push(source)
    this.#wake()
  }
  closed(source: ChainSource, reason: string): void {
    this.sources.splice(this.sources.indexOf(source), 1)
    this.ended.push({ source, reason })
    this.#wake()
  }
  headChanged(source: ChainSource): void {
    this.heads.push(source.head()?.hash ?? '')
    this.#wake()
  }
  blockPushed(_: ChainSource, header: Uint8Array, body: Uint8Array, totalDifficulty: bigint): void {
    this.blocks.push({ header, body, totalDifficulty })
    this.#wake()
  }
  transactionsPushed(_: ChainSource, transactions: readonly Uint8Array[]): void {
    this.transactions.push(...transactions)
    this.#wake()
  }

  /** Resolves when `isSo` first holds after something was heard. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export const realClock: Clock = { bootId: 'test', boottimeMs: () => performance.now(), wallMs: () => Date.now(), isWallTrusted: () => true }
const stream = randomStream('towns')
export const dice: Randomness = { bytes: (length) => stream.bytes(length) }

let lastKey = 500
export const freshKey = (): Uint8Array => bytes32(BigInt(lastKey++))

export interface Town {
  readonly node: Eth63Node
  readonly pool: SourcePool
  readonly ears: Ears
  readonly server: MapServer
  readonly door: TcpDoor
}

const towns: { stop(): Promise<void> }[] = []

export interface TownSettings extends Partial<Eth63Settings> {
  readonly server?: MapServer
  readonly bans?: BanStore
  readonly maxSources?: number
  /** Time that passes faster, for what waits a long time for nothing; handshakes, or all else, so that an honest handshake on a busy machine is not hurried. */
  readonly hurries?: 'handshakes' | 'peers'
}

const HURRY = 60
const HANDSHAKE_HURRY = 4
const hurriedTimers: Timers = {
  after: (delayMs, run) => systemTimers.after(delayMs === HANDSHAKE_TIMEOUT_MS ? delayMs : delayMs / HURRY, run),
  every: (intervalMs, run) => systemTimers.every(intervalMs / HURRY, run),
}
const shortHandshakes: Timers = { ...systemTimers, after: (delayMs, run) => systemTimers.after(delayMs === HANDSHAKE_TIMEOUT_MS ? delayMs / HANDSHAKE_HURRY : delayMs, run) }
const hurriedClock: Clock = { ...realClock, boottimeMs: () => performance.now() * HURRY }

/** A node that listens on loopback; stopped by `stopTowns`. */
export async function town(settings: TownSettings = {}): Promise<Town> {
  const server = settings.server ?? new MapServer(30)
  const pool = new SourcePool({ keccak: native, clock: realClock, log: silentLog, bans: settings.bans ?? forgetfulBans, maxSources: settings.maxSources ?? 50 })
  const ears = new Ears()
  pool.on(ears)
  const door = new TcpDoor()
  const node = new Eth63Node(
    { pool, server, door, curve: native, clock: settings.hurries === 'peers' ? hurriedClock : realClock, timers: settings.hurries === 'peers' ? hurriedTimers : settings.hurries === 'handshakes' ? shortHandshakes : systemTimers, randomness: dice, log: silentLog },
    { nodeKey: freshKey(), clientName: 'test/1', listen: { address: '127.0.0.1', port: 0 }, staticPeers: [], maxPeers: 30, ...settings },
  )
  towns.push(node)
  await node.start()
  return { node, pool, ears, server, door }
}

export function enodeOf(place: Town): { nodeId: Uint8Array; address: string; tcpPort: number; udpPort: number } {
  return { nodeId: place.node.nodeId, address: '127.0.0.1', tcpPort: place.node.listenPort, udpPort: place.node.listenPort }
}

export async function stopTowns(): Promise<void> {
  await Promise.all(towns.splice(0).map((one) => one.stop()))
}

/** The only source that `place` has, once it has one. */
export async function onlySource(place: Town): Promise<ChainSource> {
  await place.ears.until(() => place.ears.sources.length > 0)
  const [source] = place.ears.sources
  if (source === undefined) throw new Error('no source')
  return source
}

export function devnet(number: number): (typeof DEVNET)[number] {
  const block = DEVNET[number]
  if (block === undefined) throw new Error(`no block ${number} in the vectors`)
  return block
}
export const blockOf = (number: number): Block => ({ header: devnet(number).header, body: devnet(number).body })
export const joined = (...parts: Uint8Array[]): Uint8Array => concatBytes(...parts)

/** For what no listener tells: looked at in every turn of the event loop, until the test's own time is over. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1))
}
