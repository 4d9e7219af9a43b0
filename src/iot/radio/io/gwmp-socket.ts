/** The UDP door of GWMP: one socket, IPv4 or IPv6, whatever the address is. Addresses of IPv4 in IPv6 are one and the same host. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { MeshBoxError } from '../../../base/index.ts'
import type { Clock, Log, Timers } from '../../../base/index.ts'
import type { Downlink, Gateway } from '../../ports.ts'
import type { RadioDoor, RadioSink, RadioTxAck } from '../door.ts'
import { GwmpDesk } from '../gwmp/gwmp-desk.ts'
import type { GwmpCounts, GwmpOptions } from '../gwmp/gwmp-desk.ts'

/** Room in the kernel for what comes while the event loop is busy: a second of a full concentrator. */
const RECEIVE_BYTES = 256 * 1024
const MAPPED = '::ffff:'

export interface GwmpListenOptions extends GwmpOptions {
  readonly address: string
  /** 0: any. */
  readonly port: number
}

export interface GwmpListenParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly sink: RadioSink
}

export class GwmpServer implements RadioDoor {
  readonly #socket: Socket
  readonly #desk: GwmpDesk

  private constructor(socket: Socket, desk: GwmpDesk) {
    this.#socket = socket
    this.#desk = desk
  }

  /** Errors: unavailable `cannot-listen`. */
  static open(options: GwmpListenOptions, parts: GwmpListenParts): Promise<GwmpServer> {
    const isV6 = isIPv6(options.address)
    // Addresses only: a name is never looked up, and node's own lookup costs an answer as much as sending it.
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', lookup: (address, _options, done) => done(null, address, isV6 ? 6 : 4) })
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close()
        reject(new MeshBoxError('unavailable', `cannot listen at UDP ${options.address}:${options.port}: ${error.message}`, { code: 'cannot-listen', cause: error }))
      }
      socket.once('error', fail)
      socket.bind(options.port, options.address, () => {
        socket.removeListener('error', fail)
        socket.on('error', (error) => parts.log.warn('the door of the packet forwarders', { error }))
        try {
          socket.setRecvBufferSize(RECEIVE_BYTES)
        } catch (thrown) {
          parts.log.debug('the kernel gives less room for datagrams', { thrown })
        }
        const desk = new GwmpDesk(options, {
          ...parts,
          // What could not be sent is as good as lost, and both sides count what is missing. Nobody is called back: Node would make a tick of it for each answer.
          send: (bytes, to) => socket.send(bytes, to.port, isV6 && !to.host.includes(':') ? `${MAPPED}${to.host}` : to.host),
          soon: (run) => void setImmediate(run),
        })
        socket.on('message', (bytes, from) => desk.take(bytes, { host: hostOf(from.address), port: from.port }))
        resolve(new GwmpServer(socket, desk))
      })
    })
  }

  get port(): number {
    return this.#socket.address().port
  }

  get counts(): GwmpCounts {
    return this.#desk.counts
  }

  get size(): GwmpDesk['size'] {
    return this.#desk.size
  }

  gateways(): readonly Gateway[] {
    return this.#desk.gateways()
  }

  transmit(downlink: Downlink): Promise<RadioTxAck> {
    return this.#desk.transmit(downlink)
  }

  /** Orders that wait end as unanswered. */
  close(): Promise<void> {
    this.#desk.close()
    return new Promise((closed) => this.#socket.close(() => closed()))
  }
}

function hostOf(address: string): string {
  return address.toLowerCase().startsWith(MAPPED) ? address.slice(MAPPED.length) : address
}
