/** What core channels are good for, and what not: docs/photon-routing.md has the tables, test/bench/photon-economy.ts prints them. */
import { describe, expect, it } from 'vitest'
import type { EconomyResult, EconomySetting } from './economy.ts'
import { coreTown, settingOf, userTown } from './economy.ts'

const SEEDS = [1, 2, 3]
const mean = (town: (setting: EconomySetting) => EconomyResult, users: number, change: Partial<EconomySetting>): number =>
  SEEDS.reduce((sum, seed) => sum + town(settingOf(users, seed, change)).success, 0) / SEEDS.length

describe('the same money, in core channels and in channels between users', () => {
  it('neither comes nor goes, in either town', () => {
    for (const seed of SEEDS)
      for (const result of [coreTown(settingOf(40, seed, { maxParts: 3, meanPayment: 60 })), userTown(settingOf(40, seed, { maxParts: 3, meanPayment: 60 }))]) {
        expect(result.held[1]).toBe(result.held[0])
        expect(result.isBelowZero).toBe(false)
        expect(result.success).toBeGreaterThan(0)
      }
  })

  it.each([
    [40, 20],
    [40, 60],
    [80, 20],
    [80, 60],
  ])('carries more through core channels when six in ten users are on line (%i users, payments of %i)', (users, meanPayment) => {
    const core = mean(coreTown, users, { meanPayment })
    for (const degree of [4, 8]) expect(core).toBeGreaterThan(mean(userTown, users, { meanPayment, degree }))
  })

  it('needs most of the money at the users: with a quarter of it there, their own channels run dry first', () => {
    expect(mean(coreTown, 40, { leafPercent: 75 })).toBeGreaterThan(mean(coreTown, 40, { leafPercent: 25 }) + 0.1)
  })

  it('is no advantage while every user is always on line and mediates', () => {
    expect(mean(coreTown, 40, { onlinePercent: 100 })).toBeLessThan(mean(userTown, 40, { onlinePercent: 100 }) + 0.02)
  })

  it('is the same for the same seed', () => {
    expect(coreTown(settingOf(40, 9))).toEqual(coreTown(settingOf(40, 9)))
    expect(userTown(settingOf(40, 9))).toEqual(userTown(settingOf(40, 9)))
  })
})
