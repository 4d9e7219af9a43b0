/** Files the command line reads and writes for its user. */
import { openSync, closeSync, fsyncSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { MeshBoxError, asError } from '../base/index.ts'
import type { CliIo } from './cli-io.ts'

/** Writes a new file only its user can read. Refuses one that exists. The absolute path. */
export function writeNewFile(io: CliIo, path: string, content: string | Uint8Array, mode = 0o600): string {
  const absolute = resolve(io.cwd, path)
  try {
    const file = openSync(absolute, 'wx', mode)
    try {
      writeFileSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (thrown) {
    const error = asError(thrown) as NodeJS.ErrnoException
    if (error.code === 'EEXIST')
      throw new MeshBoxError('conflict', `${path} exists already; name another file, or remove it first`, { code: 'file-exists', field: 'FILE', value: path })
    throw new MeshBoxError('unavailable', `${path} cannot be written: ${error.message}`, { code: 'file-unwritable', field: 'FILE', value: path, cause: thrown })
  }
  return absolute
}

/** The whole new text in place of the old, or nothing; who may read it stays, `mode` where it is new. Errors: unavailable. */
export function replaceFile(io: CliIo, path: string, content: string, mode: number): void {
  const absolute = resolve(io.cwd, path)
  const draft = `${absolute}.draft`
  try {
    const known = statSync(absolute, { throwIfNoEntry: false })
    rmSync(draft, { force: true })
    const file = openSync(draft, 'wx', known === undefined ? mode : known.mode & 0o777)
    try {
      writeFileSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(draft, absolute)
  } catch (thrown) {
    throw new MeshBoxError('unavailable', `${path} cannot be written: ${asError(thrown).message}`, { code: 'file-unwritable', field: 'FILE', value: path, cause: thrown })
  }
}

/** One that is not there is no error. */
export function removeFile(io: CliIo, path: string): void {
  rmSync(resolve(io.cwd, path), { force: true })
}

/** Text of a file, or of standard input for `-`. Errors: not-found, unavailable, limit. */
export async function readTextFile(io: CliIo, path: string, maxBytes: number): Promise<string> {
  if (path === '-') return io.readStdin(maxBytes)
  try {
    const file = openSync(resolve(io.cwd, path), 'r')
    try {
      const buffer = Buffer.alloc(maxBytes + 1)
      let length = 0
      for (;;) {
        const read = readSync(file, buffer, length, buffer.length - length, null)
        length += read
        if (read === 0 || length === buffer.length) break
      }
      if (length > maxBytes) throw new MeshBoxError('limit', `${path} is larger than ${maxBytes} bytes`, { code: 'too-large', field: 'FILE', value: path })
      return buffer.toString('utf8', 0, length)
    } finally {
      closeSync(file)
    }
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) throw thrown
    const error = asError(thrown) as NodeJS.ErrnoException
    if (error.code === 'ENOENT') throw new MeshBoxError('not-found', `there is no file ${path}`, { code: 'no-file', field: 'FILE', value: path })
    throw new MeshBoxError('unavailable', `${path} cannot be read: ${error.message}`, { code: 'file-unreadable', field: 'FILE', value: path, cause: thrown })
  }
}
