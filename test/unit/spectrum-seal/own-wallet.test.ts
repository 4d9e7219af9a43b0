/** Coins out of the box's own address, on a real community chain. */
import { expect, it, onTestFinished } from 'vitest'
import { COMMUNITY_ADDRESSES, newCommunity } from '../../../src/spectrum/community/index.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import { createOwnWallet } from '../../../src/spectrum/own-wallet.ts'
import type { OwnWallet } from '../../../src/spectrum/own-wallet.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { minerKey, pass, people, timeAtGenesis } from './box.ts'
import { RealBox } from './real-box.ts'

const SMT = 10n ** 18n
const GWEI = 10n ** 9n
const [ANN, OWN, FRIEND] = people(340, 341, 342) as [Person, Person, Person]
const { network } = newCommunity(native, {
  name: 'shore', chainId: 515_155n, periodSeconds: 2, epochBlocks: 50, signerLimit: 1, startSeconds: 1_790_000_000, owner: FRIEND.address, leaders: [ANN.address], miners: [], minDepositWei: 1000n,
  halvingBlocks: 1000, withdrawWaitBlocks: 10, allocations: [{ address: OWN.address, balanceWei: 10n * SMT }], token: null,
})

async function shore(): Promise<{ box: RealBox; wallet: OwnWallet; until: (what: string, isDone: () => Promise<boolean>) => Promise<void> }> {
  const time = timeAtGenesis(network)
  const box = new RealBox({ who: ANN, network, time, wallet: OWN, coinbase: FRIEND.address, onBlock: () => undefined, onTransaction: () => undefined })
  await box.open()
  onTestFinished(() => box.close())
  box.startSealing()
  const wallet = createOwnWallet({ curve: native, chain: box.chain, state: box.state, pool: box.pool, wallet: { address: OWN.address, sign: minerKey(OWN).sign }, minGasPriceWei: 0n })
  return {
    box,
    wallet,
    async until(what, isDone) {
      for (let steps = 0; !(await isDone()); steps++) {
        if (steps > 100) throw new Error(`not ${what}`)
        await pass(time, 500, 500)
      }
    },
  }
}

it('two at once arrive, each with its own nonce, and cost their fee', async () => {
  const { box, wallet, until } = await shore()
  expect([wallet.address, await wallet.balanceWei()]).toEqual([OWN.address, 10n * SMT])
  const before = (await box.state.account(box.chain.head().header, FRIEND.address)).balanceWei
  expect(before).toBe(0n)
  const sent = await Promise.all([wallet.send(FRIEND.address, 2n * SMT), wallet.send(FRIEND.address, 3n * SMT)])
  expect(new Set(sent.map(({ hash }) => hash)).size).toBe(2)
  await until('there', async () => sent.every(({ hash }) => box.chain.transaction(hash) !== null))
  expect(await wallet.balanceWei()).toBe(5n * SMT - 2n * 21_000n * 18n * GWEI)
  const rest = await wallet.balanceWei()
  await wallet.send(FRIEND.address, rest - 21_000n * 18n * GWEI)
  await until('empty', async () => (await wallet.balanceWei()) === 0n)
})

it('a contract gets the gas to take them', async () => {
  const { wallet, until } = await shore()
  const { mostFeeWei } = await wallet.send(COMMUNITY_ADDRESSES.WrappedSmt, SMT)
  expect(mostFeeWei).toBe(100_000n * 18n * GWEI)
  await until('wrapped', async () => (await wallet.balanceWei()) < 9n * SMT)
})

it('what is not there, nobody’s address, and an alarm are refused, and nothing waits afterwards', async () => {
  const { box, wallet } = await shore()
  for (const amountWei of [10n * SMT, 10n * SMT - 21_000n * 18n * GWEI + 1n]) await expect(wallet.send(FRIEND.address, amountWei)).rejects.toMatchObject({ kind: 'conflict', code: 'not-enough' })
  for (const to of [ZERO_ADDRESS, OWN.address]) await expect(wallet.send(to, 1n)).rejects.toMatchObject({ kind: 'input', field: 'to' })
  for (const amountWei of [0n, -1n]) await expect(wallet.send(FRIEND.address, amountWei)).rejects.toMatchObject({ kind: 'input', field: 'amountWei' })
  await box.chain.disputeCheckpoint('for the test')
  await expect(wallet.send(FRIEND.address, 1n)).rejects.toMatchObject({ kind: 'conflict', code: 'chain-alarm' })
  expect(box.pool.stats().transactions).toBe(0)
})
