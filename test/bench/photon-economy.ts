/**
 * "Economy of scale": share of random payments that pass with core channels between boxes, against the same total
 * deposit in channels between users. Seeded, so the same on each machine; the time is the search's.
 */
import type { EconomyResult, EconomySetting } from '../sim/photon-route/economy.ts'
import { coreTown, settingOf, userTown } from '../sim/photon-route/economy.ts'
import type { Bench, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

const SEEDS = [1, 2, 3, 4, 5]
const SIZES: readonly (readonly [users: number, meanPayment: number, onlinePercent: number])[] = [
  [40, 20, 100],
  [40, 20, 60],
  [40, 60, 60],
  [40, 60, 30],
  [120, 20, 60],
  [120, 60, 60],
]

export const photonEconomy: Bench = { name: 'photon-economy', run }

function run(): Promise<BenchRow[]> {
  const rows = SIZES.map(([users, meanPayment, onlinePercent]): BenchRow => {
    const percents = (town: (setting: EconomySetting) => EconomyResult, change: Partial<EconomySetting> = {}): number[] =>
      SEEDS.map((seed) => 100 * town(settingOf(users, seed, { meanPayment, onlinePercent, ...change })).success)
    const core = percents(coreTown)
    const [four, eight] = [percents(userTown, { degree: 4 }), percents(userTown, { degree: 8 })]
    const best = summary(four).p50 >= summary(eight).p50 ? { degree: 4, values: four } : { degree: 8, values: eight }
    return {
      name: `photon-economy: ${users} users, payments of ${meanPayment} of 400, users on line ${onlinePercent} %`,
      unit: '% passed',
      ours: summary(core),
      peer: { name: `${best.degree} channels a user`, value: summary(best.values) },
      ratio: summary(core.map((value, at) => value / (best.values[at] ?? Number.NaN))).p50,
      aim: { text: 'shown, whatever it is', met: null },
    }
  })
  return Promise.resolve(rows)
}
