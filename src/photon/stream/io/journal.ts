/**
 * Where the payee's streams are kept (photon.md 9.4, flash wear): the newest record of each channel in a file on tmpfs,
 * appended each second, and in the box's database, once a minute and when it matters. Each record carries a running
 * number, so that after a restart the newer of the two counts. A line that was cut off is left out.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Migration, Store } from '../../../store/index.ts'
import type { StreamJournal } from '../payee/index.ts'

export const streamMigrations: readonly Migration[] = [
  {
    id: 'photon-stream-001',
    sql: `
      CREATE TABLE photon_stream (
        channel TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        record TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
]

/** A file that has grown so far is written anew with the newest records alone. */
const MAX_FAST_BYTES = 4 * 1024 * 1024
const LINE = /^(\d{1,15}) (\S+) (\{.*\})$/

interface Numbered {
  readonly number: number
  readonly record: string
}

export class FlashJournal implements StreamJournal {
  readonly #store: Store
  readonly #path: string
  readonly #newest = new Map<string, Numbered>()
  #number = 0
  #bytes = 0

  /** `fastPath`: a file on tmpfs. What it holds of an earlier boot cannot be there; what another box left must not. */
  constructor(store: Store, fastPath: string) {
    this.#store = store
    this.#path = fastPath
  }

  load(): ReturnType<StreamJournal['load']> {
    const onFlash = new Map<string, number>()
    for (const { channel, number, record } of this.#store.read((tx) => tx.all<{ channel: string; number: number; record: string }>('SELECT channel, number, record FROM photon_stream'))) {
      onFlash.set(channel, number)
      this.#take(channel, { number, record })
    }
    if (existsSync(this.#path))
      for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
        const [, number, channel, record] = LINE.exec(line) ?? []
        if (number !== undefined && channel !== undefined && record !== undefined) this.#take(channel, { number: Number(number), record })
      }
    this.#rewrite()
    return [...this.#newest].map(([channel, { number, record }]) => ({ record, isOnFlash: onFlash.get(channel) === number }))
  }

  noteFast(records: ReadonlyMap<string, string>): void {
    const lines: string[] = []
    for (const [channel, record] of records) {
      const numbered = { number: ++this.#number, record }
      this.#newest.set(channel, numbered)
      lines.push(lineOf(channel, numbered))
    }
    if (this.#bytes > MAX_FAST_BYTES) return this.#rewrite()
    const text = lines.join('')
    appendFileSync(this.#path, text)
    this.#bytes += text.length
  }

  async writeFlash(records: ReadonlyMap<string, string>): Promise<void> {
    const rows = [...records].map(([channel, record]) => ({ channel, record, number: ++this.#number }))
    await this.#store.turn((tx) => {
      for (const { channel, number, record } of rows)
        tx.run('INSERT INTO photon_stream VALUES (?, ?, ?) ON CONFLICT (channel) DO UPDATE SET number = excluded.number, record = excluded.record WHERE excluded.number > number', channel, number, record)
    })
    for (const { channel, number, record } of rows) this.#take(channel, { number, record })
  }

  #take(channel: string, numbered: Numbered): void {
    this.#number = Math.max(this.#number, numbered.number)
    if (numbered.number > (this.#newest.get(channel)?.number ?? 0)) this.#newest.set(channel, numbered)
  }

  #rewrite(): void {
    const text = [...this.#newest].map(([channel, numbered]) => lineOf(channel, numbered)).join('')
    mkdirSync(dirname(this.#path), { recursive: true })
    const temporary = `${this.#path}.new`
    rmSync(temporary, { force: true })
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, this.#path)
    this.#bytes = text.length
  }
}

function lineOf(channel: string, { number, record }: Numbered): string {
  return `${number} ${channel} ${record}\n`
}
