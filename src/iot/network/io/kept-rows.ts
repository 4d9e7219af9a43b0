/**
 * Rows of the devices that spoke last, decoded, in front of io/tables.ts: a frame reads its device and its session several times, and nobody else writes
 * them. They are what the connection sees: what a turn wrote, or read after it wrote, is forgotten when the turn is undone. A miss costs a row of the disk.
 */
import type { Tx } from '../../../store/index.ts'
import type { DevAddr, Eui } from '../../ports.ts'
import type { Candidate, KeylessDevice, NetworkRows } from '../rows.ts'
import type { NetworkSession } from '../session.ts'

const MOST_DEVICES = 2_048
const MOST_ADDRESSES = 2_048

interface Kept {
  device: KeylessDevice | null
  session: NetworkSession | null
  /** Nothing waits for it. */
  isQueueEmpty: boolean
}

/** One for a store: whoever writes these rows goes through it. */
export function keptRows(rows: NetworkRows): NetworkRows {
  const kept = new KeptRows()
  const device: NetworkRows['device'] = (tx, devEui) => {
    const known = kept.get(devEui)?.device
    if (known !== undefined && known !== null) return known
    const found = rows.device(tx, devEui)
    if (found !== null) kept.of(devEui).device = found
    return found
  }
  const session: NetworkRows['session'] = (tx, devEui) => {
    const known = kept.get(devEui)?.session
    if (known !== undefined && known !== null) return known
    const found = rows.session(tx, devEui)
    if (found !== null) kept.of(devEui).session = found
    return found
  }
  return {
    ...rows,
    device,
    session,
    candidates(tx, devAddr, after, limit) {
      const known = after === '' ? kept.at(devAddr) : undefined
      if (known === undefined) {
        const found = rows.candidates(tx, devAddr, after, limit)
        if (after === '' && found.length > 0 && found.length < limit) kept.keepAt(devAddr, found.map(({ devEui }) => devEui))
        return found
      }
      const candidates: Candidate[] = []
      for (const devEui of known) {
        const itself = device(tx, devEui)
        const its = session(tx, devEui)
        if (itself !== null && its !== null) candidates.push({ devEui, number: its.number, fCntUp: its.fCntUp, allowsCounterReset: itself.allowsCounterReset, session11: its.is11 ? its : null })
      }
      return candidates
    },
    putDevice(tx, given) {
      kept.forget(tx, given.devEui)
      rows.putDevice(tx, given)
    },
    removeDevice(tx, devEui) {
      kept.forget(tx, devEui)
      return rows.removeDevice(tx, devEui)
    },
    startSession(tx, next, keys) {
      kept.forget(tx, next.devEui)
      rows.startSession(tx, next, keys)
    },
    retireSession(tx, devEui) {
      kept.forget(tx, devEui)
      rows.retireSession(tx, devEui)
    },
    takeOffered(tx, devEui) {
      kept.forget(tx, devEui)
      rows.takeOffered(tx, devEui)
    },
    skipDownCounters(tx, by) {
      kept.forgetAll(tx)
      return rows.skipDownCounters(tx, by)
    },
    saveSession(tx, next) {
      kept.touch(tx, next.devEui)
      const its = kept.of(next.devEui)
      its.session = null
      rows.saveSession(tx, next)
      its.session = next
    },

    head(tx, devEui) {
      if (kept.get(devEui)?.isQueueEmpty === true) return null
      const found = rows.head(tx, devEui)
      // Only of devices that are there.
      const known = kept.get(devEui)
      if (found === null && known !== undefined) known.isQueueEmpty = true
      return found
    },
    addQueueItem(tx, item) {
      kept.touch(tx, item.devEui)
      kept.of(item.devEui).isQueueEmpty = false
      return rows.addQueueItem(tx, item)
    },
    saveQueueItem(tx, item) {
      kept.touch(tx, item.devEui)
      kept.of(item.devEui).isQueueEmpty = false
      rows.saveQueueItem(tx, item)
    },
  }
}

class KeptRows {
  /** Oldest first. */
  readonly #devices = new Map<Eui, Kept>()
  /** Whose sessions have that address, all of them. */
  readonly #addresses = new Map<DevAddr, readonly Eui[]>()
  #writer: Tx | null = null
  #touched: Eui[] = []

  get(devEui: Eui): Kept | undefined {
    return this.#devices.get(devEui)
  }

  /** To be filled with what was read: nothing is made for names that are no device's. */
  of(devEui: Eui): Kept {
    const known = this.#devices.get(devEui)
    if (known !== undefined) return known
    const kept: Kept = { device: null, session: null, isQueueEmpty: false }
    this.#devices.set(devEui, kept)
    if (this.#devices.size > MOST_DEVICES) deleteOldest(this.#devices)
    return kept
  }

  at(devAddr: DevAddr): readonly Eui[] | undefined {
    return this.#addresses.get(devAddr)
  }

  keepAt(devAddr: DevAddr, devices: readonly Eui[]): void {
    this.#addresses.set(devAddr, devices)
    if (this.#addresses.size > MOST_ADDRESSES) deleteOldest(this.#addresses)
  }

  /** Its rows are about to be written by this turn. */
  touch(tx: Tx, devEui: Eui): void {
    if (tx !== this.#writer) {
      this.#writer = tx
      const touched: Eui[] = []
      this.#touched = touched
      tx.onUndone(() => {
        for (const each of touched) this.#devices.delete(each)
        this.#addresses.clear()
      })
    }
    this.#touched.push(devEui)
  }

  /** The same, and nothing of it is kept. */
  forget(tx: Tx, devEui: Eui): void {
    this.touch(tx, devEui)
    this.#devices.delete(devEui)
    this.#addresses.clear()
  }

  /** Of all devices. */
  forgetAll(tx: Tx): void {
    this.#clear()
    tx.onUndone(() => this.#clear())
  }

  #clear(): void {
    this.#devices.clear()
    this.#addresses.clear()
  }
}

function deleteOldest<K>(map: Map<K, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
