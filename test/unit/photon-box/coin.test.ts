/** The chain's coin into the token of it and back, and what moves money never twice. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { bytesOf } from '../../../src/base/index.ts'
import { encodeCall } from '../../../src/photon/chain/index.ts'
import { ARTIFACTS } from '../../../src/spectrum/community/artifacts.ts'
import { person } from '../spectrum/village.ts'
import { Street, keccak } from './street.ts'

const [ALICE, MAKER] = [person(780), person(781)]
const folder = mkdtempSync(join(tmpdir(), 'photon-coin-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('coin becomes its token and comes back, one for one; what is not there or is ordered already is refused', async () => {
  const street = await Street.build(folder, [ALICE], MAKER)
  const token = await street.chain.deploy(MAKER, bytesOf(ARTIFACTS.WrappedSmt.bytecode))
  const tokens = (): Promise<bigint> => street.chain.ask(token, encodeCall(keccak, 'balanceOf(address)', [ALICE.address]))
  const coin = async (): Promise<bigint> => {
    const head = street.chain.head()
    return (head === null ? null : await street.chain.account(head, ALICE.address))?.balanceWei ?? 0n
  }
  const plain = await street.box(ALICE, {}, { book: 'plain' })
  await street.until(() => plain.desk.status().state === 'ready')
  expect(plain.desk.status().wrapped).toBeNull()
  await expect(plain.desk.wrap({ amount: 1n })).rejects.toMatchObject({ code: 'photon-no-wrapped' })
  await plain.stop()

  const alice = await street.box(ALICE, {}, { book: 'coin', wrappedCoin: token })
  await street.until(() => alice.desk.status().wrapped?.balance === 0n)
  const all = await coin()
  for (const amount of [0n, -1n, 1n << 128n]) await expect(alice.desk.wrap({ amount })).rejects.toMatchObject({ kind: 'input' })
  await expect(alice.desk.wrap({ amount: all })).rejects.toMatchObject({ code: 'photon-funds' })
  await expect(alice.desk.unwrap({ amount: 1n })).rejects.toMatchObject({ code: 'photon-funds' })

  const amount = (all * 6n) / 10n
  await alice.desk.wrap({ amount })
  await expect(alice.desk.wrap({ amount })).rejects.toMatchObject({ code: 'photon-funds' })
  expect(alice.desk.duties()).toMatchObject([{ kind: 'wrap', channel: null }])
  await street.until(() => alice.desk.status().wrapped?.balance === amount)
  expect(await tokens()).toBe(amount)
  expect(all - (await coin())).toBeGreaterThan(amount)

  await alice.desk.unwrap({ amount: amount - 7n })
  await street.until(() => alice.desk.status().wrapped?.balance === 7n)
  await street.until(() => alice.desk.duties().length === 0)
  expect(await tokens()).toBe(7n)
  expect(all - (await coin())).toBeLessThan(all / 100n)
  await alice.stop()
})
