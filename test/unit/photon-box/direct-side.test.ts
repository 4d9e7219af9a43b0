/** Direct payments between boxes by reference, as other rooms settle with them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { hexOf, utf8 } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { person } from '../spectrum/village.ts'
import { MemoryDoor, Street } from './street.ts'

const [ALICE, BOB, MAKER] = [person(840), person(841), person(842)]
const folder = mkdtempSync(join(tmpdir(), 'photon-direct-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('pays, is told, finds again what was paid, in pieces and after a restart', async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const { token } = street
  let alice = await street.box(ALICE, { peers: [street.peerOf(BOB)] })
  const quiet = new MuteDoor(street.net, BOB.address)
  const bob = await street.box(BOB, {}, { openDoor: () => quiet })
  expect(alice.photon.direct()).toBeNull()
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const of = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`
  const order = (number: number) => ({ to: BOB.address, token, amount: BigInt(number), reference: of(number), data: utf8('carrying') })
  const side = () => alice.photon.direct() ?? unready()
  await expect(side().pay(order(1))).rejects.toMatchObject({ code: 'photon-channel' })
  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(channel)?.isConnected === true)

  const heard: unknown[] = []
  const cancel = bob.photon.direct()?.onReceived((payment) => heard.push(payment))
  expect([side().newest(), side().after(0, 10)]).toEqual([0, { payments: [], lookedTo: null }])
  for (const number of [1, 2, 3]) {
    const paid = side().pay(order(number))
    await street.settled(() => heard.length === number)
    await (await paid).delivered
  }
  expect(heard[2]).toEqual({ partner: ALICE.address, token, amount: 3n, reference: of(3), data: utf8('carrying') })
  const newest = side().newest()
  expect(side().arrival(newest)).toBe('delivered')
  expect(side().arrival(newest + 1)).toBe('waiting')
  const first = side().after(0, 2)
  expect(first.payments.map(({ kind, reference }) => [kind, reference])).toEqual([['sent', of(1)], ['sent', of(2)]])
  expect(side().after(first.lookedTo ?? 0, 2)).toMatchObject({ payments: [{ reference: of(3), amount: 3n, partner: BOB.address, token }], lookedTo: null })
  expect(first.payments.map(({ data }) => hexOf(data))).toEqual([hexOf(utf8('carrying')), hexOf(utf8('carrying'))])
  expect(bob.photon.direct()?.after(0, 9).payments.map(({ kind, reference }) => [kind, reference])).toEqual([1, 2, 3].map((number) => ['received', of(number)]))

  // Not delivered as long as nothing is heard of it; when the other has come back it is, in another run of the box too.
  cancel?.()
  quiet.isMute = true
  await side().pay(order(4))
  await street.pass()
  const last = side().newest()
  expect([last > newest, side().arrival(last)]).toEqual([true, 'waiting'])
  await bob.stop()
  await expect(side().pay(order(5))).rejects.toMatchObject({ kind: 'unavailable' })
  await alice.stop()
  alice = await street.box(ALICE, { peers: [street.peerOf(BOB)] })
  const again = await street.box(BOB)
  await street.until(() => alice.photon.direct()?.arrival(last) === 'delivered')
  expect(again.photon.direct()?.after(0, 9).payments.map(({ reference }) => reference)).toEqual([1, 2, 3, 4].map(of))
  expect(side().after(newest, 9)).toMatchObject({ payments: [{ id: last, reference: of(4), amount: 4n }], lookedTo: null })
  await Promise.all([alice.stop(), again.stop()])
})

class MuteDoor extends MemoryDoor {
  isMute = false

  override send(to: Address, frame: Uint8Array): boolean {
    return this.isMute || super.send(to, frame)
  }
}

function unready(): never {
  throw new Error('the channels are not up')
}
