/** What the story leaves to the seed: who comes, what is paid, what the probe says, how much the baker sends. Another seed, another town; the same one, the same to the unit. */
import { parseEther } from 'ethers'
import type { Dice } from './dice.ts'

const [HERS, HIS] = [['Anna', 'Dora', 'Farida', 'Hana', 'Lena', 'Mina', 'Rosa', 'Tala'], ['Ben', 'Chidi', 'Emre', 'Goran', 'Ivo', 'Kofi', 'Omar', 'Vito']] as const
const GOODS = ['a bag of rice', 'two loaves', 'a melon', 'nails and wire'] as const
/** Tokens. A lock takes at most a tenth of the channel of 5. */
const [UNDER_A_LOCK, DIRECTLY, VILLAGE_TOKENS] = [['0.5', '0.4', '0.3', '0.2'], ['1.25', '1', '0.75', '1.5'], ['2', '1', '1.5', '2.5']] as const
/** Percent: the rule's valve opens below 20. */
const [WET, DRY] = [{ least: 25, most: 45 }, { least: 14, most: 19 }]

export interface StoryPlan {
  /** Who buys minutes, and who tries for free. */
  readonly her: string
  readonly him: string
  /** What our box pays the one next door for. */
  readonly goods: string
  /** Tokens, as they are typed. */
  readonly locked: string
  readonly direct: string
  readonly villageTokens: string
  /** Percent that the probe says, before and when the valve has to open. */
  readonly wet: number
  readonly dry: number
  readonly bakerMib: number
}

/** The die is thrown the same number of times, whatever falls. */
export function storyPlan(dice: Dice): StoryPlan {
  return {
    locked: dice.pick(UNDER_A_LOCK), direct: dice.pick(DIRECTLY), villageTokens: dice.pick(VILLAGE_TOKENS),
    wet: WET.least + dice.below(WET.most - WET.least + 1), dry: DRY.least + dice.below(DRY.most - DRY.least + 1),
    bakerMib: 2 + dice.below(2),
    goods: dice.pick(GOODS), him: dice.pick(HIS), her: dice.pick(HERS),
  }
}

/** What our box has paid the one next door before the cable is pulled; smallest units. */
export const paidBefore = ({ locked, direct }: Pick<StoryPlan, 'locked' | 'direct'>): bigint => parseEther(locked) + parseEther(direct)
