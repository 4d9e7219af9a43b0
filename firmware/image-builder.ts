/**
 * A downloaded ImageBuilder of OpenWrt 24.10: is it the right one, what goes into it, and the one command. What is used of
 * it is its documented face: `make info`, `make image`, `packages/`, `repositories.conf`, `keys/`, `.config`
 * (openwrt/openwrt target/imagebuilder).
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FirmwareError } from './profiles.ts'
import type { Profile } from './profiles.ts'

export const RELEASE = '24.10'
const NODE_FEED = 'meshbox_node'
/** The feed of target Node: issue 1511 of nxhack/openwrt-node-packages. */
const NODE_FEED_URL = 'http://downloads.nxhack.com/releases'
/** Make's own variables of an outer `make firmware` would reach the inner one. */
const MAKE_VARIABLES = ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'MAKEOVERRIDES', 'PROFILE', 'FILES', 'PACKAGES', 'IMAGEBUILDER', 'OPTIONS', 'EXTRA']

export interface ImageBuilder {
  readonly folder: string
  /** `24.10.4` */
  readonly version: string
}

export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !MAKE_VARIABLES.includes(name)))
}

/** Errors: not an ImageBuilder; one of another release, target, architecture; one without the profile. */
export function openImageBuilder(folder: string, profile: Profile): ImageBuilder {
  const wrong = (what: string): FirmwareError =>
    new FirmwareError(`IMAGEBUILDER=${folder}: ${what}\nexpected: the ImageBuilder of OpenWrt ${RELEASE} for ${profile.target} (openwrt-imagebuilder-${RELEASE}.x-${profile.target.replace('/', '-')}.Linux-x86_64), unpacked`)
  if (!existsSync(folder)) throw wrong('there is no such folder')
  if (!existsSync(join(folder, 'Makefile'))) throw wrong('has no Makefile: is it unpacked?')
  if (!existsSync(join(folder, 'repositories.conf')))
    throw wrong(existsSync(join(folder, 'repositories')) ? 'is one for apk packages (OpenWrt 25.12 or newer); ours are ipk' : 'has no repositories.conf')

  const config = readIfThere(join(folder, '.config'))
  const version = /\/releases\/([0-9][^/\s]*)\//.exec(readFileSync(join(folder, 'repositories.conf'), 'utf8'))?.[1] ?? /^CONFIG_VERSION_NUMBER="([^"]+)"$/m.exec(config)?.[1]
  if (version === undefined) throw wrong('does not say its release in repositories.conf (a snapshot?)')
  if (version !== RELEASE && !version.startsWith(`${RELEASE}.`)) throw wrong(`is of OpenWrt ${version}`)

  const asked = spawnSync('make', ['-s', '-C', folder, 'info'], { encoding: 'utf8', env: environment(), maxBuffer: 64 * 1024 * 1024 })
  if (asked.status !== 0) throw wrong(`\`make info\` failed:\n${(asked.stderr || asked.error?.message || '').trim().slice(-2000)}`)
  const target = /^Current Target: "([^"]+)"$/m.exec(asked.stdout)?.[1]
  if (target !== profile.target) throw wrong(`is for ${target ?? 'a target it does not name'}`)
  if (!new RegExp(`^${profile.profile}:$`, 'm').test(asked.stdout)) throw wrong(`does not know the profile ${profile.profile}`)

  const arch = /^CONFIG_TARGET_ARCH_PACKAGES="([^"]+)"$/m.exec(config)?.[1]
  if (arch !== profile.arch) throw wrong(`packs for the architecture ${arch ?? 'that its .config does not name'}, ${profile.name} is ${profile.arch}`)
  return { folder, version }
}

export interface Parts {
  /** Folder with meshbox_…_<arch>.ipk and luci-app-meshbox_…_all.ipk, both once. */
  readonly ipks: string
  /** Folder with Node's ipk, where the feed has none. */
  readonly nodeIpks: string | null
  /** Public key of the Node feed, usign's format. */
  readonly nodeKey: string | null
}

