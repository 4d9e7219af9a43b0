/** Three boxes in a row: core channels are announced, found, and carry for others; a guard posts what its neighbour cannot. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { person } from '../spectrum/village.ts'
import { Street } from './street.ts'

const [ALICE, BOB, CAROL, MAKER] = [person(730), person(731), person(732), person(733)]
const folder = mkdtempSync(join(tmpdir(), 'photon-carrying-'))
afterAll(() => rmSync(folder, { recursive: true }))
const NONE = new Uint8Array(0)

it('a payment goes over a box between, for a fee, and a guard stands in for a box that is away', async () => {
  const street = await Street.build(folder, [ALICE, BOB, CAROL], MAKER)
  const { token } = street
  const alice = await street.box(ALICE, { peers: [street.peerOf(BOB), street.peerOf(CAROL)] })
  const bob = await street.box(BOB, { peers: [street.peerOf(CAROL)], watchReward: 2n })
  const carol = await street.box(CAROL, { watchMinReward: 1n })
  const all = [alice, bob, carol]
  await street.until(() => all.every((box) => box.desk.status().state === 'ready' && box.desk.status().peers === 2))

  const { channel: ab } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  const { channel: bc } = await bob.desk.open({ partner: CAROL.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(ab)?.isConnected === true && carol.desk.channel(bc)?.isConnected === true)
  await bob.desk.deposit(ab, 100n)
  await carol.desk.deposit(bc, 100n)
  await street.until(() => alice.desk.channel(ab)?.partner.deposit === 100n && bob.desk.channel(bc)?.partner.deposit === 100n)
  expect([bob.desk.channel(ab)?.role, carol.desk.channel(bc)?.role]).toEqual(['core', 'core'])

  // Gossip brings Alice the channel that is none of hers.
  await street.settled(() => alice.desk.paths(CAROL.address, token, 10n).length > 0)
  expect(alice.desk.paths(CAROL.address, token, 10n)).toEqual([{ nodes: [BOB.address, CAROL.address], fee: 1n }])
  const { id } = await alice.desk.pay({ target: CAROL.address, token, amount: 10n, isDirect: false, maxFee: 2n, data: NONE, secretHash: null })
  await street.settled(() => alice.desk.payment(id)?.status === 3 && bob.desk.payments({ before: null, limit: 10 }).rows.some((row) => row.status === 3))
  expect(alice.desk.payment(id)).toMatchObject({ kind: 'locked', amount: 10n, fee: 1n, peer: CAROL.address })
  expect(bob.desk.payments({ before: null, limit: 10 }).rows).toMatchObject([{ direction: 'forwarded', fee: 1n }])
  expect(bob.desk.status().earned).toMatchObject([{ symbol: 'TOK', fees: 1n }])
  expect([carol.desk.channel(bc)?.own.spendable, bob.desk.channel(ab)?.own.spendable]).toEqual([110n, 111n])

  // Carol guards Bob's channel with Alice. Bob goes; Alice closes with nothing of his, and Carol posts what Alice had signed.
  await street.settled(() => bob.desk.watching().guardians.some((guard) => guard.channel === ab && guard.watcher === CAROL.address))
  expect(carol.desk.watching().jobs).toBe(1)
  await bob.stop()
  await alice.desk.close(ab, true)
  await street.until(() => carol.desk.duties().some((duty) => duty.kind === 'update-delegate'))
  await street.until(() => alice.desk.channels().length === 0)
  await street.until(() => carol.desk.watching().jobs === 0)
  // 1000 − 300, and of the channel what was not paid: 300 − 11; Bob's 100 + 11 less the reward.
  expect([await street.balance(ALICE.address), await street.balance(BOB.address)]).toEqual([989n, 1000n - 300n + 11n - 2n])
  expect(await street.balance(CAROL.address)).toBe(1000n - 100n + 2n)
  await Promise.all([alice.stop(), carol.stop()])
})
