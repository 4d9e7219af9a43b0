/** The build refuses results that would not load on their machine, and sources that are not the pinned ones. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { addonPath, buildNative } from '../../../scripts/native.ts'
import { checkAddon } from '../../../scripts/native/elf.ts'
import { ROOT, TOOLS, sourcesOf } from '../../../scripts/native/fetch.ts'
import { sqliteRecipe } from '../../../scripts/native/sqlite.ts'
import { TARGETS } from '../../../scripts/native/targets.ts'
import type { Target } from '../../../scripts/native/targets.ts'
import { builtAddon } from './built-addon.ts'

const prebuilt = (name: string): string => fileURLToPath(new URL(`../../../node_modules/better-sqlite3/prebuilds/${name}.node`, import.meta.url))
const target = (name: string): Target => TARGETS.find((row) => row.name === name) as Target
let addon: string
beforeAll(async () => {
  addon = await builtAddon()
})

describe('the gates', () => {
  it('let our own addon through', async () => {
    await expect(checkAddon(addon, target('host'))).resolves.toBeUndefined()
  })

  it('name the wrong machine, foreign libraries and what is shown too much', async () => {
    const other = process.arch === 'x64' ? 'arm64-gnu' : 'armv7-gnu'
    await expect(checkAddon(addon, target(other))).rejects.toThrow(/is for .*, expected/)
    await expect(checkAddon(prebuilt(`linux-${process.arch}`), target('host'))).rejects.toThrow(/needs .*libstdc\+\+|shows /)
    await expect(checkAddon(prebuilt('linuxmusl-arm64'), target('arm64-musl'))).rejects.toThrow(/needs .*libstdc\+\+/)
  })
})

describe('the build', () => {
  it('leaves alone what is up to date', async () => {
    const before = statSync(addon).mtimeMs
    const said: string[] = []
    await buildNative('host', (line) => said.push(line), { only: ['secp256k1'] })
    expect(said.join()).toContain('up to date')
    expect(statSync(addon).mtimeMs).toBe(before)
  })

  it('does not know other targets and other addons', async () => {
    await expect(buildNative('mips')).rejects.toThrow(/unknown target 'mips'; known: host, /)
    await expect(buildNative('host', undefined, { only: ['sqlite'] })).rejects.toThrow(/unknown addon 'sqlite'; known: secp256k1, .*better_sqlite3/)
  })

  it('makes the same bytes of the same sources, wherever they are put', async () => {
    const folders = [mkdtempSync(join(tmpdir(), 'meshbox-native-')), mkdtempSync(join(tmpdir(), 'meshbox-native-other-'))]
    try {
      const made = []
      for (const folder of folders) {
        await buildNative('host', undefined, { only: ['secp256k1'], folder })
        made.push(readFileSync(join(folder, 'secp256k1.node')))
      }
      expect(made[0]?.equals(made[1] ?? Buffer.alloc(0))).toBe(true)
      expect(made[0]?.equals(readFileSync(addon))).toBe(true)
      expect(made[0]?.includes(ROOT)).toBe(false)
    } finally {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    }
  })

  it('makes an addon anew when what it is made of is not what it was', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-native-'))
    try {
      const stamp = join(folder, 'secp256k1.node.stamp')
      const said: string[] = []
      const build = (): Promise<void> => buildNative('host', (line) => said.push(line), { only: ['secp256k1'], folder })
      await build()
      writeFileSync(stamp, 'of other sources')
      await build()
      await build()
      expect(said.map((line) => /built in|up to date/.exec(line)?.[0])).toEqual(['built in', 'built in', 'up to date'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('has SQLite in two units with the defines of its own build', () => {
    const units = sqliteRecipe().units
    expect(units.map((unit) => basename(unit.file))).toEqual(['sqlite3.c', 'better_sqlite3.cpp'])
    for (const flag of ['-DSQLITE_THREADSAFE=2', '-DSQLITE_ENABLE_FTS5', '-DSQLITE_DQS=0', '-DNDEBUG']) expect(units[0]?.flags).toContain(flag)
    for (const flag of ['-DNAPI_VERSION=10', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '-DNDEBUG']) expect(units[1]?.flags).toContain(flag)
  })

  it('takes this machine\'s SQLite from npm and other machines\' from here', () => {
    expect(addonPath('host', 'better_sqlite3')).toBe(prebuilt(`linux-${process.arch}`))
    expect(addonPath('armv7-musl', 'better_sqlite3')).toBe(join(ROOT, 'build/native/armv7-musl/better_sqlite3.node'))
  })

  it('throws away sources with another checksum', async () => {
    mkdirSync(TOOLS, { recursive: true })
    const file = `changed-${process.pid}.tar.xz`
    const path = join(TOOLS, file)
    writeFileSync(path, 'not the pinned source')
    try {
      const sha256 = createHash('sha256').update('the pinned source').digest('hex')
      await expect(sourcesOf({ name: 'changed', version: '1', suite: 'trixie', file, sha256 })).rejects.toThrow(`expected ${sha256}`)
      expect(existsSync(path)).toBe(false)
    } finally {
      rmSync(path, { force: true })
    }
  })
})
