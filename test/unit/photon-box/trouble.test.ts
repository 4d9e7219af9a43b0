/** Books from yesterday, chains that take back too much, neighbours that talk nonsense. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { FrameLanes } from '../../../src/photon/box/frame-lanes.ts'
import { MAX_FRAME_BYTES } from '../../../src/photon/node/index.ts'
import { noteOldCopy, photonMigrations } from '../../../src/photon/tables/index.ts'
import { forgetBackupMark, markIfBackup, openStore } from '../../../src/store/index.ts'
import { ledgerMigrations } from '../../../src/ledger/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { person } from '../spectrum/village.ts'
import { MemoryDoor, Net, Street } from './street.ts'

const [ALICE, BOB, MAKER] = [person(750), person(751), person(752)]
const folder = mkdtempSync(join(tmpdir(), 'photon-trouble-'))
afterAll(() => rmSync(folder, { recursive: true }))
const NONE = new Uint8Array(0)

it('a backup put in place learns from the partner what it forgot; a chain that takes back what money rests on stops everything', async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const { token } = street
  const alice = await street.box(ALICE, { peers: [street.peerOf(BOB)] })
  let bob = await street.box(BOB)
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'leaf' })
  await street.until(() => bob.desk.channel(channel)?.isConnected === true && alice.desk.channel(channel)?.isConnected === true)
  const pay = async (amount: bigint): Promise<void> => void (await alice.desk.pay({ target: BOB.address, token, amount, isDirect: true, maxFee: 0n, data: NONE, secretHash: null }))
  await pay(50n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 50n)
  await bob.desk.pay({ target: ALICE.address, token, amount: 1n, isDirect: true, maxFee: 0n, data: NONE, secretHash: null })
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 49n)

  const [book, copy] = [join(folder, `${BOB.address}.db`), join(folder, 'copy.db')]
  await bob.store.backup(copy)
  await pay(30n)
  await bob.desk.pay({ target: ALICE.address, token, amount: 9n, isDirect: true, maxFee: 0n, data: NONE, secretHash: null })
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 70n && alice.desk.channel(channel)?.own.spendable === 230n)
  await bob.stop()
  expect(markIfBackup(book)).toBe(false)

  for (const tail of ['-wal', '-shm']) rmSync(`${book}${tail}`, { force: true })
  renameSync(copy, book)
  expect(markIfBackup(book)).toBe(true)
  const store = openStore({ path: book, migrations: [...ledgerMigrations, ...photonMigrations], log: silentLog })
  // From here on the file says no more that it is one, but the mark does.
  expect(markIfBackup(book)).toBe(true)
  await store.turn(noteOldCopy)
  forgetBackupMark(book)
  await store.close()
  expect(markIfBackup(book)).toBe(false)

  bob = await street.box(BOB)
  expect(bob.desk.channel(channel)).toMatchObject({ own: { nonce: 1n }, isConnected: false })
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 70n && bob.desk.channel(channel)?.isConnected === true)
  expect(bob.desk.channel(channel)).toMatchObject({ own: { nonce: 2n }, alarm: null })
  await bob.desk.pay({ target: ALICE.address, token, amount: 1n, isDirect: true, maxFee: 0n, data: NONE, secretHash: null })
  await street.settled(() => alice.desk.channel(channel)?.own.spendable === 231n)

  // More than 17 blocks are another branch's now.
  street.chain.undo(30)
  await street.chain.mine()
  for (let block = 0; block < 35; block++) await street.chain.mine()
  await street.settled(() => [alice, bob].every((box) => box.desk.status().state === 'halted'))
  expect(alice.desk.status().alarms.map(({ code }) => code)).toEqual(['chain-lost'])
  await expect(alice.desk.pay({ target: BOB.address, token, amount: 5n, isDirect: false, maxFee: 0n, data: NONE, secretHash: null })).resolves.toBeDefined()
  await street.settled(() => alice.desk.payments({ before: null, limit: 1 }).rows[0]?.status === 5)
  await Promise.all([alice.stop(), bob.stop()])
})

it('frames of other rooms go in pieces and come whole; nonsense ends the connection and keeps nothing', async () => {
  const net = new Net()
  const doors = [new MemoryDoor(net, '0x0a'), new MemoryDoor(net, '0x0b')] as const
  for (const door of doors) await door.start()
  const [a, b] = [new FrameLanes(doors[0]), new FrameLanes(doors[1])]
  await doors[0].dial('/memory/0x0b')
  const came: { readonly lane: string; readonly bytes: Uint8Array }[] = []
  b.watch.onFrame((_from, bytes) => void came.push({ lane: 'watch', bytes }))
  b.gossip.onFrame((_from, bytes) => void came.push({ lane: 'gossip', bytes }))
  b.payments.onFrame((_from, bytes) => void came.push({ lane: 'payments', bytes }))
  const random = seededRandom(5)
  const arrived = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  const frames = [1, 1197, 1198, 1199, 5000, 65_000].map((length) => random.bytes(length))
  for (const frame of frames) {
    a.watch.send('0x0b', frame)
    a.gossip.send('0x0b', frame.subarray(0, 3))
    a.payments.send('0x0b', Uint8Array.of(0x43, 1, 2))
  }
  await arrived()
  expect(came.filter(({ lane }) => lane === 'watch').map(({ bytes }) => bytes)).toEqual(frames)
  expect(came.filter(({ lane }) => lane === 'gossip')).toHaveLength(frames.length)
  expect(came.filter(({ lane }) => lane === 'payments')).toHaveLength(frames.length)

  for (const nonsense of [[0xf1], [0xf1, 0], [0xf1, 2, 5], [0xf0, 255], [0xf1, 1, 5], [0xf0, 1, ...new Array<number>(1197).fill(7)]]) {
    if (!a.isConnected('0x0b')) await doors[0].dial('/memory/0x0b')
    doors[0].send('0x0b', Uint8Array.from(nonsense))
    await arrived()
    expect([nonsense, b.isConnected('0x0a')]).toEqual([nonsense, false])
  }
  // Pieces without end are cut off at the longest frame there is.
  await doors[0].dial('/memory/0x0b')
  let pieces = 0
  while (b.isConnected('0x0a') && pieces < 200) {
    doors[0].send('0x0b', Uint8Array.from([0xf1, 1, ...random.bytes(MAX_FRAME_BYTES - 2)]))
    await arrived()
    pieces++
  }
  expect(pieces).toBeGreaterThan(50)
  expect(pieces).toBeLessThan(60)
})
