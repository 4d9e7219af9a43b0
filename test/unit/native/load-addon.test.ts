/** Files that are no addon of ours are refused with a reason, before anything is called in them. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wrongWithElfFile } from '../../../src/base/io/elf-file.ts'
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

describe('the look at a file before it is mapped', () => {
  it('refuses the addon cut off anywhere', async () => {
    const bytes = await readFile(addon)
    expect(wrongWithElfFile(addon)).toBeNull()
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), async (length) => {
        expect(wrongWithElfFile(await fileOf('cut.node', bytes.subarray(0, length)))).toMatch(/^it is (cut short|no ELF file)$/)
      }),
      { numRuns: 100 },
    )
  })

  it('says something, and throws nothing, whatever a header claims, of 64 and of 32 bits', async () => {
    const magic = (bits: 1 | 2): Buffer => Buffer.from([0x7f, 0x45, 0x4c, 0x46, bits, 1])
    await fc.assert(
      fc.asyncProperty(fc.constantFrom<1 | 2>(1, 2), fc.uint8Array({ maxLength: 400 }), async (bits, rest) => {
        const said = wrongWithElfFile(await fileOf('claims.node', Buffer.concat([magic(bits), rest])))
        expect(said === null || said.startsWith('it ')).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('reads headers of 32 bits', async () => {
    // ELF32: program headers at 28, sections at 32, then sizes and counts at 42 to 49; one segment of 16 bytes at 84.
    const file = Buffer.alloc(100)
    file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1])
    file.writeUInt32LE(52, 28)
    file.writeUInt16LE(32, 42)
    file.writeUInt16LE(1, 44)
    file.writeUInt32LE(84, 52 + 4)
    file.writeUInt32LE(16, 52 + 16)
    expect(wrongWithElfFile(await fileOf('small.node', file))).toBeNull()
    expect(wrongWithElfFile(await fileOf('small-cut.node', file.subarray(0, 99)))).toBe('it is cut short')
    file[5] = 2
    expect(wrongWithElfFile(await fileOf('small-other.node', file))).toBe('it is for a big-endian machine')
  })
})
