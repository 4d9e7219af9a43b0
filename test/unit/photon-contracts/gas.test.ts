/** What each call costs, printed; measured as transactions, after both rule sets of the chain and after Istanbul's. */
import { expect, it } from 'vitest'
import { ZERO_HASH } from '../../../src/base/index.ts'
import { Channel, hashChain, lockHashOf, pairHash, secretOf } from './channel.ts'
import { ALICE, BOB, CAROL, Town } from './town.ts'
import type { Outcome, Rules } from './town.ts'

const RULES: readonly Rules[] = ['byzantium', 'petersburg', 'istanbul']
/** Far above what they take, far below what a block holds: a change that makes one of them costly fails. */
const MOST = 400_000n

async function story(rules: Rules): Promise<ReadonlyMap<string, bigint>> {
  const town = await Town.build(rules)
  const gas = new Map<string, bigint>()
  const token = await town.token('PlainToken', 100_000n)
  for (const [name, ...values] of [['SecretRegistry'], ['PhotonV2', 1n, town.registry], ['Purse', 1n, town.photon]] as const) {
    await town.deploy(name, ...values)
    gas.set(`deploy ${name}`, town.deployGas)
  }
  const note = async (name: string, outcome: Promise<Outcome>): Promise<void> => {
    const { verdict, gasUsed } = await outcome
    expect(`${name} ${verdict}`).toBe(`${name} ok`)
    gas.set(name, gasUsed)
  }
  const channel = new Channel(town, token)
  await note('open', channel.deposit(ALICE, 10_000n))
  await note('top-up, first of a side', channel.deposit(BOB, 10_000n))
  await note('top-up', channel.deposit(BOB, 1n))
  await note('withdraw', channel.withdraw(BOB, 1n))
  const chain = hashChain(secretOf(1), 60)
  const [tip = ZERO_HASH] = chain
  let cumulative = 10n
  for (const count of [0, 10, 60]) await note(`claim, ${count} ticks`, channel.claim(ALICE, { cumulative: (cumulative += 200n), tip, steps: 60, unit: 1n }, count, chain[count]))
  const locks = [2, 3, 4, 5].map((number) => ({ expiration: 9_999n, amount: 5n, secret: secretOf(number) }))
  const [h1 = ZERO_HASH, h2 = ZERO_HASH, h3 = ZERO_HASH, h4 = ZERO_HASH] = locks.map(lockHashOf)
  const locksroot = pairHash(pairHash(h1, h2), pairHash(h3, h4))
  await note('registerSecret', channel.register(secretOf(2)))
  await note('close, with a proof', channel.close(BOB, { nonce: 1n, transferred: 900n, locksroot }))
  await note('update', channel.update(ALICE, { nonce: 1n, transferred: 50n }))
  await note('updateDelegate, with a reward', channel.delegated(BOB, CAROL, { nonce: 2n, transferred: 900n, locksroot }, CAROL.address, 3n))
  const [lock] = locks
  if (lock !== undefined) await note('unlock, 2 hashes', channel.unlock(BOB, 900n, lock, [h2, pairHash(h3, h4)]))
  await note('punish', channel.punish(ALICE, h1))
  await channel.later()
  await note('settle, with a reward', channel.settle([0n, ZERO_HASH], [50n, ZERO_HASH]))
  channel.epoch = 2n
  await note('reopen', channel.deposit(ALICE, 10n))
  await channel.deposit(BOB, 10n)
  await note('close, without', channel.close(ALICE))
  await channel.later()
  await note('settle', channel.settle())
  channel.epoch = 3n
  await channel.opened(10n, 10n)
  await note('coopSettle', channel.coopSettle(10n, 10n))
  expect(await town.balance(token, town.photon)).toBe(0n)
  return gas
}

it('each call under each rule set', async () => {
  const tables = new Map<Rules, ReadonlyMap<string, bigint>>()
  for (const rules of RULES) tables.set(rules, await story(rules))
  const names = [...(tables.get('byzantium')?.keys() ?? [])]
  console.log(['gas'.padEnd(32) + RULES.map((rules) => rules.padStart(12)).join(''), ...names.map((name) => name.padEnd(32) + RULES.map((rules) => String(tables.get(rules)?.get(name)).padStart(12)).join(''))].join('\n'))
  for (const [rules, table] of tables) for (const [name, gas] of table) if (!name.startsWith('deploy')) expect(gas, `${name} under ${rules}`).toBeLessThan(MOST)
})
