/** Roams and debts in a real file: as they were, moved on after a reboot, and posted in the same turn. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { newAccount, owe } from '../../../src/mesh/roaming/account.ts'
import { takeTicket } from '../../../src/mesh/roaming/held.ts'
import type { HeldRoam } from '../../../src/mesh/roaming/index.ts'
import { createRoamBook } from '../../../src/mesh/roaming/index.ts'
import { LEASE_MS, claimSold, newSoldRoam } from '../../../src/mesh/roaming/sold.ts'
import { roamingMigrations } from '../../../src/mesh/roaming/io/roam-tables.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Tx } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { TOKEN, boxId, guestKey, hashes, macOf } from './village.ts'

const store = openStore({ path: join(mkdtempSync(join(tmpdir(), 'meshbox-roams-')), 'box.sqlite'), migrations: roamingMigrations, log: silentLog })
afterAll(() => store.close())
const time = new FakeTime()
const earned: unknown[] = []
const spent: unknown[] = []
const writtenOff: unknown[] = []
let refuses = false
const book = createRoamBook({
  store,
  clock: time,
  onEarned: (_: Tx, each) => {
    if (refuses) throw new Error('the ledger refuses')
    earned.push(each)
  },
  onWrittenOff: (_: Tx, each) => {
    if (refuses) throw new Error('the ledger refuses')
    writtenOff.push(each)
  },
  onSpent: (_: Tx, each) => {
    if (refuses) throw new Error('the ledger refuses')
    spent.push(each)
  },
})
const ticket = { seller: boxId(0), sessionId: 's-1', mac: macOf(1), bearerHash: hashes.ofKey(guestKey(1)), leftSeconds: 500, leftBytes: 12n, unitsPerMinute: 6n, token: TOKEN, counter: 3, holder: boxId(1), proofAfterSeconds: 30 } as const
const nowMs = time.boottimeMs()
const claimed = claimSold(newSoldRoam(boxId(0), ticket), boxId(0), { claimant: boxId(2), hasProof: true, isNewDevice: false, unitsPerMinute: 5n, homeIdleMs: 0, nowMs })
const held = takeTicket(null, ticket, Buffer.from([1, 2, 255]), nowMs)?.state as HeldRoam
const account = owe(newAccount('holder', boxId(0), TOKEN), 10n ** 30n, 7, nowMs)

it('come back as they were, and can be forgotten', async () => {
  await book.write({ sold: [claimed.state], held: [held], accounts: [account] })
  expect(await book.read()).toEqual({ sold: [claimed.state], held: [{ ...held, first: Uint8Array.of(1, 2, 255) }], accounts: [account] })
})

it('after a reboot mean the same in the new boot: what was written before is moved on once', async () => {
  const before = time.boottimeMs()
  time.reboot('22222222-2222-4333-8444-555555555555', 7000)
  const byMs = 7000 - before
  for (const again of [1, 2]) {
    const { sold, held: back, accounts } = await book.read()
    expect([again, sold[0]?.stays[0]?.beganMs, sold[0]?.stays[0]?.reportedMs, sold[0]?.provedMs]).toEqual([again, nowMs + byMs - LEASE_MS, nowMs + byMs, nowMs + byMs])
    expect(back[0]?.leaseUntilMs).toBe(held.leaseUntilMs + byMs)
    expect(accounts[0]?.openSinceMs).toBe(nowMs + byMs)
  }
})

it('what a neighbour paid is posted with the account, or neither is', async () => {
  const { accounts } = await book.read()
  const after = { ...account, openSinceMs: accounts[0]?.openSinceMs ?? 0, paid: 5n }
  const posting = { seller: boxId(0), token: TOKEN, amount: 5n, total: 5n, reference: hashes.ofKey(boxId(0)), evidence: [Uint8Array.of(1)] }
  refuses = true
  await expect(book.write({ accounts: [after], earned: posting })).rejects.toThrow('the ledger refuses')
  expect((await book.read()).accounts).toEqual(accounts)
  refuses = false
  await book.write({ accounts: [after], earned: posting, forgottenSold: ['s-1'], forgottenHeld: [{ seller: boxId(0), sessionId: 's-1' }] })
  expect(earned).toEqual([posting])
  expect(await book.read()).toEqual({ sold: [], held: [], accounts: [after] })
})

it('what is given up is written and posted, or neither', async () => {
  const posting = { seller: boxId(0), token: TOKEN, amount: 7n, total: 7n, owed: 12n, reference: hashes.ofKey(boxId(0)) }
  const { accounts } = await book.read()
  const [before] = accounts
  if (before === undefined) throw new Error('no account')
  refuses = true
  await expect(book.write({ accounts: [{ ...before, writtenOff: 7n }], writtenOff: posting })).rejects.toThrow('the ledger refuses')
  expect((await book.read()).accounts).toEqual(accounts)
  refuses = false
  await book.write({ accounts: [{ ...before, writtenOff: 7n }], writtenOff: posting })
  expect([writtenOff, (await book.read()).accounts]).toMatchObject([[posting], [{ writtenOff: 7n }]])
})

it('and so is what was paid to one', async () => {
  const { accounts } = await book.read()
  const posting = { holder: boxId(0), token: TOKEN, amount: 4n, total: 9n, reference: hashes.ofKey(boxId(0)) }
  const after = { ...account, role: 'seller' as const, paid: 9n }
  refuses = true
  await expect(book.write({ accounts: [after], spent: posting })).rejects.toThrow('the ledger refuses')
  expect((await book.read()).accounts).toEqual(accounts)
  refuses = false
  await book.write({ accounts: [after], spent: posting })
  expect(spent).toEqual([posting])
  expect((await book.read()).accounts).toContainEqual(after)
})
