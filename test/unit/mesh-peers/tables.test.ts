/** What is remembered of boxes, in a real file: addresses, bans of both kinds, and how much of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { createPeerShelf, peerMigrations } from '../../../src/mesh/peers/io/tables.ts'
import { MAX_BANNED, MAX_REMEMBERED, PeerBook } from '../../../src/mesh/peers/peer-book.ts'
import { FIRST_BAN_MS } from '../../../src/mesh/peers/penalties.ts'
import type { BoxId } from '../../../src/mesh/ports.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'

const box = (n: number): BoxId => `0x${n.toString(16).padStart(40, '0')}`
const facts = { name: 'Dach süd', peerId: '12D3Koo', side: 'mesh' as const }

let dir: string
let store: Store
let time: FakeTime
const failures: unknown[] = []

function open(): PeerBook {
  store = openStore({ path: join(dir, 'box.db'), migrations: peerMigrations, log: silentLog })
  return new PeerBook(createPeerShelf(store), time, (error) => failures.push(error))
}

async function reopened(): Promise<PeerBook> {
  await store.close()
  return open()
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'peers-'))
  time = new FakeTime()
  failures.length = 0
})
afterEach(async () => {
  await store.close()
  rmSync(dir, { recursive: true })
  expect(failures).toEqual([])
})

describe('on disk', () => {
  it('are the address that was good last and both kinds of ban', async () => {
    const book = open()
    book.met(box(1), facts)
    book.keep(box(1), '/ip6/fd00::1/tcp/1')
    book.keep(box(1), '/ip6/fd00::2/tcp/1')
    book.met(box(1), facts)
    book.met(box(4), facts)
    book.penalise(box(2), 100, 'a flood')
    await book.ban(box(3), 'the owner says so')
    await store.turn(() => undefined)
    time.advance(1000)

    const again = await reopened()
    expect(again.get(box(1))).toMatchObject({ address: '/ip6/fd00::2/tcp/1', name: 'Dach süd', side: 'mesh' })
    expect(again.get(box(4))).toBeNull() // it came and went: nothing that is worth a write
    expect([again.isBanned(box(1)), again.isBanned(box(2)), again.isBanned(box(3))]).toEqual([false, true, true])
    time.advance(FIRST_BAN_MS - 1000)
    expect([again.isBanned(box(2)), again.isBanned(box(3))]).toEqual([false, true])
    // The second ban of one that was banned before the restart is longer.
    again.penalise(box(2), 100, 'again')
    time.advance(FIRST_BAN_MS)
    expect(again.isBanned(box(2))).toBe(true)
  })

  it('a pardon takes everything back, also after a restart', async () => {
    const book = open()
    await book.ban(box(3), 'the owner says so')
    await book.pardon(box(3))
    expect(book.isBanned(box(3))).toBe(false)
    const again = await reopened()
    expect(again.isBanned(box(3))).toBe(false)
    await again.pardon(box(77))
    expect(again.get(box(77))).toBeNull()
  })

  it('is bounded: who was seen longest ago goes, the owner’s bans stay', async () => {
    const book = open()
    await book.ban(box(9_999_999), 'the owner says so')
    for (let n = 1; n <= MAX_REMEMBERED + 20; n++) {
      book.met(box(n), facts)
      book.keep(box(n), `/ip6/fd00::1/tcp/${n}`)
    }
    for (let n = 1; n <= MAX_BANNED + 20; n++) book.penalise(box(10_000 + n), 100, 'a flood')
    expect(book.all()).toHaveLength(1 + MAX_REMEMBERED + MAX_BANNED)
    await store.turn(() => undefined)
    const again = await reopened()
    expect(again.all()).toHaveLength(1 + MAX_REMEMBERED + MAX_BANNED)
    expect(again.get(box(20))).toBeNull()
    expect(again.get(box(21))).not.toBeNull()
    expect(again.isBanned(box(9_999_999))).toBe(true)
  })
})
