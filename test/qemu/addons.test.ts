/**
 * The native addons on emulated ARM, against its kernel: signatures equal to noble's, nf_tables sets, batman-adv in
 * namespaces and Wi-Fi on simulated radios. arm64 under Node 22. armv7 under Node 20.11, the newest that npm has:
 * it has N-API 9, better-sqlite3 wants 10, so of the service only the addons can be run there.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { imageOf } from '../../qemu/image.ts'
import { architectureNamed } from '../../qemu/image/architectures.ts'
import { say } from '../../qemu/image/places.ts'
import { Machine } from '../../qemu/runner/machine.ts'
import { putProgram } from './program.ts'

const ADDONS = ['secp256k1', 'nfnetlink', 'genetlink', 'udp']

interface Checked {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[]
}

for (const [name, target, napi] of [
  ['arm64', 'arm64-gnu', 10],
  ['armhf', 'armv7-gnu', 9],
] as const)
  describe(`the addons on emulated ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
    let machine: Machine

    beforeAll(async () => {
      await buildNative(target, say, { only: ADDONS })
      const image = await imageOf(architectureNamed(name))
      machine = await Machine.boot({ image, folder, processors: 1, hasOwnTime: true })
      for (const addon of ADDONS) copyFileSync(addonPath(target, addon), join(machine.share, basename(addonPath(target, addon))))
    })
    afterAll(async () => {
      await machine?.cut()
      rmSync(folder, { recursive: true, force: true })
    })

    async function checked(source: string, addons: readonly string[]): Promise<void> {
      const program = await putProgram(machine, source, 'cjs')
      const { code, stdout, stderr } = await machine.exec(`node ${program} ${addons.map((addon) => `/host/${addon}.node`).join(' ')}`, 500)
      const line = stdout.trim().split('\n').at(-1) ?? ''
      if (!line.startsWith('{')) throw new Error(`${source} ended with ${code} and said nothing: ${stdout}${stderr}${machine.lastWords()}`)
      const { checks } = JSON.parse(line) as Checked
      expect(checks.filter((check) => !check.ok)).toEqual([])
      expect(checks.length).toBeGreaterThan(5)
      say(`${name}: ${basename(source)}: ${checks.length} checks right`)
    }

    it('runs the Node it was built for', async () => {
      expect(await machine.sh('node -p process.versions.napi')).toBe(`${napi}\n`)
    })

    it('signs as noble does, changes sets of the kernel, and answers datagrams', () => checked('test/qemu/programs/addons.ts', ['secp256k1', 'nfnetlink', 'udp']))

    it('sees batman-adv and Wi-Fi', () => checked('test/qemu/genetlink-guest.ts', ['genetlink']))
  })
