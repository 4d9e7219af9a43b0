/** Files that are no addon of ours are refused with a reason, before anything is called in them. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { builtAddon } from './built-addon.ts'
import { outcome } from './outcome.ts'

const SQLITE = fileURLToPath(new URL(`../../../node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`, import.meta.url))
let dir: string
let addon: string
beforeAll(async () => {
  addon = await builtAddon()
  dir = await mkdtemp(join(tmpdir(), 'meshbox-addon-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(dir, name)
  await writeFile(path, bytes)
  return path
}

describe('loadSecp256k1', () => {
  it('takes the addon, any number of times, from any absolute path', async () => {
    const copy = join(dir, 'copy.node')
    await copyFile(addon, copy)
    for (const path of [addon, addon, copy]) expect(loadSecp256k1(path).backend).toBe('native')
    expect(loadSecp256k1(null).backend).toBe('noble')
  })

  it('refuses what cannot be used', async () => {
    const bytes = await readFile(addon)
    const otherMachine = Uint8Array.from(bytes)
    otherMachine[18] = 0xf3 // e_machine: RISC-V
    const bad: Record<string, string> = {
      missing: join(dir, 'nothing.node'),
      empty: await fileOf('empty.node', new Uint8Array(0)),
      text: await fileOf('text.node', Buffer.from('module.exports = {}')),
      'cut in half': await fileOf('half.node', bytes.subarray(0, bytes.length / 2)),
      'without its last byte': await fileOf('last.node', bytes.subarray(0, -1)),
      'header alone': await fileOf('header.node', bytes.subarray(0, 64)),
      'less than a header': await fileOf('less.node', bytes.subarray(0, 20)),
      'another machine': await fileOf('machine.node', otherMachine),
      'another addon': SQLITE,
    }
    for (const [name, path] of Object.entries(bad)) expect(outcome(() => loadSecp256k1(path)), name).toMatchObject({ error: 'unavailable', code: 'addon-unusable' })
    expect(outcome(() => loadSecp256k1('secp256k1.node'))).toMatchObject({ error: 'input', field: 'path' })
    expect(outcome(() => loadSecp256k1(SQLITE))).toMatchObject({ message: expect.stringContaining('it has no isPrivateKey') as string })
  })
})
