/**
 * Files that hold secrets: 0600 in a folder 0700, replaced whole (draft, fsync, rename, fsync of the folder),
 * so that a power cut leaves the old or the new one.
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { MeshBoxError, asError, fromUtf8, inputError } from '../../base/index.ts'
import type { Log } from '../../base/index.ts'

export const IDENTITY_FILE = 'identity.key'
/** Beside it, empty: the key came from its words, and what was signed with it before is in no book here. */
export const RESTORED_MARK = 'identity.restored'
export const VOUCHER_FILE = 'voucher.key'
export const PASSWORD_FILE = 'owner.password'
/** Any of these in a folder shows that it is the box's own; the last one is the store's. */
const OUR_FILES: readonly string[] = [IDENTITY_FILE, VOUCHER_FILE, PASSWORD_FILE, 'meshbox.sqlite']
const MAX_BYTES = 4096
const OTHERS = 0o077

/** Makes the folder 0700. One that others may look into is closed if it is clearly ours, else only warned about. */
export async function prepareFolder(folder: string, log: Log): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (first !== undefined) await syncNewFolders(first, folder)
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      const { mode, uid } = await handle.stat()
      if ((mode & OTHERS) === 0) return
      const names = await readdir(folder)
      // A folder given by mistake, such as /etc or /tmp, must not be closed to the rest of the system.
      const isOurs = uid === process.getuid?.() && (mode & 0o1000) === 0 && (names.length === 0 || names.some((name) => OUR_FILES.includes(name)))
      const fields = { folder, mode: (mode & 0o7777).toString(8) }
      if (!isOurs) return log.warn('others may look into the data folder, and it holds things that are not ours; give MeshBox a folder of its own', fields)
      await handle.chmod(0o700)
      log.warn('others could look into the data folder; closed', fields)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    throw fileError(folder, 'used as the data folder', thrown)
  }
}

/** The text of the file; null if there is none. Permissions that are too wide are mended, with a warning. */
export async function readSecretFile(path: string, log: Log): Promise<string | null> {
  try {
    // Left by a power cut; it was never in use.
    await rm(draftOf(path), { force: true })
    const handle = await openIfThere(path, constants.O_RDONLY)
    if (!handle) return null
    try {
      const found = await handle.stat()
      if (!found.isFile() || found.size > MAX_BYTES) throw inputError('file', path, `a regular file of at most ${MAX_BYTES} bytes`)
      if ((found.mode & OTHERS) !== 0) {
        await handle.chmod(0o600)
        log.warn('a file with a secret was open to other users of this machine; closed', { file: path, mode: (found.mode & 0o777).toString(8) })
      }
      const bytes = Buffer.alloc(MAX_BYTES)
      const { bytesRead } = await handle.read(bytes, 0, MAX_BYTES, 0)
      return decode(bytes.subarray(0, bytesRead))
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    throw fileError(path, 'read', thrown)
  }
}

/** Durable when it resolves. `replace: false` refuses an existing file with conflict `secret-exists`. */
export async function writeSecretFile(path: string, text: string, { replace }: { replace: boolean }): Promise<void> {
  try {
    const old = await openIfThere(path, constants.O_RDWR)
    try {
      if (old && !replace) throw new MeshBoxError('conflict', `${path} exists already and is not replaced`, { code: 'secret-exists', value: path })
      const draft = draftOf(path)
      await rm(draft, { force: true })
      const handle = await open(draft, 'wx', 0o600)
      try {
        await handle.chmod(0o600)
        await handle.writeFile(text)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(draft, path)
      await syncFolder(dirname(path))
      // What the old file held goes from its blocks too, as far as the file system writes in place.
      if (old) await overwrite(old)
    } finally {
      await old?.close()
    }
  } catch (thrown) {
    throw fileError(path, 'written', thrown)
  }
}

async function overwrite(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat()
  await handle.write(Buffer.alloc(Math.min(size, MAX_BYTES)), 0, undefined, 0)
  await handle.datasync()
}

/** Never follows a link: the secret would be read from, or written to, somewhere else. */
async function openIfThere(path: string, access: number): Promise<FileHandle | null> {
  try {
    return await open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null
    throw thrown
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    return '' // not text: the record parser says that the file is damaged
  }
}

async function syncNewFolders(first: string, folder: string): Promise<void> {
  const top = resolve(dirname(first))
  for (let at = resolve(folder); at.length >= top.length && at !== dirname(at); at = dirname(at)) await syncFolder(at)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function draftOf(path: string): string {
  return `${path}.new`
}

function fileError(path: string, action: string, thrown: unknown): Error {
  const code = codeOf(thrown)
  if (thrown instanceof MeshBoxError || code === '') return asError(thrown)
  if (code === 'ELOOP' || code === 'EISDIR') return inputError('file', path, 'a regular file (no folder, link or device)')
  const what = code === 'ENOSPC' || code === 'EDQUOT' ? 'no room is left on its device' : asError(thrown).message
  return new MeshBoxError('unavailable', `${path} could not be ${action}: ${what}`, { code: 'secret-unavailable', value: path, cause: thrown })
}

function codeOf(thrown: unknown): string {
  const code: unknown = Reflect.get(asError(thrown), 'code')
  return typeof code === 'string' ? code : ''
}
