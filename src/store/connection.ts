/**
 * The one SQLite connection of the process, its settings and its prepared statements. Nothing here knows
 * what a turn is.
 *
 * Settings, and why (docs/storage.md has the long version):
 * - WAL with synchronous=FULL: a commit is one fdatasync and is on disk when it returns.
 * - locking_mode=EXCLUSIVE: two services never share the file, and the WAL index lives in memory, so there
 *   is no -shm file to wear the flash.
 * - page_size=1024: a third of the bytes written per small commit of the default 4096.
 */
import Database from 'better-sqlite3'
import { MeshBoxError, asError } from '../base/index.ts'
import { wrongWithElfFile } from '../base/io/elf-file.ts'
import type { SqlValue } from './types.ts'
import { ioError, translateSqliteError } from './sqlite-error.ts'

export const PAGE_BYTES = 1024
/** 'MBox': says that a SQLite file is ours. */
export const APPLICATION_ID = 0x4d426f78

/** The WAL is copied into the file when it holds this many pages, and cut back to this size after a burst. */
const CHECKPOINT_PAGES = 1000
const WAL_LIMIT_BYTES = 2 * CHECKPOINT_PAGES * PAGE_BYTES
/** The most that a box holds of its file for good; twice as much makes commits of a large book no cheaper (docs/benchmarks.md, The soak). */
const CACHE_KIB = 2048
/** A service that is being restarted may find the old one still closing. */
const LOCK_WAIT_MS = 1000
const MAX_STATEMENTS = 256

export type Statement = Database.Statement<SqlValue[], unknown>

export interface ConnectionOptions {
  readonly nativeBinding?: string | undefined
  readonly maxBytes?: number | undefined
}

/** What the queue of turns needs of a database; a test may put a failing disk behind it. */
export interface TurnConnection {
  readonly inTransaction: boolean
  begin(): void
  commit(): void
  rollback(): void
  openSavepoint(): void
  releaseSavepoint(): void
  rollbackSavepoint(): void
  prepare(sql: string): Statement
  /** Copies the whole WAL into the file and cuts it to nothing. */
  truncateWal(): void
}

export class Connection implements TurnConnection {
  readonly path: string
  readonly #db: Database.Database
  readonly #statements = new Map<string, Statement>()
  #walTruncations = 0

  /** Opens for reading and writing and takes the lock. Throws `store-locked`, `store-damaged`, `store-io`. */
  constructor(path: string, options: ConnectionOptions) {
    this.path = path
    this.#db = openDatabase(path, { nativeBinding: options.nativeBinding })
    try {
      this.#db.pragma('locking_mode = EXCLUSIVE')
      this.#db.pragma(`page_size = ${PAGE_BYTES}`)
      this.#db.pragma(`cache_size = -${CACHE_KIB}`)
      // What is deleted or replaced is overwritten in pages that are written anyway: costs no write, and no processor time that can be measured.
      this.#db.pragma('secure_delete = FAST')
      this.#db.pragma('temp_store = MEMORY')
      this.#db.pragma('trusted_schema = OFF')
      this.#db.pragma('cell_size_check = ON')
      this.#db.pragma('foreign_keys = ON')
      // Without it, INSERT OR REPLACE would delete a row without asking the triggers that forbid it.
      this.#db.pragma('recursive_triggers = ON')
      const mode = this.#db.pragma('journal_mode = WAL', { simple: true })
      if (mode !== 'wal') throw ioError(path, `the file system refuses a write-ahead log (journal mode ${String(mode)})`)
      this.#db.pragma('synchronous = FULL')
      this.#db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
      this.#db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`)
      if (options.maxBytes !== undefined) this.#db.pragma(`max_page_count = ${Math.max(1, Math.floor(options.maxBytes / PAGE_BYTES))}`)
      this.#db.prepare('SELECT count(*) FROM sqlite_schema').get()
    } catch (thrown) {
      this.#db.close()
      throw translateSqliteError(thrown, path)
    }
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction
  }

