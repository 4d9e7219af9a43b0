/** Blocks that nobody kept, a chain that took back what money rests on, channels older than the book: all made good by proof. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import type { Hash } from '../../../src/base/index.ts'
import { sideSlots } from '../../../src/photon/chain/storage.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { ShortChain } from './short-chain.ts'
import { Street } from './street.ts'
import type { Box } from './street.ts'

const [ALICE, BOB, MAKER] = [person(770), person(771), person(772)]
const folder = mkdtempSync(join(tmpdir(), 'photon-loss-'))
const NONE = new Uint8Array(0)
let street: Street
let books = 0

beforeEach(async () => {
  street = await Street.build(folder, [ALICE, BOB], MAKER)
})
afterAll(() => rmSync(folder, { recursive: true }))

const book = (): string => `book-${books++}`
const peers = (one: Person) => ({ peers: [street.peerOf(one)] })
const pay = async (from: Box, to: Person, amount: bigint): Promise<void> =>
  void (await from.desk.pay({ target: to.address, token: street.token, amount, isDirect: true, maxFee: 0n, data: NONE, secretHash: null }))
const codes = (box: Box): readonly string[] => box.desk.status().alarms.map(({ code }) => code)

async function both(): Promise<{ readonly alice: Box; readonly bob: Box; readonly bobsBook: string; readonly channel: Hash }> {
  const bobsBook = book()
  const alice = await street.box(ALICE, peers(BOB), { book: book() })
  const bob = await street.box(BOB, {}, { book: bobsBook })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const { channel } = await alice.desk.open({ partner: BOB.address, token: street.token, amount: 100n, settleTimeout: null, role: 'leaf' })
  await street.until(() => [alice, bob].every((box) => box.desk.channel(channel)?.isConnected === true))
  return { alice, bob, bobsBook, channel }
}

it('a box that comes back after more blocks than are kept reads its channels from storage, and answers a close that it never heard of', async () => {
  const { alice, bob, bobsBook, channel } = await both()
  await pay(alice, BOB, 40n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 40n)
  await bob.stop()
  await alice.desk.deposit(channel, 25n)
  await street.until(() => alice.desk.channel(channel)?.own.deposit === 125n)
  // Alice closes while he is away, with nothing: none of his.
  await alice.desk.close(channel, true)
  await street.until(() => alice.desk.channel(channel)?.closedBlock !== null)

  const short = new ShortChain(street.chain)
  short.first = (street.chain.head()?.number ?? 0) - 20
  short.hasProofs = false
  const again = await street.box(BOB, {}, { book: bobsBook, chain: short })
  for (let rounds = 0; rounds < 3; rounds++) await street.pass()
  expect(codes(again)).toEqual(['chain-gap'])
  const [alarm] = again.desk.status().alarms
  await expect(again.desk.clearAlarm(alarm?.id ?? '')).rejects.toMatchObject({ code: 'photon-no-proof' })
  short.frozen = true
  await expect(again.desk.clearAlarm(alarm?.id ?? '')).rejects.toMatchObject({ code: 'photon-alarm-stands' })
  short.frozen = false
  short.hasProofs = true
  await street.until(() => codes(again).length === 0)
  expect(again.desk.channel(channel)).toMatchObject({ phase: 'closed', partner: { deposit: 125n } })
  // His answer is in the contract: Alice's 40.
  await street.until(() => again.desk.duties().every(({ kind }) => kind !== 'update'))
  const slot = sideSlots((bytes) => native.keccak256(bytes), channel, ALICE.address)
  const head = street.chain.head()
  expect(((head === null ? null : await street.chain.storage(head, street.photon, slot[1])) ?? 0n) >> 192n).toBe(1n)
  await Promise.all([alice.stop(), again.stop()])
})

it('a chain that took back what money rests on is followed anew when the owner says so, and only as far as it holds', async () => {
  const { alice, bob, channel } = await both()
  await pay(alice, BOB, 10n)
  await alice.desk.deposit(channel, 50n)
  await street.until(() => [alice, bob].every((box) => [box.desk.channel(channel)?.own.deposit, box.desk.channel(channel)?.partner.deposit].includes(150n)))
  // The deposit of 50 goes, the opening stays.
  street.chain.undo(20)
  for (let block = 0; block < 40; block++) await street.chain.mine()
  await street.settled(() => [alice, bob].every((box) => box.desk.status().state === 'halted'))
  const [alarm] = bob.desk.status().alarms
  expect(alarm).toMatchObject({ code: 'chain-lost', isClearable: true })
  await bob.desk.clearAlarm(alarm?.id ?? '')
  expect(bob.desk.status()).toMatchObject({ state: 'ready', alarms: [] })
  await expect(bob.desk.clearAlarm(alarm?.id ?? '')).rejects.toMatchObject({ code: 'photon-alarm' })
  expect(bob.desk.channel(channel)).toMatchObject({ phase: 'closing', partner: { deposit: 100n }, alarm: expect.stringContaining('not in the chain any more') as string })
  await alice.desk.clearAlarm(alice.desk.status().alarms[0]?.id ?? '')
  // News are told again: the close comes through, with Alice's proof.
  await street.until(() => [alice, bob].every((box) => box.desk.channel(channel)?.closedBlock != null))
  await Promise.all([alice.stop(), bob.stop()])
})

it('a light box that joins later finds a channel older than all it can read, by what its partner says and the chain proves', async () => {
  const short = new ShortChain(street.chain)
  const alice = await street.box(ALICE, peers(BOB), { book: book() })
  await street.until(() => alice.desk.status().state === 'ready')
  const { channel } = await alice.desk.open({ partner: BOB.address, token: street.token, amount: 100n, settleTimeout: null, role: 'leaf' })
  await street.until(() => alice.desk.channel(channel) !== null)
  for (let block = 0; block < 40; block++) await street.chain.mine()
  short.first = (street.chain.head()?.number ?? 0) - 18
  const bob = await street.box(BOB, {}, { book: book(), chain: short })
  await street.until(() => bob.desk.channel(channel)?.isConnected === true)
  expect(bob.desk.channel(channel)).toMatchObject({ phase: 'opened', partner: { deposit: 100n }, alarm: null })
  await pay(alice, BOB, 33n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 33n)
  await pay(bob, ALICE, 3n)
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 70n)
  await Promise.all([alice.stop(), bob.stop()])
})

it('a partner’s refusal to settle is shown in its own words, outlives a restart, and the channel can be closed at once', async () => {
  const short = new ShortChain(street.chain)
  const alicesBook = book()
  const alice = await street.box(ALICE, peers(BOB), { book: alicesBook })
  const bob = await street.box(BOB, {}, { book: book(), chain: short })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const { channel } = await alice.desk.open({ partner: BOB.address, token: street.token, amount: 100n, settleTimeout: null, role: 'leaf' })
  await street.until(() => [alice, bob].every((box) => box.desk.channel(channel)?.isConnected === true))
  expect(alice.desk.channel(channel)?.closeRefusal).toBeNull()
  // Bob does not see the chain: he signs no end of a channel.
  short.frozen = true
  await street.pass()
  await alice.desk.close(channel, false)
  await street.settled(() => alice.desk.channel(channel)?.closeRefusal !== null)
  const refusal = { code: 2008, reason: 'no view of the chain' }
  expect(alice.desk.channel(channel)).toMatchObject({ phase: 'cooperative-settling', closeRefusal: refusal })
  await alice.stop()

  const again = await street.box(ALICE, peers(BOB), { book: alicesBook })
  expect(again.desk.channel(channel)?.closeRefusal).toEqual(refusal)
  await again.desk.close(channel, true)
  expect(again.desk.channel(channel)?.phase).toBe('closing')
  await street.until(() => again.desk.channel(channel)?.closedBlock !== null)
  await Promise.all([again.stop(), bob.stop()])
})
