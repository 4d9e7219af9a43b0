/** Gates on a finished addon: would it load on the machine it is for, and does it show only what it should? */
import { join } from 'node:path'
import { debianPackage } from './fetch.ts'
import { BuildError, run } from './run.ts'
import type { Target } from './targets.ts'

const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
/** Where musl and the emulator come from; both only look at the file. */
const SUITE = 'bookworm'
const HOST_ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch

/** Throws a BuildError that names the file and what is wrong with it. */
export async function checkAddon(file: string, target: Target): Promise<void> {
  if (target.elf === null) return
  const readelf = async (...options: string[]): Promise<string> =>
    (await run('readelf', ['-W', ...options, file], { ifMissing: 'apt-get install binutils' })).stdout
  const wrong = (what: string): BuildError => new BuildError(`${file}: ${what}`)
  const [header, dynamic, symbols] = [await readelf('-h'), await readelf('-d'), await readelf('--dyn-syms')]

  const machine = /Machine:\s+(.+)/.exec(header)?.[1]?.trim()
  if (machine !== target.elf.machine) throw wrong(`is for ${machine}, expected ${target.elf.machine}`)
  if (target.elf.hardFloat && !/Flags:.*hard-float/.test(header)) throw wrong('does not pass floating-point numbers in registers (hard-float)')
  if (/\(TEXTREL\)/.test(dynamic)) throw wrong('needs its code changed while loading (TEXTREL)')

  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1] ?? '')
  const foreign = needed.filter((name) => !target.elf?.needed.some((allowed) => allowed.test(name)))
  if (foreign.length > 0) throw wrong(`needs ${foreign.join(', ')}`)
  if (target.elf.musl !== null && needed.length !== 1) throw wrong(`needs ${needed.join(', ')}; expected libc.so alone`)

  const shown = symbols.split('\n').flatMap((line) => {
    const [, , , , binding, visibility, section, name] = line.trim().split(/\s+/)
    return name !== undefined && /^(GLOBAL|WEAK)$/.test(binding ?? '') && visibility === 'DEFAULT' && section !== 'UND' ? [name] : []
  })
  if (shown.sort().join() !== EXPORTS.join()) throw wrong(`shows ${shown.slice(0, 10).join(', ')}; expected ${EXPORTS.join(', ')}`)
  if (target.elf.musl !== null) await checkWithMuslLoader(file, target.elf.musl)
}

/** Functions of Node-API, which the process that loads the addon has. */
const NODE_API = /^(napi|node_api)_/

/** musl's own loader in list mode, in an emulator: everything but Node's functions must be found. */
async function checkWithMuslLoader(file: string, musl: { debian: string; loader: string; emulator: string }): Promise<void> {
  const emulators = await debianPackage('qemu-user-static', HOST_ARCHITECTURE, SUITE)
  const root = await debianPackage('musl', musl.debian, SUITE)
  const loader = join(root, 'lib', musl.loader, 'libc.so') // musl's loader and its library are one file
  const listed = await run(join(emulators, 'usr/bin', musl.emulator), ['-L', root, loader, '--list', file], { anyCode: true })
  const text = `${listed.stdout}\n${listed.stderr}`
  const missing = [...text.matchAll(/^Error relocating .*: (\S+): symbol not found$/gm)].map((match) => match[1] ?? '')
  const strange = text.split('\n').filter((line) => /^Error/.test(line) && !/: symbol not found$/.test(line))
  if (strange.length > 0) throw new BuildError(`${file}: ${strange[0]}`)
  if (!missing.some((name) => NODE_API.test(name))) throw new BuildError(`${file}: the loader did not look at it: ${text.trim().slice(0, 400)}`)
  const unresolved = missing.filter((name) => !NODE_API.test(name))
  if (unresolved.length > 0) throw new BuildError(`${file}: musl has no ${unresolved.join(', ')}`)
}
