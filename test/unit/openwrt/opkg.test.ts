/** The stand-in's opkg in an offline root: opkg's rules for dependencies, conffiles, scripts, clashes and feeds. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeFeed, makeKey, makePackage } from './packages.ts'
import { run, WORLDS } from './shells.ts'
import type { Result, World } from './shells.ts'

const folder = mkdtempSync(join(tmpdir(), 'openwrt-opkg-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const root = join(folder, 'root')
const ARCH = 'aarch64_cortex-a53'
const SCRIPTS = Object.fromEntries(['preinst', 'postinst', 'prerm', 'postrm'].map((name) => [name, `echo "${name} $* upgrade=$PKG_UPGRADE" >> "$IPKG_INSTROOT/trace"`]))

const v1 = { name: 'app', version: '1.0.0-r1', arch: ARCH, control: ['Depends: node (>= 22.14.0), libc'], conffiles: ['/etc/config/app'], scripts: SCRIPTS, files: { '/etc/config/app': 'delivered 1\n', '/usr/lib/app/code': 'code 1\n', '/usr/lib/app/old': 'old\n' } }
const v2 = { ...v1, version: '1.0.10-r1', files: { '/etc/config/app': 'delivered 2\n', '/usr/lib/app/code': 'code 2\n', '/usr/lib/app/new': 'new\n' } }
const node = { name: 'node127', version: '22.23.2-r1', arch: ARCH, control: ['Provides: node'], files: { '/usr/bin/node': 'node\n' } }
const libc = { name: 'libc', version: '1.2.5-r4' }
const files: Record<string, string> = {}

beforeAll(() => {
  for (const [key, one] of Object.entries({ v1, v2, node, libc })) files[key] = makePackage(folder, one)
})
const ipk = (key: string): string => files[key] ?? ''

function freshRoot(): void {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(join(root, 'etc/opkg/keys'), { recursive: true })
  writeFileSync(join(root, 'etc/opkg.conf'), `dest root /\nlists_dir ext /var/opkg-lists\narch all 1\narch noarch 1\narch ${ARCH} 10\n`)
}
const has = (path: string): boolean => existsSync(join(root, path))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const write = (path: string, text: string): void => writeFileSync(join(root, path), text)
const trace = (): string => {
  const text = has('trace') ? read('trace') : ''
  rmSync(join(root, 'trace'), { force: true })
  return text
}
const everything = (at = root): string[] =>
  readdirSync(at, { recursive: true, withFileTypes: true }).filter((one) => !one.isDirectory()).map((one) => join(one.parentPath, one.name).slice(root.length)).sort()

beforeEach(freshRoot)

describe.each(WORLDS)('opkg in %s', (world) => {
  const opkg = (...args: string[]): Result => run(world, folder, 'bin/opkg', ['-o', root, '--force-postinstall', ...args])
  const ok = (...args: string[]): string => {
    const done = opkg(...args)
    expect([done.err, done.code]).toEqual(['', 0])
    return done.out
  }
  const ready = (): void => {
    ok('install', ipk('libc'), ipk('node'), ipk('v1'))
    trace()
  }

  it('installs what a file needs from the other files, in order, and runs its scripts', () => {
    const said = ok('install', ipk('v1'), ipk('node'), ipk('libc'))
    expect(said.match(/^Installing \S+/gm)).toEqual(['Installing node127', 'Installing libc', 'Installing app'])
    expect(trace()).toBe('preinst install upgrade=0\npostinst configure upgrade=0\n')
    expect(read('usr/lib/app/code')).toBe('code 1\n')
    expect(ok('list-installed')).toBe('app - 1.0.0-r1\nlibc - 1.2.5-r4\nnode127 - 22.23.2-r1\n')
    expect(ok('files', 'app')).toContain(`${root}/usr/lib/app/old\n`)
    expect(ok('status', 'app')).toMatch(/^Status: install user installed$/m)
    expect(ok('status', 'app')).toMatch(/^Conffiles:\n \/etc\/config\/app [0-9a-f]{64}$/m)
    expect(ok('search', '/usr/bin/node')).toBe('node127 - 22.23.2-r1\n')
    expect(ok('install', ipk('v1'))).toContain('is up to date')
    expect(has('tmp') ? readdirSync(join(root, 'tmp')) : []).toEqual([])
  })

  it('refuses what is missing, too old, of another architecture or no package', () => {
    const refused = (...args: string[]): string => {
      const done = opkg('install', ...args)
      expect(done.code).toBe(255)
      return done.err
    }
    expect(refused(ipk('v1'))).toContain('Cannot satisfy the following dependencies for app: node (>= 22.14.0), libc')
    const old = makePackage(join(folder, 'root'), { ...node, version: '20.20.2-r1' })
    expect(refused(ipk('v1'), old, ipk('libc'))).toContain('node (>= 22.14.0)')
    expect(refused(makePackage(root, { ...libc, arch: 'mips_24kc' }))).toContain('incompatible with the architectures configured')
    expect(refused('nothing')).toContain("Unknown package 'nothing'")
    write('torn.ipk', readFileSync(ipk('v1')).subarray(0, 400).toString('latin1'))
    expect(refused(join(root, 'torn.ipk'))).toContain('Malformed package file')
    expect(refused(makePackage(root, { name: 'big', version: '1', installedSize: 2 ** 60 }))).toMatch(/Only have \d+kb available on filesystem/)
    const other = makePackage(root, { name: 'other', version: '1', control: ['Conflicts: libc'] })
    ok('install', ipk('libc'))
    expect(refused(other)).toContain('conflict with other: libc')
    expect(everything(join(root, 'usr/lib/opkg/info')).filter((one) => !one.includes('libc'))).toEqual([])
    expect(opkg('install', '--force-depends', ipk('v1')).code).toBe(0)
  })

  it('refuses a file that another package or nobody it knows has, and takes it when forced', () => {
    ready()
    const clash = makePackage(folder, { name: 'clash', version: '1', files: { '/usr/bin/node': 'other\n', '/usr/lib/clash/x': '' } })
    const done = opkg('install', clash)
    expect(done.code).toBe(255)
    expect(done.err).toContain('already provided by package node127')
    expect(read('usr/bin/node')).toBe('node\n')
    expect(has('usr/lib/clash')).toBe(false)
    mkdirSync(join(root, 'usr/lib/clash'))
    write('usr/lib/clash/x', 'mine')
    expect(opkg('install', clash).err).toContain('<no package>')
    ok('install', '--force-overwrite', clash)
    expect(read('usr/bin/node')).toBe('other\n')
  })

  it('upgrades: a changed conffile stays and the new one goes beside it, an unchanged one is renewed, old files go', () => {
    ready()
    ok('install', ipk('v2'))
    expect(trace()).toBe('prerm upgrade 1.0.10-r1 upgrade=1\npreinst upgrade 1.0.0-r1 upgrade=1\npostrm upgrade 1.0.10-r1 upgrade=1\npostinst configure upgrade=1\n')
    expect(read('etc/config/app')).toBe('delivered 2\n')
    expect([has('usr/lib/app/old'), has('usr/lib/app/new'), has('etc/config/app-opkg')]).toEqual([false, true, false])
    expect(ok('install', ipk('v1'))).toContain('Not downgrading package app on root from 1.0.10-r1 to 1.0.0-r1.')
    expect(read('usr/lib/app/code')).toBe('code 2\n')
    write('etc/config/app', 'mine\n')
    expect(opkg('install', '--force-downgrade', ipk('v1'))).toMatchObject({ code: 0 })
    expect([read('etc/config/app'), read('etc/config/app-opkg'), read('usr/lib/app/code')]).toEqual(['mine\n', 'delivered 1\n', 'code 1\n'])
    expect(has('usr/lib/app/new')).toBe(false)
    // What the owner changed before the version after next is still known as changed.
    opkg('install', ipk('v2'))
    expect([read('etc/config/app'), read('etc/config/app-opkg')]).toEqual(['mine\n', 'delivered 2\n'])
  })

  it('removes: what others need stays, a changed conffile stays, folders of its own go', () => {
    const before = everything()
    ready()
    const done = opkg('remove', 'node127')
    expect(done.code).toBe(255)
    expect(done.err).toContain('depended upon by packages: app')
    write('etc/config/app', 'mine\n')
    expect(ok('remove', 'app')).toContain('Not deleting modified conffile')
    expect(trace()).toBe('prerm remove upgrade=0\npostrm remove upgrade=0\n')
    expect([has('etc/config/app'), has('usr/lib/app')]).toEqual([true, false])
    rmSync(join(root, 'etc/config/app'))
    ok('remove', 'node127', 'libc')
    expect(everything().filter((one) => one !== '/usr/lib/opkg/status')).toEqual(before)
    expect(read('usr/lib/opkg/status')).toBe('')
    expect(ok('remove', 'app')).toContain('No packages removed')
  })

  it('stops where a script says no, and says so', () => {
    ready()
    const bad = (script: string): string => makePackage(folder, { ...v2, name: 'app', version: `2-${script}`, scripts: { ...SCRIPTS, [script]: 'exit 3' } })
    expect(opkg('install', bad('preinst'))).toMatchObject({ code: 255 })
    expect(read('usr/lib/app/code')).toBe('code 1\n')
    const done = opkg('install', bad('postinst'))
    expect(done.code).toBe(255)
    expect(done.err).toContain('postinst script returned status 3')
    expect(ok('status', 'app')).toContain('Status: install user unpacked')
    rmSync(join(root, 'usr/lib/opkg/info/app.postinst'))
    ok('configure')
    expect(ok('status', 'app')).toContain('Status: install user installed')
  })

  it('runs no scripts in an offline root unless forced', () => {
    expect(run(world, folder, 'bin/opkg', ['-o', root, 'install', ipk('libc'), ipk('node'), ipk('v1')])).toMatchObject({ code: 0, err: '' })
    expect(trace()).toBe('')
    expect(ok('status', 'app')).toContain('install user installed')
  })

  it('orders versions as Debian does', () => {
    const table: [string, string, string][] = [
      ['1.0', '<<', '1.0.1'], ['1.0~rc1', '<<', '1.0'], ['1.10', '>>', '1.9'], ['1:0.1', '>>', '9'], ['1.0-r2', '>>', '1.0-r1'], ['1.0-r10', '>>', '1.0-r9'],
      ['1.0', '=', '1.0'], ['01', '=', '1'], ['1.0+git', '>>', '1.0'], ['1.0a', '<<', '1.0+'], ['22.23.2-r1', '>=', '22.14.0'], ['2024.1~abc', '<<', '2024.1'],
    ]
    for (const [a, operator, b] of table) expect([a, operator, b, opkg('compare-versions', a, operator, b).code]).toEqual([a, operator, b, 0])
    expect(opkg('compare-versions', '1', '>>', '1').code).toBe(1)
  })

  it('installs by name from a signed feed, with what it needs, and only what the list says', () => {
    const feed = join(folder, `feed-${world}`)
    const key = makeKey()
    makeFeed(feed, [v1, v2, node, libc, { name: 'newer-arch', version: '1', arch: 'mips_24kc' }], key)
    writeFileSync(join(root, 'etc/opkg/customfeeds.conf'), `src/gz test file://${feed}\noption check_signature\n`)
    // The key is not known yet: as the real one does, it says so, keeps no list, and goes on to other feeds.
    expect(opkg('update')).toMatchObject({ code: 0, out: expect.stringContaining('Signature check failed.\nRemove wrong Signature file.') as string })
    expect(readdirSync(join(root, 'var/opkg-lists'))).toEqual([])
    write(`etc/opkg/keys/${key.number}`, key.file)
    expect(ok('update')).toContain('Signature check passed.')
    expect(ok('install', 'app')).toContain('Installing app (1.0.10-r1)')
    expect(ok('status', 'node127')).toContain('Auto-Installed: yes')
    expect(ok('list-upgradable')).toBe('')
    expect(ok('info', 'app')).toContain('Filename: app_1.0.10-r1')
    // Like the real one it follows names: what only provides `node` stays.
    ok('remove', '--autoremove', 'app')
    expect(ok('list-installed')).toBe('node127 - 22.23.2-r1\n')
    // A package that is not the one of the list, and a list that is not the signed one.
    writeFileSync(join(feed, 'libc_1.2.5-r4_all.ipk'), readFileSync(ipk('node')))
    expect(opkg('install', 'app').err).toContain('Checksum or size mismatch for package')
    write('var/opkg-lists/test', read('var/opkg-lists/test').replaceAll('node127', 'node128'))
    expect(opkg('install', 'app').err).toContain('Failed to verify the signature')
    rmSync(join(feed, 'Packages.sig'))
    const unsigned = opkg('update')
    expect(unsigned).toMatchObject({ code: 255, out: expect.stringContaining('Signature file download failed.') as string })
    expect(unsigned.err).toContain('Failed to download the signature of test')
    expect(readdirSync(join(root, 'var/opkg-lists'))).toEqual([])
  })

  it('counts what the image has without a package', () => {
    expect(run(world, folder, 'usr/sbin/opkg-declare', ['-o', root, 'node127', '22.23.2', 'node'])).toMatchObject({ code: 0 })
    expect(run(world, folder, 'usr/sbin/opkg-declare', ['-o', root, 'libc', '1'])).toMatchObject({ code: 0 })
    ok('install', ipk('v1'))
    expect(opkg('remove', 'node127').err).toContain('depended upon by packages: app')
  })
})

/** Stands before a tool in the path: counts calls, and at the call asked for ends the whole process group as a power cut would. */
function cuttingTools(at: number, isHalf: boolean): string {
  const tools = join(folder, 'cutting')
  mkdirSync(tools, { recursive: true })
  writeFileSync(join(folder, 'calls'), '')
  // Tools that change the root; a cut before one that only reads is a cut before the next of these.
  for (const tool of ['tar', 'mv', 'cp', 'dd', 'rm', 'rmdir', 'touch'])
    writeFileSync(
      join(tools, tool),
      `#!/bin/sh
echo ${tool} >> ${folder}/calls
n=0; while read -r line; do n=$((n + 1)); done < ${folder}/calls
if [ ${at} -gt 0 ] && [ "$n" -ge ${at} ]; then
  ${isHalf ? `/usr/bin/${tool} "$@"; ${tool === 'tar' ? `for f in ${root}/usr/lib/app/*; do [ -d "$f" ] || : > "$f"; done` : ':'}` : ':'}
  kill -9 0
fi
exec /usr/bin/${tool} "$@"
`,
      { mode: 0o755 },
    )
  return tools
}

