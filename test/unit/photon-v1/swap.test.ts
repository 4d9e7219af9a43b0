/** A swap of two tokens with a node of the original, packet by packet as that one sends them: with the box as taker, and as maker. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ZERO_HASH } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import type { Domain, Lock, Message } from '../../../src/photon/index.ts'
import { lockHash } from '../../../src/photon/wire/index.ts'
import { House, LOOPBACK, TOKEN } from './house.ts'
import { OldNode, keccak } from './old-node.ts'

const DOMAIN: Domain = { profile: 'v1', chainId: 8888n, contract: '0xf5deccfb4935ef57b500807a5214120addc86f74' }
const OTHER: Address = '0x7000000000000000000000000000000000000002'
const [IN, OUT]: readonly [Hash, Hash] = [`0x${'a1'.repeat(32)}`, `0x${'b2'.repeat(32)}`]
const SECRET: Hash = `0x${'5e'.repeat(32)}`
const HASH = secretHashOf(SECRET)
const EPOCH = 3n
const NONE = new Uint8Array(0)
const REVEAL = 30

let house: House
let old: OldNode
beforeEach(async () => {
  old = await OldNode.at(LOOPBACK, new Uint8Array(32).fill(9), DOMAIN)
  // What the box sends goes over OUT, in the other token; what it gets comes over IN.
  house = await House.with({ key: new Uint8Array(32).fill(8), domain: DOMAIN, router: { find: ({ target, amount }) => [[{ hops: [{ node: target, channel: OUT, amount }], amount, fee: 0n }]], report: () => undefined } })
  house.places.own([{ account: old.account, endpoint: `${old.place.host}:${old.place.port}`, deviceType: 'other' }])
  house.door.look()
  await house.channel(IN, EPOCH, old.account, 0n, 100n, TOKEN)
  await house.channel(OUT, EPOCH, old.account, 100n, 0n, OTHER)
})
afterEach(async () => {
  await house.close()
  await old.close()
})

const say = (message: Message): Promise<void> => old.send(old.packet(message), house.place)
/** Of the original: it acknowledges what it has taken. */
async function take<K extends Message['kind']>(kind: K): Promise<Extract<Message, { kind: K }>> {
  const { bytes, message } = await old.next((one) => one.kind === kind)
  await old.send(old.ack(bytes), house.place)
  return message as Extract<Message, { kind: K }>
}
const lockOf = (amount: bigint, expiration: number): Lock => ({ expiration, amount, secretHash: HASH })
const locked = (lock: Lock): Message => ({
  kind: 'locked', envelope: { channel: IN, epoch: EPOCH, nonce: 1n, transferred: 0n, locksroot: lockHash(keccak, lock) }, lock, amount: lock.amount, fee: 0n, initiator: old.account, target: house.account, path: [{ node: house.account, amount: null }], paymentId: null,
})
const unlock = (amount: bigint): Message => ({ kind: 'unlock', envelope: { channel: IN, epoch: EPOCH, nonce: 2n, transferred: amount, locksroot: ZERO_HASH }, secret: SECRET })
const gotten = (): bigint => house.node.channel(IN)?.partner.transferred ?? 0n
const given = (): bigint => house.node.channel(OUT)?.own.transferred ?? 0n

it('as taker it locks when the maker has, asks until the maker answers, and both have what was agreed', async () => {
  await house.node.swap({ side: 'taker', target: old.account, token: OTHER, amount: 30n, receivingToken: TOKEN, receivingAmount: 20n, secretHash: HASH, maxFee: 0n })
  const ends = house.moments.now().block + 170
  await say(locked(lockOf(20n, ends)))
  expect(await take('locked')).toMatchObject({ envelope: { channel: OUT }, lock: { amount: 30n, secretHash: HASH, expiration: ends - 2 * REVEAL }, initiator: house.account, target: old.account })
  // The original's maker says nothing to a question that comes too early: it comes again.
  const asked = { kind: 'secret-request', secretHash: HASH, amount: 20n }
  expect((await old.next(({ kind }) => kind === 'secret-request')).message).toMatchObject(asked)
  expect(await take('secret-request')).toMatchObject(asked)
  await say({ kind: 'reveal', secret: SECRET, data: NONE })
  expect(await take('unlock')).toMatchObject({ envelope: { channel: OUT, transferred: 30n }, secret: SECRET })
  expect(await take('reveal')).toMatchObject({ secret: SECRET })
  await say(unlock(20n))
  await expect.poll(() => [gotten(), given(), house.node.openPayments().length]).toEqual([20n, 30n, 0])
}, 60_000)

it('as maker it shows the secret when the taker’s lock is there, not when it is asked', async () => {
  await house.node.swap({ side: 'maker', target: old.account, token: OTHER, amount: 30n, receivingToken: TOKEN, receivingAmount: 20n, secretHash: HASH, secret: SECRET, maxFee: 0n })
  const { lock } = await take('locked')
  // The original's taker, as any target, asks at once.
  await say({ kind: 'secret-request', secretHash: HASH, amount: 30n, paymentId: null })
  await old.next(({ kind }) => kind === 'ack')
  expect(old.heard.some(({ decoded }) => decoded.message.kind === 'reveal')).toBe(false)
  await say(locked(lockOf(20n, lock.expiration - REVEAL)))
  expect(await take('reveal')).toMatchObject({ secret: SECRET })
  await say({ kind: 'reveal', secret: SECRET, data: NONE })
  expect(await take('unlock')).toMatchObject({ envelope: { channel: OUT, transferred: 30n }, secret: SECRET })
  await say(unlock(20n))
  await expect.poll(() => [gotten(), given(), house.node.openPayments().length]).toEqual([20n, 30n, 0])
}, 60_000)
