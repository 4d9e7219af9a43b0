/** What the owner's programs may order of three boxes in a row: fees, what is held back, coin sent away, what a third party needs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { concatBytes, hexOf } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { delegatedUpdateCall } from '../../../src/photon/chain/calls.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { Street, keccak } from './street.ts'
import type { Box } from './street.ts'

const [ALICE, BOB, CAROL, MAKER, THIRD] = [person(830), person(831), person(832), person(833), person(834)]
const folder = mkdtempSync(join(tmpdir(), 'photon-programs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const NONE = new Uint8Array(0)
const NO_FEES = { account: null, tokens: new Map(), channels: new Map() }

function payer(box: Box, token: Address) {
  return (target: Address, amount: bigint, more: { readonly isDirect?: boolean; readonly maxFee?: bigint; readonly secretHash?: `0x${string}` } = {}) =>
    box.desk.pay({ target, token, amount, isDirect: more.isDirect ?? false, maxFee: more.maxFee ?? 50n, data: NONE, secretHash: more.secretHash ?? null })
}

it('fees by channel, token and account; locks and all that is new held back; the door shut, while the chain is still looked after', async () => {
  const street = await Street.build(folder, [ALICE, BOB, CAROL], MAKER)
  const { token } = street
  const alice = await street.box(ALICE, { peers: [street.peerOf(BOB), street.peerOf(CAROL)] })
  const hub = { peers: [street.peerOf(CAROL)] }
  let bob = await street.box(BOB, hub)
  const carol = await street.box(CAROL)
  await street.until(() => [alice, bob, carol].every((box) => box.desk.status().state === 'ready') && bob.desk.status().peers === 2)
  const { channel: ab } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  const { channel: bc } = await bob.desk.open({ partner: CAROL.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(ab)?.isConnected === true && carol.desk.channel(bc)?.isConnected === true)
  await bob.desk.deposit(ab, 100n)
  await carol.desk.deposit(bc, 100n)
  await street.until(() => alice.desk.channel(ab)?.partner.deposit === 100n && bob.desk.channel(bc)?.partner.deposit === 100n)
  const cost = async (): Promise<bigint | undefined> => {
    await street.until(() => alice.desk.paths(CAROL.address, token, 10n).length > 0)
    return alice.desk.paths(CAROL.address, token, 10n)[0]?.fee
  }
  expect(await cost()).toBe(1n)

  // A channel's own fee goes before its token's, and that before the account's: 5 below 3 and a tenth below 9.
  const set = async (box: Box, fees: Parameters<Box['photon']['programs']['setFees']>[0], fee: bigint): Promise<void> => {
    await box.photon.programs.setFees(fees)
    await street.until(() => alice.desk.paths(CAROL.address, token, 10n)[0]?.fee === fee)
  }
  const rate = (constant: bigint, divisor: bigint) => ({ constant, divisor })
  await set(bob, { ...NO_FEES, account: rate(9n, 0n) }, 9n)
  await set(bob, { account: rate(9n, 0n), tokens: new Map([[token, rate(3n, 10n)]]), channels: new Map() }, 4n)
  await set(bob, { account: rate(9n, 0n), tokens: new Map([[token, rate(3n, 10n)]]), channels: new Map([[bc, rate(5n, 0n)]]) }, 5n)
  await expect(bob.photon.programs.setFees({ ...NO_FEES, account: rate(-1n, 0n) })).rejects.toMatchObject({ kind: 'input' })
  await expect(bob.photon.programs.setFees({ ...NO_FEES, account: rate(0n, 10n ** 7n) })).rejects.toMatchObject({ kind: 'input' })
  await bob.stop()
  bob = await street.box(BOB, hub)
  expect(bob.photon.programs.fees()).toMatchObject({ set: { account: rate(9n, 0n), channels: new Map([[bc, rate(5n, 0n)]]) }, configured: { constant: 1n } })
  await street.until(() => bob.desk.status().peers === 2 && alice.desk.channel(ab)?.isConnected === true && carol.desk.channel(bc)?.isConnected === true)
  const { id } = await payer(alice, token)(CAROL.address, 10n)
  await street.settled(() => alice.desk.payment(id)?.status === 3)
  expect(alice.desk.payment(id)?.fee).toBe(5n)
  expect(alice.desk.payment(id)?.place?.block).toBeGreaterThan(0)

  // What a third party needs to post Bob's newest proof: signed by the box, naming him.
  const given = bob.photon.programs.monitoring(ab, THIRD.address)
  const state = bob.photon.programs.channel(ab)
  if (state?.partner.proof == null) throw new Error('Alice has paid')
  const { nonce, transferred, locksroot } = state.partner.proof
  const digest = createDigests(state.domain, keccak).updateDelegation({ ...state.key, nonce, transferred, locksroot, watcher: THIRD.address, reward: 0n })
  expect(hexOf(native.recoverAddressBatch(concatBytes(digest, given.update_transfer.non_closing_signature ?? NONE), 'refuse'))).toBe(BOB.address)
  for (const notThird of [ALICE.address, BOB.address]) expect(() => bob.photon.programs.monitoring(ab, notThird)).toThrow(/third party/)
  expect(() => bob.photon.programs.monitoring(`0x${'07'.repeat(32)}`, THIRD.address)).toThrow(/no such channel/)

  // Locks held back: none is given, and none is carried. Direct payments go on.
  bob.photon.programs.setDirectOnly(true)
  expect(bob.desk.status().alarms).toMatchObject([{ code: 'held-back', isClearable: false }])
  await expect(payer(bob, token)(CAROL.address, 1n)).rejects.toMatchObject({ code: 'photon-1014' })
  const refused = await payer(alice, token)(CAROL.address, 10n)
  await street.until(() => (alice.desk.payment(refused.id)?.status ?? 0) > 3)
  const direct = await payer(bob, token)(CAROL.address, 7n, { isDirect: true })
  await street.settled(() => bob.desk.payment(direct.id)?.status === 3)
  bob.photon.programs.setDirectOnly(false)
  expect(bob.desk.status().alarms).toEqual([])

  // Nothing new before a restart, once nothing runs: a payment that waits for its secret does.
  const secret = `0x${'5a'.repeat(32)}` as const
  await payer(alice, token)(BOB.address, 4n, { secretHash: secretHashOf(secret) })
  await street.settled(() => bob.photon.programs.waiting(token, secretHashOf(secret)) !== null)
  expect(bob.photon.programs.waiting(token, secretHashOf(secret))).toMatchObject({ payment: { initiator: ALICE.address, amount: 4n } })
  expect(() => bob.photon.programs.prepareUpdate()).toThrow(/1 transfers are running/)
  expect(bob.desk.status().alarms).toEqual([])
  await bob.desk.giveSecret(secret)
  await street.settled(() => bob.photon.programs.waiting(token, secretHashOf(secret)) === null && !bob.desk.payments({ before: null, limit: 20 }).rows.some((row) => row.status < 3))
  await street.until(() => {
    try {
      bob.photon.programs.prepareUpdate()
      return true
    } catch {
      return false
    }
  })
  for (const isDirect of [true, false]) await expect(payer(bob, token)(CAROL.address, 1n, { isDirect })).rejects.toMatchObject({ code: 'photon-1013' })
  await expect(bob.photon.direct()?.pay({ to: CAROL.address, token, amount: 1n, reference: secret, data: NONE })).rejects.toMatchObject({ code: 'photon-1013' })

  // Stopped: nobody is heard, and a close by the other is still answered on the chain.
  await bob.photon.programs.stop()
  expect([bob.desk.status().peers, bob.photon.streams(), bob.photon.direct()]).toEqual([0, null, null])
  expect(bob.desk.status().alarms).toMatchObject([{ code: 'held-back', text: expect.stringMatching(/stopped/) as string }])
  const due = bob.desk.channel(ab)?.own.spendable
  await alice.desk.close(ab, true)
  await street.until(() => bob.desk.channels().every((channel) => channel.id !== ab))
  expect(await street.balance(BOB.address)).toBe(1000n - 300n - 100n + (due ?? 0n))
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})

it('what a third party is given is all he needs to post it to the contract for a box that is gone; in other hands it is nothing', async () => {
  const street = await Street.build(folder, [ALICE, BOB, THIRD, CAROL], MAKER)
  const { token } = street
  const alice = await street.box(ALICE, { peers: [street.peerOf(BOB)] }, { book: 'guarded-alice' })
  const bob = await street.box(BOB, {}, { book: 'guarded-bob' })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready') && bob.desk.status().peers === 1)
  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(channel)?.isConnected === true)
  const { id } = await payer(alice, token)(BOB.address, 120n, { isDirect: true })
  await street.settled(() => alice.desk.payment(id)?.status === 3)
  const payload = bob.photon.programs.monitoring(channel, THIRD.address)
  await bob.stop()

  // Alice's opening is on the record: the allowance and the deposit, where they are in the chain.
  await street.until(() => alice.photon.programs.transactions().filter(({ mined }) => mined !== null).length === 2)
  const opening = alice.photon.programs.transactions()
  expect(opening).toMatchObject([0, 1].map(() => ({ account: ALICE.address, due: { duty: { kind: 'open', amount: 300n }, key: { channel, epoch: 1n } }, steps: 2, mined: { succeeded: true } })))
  expect(opening.map(({ step }) => step).sort()).toEqual([0, 1])
  for (const { hash, mined } of opening) {
    const receipt = await street.chain.receipt(hash)
    expect([receipt?.point.number, receipt?.point.timeSeconds, receipt?.gasUsed]).toEqual([mined?.block, mined?.seconds, mined?.gasUsed])
    expect(mined?.gasUsed).toBeGreaterThan(21_000n)
  }

  await alice.desk.close(channel, true)
  await street.until(() => alice.desk.channel(channel)?.phase === 'closed')
  const { update_transfer: update } = payload
  const post = (by: Person): Promise<void> => {
    const { data } = delegatedUpdateCall(keccak, { profile: 'v2', contract: street.photon, registry: street.photon, self: by.address }, {
      token: payload.token_address,
      partner: payload.partner_address,
      receiver: BOB.address,
      proof: { transferred: update.transfer_amount ?? 0n, locksroot: update.locksroot, nonce: update.nonce, extra: update.extra_hash, signature: update.closing_signature ?? NONE },
      receiverSignature: update.non_closing_signature ?? NONE,
      watcher: THIRD.address,
      reward: 0n,
    })
    return street.chain.call(by, street.photon, data)
  }
  await expect(post(CAROL)).rejects.toThrow(/failed/)
  await post(THIRD)
  await street.until(() => alice.desk.channels().length === 0)
  expect([await street.balance(ALICE.address), await street.balance(BOB.address)]).toEqual([1000n - 120n, 1000n + 120n])
  await alice.stop()
})

it('coin goes to another account once; balances of anybody by proof', async () => {
  const street = await Street.build(folder, [ALICE], MAKER)
  const { programs } = (await street.box(ALICE, {}, { book: 'waiting' })).photon
  await expect(programs.sendCoin(THIRD.address, 1n)).rejects.toMatchObject({ code: 'photon-starting' })
  const box = await street.box(ALICE, {}, { book: 'coin' })
  const desk = box.photon.programs
  await street.until(() => box.desk.status().state === 'ready')
  const all = await desk.balanceOf(ALICE.address, null)
  expect([all > 0n, await desk.balanceOf(THIRD.address, null)]).toEqual([true, 0n])
  // Of a token whose storage nobody here knows: asked of its own code, over proved state. No token: said so.
  expect([await desk.balanceOf(ALICE.address, street.token), await desk.balanceOf(MAKER.address, street.token)]).toEqual([await street.balance(ALICE.address), 0n])
  for (const none of [THIRD.address, street.photon]) await expect(desk.balanceOf(ALICE.address, none)).rejects.toMatchObject({ code: 'photon-2999' })
  for (const amount of [0n, -1n, 1n << 128n]) await expect(desk.sendCoin(THIRD.address, amount)).rejects.toMatchObject({ kind: 'input' })
  await expect(desk.sendCoin(ALICE.address, 1n)).rejects.toMatchObject({ kind: 'input' })
  await expect(desk.sendCoin(THIRD.address, all)).rejects.toMatchObject({ code: 'photon-1002' })
  const amount = (all * 6n) / 10n
  await desk.sendCoin(THIRD.address, amount)
  await expect(desk.sendCoin(THIRD.address, amount)).rejects.toMatchObject({ code: 'photon-1002' })
  await street.until(() => box.desk.duties().length === 0)
  expect(await desk.balanceOf(THIRD.address, null)).toBe(amount)
  await box.stop()
})
