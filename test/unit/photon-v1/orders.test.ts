/**
 * What the owner's programs may order of channels of the original's contract beyond a payment to a partner: a way over several nodes, a
 * secret of their own, a swap of two tokens, a payload for a third party; and what waited while the chain was out of view.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bytesOf } from '../../../src/base/index.ts'
import type { Address, Hash, Hex } from '../../../src/base/index.ts'
import { encodeCall } from '../../../src/photon/chain/index.ts'
import { delegatedUpdateCall } from '../../../src/photon/chain/calls.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import type { PayOrder, SwapOrder } from '../../../src/photon/index.ts'
import { ShortChain } from '../photon-box/short-chain.ts'
import { keccak } from '../photon-box/street.ts'
import plainToken from '../photon-contracts/artifacts/PlainToken.json' with { type: 'json' }
import { person } from '../spectrum/village.ts'
import { LEGACY_CHAIN_ID, LOOPBACK, Lan } from './lan.ts'
import type { LanBox } from './lan.ts'
import { OldNode } from './old-node.ts'

const [ALICE, BOB, OLD, CAROL, DAVE, EVE, FRED, MAKER] = [person(850), person(851), person(852), person(853), person(854), person(855), person(856), person(857)]
const SECRET: Hash = `0x${'5e'.repeat(32)}`
const folder = mkdtempSync(join(tmpdir(), 'photon-v1-orders-'))
afterAll(() => rmSync(folder, { recursive: true }))

let lan: Lan
let other: Address
beforeAll(async () => {
  lan = await Lan.build(folder, [ALICE, BOB, OLD, CAROL, DAVE, EVE, FRED], MAKER)
  other = await lan.chain.deploy(MAKER, bytesOf(plainToken.bytecode as Hex))
  await lan.chain.call(BOB, other, encodeCall(keccak, 'mint(address,uint256)', [BOB.address, 1000n]))
})

const payTo = (target: Address, amount: bigint, more: Partial<PayOrder> = {}): PayOrder => ({ target, token: lan.token, amount, isDirect: false, maxFee: 5n, data: new Uint8Array(0), secretHash: null, ...more })
async function opened(box: LanBox, partner: Address, token: Address, amount: bigint): Promise<Hash> {
  const { channel } = await box.desk.open({ partner, token, amount, settleTimeout: 200, role: 'leaf' })
  await lan.until(() => box.desk.channel(channel)?.own.deposit === amount && box.desk.channel(channel)?.isConnected === true)
  return channel
}

it('two tokens change hands between two boxes, both or none; what was ordered of the chain is on the record', async () => {
  const [alice, bob] = [await lan.box(ALICE), await lan.box(BOB)]
  await lan.until(() => [alice, bob].every((box) => box.lan.status().listening !== null))
  alice.lan.updateNodes([bob.node])
  bob.lan.updateNodes([alice.node])
  const mine = await opened(alice, BOB.address, lan.token, 300n)
  const theirs = await opened(bob, ALICE.address, other, 400n)
  await lan.until(() => alice.desk.channel(theirs)?.isConnected === true && bob.desk.channel(mine)?.isConnected === true)

  const secretHash = secretHashOf(SECRET)
  const common = { secretHash, maxFee: 0n }
  const maker: SwapOrder = { ...common, target: BOB.address, side: 'maker', secret: SECRET, token: lan.token, amount: 20n, receivingToken: other, receivingAmount: 35n }
  const taker: SwapOrder = { ...common, target: ALICE.address, side: 'taker', secret: null, token: other, amount: 35n, receivingToken: lan.token, receivingAmount: 20n }
  await expect(alice.desk.swap({ ...maker, secret: null })).rejects.toMatchObject({ kind: 'input' })
  await expect(alice.desk.swap({ ...maker, receivingToken: lan.token })).rejects.toMatchObject({ kind: 'input' })
  await bob.desk.swap(taker)
  await alice.desk.swap(maker)
  await lan.settled(() => bob.desk.channel(mine)?.own.spendable === 20n && alice.desk.channel(theirs)?.own.spendable === 35n)
  await lan.settled(() => [alice, bob].every((box) => box.desk.payments({ before: null, limit: 9 }).rows.every(({ status }) => status === 3)))
  expect([alice.desk.channel(mine)?.own.spendable, bob.desk.channel(theirs)?.own.spendable]).toEqual([280n, 365n])

  // A payment under a secret that the program gave waits for its leave.
  const given: Hash = `0x${'6e'.repeat(32)}`
  const { id } = await alice.desk.pay(payTo(BOB.address, 7n, { secret: given }))
  expect(id).toBe(secretHashOf(given))
  await lan.settled(() => bob.desk.channel(mine)?.partner.locked === 7n)
  await lan.pass()
  expect(alice.desk.payment(id)?.status).toBe(1)
  await alice.desk.allowReveal(id)
  await lan.settled(() => alice.desk.payment(id)?.status === 3)
  expect(alice.desk.paths(BOB.address, lan.token, 5n)).toEqual([{ nodes: [BOB.address], fee: 0n }])

  // The contract calls a life by the block that it began in.
  await lan.until(() => alice.photon.programs.transactions().filter(({ mined }) => mined !== null).length === 2)
  const [deposit] = alice.photon.programs.transactions().filter(({ step }) => step === 1)
  expect(deposit).toMatchObject({ account: ALICE.address, due: { duty: { kind: 'open', amount: 300n }, key: { channel: mine, epoch: alice.desk.channel(mine)?.epoch } }, mined: { succeeded: true, block: alice.desk.channel(mine)?.openBlock } })
  await Promise.all([alice.stop(), bob.stop()])
})

it('a way over several nodes goes out as it was named, and nothing goes where it makes no sense', async () => {
  const alice = await lan.box(CAROL)
  const old = await OldNode.at(LOOPBACK, OLD.key, { profile: 'v1', chainId: LEGACY_CHAIN_ID, contract: lan.legacy })
  await lan.until(() => alice.lan.status().listening !== null)
  alice.lan.updateNodes([{ account: old.account, endpoint: `${old.place.host}:${old.place.port}`, deviceType: 'other' }])
  const channel = await opened(alice, old.account, lan.token, 300n)
  const [second, target] = [person(858).address, person(859).address]
  const nodes = [old.account, second, target]

  const { id } = await alice.desk.pay(payTo(target, 40n, { routes: [{ nodes, fee: 4n }] }))
  let sent: Awaited<ReturnType<OldNode['next']>> | null = null
  const coming = old.next(({ kind }) => kind === 'locked').then((found) => (sent = found))
  await lan.settled(() => sent !== null)
  const { message, bytes } = await coming
  if (message.kind !== 'locked') throw new Error('a mediated transfer')
  expect(message).toMatchObject({ lock: { amount: 44n, secretHash: id }, amount: 40n, fee: 4n, initiator: CAROL.address, target, path: nodes.map((node) => ({ node })) })
  await old.send(old.ack(bytes), alice.place)
  expect(alice.desk.channel(channel)?.own.locked).toBe(44n)

  for (const wrong of [[second, target], [old.account, second], [old.account, old.account, target], [old.account, CAROL.address, target], [old.account, ...[1, 2, 3, 4].map((at) => person(860 + at).address), target]])
    await expect(alice.desk.pay(payTo(target, 1n, { routes: [{ nodes: [old.account, second, target], fee: 0n }, { nodes: wrong, fee: 0n }] }))).rejects.toMatchObject({ kind: 'input', field: 'routes' })
  await alice.stop()
  await old.close()
})

it('what a partner did not take while the chain was out of view goes out again as soon as it is back', async () => {
  const view = new ShortChain(lan.chain)
  const [alice, bob] = [await lan.box(DAVE, { chain: view }), await lan.box(BOB, { chain: view, settings: { maxOfflineExposure: 10n } })]
  await lan.until(() => [alice, bob].every((box) => box.lan.status().listening !== null))
  alice.lan.updateNodes([bob.node])
  bob.lan.updateNodes([alice.node])
  const channel = await opened(alice, BOB.address, lan.token, 300n)
  await lan.until(() => bob.desk.channel(channel)?.isConnected === true)

  view.frozen = true
  await lan.settled(() => [alice, bob].every((box) => box.lan.status().state === 'offline'))
  await alice.desk.pay(payTo(BOB.address, 6n, { isDirect: true }))
  await lan.settled(() => bob.desk.channel(channel)?.own.spendable === 6n)
  await alice.desk.pay(payTo(BOB.address, 30n, { isDirect: true }))
  // Alice has become patient: once a minute.
  for (let seconds = 0; seconds < 130; seconds += 2) await lan.pass()
  expect(bob.desk.channel(channel)?.own.spendable).toBe(6n)
  const before = lan.time.boottimeMs()
  view.frozen = false
  await lan.settled(() => bob.desk.channel(channel)?.own.spendable === 36n)
  expect(lan.time.boottimeMs() - before).toBeLessThan(20_000)
  await Promise.all([alice.stop(), bob.stop()])
})

it('with the original’s monitoring payload anybody can post what a box that is gone was paid', async () => {
  const [eve, fred] = [await lan.box(EVE), await lan.box(FRED)]
  await lan.until(() => [eve, fred].every((box) => box.lan.status().listening !== null))
  eve.lan.updateNodes([fred.node])
  fred.lan.updateNodes([eve.node])
  const channel = await opened(eve, FRED.address, lan.token, 300n)
  await lan.until(() => fred.desk.channel(channel)?.isConnected === true)
  await eve.desk.pay(payTo(FRED.address, 60n, { isDirect: true }))
  await lan.settled(() => fred.desk.channel(channel)?.own.spendable === 60n)
  const payload = fred.photon.programs.monitoring(channel, MAKER.address)
  await fred.stop()

  await eve.desk.close(channel, true)
  await lan.until(() => eve.desk.channel(channel)?.phase === 'closed')
  const settles = eve.desk.channel(channel)?.settleBlock ?? 0
  const { update_transfer: update } = payload
  const { data } = delegatedUpdateCall(keccak, { profile: 'v1', contract: lan.legacy, registry: lan.legacy, self: MAKER.address }, {
    token: payload.token_address,
    partner: payload.partner_address,
    receiver: FRED.address,
    proof: { transferred: update.transfer_amount ?? 0n, locksroot: update.locksroot, nonce: update.nonce, extra: update.extra_hash, signature: update.closing_signature ?? new Uint8Array(0) },
    receiverSignature: update.non_closing_signature ?? new Uint8Array(0),
    watcher: MAKER.address,
    reward: 0n,
  })
  // The original takes it in the second half of the settle time.
  await expect(lan.chain.call(MAKER, lan.legacy, data)).rejects.toThrow(/failed/)
  await lan.until(() => (lan.chain.head()?.number ?? 0) >= settles - 90)
  await lan.chain.call(MAKER, lan.legacy, data)
  await lan.until(() => eve.desk.channels().length === 0, 700)
  expect([await lan.balance(EVE.address), await lan.balance(FRED.address)]).toEqual([940n, 1060n])
  await eve.stop()
}, 600_000)
