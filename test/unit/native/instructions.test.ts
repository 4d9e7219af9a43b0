/** A change of sources, flags or compiler that makes a router's signatures dearer shows here, whatever the load of this machine. */
import { describe, expect, it } from 'vitest'
import { countInstructions } from '../../bench/instructions/count.ts'
import type { Machine, Operation } from '../../bench/instructions/count.ts'
import { INSTRUCTION_LIMITS } from '../../bench/instructions/limits.ts'

// Compiling the core for a target the first time builds zig's C++ runtime for it.
const MS = 900_000

describe.skipIf(process.arch !== 'x64')('instructions per operation (needs x86-64)', () => {
  it.each(Object.keys(INSTRUCTION_LIMITS) as Machine[])('on %s stay below their limits', async (machine) => {
    const limits = INSTRUCTION_LIMITS[machine]
    const counted = await countInstructions(machine, Object.keys(limits) as Operation[])
    for (const [operation, limit] of Object.entries(limits) as [Operation, number][]) {
      expect(counted.get(operation), operation).toBeLessThanOrEqual(limit)
      // Far below it something else was counted than the operation.
      expect(counted.get(operation), operation).toBeGreaterThan(limit / 10)
    }
  }, MS)

  it('are the same each time', async () => {
    const [first, second] = [await countInstructions('arm64', ['verify']), await countInstructions('arm64', ['verify'])]
    expect(first).toEqual(second)
  }, MS)
})
