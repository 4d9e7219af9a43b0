/**
 * What two that trust each other may do on the original contract, and what a partner's chain side can do to us: settle
 * together, take money out (a new life of the channel), open with a timeout that is too short (F5), close with an old state.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { concatBytes, hexOf } from '../../../src/base/index.ts'
import { encodeCall } from '../../../src/photon/chain/index.ts'
import type { PayOrder } from '../../../src/photon/index.ts'
import { noteOldCopy } from '../../../src/photon/tables/index.ts'
import { channelId, createDigests } from '../../../src/photon/wire/index.ts'
import { keccak } from '../photon-box/street.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { FAIR, LEGACY_CHAIN_ID, Lan, freeGroup } from './lan.ts'
import type { LanBox, Weather } from './lan.ts'

const PEOPLE = [830, 831, 832, 833, 834, 835, 836, 837, 840, 841].map(person)
const MAKER = person(839)
const folder = mkdtempSync(join(tmpdir(), 'photon-v1-agree-'))
afterAll(() => rmSync(folder, { recursive: true }))
let lan: Lan
beforeAll(async () => {
  lan = await Lan.build(folder, PEOPLE, MAKER)
})

const pay = (box: LanBox, target: Person, amount: bigint): Promise<unknown> => {
  const order: PayOrder = { target: target.address, token: lan.token, amount, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null }
  return box.desk.pay(order)
}

/** They find each other by mDNS. */
async function meet(a: Person, b: Person, trusts: boolean, weather: Weather = FAIR): Promise<readonly [LanBox, LanBox]> {
  const group = await freeGroup()
  const boxes = [await lan.box(a, { group, weather, legacy: trusts ? { trustedPeers: [b.address] } : {} }), await lan.box(b, { group, legacy: trusts ? { trustedPeers: [a.address] } : {} })] as const
  await lan.until(() => boxes.every((box) => box.lan.status().listening !== null))
  await lan.settled(() => boxes.every((box) => box.lan.status().nodes.some(({ isConnected }) => isConnected)))
  return boxes
}

it('settle together where both owners trust the other, and take money out: a new life in which the old signatures are nothing', async () => {
  const [A, B] = [PEOPLE[0], PEOPLE[1]] as [Person, Person]
  const [a, b] = await meet(A, B, true)
  const { channel } = await a.desk.open({ partner: B.address, token: lan.token, amount: 200n, settleTimeout: null, role: 'leaf' })
  await lan.until(() => b.desk.channel(channel)?.partner.deposit === 200n)
  await lan.until(() => a.desk.channel(channel)?.isConnected === true)
  await pay(a, B, 50n)
  await lan.settled(() => b.desk.channel(channel)?.own.spendable === 50n)

  // Bob's program takes 30 of his 50 out: both have signed, as the original's own withdrawal has it.
  const epoch = a.desk.channel(channel)?.epoch ?? 0n
  const digests = createDigests({ profile: 'v1', chainId: LEGACY_CHAIN_ID, contract: lan.legacy }, keccak)
  const digest = digests.withdraw({ channel, epoch }, { profile: 'v1', participant: B.address, partner: A.address, balance: 50n, withdraw: 30n })
  await lan.chain.call(B, lan.legacy, encodeCall(keccak, 'withDraw(address,address,address,uint256,uint256,bytes,bytes)', [lan.token, B.address, A.address, 50n, 30n, native.sign(digest, B.key), native.sign(digest, A.key)]))
  await lan.until(() => [a, b].every((box) => (box.desk.channel(channel)?.epoch ?? 0n) > epoch))
  await lan.until(() => [a, b].every((box) => box.desk.channel(channel)?.isConnected === true))
  expect(a.desk.channel(channel)).toMatchObject({ own: { deposit: 150n, nonce: 0n, spendable: 150n }, partner: { deposit: 20n } })
  await pay(a, B, 10n)
  await lan.settled(() => b.desk.channel(channel)?.own.spendable === 30n)

  await a.desk.close(channel, false)
  await lan.until(() => [a, b].every((box) => box.desk.channels().length === 0 && box.desk.duties().length === 0))
  expect([await lan.balance(A.address), await lan.balance(B.address)]).toEqual([940n, 1060n])
  for (const box of [a, b]) {
    expect(box.desk.status().alarms).toEqual([])
    await box.stop()
  }
})

