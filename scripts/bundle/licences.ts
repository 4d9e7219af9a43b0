/** dist/licences.txt: the licences of everything others wrote that the bundle carries, in code or in a native part. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { ROOT, npmTool, sourcesOf } from '../native/fetch.ts'
import { SQLITE_ADDON, SQLITE_PACKAGE } from '../native/sqlite.ts'
import { ADDONS, ZIG } from '../native/targets.ts'
import type { Target } from '../native/targets.ts'

interface Part {
  readonly name: string
  readonly licence: string
  readonly text: string
}

const LICENCE_FILE = /^(licen[cs]e|copying|unlicense)([.-].*)?$/i
const SQLITE = 'SQLite is in the public domain: https://www.sqlite.org/copyright.html'
const LIBSTDCXX =
  'Parts of libstdc++ and libgcc of the GNU Compiler Collection are linked into the native parts. Copyright Free Software Foundation, Inc. ' +
  'GPL version 3 or later with the GCC Runtime Library Exception 3.1, which lets the result be distributed under terms of our choice: ' +
  'https://www.gnu.org/licenses/gcc-exception-3.1.html'

/** `addons`: names of the native parts that are in the bundle. Throws when a package has no licence to show. */
export async function licences(metafiles: readonly Metafile[], addons: readonly string[], target: Target): Promise<string> {
  const packages = new Set(metafiles.flatMap((metafile) => Object.values(metafile.outputs).flatMap((output) => packagesOf(output.inputs))))
  const parts = [...[...packages].sort().map(npmPart), ...(await nativeParts(addons, target))]
  const byText = new Map<string, { names: string[]; licence: string }>()
  for (const { name, licence, text } of parts) {
    const same = byText.get(text)
    if (same === undefined) byText.set(text, { names: [name], licence })
    else same.names.push(name)
  }
  const chapters = [...byText].map(([text, { names, licence }]) => `${'='.repeat(78)}\n${names.join('\n')}\nLicence: ${licence}\n\n${text}\n`)
  return `What MeshBox carries that others wrote, and its licences.\n\n${chapters.join('\n')}`
}

/** Folders below node_modules whose code is really in the output. */
function packagesOf(inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>): string[] {
  return Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]
    return folder === undefined || bytesInOutput === 0 ? [] : [folder]
  })
}

function npmPart(folder: string): Part {
  const at = join(ROOT, folder)
  const { name, version, license } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { name: string; version: string; license?: string }
  const files = readdirSync(at).filter((file) => LICENCE_FILE.test(file))
  const text = files.length === 0 ? fromReadme(at) : files.sort().map((file) => textOf(join(at, file))).join('\n\n')
  if (license === undefined || text === null) throw new Error(`bundle: ${name} ${version} has no licence to ship; look at ${at}`)
  return { name: `${name} ${version}`, licence: license, text }
}

/** Some packages write it at the end of their README. */
function fromReadme(folder: string): string | null {
  const file = readdirSync(folder).find((name) => /^readme(\..*)?$/i.test(name))
  const chapter = file === undefined ? null : /\n#+ *licen[cs]e[^\n]*\n([\s\S]*)$/i.exec(textOf(join(folder, file)))
  return chapter?.[1]?.trim() ?? null
}

async function nativeParts(addons: readonly string[], target: Target): Promise<Part[]> {
  if (addons.length === 0) return []
  const parts: Part[] = []
  if (addons.includes(SQLITE_ADDON)) parts.push({ ...npmPart(SQLITE_PACKAGE.slice(ROOT.length + 1)) }, { name: 'SQLite', licence: 'public domain', text: SQLITE })
  for (const { library } of ADDONS.filter((addon) => addons.includes(addon.name)))
    if (library !== null) parts.push({ name: `${library.source.name} ${library.source.version}`, licence: 'MIT', text: textOf(join(await sourcesOf(library.source), 'COPYING')) })
  parts.push(npmPart('node_modules/node-addon-api'))
  if (target.compiler === 'gcc') return [...parts, { name: 'libstdc++, libgcc', licence: 'GPL-3.0-or-later WITH GCC-exception-3.1', text: LIBSTDCXX }]
  const zig = await npmTool(ZIG)
  for (const name of ['libcxx', 'libcxxabi'])
    parts.push({ name: `LLVM ${name}`, licence: 'Apache-2.0 WITH LLVM-exception', text: textOf(join(zig, 'lib', name, 'LICENSE.TXT')) })
  return [...parts, { name: 'compiler_rt of Zig', licence: 'MIT', text: textOf(join(zig, 'LICENSE')) }]
}

function textOf(file: string): string {
  return readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()
}
