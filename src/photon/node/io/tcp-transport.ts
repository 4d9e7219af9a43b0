/**
 * Plain TCP, for the benchmarks and the tests: the accounts at both ends are shown by a signed hello, nothing after it is
 * encrypted or authenticated. Between boxes frames travel over libp2p (libp2p-transport.ts).
 *
 * Hello: version 1 ‖ account 20 ‖ challenge 32. Answer: signature 65 over
 * keccak(text ‖ own account ‖ peer's account ‖ peer's challenge ‖ own challenge).
 */
import { createServer, connect } from 'node:net'
import type { Server, Socket } from 'node:net'
import { ADDRESS_BYTES, bytesOf, concatBytes, hexOf, utf8 } from '../../../base/index.ts'
import type { Address, Clock, Log, Randomness, Timers } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { AccountSigner } from '../ports.ts'
import { PeerLinks } from './peer-links.ts'
import type { BytePipe, Hello } from './peer-links.ts'

const VERSION = 1
const CHALLENGE_BYTES = 32
const SIGNATURE_BYTES = 65
const PURPOSE = utf8('meshbox photon tcp hello 1')

export interface TcpTransportOptions {
  readonly signer: AccountSigner
  readonly secp256k1: Pick<Secp256k1, 'keccak256' | 'recoverAddress'>
  readonly randomness: Randomness
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly maxPeers?: number
}

export class TcpTransport extends PeerLinks {
  readonly #settings: TcpTransportOptions
  #server: Server | null = null

  constructor(options: TcpTransportOptions) {
    super({ self: options.signer.account, clock: options.clock, timers: options.timers, log: options.log, maxPeers: options.maxPeers ?? 64, keeps: () => false })
    this.#settings = options
  }

  /** Resolves with the port. */
  listen(port: number, host = '127.0.0.1'): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => this.#take(socket, false))
      server.once('error', reject)
      server.listen(port, host, () => {
        this.#server = server
        const bound = server.address()
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
      })
    })
  }

  /** Resolves when the connection stands; who is there is known when `onConnected` tells. */
  dial(port: number, host = '127.0.0.1'): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        this.#take(socket, true)
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    this.closeAll()
    const server = this.#server
    this.#server = null
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  #take(socket: Socket, isOutbound: boolean): void {
    socket.setNoDelay(true)
    const pipe: BytePipe = {
      write: (bytes) => void socket.write(bytes),
      queuedBytes: () => socket.writableLength,
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      close: () => void socket.destroy(),
    }
    const ends = this.adopt(pipe, isOutbound, this.#hello())
    socket.on('data', (bytes) => ends.onBytes(bytes))
    socket.on('close', () => ends.onClosed())
    socket.on('error', (error) => this.#settings.log.debug('photon: a connection failed', { error }))
  }

  #hello(): Hello {
    const { signer, secp256k1, randomness } = this.#settings
    const own = { account: bytesOf(signer.account), challenge: randomness.bytes(CHALLENGE_BYTES) }
    let peer: { readonly account: Uint8Array; readonly challenge: Uint8Array } | null = null
    const digest = (of: { account: Uint8Array; challenge: Uint8Array }, to: { account: Uint8Array; challenge: Uint8Array }): Uint8Array =>
      secp256k1.keccak256(concatBytes(PURPOSE, of.account, to.account, to.challenge, of.challenge))
    return {
      first: () => concatBytes(Uint8Array.of(VERSION), own.account, own.challenge),
      next: (frame) => {
        if (peer === null) {
          if (frame.length !== 1 + ADDRESS_BYTES + CHALLENGE_BYTES || frame[0] !== VERSION) return { refused: 'not a hello' }
          peer = { account: frame.slice(1, 1 + ADDRESS_BYTES), challenge: frame.slice(1 + ADDRESS_BYTES) }
          return { say: signer.sign(digest(own, peer)), peer: null }
        }
        const shown = frame.length === SIGNATURE_BYTES ? secp256k1.recoverAddress(digest(peer, own), frame) : null
        const account: Address = hexOf(peer.account)
        return shown !== null && hexOf(shown) === account ? { say: null, peer: account } : { refused: 'its hello is not signed by the account it names' }
      },
    }
  }
}
