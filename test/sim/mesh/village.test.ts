/** A hundred boxes for an hour: every unit is somewhere, who is not paid lost no more than is said, and the honest are paid in the end. MESHBOX_SIM_SEEDS: more villages. */
import { describe, expect, it } from 'vitest'
import { PARTS_PER_UNIT, SLACK_BYTES, owedUnits } from '../../../src/mesh/metering/index.ts'
import { LINK_BYTES, TERMS, Village } from './village.ts'
import type { Hop, VillageOrder } from './village.ts'

const SEEDS = Number(process.env['MESHBOX_SIM_SEEDS'] ?? 2)
const HOUR = 720
const CALM = 60
const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1)
const HONEST: Omit<VillageOrder, 'seed'> = { boxes: 100, uplinks: 6, loss: Number(process.env['MESHBOX_SIM_LOSS'] ?? 0.03), misers: 0, understaters: 0, overstaters: 0 }

const honest = ({ client, carrier }: Hop): boolean => client.nature === 'honest' && carrier.nature === 'honest'
/** What may pass before a gate is shut: between two readings at most what the link carries, at the dearest price there was. */
const exposure = (hop: Hop): bigint => TERMS.maxDebt + (LINK_BYTES * hop.dearest) / PARTS_PER_UNIT + hop.forgottenParts / PARTS_PER_UNIT + 1n

function openOf(hop: Hop): bigint {
  return hop.valueNow / PARTS_PER_UNIT - hop.receivedNow
}

function run(order: VillageOrder): Village {
  const village = new Village(order)
  for (let tick = 0; tick < HOUR; tick++) {
    village.step()
    for (const hop of village.hops.values()) if (openOf(hop) > exposure(hop) + cheat(hop)) village.problems.push(`tick ${village.tick}: ${openOf(hop)} units are open between ${hop.client.index} and ${hop.carrier.index}; ${exposure(hop)} may be`)
  }
  village.calm()
  for (let tick = 0; tick < CALM; tick++) village.step()
  return village
}

/** What a client that says less may keep from its carrier: the tolerance of what passed, the slack of each reading, and what passed until it was caught. */
function cheat(hop: Hop): bigint {
  if (hop.client.nature !== 'understater') return 0n
  return ((hop.passedNow / 20n + SLACK_BYTES * BigInt(hop.readings) + 3n * LINK_BYTES) * hop.dearest) / PARTS_PER_UNIT
}

describe.each(seeds)('village %i', (seed) => {
  it('of honest boxes: to the unit, through power cuts, partitions and dead uplinks', () => {
    const village = run({ ...HONEST, seed })
    expect(village.problems).toEqual([])
    // It was worth something, and it was hard.
    expect(village.delivered > village.refused / 4n).toBe(true)
    expect([...village.hops.values()].some(({ received }) => received > 0n)).toBe(true)
    expect(village.reboots).toBeGreaterThan(20)
    expect(village.forgotten).toBeLessThanOrEqual(village.reboots)
    expect(village.onTheWay()).toBe(0n)
    for (const hop of village.hops.values()) {
      const { client, carrier } = hop.ends ?? {}
      if (client === undefined || carrier === undefined) continue
      const name = `${hop.client.index} by ${hop.carrier.index}`
      expect([name, client.state.paid, carrier.state.paid], name).toEqual([name, owedUnits(client.state), owedUnits(client.state)])
      expect(hop.received <= (hop.passed * hop.dearest) / PARTS_PER_UNIT, `${name}: paid for more than passed`).toBe(true)
    }
  })

  it('with cheats among them: nobody pays for what did not pass, and who is cheated loses what is said', () => {
    const village = run({ ...HONEST, seed: seed + 1000, misers: 6, understaters: 6, overstaters: 6 })
    expect(village.problems).toEqual([])
    const hops = [...village.hops.values()]
    for (const hop of hops) {
      const name = `${hop.client.index} (${hop.client.nature}) by ${hop.carrier.index} (${hop.carrier.nature})`
      expect(hop.received <= (hop.passed * hop.dearest) / PARTS_PER_UNIT, `${name}: paid for more than passed`).toBe(true)
      if (hop.client.nature === 'miser') expect([name, hop.received]).toEqual([name, 0n])
      if (honest(hop)) expect([name, hop.brokenFor]).toEqual([name, null])
    }
    // Each kind was met and seen.
    for (const nature of ['miser', 'understater'] as const) expect(hops.some((hop) => hop.client.nature === nature && hop.passed > 0n), nature).toBe(true)
    expect(hops.some((hop) => hop.brokenFor?.includes('differ') === true)).toBe(true)
  })
})

it('the same seed is the same hour', () => {
  const sums = [1, 2].map(() => {
    const village = new Village({ ...HONEST, seed: 7, boxes: 40 })
    for (let tick = 0; tick < 200; tick++) village.step()
    return [village.delivered, village.reboots, ...village.boxes.map(({ units }) => units)]
  })
  expect(sums[0]).toEqual(sums[1])
})
