/**
 * Backups between neighbours: putting one's own at some, keeping theirs, and asking all for one's own after a loss.
 *
 *   PUT  0x42: type 1 ‖ blob               a copy to keep; the sender is its owner
 *   KEPT 0x43: type 1 ‖ counter 8          it is on disk
 *   ASK  0x44: type 1                      give me mine
 *   GIVE 0x45: type 1 ‖ blob, or nothing   here it is; or: I have none
 *
 * A keeper holds one blob per owner, the one with the highest counter, for so many owners; a copy goes to nobody but its
 * owner. What is restored is what `reestablish` then has to agree with, channel by channel.
 */
import { RateLimit, asError, bytesOf, concatBytes, hexOf } from '../../base/index.ts'
import type { Address, Cancel, Clock, Log, Randomness } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { Domain } from '../ports.ts'
import { MAX_BACKUP_BYTES, chooseBackup, readBackup, sealBackup } from './backup.ts'
import type { BackupRecord, Restored } from './backup.ts'
import { keptBackup, keptOwners, lastCounter, putKept, setLastCounter } from './io/backup-table.ts'
import type { WatchSigner, WatchTransport } from './ports.ts'

export interface BackupOptions {
  readonly domain: Domain
  readonly signer: WatchSigner
  /** 32 bytes, derived from the box's key: the same after a restore by words. */
  readonly key: Uint8Array
  readonly store: Store
  readonly transport: WatchTransport
  readonly randomness: Randomness
  readonly clock: Clock
  readonly log: Log
  /** Neighbours whose backups are kept. At 64 KiB each. */
  readonly maxOwners: number
}

const [PUT, KEPT, ASK, GIVE] = [0x42, 0x43, 0x44, 0x45]
const COUNTER_BYTES = 8
/** A backup is up to 64 KiB on flash. */
const PER_OWNER = { burst: 10, perSecond: 1 / 60 }
const OVERALL = { burst: 60, perSecond: 1 / 2 }

export class Backups {
  readonly #options: BackupOptions
  readonly #rate = new RateLimit(PER_OWNER)
  readonly #overall = new RateLimit(OVERALL, 1)
  /** Those that one's own were sent to, and the highest counter that each says to have on disk. */
  readonly #keptBy = new Map<Address, bigint>()
  readonly #newerAt = new Set<Address>()
  /** While asking: what each neighbour that was asked gave, no bytes where it has none; null: no answer yet. */
  #given: Map<Address, Uint8Array | null> | null = null
  #cancel: Cancel = () => undefined

  constructor(options: BackupOptions) {
    this.#options = options
  }

  start(): void {
    this.#cancel = this.#options.transport.onFrame((from, frame) => void this.receive(from, frame))
  }

  stop(): void {
    this.#cancel()
  }

