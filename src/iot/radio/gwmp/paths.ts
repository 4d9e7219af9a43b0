/**
 * Which gateways speak GWMP to us, and where each can be reached. Pure.
 *
 * An order goes to where the newest PULL_DATA came from. Nothing is authenticated, so the path is defended as far as it can be: another
 * port of the same host takes it over at once (a router in between gave a new one, or the forwarder started anew), another host only
 * when the one before has been silent for longer than any keepalive. What comes from such a host meanwhile is counted and not believed.
 */
import type { Eui } from '../../ports.ts'

export interface Place {
  readonly host: string
  readonly port: number
}

/** Without a PULL_DATA for so long there is no way down. */
const PATH_MS = 90_000
/** Keepalives are 5, 10 or 30 s; another host may take over after this. */
const HOLD_MS = 35_000
/** Without a word for so long a gateway is forgotten. */
const FORGET_MS = 30 * 24 * 3_600_000
export const MAX_GATEWAYS = 256
/** Several may stand behind one address. */
export const MAX_GATEWAYS_PER_HOST = 64

interface Known {
  version: 1 | 2
  /** Of the last believed word, up or down. */
  host: string
  heardMs: number
  /** Null: never pulled. */
  place: Place | null
  pulledMs: number
  wasOnline: boolean
}

/** `new`: first word ever. `foreign`: another host while the known one is there. `full`: no room for one more. */
export type PathVerdict = 'new' | 'known' | 'foreign' | 'full'

export class PathTable {
  readonly #known = new Map<Eui, Known>()

  get size(): number {
    return this.#known.size
  }

  ids(): readonly Eui[] {
    return [...this.#known.keys()]
  }

  heardMs(gateway: Eui): number {
    return this.#known.get(gateway)?.heardMs ?? 0
  }

  /** A gateway is there that said something lately. */
  isAt(host: string, nowMs: number): boolean {
    for (const known of this.#known.values()) if (known.host === host && nowMs - known.heardMs < PATH_MS) return true
    return false
  }

  version(gateway: Eui): 1 | 2 {
    return this.#known.get(gateway)?.version ?? 2
  }

  /** PUSH_DATA or TX_ACK came. */
  heard(gateway: Eui, from: Place, nowMs: number): PathVerdict {
    return this.#note(gateway, from, nowMs)[0]
  }

  /** PULL_DATA came. */
  pulled(gateway: Eui, version: 1 | 2, from: Place, nowMs: number): PathVerdict {
    const [verdict, known] = this.#note(gateway, from, nowMs)
    if (known === null) return verdict
    known.version = version
    known.pulledMs = nowMs
    known.place = from
    return verdict
  }

  /** Null: no way down. */
  placeOf(gateway: Eui, nowMs: number): Place | null {
    const known = this.#known.get(gateway)
    return known === undefined || known.place === null || nowMs - known.pulledMs >= PATH_MS ? null : known.place
  }

  /** Those whose way down opened or closed since the last call; forgets who was silent for a month. */
  changes(nowMs: number): readonly Eui[] {
    const changed: Eui[] = []
    for (const [gateway, known] of this.#known) {
      const isOnline = this.placeOf(gateway, nowMs) !== null
      if (isOnline !== known.wasOnline) changed.push(gateway)
      known.wasOnline = isOnline
      if (nowMs - known.heardMs >= FORGET_MS) this.#known.delete(gateway)
    }
    return changed
  }

  #note(gateway: Eui, from: Place, nowMs: number): [PathVerdict, Known | null] {
    const known = this.#known.get(gateway)
    if (known === undefined) {
      if (!this.#makeRoom(from.host, nowMs)) return ['full', null]
      const fresh: Known = { version: 2, host: from.host, heardMs: nowMs, place: null, pulledMs: 0, wasOnline: false }
      this.#known.set(gateway, fresh)
      return ['new', fresh]
    }
    if (known.host !== from.host && nowMs - known.heardMs < HOLD_MS) return ['foreign', null]
    known.host = from.host
    known.heardMs = nowMs
    return ['known', known]
  }

  /** Who has been silent for longest gives way, if he can be reached no more, and it was told: names made up by a flood push nobody out who is there. */
  #makeRoom(host: string, nowMs: number): boolean {
    let ofHost = 0
    let silent: [Eui, Known] | null = null
    for (const entry of this.#known) {
      if (entry[1].host === host) ofHost += 1
      if (nowMs - entry[1].heardMs >= PATH_MS && !entry[1].wasOnline && (silent === null || entry[1].heardMs < silent[1].heardMs)) silent = entry
    }
    if (ofHost < MAX_GATEWAYS_PER_HOST && this.#known.size < MAX_GATEWAYS) return true
    if (silent === null || (ofHost >= MAX_GATEWAYS_PER_HOST && silent[1].host !== host)) return false
    return this.#known.delete(silent[0])
  }
}
