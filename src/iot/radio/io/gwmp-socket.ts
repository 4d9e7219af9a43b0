/**
 * The UDP door of GWMP: one socket, IPv4 or IPv6, whatever the address is. Addresses of IPv4 in IPv6 are one and the same host. With the native addon
 * datagrams come, and acknowledgements leave, by the batch; without it, one by one through node:dgram.
 */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { MeshBoxError } from '../../../base/index.ts'
import type { Clock, Log, Timers } from '../../../base/index.ts'
import type { Downlink, Gateway, OpenUdp } from '../../ports.ts'
import type { RadioDoor, RadioSink, RadioTxAck } from '../door.ts'
import { GwmpDesk } from '../gwmp/gwmp-desk.ts'
import type { GwmpCounts, GwmpOptions } from '../gwmp/gwmp-desk.ts'
import type { Place } from '../gwmp/paths.ts'

/** Room in the kernel for what comes while the event loop is busy: a second of a full concentrator. */
const RECEIVE_BYTES = 256 * 1024
/**
 * What comes within 10 ms of the datagrams before, as often as forwarders look for frames, waits 3 ms for others: to be woken and to write to the broker costs more
 * than a frame. One that comes alone is heard at once. Forwarders wait 100 ms for an acknowledgement, devices a second for an answer.
 */
const CLOSE_MS = 10
const GATHER_MS = 3
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
  /** Of the native addon; null: node:dgram does it. */
  readonly openUdp: OpenUdp | null
}

/** What the two kinds of socket have in common. */
interface GwmpSocket {
  readonly port: number
  /** What could not be sent is as good as lost, and both sides count what is missing. */
  send(bytes: Uint8Array, to: Place): void
  close(): Promise<void>
}

/** What comes, until it is closed: the acknowledgement to send at once, or null. */
type Take = GwmpDesk['take']

export class GwmpServer implements RadioDoor {
  readonly #socket: GwmpSocket
  readonly #desk: GwmpDesk

  private constructor(socket: GwmpSocket, desk: GwmpDesk) {
    this.#socket = socket
    this.#desk = desk
  }

  /** Errors: unavailable `cannot-listen`. */
  static async open(options: GwmpListenOptions, parts: GwmpListenParts): Promise<GwmpServer> {
    let desk: GwmpDesk | null = null
    const take: Take = (bytes, from) => desk?.take(bytes, from) ?? null
    const socket = parts.openUdp === null ? await openDgram(options, take, parts.log) : openBatches(parts.openUdp, options, take)
    desk = new GwmpDesk(options, { ...parts, send: (bytes, to) => socket.send(bytes, to), soon: (run) => void setImmediate(run) })
    return new GwmpServer(socket, desk)
  }

  get port(): number {
    return this.#socket.port
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
    return this.#socket.close()
  }
}

function openBatches(openUdp: OpenUdp, { address, port }: GwmpListenOptions, take: Take): GwmpSocket {
  const socket = openUdp({ address, port, receiveBytes: RECEIVE_BYTES, closeMs: CLOSE_MS, gatherMs: GATHER_MS }, (from, count) => {
    for (let slot = 0; slot < count; slot++) {
      const ack = take(from.bytes(slot), from.from(slot))
      if (ack !== null) from.mark(slot, ack)
    }
    from.answer()
  })
  return {
    get port() {
      return socket.port
    },
    send: (bytes, to) => void socket.send(bytes, to),
    async close() {
      socket.close()
    },
  }
}

function openDgram(options: GwmpListenOptions, take: Take, log: Log): Promise<GwmpSocket> {
  const isV6 = isIPv6(options.address)
  // Addresses only: a name is never looked up, and node's own lookup costs an answer as much as sending it.
  const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', lookup: (address, _options, done) => done(null, address, isV6 ? 6 : 4) })
  // Nobody is called back: Node would make a tick of it for each answer.
  const send = (bytes: Uint8Array, to: Place): void => socket.send(bytes, to.port, isV6 && !to.host.includes(':') ? `${MAPPED}${to.host}` : to.host)
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close()
      reject(new MeshBoxError('unavailable', `cannot listen at UDP ${options.address}:${options.port}: ${error.message}`, { code: 'cannot-listen', cause: error }))
    }
    socket.once('error', fail)
    socket.bind(options.port, options.address, () => {
      socket.removeListener('error', fail)
      socket.on('error', (error) => log.warn('the door of the packet forwarders', { error }))
      try {
        socket.setRecvBufferSize(RECEIVE_BYTES)
      } catch (thrown) {
        log.debug('the kernel gives less room for datagrams', { thrown })
      }
      socket.on('message', (bytes, { address, port }) => {
        const from = { host: hostOf(address), port }
        const ack = take(bytes, from)
        if (ack !== null) send(ack, from)
      })
      resolve({
        get port() {
          return socket.address().port
        },
        send,
        close: () => new Promise((closed) => socket.close(() => closed())),
      })
    })
  })
}

function hostOf(address: string): string {
  return address.toLowerCase().startsWith(MAPPED) ? address.slice(MAPPED.length) : address
}
