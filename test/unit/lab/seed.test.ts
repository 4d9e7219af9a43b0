/** The same seed gives the same town: who comes, what he buys, who sends, what the field says. */
import { parseEther } from 'ethers'
import { describe, expect, it } from 'vitest'
import { Dice } from '../../../scripts/lab/dice.ts'
import { nextFieldTurn, type FieldTurn } from '../../../scripts/lab/field-life.ts'
import { namesInOrder, nextTurn, wantedBy, type LifeTurn } from '../../../scripts/lab/life-plan.ts'
import { parseOptions } from '../../../scripts/lab/options.ts'
import { paidBefore, storyPlan, type StoryPlan } from '../../../scripts/lab/story-plan.ts'
import { MIB } from '../../../scripts/lab/street.ts'

const throws = (seed: number, count: number, sides: number): number[] => ((dice) => Array.from({ length: count }, () => dice.below(sides)))(new Dice(seed))
const turns = (seed: number, guests: number): LifeTurn[] => ((dice) => Array.from({ length: 200 }, () => nextTurn(dice, guests)))(new Dice(seed))
const fieldTurns = (seed: number): FieldTurn[] => ((dice) => Array.from({ length: 200 }, () => nextFieldTurn(dice)))(new Dice(seed))

describe('options', () => {
  it('are taken, and a wrong one is named with what is allowed', () => {
    expect(parseOptions([])).toEqual({ isOnce: false, isQuick: false, seed: 1 })
    expect(parseOptions(['--quick', '--seed', '7', '--once'])).toEqual({ isOnce: true, isQuick: true, seed: 7 })
    expect(parseOptions(['--seed=4294967295']).seed).toBe(4_294_967_295)
    expect(() => parseOptions(['--fast'])).toThrow(/no option '--fast'; allowed: --once/)
    for (const seed of ['-1', '4294967296', 'x', '']) expect(() => parseOptions(['--seed', seed])).toThrow(/is no seed; allowed/)
  })
})

describe('the die', () => {
  it('falls the same for the same seed, and otherwise for another', () => {
    expect(throws(7, 50, 6)).toEqual(throws(7, 50, 6))
    expect(throws(7, 50, 6)).not.toEqual(throws(8, 50, 6))
    expect(new Set(throws(1, 50, 6))).toEqual(new Set([0, 1, 2, 3, 4, 5]))
  })

  it('stays within its sides for the least and the greatest seed, and picks from nothing with an error', () => {
    for (const seed of [0, 4_294_967_295]) expect(throws(seed, 1_000, 3).filter((one) => one < 0 || one > 2)).toEqual([])
    expect(() => new Dice(1).pick([])).toThrow('nothing to pick from')
  })
})

describe('the story', () => {
  const plans = Array.from({ length: 400 }, (_, seed) => storyPlan(new Dice(seed)))

  it('has the same guests, amounts and readings for the same seed, and others for another', () => {
    expect(storyPlan(new Dice(7))).toEqual(plans[7])
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBeGreaterThan(390)
    for (const key of Object.keys(plans[0] ?? {}) as (keyof StoryPlan)[]) expect(new Set(plans.map((plan) => plan[key])).size, key).toBeGreaterThan(1)
  })

  it('stays within what its boxes can do, whatever the seed', () => {
    for (const plan of plans) {
      expect(parseEther(plan.locked) * 10n <= parseEther('5'), plan.locked).toBe(true)
      // Of the channel of 5: what comes before, what the neighbour lets us owe without the chain, and what waits.
      expect(paidBefore(plan) + parseEther('0.75') < parseEther('5')).toBe(true)
      expect(parseEther(plan.villageTokens) < parseEther('5')).toBe(true)
      expect([plan.wet >= 20 && plan.wet <= 100, plan.dry < 20 && plan.dry >= 0, plan.her === plan.him]).toEqual([true, true, false])
    }
  })
})

describe('the town', () => {
  it('is the same story for the same seed', () => {
    expect(turns(7, 5)).toEqual(turns(7, 5))
    expect(turns(7, 5)).not.toEqual(turns(8, 5))
    expect(namesInOrder(new Dice(7))).toEqual(namesInOrder(new Dice(7)))
    expect(namesInOrder(new Dice(7))).not.toEqual(namesInOrder(new Dice(8)))
  })

  it('throws as often whatever a turn is: what comes later does not hang on it', () => {
    const [one, other] = [new Dice(3), new Dice(3)]
    for (let turn = 0; turn < 40; turn++) {
      nextTurn(one, 2)
      nextTurn(other, 9)
    }
    expect(one.below(1_000_000)).toBe(other.below(1_000_000))
  })

  it('names everybody once, and has all kinds of turns, within their bounds', () => {
    const names = namesInOrder(new Dice(1))
    expect(new Set(names).size).toBe(names.length)
    const all = turns(1, 4)
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['send', 'surf', 'buy']))
    expect(new Set(all.map(({ guest }) => guest))).toEqual(new Set([0, 1, 2, 3]))
    expect(new Set(all.map(({ roof }) => roof))).toEqual(new Set(['box4', 'box7']))
    expect(all.filter(({ bytes }) => bytes < MIB / 4 || bytes >= MIB * 1.25)).toEqual([])
    expect(['minute', 'half_hour', 'day']).toContain(wantedBy(new Dice(1)))
  })
})

it('the field: the same for the same seed, on both sides of what opens the valve, in steps that a sensor has', () => {
  expect(fieldTurns(7)).toEqual(fieldTurns(7))
  expect(fieldTurns(7)).not.toEqual(fieldTurns(8))
  const soil = fieldTurns(1).flatMap((turn) => (turn.kind === 'soil' ? [turn.percent] : []))
  expect([soil.length > 50, soil.length < 150]).toEqual([true, true])
  expect([soil.some((percent) => percent < 20), soil.some((percent) => percent >= 20), soil.every((percent) => percent >= 14 && percent <= 46)]).toEqual([true, true, true])
})
