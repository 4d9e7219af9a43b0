/** A box whose flash died comes back by its words: neighbours' copies, partners that tell all, and those that do not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { hexOf } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import { noteBirth } from '../../../src/photon/tables/index.ts'
import type { Tx } from '../../../src/store/index.ts'
import { sideSlots } from '../../../src/photon/chain/storage.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { Street } from './street.ts'
import type { Box } from './street.ts'

const [ALICE, BOB, CAROL, DAVE, MAKER] = [person(760), person(761), person(762), person(763), person(764)]
const folder = mkdtempSync(join(tmpdir(), 'photon-rebuild-'))
const NONE = new Uint8Array(0)
/** What main does at the first start with a key that was there already. */
const restoredByWords = (tx: Tx): void => noteBirth(tx, { hadKey: true, isRestored: true })
let street: Street
let books = 0

beforeEach(async () => {
  street = await Street.build(folder, [ALICE, BOB, CAROL, DAVE], MAKER)
})
afterAll(() => rmSync(folder, { recursive: true }))

const pay = async (from: Box, to: Person, amount: bigint): Promise<void> =>
  void (await from.desk.pay({ target: to.address, token: street.token, amount, isDirect: true, maxFee: 0n, data: NONE, secretHash: null }))
const freshBook = (): string => `fresh-${books++}`
const peers = (...people: readonly Person[]) => ({ peers: people.map((one) => street.peerOf(one)) })
const phaseOf = (box: Box, channel: Hash): string | undefined => box.desk.channel(channel)?.phase
const alarmsOf = (box: Box): readonly string[] => box.desk.status().alarms.map(({ code }) => code)

async function ready(...boxes: readonly Box[]): Promise<void> {
  await street.until(() => boxes.every((box) => box.desk.status().state === 'ready'))
}

async function opened(from: Box, to: Box, who: Person, amount: bigint): Promise<Hash> {
  const { channel } = await from.desk.open({ partner: who.address, token: street.token, amount, settleTimeout: null, role: 'leaf' })
  await street.until(() => [from, to].every((box) => box.desk.channel(channel)?.isConnected === true))
  return channel
}

/** Two minutes, in which every box gives its neighbours a copy. */
async function copied(): Promise<void> {
  for (let rounds = 0; rounds < 70; rounds++) await street.pass()
}

/** The nonce of the proof by `payer` that the contract holds. */
async function postedBy(payer: Person, channel: Hash): Promise<bigint> {
  const head = street.chain.head()
  const [, proof] = sideSlots((bytes) => native.keccak256(bytes), channel, payer.address)
  return ((head === null ? null : await street.chain.storage(head, street.photon, proof)) ?? 0n) >> 192n
}

async function closedFor(channel: Hash, one: Box, other: Box): Promise<readonly [bigint, bigint]> {
  const before = [await street.balance(ALICE.address), await street.balance(BOB.address)] as const
  await street.until(() => [one, other].every((box) => box.desk.channel(channel) === null))
  return [(await street.balance(ALICE.address)) - before[0], (await street.balance(BOB.address)) - before[1]]
}

it('takes the newest copy, learns from the partner what is newer still, and goes on where it was', async () => {
  const bob = await street.box(BOB, peers(CAROL), { book: freshBook() })
  const carol = await street.box(CAROL, {}, { book: freshBook() })
  let alice = await street.box(ALICE, peers(BOB, CAROL), { book: freshBook() })
  await ready(alice, bob, carol)
  const channel = await opened(alice, bob, BOB, 300n)
  await pay(alice, BOB, 50n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 50n)
  await pay(bob, ALICE, 7n)
  await copied()
  // Not in any copy.
  await pay(alice, BOB, 20n)
  await pay(bob, ALICE, 3n)
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 240n && bob.desk.channel(channel)?.own.spendable === 60n)
  await alice.stop()

  alice = await street.box(ALICE, peers(BOB, CAROL), { book: freshBook(), before: restoredByWords })
  await ready(alice)
  expect(alice.desk.channels()).toEqual([])
  expect(alarmsOf(alice)).toEqual(['rebuild'])
  await street.until(() => alice.desk.channel(channel)?.phase === 'opened')
  expect(alice.desk.channel(channel)).toMatchObject({ isConnected: true, alarm: null, own: { deposit: 300n, spendable: 240n, nonce: 2n }, partner: { nonce: 2n } })
  expect(alarmsOf(alice)).toEqual([])
  await pay(alice, BOB, 40n)
  await pay(bob, ALICE, 1n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 99n && alice.desk.channel(channel)?.own.spendable === 201n)
  await alice.desk.close(channel, false)
  expect(await closedFor(channel, alice, bob)).toEqual([201n, 99n])
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})