/** Puts packages, the feed's line and its key into the ImageBuilder; doing it again gives the same. */
export function equip(builder: ImageBuilder, profile: Profile, parts: Parts): string[] {
  const packages = join(builder.folder, 'packages')
  const ours = [onlyIpk(parts.ipks, 'meshbox', profile.arch), onlyIpk(parts.ipks, 'luci-app-meshbox', 'all')]
  const node = parts.nodeIpks === null ? [] : [onlyIpk(parts.nodeIpks, 'node[0-9]*', profile.arch)]
  const key = parts.nodeKey === null ? null : readKey(parts.nodeKey)
  mkdirSync(packages, { recursive: true })
  for (const file of readdirSync(packages)) if (/^(luci-app-)?meshbox_.*\.ipk$/.test(file) || (node.length > 0 && /^node[0-9]*_.*\.ipk$/.test(file))) rmSync(join(packages, file))
  for (const file of [...ours, ...node]) copyFileSync(file, join(packages, basename(file)))

  const repositories = join(builder.folder, 'repositories.conf')
  const before = readFileSync(repositories, 'utf8')
  const kept = before.split('\n').filter((line) => !line.startsWith(`src/gz ${NODE_FEED} `))
  const feed = parts.nodeIpks === null ? [nodeFeedLine(builder.version, profile)] : []
  const at = kept.findIndex((line) => line.startsWith('src '))
  const after = [...kept.slice(0, at < 0 ? kept.length : at), ...feed, ...kept.slice(at < 0 ? kept.length : at)].join('\n')
  if (after !== before) writeFileSync(repositories, after)
  if (key !== null) {
    mkdirSync(join(builder.folder, 'keys'), { recursive: true })
    writeFileSync(join(builder.folder, 'keys', key.number), key.text)
  }
  return [...ours, ...node].map((file) => basename(file))
}

export function nodeFeedLine(version: string, profile: Profile): string {
  return `src/gz ${NODE_FEED} ${NODE_FEED_URL}/${version}/packages/${profile.arch}/node`
}

/** The variables of `make image`; paths are absolute. */
export function imageVariables(profile: Profile, packages: readonly string[], overlay: string, output: string): string[] {
  return [
    `PROFILE=${profile.profile}`,
    `PACKAGES=${packages.join(' ')}`,
    `FILES=${overlay}`,
    `BIN_DIR=${output}`,
    'EXTRA_IMAGE_NAME=meshbox',
    'ADD_LOCAL_KEY=1',
    ...(profile.rootfsPartsizeMiB === null ? [] : [`ROOTFS_PARTSIZE=${profile.rootfsPartsizeMiB}`]),
  ]
}

function onlyIpk(folder: string, name: string, arch: string): string {
  const pattern = new RegExp(`^${name}_[^_]+_${arch}\\.ipk$`)
  const found = existsSync(folder) ? readdirSync(folder).filter((file) => pattern.test(file)) : []
  if (found.length !== 1)
    throw new FirmwareError(`${folder}: ${found.length === 0 ? 'there is no' : `there are ${found.length} of`} ${name.replace('[0-9]*', '')}_…_${arch}.ipk; expected one${name === 'meshbox' ? ' (`make ipk` makes it)' : ''}`)
  return join(folder, found[0] ?? '')
}

/** usign: line 2 is base64 of "Ed", 8 bytes of key number, 32 bytes of key; opkg looks for a file named by the number. */
function readKey(file: string): { number: string; text: string } {
  const text = readFileSync(file, 'utf8')
  const bytes = Buffer.from(text.split('\n')[1] ?? '', 'base64')
  if (!text.startsWith('untrusted comment:') || bytes.length !== 42 || bytes.toString('latin1', 0, 2) !== 'Ed') throw new FirmwareError(`NODE_KEY=${file} is not a public key in usign's format`)
  return { number: bytes.toString('hex', 2, 10), text }
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
