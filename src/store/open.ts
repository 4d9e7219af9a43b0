/** The store: one SQLite file, one connection, one queue of turns. See docs/storage.md. */
import { closeSync, openSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { MeshBoxError, inputError } from '../base/index.ts'
import type { Log } from '../base/index.ts'
import { backupDatabase } from './backup.ts'
import { Connection } from './connection.ts'
import { prepareDatabaseFile } from './database-file.ts'
import { applyMigrations } from './migrate.ts'
import { lockedError, translateFileError, translateSqliteError } from './sqlite-error.ts'
import { OpenReadTx } from './transaction.ts'
import { TurnQueue, closedError } from './turn-queue.ts'
import type { Migration, ReadTx, Store, StoreStats, Tx } from './types.ts'

export interface StoreOptions {
  /** Absolute path of the file; its folder is made 0700, the file 0600. */
  readonly path: string
  /** All rooms' migrations, one list; later ones are only ever added. */
  readonly migrations: readonly Migration[]
  readonly log: Log
  /** Path of better-sqlite3's `.node` file, when it lies outside the bundle. */
  readonly nativeBinding?: string
  /** The file never grows beyond this; turns that would need more reject with `store-full`. */
  readonly maxBytes?: number
}

/** Files this process has open, as `device:inode`: a second descriptor would drop the first one's lock when it closes. */
const openFiles = new Set<string>()

/**
 * Opens or creates the database, checks it, applies what migrations are missing.
 *
 * Errors, none of which changes an existing file: unavailable `store-locked` (another process has it),
 * `store-damaged`, `store-full`, `store-io`, `store-addon` (SQLite cannot be loaded); conflict `store-newer`,
 * `store-foreign` (not our database), `store-foreign-log`; internal `store-migration-changed`,
 * `store-migration-failed`.
 */
export function openStore(options: StoreOptions): Store {
  const { path } = options
  if (!isAbsolute(path) || path.length > 4000 || path.includes('\0')) throw inputError('path', path, 'an absolute path')
  const known = fileKey(path)
  if (known !== null && openFiles.has(known)) throw lockedError(path)
  prepareDatabaseFile(path, options.migrations, options, options.log)
  const key = fileKey(path) ?? path
  const reader = openReader(path)
  let connection: Connection | undefined
  try {
    connection = new Connection(path, options)
    const applied = applyMigrations(connection, options.migrations)
    if (applied > 0) options.log.info('database schema brought up to date', { path, migrations: applied })
  } catch (thrown) {
    connection?.close()
    closeSync(reader)
    throw translateFileError(translateSqliteError(thrown, path), path)
  }
  openFiles.add(key)
  return new SqliteStore(connection, reader, options.log, () => openFiles.delete(key))
}

class SqliteStore implements Store {
  readonly #connection: Connection
  /** For backups; open as long as the connection, see backup.ts. */
  readonly #reader: number
  readonly #log: Log
  readonly #onClosed: () => void
  readonly #queue: TurnQueue
  #backup: Promise<unknown> | null = null
  #closing: Promise<void> | null = null
  #isClosed = false

  constructor(connection: Connection, reader: number, log: Log, onClosed: () => void) {
    this.#connection = connection
    this.#reader = reader
    this.#log = log
    this.#onClosed = onClosed
    this.#queue = new TurnQueue(connection, connection.path, log)
  }

  turn<T>(body: (tx: Tx) => T): Promise<T> {
    return this.#queue.add(body)
  }

  read<T>(body: (tx: ReadTx) => T): T {
    if (this.#isClosed) throw closedError()
    if (this.#queue.isRunning)
      throw new MeshBoxError('internal', 'store.read inside the body of a turn would see rows that are not committed; use the turn\'s tx', { code: 'store-nested' })
    const tx = new OpenReadTx(this.#connection, this.#connection.path)
    try {
      return body(tx)
    } finally {
      tx.end()
    }
  }

  async backup(targetPath: string): Promise<{ bytes: number }> {
    if (this.#closing) throw closedError()
    if (this.#backup) throw new MeshBoxError('conflict', 'a backup is being written already', { code: 'backup-running', retryAfterSeconds: 5 })
    const running = backupDatabase(this.#connection, this.#reader, targetPath)
    this.#backup = running
    try {
      const written = await running
      this.#log.info('backup written', { path: targetPath, bytes: written.bytes })
      return written
    } finally {
      this.#backup = null
    }
  }

  stats(): StoreStats {
    return { ...this.#queue.counts, fileBytes: bytesOf(this.#connection.path), walBytes: bytesOf(`${this.#connection.path}-wal`) }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.drain()
    // Its own caller hears of a failure.
    await this.#backup?.catch(() => undefined)
    this.#isClosed = true
    try {
      this.#connection.close()
    } catch (thrown) {
      throw translateSqliteError(thrown, this.#connection.path)
    } finally {
      closeSync(this.#reader)
      this.#onClosed()
    }
  }
}

function openReader(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (thrown) {
    throw translateFileError(thrown, path)
  }
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function fileKey(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.dev}:${found.ino}` : null
}
