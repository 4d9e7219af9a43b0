/**
 * SQLite's result codes (sqlite.org/rescode.html) in the words of the house. What the machine did to us
 * (no room, a lock, a damaged file, an I/O error) is `unavailable`: nothing of the turn was kept and it may
 * be tried again. What our own SQL did is `internal`.
 */
import { MeshBoxError, asError } from '../base/index.ts'

/** Whether the fault lies below us, so that the turn it hit must fail even if its body goes on. */
export function isMachineFault(error: unknown): error is MeshBoxError {
  return error instanceof MeshBoxError && error.kind === 'unavailable' && error.code.startsWith('store-')
}

/** Any thrown value; MeshBoxErrors and what is not SQLite's pass through unchanged. */
export function translateSqliteError(thrown: unknown, path: string): Error {
  const code = sqliteCode(thrown)
  if (code === null) return asError(thrown)
  const cause = asError(thrown)
  if (code === 'SQLITE_FULL') return fullError(path, cause)
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return lockedError(path, cause)
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return damagedError(path, cause.message, cause)
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|NOMEM|PERM|PROTOCOL|NOLFS)/.test(code)) return ioError(path, `${code}: ${cause.message}`, cause)
  if (code.startsWith('SQLITE_CONSTRAINT'))
    return new MeshBoxError('internal', `the database refused a row: ${cause.message}`, { code: 'store-constraint', cause })
  return new MeshBoxError('internal', `the database refused a statement: ${cause.message}`, { code: 'store-sql', cause })
}

/** `SQLITE_…` of an error made by the addon; null for everything else. */
function sqliteCode(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || thrown.name !== 'SqliteError') return null
  const code: unknown = Reflect.get(thrown, 'code')
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : null
}

function fullError(path: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', `no room left on the device that holds ${path}; nothing of this was stored. Free some space and try again`, {
    code: 'store-full',
    retryAfterSeconds: 60,
    cause,
  })
}

export function lockedError(path: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', `${path} is in use by another process; only one service may have it open. Stop the other one first`, {
    code: 'store-locked',
    retryAfterSeconds: 5,
    cause,
  })
}

export function damagedError(path: string, what: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError(
    'unavailable',
    `the database ${path} is damaged (${what}). It was left as it is. Stop the service, move ${path} and, if there is one, ${path}-wal away ` +
      `(keep them: much can be rescued from them), then put a backup in the place of ${path}, or start without it with an empty book`,
    { code: 'store-damaged', cause },
  )
}

export function ioError(path: string, what: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', `the device that holds ${path} does not do what it should (${what}); nothing of this was stored`, {
    code: 'store-io',
    retryAfterSeconds: 30,
    cause,
  })
}

/** A failed call of node:fs on the database's files; everything else passes through unchanged. */
export function translateFileError(thrown: unknown, path: string): Error {
  const cause = asError(thrown)
  const code: unknown = Reflect.get(cause, 'code')
  if (thrown instanceof MeshBoxError || typeof code !== 'string') return cause
  return code === 'ENOSPC' || code === 'EDQUOT' ? fullError(path, cause) : ioError(path, cause.message, cause)
}
