/**
 * `files.list`: what a package installs, read by the packer here and by lay-out.sh in an OpenWrt SDK. A line is
 *
 *   mode kind source destination
 *
 * | kind | source | what it becomes |
 * |---|---|---|
 * | file | a file | the file |
 * | conf | a file | the same, and opkg keeps the owner's version (conffile) |
 * | tree | a folder | all files in it, with that mode, and its folders 0755; at least one |
 * | dir | - | an empty folder |
 * | link | the text of the link | a symbolic link; mode - |
 *
 * A source `dist/…` lies in the folder that the bundle was made into, any other in the package's own folder.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { TarEntry } from './tar.ts'
import { PackageError } from './places.ts'

export type Kind = 'file' | 'conf' | 'tree' | 'dir' | 'link'

export interface Line {
  readonly mode: number
  readonly kind: Kind
  readonly source: string
  /** Absolute, without a trailing slash. */
  readonly destination: string
}

export interface Contents {
  readonly entries: readonly TarEntry[]
  /** Absolute paths, sorted. */
  readonly conffiles: readonly string[]
}

const KINDS: readonly string[] = ['file', 'conf', 'tree', 'dir', 'link']
const PATH = /^(\/[A-Za-z0-9._+@-]+)+$/

/** @throws PackageError with file, line and what is allowed */
export function readManifest(file: string): Line[] {
  const lines: Line[] = []
  for (const [index, text] of readFileSync(file, 'utf8').split('\n').entries()) {
    const words = text.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    const wrong = (what: string): PackageError => new PackageError(`${file}:${index + 1}: ${what}`)
    const [mode = '', kind = '', source = '', destination = '', ...rest] = words
    if (destination === '' || rest.length > 0) throw wrong("expected 'mode kind source destination'")
    if (!KINDS.includes(kind)) throw wrong(`kind '${kind}'; allowed: ${KINDS.join(', ')}`)
    if (kind === 'link' ? mode !== '-' : !/^0[0-7]{3}$/.test(mode)) throw wrong(`mode '${mode}'; allowed: four octal digits such as 0644, or - for a link`)
    if (kind === 'dir' ? source !== '-' : source === '-') throw wrong(`source '${source}'; a dir has -, all others a path`)
    if (kind !== 'link' && (source.startsWith('/') || source.split('/').includes('..'))) throw wrong(`source '${source}'; allowed: a path below the package's folder or dist/`)
    if (!PATH.test(destination) || destination.split('/').some((part) => part === '.' || part === '..')) throw wrong(`destination '${destination}'; allowed: an absolute path`)
    if (lines.some((line) => line.destination === destination && !(line.kind === 'tree' && kind === 'tree'))) throw wrong(`destination '${destination}' is given twice`)
    lines.push({ mode: kind === 'link' ? 0o777 : Number.parseInt(mode, 8), kind: kind as Kind, source, destination })
  }
  return lines
}

/** The files themselves, with all folders above them. */
export function gather(lines: readonly Line[], packageFolder: string, dist: string | null): Contents {
  const entries = new Map<string, TarEntry>()
  const conffiles: string[] = []
  const add = (entry: TarEntry): void => {
    for (let at = posix.dirname(entry.path); !entries.has(at === '.' ? '' : at); at = posix.dirname(at)) {
      entries.set(at === '.' ? '' : at, { kind: 'dir', path: at === '.' ? '' : at, mode: 0o755 })
      if (at === '.') break
    }
    const known = entries.get(entry.path)
    // A folder that something lies in may get its own mode by a later line; anything else is a mistake.
    if (known !== undefined && !(known.kind === 'dir' && entry.kind === 'dir')) throw new PackageError(`/${entry.path} would be installed twice`)
    entries.set(entry.path, entry)
  }
  for (const line of lines) {
    const path = line.destination.slice(1)
    if (line.kind === 'dir') add({ kind: 'dir', path, mode: line.mode })
    else if (line.kind === 'link') add({ kind: 'link', path, target: line.source })
    else {
      const from = sourcePath(line.source, packageFolder, dist)
      if (line.kind === 'tree') for (const below of filesBelow(from)) add({ kind: 'file', path: `${path}/${below}`, mode: line.mode, body: readFileSync(join(from, below)) })
      else add({ kind: 'file', path, mode: line.mode, body: readSource(from) })
      if (line.kind === 'conf') conffiles.push(line.destination)
    }
  }
  return { entries: [...entries.values()], conffiles: conffiles.sort() }
}

function sourcePath(source: string, packageFolder: string, dist: string | null): string {
  if (!source.startsWith('dist/')) return join(packageFolder, source)
  if (dist === null) throw new PackageError(`${source}: this package has no bundle`)
  return join(dist, source.slice('dist/'.length))
}

function readSource(path: string): Buffer {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new PackageError(`${path} is missing`)
  return readFileSync(path)
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) throw new PackageError(`${folder} is missing`)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => posix.join(one.parentPath.slice(folder.length + 1), one.name))
  if (files.length === 0) throw new PackageError(`${folder} is empty`)
  return files.sort()
}
