/** The build refuses results that would not load on their machine, and sources that are not the pinned ones. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../../scripts/native.ts'
import { checkAddon } from '../../../scripts/native/elf.ts'
import { TOOLS, sourcesOf } from '../../../scripts/native/fetch.ts'
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
    await buildNative('host', (line) => said.push(line))
    expect(said.join()).toContain('up to date')
    expect(statSync(addon).mtimeMs).toBe(before)
  })

  it('does not know other targets', async () => {
    await expect(buildNative('mips')).rejects.toThrow(/unknown target 'mips'; known: host, /)
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
