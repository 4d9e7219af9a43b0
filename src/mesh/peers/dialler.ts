/** Dials what the plan says (dial-plan.ts) and what somebody asks for, and tells who waits how it ended. */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { Beacon, BoxId, Mac, PeerSide } from '../ports.ts'
import { addressText, ipBytes, isWithin, parseAddress } from './addresses.ts'
import type { PeerAddress, Prefix } from './addresses.ts'
import { DialPlan } from './dial-plan.ts'
import type { DialEntry } from './dial-plan.ts'
import type { Wire, WireConnection } from './wire.ts'

const MAX_PARALLEL_DIALS = 4
/** Boxes whose originator a beacon told. */
const MAX_ORIGINATORS = 256

export interface DiallerParts {
  readonly wire: Pick<Wire, 'dial' | 'peerId'>
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  readonly staticPeers: readonly string[]
  readonly meshPrefixes: readonly Prefix[]
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Dialler {
  readonly #parts: DiallerParts
  readonly #plan: DialPlan
  readonly #originators = new Map<BoxId, Mac>()
  readonly #namedHosts: ReadonlySet<string>
  readonly #waiting = new Map<WireConnection, Waiting[]>()
  /** Under way, and who was reached on a connection that lives. */
  readonly #ready = new Map<WireConnection, BoxId | null>()
  #dialling = 0

  /** Errors: input, for a static address that cannot be. */
  constructor(parts: DiallerParts) {
    this.#parts = parts
    this.#plan = new DialPlan(() => (parts.randomness.bytes(1)[0] ?? 0) / 256)
    const addresses = parts.staticPeers.map(parseAddress)
    for (const address of addresses) this.#plan.learn(address, 'static', null, parts.clock.boottimeMs())
    this.#namedHosts = new Set(addresses.map((address) => hostKey(address)))
  }

  get size(): number {
    return this.#plan.size
  }

  /** The owner named its address. */
  isNamed(host: string): boolean {
    const bytes = ipBytes(host)
    return bytes !== null && this.#namedHosts.has(Buffer.from(bytes).toString('hex'))
  }

  isStatic(box: BoxId, address: string): boolean {
    return this.#plan.isStatic(box, keyOf(address))
  }

  originatorOf(box: BoxId): Mac | null {
    return this.#originators.get(box) ?? null
  }

  /** Where it was reached before. What is no address any more is left out. */
  remember(address: string, box: BoxId): void {
    const parsed = parsedOrNull(address)
    if (parsed !== null) this.#plan.learn(parsed, 'remembered', box, this.#parts.clock.boottimeMs())
  }

  /** Of the two, the one with the lower peer id dials first. */
  heard({ box, peerId, ip6, port, originator }: Beacon): void {
    const bytes = ipBytes(ip6)
    if (bytes === null || !this.#parts.meshPrefixes.some((prefix) => isWithin(bytes, prefix))) return
    const isSecond = Buffer.compare(this.#parts.wire.peerId, peerId) > 0
    this.#plan.learn(parseAddress(addressText(ip6, port)), 'beacon', box, this.#parts.clock.boottimeMs(), isSecond)
    this.#originators.delete(box)
    if (originator !== null) this.#originators.set(box, originator)
    const oldest = this.#originators.keys().next()
    if (this.#originators.size > MAX_ORIGINATORS && !oldest.done) this.#originators.delete(oldest.value)
  }

  /**
   * To be called a few times a second. `sideOf`: on which side a box is connected; null: it is not. A neighbour that is
   * connected over the Internet only is dialled on the mesh all the same: protocols may be shut to the other side.
   */
  look(sideOf: (box: BoxId) => PeerSide | null, isShunned: (box: BoxId) => boolean): void {
    const reachedKeys = new Set([...this.#ready.keys()].map((connection) => keyOf(connection.address)))
    const isBoxReached = ({ box, source }: DialEntry): boolean => {
      const side = box === null ? null : sideOf(box)
      return side === 'mesh' || (side === 'internet' && source !== 'beacon')
    }
    const isReached = (entry: DialEntry): boolean => isBoxReached(entry) || reachedKeys.has(entry.address.key)
    for (const entry of this.#plan.take(MAX_PARALLEL_DIALS - this.#dialling, this.#parts.clock.boottimeMs(), isReached)) {
      if (entry.box !== null && isShunned(entry.box)) this.#plan.ended(entry.address.key, this.#parts.clock.boottimeMs())
      else this.#dialPlanned(entry)
    }
  }

  /** Resolves when both have let each other in. Errors: input; unavailable `peer-not-reached`. */
  async dial(address: string): Promise<void> {
    await this.#reach(parseAddress(address).text)
  }

  /** A connection stands, and is told to `reached` or `ended` or both. */
  begun(connection: WireConnection): void {
    if (connection.isOutbound) this.#waiting.set(connection, [])
  }

  /** Both have let each other in. */
  reached(connection: WireConnection, box: BoxId | null): void {
    if (!connection.isOutbound) return
    this.#ready.set(connection, box)
    const key = keyOf(connection.address)
    if (box !== null && key !== null) this.#plan.found(key, box) // also of a dial that somebody asked for
    for (const { resolve } of this.#take(connection)) resolve()
  }

  /** `isReached`: its box is connected all the same, by another connection. */
  ended(connection: WireConnection, reason: string, isReached: boolean): void {
    this.#ready.delete(connection)
    for (const { resolve, reject } of this.#take(connection)) {
      if (isReached) resolve()
      else reject(notReached(connection.address, reason))
    }
  }

  #dialPlanned(entry: DialEntry): void {
    const { clock, log } = this.#parts
    this.#dialling += 1
    this.#reach(entry.address.text)
      .then((connection) => {
        // Under the address as it was dialled: a name is connected under what it means.
        const box = connection === null ? null : (this.#ready.get(connection) ?? null)
        if (box !== null) this.#plan.found(entry.address.key, box)
      })
      .catch((thrown: unknown) => log.debug('a box was not reached', { address: entry.address.text, error: asError(thrown) }))
      .finally(() => {
        this.#dialling -= 1
        this.#plan.ended(entry.address.key, clock.boottimeMs())
      })
  }

  /** Null: it was connected already. */
  async #reach(address: string): Promise<WireConnection | null> {
    const key = keyOf(address)
    if ([...this.#ready.keys()].some((each) => keyOf(each.address) === key)) return null
    let connection: WireConnection
    try {
      connection = await this.#parts.wire.dial(address)
    } catch (thrown) {
      throw notReached(address, asError(thrown).message)
    }
    if (this.#ready.has(connection)) return connection
    const waiting = this.#waiting.get(connection)
    if (waiting === undefined) throw notReached(address, 'the connection ended at once')
    await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
    return connection
  }

  #take(connection: WireConnection): readonly Waiting[] {
    const waiting = this.#waiting.get(connection) ?? []
    this.#waiting.delete(connection)
    return waiting
  }
}

function notReached(address: string, reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `${address}: ${reason}`, { code: 'peer-not-reached', retryAfterSeconds: 5 })
}

function parsedOrNull(address: string): PeerAddress | null {
  try {
    return parseAddress(address)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return null
    throw thrown
  }
}

function keyOf(address: string): string | null {
  return parsedOrNull(address)?.key ?? null
}

function hostKey({ key }: PeerAddress): string {
  return key.slice(0, key.lastIndexOf('/'))
}
