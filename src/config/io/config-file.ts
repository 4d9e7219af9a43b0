/**
 * The configuration's file: read bounded, written so that a power cut leaves the old file or the new one,
 * never half of one.
 *
 * A service that is not root cannot rename anything in /etc/config. There the package lays a spare file beside the
 * configuration, `.<name>.spare`, that the service may write: the new text goes there first, with its hash, then over
 * the configuration in place, then the spare is emptied. Reading finishes what was interrupted.
 */
import { createHash } from 'node:crypto'
import { closeSync, fchmodSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, readSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MeshBoxError, asError } from '../../base/index.ts'
import { ConfigError } from '../config-error.ts'
import { MAX_FILE_BYTES } from '../uci.ts'

/**
 * The text of a configuration file. A file that does not exist is not an empty one: it is refused.
 * @throws MeshBoxError `not-found` code `no-config-file`, `unavailable` code `config-unreadable`
 * @throws ConfigError when the file is too large or not UTF-8
 */
export function readConfigFile(path: string): string {
  let bytes: Uint8Array
  try {
    finishInterrupted(path)
    bytes = readBounded(path)
  } catch (thrown) {
    const error = asError(thrown) as NodeJS.ErrnoException
    if (error.code === 'ENOENT')
      throw new MeshBoxError('not-found', `configuration file ${path} does not exist`, { code: 'no-config-file', field: 'path', value: path, cause: thrown })
    throw new MeshBoxError('unavailable', `configuration file ${path} cannot be read: ${error.message}`, { code: 'config-unreadable', field: 'path', value: path, cause: thrown })
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new ConfigError([{ file: path, line: 0, what: 'the file is too large', allowed: `at most ${MAX_FILE_BYTES} bytes` }])
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    throw new ConfigError([{ file: path, line: lineOfBadUtf8(bytes), what: 'the text is not valid UTF-8', allowed: 'plain UTF-8' }])
  }
}

/**
 * Replaces the file: a new file beside it with the same mode, fsync, rename, fsync of the folder; or through the spare
 * file where there is one and the folder is not ours.
 * @throws MeshBoxError `unavailable` code `config-unwritable`; the old file is then untouched
 */
export function writeConfigFile(path: string, text: string): void {
  try {
    const target = behindLinks(path)
    const temporary = join(dirname(target), `.${basename(target)}.new`)
    const mode = modeOf(target)
    finishInterrupted(target) // else the next reading would put an older text over this one
    if (writeThroughSpare(target, text)) return
    rmSync(temporary, { force: true }) // left behind by a power cut
    try {
      writeSynced(temporary, text, mode)
      renameSync(temporary, target)
    } catch (thrown) {
      rmSync(temporary, { force: true })
      throw thrown
    }
    syncFolder(dirname(target))
  } catch (thrown) {
    throw new MeshBoxError('unavailable', `configuration file ${path} cannot be written: ${asError(thrown).message}`, {
      code: 'config-unwritable',
      field: 'path',
      value: path,
      cause: thrown,
    })
  }
}

function writeSynced(path: string, text: string, mode: number): void {
  const file = openSync(path, 'wx', mode)
  try {
    fchmodSync(file, mode) // whatever the umask
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function spareOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.spare`)
}

/** False when the ordinary way is open: there is no spare file, or this is root, who may write in the folder. */
function writeThroughSpare(target: string, text: string): boolean {
  const spare = spareOf(target)
  if (process.geteuid?.() === 0 || statSync(spare, { throwIfNoEntry: false }) === undefined) return false
  overwrite(spare, `${createHash('sha256').update(text).digest('hex')}\n${text}`)
  overwrite(target, text)
  overwrite(spare, '')
  return true
}

/**
 * A spare file with a whole text in it means that the power went while the configuration was being overwritten. One
 * that is not whole was interrupted before that: the configuration is still the old one.
 */
function finishInterrupted(path: string): void {
  const target = behindLinks(path)
  const spare = spareOf(target)
  if ((statSync(spare, { throwIfNoEntry: false })?.size ?? 0) === 0) return
  const held = readFileSync(spare, 'utf8')
  const text = held.slice(65)
  if (held[64] === '\n' && createHash('sha256').update(text).digest('hex') === held.slice(0, 64)) overwrite(target, text)
  overwrite(spare, '')
}

/** In place: the file keeps its inode, owner and mode. It must be there. */
function overwrite(path: string, text: string): void {
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file, 0)
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** At most one byte more than is allowed, whatever the file's size claims to be. */
function readBounded(path: string): Uint8Array {
  const file = openSync(path, 'r')
  try {
    if (!fstatSync(file).isFile()) throw new Error('it is not a regular file')
    const buffer = new Uint8Array(MAX_FILE_BYTES + 1)
    let length = 0
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null)
      length += read
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } finally {
    closeSync(file)
  }
}

/** A link stays a link: what it points to is replaced. */
function behindLinks(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path)
}

/** A new file is for the service alone: it may later hold what is nobody else's business. */
function modeOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function lineOfBadUtf8(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let start = 0
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.length : newline + 1
    try {
      decoder.decode(bytes.subarray(start, end))
    } catch (thrown) {
      if (thrown instanceof TypeError) return line
      throw thrown
    }
    start = end
  }
  return 0
}
