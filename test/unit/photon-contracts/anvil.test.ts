/**
 * The attacks, the orders to the purse and strangers' tokens, all of it also in Foundry's EVM: each call must end there as it
 * does in the EVM that our boxes run, to the byte and, as both count by London's rules here, to the unit of gas.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Anvil } from './anvil.ts'
import { Town } from './town.ts'

const anvil = new Anvil()
Town.witness = anvil
Town.rules = 'london'
afterEach(() => anvil.settle())
afterAll(() => anvil.stop())

for (const file of ['attacks', 'purse'])
  describe(file, async () => {
    await import(`./${file}.test.ts`)
  })

it('Foundry’s EVM has seen all of it', () => {
  expect(anvil.calls).toBeGreaterThan(1_000)
  expect(anvil.refused).toBeGreaterThan(80)
})
