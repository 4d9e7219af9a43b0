/**
 * What the native build needs and the repository does not carry: fetched through the package managers into
 * build/tools, checked, and kept. A file put there by hand is taken if its checksum is right.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuildError, run } from './run.ts'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const TOOLS = join(ROOT, 'build/tools')

/** A Debian source package's upstream tar file. */
export interface DebianSource {
  readonly name: string
  readonly version: string
  readonly suite: string
  readonly file: string
  readonly sha256: string
}

export interface NpmTool {
  readonly name: string
  readonly version: string
  /** As the registry and lock files write it: sha512-<base64>. */
  readonly integrity: string
}

/** Folder with the unpacked sources. */
export async function sourcesOf(source: DebianSource): Promise<string> {
  const folder = join(TOOLS, `${source.name}-${source.sha256.slice(0, 12)}`)
  if (existsSync(folder)) return folder
  const archive = join(TOOLS, source.file)
  if (!existsSync(archive))
    await withDebian(source.suite, 'deb-src', undefined, async (apt, place) => {
      await run('apt-get', [...apt, 'source', '--download-only', '--tar-only', '--only-source', `${source.name}=${source.version}`], { cwd: place })
      moveInto(join(place, source.file), archive)
    })
  checkSum(archive, 'sha256', 'hex', source.sha256)
  await unpack(archive, folder)
  return folder
}

/** Folder with the unpacked npm package. */
export async function npmTool(tool: NpmTool): Promise<string> {
  const folder = join(TOOLS, `${basename(tool.name)}-${tool.version}`)
  if (existsSync(folder)) return folder
  const place = await workPlace()
  try {
    await run('npm', ['pack', `${tool.name}@${tool.version}`, '--ignore-scripts', '--silent', '--pack-destination', place], { ifMissing: 'install Node with npm' })
    const archive = join(place, readdirSync(place).find((name) => name.endsWith('.tgz')) ?? 'nothing.tgz')
    checkSum(archive, 'sha512', 'base64', tool.integrity.replace(/^sha512-/, ''))
    await unpack(archive, folder)
    return folder
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Folder with the unpacked binary package of another architecture; apt checks Debian's signature. */
export async function debianPackage(name: string, architecture: string, suite: string): Promise<string> {
  const folder = join(TOOLS, `${name}-${architecture}-${suite}`)
  if (existsSync(folder)) return folder
  await withDebian(suite, 'deb', architecture, async (apt, place) => {
    await run('apt-get', [...apt, 'download', name], { cwd: place })
    const file = globSync('*.deb', { cwd: place })[0]
    if (file === undefined) throw new BuildError(`apt-get gave no file for ${name} (${architecture})`)
    await run('dpkg-deb', ['-x', join(place, file), join(place, 'root')])
    moveInto(join(place, 'root'), folder)
  })
  return folder
}

/**
 * apt with package lists of its own, so that the machine's own configuration stays as it is and no root is
 * needed. The machine's Debian mirror is asked first, then Debian's.
 */
async function withDebian(
  suite: string,
  kind: 'deb' | 'deb-src',
  architecture: string | undefined,
  use: (apt: readonly string[], place: string) => Promise<void>,
): Promise<void> {
  const failures: string[] = []
  for (const mirror of mirrors()) {
    const place = await workPlace()
    try {
      const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
      const options = existsSync(keyring) ? ` [signed-by=${keyring}]` : ''
      for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(place, folder), { recursive: true })
      writeFileSync(join(place, 'sources.list'), `${kind}${options} ${mirror} ${suite} main\n`)
      const apt = [
        ...['-qq', '-o', `Dir::Etc::SourceList=${place}/sources.list`, '-o', 'Dir::Etc::SourceParts=/dev/null'],
        ...['-o', `Dir::State=${place}`, '-o', `Dir::State::Lists=${place}/lists`, '-o', `Dir::Cache=${place}/cache`],
        ...['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Languages=none', '-o', 'Acquire::Retries=3'],
        ...(architecture === undefined ? [] : ['-o', `APT::Architecture=${architecture}`, '-o', `APT::Architectures=${architecture}`]),
      ]
      await run('apt-get', [...apt, 'update'], { ifMissing: 'this build wants Debian or a relative of it' })
      return await use(apt, place)
    } catch (error) {
      failures.push(`${mirror}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  }
  throw new BuildError(`nothing could be fetched from Debian ${suite}:\n${failures.join('\n')}`)
}

function mirrors(): string[] {
  const found = ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*.{list,sources}')]
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => /^(deb(-src)?\s|URIs:)/.test(line))
    .flatMap((line) => line.split(/\s+/))
    .filter((word) => /^https?:\/\/.*\/debian\/?$/.test(word))
  return [...new Set([...found, 'http://deb.debian.org/debian'].map((uri) => uri.replace(/\/$/, '')))]
}

/** Unpacked aside and then moved, so that a folder that is there is whole. */
async function unpack(archive: string, folder: string): Promise<void> {
  const place = await workPlace()
  try {
    await run('tar', ['-xf', archive, '-C', place, '--strip-components=1', '--no-same-owner'], { ifMissing: 'install tar and xz-utils' })
    moveInto(place, folder)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Beside its goal, so that a rename is enough; in the goal's place another build may have been faster. */
async function workPlace(): Promise<string> {
  mkdirSync(TOOLS, { recursive: true })
  return mkdtempSync(join(TOOLS, '.work-'))
}

function moveInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

function checkSum(file: string, algorithm: string, encoding: 'hex' | 'base64', expected: string): void {
  const found = createHash(algorithm).update(readFileSync(file)).digest(encoding)
  if (found === expected) return
  rmSync(file, { force: true })
  throw new BuildError(`${file}: ${algorithm} is ${found}, expected ${expected}; the file was removed`)
}