  /** Who has said that the copy with this counter, or a newer one, is on disk. */
  keepersOf(counter: bigint): readonly Address[] {
    return [...this.#keptBy].filter(([, kept]) => kept >= counter).map(([keeper]) => keeper)
  }

  /** Keepers with a newer copy than this box remembers to have sealed: it runs on an old state, and should ask. */
  get newerAt(): readonly Address[] {
    return [...this.#newerAt]
  }

  /** Seals the records under the next counter and sends them to `keepers`. The counter is on disk before anything leaves. */
  async put(records: readonly BackupRecord[], keepers: readonly Address[]): Promise<bigint> {
    const { store, transport } = this.#options
    const counter = await store.turn((tx) => {
      const next = lastCounter(tx) + 1n
      setLastCounter(tx, next)
      return next
    })
    const frame = concatBytes(Uint8Array.of(PUT), sealBackup(this.#options, counter, records))
    for (const keeper of keepers) if (transport.send(keeper, frame) && !this.#keptBy.has(keeper)) this.#keptBy.set(keeper, 0n)
    return counter
  }

  /** After a loss: asks all neighbours that have not answered yet; what they gave is chosen from by `restored`. */
  ask(): void {
    const { transport } = this.#options
    const given = (this.#given ??= new Map())
    for (const neighbour of transport.neighbours()) {
      if ((given.get(neighbour) ?? null) !== null) continue
      given.set(neighbour, null)
      transport.send(neighbour, Uint8Array.of(ASK))
    }
  }

  /** Since the first `ask`: who was asked, who has answered, and who of those gave a copy. */
  get answers(): { readonly asked: number; readonly answered: number; readonly copies: number } {
    const given = [...(this.#given?.values() ?? [])]
    return { asked: given.length, answered: given.filter((blob) => blob !== null).length, copies: given.filter((blob) => blob !== null && blob.length > 0).length }
  }

  /** The newest of what was given since `ask`; the counter goes on from there. */
  async restored(): Promise<Restored> {
    const { store } = this.#options
    const copies = [...(this.#given ?? [])].flatMap(([holder, blob]) => (blob === null || blob.length === 0 ? [] : [{ holder, blob }]))
    const chosen = chooseBackup(this.#options, copies, store.read(lastCounter))
    const counter = chosen.newest?.counter ?? 0n
    await store.turn((tx) => {
      if (counter > lastCounter(tx)) setLastCounter(tx, counter)
    })
    this.#given = null
    return chosen
  }

  /** Never rejects. Frames that are not about backups are somebody else's. */
  async receive(from: Address, frame: Uint8Array): Promise<void> {
    try {
      if (frame[0] === PUT) await this.#keep(from, new Uint8Array(frame.subarray(1)))
      else if (frame[0] === KEPT && frame.length === 1 + COUNTER_BYTES) this.#noteKept(from, BigInt(hexOf(frame.subarray(1))))
      else if (frame[0] === ASK && frame.length === 1) this.#giveBack(from)
      else if (frame[0] === GIVE) this.#take(from, new Uint8Array(frame.subarray(1)))
    } catch (thrown) {
      this.#options.log.error('a neighbour’s backup could not be stored', { from, error: asError(thrown).message })
    }
  }

  async #keep(from: Address, blob: Uint8Array): Promise<void> {
    const { domain, signer, store, transport, maxOwners } = this.#options
    if (!this.#admits(from)) return
    const read = readBackup(domain, signer.recover, blob)
    if ('refused' in read || read.owner !== from) return
    const counter = await store.turn((tx) => {
      const kept = keptBackup(tx, from)
      if (kept === null && keptOwners(tx) >= maxOwners) return null
      if (kept !== null && kept.counter >= read.counter) return kept.counter
      putKept(tx, from, read.counter, blob)
      return read.counter
    })
    if (counter !== null) transport.send(from, concatBytes(Uint8Array.of(KEPT), counterBytes(counter)))
  }

  #giveBack(from: Address): void {
    if (!this.#admits(from)) return
    const kept = this.#options.store.read((tx) => keptBackup(tx, from))
    this.#options.transport.send(from, concatBytes(Uint8Array.of(GIVE), kept?.blob ?? new Uint8Array()))
  }

  #noteKept(from: Address, counter: bigint): void {
    if (!this.#keptBy.has(from)) return
    this.#keptBy.set(from, counter)
    if (counter > this.#options.store.read(lastCounter)) this.#newerAt.add(from)
    else this.#newerAt.delete(from)
  }

  /** Only what was asked for, the first answer of each. What it is worth `chooseBackup` says. */
  #take(from: Address, blob: Uint8Array): void {
    if (this.#given?.get(from) === null && blob.length <= MAX_BACKUP_BYTES) this.#given.set(from, blob)
  }

  #admits(from: Address): boolean {
    const nowMs = this.#options.clock.boottimeMs()
    return this.#rate.take(from, nowMs) === 0 && this.#overall.take('all', nowMs) === 0
  }
}

function counterBytes(counter: bigint): Uint8Array {
  return bytesOf(`0x${counter.toString(16).padStart(2 * COUNTER_BYTES, '0')}`)
}
