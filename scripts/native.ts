/**
 * Builds the native addons: `node scripts/native.ts <target>…`, e.g. `host` or `arm64-musl`. What is up to
 * date is left alone. Results: build/native/<folder>/<addon>.node. docs/native.md tells the rest.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkAddon } from './native/elf.ts'
import { ROOT, TOOLS, npmTool, sourcesOf } from './native/fetch.ts'
import { BuildError, run } from './native/run.ts'
import { ADDONS, TARGETS, ZIG } from './native/targets.ts'
import type { Addon, Target } from './native/targets.ts'

const NATIVE = join(ROOT, 'native')
const NODE_HEADERS = ['x64', 'arm64'].map((machine) => join(ROOT, `node_modules/node-linux-${machine}/include/node`)).find((folder) => existsSync(folder))
const CPP_HEADERS = join(ROOT, 'node_modules/node-addon-api')
const INSTALL_COMPILER = 'apt-get install g++'

/** Node-API 9: Node 18.17, 20.3 and later. No exceptions and no rtti: a C++ runtime of its own must not meet Node's. */
const CPP_FLAGS = ['-std=c++20', '-fno-exceptions', '-fno-rtti']
/** The last: an exception that a closing environment does not take is dropped instead of ending the process. */
const CPP_DEFINES = ['NAPI_VERSION=9', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS']
const FLAGS = ['-fPIC', '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections']
const OUR_FLAGS = ['-Wall', '-Wextra', '-Werror']
const LINK_FLAGS = ['-shared', `-Wl,--version-script=${join(NATIVE, 'exports.map')}`, '-Wl,--gc-sections', '-Wl,-z,relro', '-Wl,-z,now']

interface Compiler {
  readonly c: readonly [string, ...string[]]
  readonly cpp: readonly [string, ...string[]]
  /** Its version, as part of what a result depends on. */
  readonly identity: string
  readonly link: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Unit {
  readonly file: string
  readonly flags: readonly string[]
}

/** Where the addon of a target lies, built or not. */
export function addonPath(targetName: string, addonName: string): string {
  return join(folderOf(targetOf(targetName)), `${addonName}.node`)
}

/** Where the fuzzer of an addon lies. */
export function fuzzerPath(addonName: string): string {
  return join(folderOf(targetOf('host-asan')), `${addonName}-fuzz`)
}

/** Builds what is not up to date. Errors: BuildError with the compiler's words. */
export async function buildNative(targetName: string, say: (line: string) => void = () => undefined): Promise<void> {
  const target = targetOf(targetName)
  if (NODE_HEADERS === undefined || !existsSync(join(CPP_HEADERS, 'napi.h')))
    throw new BuildError('the headers of Node-API are missing from node_modules; run npm ci')
  const compiler = target.compiler === 'zig' ? await zigCompiler() : await gccCompiler(target)
  for (const addon of ADDONS) await buildAddon(addon, target, compiler, say)
}

async function buildAddon(addon: Addon, target: Target, compiler: Compiler, say: (line: string) => void): Promise<void> {
  const goal = addonPath(target.name, addon.name)
  const stamp = `${goal}.stamp`
  const fuzzer = target.fuzzers && addon.fuzzer !== null ? fuzzerPath(addon.name) : null
  const hash = inputsHash(addon, target, compiler)
  const isCurrent = existsSync(goal) && (fuzzer === null || existsSync(fuzzer)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
  if (isCurrent) return say(`[native] ${target.name}: ${addon.name} is up to date, ${sizeOf(goal)}`)

  const started = performance.now()
  const library = addon.library === null ? null : await sourcesOf(addon.library.source)
  mkdirSync(folderOf(target), { recursive: true })
  const work = mkdtempSync(join(folderOf(target), '.work-'))
  try {
    const objectOf = await compile(unitsOf(addon, target, library), compiler, target, work)
    const link = async (files: readonly string[], flags: readonly string[], to: string): Promise<void> => {
      const [program, ...first] = compiler.cpp
      const made = join(work, basename(to))
      const objects = [...files.map((file) => join(NATIVE, addon.name, file)), ...libraryFiles(addon, library)].map((file) => objectOf.get(file) ?? file)
      await run(program, [...first, ...target.flags, ...objects, ...flags, ...compiler.link, '-o', made], { env: compiler.env })
      if (to === goal) await checkAddon(made, target)
      renameSync(made, to)
    }
    if (fuzzer !== null) await link(addon.fuzzer ?? [], ['-Wl,--gc-sections'], fuzzer)
    await link(addon.files, [...LINK_FLAGS, ...(target.elf === null ? [] : ['-s'])], goal)
    writeFileSync(join(work, 'stamp'), hash)
    renameSync(join(work, 'stamp'), stamp)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  say(`[native] ${target.name}: ${addon.name} built in ${((performance.now() - started) / 1000).toFixed(1)} s, ${sizeOf(goal)}`)
}

function unitsOf(addon: Addon, target: Target, library: string | null): Unit[] {
  const isX64 = target.elf?.machine === 'Advanced Micro Devices X86-64'
  const libraryDefines = addon.library === null ? [] : [...addon.library.defines, ...(isX64 ? addon.library.definesX64 : [])]
  const headers = addon.library === null || library === null ? [] : [`-isystem${join(library, addon.library.include)}`]
  const own = [...new Set([...addon.files, ...(target.fuzzers ? (addon.fuzzer ?? []) : [])])].map((file) => join(NATIVE, addon.name, file))
  return [
    ...own.map((file) => ({
      file,
      flags: file.endsWith('.cc')
        ? [...CPP_FLAGS, ...[...CPP_DEFINES, `NODE_GYP_MODULE_NAME=${addon.name}`].map((define) => `-D${define}`), ...OUR_FLAGS, ...headers, `-isystem${NODE_HEADERS}`, `-isystem${CPP_HEADERS}`]
        : OUR_FLAGS,
    })),
    ...libraryFiles(addon, library).map((file) => ({ file, flags: [...libraryDefines.map((define) => `-D${define}`), ...headers] })),
  ]
}

function libraryFiles(addon: Addon, library: string | null): string[] {
  return addon.library === null || library === null ? [] : addon.library.files.map((file) => join(library, file))
}

/** Object file of each source file. As many at a time as there are processors. */
async function compile(units: readonly Unit[], compiler: Compiler, target: Target, work: string): Promise<Map<string, string>> {
  const objects = new Map(units.map((unit, index) => [unit.file, join(work, `${index}-${basename(unit.file)}.o`)]))
  const waiting = [...units]
  const worker = async (): Promise<void> => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      const [program, ...first] = unit.file.endsWith('.cc') ? compiler.cpp : compiler.c
      await run(program, [...first, ...target.flags, ...FLAGS, ...unit.flags, '-c', unit.file, '-o', objects.get(unit.file) ?? ''], { env: compiler.env })
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), units.length) }, worker))
  return objects
}

