/** The two compilers: the machine's own gcc for itself, zig with its C libraries for other machines. */
import { join } from 'node:path'
import { cppRuntime } from './cpp-runtime.ts'
import { TOOLS, npmTool } from './fetch.ts'
import type { Unit } from './recipe.ts'
import { BuildError, run } from './run.ts'
import { ZIG } from './targets.ts'
import type { Target } from './targets.ts'

export interface Compiler {
  /** Program and first arguments. */
  readonly c: readonly [string, ...string[]]
  readonly cpp: readonly [string, ...string[]]
  /** Its version, as part of what a result depends on. */
  readonly identity: string
  /** Program and first arguments that link. */
  readonly linker: readonly [string, ...string[]]
  readonly link: readonly string[]
  /** Linked into every addon beside its own; none where the linker has C++'s library. */
  readonly runtime: readonly Unit[]
  readonly env: Readonly<Record<string, string>>
}

const INSTALL_COMPILER = 'apt-get install g++'

/** Errors: BuildError where it is not installed or cannot be fetched. */
export async function compilerFor(target: Target): Promise<Compiler> {
  return target.compiler === 'zig' ? await zigCompiler() : await gccCompiler(target)
}

async function gccCompiler(target: Target): Promise<Compiler> {
  const identity = (await run('g++', ['--version'], { ifMissing: INSTALL_COMPILER })).stdout.split('\n')[0] ?? ''
  await run('gcc', ['--version'], { ifMissing: INSTALL_COMPILER })
  // The sanitizers bring a C++ runtime of their own; otherwise the addon carries the little it uses.
  return { c: ['gcc'], cpp: ['g++'], identity, linker: ['g++'], runtime: [], link: target.elf === null ? [] : ['-static-libstdc++', '-static-libgcc'], env: {} }
}

/** zig as C and C++ compiler; `-target` is the caller's. */
export async function zigCompiler(): Promise<Compiler> {
  if (process.arch !== 'x64') throw new BuildError(`building for other machines wants an x86-64 machine, this one is ${process.arch}`)
  const folder = await npmTool(ZIG)
  const zig = join(folder, 'zig')
  const cache = join(TOOLS, 'zig-cache')
  return { c: [zig, 'cc'], cpp: [zig, 'c++'], identity: ZIG.integrity, linker: [zig, 'cc'], link: [], runtime: cppRuntime(join(folder, 'lib')), env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache } }
}
