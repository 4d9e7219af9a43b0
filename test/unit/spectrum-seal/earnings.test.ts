/** Earnings in the ledger: what is not booked, and when. That sums are exact is held against a real chain in community.test.ts. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { createLedger } from '../../../src/ledger/index.ts'
import type { Address } from '../../../src/spectrum/index.ts'
import { createEarnings } from '../../../src/spectrum/seal/index.ts'
import type { Earnings, EarningsOptions } from '../../../src/spectrum/seal/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { Box, OWNER, pass, people, timeAtGenesis } from './box.ts'

const [ANN, BEN] = people(0, 1) as [Person, Person]
const REWARD = 35n * 10n ** 18n
const round = { signers: [ANN.address], next: [], leaders: [ANN.address], volunteerLimit: 0, epochBlocks: 25 }
const ledger = createLedger({ shares: () => [] })

function earningsOf(box: Box, change: Partial<EarningsOptions> = {}): Earnings {
  const { time } = box.settings
  return createEarnings({ curve: native, chain: box.chain, store: box.store, ledger, clock: time, timers: time, log: silentLog, isOwners: (address: Address) => address === OWNER, sealedBy: ANN.address, token: 'VIL', ...change })
}
const earned = (box: Box): bigint => -box.store.read((tx) => ledger.balance(tx, 'owner', 'VIL'))

async function village(): Promise<Box> {
  const box = new Box({ who: ANN, round, time: timeAtGenesis(), finalDepth: 3 })
  await box.switchOn()
  return box
}

describe('earnings', () => {
  it('are booked with the block that becomes final, not before, and not twice', async () => {
    const box = await village()
    const earnings = earningsOf(box)
    await earnings.start()
    const twin = earningsOf(box)
    await twin.start()
    for (let number = 1; number <= 8; number++) {
      await pass(box.settings.time, 1_000)
      await earnings.settled()
      expect(box.chain.head().header.number).toBe(number)
      expect(earned(box)).toBe(REWARD * BigInt(Math.max(0, number - 3)))
    }
    await twin.stop()
    await earnings.stop()
    await box.switchOff()
  })

  it('of a chain that was there before begin with the first start', async () => {
    const box = await village()
    await pass(box.settings.time, 8_000)
    const earnings = earningsOf(box)
    await earnings.start()
    expect(earnings.status()).toEqual({ postedTo: 5, uncounted: 0 })
    expect(earned(box)).toBe(0n)
    await pass(box.settings.time, 2_000)
    await earnings.settled()
    expect(earned(box)).toBe(2n * REWARD)
    await earnings.stop()
    await box.switchOff()
  })

  it('wait while the chain has an alarm', async () => {
    const box = await village()
    const before = earningsOf(box)
    await before.start()
    await pass(box.settings.time, 5_000)
    await before.settled()
    await before.stop()
    await pass(box.settings.time, 3_000)
    expect(earned(box)).toBe(2n * REWARD)
    box.chain.alarmed = { code: 'deep-reorg', reason: '', atSeconds: 0 }
    const alarmed = earningsOf(box)
    await alarmed.start()
    expect(earned(box)).toBe(2n * REWARD)
    await alarmed.stop()
    box.chain.alarmed = null
    const after = earningsOf(box)
    await after.start()
    expect(earned(box)).toBe(5n * REWARD)
    await after.stop()
    await box.switchOff()
  })

  it.each<[string, Partial<EarningsOptions>]>([
    ['of blocks with another’s coinbase', { isOwners: () => false }],
    ['of blocks that another box of the owner sealed', { sealedBy: BEN.address }],
  ])('%s are not ours', async (_, change) => {
    const box = await village()
    const earnings = earningsOf(box, change)
    await earnings.start()
    await pass(box.settings.time, 6_000)
    await earnings.settled()
    expect(earnings.status()).toEqual({ postedTo: 3, uncounted: 0 })
    expect(earned(box)).toBe(0n)
    await earnings.stop()
    await box.switchOff()
  })

  it('whose receipts are gone are counted as uncounted, their reward booked', async () => {
    const box = await village()
    await pass(box.settings.time, 5_000)
    const chain = new Proxy(box.chain, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (name === 'headerAt') return (number: number) => withGas(target.headerAt(number))
        if (name === 'receipts') return () => null
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const withGas = (known: ReturnType<typeof box.chain.headerAt>): typeof known => known && { ...known, header: { ...known.header, gasUsed: 21_000n } }
    const earnings = earningsOf(box, { chain, sealedBy: null })
    await box.store.turn((tx) => tx.run('INSERT INTO spectrum_earnings VALUES (?, 0, 0)', box.chain.network.genesisHash))
    await earnings.start()
    expect(earnings.status()).toEqual({ postedTo: 2, uncounted: 2 })
    expect(earned(box)).toBe(2n * REWARD)
    await earnings.stop()
    await box.switchOff()
  })
})
