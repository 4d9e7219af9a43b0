/**
 * Payment along a path of real batman-adv on emulated ARM: four boxes in a line, what each carries counted, signed and paid over payment
 * channels, and one payment over all (mesh-guest/pay.ts). The boxes' own time limits hold here: the machine has its own time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { say } from '../../qemu/image/places.ts'
import { MeshMachine } from './mesh-machine.ts'

/** Bounds against hanging on a busy machine, not measures. */
const BOOT_SECONDS = 900
const PART_SECONDS = 2700
const BOUND_MS = 3_600_000
/** Four boxes are four processes of Node. */
const MEMORY_MEGABYTES = 1024

describe('payment over hops of batman-adv, on emulated arm64', () => {
  let machine: MeshMachine

  beforeAll(async () => {
    machine = await MeshMachine.boot(0, ['test/qemu/programs/mesh-box.ts'], { hasOwnTime: true, processors: 1, memoryMegabytes: MEMORY_MEGABYTES, bootSeconds: BOOT_SECONDS })
  }, BOUND_MS)
  afterAll(() => machine?.remove())

  it('four boxes in a line find each other, count and pay over channels, and the first pays the last over both between', { timeout: BOUND_MS }, async () => {
    const { checks, notes } = await machine.part('pay', PART_SECONDS)
    for (const [name, value] of Object.entries(notes)) say(`mesh: ${name}: ${String(value)}`)
    expect(checks.filter((check) => !check.ok)).toEqual([])
    expect(checks.length).toBeGreaterThanOrEqual(25)
  })
})
