/** Channels of the original contract between boxes over real UDP sockets, on a chain that is really run, by the owner's verbs alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PayOrder } from '../../../src/photon/index.ts'
import { person } from '../spectrum/village.ts'
import { Lan, storm } from './lan.ts'
import type { LanBox } from './lan.ts'

const [ALICE, BOB, CAROL, MAKER] = [person(810), person(811), person(812), person(813)]
const folder = mkdtempSync(join(tmpdir(), 'photon-v1-'))
afterAll(() => rmSync(folder, { recursive: true }))

let lan: Lan
beforeAll(async () => {
  lan = await Lan.build(folder, [ALICE, BOB, CAROL], MAKER)
})

const order = (target: LanBox, amount: bigint, isDirect: boolean): PayOrder => ({ target: target.lan.account, token: lan.token, amount, isDirect, maxFee: 5n, data: new Uint8Array(0), secretHash: null })
const arePlaced = (...boxes: readonly LanBox[]): boolean => boxes.every((box) => box.lan.status().listening !== null)

it('opens, pays both ways under loss and repetition, restarts, is paid under a lock and through a third, closes and settles to the unit', async () => {
  const weather = storm(7, 30, 20)
  let alice = await lan.box(ALICE, { weather })
  const bob = await lan.box(BOB, { weather })
  const carol = await lan.box(CAROL, { weather })
  await lan.until(() => arePlaced(alice, bob, carol))
  const introduce = (): void => {
    for (const one of [alice, bob, carol]) one.lan.updateNodes([alice, bob, carol].filter((other) => other !== one).map(({ node }) => node))
  }
  introduce()
  expect(alice.lan.contract).toBe(lan.legacy)

  // A node that is known on the LAN gets a channel of the original's contract, others one of ours.
  const { channel } = await alice.desk.open({ partner: BOB.address, token: lan.token, amount: 300n, settleTimeout: null, role: 'leaf' })
  const onward = await bob.desk.open({ partner: CAROL.address, token: lan.token, amount: 200n, settleTimeout: null, role: 'leaf' })
  await expect(alice.desk.open({ partner: BOB.address, token: lan.token, amount: 300n, settleTimeout: null, role: 'leaf' })).rejects.toMatchObject({ code: 'photon-channel-exists' })
  await lan.until(() => bob.desk.channel(channel)?.partner.deposit === 300n && alice.desk.channel(channel)?.own.deposit === 300n && carol.desk.channel(onward.channel)?.partner.deposit === 200n)
  expect(alice.desk.channel(channel)).toMatchObject({ phase: 'opened', settleTimeout: 60, own: { spendable: 300n } })

  for (let i = 0; i < 12; i++) await alice.desk.pay(order(bob, 5n, true))
  await lan.settled(() => bob.desk.channel(channel)?.own.spendable === 60n)
  await bob.desk.pay(order(alice, 20n, true))
  await lan.settled(() => alice.desk.channel(channel)?.own.spendable === 260n)

  // What is on its way when one end is switched off arrives when it is back: the same bytes, from disk.
  await alice.desk.pay(order(bob, 10n, true))
  await alice.stop()
  alice = await lan.box(ALICE, { weather })
  await lan.settled(() => arePlaced(alice))
  introduce()
  await lan.settled(() => bob.desk.channel(channel)?.own.spendable === 50n)

  const locked = await alice.desk.pay(order(bob, 7n, false))
  await lan.settled(() => alice.desk.payment(locked.id)?.status === 3 && bob.desk.channel(channel)?.own.spendable === 57n)

  // Through Bob to Carol, with whom Alice has no channel; a tenth of a channel is the most that one lock may tie up: what was offered as fee is his.
  const through = await alice.desk.pay(order(carol, 20n, false))
  await lan.settled(() => alice.desk.payment(through.id)?.status === 3)
  await lan.settled(() => carol.desk.channel(onward.channel)?.own.spendable === 20n)

  // Together only with partners that the owner trusts; by force always.
  await expect(alice.desk.close(channel, false)).rejects.toMatchObject({ code: 'photon-refused' })
  await expect(alice.desk.withdraw(channel, 1n)).rejects.toMatchObject({ code: 'photon-refused' })
  const toBob = alice.desk.channel(channel)?.partner.spendable ?? 0n
  await alice.desk.close(channel, true)
  await bob.desk.close(onward.channel, true)
  await lan.until(() => [alice, bob, carol].every((box) => box.desk.channels().length === 0 && box.desk.duties().length === 0))
  expect(await lan.balance(lan.legacy)).toBe(0n)
  expect(await lan.balance(ALICE.address)).toBe(1000n - toBob)
  expect(await lan.balance(CAROL.address)).toBe(1020n)
  expect(await lan.balance(BOB.address)).toBe(1000n + toBob - 20n)
  expect(toBob).toBe(57n + 25n)
  for (const box of [alice, bob, carol]) {
    expect(box.desk.status().alarms).toEqual([])
    await box.stop()
  }
})