  /** Grows with each truncateWal: a copy of the file taken across one is not to be trusted. */
  get walTruncations(): number {
    return this.#walTruncations
  }

  begin(): void {
    this.prepare('BEGIN IMMEDIATE').run()
  }
  commit(): void {
    this.prepare('COMMIT').run()
  }
  rollback(): void {
    this.prepare('ROLLBACK').run()
  }
  openSavepoint(): void {
    this.prepare('SAVEPOINT turn').run()
  }
  releaseSavepoint(): void {
    this.prepare('RELEASE turn').run()
  }
  rollbackSavepoint(): void {
    this.prepare('ROLLBACK TO turn').run()
    this.prepare('RELEASE turn').run()
  }

  /** Least recently used statements are forgotten; a forgotten one is compiled anew. */
  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement) {
      // Their order matters only when some will have to go.
      if (this.#statements.size < MAX_STATEMENTS / 2) return statement
      this.#statements.delete(sql)
    } else {
      statement = this.#db.prepare<SqlValue[], unknown>(sql)
      if (this.#statements.size >= MAX_STATEMENTS) {
        const oldest = this.#statements.keys().next()
        if (!oldest.done) this.#statements.delete(oldest.value)
      }
    }
    this.#statements.set(sql, statement)
    return statement
  }

  /** Several statements at once: migrations and the schema of a new file. */
  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /**
   * Copies all committed pages from the WAL into the file, which is then a whole database by itself until
   * the next checkpoint.
   */
  checkpoint(): void {
    this.#expectWholeCheckpoint('PASSIVE')
  }

  truncateWal(): void {
    this.#walTruncations++
    this.#expectWholeCheckpoint('TRUNCATE')
  }

  /** While off, the file does not change; the WAL grows with every commit. */
  setAutomaticCheckpoint(on: boolean): void {
    this.#db.pragma(`wal_autocheckpoint = ${on ? CHECKPOINT_PAGES : 0}`)
  }

  /** Checkpoints, removes the WAL, gives the lock back. */
  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #expectWholeCheckpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    const rows = this.#db.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[]
    const row = rows[0]
    if (!row || row.busy !== 0 || row.checkpointed !== row.log) throw ioError(this.path, 'the write-ahead log could not be copied into the file')
  }
}

/** better-sqlite3's handle, or an error that says what is missing on this machine. */
export function openDatabase(path: string, options: { nativeBinding?: string | undefined; readonly?: boolean }): Database.Database {
  // better-sqlite3 13 is built for Node-API 10; an older Node would crash instead of throwing.
  if (Number(process.versions.napi) < 10)
    throw new MeshBoxError('unavailable', `Node ${process.versions.node} is too old for the database; 22.14 or newer is needed`, { code: 'store-addon' })
  if (options.nativeBinding !== undefined) checkBinding(options.nativeBinding)
  try {
    return new Database(path, {
      timeout: LOCK_WAIT_MS,
      readonly: options.readonly ?? false,
      fileMustExist: true,
      ...(options.nativeBinding === undefined ? {} : { nativeBinding: options.nativeBinding }),
    })
  } catch (thrown) {
    const code: unknown = Reflect.get(asError(thrown), 'code')
    if (code === 'ERR_DLOPEN_FAILED' || code === 'MODULE_NOT_FOUND') throw bindingError(options.nativeBinding, asError(thrown).message, thrown)
    throw translateSqliteError(thrown, path)
  }
}

/** A file cut short by a full flash would end the process while it is loaded. */
function checkBinding(file: string): void {
  let wrong: string | null
  try {
    wrong = wrongWithElfFile(file)
  } catch (thrown) {
    throw bindingError(file, asError(thrown).message, thrown)
  }
  if (wrong !== null) throw bindingError(file, `${wrong}; install the package again`)
}

function bindingError(file: string | undefined, why: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', `the SQLite addon${file === undefined ? '' : ` ${file}`} cannot be loaded: ${why}`, { code: 'store-addon', cause })
}
