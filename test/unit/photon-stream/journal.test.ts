/** The journals on real files and a real database: what a kill and a power cut leave. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { FlashJournal, PollingPeer, channelOf, recordOf } from '../../../src/photon/stream/index.ts'
import { newChannel } from '../../../src/photon/stream/payee/channel.ts'
import { streamMigrations } from '../../../src/photon/stream/io/journal.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { ANNA, Page, Town, accountOf, address, pass, settle } from './stream-town.ts'

let dir: string
let store: Store
const fast = (): string => join(dir, 'tmpfs', 'streams')
const open = (): FlashJournal => new FlashJournal(store, fast())
const record = (value: bigint, payer = ANNA): string => recordOf({ ...newChannel(accountOf(payer)), final: value })
const finals = (journal: FlashJournal): bigint[] => journal.load().map(({ record: text }) => channelOf(text).final)

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshbox-stream-'))
  store = openStore({ path: join(dir, 'box.sqlite'), migrations: streamMigrations, log: silentLog })
})
afterEach(async () => {
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

it('a record reads back as it was, in mid-session and after', async () => {
  const town = new Town()
  const page = new Page(town)
  page.act('start')
  await pass(town, 70, page)
  const before = town.journal.load()[0]?.record
  expect(recordOf(channelOf(before as string))).toBe(before)
  page.act('stop')
  await settle(town)
  const after = town.journal.load()[0]?.record
  expect(recordOf(channelOf(after as string))).toBe(after)
  expect(channelOf(after as string).session?.phase).toBe('over')
})

it('says what of it a power cut would leave', async () => {
  const journal = open()
  const isOnFlash = (): boolean[] => open().load().map((one) => one.isOnFlash)
  await journal.writeFlash(new Map([['a', record(1n)]]))
  expect(isOnFlash()).toEqual([true])
  journal.noteFast(new Map([['a', record(1n)]]))
  expect(isOnFlash()).toEqual([false])
  await journal.writeFlash(new Map([['a', record(2n)]]))
  expect(isOnFlash()).toEqual([true])
})

it('after a kill the newer of both counts, after a power cut what flash has', async () => {
  const journal = open()
  expect(journal.load()).toEqual([])
  await journal.writeFlash(new Map([['a', record(1n)]]))
  journal.noteFast(new Map([['a', record(2n)], ['b', record(5n, address('e'))]]))
  expect(finals(open())).toEqual([2n, 5n])
  await journal.writeFlash(new Map([['a', record(3n)]]))
  expect(finals(open())).toEqual([3n, 5n])
  rmSync(join(dir, 'tmpfs'), { recursive: true })
  expect(finals(open())).toEqual([3n])
})

it('a line that was cut off is left out, and the one before counts', () => {
  const journal = open()
  journal.load()
  journal.noteFast(new Map([['a', record(2n)]]))
  const whole = readFileSync(fast(), 'utf8')
  appendFileSync(fast(), whole.replace(/^\d+/, '9').slice(0, 60))
  expect(finals(open())).toEqual([2n])
})

it('the file on tmpfs does not grow without end', () => {
  const journal = open()
  journal.load()
  for (let round = 0; round < 9000; round++) journal.noteFast(new Map([['a', record(BigInt(round))]]))
  expect(statSync(fast()).size).toBeLessThan(5 * 1024 * 1024)
  expect(finals(open())).toEqual([8999n])
})

it('what is no record of ours is said to be none', () => {
  expect(() => channelOf('{"format":9}')).toThrow(/stream record of format 1/)
  expect(() => channelOf('{')).toThrow(/one line of JSON/)
})

it('a guest without WebSocket is kept what he was sent, within bounds', () => {
  const peer = new PollingPeer('phone')
  for (let round = 0; round < 100; round++) peer.send(new Uint8Array(1000).fill(round))
  const taken = peer.take()
  expect(taken.length).toBe(16_000)
  expect(taken[15_999]).toBe(99)
  expect(peer.take()).toHaveLength(0)
})
