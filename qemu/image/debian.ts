/**
 * Debian packages of another architecture with all they depend on, fetched once by an apt with lists and an
 * (empty) status of its own: no root, the machine's own apt and dpkg stay as they are, and apt checks the
 * signatures. What was fetched is kept with its versions and checksums.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuildError, run } from '../../scripts/native/run.ts'
import type { Architecture } from './architectures.ts'
import { keyOf, QEMU_BUILD, say } from './places.ts'

const SUITE = 'bookworm'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const LIST = 'packages.json'

export interface DebianFile {
  readonly name: string
  readonly version: string
  readonly sha256: string
  /** In the folder. */
  readonly file: string
}

export interface DebianFiles {
  readonly folder: string
  readonly files: readonly DebianFile[]
}

/** The packages of the root with their dependencies, and the kernel without them. */
export async function debianFiles(architecture: Architecture): Promise<DebianFiles> {
  const folder = join(QEMU_BUILD, `debian-${architecture.name}-${keyOf(SUITE, architecture.kernelPackage, ...architecture.packages, ...architecture.apart)}`)
  const list = join(folder, LIST)
  if (existsSync(list)) return { folder, files: JSON.parse(readFileSync(list, 'utf8')) as DebianFile[] }
  mkdirSync(QEMU_BUILD, { recursive: true })
  const failures: string[] = []
  for (const mirror of mirrors()) {
    const place = mkdtempSync(join(QEMU_BUILD, '.debian-'))
    try {
      say(`${architecture.name}: Debian packages from ${mirror} (kernel and root, about ${architecture.downloadMegabytes} MB, once)`)
      await fetchInto(place, architecture, mirror)
      const files = await describe(join(place, 'debs'))
      writeFileSync(join(place, 'debs', LIST), `${JSON.stringify(files, null, 1)}\n`)
      renameSync(join(place, 'debs'), folder)
      return { folder, files }
    } catch (error) {
      failures.push(`${mirror}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  }
  throw new BuildError(`the Debian packages of the ${architecture.name} image could not be fetched:\n${failures.join('\n')}`)
}

async function fetchInto(place: string, architecture: Architecture, mirror: string): Promise<void> {
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs/partial']) mkdirSync(join(place, name), { recursive: true })
  const signed = existsSync(KEYRING) ? ` [signed-by=${KEYRING}]` : ''
  writeFileSync(join(place, 'sources.list'), `deb${signed} ${mirror} ${SUITE} main\n`)
  writeFileSync(join(place, 'status'), '')
  const options = {
    'Dir::Etc::SourceList': `${place}/sources.list`,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State': place,
    'Dir::State::Lists': `${place}/lists`,
    'Dir::State::Status': `${place}/status`,
    'Dir::Cache': `${place}/cache`,
    'Dir::Cache::Archives': `${place}/debs`,
    'APT::Architecture': architecture.debian,
    'APT::Architectures': architecture.debian,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
  }
  const apt = ['-qq', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
  const ifMissing = 'the images are built from Debian packages: this wants Debian or a relative of it'
  await run('apt-get', [...apt, 'update'], { ifMissing })
  const kernel = await newestKernel(apt, architecture)
  await run('apt-get', [...apt, 'install', '--download-only', '--yes', '--no-install-recommends', ...architecture.packages])
  await run('apt-get', [...apt, 'download', kernel, ...architecture.apart], { cwd: join(place, 'debs') })
  for (const leftover of ['partial', 'lock']) rmSync(join(place, 'debs', leftover), { recursive: true, force: true })
}

/** The package that Debian's "current kernel" package asks for. */
async function newestKernel(apt: readonly string[], architecture: Architecture): Promise<string> {
  const { stdout } = await run('apt-cache', [...apt, 'depends', architecture.kernelPackage])
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1]
  if (name === undefined) throw new BuildError(`${architecture.kernelPackage} names no kernel in ${SUITE}: ${stdout.slice(0, 300)}`)
  return name
}

async function describe(folder: string): Promise<DebianFile[]> {
  const files: DebianFile[] = []
  for (const file of globSync('*.deb', { cwd: folder }).sort()) {
    const { stdout } = await run('dpkg-deb', ['-f', join(folder, file), 'Package', 'Version'])
    const [name, version] = ['Package', 'Version'].map((field) => new RegExp(`^${field}: (.*)$`, 'm').exec(stdout)?.[1])
    if (name === undefined || version === undefined) throw new BuildError(`${file}: no name or version in it`)
    files.push({ name, version, file, sha256: createHash('sha256').update(readFileSync(join(folder, file))).digest('hex') })
  }
  return files
}

/** The machine's own mirror first, then Debian's. */
function mirrors(): string[] {
  const found = ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*.{list,sources}')]
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => /^(deb\s|URIs:)/.test(line))
    .flatMap((line) => line.split(/\s+/))
    .filter((word) => /^https?:\/\/.*\/debian\/?$/.test(word))
  return [...new Set([...found, 'http://deb.debian.org/debian'].map((uri) => uri.replace(/\/$/, '')))]
}