describe('opkg when the power goes', () => {
  const world: World = 'dash'
  const opkg = (...args: string[]): Result => run(world, folder, 'bin/opkg', ['-o', root, '--force-postinstall', ...args])
  const settled = (): unknown => ({
    // /tmp is memory on a router: what lay there is gone after a power cut.
    files: everything().filter((one) => !one.startsWith('/trace') && !one.startsWith('/tmp/')),
    conffile: read('etc/config/app'),
    beside: has('etc/config/app-opkg') ? read('etc/config/app-opkg') : '',
    code: read('usr/lib/app/code'),
    status: read('usr/lib/opkg/status').replaceAll(/Installed-Time.*\n/g, ''),
  })

  it('at any step of an upgrade, the same command afterwards ends as if nothing had happened', () => {
    const begin = (): void => {
      freshRoot()
      expect(opkg('install', ipk('libc'), ipk('node'), ipk('v1')).code).toBe(0)
      write('etc/config/app', 'mine\n')
    }
    const upgrade = (at: number, isHalf: boolean): Result =>
      run(world, folder, 'bin/opkg', ['-o', root, '--force-postinstall', 'install', ipk('v2')], { first: cuttingTools(at, isHalf), detached: true })
    const saved = join(folder, 'begun')
    begin()
    execFileSync('cp', ['-a', root, saved])
    expect(upgrade(0, false).code).toBe(0)
    const expected = settled()
    const steps = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')
    expect(steps.length).toBeGreaterThan(15)
    // Cut before each tool runs; in the middle of unpacking, too.
    const cuts = steps.flatMap((tool, index) => (tool === 'tar' ? [[index + 1, false], [index + 1, true]] : [[index + 1, false]])) as [number, boolean][]
    for (const [at, isHalf] of cuts) {
      rmSync(root, { recursive: true, force: true })
      execFileSync('cp', ['-a', saved, root])
      expect([at, upgrade(at, isHalf).code]).toEqual([at, null])
      const again = opkg('install', ipk('v2'))
      expect([at, again.code, again.err.replace(/^Existing conffile.*\n/m, '')]).toEqual([at, 0, ''])
      expect([at, settled()]).toEqual([at, expected])
    }
    rmSync(saved, { recursive: true })
  }, 300_000)
})
