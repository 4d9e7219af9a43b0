/**
 * Towns of five signers under seeded schedules of faults: in the end all honest boxes are on one chain, none has
 * counted a block that is not valid, none was banned, and nothing was thrown. A failure names its seed:
 * `MESHBOX_SEED=<n>` runs that one alone.
 */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../support/fakes.ts'
import { FAULTS, Town } from './town.ts'
import type { Fault, Outcome } from './town.ts'

const SCHEDULES = Number(process.env['MESHBOX_SCHEDULES'] ?? 1_000)
const ONE = process.env['MESHBOX_SEED']
const GROUPS = 10

/** One fault of the traitor at most; any of the weather's. */
function faultsOf(seed: number): Fault[] {
  const { next } = seededRandom(seed ^ 0x5eed)
  const first = FAULTS[seed % FAULTS.length] ?? 'none'
  const weather = (['missed-slots', 'partition', 'crash', 'loss'] as const).filter((fault) => fault !== first && next() < 0.25)
  return [first, ...weather]
}

async function runMany(seeds: readonly number[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const seed of seeds) outcomes.push(await new Town(seed, faultsOf(seed)).run())
  return outcomes
}

describe('five signers', () => {
  const seeds = ONE === undefined ? Array.from({ length: SCHEDULES }, (_, index) => index + 1) : [Number(ONE)]
  const groups = Array.from({ length: ONE === undefined ? GROUPS : 1 }, (_, group) => seeds.filter((_seed, index) => index % GROUPS === group))

  it.each(groups.map((group, index) => [index + 1, group] as const))(`schedules, group %i`, async (_, group) => {
    const outcomes = await runMany(group)
    expect(outcomes.every(({ blocks }) => blocks >= 4)).toBe(true)
    // The schedules are worth something only if the faults happen.
    if (group.length >= 50) expect([outcomes.some(({ reorgs }) => reorgs > 0), outcomes.some(({ badBlocks }) => badBlocks > 0), outcomes.some(({ banned }) => banned.length > 0)]).toEqual([true, true, true])
  })

  it('a seed says it all: the same schedule twice', async () => {
    expect(await runMany([7, 20])).toEqual(await runMany([7, 20]))
  })
})
