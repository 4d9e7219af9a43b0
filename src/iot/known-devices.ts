/**
 * Own devices as readings and topics need them, in memory: name, the last of each value, whether it counts as online. The disk is read once at
 * the start, a few devices at a time, and for one device after its own news.
 */
import { momentOf } from '../base/index.ts'
import type { Cancel, Clock, Moment, Timers } from '../base/index.ts'
import type { Store } from '../store/index.ts'
import type { DataLogTables } from './log/index.ts'
import type { KnownDevice } from './mqtt/index.ts'
import type { DeviceDesk, DeviceView, Eui, Reading, Value } from './ports.ts'

type LastValues = readonly (Value & { readonly at: Moment })[]

export interface KnownDevicesParts {
  readonly store: Store
  readonly log: Pick<DataLogTables, 'rows'>
  readonly devices: Pick<DeviceDesk, 'devices' | 'device'>
  readonly clock: Clock
  readonly timers: Timers
  readonly onAvailability: (devEui: Eui, isOnline: boolean) => void
}

interface Known {
  readonly devEui: Eui
  name: string
  codec: string | null
  isOnline: boolean
  lastSeen: Moment | null
  readonly values: Map<string, Value & { readonly at: Moment }>
}

/** Rows of the log that are looked at for the last of each value. */
const ROWS_READ = 20
const READ_AT_ONCE = 20
const MAX_VALUES = 256
/** Nobody is offline earlier. */
const LEAST_OFFLINE_MS = 3_600_000
const LOOK_MS = 60_000

export class KnownDevices {
  readonly #parts: KnownDevicesParts
  readonly #known = new Map<Eui, Known>()
  #cancel: Cancel = () => undefined
  #isStopped = false

  constructor(parts: KnownDevicesParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    const { devices, timers } = this.#parts
    let read = 0
    for (const view of devices.devices()) {
      this.#read(view)
      if (++read % READ_AT_ONCE === 0) await new Promise<void>((next) => timers.after(0, next))
    }
    if (!this.#isStopped) this.#cancel = timers.every(LOOK_MS, () => this.#look())
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  /** New or changed by its owner. */
  changed(devEui: Eui): void {
    const view = this.#parts.devices.device(devEui)
    if (view !== null) this.#read(view)
  }

  removed(devEui: Eui): void {
    this.#known.delete(devEui)
  }

  /** It spoke: a reading, a join, a MAC frame. */
  spoke(devEui: Eui): void {
    const known = this.#known.get(devEui)
    if (known === undefined) return
    known.lastSeen = momentOf(this.#parts.clock)
    this.#tell(known, true)
  }

  take(reading: Reading): void {
    const known = this.#known.get(reading.devEui)
    if (known === undefined || reading.values === null) return
    for (const value of reading.values) if (known.values.size < MAX_VALUES || known.values.has(value.name)) known.values.set(value.name, { ...value, at: reading.at })
  }

  codecOf(devEui: Eui): string | null {
    return this.#known.get(devEui)?.codec ?? null
  }

  has(devEui: Eui): boolean {
    return this.#known.has(devEui)
  }

  valuesOf(devEui: Eui): LastValues {
    return [...(this.#known.get(devEui)?.values.values() ?? [])]
  }

  /** Null: no such device. */
  valueNames(devEui: Eui): readonly string[] | null {
    const known = this.#known.get(devEui)
    return known === undefined ? null : [...known.values.keys()]
  }

  /** By name, or by DevEUI. Null: nobody is called so, or several are. */
  devEuiOf(nameOrEui: string): Eui | null {
    if (this.#known.has(nameOrEui)) return nameOrEui
    const named = [...this.#known.values()].filter(({ name }) => name === nameOrEui)
    return named.length === 1 ? (named[0]?.devEui ?? null) : null
  }

  nameOf(devEui: Eui): string {
    return this.#known.get(devEui)?.name ?? devEui
  }

  /** What a rule's text calls it: its DevEUI where the name is somebody else's too. */
  calledOf(devEui: Eui): string {
    const name = this.nameOf(devEui)
    return this.devEuiOf(name) === devEui ? name : devEui
  }

  all(): readonly KnownDevice[] {
    return [...this.#known.values()].map(({ devEui, name, isOnline, lastSeen, values }) => ({ devEui, name, isOnline, lastSeen, values: [...values.values()] }))
  }

  one(devEui: Eui): KnownDevice | null {
    const known = this.#known.get(devEui)
    return known === undefined ? null : { devEui, name: known.name, isOnline: known.isOnline, lastSeen: known.lastSeen, values: [...known.values.values()] }
  }

  #read({ devEui, name, codec, isOnline, session }: DeviceView): void {
    const before = this.#known.get(devEui)
    if (before !== undefined) {
      before.name = name
      before.codec = codec
      return this.#tell(before, isOnline)
    }
    const values = new Map<string, Value & { readonly at: Moment }>()
    const { store, log } = this.#parts
    for (const row of store.read((tx) => log.rows(tx, { devEui, limit: ROWS_READ })))
      for (const value of row.values ?? []) if (!values.has(value.name) && values.size < MAX_VALUES) values.set(value.name, { ...value, at: row.at })
    this.#known.set(devEui, { devEui, name, codec, isOnline, lastSeen: session?.lastSeen ?? null, values })
  }

  /** Only who has been silent for long is looked up. */
  #look(): void {
    const nowMs = this.#parts.clock.boottimeMs()
    for (const known of this.#known.values()) {
      if (!known.isOnline || (known.lastSeen !== null && known.lastSeen.bootId === this.#parts.clock.bootId && nowMs - known.lastSeen.boottimeMs < LEAST_OFFLINE_MS)) continue
      this.#tell(known, this.#parts.devices.device(known.devEui)?.isOnline ?? false)
    }
  }

  #tell(known: Known, isOnline: boolean): void {
    if (known.isOnline === isOnline) return
    known.isOnline = isOnline
    this.#parts.onAvailability(known.devEui, isOnline)
  }
}
