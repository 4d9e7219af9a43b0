/**
 * A consistent copy of the running database that does not stop the service.
 *
 * SQLite's own backup call collects the copy in memory and then writes and syncs it on the event loop; on
 * router flash that would stop the gate for a second. Instead: copy all commits from the write-ahead log
 * into the file (one checkpoint), hold further checkpoints back, so that the file stands still while new
 * commits go to the log, and copy the file in the thread pool. What is copied is the database as of that
 * checkpoint. The result is one file without a log, 0600.
 */
import { read } from 'node:fs'
import { link, open, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { MeshBoxError, asError, inputError } from '../base/index.ts'
import type { Connection } from './connection.ts'
import { syncFolder } from './database-file.ts'
import { translateSqliteError } from './sqlite-error.ts'

const readAt = promisify(read)
const CHUNK_BYTES = 256 * 1024
const MAX_PATH = 4000
/** Offsets 18 and 19 of the header (sqlite.org/fileformat2.html): 1 = needs no write-ahead log. */
const VERSIONS_AT = 18
const PAGE_SIZE_AT = 16
const PAGE_COUNT_AT = 28

/**
 * `source` is a descriptor of the database file that stays open as long as the connection: closing any
 * descriptor of the file would drop the connection's lock (POSIX locks belong to the process and the file).
 */
export async function backupDatabase(connection: Connection, source: number, target: string): Promise<{ bytes: number }> {
  await checkTarget(target)
  const draft = join(dirname(target), `.${basename(target).slice(0, 200)}.part`)
  const truncationsBefore = connection.walTruncations
  try {
    connection.checkpoint()
    connection.setAutomaticCheckpoint(false)
    await rm(draft, { force: true })
    const out = await open(draft, 'wx', 0o600)
    let bytes: number
    try {
      bytes = await copyDatabase(source, out)
      await out.sync()
    } finally {
      await out.close()
    }
    if (connection.walTruncations !== truncationsBefore)
      throw new MeshBoxError('unavailable', 'the database had to be repaired while it was copied; try again', { code: 'backup-disturbed', retryAfterSeconds: 5 })
    await moveToFreeName(draft, target)
    syncFolder(dirname(target))
    return { bytes }
  } catch (thrown) {
    await rm(draft, { force: true })
    throw translateBackupError(translateSqliteError(thrown, connection.path), target)
  } finally {
    connection.setAutomaticCheckpoint(true)
  }
}

async function checkTarget(target: string): Promise<void> {
  // The service's working folder is not the caller's, so a relative path would land somewhere else.
  if (target.length > MAX_PATH || target.includes('\0') || !isAbsolute(target) || target.endsWith('/'))
    throw inputError('target', target, `an absolute path of a file that does not exist yet, at most ${MAX_PATH} characters`)
  const folder = await stat(dirname(target)).catch(missing)
  if (!folder?.isDirectory()) throw inputError('target', target, 'a path in an existing folder')
  if (await stat(target).catch(missing)) throw existsError(target)
}

async function copyDatabase(source: number, out: FileHandle): Promise<number> {
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let total = Number.POSITIVE_INFINITY
  let at = 0
  while (at < total) {
    const { bytesRead } = await readAt(source, buffer, 0, Math.min(CHUNK_BYTES, total - at), at)
    if (at === 0) {
      // The first read holds the header; a file may be longer than its pages.
      const pageBytes = buffer.readUInt16BE(PAGE_SIZE_AT) === 1 ? 65_536 : buffer.readUInt16BE(PAGE_SIZE_AT)
      total = pageBytes * buffer.readUInt32BE(PAGE_COUNT_AT)
      buffer.fill(1, VERSIONS_AT, VERSIONS_AT + 2)
    }
    const usable = Math.min(bytesRead, total - at)
    if (usable <= 0) throw new MeshBoxError('unavailable', `the database file ended at ${at} of ${total} bytes`, { code: 'store-damaged' })
    await writeWhole(out, buffer.subarray(0, usable), at)
    at += usable
  }
  return total
}

async function writeWhole(out: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await out.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** A hard link never replaces anything; USB sticks (FAT) have none, there a look must do. */
async function moveToFreeName(draft: string, target: string): Promise<void> {
  try {
    await link(draft, target)
    await rm(draft)
  } catch (thrown) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(thrown))) throw thrown
    if (await stat(target).catch(missing)) throw existsError(target)
    await rename(draft, target)
  }
}

function translateBackupError(thrown: unknown, target: string): Error {
  if (thrown instanceof MeshBoxError) return thrown
  const code = codeOf(thrown)
  const cause = asError(thrown)
  if (code === 'EEXIST') return existsError(target)
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new MeshBoxError('unavailable', `no room for the backup on the device that holds ${dirname(target)}; nothing was left there`, {
      code: 'backup-full',
      cause,
    })
  return new MeshBoxError('unavailable', `the backup ${target} could not be written: ${cause.message}`, { code: 'backup-failed', cause })
}

function existsError(target: string): MeshBoxError {
  return new MeshBoxError('conflict', `${target} exists already; a backup never replaces a file. Choose another name`, {
    code: 'backup-exists',
    field: 'target',
    value: target,
  })
}

function missing(thrown: unknown): undefined {
  if (['ENOENT', 'ENOTDIR'].includes(codeOf(thrown))) return undefined
  throw thrown
}

function codeOf(thrown: unknown): string {
  const code: unknown = Reflect.get(asError(thrown), 'code')
  return typeof code === 'string' ? code : ''
}