it.each([['nothing', true], ['less than the copy shows', false]])('a partner that claims to know %s is answered by a close with the newest proof', async (_what, isBlank) => {
  let bob = await street.box(BOB, peers(CAROL), { book: freshBook() })
  const carol = await street.box(CAROL, {}, { book: freshBook() })
  let alice = await street.box(ALICE, peers(BOB, CAROL), { book: freshBook() })
  await ready(alice, bob, carol)
  const channel = await opened(alice, bob, BOB, 100n)
  await pay(alice, BOB, 60n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 60n)
  const old = freshBook()
  await bob.store.backup(join(folder, `${old}.db`))
  await pay(bob, ALICE, 45n)
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 85n)
  await copied()
  await Promise.all([alice.stop(), bob.stop()])

  // Bob wants his 45 back: by a book that knows nothing, or an old one, without a word of it.
  bob = await street.box(BOB, peers(CAROL), { book: isBlank ? freshBook() : old })
  alice = await street.box(ALICE, peers(BOB, CAROL), { book: freshBook(), before: restoredByWords })
  await ready(alice, bob)
  await street.until(() => ['closing', 'error', 'closed'].includes(phaseOf(alice, channel) ?? ''), 100)
  // Bob's 45 are in the contract, whatever he says.
  await street.until(() => alice.desk.channel(channel)?.closedBlock != null)
  expect(await postedBy(BOB, channel)).toBe(1n)
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})

it('holders that give old copies lose to one that gives the newest, and a copy that was changed is none', async () => {
  const bob = await street.box(BOB, peers(CAROL, DAVE), { book: freshBook() })
  const carol = await street.box(CAROL, {}, { book: freshBook() })
  const dave = await street.box(DAVE, {}, { book: freshBook() })
  let alice = await street.box(ALICE, peers(BOB, CAROL, DAVE), { book: freshBook() })
  await ready(alice, bob, carol, dave)
  const channel = await opened(alice, bob, BOB, 100n)
  await pay(alice, BOB, 10n)
  await copied()
  const copyAt = (box: Box): Uint8Array => new Uint8Array(box.store.read((tx) => tx.get<{ blob: Uint8Array }>('SELECT blob FROM photon_kept_backup WHERE owner = ?', ALICE.address))?.blob ?? NONE)
  const first = copyAt(carol)
  expect(first.length).toBeGreaterThan(4000)
  await pay(alice, BOB, 10n)
  await pay(bob, ALICE, 5n)
  await copied()
  expect(hexOf(copyAt(carol))).not.toBe(hexOf(first))
  await alice.stop()
  const replace = (box: Box, blob: Uint8Array): Promise<unknown> => box.store.turn((tx) => tx.run('UPDATE photon_kept_backup SET blob = ? WHERE owner = ?', blob, ALICE.address))
  await replace(carol, first)
  await replace(bob, copyAt(bob).map((byte, at) => (at === 900 ? byte ^ 1 : byte)))

  alice = await street.box(ALICE, peers(BOB, CAROL, DAVE), { book: freshBook(), before: restoredByWords })
  await ready(alice)
  await street.until(() => phaseOf(alice, channel) === 'opened')
  expect(alice.desk.channel(channel)).toMatchObject({ own: { spendable: 85n, nonce: 2n }, partner: { nonce: 1n } })
  // It goes on counting behind the newest copy, so that the next one is taken.
  await pay(alice, BOB, 1n)
  await copied()
  expect(hexOf(copyAt(dave))).not.toBe(hexOf(first))
  expect(alarmsOf(alice)).toEqual([])
  await Promise.all([alice.stop(), bob.stop(), carol.stop(), dave.stop()])
})

