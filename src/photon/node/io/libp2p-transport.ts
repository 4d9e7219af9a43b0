/**
 * Frames between accounts over libp2p: TCP, noise, yamux (photon.md 9.5). One long-lived stream per peer on
 * `/photon/2`; the first frame each way binds the peer id, which noise has shown, to an account. This file and what it
 * imports are 800 KB: it is loaded only by who needs it.
 */
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import { asError, inputError } from '../../../base/index.ts'
import type { Address, Clock, Log, Timers } from '../../../base/index.ts'
import { PeerLinks } from './peer-links.ts'
import type { Hello } from './peer-links.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { streamPipe } from './stream-pipe.ts'

const PHOTON_PROTOCOL = '/photon/2'
const SEED_BYTES = 32
/** performance.md §4: the defaults are for servers, or refuse a neighbourhood that comes back at once. */
const INBOUND_PER_SECOND_AND_HOST = 20
const MAX_PENDING_INBOUND = 16
const STREAM_WINDOW_BYTES = 256 * 1024
/** What a paused stream may still bring: one window, and what was in the muxer. */
const MAX_READ_BUFFER_BYTES = 2 * STREAM_WINDOW_BYTES + 64 * 1024
const DIAL_TIMEOUT_MS = 10_000

/** What ties a peer id to an account (EIP-712 PeerBinding). */
export interface PeerBinding {
  /** What we say of `ownPeerId`. */
  prove(ownPeerId: Uint8Array): Uint8Array
  /** Whose account `peerId` is, or null if the proof proves nothing. */
  check(peerId: Uint8Array, proof: Uint8Array): Address | null
}

export interface Libp2pTransportOptions {
  readonly account: Address
  readonly binding: PeerBinding
  /** Of the node's Ed25519 key: 32 secret bytes, the same at each start. */
  readonly seed: Uint8Array
  /** Multiaddresses, e.g. `/ip4/0.0.0.0/tcp/40002`. Empty: dials only. */
  readonly listen: readonly string[]
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly maxPeers: number
  /** As PeerLinks has it. */
  readonly keeps: (peer: Address) => boolean
}

export class Libp2pTransport extends PeerLinks {
  readonly #settings: Libp2pTransportOptions
  #node: Libp2p | null = null

  constructor(options: Libp2pTransportOptions) {
    super({ self: options.account, clock: options.clock, timers: options.timers, log: options.log, maxPeers: options.maxPeers, keeps: options.keeps })
    if (options.seed.length !== SEED_BYTES) throw inputError('seed', `${options.seed.length} bytes`, `${SEED_BYTES} bytes`)
    this.#settings = options
  }

  async start(): Promise<void> {
    const { listen, maxPeers } = this.#settings
    const node = await createLibp2p({
      start: false,
      nodeInfo: { name: 'meshbox', userAgent: 'meshbox' },
      privateKey: privateKeyFromRaw(ed25519Raw(this.#settings.seed)),
      addresses: { listen: [...listen] },
      transports: [tcp({ backlog: MAX_PENDING_INBOUND, maxConnections: 2 * maxPeers })],
      connectionEncrypters: [noise({ crypto: noiseCrypto })],
      streamMuxers: [yamux({ streamOptions: { initialStreamWindowSize: STREAM_WINDOW_BYTES, maxStreamWindowSize: STREAM_WINDOW_BYTES, maxReadBufferLength: MAX_READ_BUFFER_BYTES } })],
      services: { identify: identify() },
      connectionManager: {
        maxConnections: 2 * maxPeers,
        inboundConnectionThreshold: INBOUND_PER_SECOND_AND_HOST,
        maxIncomingPendingConnections: MAX_PENDING_INBOUND,
        maxParallelDials: 8,
        maxDialQueueLength: 4 * maxPeers,
        maxPeerAddrsToDial: 8,
        dialTimeout: DIAL_TIMEOUT_MS,
        reconnectRetries: 0,
      },
      connectionMonitor: { enabled: false },
    })
    // One of each pair dials; a stream more is a reconnection that was quicker than its predecessor's end.
    await node.handle(PHOTON_PROTOCOL, (stream, connection) => this.#take(stream, connection, false), { maxInboundStreams: 2, maxOutboundStreams: 2 })
    await node.start()
    this.#node = node
  }

  /** With the peer id, for others to dial. */
  addresses(): readonly string[] {
    return this.#node?.getMultiaddrs().map((address) => address.toString()) ?? []
  }

  /** Resolves when the stream stands; who is there is known when `onConnected` tells. Errors: what libp2p says. */
  async dial(address: string): Promise<void> {
    if (this.#node === null) throw inputError('dial', address, 'a transport that was started')
    const connection = await this.#node.dial(multiaddr(address))
    this.#take(await connection.newStream(PHOTON_PROTOCOL, { maxOutboundStreams: 2 }), connection, true)
  }

  async close(): Promise<void> {
    this.closeAll()
    const node = this.#node
    this.#node = null
    await node?.stop()
  }

  #take(stream: Stream, connection: Connection, isOutbound: boolean): void {
    const peerId = connection.remotePeer.toMultihash().bytes
    const pipe = streamPipe(stream, () => {
      connection.close().catch((thrown: unknown) => this.#settings.log.debug('photon: a connection did not close', { error: asError(thrown) }))
    })
    const ends = this.adopt(pipe, isOutbound, this.#hello(peerId))
    stream.addEventListener('message', (event) => ends.onBytes(event.data.subarray()))
    stream.addEventListener('close', () => ends.onClosed())
    stream.addEventListener('remoteCloseWrite', () => ends.onClosed())
  }

  #hello(peerId: Uint8Array): Hello {
    const { binding } = this.#settings
    const own = this.#node?.peerId.toMultihash().bytes ?? new Uint8Array(0)
    return {
      first: () => binding.prove(own),
      next: (frame) => {
        const account = binding.check(peerId, frame)
        return account === null ? { refused: 'its account did not sign for its peer id' } : { say: null, peer: account }
      },
    }
  }
}

/** libp2p's raw form: seed ‖ public key. */
function ed25519Raw(seed: Uint8Array): Uint8Array {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex') // DER of RFC 8410
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), type: 'pkcs8', format: 'der' })
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32)
  return new Uint8Array(Buffer.concat([seed, publicKey]))
}
