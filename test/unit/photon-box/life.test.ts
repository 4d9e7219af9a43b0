/** A channel's whole life between two boxes, by the owner's verbs alone, on a chain that is really run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { person } from '../spectrum/village.ts'
import { STATUS } from '../../../src/photon/payment/index.ts'
import { Street } from './street.ts'

const [ALICE, BOB, MAKER] = [person(710), person(711), person(712)]
const folder = mkdtempSync(join(tmpdir(), 'photon-box-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('two boxes open, pay, restart, close and settle: every unit is where it belongs', async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const { token } = street
  const toBob = { peers: [street.peerOf(BOB)] }
  const alice = await street.box(ALICE, toBob)
  let bob = await street.box(BOB)
  expect(alice.desk.status().state).toBe('starting')
  await expect(alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'leaf' })).rejects.toMatchObject({ code: 'photon-starting' })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))

  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'leaf' })
  expect(alice.desk.duties()).toMatchObject([{ kind: 'open', channel }])
  await street.until(() => bob.desk.channel(channel)?.isConnected === true && alice.desk.channel(channel)?.own.deposit === 300n)
  expect(alice.desk.channel(channel)).toMatchObject({ phase: 'opened', symbol: 'TOK', settleTimeout: 60, own: { spendable: 300n }, partner: { spendable: 0n } })

  const paid = await alice.desk.pay({ target: BOB.address, token, amount: 50n, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null })
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 50n)
  expect(alice.desk.payment(paid.id)).toMatchObject({ direction: 'sent', kind: 'direct', amount: 50n, peer: BOB.address, token })
  // Done is what the partner has acknowledged.
  await street.settled(() => alice.desk.payment(paid.id)?.status === STATUS.success)
  expect(alice.desk.payment(paid.id)?.reason).toBeNull()

  // Bob is switched off; what he is paid meanwhile reaches him when he is back.
  await bob.stop()
  await expect(alice.desk.pay({ target: BOB.address, token, amount: 5n, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null })).rejects.toMatchObject({ code: 'photon-not-ready' })
  bob = await street.box(BOB)
  expect(bob.desk.status().state).toBe('ready')
  await street.settled(() => bob.desk.channel(channel)?.isConnected === true && alice.desk.channel(channel)?.isConnected === true)
  await bob.desk.pay({ target: ALICE.address, token, amount: 20n, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null })
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 270n)

  // Under a lock too: the channel leads to the target itself.
  const locked = await alice.desk.pay({ target: BOB.address, token, amount: 7n, isDirect: false, maxFee: 5n, data: new Uint8Array(0), secretHash: null })
  await street.settled(() => alice.desk.payment(locked.id)?.status === 3)
  expect(alice.desk.channel(channel)?.own).toMatchObject({ spendable: 263n, locked: 0n })

  await alice.desk.close(channel, true)
  await street.until(() => bob.desk.channel(channel)?.phase === 'closed')
  await street.until(() => [alice, bob].every((box) => box.desk.channels().length === 0 && box.desk.duties().length === 0))
  expect([await street.balance(ALICE.address), await street.balance(BOB.address), await street.balance(street.photon)]).toEqual([963n, 1037n, 0n])
  expect([alice.desk.status().alarms, bob.desk.status().alarms]).toEqual([[], []])
  await Promise.all([alice.stop(), bob.stop()])
})