async function gccCompiler(target: Target): Promise<Compiler> {
  const identity = (await run('g++', ['--version'], { ifMissing: INSTALL_COMPILER })).stdout.split('\n')[0] ?? ''
  await run('gcc', ['--version'], { ifMissing: INSTALL_COMPILER })
  // The sanitizers bring a C++ runtime of their own; otherwise the addon carries the little it uses.
  return { c: ['gcc'], cpp: ['g++'], identity, link: target.elf === null ? [] : ['-static-libstdc++', '-static-libgcc'], env: {} }
}

async function zigCompiler(): Promise<Compiler> {
  if (process.arch !== 'x64') throw new BuildError(`building for other machines wants an x86-64 machine, this one is ${process.arch}`)
  const zig = join(await npmTool(ZIG), 'zig')
  const cache = join(TOOLS, 'zig-cache')
  return { c: [zig, 'cc'], cpp: [zig, 'c++'], identity: ZIG.integrity, link: [], env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache } }
}

/** Everything that a result depends on. */
function inputsHash(addon: Addon, target: Target, compiler: Compiler): string {
  const hash = createHash('sha256')
  const files = [
    ...globSync(`{door,${addon.name}}/**/*.{h,c,cc}`, { cwd: NATIVE }).map((file) => join(NATIVE, file)),
    join(NATIVE, 'exports.map'),
    fileURLToPath(import.meta.url),
    join(ROOT, 'scripts/native/elf.ts'),
    ...['js_native_api.h', 'js_native_api_types.h', 'node_api.h', 'node_api_types.h'].map((file) => join(NODE_HEADERS ?? '', file)),
    ...['napi.h', 'napi-inl.h'].map((file) => join(CPP_HEADERS, file)),
  ]
  for (const file of files.sort()) hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  return hash.update(JSON.stringify([addon, target, compiler.identity], (_key, value: unknown) => (value instanceof RegExp ? value.source : value))).digest('hex')
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
