/** What being carried may cost in a day: the cap holds over restarts and reboots, and ends after a day that the box ran. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { orderMigrations } from '../../../src/mesh/metering/index.ts'
import { DAY_MS, DayPurse } from '../../../src/mesh/metering/day-purse.ts'
import { openStore } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { MIB, Village } from './village.ts'

const undo: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each()
})

describe('a day', () => {
  it('is of running time, is kept over reboots, and begins anew', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'mesh-day-'))
    undo.push(() => rmSync(dir, { recursive: true, force: true }))
    const store = openStore({ path: join(dir, 'box.db'), migrations: orderMigrations, log: silentLog })
    undo.push(() => store.close())
    const time = new FakeTime()
    const purse = (): DayPurse => {
      const made = new DayPurse(store, time)
      made.load()
      return made
    }
    const first = purse()
    expect(first.refusal(0n, 0n)).toMatch(/spend_per_day is 0/)
    expect(first.refusal(100n, 99n)).toBeNull()
    expect(first.refusal(100n, 100n)).toMatch(/cap is reached/)
    await store.turn((tx) => first.spend(tx, 70n))
    first.spent(70n)
    time.advance(DAY_MS / 2)
    await first.keep()
    time.reboot('22222222-2222-4333-8444-555555555555')
    const second = purse()
    expect(second.view()).toEqual({ spent: 70n, leftMs: DAY_MS / 2 })
    expect(second.refusal(100n, 30n)).toMatch(/100 units of 100 units/)
    time.advance(DAY_MS / 2 - 1)
    expect(second.refusal(100n, 30n)).not.toBeNull()
    time.advance(1)
    expect(second.view()).toEqual({ spent: 0n, leftMs: DAY_MS })
    expect(second.refusal(100n, 30n)).toBeNull()
  })
})

describe('a client at its cap', () => {
  it('buys nothing more, pays what it owes, and buys again the next day', async () => {
    const village = await Village.line(0n, 100n)
    undo.push(() => village.remove())
    const [a, b] = [village.box(0), village.box(1)]
    a.relayTerms = { maxDebt: 0n, settleAmount: 100n, spendPerDay: 1000n }
    await village.rounds(8)
    expect(a.view('client', b).state).toBe('running')
    let bytes = 0n
    await village.rounds(40, () => {
      const passed = village.carry([a, b], MIB, MIB)
      bytes += passed.up + passed.down
    })
    await village.rounds(20)
    expect(a.view('client', b)).toMatchObject({ state: 'ended', reason: expect.stringMatching(/cap is reached/) as unknown })
    const paid = village.bank.total(a.account, b.account)
    // What was carried until the cap was seen: all that both had agreed on, and at most one reading was under way.
    const carried = (bytes * 100n) / MIB
    expect(carried - paid).toBeLessThanOrEqual(200n)
    expect(paid).toBeGreaterThanOrEqual(1000n)
    expect(paid).toBeLessThanOrEqual(1200n)
    await a.restart()
    await village.rounds(12, () => void village.carry([a, b], MIB, MIB))
    expect(village.bank.total(a.account, b.account)).toBe(paid)
    expect(a.desk.refusals().get(b.id)).toMatch(/cap is reached/)
    village.time.advance(DAY_MS)
    await village.rounds(12)
    expect(a.view('client', b).state).toBe('running')
  })

  it('is carried for nothing where nothing is asked', async () => {
    const village = await Village.line(0n, 0n)
    undo.push(() => village.remove())
    const [a, b] = [village.box(0), village.box(1)]
    a.relayTerms = { maxDebt: 0n, settleAmount: 100n, spendPerDay: 0n }
    await village.rounds(8)
    expect(a.view('client', b).state).toBe('running')
  })
})
