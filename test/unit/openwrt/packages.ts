/** Small .ipk files and feeds for tests of the stand-in's opkg, laid out as OpenWrt's build lays them out. */
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface PackageText {
  readonly name: string
  readonly version: string
  readonly arch?: string
  /** More lines of the control, `Depends: x`. */
  readonly control?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly conffiles?: readonly string[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly installedSize?: number
}

export function controlText(one: PackageText): string {
  return [`Package: ${one.name}`, `Version: ${one.version}`, ...(one.control ?? []), `Architecture: ${one.arch ?? 'all'}`, `Installed-Size: ${one.installedSize ?? 2048}`, 'Description:  Test', ' of tests', ''].join('\n')
}

/** Makes the .ipk and returns its path. */
export function makePackage(folder: string, one: PackageText): string {
  const work = mkdtempSync(join(folder, 'pack-'))
  for (const part of ['control', 'data']) mkdirSync(join(work, part))
  writeFileSync(join(work, 'control/control'), controlText(one))
  if (one.conffiles) writeFileSync(join(work, 'control/conffiles'), one.conffiles.map((file) => `${file}\n`).join(''))
  for (const [name, text] of Object.entries(one.scripts ?? {})) writeFileSync(join(work, 'control', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  for (const [name, text] of Object.entries(one.files ?? {})) {
    mkdirSync(dirname(join(work, 'data', name)), { recursive: true })
    writeFileSync(join(work, 'data', name), text)
    if (name.startsWith('/etc/init.d/') || name.startsWith('/usr/libexec/')) chmodSync(join(work, 'data', name), 0o755)
  }
  const tar = ['--format=gnu', '--numeric-owner', '--owner=0', '--group=0', '--sort=name']
  for (const part of ['control', 'data']) execFileSync('tar', [...tar, '-C', join(work, part), '-czf', join(work, `${part}.tar.gz`), '.'])
  writeFileSync(join(work, 'debian-binary'), '2.0\n')
  const file = join(folder, `${one.name}_${one.version}_${one.arch ?? 'all'}.ipk`)
  execFileSync('tar', [...tar, '-C', work, '-czf', file, './debian-binary', './data.tar.gz', './control.tar.gz'])
  rmSync(work, { recursive: true })
  return file
}

/** A key pair in usign's formats: the public key's file, and a function that signs. */
export function makeKey(): { readonly number: string; readonly file: string; readonly sign: (message: Buffer) => string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const number = randomBytes(8)
  const packed = (bytes: Buffer): string => Buffer.concat([Buffer.from('Ed'), number, bytes]).toString('base64')
  return {
    number: number.toString('hex'),
    file: `untrusted comment: test key\n${packed(publicKey.export({ format: 'der', type: 'spki' }).subarray(12))}\n`,
    sign: (message) => `untrusted comment: signed\n${packed(sign(null, message, privateKey))}\n`,
  }
}

/** Makes a feed of packages in a folder: Packages, Packages.gz, and Packages.sig when there is a key. */
export function makeFeed(folder: string, packages: readonly PackageText[], key?: ReturnType<typeof makeKey>): void {
  mkdirSync(folder, { recursive: true })
  const text = packages
    .map((one) => {
      const file = makePackage(folder, one)
      const bytes = readFileSync(file)
      const more = `Filename: ${basename(file)}\nSize: ${bytes.length}\nSHA256sum: ${createHash('sha256').update(bytes).digest('hex')}\n`
      return controlText(one).replace('Description:', `${more}Description:`)
    })
    .join('\n')
  writeFileSync(join(folder, 'Packages'), text)
  writeFileSync(join(folder, 'Packages.gz'), gzipSync(text))
  if (key) writeFileSync(join(folder, 'Packages.sig'), key.sign(Buffer.from(text)))
}