it('without any copy nothing is sent: the partner’s newest proof is heard, and the channel is closed with it', async () => {
  const bob = await street.box(BOB, {}, { book: freshBook() })
  let alice = await street.box(ALICE, peers(BOB), { book: freshBook() })
  await ready(alice, bob)
  const channel = await opened(alice, bob, BOB, 100n)
  await pay(alice, BOB, 30n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 30n)
  await pay(bob, ALICE, 12n)
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 82n)
  await alice.stop()
  await bob.store.turn((tx) => tx.run('DELETE FROM photon_kept_backup'))

  alice = await street.box(ALICE, peers(BOB), { book: freshBook(), before: restoredByWords })
  await ready(alice)
  const tries: Promise<boolean>[] = []
  await street.until(() => {
    if (alice.desk.channel(channel)?.isConnected === true)
      tries.push(
        pay(alice, BOB, 1n).then(
          () => true,
          () => false,
        ),
      )
    return phaseOf(alice, channel) === 'closing'
  }, 1500)
  expect(tries.length).toBeGreaterThan(0)
  expect(await Promise.all(tries)).not.toContain(true)
  expect(alice.desk.channel(channel)?.partner.nonce).toBe(1n)
  await street.until(() => alice.desk.channel(channel)?.closedBlock != null)
  expect(await postedBy(BOB, channel)).toBe(1n)
  await Promise.all([alice.stop(), bob.stop()])
})

it('both ends come back from nothing: each has its copy, neither has the packets; the channel is closed and the newest proofs count', async () => {
  let bob = await street.box(BOB, peers(CAROL), { book: freshBook() })
  const carol = await street.box(CAROL, {}, { book: freshBook() })
  let alice = await street.box(ALICE, peers(BOB, CAROL), { book: freshBook() })
  await ready(alice, bob, carol)
  const channel = await opened(alice, bob, BOB, 100n)
  await pay(alice, BOB, 40n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 40n)
  await pay(bob, ALICE, 9n)
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 69n)
  await copied()
  await Promise.all([alice.stop(), bob.stop()])
  const fresh = (who: Person, ...others: readonly Person[]): Promise<Box> => street.box(who, peers(...others), { book: freshBook(), before: restoredByWords })
  ;[alice, bob] = [await fresh(ALICE, BOB, CAROL), await fresh(BOB, CAROL)]
  await ready(alice, bob)
  await street.until(() => [alice, bob].every((box) => box.desk.channel(channel) !== null))
  await street.until(() => phaseOf(alice, channel) === 'opened' || phaseOf(alice, channel) === 'closed')
  // Copies of the same moment agree to the last packet: then nothing is missing.
  expect(phaseOf(alice, channel)).toBe('opened')
  await pay(alice, BOB, 5n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 36n)
  await alice.desk.close(channel, false)
  expect(await closedFor(channel, alice, bob)).toEqual([64n, 36n])
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})


it('a key that is older than its book is no loss where the account has never sent anything, and one where it has', async () => {
  const suspected = (tx: Tx): void => noteBirth(tx, { hadKey: true, isRestored: false })
  const bob = await street.box(BOB, {}, { book: freshBook(), before: suspected })
  let alice = await street.box(ALICE, peers(BOB), { book: freshBook() })
  await ready(alice, bob)
  await street.settled(() => alarmsOf(bob).length === 0)
  const channel = await opened(alice, bob, BOB, 100n)
  await pay(alice, BOB, 30n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 30n)
  expect(phaseOf(bob, channel)).toBe('opened')
  await alice.stop()
  alice = await street.box(ALICE, peers(BOB), { book: freshBook(), before: suspected })
  await ready(alice)
  await street.settled(() => alarmsOf(alice).includes('rebuild'))
  expect(alice.desk.channels()).toEqual([])
  await Promise.all([alice.stop(), bob.stop()])
})
