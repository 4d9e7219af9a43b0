/**
 * The database's files before a connection touches them. An existing file is looked at through a read-only
 * connection first, which can neither replay nor delete its write-ahead log: a damaged or foreign file stays
 * exactly as it is. A new file is made whole under another name and then renamed, so that at its real name
 * there is only ever nothing or a complete database.
 */
import { chmodSync, closeSync, existsSync, fchmodSync, fsyncSync, lstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MeshBoxError, asError, inputError } from '../base/index.ts'
import type { Log } from '../base/index.ts'
import { APPLICATION_ID, PAGE_BYTES, openDatabase } from './connection.ts'
import type { ConnectionOptions } from './connection.ts'
import { APPLIED_MIGRATIONS_SQL, MIGRATIONS_TABLE_SQL, pendingMigrations } from './migrate.ts'
import type { AppliedMigration } from './migrate.ts'
import { damagedError, translateFileError, translateSqliteError } from './sqlite-error.ts'
import type { Migration } from './types.ts'

const HEADER_BYTES = 100
const MAGIC = 'SQLite format 3\0'
/** Byte 18 of the header: 1 in a backup (no write-ahead log), 2 in a database at work (sqlite.org/fileformat2.html, 1.3.3). */
const WRITE_VERSION_AT = 18

/** Makes sure that a whole database of ours lies at `path`. Throws without having changed an existing one. */
export function prepareDatabaseFile(path: string, migrations: readonly Migration[], options: ConnectionOptions, log: Log): void {
  try {
    createFolder(dirname(path))
    if (!lookAtFile(path)) {
      createDatabase(path, options)
      return
    }
    rollBackInterrupted(path, options)
    lookInside(path, migrations, options)
    closeToOthers(path, log)
  } catch (thrown) {
    throw translateFileError(translateSqliteError(thrown, path), path)
  }
}

function createFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  // A new folder is only safe once the folder that names it is on disk.
  const top = resolve(dirname(first))
  for (let at = resolve(folder); at.length >= top.length; at = dirname(at)) {
    syncFolder(at)
    if (at === dirname(at)) break
  }
}

/** True if a file is there that may be one of ours; false if there is nothing. */
function lookAtFile(path: string): boolean {
  const wal = `${path}-wal`
  const walBytes = statSync(wal, { throwIfNoEntry: false })?.size ?? 0
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) {
    if (walBytes > 0) throw damagedError(path, `the file itself is missing, but its write-ahead log ${wal} is there`)
    return false
  }
  if (!found.isFile()) throw inputError('path', path, 'a regular file (no folder, link or device)')
  const header = readHeader(path)
  if (header.length < HEADER_BYTES) throw damagedError(path, `it has only ${found.size} bytes`)
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw damagedError(path, 'it is not a SQLite database')
  if (header[WRITE_VERSION_AT] === 1 && walBytes > 0)
    throw new MeshBoxError(
      'conflict',
      `${path} is a backup, but ${wal} belongs to the database that was there before; together they would make nonsense. Move ${wal} away`,
      { code: 'store-foreign-log' },
    )
  return true
}

function readHeader(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0))
  } finally {
    closeSync(file)
  }
}

/**
 * A backup put in place becomes a database at work in one transaction with a rollback journal. If the power
 * went in that moment, the journal must be played back first, which a reader may not do.
 */
function rollBackInterrupted(path: string, options: ConnectionOptions): void {
  if ((statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return
  const db = openDatabase(path, { nativeBinding: options.nativeBinding })
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
  } finally {
    db.close()
  }
}

function lookInside(path: string, migrations: readonly Migration[], options: ConnectionOptions): void {
  // Even a reader makes these two when they are missing; they must not stay behind.
  const traces = [`${path}-wal`, `${path}-shm`].filter((file) => !existsSync(file))
  const db = openDatabase(path, { nativeBinding: options.nativeBinding, readonly: true })
  try {
    const firstComplaint = db.pragma('quick_check(1)', { simple: true })
    if (firstComplaint !== 'ok') throw damagedError(path, String(firstComplaint).replace(/\s+/g, ' '))
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      throw new MeshBoxError('conflict', `${path} is a SQLite database, but not one of MeshBox; it was left as it is. Choose another path`, {
        code: 'store-foreign',
      })
    pendingMigrations(migrations, db.prepare<[], AppliedMigration>(APPLIED_MIGRATIONS_SQL).all(), path)
  } finally {
    db.close()
    for (const file of traces) if (!file.endsWith('-wal') || statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file, { force: true })
  }
}

function createDatabase(path: string, options: ConnectionOptions): void {
  const draft = `${path}.new`
  removeWithCompanions(draft)
  const file = openSync(draft, 'wx', 0o600)
  // The umask may have taken bits away that the owner needs.
  fchmodSync(file, 0o600)
  closeSync(file)
  const db = openDatabase(draft, { nativeBinding: options.nativeBinding })
  try {
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma(`page_size = ${PAGE_BYTES}`)
    db.pragma('synchronous = FULL')
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.exec(MIGRATIONS_TABLE_SQL)
    db.pragma('journal_mode = WAL')
  } finally {
    db.close()
  }
  if (existsSync(path)) throw new MeshBoxError('conflict', `another process is creating ${path} at this moment`, { code: 'store-locked' })
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** The book names guests' devices and holds voucher numbers: nobody but the service reads it. */
function closeToOthers(path: string, log: Log): void {
  for (const file of [path, `${path}-wal`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode
    if (mode === undefined || (mode & 0o077) === 0) continue
    chmodSync(file, 0o600)
    log.warn('the database was open to other users of this machine; closed', { file, modeBefore: (mode & 0o777).toString(8) })
  }
}

function removeWithCompanions(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
}

/** Makes a rename or a new name in the folder durable, where the file system can do that. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } catch (thrown) {
    // Some file systems of USB sticks have no such thing; they say so.
    if (Reflect.get(asError(thrown), 'code') !== 'EINVAL') throw thrown
  } finally {
    closeSync(handle)
  }
}
