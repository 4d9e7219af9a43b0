/**
 * Says once a second into the link who this box is, and hears the others. What is said is signed anew only when it changes;
 * what is heard is bounded before a signature is looked at, and the same bytes from the same place are looked at once.
 */
import { MeshBoxError, RateLimit, asError, equalBytesConstantTime } from '../../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { Beacon, Documents } from '../ports.ts'
import { ip6Text, ipBytes } from './addresses.ts'
import { MAX_BEACON_BYTES, openBeacon, readBeacon, sealBeacon } from './beacon.ts'
import type { BeaconFacts } from './beacon.ts'

export const BEACON_EVERY_MS = 1000
/** Each beat is up to so much later: boxes that started together do not stay together. */
const JITTER_MS = 200
/** An interface that is not there is looked for again. */
const REOPEN_MS = 5000
/** Places whose last beacon is remembered. */
const MAX_PLACES = 128
/** New beacons: of one place, and of all; each costs a signature. */
const PLACE_RULE = { burst: 3, perSecond: 0.5 }
const ALL_RULE = { burst: 60, perSecond: 30 }

/** Exactly one interface's; io/beacon-socket.ts. */
export interface BeaconSocket {
  send(datagram: Uint8Array): void
  close(): Promise<void>
}

export interface BeaconSocketEnds {
  /** `from`: the sender's address without zone. */
  onDatagram(bytes: Uint8Array, from: string): void
  /** It works no more. */
  onFailed(error: Error): void
}

export interface BeaconStationParts {
  readonly documents: Documents
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** Sends from the ULA. Errors: unavailable. */
  readonly open: (ip6: string, ends: BeaconSocketEnds) => Promise<BeaconSocket>
  /** What is true now; null: this box has no unique local address on the mesh interface, or does not listen. */
  readonly facts: () => BeaconFacts | null
  readonly onBeacon: (beacon: Beacon) => void
}

export class BeaconStation {
  readonly #parts: BeaconStationParts
  readonly #places = new Map<string, { readonly bytes: Uint8Array; readonly beacon: Beacon }>()
  readonly #placeLimit = new RateLimit(PLACE_RULE, MAX_PLACES)
  readonly #allLimit = new RateLimit(ALL_RULE, 1)
  #socket: { readonly socket: BeaconSocket; readonly ip6: string } | null = null
  #said: { readonly facts: BeaconFacts; readonly datagram: Uint8Array } | null = null
  #isRunning = false
  #isOpening = false
  #openMs = Number.NEGATIVE_INFINITY
  #trouble: string | null = null
  #cancel: Cancel = () => undefined

  constructor(parts: BeaconStationParts) {
    this.#parts = parts
  }

  start(): void {
    this.#isRunning = true
    this.#beat()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel()
    await this.#closeSocket()
  }

  /** Why nothing is said or heard, for people; null: all is well. */
  trouble(): string | null {
    return this.#trouble
  }

  #beat(): void {
    const jitter = ((this.#parts.randomness.bytes(1)[0] ?? 0) / 256) * JITTER_MS
    this.#cancel = this.#parts.timers.after(BEACON_EVERY_MS + jitter, () => this.#beat())
    const facts = this.#parts.facts()
    if (facts === null) {
      this.#trouble = 'the mesh interface has no unique local address, or the node does not listen on it'
      void this.#closeSocket()
      return
    }
    if (this.#socket !== null && this.#socket.ip6 !== facts.ip6) void this.#closeSocket()
    if (this.#socket === null) return void this.#openSocket(facts.ip6)
    try {
      this.#socket.socket.send(this.#datagramOf(facts))
    } catch (thrown) {
      this.#fail(asError(thrown)) // the next beat tries again
    }
  }

  #datagramOf(facts: BeaconFacts): Uint8Array {
    if (this.#said === null || !isSame(this.#said.facts, facts)) this.#said = { facts, datagram: sealBeacon(this.#parts.documents, facts) }
    return this.#said.datagram
  }

  async #openSocket(ip6: string): Promise<void> {
    const { clock, log, open } = this.#parts
    if (this.#isOpening || clock.boottimeMs() - this.#openMs < REOPEN_MS) return
    this.#isOpening = true
    this.#openMs = clock.boottimeMs()
    try {
      const socket: BeaconSocket = await open(ip6, {
        onDatagram: (bytes, from) => this.#heard(bytes, from),
        onFailed: (error) => {
          if (this.#socket?.socket !== socket) return
          this.#fail(error)
          void this.#closeSocket()
        },
      })
      if (!this.#isRunning) return await socket.close()
      this.#socket = { socket, ip6 }
      this.#trouble = null
      this.#openMs = Number.NEGATIVE_INFINITY
    } catch (thrown) {
      this.#fail(asError(thrown))
    } finally {
      this.#isOpening = false
    }
    log.debug('the beacon', { state: this.#trouble ?? 'works' })
  }

  #fail(error: Error): void {
    if (this.#trouble !== error.message) this.#parts.log.warn('no beacons', { error })
    this.#trouble = error.message
    this.#openMs = this.#parts.clock.boottimeMs()
  }

  async #closeSocket(): Promise<void> {
    const open = this.#socket
    this.#socket = null
    await open?.socket.close()
  }

  /** Believed only from the address that it names: what was heard elsewhere and is said again here moves nobody. */
  #heard(bytes: Uint8Array, from: string): void {
    if (!this.#isRunning || bytes.length > MAX_BEACON_BYTES) return
    const { clock, documents, log, onBeacon } = this.#parts
    const known = this.#places.get(from)
    if (known !== undefined && equalBytesConstantTime(known.bytes, bytes)) return onBeacon(known.beacon)
    const now = clock.boottimeMs()
    if (this.#placeLimit.take(from, now) > 0) return
    try {
      const address = ipBytes(from)
      if (address === null || address.length !== 16 || readBeacon(bytes).ip6 !== ip6Text(address)) return
      if (this.#allLimit.take('all', now) > 0) return
      const beacon = openBeacon(documents, bytes)
      this.#places.delete(from)
      this.#places.set(from, { bytes: bytes.slice(), beacon })
      const oldest = this.#places.keys().next()
      if (this.#places.size > MAX_PLACES && !oldest.done) this.#places.delete(oldest.value)
      onBeacon(beacon)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      log.debug('a datagram is no beacon', { from, error: thrown })
    }
  }
}

function isSame(a: BeaconFacts, b: BeaconFacts): boolean {
  return a.ip6 === b.ip6 && a.port === b.port && a.originator === b.originator && equalBytesConstantTime(a.peerId, b.peerId) && equalBytesConstantTime(a.community, b.community)
}
