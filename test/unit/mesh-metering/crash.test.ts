/**
 * The process dies at every commit of a whole story, before it and behind it, at either end; and power goes with the
 * counters. Nothing is billed or paid twice, and nothing that both ends agreed on is forgotten.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { PARTS_PER_UNIT } from '../../../src/mesh/metering/index.ts'
import { MIB, Village } from './village.ts'
import type { VillageBox } from './village.ts'

const PRICE = 90n
/** Each kind of commit is among the first; more by MESHBOX_CRASH_COMMITS. */
const COMMITS = Number(process.env.MESHBOX_CRASH_COMMITS ?? 7)
let village: Village
afterEach(() => village.remove())

/** A pays B round by round, each time it owes a unit; who died comes back after its round. */
async function story(prepare: (a: VillageBox, b: VillageBox) => void, comeBack: (box: VillageBox) => Promise<void> = (box) => box.restart()): Promise<bigint> {
  village = await Village.line(0n, PRICE)
  const [a, b] = [village.box(0), village.box(1)]
  for (const box of village.boxes) box.relayTerms = { maxDebt: 0n, settleAmount: 1n, spendPerDay: 1n << 90n }
  prepare(a, b)
  let bytes = 0n
  for (let round = 0; round < 18; round++) {
    if (round < 11) {
      const passed = village.carry([a, b], MIB / 3n, MIB)
      bytes += passed.up + passed.down
    }
    await village.rounds(1)
    for (const box of village.boxes) if (box.isDead) await comeBack(box)
  }
  return bytes
}

function expectPaidOnce(bytes: bigint): void {
  const [a, b] = [village.box(0), village.box(1)]
  const paid = village.bank.total(a.account, b.account)
  expect(paid).toBe((bytes * PRICE) / PARTS_PER_UNIT)
  expect(a.booked()).toEqual({ earned: 0n, cost: paid })
  expect(b.booked()).toEqual({ earned: paid, cost: 0n })
  expect(b.view('carrier', a).owed).toBe(paid)
  expect(a.view('client', b).owed).toBe(paid)
}

it('the story without a crash makes so many commits', async () => {
  const bytes = await story(() => undefined)
  expect(bytes).toBeGreaterThan(6n * MIB)
  expectPaidOnce(bytes)
  expect(village.bank.paid.size).toBeGreaterThan(5)
  expect(village.box(0).commits).toBeGreaterThan(COMMITS)
  expect(village.box(1).commits).toBeGreaterThan(COMMITS - 4)
})

const DEATHS = (['client', 'carrier'] as const).flatMap((who) => (['before', 'after'] as const).flatMap((when) => Array.from({ length: COMMITS }, (_, at) => [who, when, at + 1] as const)))

describe('nothing is paid or booked twice, and nothing forgotten', () => {
  it.each(DEATHS)('when the %s dies %s its commit %s', async (who, when, at) => {
    let dying: VillageBox | null = null
    const bytes = await story((a, b) => {
      dying = who === 'client' ? a : b
      // Counted from here: the first advert and its like are behind it.
      dying.crash = { commits: dying.commits + at, when }
    })
    expectPaidOnce(bytes)
  })

  it('when both die again and again', async () => {
    const bytes = await story((a, b) => {
      a.crash = { commits: a.commits + 4, when: 'after' }
      b.crash = { commits: b.commits + 5, when: 'before' }
    }, async (box) => {
      await box.restart()
      if (village.time.boottimeMs() < 1_000_000 + 40_000) box.crash = { commits: box.commits + 3, when: box.index === 0 ? 'before' : 'after' }
    })
    expectPaidOnce(bytes)
  })
})

it.each(['client', 'carrier'] as const)('power goes at the %s: what was agreed on stays owed, what it had counted since its last reading is lost', async (who) => {
  village = await Village.line(0n, PRICE)
  const [a, b] = [village.box(0), village.box(1)]
  await village.rounds(8)
  let bytes = 0n
  const carry = (): void => {
    const passed = village.carry([a, b], MIB, MIB)
    bytes += passed.up + passed.down
  }
  await village.rounds(7, carry)
  const agreed = b.view('carrier', a).owed
  expect(agreed).toBe((bytes * PRICE) / PARTS_PER_UNIT)
  carry() // counted by nobody when the power goes
  await (who === 'client' ? a : b).reboot()
  await village.rounds(8, carry)
  await village.rounds(20)
  const owed = b.view('carrier', a).owed
  expect(owed).toBeGreaterThanOrEqual(agreed + ((bytes - 2n * MIB - (agreed * PARTS_PER_UNIT) / PRICE) * PRICE) / PARTS_PER_UNIT - 1n)
  expect(owed).toBeLessThanOrEqual((bytes * PRICE) / PARTS_PER_UNIT)
  expect(a.view('client', b).owed).toBe(owed)
  expect(village.bank.total(a.account, b.account)).toBe(owed)
  expect(b.booked().earned).toBe(owed)
  expect(b.view('carrier', a).state).toBe('running')
})

it('a disk that takes nothing for a while: nothing is said that is not on it, and it goes on', async () => {
  village = await Village.line(0n, PRICE)
  const [a, b] = [village.box(0), village.box(1)]
  await village.rounds(8)
  let bytes = 0n
  await village.rounds(6, () => {
    const passed = village.carry([a, b], 0n, MIB)
    bytes += passed.down
  })
  village.bank.isShut = true
  await village.rounds(3)
  village.bank.isShut = false
  await village.rounds(20)
  expectPaidOnce(bytes)
})
