/** What the parts of this room share: the disk, the clock, the plan, opened keys, numbers for downlinks, and who listens. */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { ReadTx, Store } from '../../store/index.ts'
import { openSessionKeys } from '../lorawan/index.ts'
import type { SessionCiphers } from '../lorawan/index.ts'
import type { Eui, FrameId, Heard, JoinEvent, QueueItem, Radio, Reading } from '../ports.ts'
import type { CipherCache } from './ciphers.ts'
import type { SlotDesk } from './desk.ts'
import type { NetworkPlan } from './plan.ts'
import type { NetworkRows } from './rows.ts'
import type { NetworkSession } from './session.ts'

export interface Room {
  readonly store: Store
  readonly rows: NetworkRows
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Randomness
  readonly log: Log
  readonly plan: NetworkPlan
  readonly radio: Radio
  readonly ciphers: CipherCache
  readonly desk: SlotDesk
  readonly ids: DownlinkIds
  readonly events: NetworkEvents
  /** The request each device joined with last: its late copies are no news. */
  readonly joinedBy: Map<Eui, FrameId>
}

/** Ciphers of a session that lies on disk. */
export function ciphersOf(room: Pick<Room, 'ciphers' | 'rows'>, tx: ReadTx, session: Pick<NetworkSession, 'devEui' | 'number' | 'is11'>): SessionCiphers {
  const known = room.ciphers.get(session.devEui, session.number)
  if (known !== undefined) return known
  const keys = room.rows.sessionKeys(tx, session.devEui, session.number)
  if (keys === null) throw new MeshBoxError('internal', 'a session has no keys', { code: 'session-without-keys' })
  const ciphers = openSessionKeys(keys, session.is11)
  room.ciphers.put(session.devEui, session.number, ciphers)
  return ciphers
}

const GPS_EPOCH_MS = 315_964_800_000
/** GPS time counts no leap seconds; 18 since 2017, and none are to come. */
const LEAP_MS = 18_000

/** Null while nobody believes the wall clock. */
export function gpsNowMs(clock: Clock): number | null {
  return clock.isWallTrusted() ? clock.wallMs() - GPS_EPOCH_MS + LEAP_MS : null
}

/** When the frame ended; by a gateway with GPS, or by the box's clock if that is believed. */
export function gpsTimeOf(heard: Heard, clock: Clock): number | null {
  const told = heard.copies.find((copy) => copy.gpsTimeMs !== null)?.gpsTimeMs ?? null
  const now = gpsNowMs(clock)
  const arrivedMs = heard.copies[0]?.arrivedMs
  return told ?? (now === null || arrivedMs === undefined ? null : now - (clock.boottimeMs() - arrivedMs))
}

const BLOCK = 4_096

/** Numbers of downlinks, never the same within a day: blocks of them are taken on disk before the first is used. */
export class DownlinkIds {
  readonly #store: Store
  readonly #rows: NetworkRows
  readonly #log: Log
  #next = 0
  #end = 0
  #following: number | null = null
  #isAsking = false

  constructor(store: Store, rows: NetworkRows, log: Log) {
    this.#store = store
    this.#rows = rows
    this.#log = log
  }

  async load(): Promise<void> {
    this.#next = await this.#store.turn((tx) => this.#rows.reserveDownlinkIds(tx, BLOCK))
    this.#end = this.#next + BLOCK
  }

  /** Errors: unavailable when the disk did not keep up. */
  next(): number {
    if (this.#next === this.#end) {
      if (this.#following === null) throw new MeshBoxError('unavailable', 'no number for a downlink is on disk yet', { code: 'downlink-ids' })
      this.#next = this.#following
      this.#end = this.#next + BLOCK
      this.#following = null
    }
    if (this.#end - this.#next <= BLOCK / 2 && this.#following === null) this.#ask()
    return this.#next++
  }

  #ask(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    this.#store
      .turn((tx) => this.#rows.reserveDownlinkIds(tx, BLOCK))
      .then((first) => {
        this.#following = first
      })
      .catch((error: unknown) => this.#log.error('no numbers for downlinks could be stored', { error: asError(error) }))
      .finally(() => {
        this.#isAsking = false
      })
  }
}

/** Told after it is on disk. A listener that throws is logged, and stops nobody else. */
export class NetworkEvents {
  readonly #log: Log
  readonly #queue = new Set<(item: QueueItem) => void>()
  readonly #join = new Set<(event: JoinEvent) => void>()
  readonly #reading = new Set<(reading: Reading) => void>()

  constructor(log: Log) {
    this.#log = log
  }

  onQueue(listener: (item: QueueItem) => void): Cancel {
    return added(this.#queue, listener)
  }

  onJoin(listener: (event: JoinEvent) => void): Cancel {
    return added(this.#join, listener)
  }

  onReading(listener: (reading: Reading) => void): Cancel {
    return added(this.#reading, listener)
  }

  queue(items: readonly QueueItem[]): void {
    for (const item of items) this.#tell(this.#queue, item)
  }

  join(event: JoinEvent): void {
    this.#tell(this.#join, event)
  }

  reading(reading: Reading): void {
    this.#tell(this.#reading, reading)
  }

  #tell<T>(listeners: ReadonlySet<(event: T) => void>, event: T): void {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (thrown) {
        this.#log.error('a listener of the network server failed', { error: asError(thrown) })
      }
    }
  }
}

function added<T>(listeners: Set<T>, listener: T): Cancel {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