it('F5: a channel that somebody opened with us with a short timeout is not filled, and nothing is taken from it', async () => {
  const [A, B] = [PEOPLE[2], PEOPLE[3]] as [Person, Person]
  const [a, b] = await meet(A, B, false)
  await lan.chain.call(B, lan.token, encodeCall(keccak, 'approve(address,uint256)', [lan.legacy, 5n]))
  await lan.chain.call(B, lan.legacy, encodeCall(keccak, 'deposit(address,address,address,uint256,uint64)', [lan.token, B.address, A.address, 5n, 6]))
  const channel = channelId(keccak, A.address, B.address, lan.token, lan.legacy)
  await expect(a.desk.open({ partner: B.address, token: lan.token, amount: 100n, settleTimeout: null, role: 'leaf' })).rejects.toMatchObject({ code: 'photon-channel-exists' })
  await lan.until(() => a.desk.channel(channel) !== null)
  await expect(a.desk.deposit(channel, 100n)).rejects.toMatchObject({ code: 'photon-phase' })
  await lan.until(() => b.desk.channel(channel)?.isConnected === true && a.desk.channel(channel)?.isConnected === true)
  const before = a.lan.status().taken
  await pay(b, A, 5n)
  await lan.settled(() => a.lan.status().taken > before + 2)
  expect(a.desk.channel(channel)).toMatchObject({ own: { spendable: 0n }, partner: { nonce: 0n } })
  await Promise.all([a.stop(), b.stop()])
})

it('a backup put in place closes its v1 channels before a nonce can be used twice', async () => {
  const [A, B] = [PEOPLE[6], PEOPLE[7]] as [Person, Person]
  const [a, b] = await meet(A, B, false)
  const { channel } = await a.desk.open({ partner: B.address, token: lan.token, amount: 200n, settleTimeout: null, role: 'leaf' })
  await lan.until(() => b.desk.channel(channel)?.partner.deposit === 200n && a.desk.channel(channel)?.isConnected === true)
  await pay(a, B, 20n)
  await lan.settled(() => b.desk.channel(channel)?.own.spendable === 20n)
  await a.photon.stop()
  await a.store.turn((tx) => noteOldCopy(tx))
  await a.store.close()
  const restored = await lan.box(A)
  await lan.settled(() => restored.lan.status().listening !== null)
  restored.lan.updateNodes([b.node])
  expect(restored.desk.channel(channel)?.phase).toBe('closing')
  await lan.settled(() => restored.desk.channel(channel)?.isConnected === true)
  await expect(pay(restored, B, 1n)).rejects.toMatchObject({ code: 'photon-refused' })
  await lan.until(() => b.desk.channel(channel)?.phase === 'closed')
  await Promise.all([restored.stop(), b.stop()])
})

it('who closes without what he owes is answered with what he has signed, in one block with the close or later', async () => {
  const [A, B] = [PEOPLE[4], PEOPLE[5]] as [Person, Person]
  const [a, b] = await meet(A, B, false)
  const { channel } = await a.desk.open({ partner: B.address, token: lan.token, amount: 200n, settleTimeout: null, role: 'leaf' })
  await lan.until(() => b.desk.channel(channel)?.partner.deposit === 200n && a.desk.channel(channel)?.isConnected === true)
  for (let i = 0; i < 3; i++) await pay(a, B, 20n)
  await lan.settled(() => b.desk.channel(channel)?.own.spendable === 60n)
  // Alice's side closes as if nothing had been paid; what she tells of amounts is not believed.
  const word = new Uint8Array(32).fill(0xee)
  await lan.chain.call(A, lan.legacy, encodeCall(keccak, 'prepareSettle(address,address,uint256,bytes32,uint64,bytes32,bytes)', [lan.token, B.address, 10n ** 30n, hexOf(word), 0n, hexOf(word), concatBytes()]))
  await lan.until(() => b.desk.channel(channel)?.phase === 'closed')
  await lan.until(() => [a, b].every((box) => box.desk.channels().length === 0 && box.desk.duties().length === 0))
  expect([await lan.balance(A.address), await lan.balance(B.address)]).toEqual([940n, 1060n])
  for (const box of [a, b]) expect(box.desk.status().alarms).toEqual([])
  await Promise.all([a.stop(), b.stop()])
})

it('a lock that the payer never unlocks is unlocked on the chain, with the secret registered there', async () => {
  const [A, B] = [PEOPLE[8], PEOPLE[9]] as [Person, Person]
  const UNLOCK = 7
  const [a, b] = await meet(A, B, false, (bytes) => (bytes[0] === UNLOCK ? 0 : 1))
  const { channel } = await a.desk.open({ partner: B.address, token: lan.token, amount: 400n, settleTimeout: 160, role: 'leaf' })
  await lan.until(() => b.desk.channel(channel)?.partner.deposit === 400n && a.desk.channel(channel)?.isConnected === true)
  await pay(a, B, 15n)
  const locked = await a.desk.pay({ target: B.address, token: lan.token, amount: 25n, isDirect: false, maxFee: 0n, data: new Uint8Array(0), secretHash: null })
  // Alice has the word of Bob that he knows the secret, and believes that she has paid.
  await lan.settled(() => a.desk.payment(locked.id)?.status === 3)
  expect(b.desk.channel(channel)?.partner.locked).toBe(25n)
  await a.desk.close(channel, true)
  await lan.until(() => [a, b].every((box) => box.desk.channels().length === 0 && box.desk.duties().length === 0))
  expect([await lan.balance(A.address), await lan.balance(B.address)]).toEqual([960n, 1040n])
  for (const box of [a, b]) {
    expect(box.desk.status().alarms).toEqual([])
    await box.stop()
  }
})
