/** What signatures cost a router's processor, in instructions counted under emulation: no load and no machine changes them. */
import { countInstructions } from './instructions/count.ts'
import type { Machine, Operation } from './instructions/count.ts'
import { INSTRUCTION_LIMITS } from './instructions/limits.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

export const armInstructions: Bench = { name: 'arm-instructions', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const machine of Object.keys(INSTRUCTION_LIMITS) as Machine[]) {
    place.say(`bench: arm-instructions: ${machine} …`)
    const limits = INSTRUCTION_LIMITS[machine]
    for (const [operation, count] of await countInstructions(machine, Object.keys(limits) as Operation[])) {
      const limit = limits[operation]
      rows.push({
        name: `${machine}: ${operation === 'keccak' ? 'keccak-256, one block' : operation}`,
        unit: 'instructions',
        ours: summary([Math.round(count)]),
        aim: { text: `≤ ${limit}`, met: count <= limit },
      })
    }
  }
  return rows
}
