/**
 * Connections between boxes over libp2p: TCP, noise, yamux, identify. This file and what it imports are some 800 KB of
 * code: it goes into a file of its own and is loaded only by a box that has other boxes to talk with.
 */
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, MultiaddrConnection, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { asError, concatBytes, inputError } from '../../../base/index.ts'
import type { StreamEnds, Wire, WireConnection, WireOwner, WireStream } from '../wire.ts'
import { noiseCrypto } from './noise-crypto.ts'

const SEED_BYTES = 32
/** Identity multihash of the protobuf of an Ed25519 public key: libp2p's peer id. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
/** performance.md §4: the defaults are for servers, or refuse a neighbourhood that comes back at once. */
const INBOUND_PER_SECOND_AND_HOST = 20
/** Handshakes under way: of all, and from one address, which could otherwise keep all others out by saying nothing. */
const MAX_PENDING_INBOUND = 48
const MAX_PENDING_OF_HOST = 4
const UPGRADE_TIMEOUT_MS = 8000
const NEGOTIATION_TIMEOUT_MS = 5000
const DIAL_TIMEOUT_MS = 10_000
const MAX_PARALLEL_DIALS = 8
const MAX_DIAL_QUEUE = 64
/** The least that yamux has. */
const STREAM_WINDOW_BYTES = 256 * 1024
/** What a paused stream may still bring: one window, and what was in the muxer. All together are bounded by the node. */
const MAX_READ_BUFFER_BYTES = STREAM_WINDOW_BYTES + 128 * 1024
/** Besides the protocols: identify in both directions, and one that ends while the next begins. */
const SPARE_STREAMS = 6

export interface Libp2pWireOptions {
  /** Of the node's Ed25519 key: 32 secret bytes, the same at each start. */
  readonly seed: Uint8Array
  /** `/ip6/fd…/tcp/40003`. Empty: dials only. */
  readonly listen: readonly string[]
  readonly maxConnections: number
  /** Connections and streams that end with an error are normal here; this is for who looks for one. */
  readonly onTrouble: (message: string, error: Error) => void
}

export class Libp2pWire implements Wire {
  readonly peerId: Uint8Array
  readonly #options: Libp2pWireOptions
  readonly #privateKey: ReturnType<typeof privateKeyFromRaw>
  readonly #connections = new WeakMap<Connection, WireConnection>()
  /** By address without port. */
  readonly #pending = new Map<string, number>()
  /** What to call when one is done. */
  readonly #handshakes = new WeakMap<MultiaddrConnection, () => void>()
  #node: Libp2p | null = null

  /** Errors: input `seed`. */
  constructor(options: Libp2pWireOptions) {
    if (options.seed.length !== SEED_BYTES) throw inputError('seed', `${options.seed.length} bytes`, `${SEED_BYTES} bytes`)
    this.#options = options
    const publicKey = ed25519Public(options.seed)
    this.#privateKey = privateKeyFromRaw(concatBytes(options.seed, publicKey)) // libp2p's raw form
    this.peerId = concatBytes(PEER_ID_PREFIX, publicKey)
  }

