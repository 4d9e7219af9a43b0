/** Whole lives of channels (gas.test.ts) and some of the random sequences (fuzz.test.ts) by the chain's own rules, also in Foundry's EVM. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Anvil } from './anvil.ts'
import { Town } from './town.ts'

const anvil = new Anvil()
Town.witness = anvil
process.env.PHOTON_FUZZ_SEQUENCES ??= '40'
afterEach(() => anvil.settle())
afterAll(() => anvil.stop())

// Its town is built when it is read, the others' when they run: it goes first.
await import('./fuzz.test.ts')
describe('gas', async () => {
  await import('./gas.test.ts')
})

it('Foundry’s EVM has seen all of it', () => {
  expect(anvil.calls).toBeGreaterThan(500)
  expect(anvil.refused).toBeGreaterThan(100)
})
