/**
 * What a feed Makefile says of its package, so that the packer here and an OpenWrt SDK say the same: variables
 * (`PKG_VERSION:=…`), the block `define Package/<name>`, and the scripts `define Package/<name>/postinst` and so on.
 * Only the plain form of our own Makefiles is understood: no conditionals, no functions.
 */
import { readFileSync } from 'node:fs'
import { PackageError } from './places.ts'

export interface FeedMakefile {
  readonly file: string
  readonly variables: ReadonlyMap<string, string>
  /** By name, such as `Package/meshbox/prerm`; text with $$ read as $. */
  readonly blocks: ReadonlyMap<string, string>
}

export function readMakefile(file: string): FeedMakefile {
  const variables = new Map<string, string>()
  const blocks = new Map<string, string>()
  let open: { name: string; lines: string[] } | null = null
  for (const line of readFileSync(file, 'utf8').replace(/\\\n\s*/g, ' ').split('\n')) {
    if (open !== null) {
      if (line === 'endef') {
        blocks.set(open.name, open.lines.map((one) => `${one}\n`).join('').replaceAll('$$', '$'))
        open = null
      } else open.lines.push(line)
      continue
    }
    const define = /^define (\S+)$/.exec(line)
    if (define?.[1] !== undefined) open = { name: define[1], lines: [] }
    else readVariable(line, variables)
  }
  if (open !== null) throw new PackageError(`${file}: 'define ${open.name}' has no endef`)
  return { file, variables, blocks }
}

/** The variables of a block `define Package/<name>`. */
export function packageFields(makefile: FeedMakefile, name: string): ReadonlyMap<string, string> {
  const block = makefile.blocks.get(`Package/${name}`)
  if (block === undefined) throw new PackageError(`${makefile.file}: 'define Package/${name}' is missing`)
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) readVariable(line.trim(), fields)
  return fields
}

export function variable(makefile: FeedMakefile, name: string): string {
  const value = makefile.variables.get(name)
  if (value === undefined) throw new PackageError(`${makefile.file}: ${name} is missing`)
  return value
}

function readVariable(line: string, into: Map<string, string>): void {
  const found = /^([A-Z_]+)\s*[:?]?=\s*(.*)$/.exec(line)
  if (found?.[1] !== undefined) into.set(found[1], (found[2] ?? '').trim())
}

/**
 * `DEPENDS` and `EXTRA_DEPENDS` as opkg reads them: `@…` are conditions of the menu, `+` means that it selects.
 * A package named with a version in EXTRA_DEPENDS stands there alone.
 */
export function opkgDepends(depends: string, extraDepends: string): string[] {
  const extra = extraDepends.split(',').map((one) => one.trim()).filter((one) => one !== '')
  const withVersion = new Set(extra.map((one) => one.split(' ')[0]))
  const plain = depends
    .split(/\s+/)
    .filter((word) => word !== '' && !word.startsWith('@'))
    .map((word) => word.replace(/^\+/, ''))
  const strange = plain.find((word) => !/^[a-z0-9][a-z0-9.+-]*$/.test(word))
  if (strange !== undefined) throw new PackageError(`DEPENDS: '${strange}' is not a plain package name`)
  return ['libc', ...plain.filter((word) => !withVersion.has(word)), ...extra].filter((word, index, all) => all.indexOf(word) === index)
}
