/**
 * The mesh on emulated ARM with real batman-adv: boxes are network namespaces of one router, joined in a line and a diamond.
 * What runs there and what stands in for what is said in each part of mesh-guest/.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { say } from '../../qemu/image/places.ts'
import { MeshMachine } from './mesh-machine.ts'

describe('the mesh on batman-adv, on emulated arm64', () => {
  let machine: MeshMachine

  beforeAll(async () => {
    machine = await MeshMachine.boot(200, [], { hasOwnTime: true, processors: 1 })
  })
  afterAll(() => machine?.remove())

  async function checked(part: string, least: number): Promise<void> {
    const startedAt = performance.now()
    const { checks, notes } = await machine.part(part)
    for (const [name, value] of Object.entries(notes)) say(`mesh: ${name}: ${String(value)}`)
    expect(checks.filter((check) => !check.ok)).toEqual([])
    expect(checks.length).toBeGreaterThanOrEqual(least)
    say(`mesh: ${part}: ${checks.length} checks right, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  }

  it('sees who is there, how well, over whom and since when, as batctl does', () => checked('view', 45))

  it("counts what is carried to 1 % of batman-adv's own count, shuts the gate, and switches ways out", () => checked('carry', 30))

  it("counts as exactly where traffic control's u32 and gact count what leaves, as on OpenWrt's kernels", () => checked('filters', 25))

  it('lists two hundred originators', async () => {
    machine.crowd.speak()
    await checked('crowd', 2)
    machine.crowd.hush()
  })

  it("follows a guest who walks from one box's bridge to another's, with the address that he has", () => checked('roam', 8))

  it('settles what the kernel counted along a line, each hop to the unit', () => checked('settle', 15))
})
