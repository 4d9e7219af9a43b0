/**
 * Loads a native addon by its absolute path. `process.dlopen` instead of `require`: it is the same in a
 * CommonJS bundle and in an ES module, and resolves every symbol at once, so that a file that does not fit
 * this machine fails here and not in the middle of a call.
 */
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import { wrongWithElfFile } from '../../base/io/elf-file.ts'

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
    const wrong = wrongWithElfFile(path)
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
