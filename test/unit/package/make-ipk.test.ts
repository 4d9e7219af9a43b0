/**
 * `make ipk` as a person runs it, with the real bundle and the real native parts of both processors. The first run on a
 * machine fetches the compiler and builds SQLite, which takes minutes; after that seconds.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkIpk } from '../../../scripts/package/check-ipk.ts'
import { ARCHITECTURES } from '../../../scripts/package/places.ts'
import { readIpk } from '../../../scripts/package/read-ipk.ts'
import { REPOSITORY, type Ran } from './router-root.ts'
import { EPOCH } from './sample.ts'

const COLD_MS = 30 * 60_000

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-make-ipk-'))
  must('--out', join(folder, 'first'), '--epoch', String(EPOCH))
}, COLD_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function ipk(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const done = spawnSync(process.execPath, ['scripts/ipk.ts', ...args], { cwd: REPOSITORY, encoding: 'utf8', env: { ...process.env, ...env } })
  return { code: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
}

function must(...args: string[]): string {
  const done = ipk(args)
  if (done.code !== 0) throw new Error(`${done.stdout}\n${done.stderr}`)
  return done.stdout
}

describe.each(Object.keys(ARCHITECTURES))('%s', (architecture) => {
  const files = (): [string, Buffer][] => readdirSync(join(folder, 'first', architecture)).map((name) => [name, readFileSync(join(folder, 'first', architecture, name))])

  it('has both packages, right by the independent reader and at most 3.5 MB', () => {
    expect(files().map(([name]) => name.split('_')[0])).toEqual(['luci-app-meshbox', 'meshbox'])
    for (const [name, bytes] of files()) {
      expect([name, checkIpk(readIpk(bytes), name)]).toEqual([name, []])
      expect(bytes.length).toBeLessThanOrEqual(3_500_000)
    }
  })

  it('carries the service with its database and its addons', () => {
    const service = files().find(([name]) => name.startsWith('meshbox_'))
    const names = service === undefined ? [] : readIpk(service[1]).data.map((member) => member.name)
    for (const path of ['meshboxd', 'service.cjs', 'executor.cjs', 'web/index.html', 'native/better_sqlite3.node', 'native/secp256k1.node', 'native/nfnetlink.node', 'native/genetlink.node', 'native/udp.node']) expect(names).toContain(`./usr/lib/meshbox/${path}`)
  })
})

it('made again, bundle and all, is the same to the byte', () => {
  must('--out', join(folder, 'again'), '--epoch', String(EPOCH), '--arch', 'aarch64_generic')
  for (const name of readdirSync(join(folder, 'again/aarch64_generic')))
    expect(readFileSync(join(folder, 'again/aarch64_generic', name)).equals(readFileSync(join(folder, 'first/aarch64_generic', name))), name).toBe(true)
})

it('takes another version, for trying an upgrade', () => {
  must('--out', join(folder, 'next'), '--arch', 'aarch64_generic', '--version', '0.1.1-r7')
  expect(readdirSync(join(folder, 'next/aarch64_generic'))).toEqual(['luci-app-meshbox_0.1.1-r7_all.ipk', 'meshbox_0.1.1-r7_aarch64_generic.ipk'])
})

it.each([
  [['--arch', 'x86_64'], {}, /--arch 'x86_64'; allowed: aarch64_cortex-a53/],
  [['--arch', 'aarch64_generic', '--target', 'armv7-gnu'], {}, /--target 'armv7-gnu' does not go with --arch aarch64_generic; allowed: arm64-musl, arm64-gnu/],
  [['--version', '1.0'], {}, /--version '1\.0'; allowed/],
  [['--wrong'], {}, /ipk: /],
  [[], { SOURCE_DATE_EPOCH: 'today' }, /SOURCE_DATE_EPOCH 'today'; allowed: seconds/],
] as const)('%j is refused with what is allowed', (args, env, expected) => {
  const done = ipk(args, env)
  expect(done.code).toBe(1)
  expect(done.stderr).toMatch(expected)
  expect(done.stderr).not.toMatch(/\n\s+at /)
})