  async start(owner: WireOwner, protocols: readonly string[]): Promise<void> {
    const { listen, maxConnections } = this.#options
    const node = await createLibp2p({
      start: false,
      nodeInfo: { name: 'meshbox', userAgent: 'meshbox' },
      privateKey: this.#privateKey,
      addresses: { listen: [...listen] },
      transports: [tcp({ backlog: MAX_PENDING_INBOUND, maxConnections })],
      connectionEncrypters: [noise({ crypto: noiseCrypto })],
      streamMuxers: [
        yamux({
          enableKeepAlive: false, // the node's own pings do, and measure
          maxInboundStreams: protocols.length + SPARE_STREAMS,
          maxOutboundStreams: protocols.length + SPARE_STREAMS,
          streamOptions: { initialStreamWindowSize: STREAM_WINDOW_BYTES, maxStreamWindowSize: STREAM_WINDOW_BYTES, maxReadBufferLength: MAX_READ_BUFFER_BYTES },
        }),
      ],
      services: { identify: identify() },
      connectionGater: {
        denyInboundConnection: (incoming) => !owner.mayConnect(plainAddress(incoming.remoteAddr.toString())) || !this.#mayShakeHands(incoming),
        denyInboundUpgradedConnection: (_peerId, incoming) => {
          this.#handshakes.get(incoming)?.()
          return false
        },
      },
      connectionManager: {
        maxConnections,
        inboundConnectionThreshold: INBOUND_PER_SECOND_AND_HOST,
        maxIncomingPendingConnections: MAX_PENDING_INBOUND,
        inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
        inboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
        outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
        maxParallelDials: MAX_PARALLEL_DIALS,
        maxDialQueueLength: MAX_DIAL_QUEUE,
        dialTimeout: DIAL_TIMEOUT_MS,
        reconnectRetries: 0,
      },
      connectionMonitor: { enabled: false },
    })
    node.addEventListener('connection:open', ({ detail }) => owner.onConnection(this.#known(detail)))
    node.addEventListener('connection:close', ({ detail }) => {
      owner.onConnectionClosed(this.#known(detail))
      // libp2p would remember every peer id for hours: they cost their makers nothing.
      if (node.getConnections(detail.remotePeer).every((each) => each === detail)) node.peerStore.delete(detail.remotePeer).catch((thrown: unknown) => this.#options.onTrouble('a peer id was not forgotten', asError(thrown)))
    })
    for (const protocol of protocols) {
      await node.handle(
        protocol,
        (stream, connection) => {
          const ends = owner.onStream(this.#known(connection), protocol, wireStream(stream))
          if (ends === null) stream.abort(new Error('refused'))
          else attach(stream, ends)
        },
        { maxInboundStreams: 1, maxOutboundStreams: 1 },
      )
    }
    try {
      await node.start()
    } catch (thrown) {
      await node.stop()
      throw thrown
    }
    this.#node = node
  }

  addresses(): readonly string[] {
    return this.#node?.getMultiaddrs().map((address) => address.toString()) ?? []
  }

  async dial(address: string): Promise<WireConnection> {
    if (this.#node === null) throw inputError('dial', address, 'a wire that was started')
    // A new one, though the peer may be connected: the node decides which of the two stays.
    return this.#known(await this.#node.dial(multiaddr(address), { force: true }))
  }

  /** Peer ids of which libp2p keeps something. */
  async rememberedPeers(): Promise<number> {
    return (await this.#node?.peerStore.all())?.length ?? 0
  }

  async stop(): Promise<void> {
    const node = this.#node
    this.#node = null
    await node?.stop()
  }

  #mayShakeHands(incoming: MultiaddrConnection): boolean {
    const host = incoming.remoteAddr.toString().split('/', 3).join('/')
    const pending = this.#pending.get(host) ?? 0
    if (pending >= MAX_PENDING_OF_HOST) return false
    this.#pending.set(host, pending + 1)
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      const left = (this.#pending.get(host) ?? 1) - 1
      if (left > 0) this.#pending.set(host, left)
      else this.#pending.delete(host)
    }
    incoming.addEventListener('close', over)
    this.#handshakes.set(incoming, over)
    return true
  }

  /** One object for each of libp2p's. */
  #known(connection: Connection): WireConnection {
    const known = this.#connections.get(connection)
    if (known !== undefined) return known
    const made: WireConnection = {
      peerId: connection.remotePeer.toMultihash().bytes,
      peerIdText: connection.remotePeer.toString(),
      address: plainAddress(connection.remoteAddr.toString()),
      isOutbound: connection.direction === 'outbound',
      openStream: async (protocol, ends) => {
        const stream = await connection.newStream(protocol)
        attach(stream, ends(wireStream(stream)))
      },
      close: (reason) => {
        try {
          connection.abort(new Error(reason))
        } catch (thrown) {
          this.#options.onTrouble('a connection did not end', asError(thrown))
        }
      },
    }
    this.#connections.set(connection, made)
    return made
  }
}

/**
 * Yamux opens its window at the end of `resume`, also when the stream was paused again by who got the bytes that had
 * waited: it would then take in what nobody reads. So a pause in the middle of a resumption is made after it.
 */
function wireStream(stream: Stream): WireStream {
  let isResuming = false
  let isPauseWanted = false
  const pause = (): void => {
    isPauseWanted = true
    if (!isResuming && stream.readStatus === 'readable') stream.pause()
  }
  return {
    write: (bytes) => {
      if (stream.writeStatus !== 'writable') return // closed meanwhile: 'close' tells it
      try {
        stream.send(bytes)
      } catch (thrown) {
        stream.abort(asError(thrown))
      }
    },
    queuedBytes: () => stream.writeBufferLength,
    unreadBytes: () => stream.readBufferLength,
    pause,
    resume: () => {
      isPauseWanted = false
      if (isResuming || stream.readStatus !== 'paused') return
      isResuming = true
      try {
        stream.resume()
      } finally {
        isResuming = false
      }
      if (isPauseWanted) pause()
    },
    abort: (reason) => stream.abort(new Error(reason)),
  }
}

function attach(stream: Stream, ends: StreamEnds): void {
  stream.addEventListener('message', (event) => ends.onBytes(event.data.subarray()))
  // Both are told in the middle of sending; what is written there would stay in libp2p's queue until the next window.
  const drained = (): void => queueMicrotask(() => ends.onDrained())
  stream.addEventListener('drain', drained)
  stream.addEventListener('idle', drained)
  stream.addEventListener('close', () => ends.onClosed())
  // A half of a stream is of no use: who closes its half goes.
  stream.addEventListener('remoteCloseWrite', () => ends.onClosed())
  if (stream.status !== 'open') ends.onClosed()
}

function plainAddress(text: string): string {
  return text.replace(/\/p2p\/.*$/, '')
}

function ed25519Public(seed: Uint8Array): Uint8Array {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex') // DER of RFC 8410
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), type: 'pkcs8', format: 'der' })
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-SEED_BYTES))
}
