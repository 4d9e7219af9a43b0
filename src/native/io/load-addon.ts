/**
 * Loads a native addon by its absolute path. `process.dlopen` instead of `require`: it is the same in a
 * CommonJS bundle and in an ES module, and resolves every symbol at once, so that a file that does not fit
 * this machine fails here and not in the middle of a call.
 */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import { MeshBoxError, asError, inputError } from '../../base/index.ts'

/** Our addons are built for Node-API 9. */
const NODE_API_VERSION = 9

/**
 * The exports of the addon. `functions` are the names it must have.
 * Errors: input `path`; unavailable `addon-unusable` (missing, cut short, for another machine or version,
 * refuses to start).
 */
export function loadAddon(path: string, functions: readonly string[]): Record<string, unknown> {
  if (!isAbsolute(path)) throw inputError('path', path, 'an absolute path of a .node file')
  const has = Number(process.versions.napi)
  if (!(has >= NODE_API_VERSION)) throw unusable(path, `it wants Node-API ${NODE_API_VERSION}, this Node has ${process.versions.napi}`)
  const module: { exports: Record<string, unknown> } = { exports: {} }
  try {
    const wrong = wrongWithElf(readFileSync(path))
    if (wrong !== null) throw new Error(wrong)
    process.dlopen(module, path, constants.dlopen.RTLD_NOW)
  } catch (thrown) {
    throw unusable(path, asError(thrown).message, thrown)
  }
  const missing = functions.filter((name) => typeof module.exports[name] !== 'function')
  if (missing.length > 0) throw unusable(path, `it has no ${missing.join(', ')}`)
  return module.exports
}

export function unusable(path: string, why: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', `the native addon ${path} cannot be used: ${why}`, { code: 'addon-unusable', value: path, cause })
}

/**
 * The system's loader maps what an ELF header promises and ends the process (SIGBUS) when the file is
 * shorter, as after a full flash or a power cut. Layout: System V ABI, chapter 4; the table of sections lies
 * at the file's end. Null if the file is whole.
 */
function wrongWithElf(file: Buffer): string | null {
  const is64 = file[4] === 2
  const headerBytes = is64 ? 64 : 52
  if (file.length < headerBytes || file.toString('latin1', 0, 4) !== '\x7fELF') return 'it is no ELF file'
  if (file[5] !== 1) return 'it is for a big-endian machine'
  const word = (at: number): number => (is64 ? Number(file.readBigUInt64LE(at)) : file.readUInt32LE(at))
  const half = (fromEnd: number): number => file.readUInt16LE(headerBytes - fromEnd)
  const segments = { at: word(is64 ? 32 : 28), bytes: half(10), count: half(8) }
  const sections = { at: word(is64 ? 40 : 32), bytes: half(6), count: half(4) }
  const ends = [segments, sections].map((table) => table.at + table.bytes * table.count)
  if (Math.max(...ends) > file.length || segments.bytes < (is64 ? 56 : 32)) return 'it is cut short'
  for (let index = 0; index < segments.count; index++) {
    const at = segments.at + index * segments.bytes
    const end = is64 ? word(at + 8) + word(at + 32) : word(at + 4) + word(at + 16)
    if (end > file.length) return 'it is cut short'
  }
  return null
}
