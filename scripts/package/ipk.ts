/**
 * An ipk, byte for byte the same for the same contents and time: gzip of a tar with ./debian-binary, ./data.tar.gz and
 * ./control.tar.gz, in that order (OpenWrt's scripts/ipkg-build; docs/packages.md).
 */
import { gzipSync } from 'node:zlib'
import type { Contents } from './manifest.ts'
import { PackageError } from './places.ts'
import { tarFile, type TarEntry } from './tar.ts'

export interface PackageDescription {
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly depends: readonly string[]
  readonly source: string
  readonly license: string
  readonly section: string
  /** `user=uid:group=gid`, or null. */
  readonly requireUser: string | null
  readonly maintainer: string
  readonly description: string
  /** The package's own parts of the scripts, by name: postinst, prerm, postrm. */
  readonly scripts: ReadonlyMap<string, string>
}

/** `1.2.3-r4`: digits and points, then the release with its r, which apk insists on. */
export const VERSION = /^\d+(\.\d+)*-r\d+$/

/** What a package does without scripts of its own is OpenWrt's affair: functions.sh of the router. */
const DEFAULT_SCRIPTS: Readonly<Record<string, string>> = { postinst: 'default_postinst', prerm: 'default_prerm' }

export function ipkName(about: PackageDescription): string {
  return `${about.name}_${about.version}_${about.architecture}.ipk`
}

export function buildIpk(about: PackageDescription, contents: Contents, epochSeconds: number): Buffer {
  if (!VERSION.test(about.version)) throw new PackageError(`version '${about.version}'; allowed: digits and points, then -r and a number`)
  const data = tarFile(contents.entries, epochSeconds)
  const control = tarFile(controlEntries(about, contents, data.length, epochSeconds), epochSeconds)
  // The order of the members is fixed; the sorted tar of the packer's own would turn it around.
  const members = [file('debian-binary', '2.0\n'), file('data.tar.gz', gzip(data)), file('control.tar.gz', gzip(control))]
  return gzip(joinTars(members.map((member) => tarFile([member], epochSeconds))))
}

/** Tars of one entry each, made one: the end marks of all but the last go. */
function joinTars(tars: readonly Buffer[]): Buffer {
  const bodies = tars.map((tar) => {
    const size = Number.parseInt(tar.toString('ascii', 124, 135), 8)
    return tar.subarray(0, 512 + Math.ceil(size / 512) * 512)
  })
  const all = Buffer.concat([...bodies, Buffer.alloc(1024)])
  return Buffer.concat([all, Buffer.alloc((10240 - (all.length % 10240)) % 10240)])
}

function controlEntries(about: PackageDescription, contents: Contents, installedBytes: number, epochSeconds: number): TarEntry[] {
  const entries: TarEntry[] = [{ kind: 'dir', path: '', mode: 0o755 }, file('control', controlText(about, installedBytes, epochSeconds))]
  if (contents.conffiles.length > 0) entries.push(file('conffiles', contents.conffiles.map((path) => `${path}\n`).join('')))
  for (const [name, call] of Object.entries(DEFAULT_SCRIPTS)) entries.push(file(name, defaultScript(call), 0o755))
  for (const [name, text] of about.scripts) {
    if (!text.startsWith('#!/bin/sh\n')) throw new PackageError(`${about.name}: script ${name} does not begin with #!/bin/sh`)
    entries.push(file(name in DEFAULT_SCRIPTS ? `${name}-pkg` : name, text, 0o755))
  }
  return entries
}

function controlText(about: PackageDescription, installedBytes: number, epochSeconds: number): string {
  const fields: readonly (readonly [string, string | null])[] = [
    ['Package', about.name],
    ['Version', about.version],
    ['Depends', about.depends.length > 0 ? about.depends.join(', ') : null],
    ['Source', about.source],
    ['SourceName', about.name],
    ['License', about.license],
    ['Section', about.section],
    ['Require-User', about.requireUser],
    ['SourceDateEpoch', String(epochSeconds)],
    ['Maintainer', about.maintainer],
    ['Architecture', about.architecture],
    ['Installed-Size', String(installedBytes)],
    ['Description', about.description.trim().split('\n').map((line, index) => (index === 0 ? '' : ' ') + line.trim()).join('\n')],
  ]
  return fields.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\n`])).join('')
}

function defaultScript(call: string): string {
  return `#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
${call} "$0" "$@"
`
}

function file(path: string, body: string | Buffer, mode = 0o644): TarEntry {
  return { kind: 'file', path, mode, body: Buffer.from(body) }
}

/** Without name and time, like gzip -n, and with the same letter for the system wherever it is packed. */
function gzip(bytes: Buffer): Buffer {
  const packed = gzipSync(bytes, { level: 9 })
  packed.writeUInt32LE(0, 4)
  packed[9] = 3
  return packed
}
