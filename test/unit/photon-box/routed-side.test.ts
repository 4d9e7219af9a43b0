/** Payments over a box between, under a hash of the orderer's choice: found again by it in any run, paid once, and known to the recipient by the reference. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import type { Photon, RoutedSide } from '../../../src/photon/index.ts'
import { person } from '../spectrum/village.ts'
import { MemoryDoor, Street } from './street.ts'

const [ALICE, BOB, CAROL, MAKER] = [person(850), person(851), person(852), person(853)]
const folder = mkdtempSync(join(tmpdir(), 'photon-routed-'))
afterAll(() => rmSync(folder, { recursive: true }))
const of = (byte: string): Hash => `0x${byte.repeat(32)}`
const [SECRET, REFERENCE] = [of('5e'), of('4e')]

it('goes once, through a restart of who pays and silence of who is paid, and both histories say for what', async () => {
  const street = await Street.build(folder, [ALICE, BOB, CAROL], MAKER)
  const { token } = street
  const carols = new MuteDoor(street.net, CAROL.address)
  const peers = [street.peerOf(BOB), street.peerOf(CAROL)]
  let alice = await street.box(ALICE, { peers })
  expect(alice.photon.routed()).toBeNull()
  const bob = await street.box(BOB, { peers: [street.peerOf(CAROL)] })
  const carol = await street.box(CAROL, {}, { openDoor: () => carols })
  await street.until(() => [alice, bob, carol].every((box) => box.desk.status().state === 'ready' && box.desk.status().peers === 2))
  const { channel: ab } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  const { channel: bc } = await bob.desk.open({ partner: CAROL.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(ab)?.isConnected === true && carol.desk.channel(bc)?.isConnected === true)
  await bob.desk.deposit(ab, 100n)
  await carol.desk.deposit(bc, 100n)
  await street.until(() => alice.desk.channel(ab)?.partner.deposit === 100n && bob.desk.channel(bc)?.partner.deposit === 100n)

  const way = { to: CAROL.address, token, amount: 10n, maxFee: 1n }
  const order = (secret: Hash): Parameters<RoutedSide['pay']>[0] => ({ ...way, reference: REFERENCE, secret, data: utf8(`payout ${REFERENCE}`) })
  await street.settled(() => sideOf(alice.photon).hasWay(way))
  // Bob wants 1; and a lock may be a tenth of what is in a channel between others.
  expect([{ ...way, maxFee: 0n }, { ...way, amount: 41n }].map((other) => sideOf(alice.photon).hasWay(other))).toEqual([false, false])
  const hash = secretHashOf(SECRET)
  const standing = (): ReturnType<RoutedSide['standing']> => sideOf(alice.photon).standing(token, hash)
  expect(standing()).toBeNull()

  // The lock arrives; the recipient does not ask for the secret. Ordered again, and again by the next run: one lock.
  carols.isMute = true
  await sideOf(alice.photon).pay(order(SECRET))
  await street.settled(() => carol.desk.payments({ before: null, limit: 9 }).rows.length === 1)
  await sideOf(alice.photon).pay(order(SECRET))
  expect(standing()).toMatchObject({ state: 'open', isRevealed: false, isGivenUp: false, fee: 1n, via: [BOB.address] })
  await alice.stop()
  alice = await street.box(ALICE, { peers })
  await street.until(() => alice.desk.status().state === 'ready')
  await sideOf(alice.photon).pay(order(SECRET))
  expect(standing()).toMatchObject({ state: 'open', isRevealed: false, fee: 1n, via: [BOB.address] })
  const last = sideOf(alice.photon).endedAfter(0, 9)
  expect(last).toEqual({ payments: [], lookedTo: null })

  carols.isMute = false
  carols.disconnect(BOB.address)
  await street.until(() => standing()?.state === 'sent')
  expect(standing()).toEqual({ state: 'sent', fee: 1n, via: [BOB.address] })
  expect(sideOf(alice.photon).endedAfter(0, 9)).toEqual({ payments: [{ secretHash: hash, standing: { state: 'sent', fee: 1n, via: [] } }], lookedTo: null })
  await sideOf(alice.photon).pay(order(SECRET))
  await street.settled(() => carol.desk.channel(bc)?.own.spendable === 110n)
  expect([alice.desk.channel(ab)?.own.spendable, bob.desk.channel(ab)?.own.spendable]).toEqual([289n, 111n])
  const rows = [alice, carol].map((box) => box.desk.payments({ before: null, limit: 9 }).rows.map(({ id, amount, data }) => [id, amount, fromUtf8(data, 'data')]))
  expect(rows).toEqual([[[hash, 10n, `payout ${REFERENCE}`]], [[hash, 10n, `payout ${REFERENCE}`]]])

  // Who has it does not take it again, from whomever it comes under that hash: as after a restore from an old copy.
  await sideOf(bob.photon).pay(order(SECRET))
  await street.until(() => sideOf(bob.photon).standing(token, hash)?.state === 'failed')
  expect(sideOf(bob.photon).standing(token, hash)).toMatchObject({ state: 'failed', isKnownThere: true })
  expect(sideOf(bob.photon).endedAfter(0, 9).payments.at(-1)).toMatchObject({ secretHash: hash, standing: { state: 'failed', isKnownThere: true } })
  expect(carol.desk.channel(bc)?.own.spendable).toBe(110n)
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})

function sideOf(photon: Photon): RoutedSide {
  const side = photon.routed()
  if (side === null) throw new Error('the channels are not up')
  return side
}

class MuteDoor extends MemoryDoor {
  isMute = false

  override send(to: Address, frame: Uint8Array): boolean {
    return this.isMute || super.send(to, frame)
  }
}
