/**
 * Instructions an ARM processor executes for one operation of the secp256k1 addon's core, counted by a plugin in QEMU's
 * emulator: the same on any machine under any load. The core is compiled for the router as the addon is, and linked
 * with a small driver, so that no Node is needed. One operation is the difference between two numbers of them.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from '../../../scripts/native/compile.ts'
import { compilerFor } from '../../../scripts/native/compilers.ts'
import { debianPackage } from '../../../scripts/native/fetch.ts'
import { NATIVE, ownRecipe } from '../../../scripts/native/recipe.ts'
import { run } from '../../../scripts/native/run.ts'
import { ADDONS, TARGETS } from '../../../scripts/native/targets.ts'

export type Operation = 'sign' | 'verify' | 'recover' | 'keccak'
export type Machine = 'arm64' | 'armv7'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** QEMU 7.2: its plugin API is version 1, and a pinned translator makes pinned numbers. */
const SUITE = 'bookworm'
const EMULATORS: Readonly<Record<Machine, string>> = { arm64: 'qemu-aarch64', armv7: 'qemu-arm' }
/** Debian's musl loads the driver and is its C library. Linked into it, zig would compile all of musl and of C++'s library first, for minutes. */
const MUSL: Readonly<Record<Machine, { readonly debian: string; readonly folder: string }>> = {
  arm64: { debian: 'arm64', folder: 'aarch64-linux-musl' },
  armv7: { debian: 'armhf', folder: 'arm-linux-musleabihf' },
}
const LIBRARIES = 'apt-get install libcapstone4 libglib2.0-0 libgnutls30 libnuma1 liburing2'
/** What starts is behind the first; the second is at most what the driver takes. */
const TIMES = [8, 40] as const
/** Of the addon's own files: what is no part of Node's side. */
const CORE = ['curve.cc', 'keccak.c']

/** Instructions per operation, an average over 32 different digests. Errors: BuildError with what is missing. */
export async function countInstructions(machine: Machine, operations: readonly Operation[]): Promise<Map<Operation, number>> {
  const work = mkdtempSync(join(tmpdir(), 'meshbox-count-'))
  try {
    const emulator = join(await debianPackage('qemu-user', process.arch === 'x64' ? 'amd64' : process.arch, SUITE), 'usr/bin', EMULATORS[machine])
    await run(emulator, ['--version'], { ifMissing: LIBRARIES }) // its libraries are there?
    const [plugin, driver] = [await buildPlugin(work), await buildDriver(machine, work)]
    const loader = join(await debianPackage('musl', MUSL[machine].debian, SUITE), 'lib', MUSL[machine].folder, 'libc.so') // it and the library are one file
    const executed = async (operation: Operation, times: number): Promise<number> => {
      const out = join(work, `${operation}-${times}`)
      await run(emulator, ['-plugin', `${plugin},out=${out}`, loader, driver, operation, String(times)])
      return Number(readFileSync(out, 'utf8'))
    }
    const counts = new Map<Operation, number>()
    for (const operation of operations) counts.set(operation, ((await executed(operation, TIMES[1])) - (await executed(operation, TIMES[0]))) / (TIMES[1] - TIMES[0]))
    return counts
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function buildPlugin(work: string): Promise<string> {
  const plugin = join(work, 'counter.so')
  await run('gcc', ['-shared', '-fPIC', '-O2', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror', join(HERE, 'counter.c'), '-o', plugin], { ifMissing: 'apt-get install g++' })
  return plugin
}

async function buildDriver(machine: Machine, work: string): Promise<string> {
  const [addon, target] = [ADDONS.find((row) => row.name === 'secp256k1'), TARGETS.find((row) => row.name === `${machine}-musl`)]
  if (addon === undefined || target === undefined) throw new Error(`no addon secp256k1 or no target ${machine}-musl`)
  const compiler = await compilerFor(target)
  const recipe = await ownRecipe(addon, target)
  const core = recipe.units.filter((unit) => !unit.file.startsWith(NATIVE) || CORE.includes(basename(unit.file)))
  const flags = core.find((unit) => basename(unit.file) === 'curve.cc')?.flags ?? []
  const objects = join(work, 'objects')
  mkdirSync(objects)
  const made = await compile([...core, { file: join(HERE, 'driver.cc'), flags: [...flags, `-I${join(NATIVE, addon.name)}`] }], compiler, target, objects)
  const driver = join(work, 'driver')
  const [program, ...first] = compiler.linker // the core takes nothing from C++'s library but the guards that driver.cc has
  await run(program, [...first, ...target.flags, '-shared', '-Wl,-e,_start', ...made.values(), '-o', driver], { env: compiler.env })
  return driver
}
