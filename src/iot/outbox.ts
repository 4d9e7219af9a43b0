/**
 * Readings on their way to the broker. What it has acknowledged is known on disk as one number, the id in the log up to which it has everything; what lies above
 * is said again on the topic of late ones when the broker is back, also after a restart or a power cut. So nothing is lost; what the broker
 * had and the box did not yet write down comes twice, with the same counter.
 */
import { asError } from '../base/index.ts'
import type { Cancel, Log, Timers } from '../base/index.ts'
import type { Store } from '../store/index.ts'
import { outboxTables } from './io/outbox-tables.ts'
import type { DataLogTables } from './log/index.ts'
import type { OwnTopics } from './mqtt/index.ts'
import type { MqttClient, Reading } from './ports.ts'

export interface OutboxParts {
  readonly store: Store
  readonly tables: Pick<DataLogTables, 'after' | 'newest'>
  readonly topics: Pick<OwnTopics, 'reading' | 'late'>
  readonly client: Pick<MqttClient, 'isConnected' | 'onState'>
  /** A row that was kept and never decoded. */
  readonly complete: (reading: Reading) => Promise<Reading>
  readonly timers: Timers
  readonly log: Log
}

const ROWS_AT_ONCE = 50
const WRITE_MS = 5_000
const AGAIN_MS = 10_000

export class Outbox {
  readonly #parts: OutboxParts
  /** Being decoded or published. */
  readonly #open = new Set<number>()
  /** Above `#gap`, and the broker has them all the same. */
  readonly #done = new Set<number>()
  /** The lowest that is left for later; null: nothing is. */
  #gap: number | null = null
  #newest = 0
  #written = 0
  #cancels: readonly Cancel[] = []
  #sending: Promise<void> | null = null
  #isStopped = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  /** A broker that is new to this box gets what comes from now on. */
  start(): void {
    const { store, tables, client, timers } = this.#parts
    const { published, newest } = store.read((tx) => ({ published: outboxTables.published(tx), newest: tables.newest(tx) }))
    this.#newest = newest
    this.#written = published ?? -1
    if (published !== null && published < newest) this.#gap = published + 1
    this.#cancels = [client.onState((isConnected) => isConnected && this.#sayLate()), timers.every(WRITE_MS, () => void this.#write()), timers.every(AGAIN_MS, () => this.#sayLate())]
    this.#sayLate()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#cancels) cancel()
    await this.#sending
    await this.#write()
  }

  /** Readings that the broker has not got. */
  get waiting(): number {
    return this.#gap === null ? this.#open.size : Math.max(0, this.#newest - this.#gap + 1 - this.#done.size)
  }

  /** It lies in the log, and `send` follows. */
  begin(id: number): void {
    this.#open.add(id)
    this.#newest = Math.max(this.#newest, id)
  }

  send(reading: Reading, id: number): void {
    void this.#parts.topics.reading(reading).then((isSent) => {
      this.#open.delete(id)
      if (isSent) this.#sent(id)
      else this.#missed(id)
    })
  }

  #sent(id: number): void {
    if (this.#gap !== null && id >= this.#gap) this.#done.add(id)
  }

  #missed(id: number): void {
    this.#gap = Math.min(this.#gap ?? id, id)
    this.#sayLate()
  }

  #sayLate(): void {
    if (this.#gap === null || this.#sending !== null || this.#isStopped || !this.#parts.client.isConnected) return
    this.#sending = this.#catchUp()
      .catch((thrown: unknown) => this.#parts.log.debug('readings wait for the broker', { waiting: this.waiting, problem: asError(thrown).message }))
      .finally(() => {
        this.#sending = null
      })
  }

  async #catchUp(): Promise<void> {
    const { store, tables, topics, client, complete } = this.#parts
    while (this.#gap !== null && !this.#isStopped && client.isConnected) {
      let at = this.#gap
      const rows = store.read((tx) => tables.after(tx, at - 1, ROWS_AT_ONCE))
      if (rows.length === 0) {
        this.#gap = null
        this.#done.clear()
        return
      }
      for (const row of rows) {
        if (this.#isStopped) return
        // One that is still open has its own way, and comes back here when that fails.
        if (!this.#open.has(row.id) && !this.#done.has(row.id)) await topics.late(await complete(row))
        if (this.#gap !== at) {
          this.#done.add(row.id)
          break
        }
        this.#done.delete(row.id)
        at = row.id + 1
        this.#gap = at
      }
    }
  }

  /** All below it is published. */
  get #published(): number {
    let lowest = this.#gap ?? this.#newest + 1
    for (const id of this.#open) lowest = Math.min(lowest, id)
    return lowest - 1
  }

  async #write(): Promise<void> {
    const published = this.#published
    if (published === this.#written) return
    try {
      await this.#parts.store.turn((tx) => outboxTables.setPublished(tx, published))
      this.#written = published
    } catch (thrown) {
      this.#parts.log.warn('how far the broker got is not on disk; some readings may be said twice', { error: asError(thrown) })
    }
  }
}
