/**
 * The case of the white paper, told in docs/photon-story.md: Alice puts an old copy of her book back and closes with it, Bob
 * answers with a higher sequence number, and she is worse off than if she had been honest. On a chain that is really run.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Hash } from '../../../src/base/index.ts'
import { person } from '../spectrum/village.ts'
import { Street, type Box } from './street.ts'

const [ALICE, BOB, MAKER] = [person(760), person(761), person(762)]
const folder = mkdtempSync(join(tmpdir(), 'photon-stale-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HAVE = 1000n
const DEPOSIT = 300n

/** Both boxes with a channel in which Alice has paid 50 and then 100, Bob 20 and then 15; between the two she copied her book. */
async function street(name: string): Promise<{ place: Street; alice: Box; bob: Box; channel: Hash; copy: string; book: string }> {
  const home = mkdtempSync(join(folder, name))
  const place = await Street.build(home, [ALICE, BOB], MAKER)
  const { token } = place
  const alice = await place.box(ALICE, { peers: [place.peerOf(BOB)] })
  const bob = await place.box(BOB)
  await place.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: DEPOSIT, settleTimeout: null, role: 'leaf' })
  await place.until(() => [alice, bob].every((box) => box.desk.channel(channel)?.isConnected === true))
  const pay = async (from: Box, to: Box, target: typeof BOB, amount: bigint): Promise<void> => {
    const before = to.desk.channel(channel)?.own.spendable ?? 0n
    await from.desk.pay({ target: target.address, token, amount, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null })
    await place.settled(() => to.desk.channel(channel)?.own.spendable === before + amount)
  }
  const [book, copy] = [join(home, `${ALICE.address}.db`), join(home, 'old.db')]
  await pay(alice, bob, BOB, 50n)
  await pay(bob, alice, ALICE, 20n)
  await alice.store.backup(copy)
  await pay(alice, bob, BOB, 100n)
  await pay(bob, alice, ALICE, 15n)
  expect([alice.desk.channel(channel)?.own.spendable, bob.desk.channel(channel)?.own.spendable]).toEqual([185n, 115n])
  return { place, alice, bob, channel, copy, book }
}

const isOver = (...boxes: readonly Box[]): boolean => boxes.every((box) => box.desk.channels().length === 0 && box.desk.duties().length === 0)
const balances = async ({ place }: { readonly place: Street }): Promise<bigint[]> => [await place.balance(ALICE.address), await place.balance(BOB.address), await place.balance(place.photon)]

it('Alice closes with an old state, Bob answers with a higher sequence number, and the cheat loses', async () => {
  const town = await street('cheat')
  const { place, alice: honest, bob, channel, copy, book } = town
  await honest.stop()
  for (const tail of ['-wal', '-shm']) rmSync(`${book}${tail}`, { force: true })
  renameSync(copy, book)
  // She knows nobody now: Bob would tell her box that its book is old.
  const cheat = await place.box(ALICE)
  expect(cheat.desk.channel(channel)).toMatchObject({ own: { spendable: 270n, nonce: 1n }, partner: { spendable: 30n, nonce: 1n } })
  await cheat.desk.close(channel, true)
  await place.until(() => bob.desk.channel(channel)?.phase === 'closed')
  expect(bob.desk.duties()).toMatchObject([{ kind: 'update', channel }])
  await place.until(() => isOver(cheat, bob))
  // Honest she would have 885 and he 1115. Her close could only show the 20 that she still knew of: his 15 are his again.
  expect(await balances(town)).toEqual([HAVE - DEPOSIT + 170n, HAVE + 130n, 0n])
  await Promise.all([cheat.stop(), bob.stop()])
})

it('had Bob slept through the whole settle timeout she would have had her way; he wakes up in its last blocks, and has his', async () => {
  const town = await street('late')
  const { place, alice: honest, bob: awake, channel, copy, book } = town
  await Promise.all([honest.stop(), awake.stop()])
  for (const tail of ['-wal', '-shm']) rmSync(`${book}${tail}`, { force: true })
  renameSync(copy, book)
  const cheat = await place.box(ALICE)
  await cheat.desk.close(channel, true)
  await place.until(() => cheat.desk.channel(channel)?.phase === 'closed')
  const settleBlock = cheat.desk.channel(channel)?.settleBlock ?? 0
  await place.until(() => (place.chain.head()?.number ?? 0) >= settleBlock - 12)
  const bob = await place.box(BOB)
  await place.until(() => isOver(cheat, bob))
  expect(await balances(town)).toEqual([HAVE - DEPOSIT + 170n, HAVE + 130n, 0n])
  await Promise.all([cheat.stop(), bob.stop()])
})
