/**
 * The mesh on emulated ARM with real batman-adv: boxes are network namespaces of one router, joined in a line and a diamond.
 * What runs there and what stands in for what is said in each part of mesh-guest/.
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
import type { Check } from './genetlink-guest/checks.ts'
import { Crowd } from './mesh-crowd.ts'
import { putProgram } from './program.ts'

const TARGET = 'arm64-gnu'
const ADDONS = ['genetlink', 'nfnetlink', 'better_sqlite3', 'secp256k1']
const PART_SECONDS = 400

describe('the mesh on batman-adv, on emulated arm64', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
  let machine: Machine
  let crowd: Crowd
  let command = ''

  beforeAll(async () => {
    await buildNative(TARGET, say, { only: ADDONS })
    crowd = await Crowd.open(200)
    machine = await Machine.boot({ image: await imageOf(architectureNamed('arm64')), folder, network: crowd.card() })
    for (const addon of ADDONS) copyFileSync(addonPath(TARGET, addon), join(machine.share, basename(addonPath(TARGET, addon))))
    command = `node ${await putProgram(machine, 'test/qemu/mesh-guest.ts', 'cjs')}`
  })
  afterAll(async () => {
    await machine?.cut()
    crowd?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function checked(part: string, least: number): Promise<void> {
    const startedAt = performance.now()
    const { code, stdout, stderr } = await machine.exec(`${command} ${part} ${ADDONS.map((addon) => `/host/${addon}.node`).join(' ')}`, PART_SECONDS)
    const line = stdout.trim().split('\n').at(-1) ?? ''
    if (!line.startsWith('{')) throw new Error(`${part} ended with ${code} and said nothing: ${stdout}${stderr}${machine.lastWords()}`)
    const { checks, notes } = JSON.parse(line) as { checks: readonly Check[]; notes: Record<string, unknown> }
    for (const [name, value] of Object.entries(notes)) say(`mesh: ${name}: ${String(value)}`)
    expect(checks.filter((check) => !check.ok)).toEqual([])
    expect(checks.length).toBeGreaterThanOrEqual(least)
    say(`mesh: ${part}: ${checks.length} checks right, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  }

  it('sees who is there, how well, over whom and since when, as batctl does', () => checked('view', 45))

  it("counts what is carried to 1 % of batman-adv's own count, shuts the gate, and switches ways out", () => checked('carry', 30))

  it('lists two hundred originators', async () => {
    crowd.speak()
    await checked('crowd', 2)
    crowd.hush()
  })

  it('settles what the kernel counted along a line, each hop to the unit', () => checked('settle', 15))
})
