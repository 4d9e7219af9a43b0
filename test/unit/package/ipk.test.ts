/** Packages as the independent reader sees them, and what the reader says of packages that are not right. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkIpk } from '../../../scripts/package/check-ipk.ts'
import { describeLuci, describeService, type Described } from '../../../scripts/package/describe.ts'
import { buildIpk, ipkName, type PackageDescription } from '../../../scripts/package/ipk.ts'
import { ARCHITECTURES, EMULATION_TARGETS } from '../../../scripts/package/places.ts'
import { readIpk, type Ipk } from '../../../scripts/package/read-ipk.ts'
import { EPOCH, elfHeader, sampleBuild, sampleDist } from './sample.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-ipk-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const service = (architecture = 'aarch64_cortex-a53'): Described => describeService(sampleBuild(join(folder, architecture), architecture))
const pack = ({ about, contents }: Described): Buffer => buildIpk(about, contents, EPOCH)
const problemsOf = (bytes: Buffer, about: PackageDescription): string[] => checkIpk(readIpk(bytes), ipkName(about))
const scriptsIn = (ipk: Ipk): [string, string][] =>
  [...ipk.control, ...ipk.data]
    .filter((member) => member.type === 'file' && member.body.toString('latin1', 0, 2) === '#!')
    .map((member) => [member.name, member.body.toString()])

describe('each package', () => {
  it.each([...Object.keys(ARCHITECTURES), 'all'])('%s keeps all rules', (architecture) => {
    const described = architecture === 'all' ? describeLuci() : service(architecture)
    expect(described.about.architecture).toBe(architecture)
    expect(problemsOf(pack(described), described.about)).toEqual([])
  })

  it('is the same to the byte when it is packed again, and another at another time', () => {
    const first = pack(service())
    expect(pack(service()).equals(first)).toBe(true)
    const { about, contents } = service()
    expect(buildIpk(about, contents, EPOCH + 1).equals(first)).toBe(false)
  })

  it('is read by tar and gzip of Debian', () => {
    const file = join(folder, 'x.ipk')
    writeFileSync(file, pack(service()))
    expect(execFileSync('tar', ['-tzf', file], { encoding: 'utf8' })).toBe('./debian-binary\n./data.tar.gz\n./control.tar.gz\n')
    execFileSync('sh', ['-c', `tar -xzOf '${file}' ./data.tar.gz | tar -tzf - && tar -xzOf '${file}' ./control.tar.gz | tar -xzOf - ./control`])
  })

  it('says what the service needs', () => {
    const { fields } = readIpk(pack(service()))
    const depends = (fields.get('Depends') ?? '').split(', ')
    expect(depends).toContain('node (>=22.14.0)')
    for (const name of ['libc', 'procd-ujail', 'nftables-json', 'kmod-batman-adv', 'ip-full', 'conntrack']) expect(depends).toContain(name)
    expect(fields.get('Require-User')).toBe('meshbox=6420:meshbox=6420')
    expect(readIpk(pack(describeLuci())).fields.get('Depends')).toBe('libc, luci-base, meshbox')
  })

  it('has the configuration as its conffile, for root and the service alone', () => {
    const ipk = readIpk(pack(service()))
    expect(ipk.control.find((member) => member.name === './conffiles')?.body.toString()).toBe('/etc/config/meshbox\n')
    expect(ipk.data.find((member) => member.name === './etc/config/meshbox')?.mode).toBe(0o600)
  })
})

describe('scripts in the packages', () => {
  it('are read by the shells of Debian and busybox, and shellcheck has nothing to say', () => {
    const scripts = [...scriptsIn(readIpk(pack(service()))), ...scriptsIn(readIpk(pack(describeLuci())))]
    expect(scripts.map(([name]) => name)).toEqual(expect.arrayContaining(['./postinst', './prerm', './prerm-pkg', './etc/init.d/meshbox', './usr/lib/meshbox/setup', './etc/uci-defaults/90-meshbox']))
    for (const [index, [name, text]] of scripts.entries()) {
      const file = join(folder, `script-${index}`)
      writeFileSync(file, text)
      execFileSync('sh', ['-n', file])
      execFileSync('busybox', ['sh', '-n', file])
      // functions.sh is on the router only.
      const checked = spawnSync('shellcheck', ['-s', 'dash', '-e', 'SC1091', file], { encoding: 'utf8' })
      expect(checked.stdout, name).toBe('')
      expect(checked.error).toBeUndefined()
    }
  })
})

describe('the packer refuses', () => {
  it('a native file of another processor', () => {
    const build = sampleBuild(join(folder, 'wrong'), 'aarch64_generic')
    writeFileSync(join(build.dist, 'native/secp256k1.node'), elfHeader(62, 64))
    expect(() => describeService(build)).toThrow(/secp256k1\.node is not for aarch64/)
    writeFileSync(join(build.dist, 'native/secp256k1.node'), '')
    expect(() => describeService(build)).toThrow(/is not for aarch64/)
  })

  it('a version that apk would not take', () => {
    const { about, contents } = service()
    for (const version of ['1.0', '1.0-rc1', 'v1.0-r1', '1.0_beta-r1']) expect(() => buildIpk({ ...about, version }, contents, EPOCH)).toThrow(/version/)
  })

  it('a script without a shell', () => {
    const { about, contents } = service()
    expect(() => buildIpk({ ...about, scripts: new Map([['postrm', 'exit 0\n']]) }, contents, EPOCH)).toThrow(/postrm does not begin/)
  })
})

it('a package for emulation says so', () => {
  const processor = EMULATION_TARGETS['arm64-gnu']
  if (processor === undefined) throw new Error('no such target')
  const { about } = describeService({ architecture: 'aarch64_generic', target: 'arm64-gnu', processor, dist: sampleDist(join(folder, 'gnu'), 183, 64) })
  expect(about.description).toMatch(/^FOR EMULATION ONLY \(arm64-gnu\)/)
})

describe('the reader finds', () => {
  const problems = (change: (described: Described) => Described, name?: string): string => {
    const changed = change(service())
    return checkIpk(readIpk(pack(changed)), name ?? ipkName(changed.about)).join('; ')
  }
  const withEntries = (add: Described['contents']['entries'], conffiles?: readonly string[]) => (described: Described): Described => ({
    ...described,
    contents: { entries: [...described.contents.entries, ...add], conffiles: conffiles ?? described.contents.conffiles },
  })

  it('a file name that does not say what is inside', () => {
    expect(problems((same) => same, 'meshbox_9.9-r1_all.ipk')).toMatch(/does not say what is inside/)
  })
  it('a conffile that is not in the package', () => {
    expect(problems(withEntries([], ['/etc/config/none']))).toMatch(/conffile \/etc\/config\/none is not a file/)
  })
  it('an addon of another processor', () => {
    expect(problems(withEntries([{ kind: 'file', path: 'usr/lib/meshbox/native/x.node', mode: 0o644, body: elfHeader(62, 64) }]))).toMatch(/x\.node is for machine 62/)
    expect(problems(withEntries([{ kind: 'file', path: 'usr/lib/meshbox/native/y.node', mode: 0o644, body: Buffer.from('text') }]))).toMatch(/y\.node is not an ELF file/)
  })
  it('a program without the right to run, a set-user program, a folder open to all', () => {
    expect(problems(withEntries([{ kind: 'file', path: 'usr/bin/x', mode: 0o644, body: Buffer.from('#!/bin/sh\n') }]))).toMatch(/usr\/bin\/x begins with #! and is not executable/)
    expect(problems(withEntries([{ kind: 'file', path: 'usr/bin/x', mode: 0o4755, body: Buffer.from('x') }]))).toMatch(/set-user/)
    expect(problems(withEntries([{ kind: 'dir', path: 'open', mode: 0o777 }]))).toMatch(/can be written by anybody/)
  })
  it('a dependency that opkg cannot read', () => {
    expect(problems((described) => ({ ...described, about: { ...described.about, depends: ['+node'] } }))).toMatch(/Depends/)
  })

  it('bytes that are no package at all', () => {
    const bytes = pack(service())
    expect(() => readIpk(Buffer.from('text'))).toThrow(/not gzip/)
    expect(() => readIpk(bytes.subarray(0, bytes.length - 100))).toThrow()
    expect(() => readIpk(gzipSync(Buffer.alloc(10240)))).toThrow(/no \.\/data\.tar\.gz/)
    expect(() => readIpk(gzipSync(Buffer.alloc(1024, 'a')))).toThrow(/GNU format/)
  })
})
