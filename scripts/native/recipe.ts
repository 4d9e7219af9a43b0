/**
 * A recipe: everything that one loadable file is made of, so that the build can compile it, and tell from a
 * hash whether what lies there is still that. Our own addons' recipes are made here from their rows in
 * targets.ts, better-sqlite3's in sqlite.ts.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Compiler } from './compilers.ts'
import { ROOT, sourcesOf } from './fetch.ts'
import { BuildError } from './run.ts'
import type { Addon, Target } from './targets.ts'

export const NATIVE = join(ROOT, 'native')
const X86_64 = 'Advanced Micro Devices X86-64'

/** One source file and the flags it alone gets. */
export interface Unit {
  readonly file: string
  readonly flags: readonly string[]
}

export interface Recipe {
  readonly name: string
  readonly units: readonly Unit[]
  /** Files of a program that drives the core without Node; among them may be files of `units`. Null: none is made. */
  readonly fuzzer: readonly Unit[] | null
  /** What the units read besides themselves, as far as it can change without the pins changing. */
  readonly read: readonly string[]
}

/** No exceptions and no rtti: a C++ runtime of its own must not meet Node's. */
const CPP_FLAGS = ['-std=c++20', '-fno-exceptions', '-fno-rtti']
const OUR_FLAGS = ['-Wall', '-Wextra', '-Werror']
const NODE_HEADER_FILES = ['js_native_api.h', 'js_native_api_types.h', 'node_api.h', 'node_api_types.h']
const CPP_HEADER_FILES = ['napi.h', 'napi-inl.h']

/** Node-API and its C++ wrapper: `-isystem` flags, and the files behind them. Throws a BuildError without `npm ci`. */
export function nodeHeaders(): { readonly flags: readonly string[]; readonly files: readonly string[] } {
  const node = ['x64', 'arm64'].map((machine) => join(ROOT, `node_modules/node-linux-${machine}/include/node`)).find((folder) => existsSync(folder))
  const cpp = join(ROOT, 'node_modules/node-addon-api')
  if (node === undefined || !existsSync(join(cpp, 'napi.h'))) throw new BuildError('the headers of Node-API are missing from node_modules; run npm ci')
  return {
    flags: [`-isystem${node}`, `-isystem${cpp}`],
    files: [...NODE_HEADER_FILES.map((file) => join(node, file)), ...CPP_HEADER_FILES.map((file) => join(cpp, file))],
  }
}

/**
 * The defines of a C++ file with the addon's entry. The last two: errors are JavaScript's exceptions alone, and one that a
 * closing environment does not take is dropped instead of ending the process.
 */
export function nodeDefines(name: string, nodeApiVersion: number): string[] {
  return [`NAPI_VERSION=${nodeApiVersion}`, `NODE_GYP_MODULE_NAME=${name}`, 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'].map((define) => `-D${define}`)
}

/** Node-API 9: Node 18.17, 20.3 and later. */
const OUR_NODE_API = 9

/** Recipe of a row of ADDONS. Fetches the library's sources if there is one. */
export async function ownRecipe(addon: Addon, target: Target): Promise<Recipe> {
  const headers = nodeHeaders()
  const library = addon.library === null ? null : { ...addon.library, folder: await sourcesOf(addon.library.source) }
  const defines = library === null ? [] : [...library.defines, ...(target.elf?.machine === X86_64 ? library.definesX64 : [])].map((define) => `-D${define}`)
  const include = library === null ? [] : [`-isystem${join(library.folder, library.include)}`]
  const inside = library === null ? [] : [...defines, ...include, `-isystem${join(library.folder, library.inside)}`]
  const ofLibrary = (library?.files ?? []).map((file) => ({ file: join(library?.folder ?? '', file), flags: [...defines, ...include] }))
  const own = (files: readonly string[]): Unit[] =>
    files.map((file) => ({
      file: join(NATIVE, addon.name, file),
      flags: file.endsWith('.cc') ? [...CPP_FLAGS, ...nodeDefines(addon.name, OUR_NODE_API), ...OUR_FLAGS, ...include, ...headers.flags] : [...OUR_FLAGS, ...inside],
    }))
  return {
    name: addon.name,
    units: [...own(addon.files), ...ofLibrary],
    fuzzer: target.fuzzers && addon.fuzzer !== null ? [...own(addon.fuzzer), ...ofLibrary] : null,
    read: [...globSync(`{door,${addon.name}}/**/*.h`, { cwd: NATIVE }).map((file) => join(NATIVE, file)), ...headers.files],
  }
}

/** Everything that a result depends on, the gates it passed included. The folder of the tree is no part of it. */
export function hashOf(recipe: Recipe, target: Target, compiler: Compiler, flags: readonly string[]): string {
  const hash = createHash('sha256')
  const units = [...recipe.units, ...(recipe.fuzzer ?? [])]
  const files = new Set([...units.map((unit) => unit.file), ...recipe.read, join(NATIVE, 'exports.map'), join(ROOT, 'scripts/native/elf.ts')])
  const missing = [...files].filter((file) => !existsSync(file))
  if (missing.length > 0) throw new BuildError(`${recipe.name}: missing: ${missing.join(', ')}`)
  for (const file of [...files].sort()) hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  const made = JSON.stringify([recipe.name, units, target, compiler.identity, compiler.link, flags], (_key, value: unknown) => (value instanceof RegExp ? value.source : value))
  return hash.update(made.replaceAll(ROOT, '')).digest('hex')
}
