/**
 * Builds the native addons: `node scripts/native.ts <target>…`, e.g. `host` or `arm64-musl`. What is up to
 * date is left alone. Results: build/native/<folder>/<addon>.node. docs/native.md tells the rest.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPILE_FLAGS, compile } from './native/compile.ts'
import { compilerFor } from './native/compilers.ts'
import type { Compiler } from './native/compilers.ts'
import { checkAddon } from './native/elf.ts'
import { ROOT } from './native/fetch.ts'
import { NATIVE, hashOf, ownRecipe } from './native/recipe.ts'
import type { Recipe, Unit } from './native/recipe.ts'
import { BuildError, run } from './native/run.ts'
import { SQLITE_ADDON, npmSqlite, sqliteRecipe } from './native/sqlite.ts'
import { ADDONS, TARGETS } from './native/targets.ts'
import type { Target } from './native/targets.ts'

const LINK_FLAGS = ['-shared', `-Wl,--version-script=${join(NATIVE, 'exports.map')}`, '-Wl,--gc-sections', '-Wl,-z,relro', '-Wl,-z,now']

export interface NativeOptions {
  /** Names of addons; default: all that the target has. */
  readonly only?: readonly string[]
  /** Where the results go; default: build/native/<folder of the target>. */
  readonly folder?: string
}

/** What a target has: our addons, and better-sqlite3. */
export const ADDON_NAMES: readonly string[] = [...ADDONS.map((addon) => addon.name), SQLITE_ADDON]

/** Where the addon of a target lies, built or not. SQLite of this machine is npm's. */
export function addonPath(targetName: string, addonName: string): string {
  const target = targetOf(targetName)
  if (addonName !== SQLITE_ADDON || target.compiler === 'zig') return join(folderOf(target), `${addonName}.node`)
  const found = npmSqlite(process.arch)
  if (found === null) throw new BuildError(`better-sqlite3 has no binary for this machine (${process.arch}); x64 and arm64 have one`)
  return found
}

/** Where the fuzzer of an addon lies. */
export function fuzzerPath(addonName: string): string {
  return join(folderOf(targetOf('host-asan')), `${addonName}-fuzz`)
}

/** Builds what is not up to date. Errors: BuildError with the compiler's words. */
export async function buildNative(targetName: string, say: (line: string) => void = () => undefined, options: NativeOptions = {}): Promise<void> {
  const target = targetOf(targetName)
  const wanted = options.only ?? ADDON_NAMES
  const unknown = wanted.filter((name) => !ADDON_NAMES.includes(name))
  if (unknown.length > 0) throw new BuildError(`unknown addon '${unknown.join("', '")}'; known: ${ADDON_NAMES.join(', ')}`)
  const compiler = await compilerFor(target)
  const folder = options.folder ?? folderOf(target)
  // The runtime first: the same names of its objects in each addon, so zig takes them from its cache.
  const build = (recipe: Recipe): Promise<void> => buildOne({ ...recipe, units: [...compiler.runtime, ...recipe.units] }, target, compiler, folder, say)
  for (const addon of ADDONS) if (wanted.includes(addon.name)) await build(await ownRecipe(addon, target))
  if (wanted.includes(SQLITE_ADDON) && target.compiler === 'zig') await build(sqliteRecipe())
}

async function buildOne(recipe: Recipe, target: Target, compiler: Compiler, folder: string, say: (line: string) => void): Promise<void> {
  const goal = join(folder, `${recipe.name}.node`)
  const stamp = `${goal}.stamp`
  const fuzzer = recipe.fuzzer === null ? null : join(folder, `${recipe.name}-fuzz`)
  const hash = hashOf(recipe, target, compiler, [...COMPILE_FLAGS, ...LINK_FLAGS])
  const isCurrent = existsSync(goal) && (fuzzer === null || existsSync(fuzzer)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
  if (isCurrent) return say(`[native] ${target.name}: ${recipe.name} is up to date, ${sizeOf(goal)}`)

  const started = performance.now()
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, '.work-'))
  try {
    const objectOf = await compile([...recipe.units, ...(recipe.fuzzer ?? [])], compiler, target, work)
    const link = async (units: readonly Unit[], flags: readonly string[], to: string): Promise<void> => {
      const [program, ...first] = compiler.linker
      const made = join(work, basename(to))
      const objects = units.map((unit) => objectOf.get(unit.file) ?? unit.file)
      await run(program, [...first, ...target.flags, ...objects, ...flags, ...compiler.link, '-o', made], { env: compiler.env })
      if (to === goal) await checkAddon(made, target)
      renameSync(made, to)
    }
    if (fuzzer !== null) await link(recipe.fuzzer ?? [], ['-Wl,--gc-sections'], fuzzer)
    await link(recipe.units, [...LINK_FLAGS, ...(target.elf === null ? [] : ['-s'])], goal)
    writeFileSync(join(work, 'stamp'), hash)
    renameSync(join(work, 'stamp'), stamp)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  say(`[native] ${target.name}: ${recipe.name} built in ${((performance.now() - started) / 1000).toFixed(1)} s, ${sizeOf(goal)}`)
}

function targetOf(name: string): Target {
  const target = TARGETS.find((row) => row.name === name)
  if (target === undefined) throw new BuildError(`unknown target '${name}'; known: ${TARGETS.map((row) => row.name).join(', ')}`)
  return target
}

function folderOf(target: Target): string {
  return join(ROOT, 'build/native', target.folder)
}

function sizeOf(file: string): string {
  return `${(statSync(file).size / 1024).toFixed(0)} KiB`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const names = process.argv.slice(2)
    if (names.length === 0) throw new BuildError(`which target? known: ${TARGETS.map((row) => row.name).join(', ')}`)
    for (const name of names) await buildNative(name, console.log)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(`native: ${error.message}`)
    process.exitCode = 1
  }
}
