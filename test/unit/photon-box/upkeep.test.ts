/** A channel that runs dry: money comes round in a circle where there is one, else from the account, within the day's cap. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { person } from '../spectrum/village.ts'
import { Street } from './street.ts'
import type { Box } from './street.ts'

const [ALICE, BOB, CAROL, MAKER] = [person(770), person(771), person(772), person(773)]
const folder = mkdtempSync(join(tmpdir(), 'photon-upkeep-'))
afterAll(() => rmSync(folder, { recursive: true }))
const FREE = { constant: 0n, ppm: 0, curve: [0, 0, 0, 0, 0] } as const

it('is filled from a fuller one by way of neighbours, and from the account when that does not help', async () => {
  const street = await Street.build(folder, [ALICE, BOB, CAROL], MAKER)
  const { token } = street
  const [bobs, carols] = [street.peerOf(BOB), street.peerOf(CAROL)]
  const alice = await street.box(ALICE, { peers: [bobs, carols], fee: FREE, topUpPerDay: 50n })
  const bob = await street.box(BOB, { peers: [carols], fee: FREE })
  const carol = await street.box(CAROL, { fee: FREE })
  await street.until(() => [alice, bob, carol].every((box) => box.desk.status().state === 'ready' && box.desk.status().peers === 2))
  const open = async (from: Box, to: Box, amount: bigint, back: bigint): Promise<`0x${string}`> => {
    const { channel } = await from.desk.open({ partner: to.photon.account, token, amount, settleTimeout: null, role: 'core' })
    await street.until(() => from.desk.channel(channel)?.isConnected === true && to.desk.channel(channel)?.isConnected === true)
    await to.desk.deposit(channel, back)
    await street.until(() => from.desk.channel(channel)?.partner.deposit === back)
    return channel
  }
  const [ab, ca] = [await open(alice, bob, 100n, 100n), await open(alice, carol, 300n, 100n)]
  await open(bob, carol, 100n, 100n)
  const pay = (amount: bigint): Promise<unknown> => alice.desk.pay({ target: BOB.address, token, amount, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null })
  const own = (channel: `0x${string}`): bigint => alice.desk.channel(channel)?.own.spendable ?? 0n

  await pay(65n)
  await street.settled(() => own(ab) === 35n && alice.desk.paths(BOB.address, token, 1n).length > 1)
  street.time.trusted = true
  // A lock holds a tenth of a channel at most: the quarter of what is wanted fits.
  await street.settled(() => own(ab) === 51n)
  expect(own(ca)).toBe(284n)
  expect(alice.desk.duties()).toEqual([])

  // What was far too much for any circle: the account pays, as much as a day allows.
  await pay(51n)
  await street.until(() => alice.desk.channel(ab)?.own.deposit === 150n)
  for (let minute = 0; minute < 90; minute++) await street.pass()
  expect(alice.desk.duties()).toEqual([])
  expect(alice.desk.status().alarms).toEqual([])
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})
