/** Buying upstream: never twice for one order, never above the day's cap, whatever fails and whenever the box dies. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import { createResellerBook, uplinkMigrations } from '../../../src/mesh/uplinks/io/reseller-table.ts'
import { NO_RESELLER_RECORD, resumeReseller, stepReseller } from '../../../src/mesh/uplinks/reseller.ts'
import type { Reseller, ResellerInput, ResellerLimits, ResellerRecord, UpstreamOrder, UpstreamSeller } from '../../../src/mesh/uplinks/reseller.ts'
import { UpstreamPurse } from '../../../src/mesh/uplinks/upstream-purse.ts'
import { openStore } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const OFFER = { payee: `0x${'11'.repeat(20)}`, token: `0x${'22'.repeat(20)}`, unitsPerMinute: 7n, minSeconds: 60, maxSeconds: 3600, leftSeconds: 0 } as const
const limits = (cap: bigint): ResellerLimits => ({ cap, maxUnitsPerMinute: 7n })
const reference = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`
const DAY_MS = 86_400_000

it('any course: what sellers took is within the cap of each day, and each order was taken once', () => {
  const event = fc.record({ kind: fc.constantFrom('tick', 'offer', 'bought', 'lost-answer', 'refused', 'crash'), passedMs: fc.integer({ min: 1, max: 4_000_000 }) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const cap = 200n
      let disk: ResellerRecord = NO_RESELLER_RECORD
      let state: Reseller = resumeReseller(disk, limits(cap), 0)
      const taken = new Map<string, { readonly amount: bigint; readonly ageMs: number }>()
      let atSeller: UpstreamOrder | null = null
      let [nowMs, references] = [0, 0]
      const input = (each: ResellerInput): void => {
        const step = stepReseller(state, each)
        state = step.state
        for (const effect of step.effects) {
          if (effect.kind === 'write') disk = { order: state.order, ageMs: state.ageMs, dayBeganAgeMs: state.dayBeganAgeMs, spentInDay: state.spentInDay, spentInAll: state.spentInAll }
          if (effect.kind === 'buy') {
            expect(disk.order).toEqual(effect.order)
            atSeller = effect.order
          }
        }
      }
      const take = (): void => {
        if (atSeller !== null && !taken.has(atSeller.reference)) taken.set(atSeller.reference, { amount: atSeller.amount, ageMs: state.ageMs })
      }
      for (const { kind, passedMs } of events) {
        nowMs += passedMs
        if (kind === 'tick') input({ kind: 'tick', nowMs, isWanted: true, isDown: false })
        if (kind === 'offer') input({ kind: 'offered', terms: OFFER, newReference: reference(++references), nowMs })
        if (kind === 'bought' && state.doing === 'ordering') {
          take()
          input({ kind: 'bought', leftSeconds: 600, nowMs })
        }
        if (kind === 'lost-answer' && state.doing === 'ordering') {
          take()
          input({ kind: 'failed', isCertain: false, reason: 'no answer', nowMs })
        }
        if (kind === 'refused' && state.doing === 'ordering' && !taken.has(state.order?.reference ?? '')) input({ kind: 'failed', isCertain: true, reason: 'no', nowMs })
        if (kind === 'crash') {
          state = resumeReseller(disk, limits(cap), nowMs)
          atSeller = disk.order
        }
        expect(state.spentInDay).toBeLessThanOrEqual(cap)
        const sum = [...taken.values()].reduce((all, each) => all + each.amount, 0n)
        expect(sum).toBeLessThanOrEqual(state.spentInAll)
        expect(sum).toBeLessThanOrEqual(cap * BigInt(Math.floor(nowMs / DAY_MS) + 1))
      }
    }),
  )
})

it('says that the day is spent, and goes on when the next one comes', () => {
  let state = resumeReseller({ ...NO_RESELLER_RECORD, spentInDay: 150n }, limits(200n), 0)
  const input = (each: ResellerInput): void => {
    state = stepReseller(state, each).state
  }
  input({ kind: 'tick', nowMs: 0, isWanted: true, isDown: false })
  input({ kind: 'offered', terms: OFFER, newReference: reference(1), nowMs: 10 })
  expect(state).toMatchObject({ isCapped: true, order: null, reason: expect.stringContaining('200') })
  input({ kind: 'tick', nowMs: DAY_MS, isWanted: true, isDown: false })
  input({ kind: 'offered', terms: OFFER, newReference: reference(2), nowMs: DAY_MS })
  expect(state).toMatchObject({ isCapped: false, spentInDay: 70n, order: { seconds: 600, amount: 70n } })
})

it('asks before it pays: what it still has is not bought again, what is too dear is not bought, and who gives less than was paid gets no more', () => {
  let state = resumeReseller(NO_RESELLER_RECORD, limits(1000n), 0)
  const input = (each: ResellerInput): readonly string[] => {
    const step = stepReseller(state, each)
    state = step.state
    return step.effects.map(({ kind }) => kind)
  }
  const ask = (nowMs: number, terms: Partial<typeof OFFER> | { readonly unitsPerMinute: bigint } | { readonly leftSeconds: number }, isDown = false): readonly string[] => {
    expect(input({ kind: 'tick', nowMs, isWanted: true, isDown })).toEqual(['ask'])
    return input({ kind: 'offered', terms: { ...OFFER, ...terms }, newReference: reference(nowMs), nowMs })
  }
  // As after a restart: the hotspot knows what this box has.
  expect(ask(0, { leftSeconds: 300 })).toEqual([])
  expect(state).toMatchObject({ paidUntilMs: 300_000, spentInDay: 0n, reason: 'paid' })
  expect(input({ kind: 'tick', nowMs: 20_000, isWanted: true, isDown: false })).toEqual([])
  // It works no more: asked, though it is paid.
  expect(ask(30_000, { unitsPerMinute: 8n }, true)).toEqual([])
  expect(state.reason).toContain('max_price_per_minute')
  expect(ask(50_000, {})).toEqual(['write', 'buy'])
  expect(input({ kind: 'bought', leftSeconds: 0, nowMs: 51_000 })).toEqual(['write'])
  expect([state.paidUntilMs, state.spentInDay]).toEqual([51_000, 70n])
  for (const nowMs of [70_000, 300_000, 590_000]) {
    expect(ask(nowMs, {})).toEqual([])
    expect(state.reason).toContain('gave less')
  }
  expect(ask(51_000 + 540_000 + 15_000, {})).toEqual(['write', 'buy'])
})

it('buys nothing where nothing may be spent, and goes on when its owner allows more', async () => {
  const time = new FakeTime()
  let cap = 0n
  const seller: UpstreamSeller = { offer: () => Promise.resolve(OFFER), buy: () => Promise.resolve({ leftSeconds: 600 }) }
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-upstream-'))
  const store = openStore({ path: join(folder, 'box.sqlite'), migrations: uplinkMigrations, log: silentLog })
  const purse = new UpstreamPurse({ uplink: 'wifi', interfaceName: 'wlan1', limits: () => limits(cap), seller, book: createResellerBook(store, () => undefined), clock: time, randomness: seededRandom(1), log: silentLog })
  purse.tick(true, true)
  expect(purse.view()).toMatchObject({ isSpent: true, reason: expect.stringContaining('upstream_cap is 0') })
  cap = 70n
  purse.tick(false, true)
  expect(purse.isSpent()).toBe(false)
  purse.tick(true, true)
  await expect.poll(() => purse.view()).toMatchObject({ reason: 'paid', spentInDay: 70n, cap: 70n, isSpent: false })
  await store.close()
  rmSync(folder, { recursive: true })
})

it('with a real file: an order whose answer was lost comes again after a restart, with the same reference, and is paid once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-upstream-'))
  const path = join(folder, 'box.sqlite')
  const time = new FakeTime()
  const orders: string[] = []
  const booked: string[] = []
  let isBroken = true
  const seller: UpstreamSeller = {
    offer: () => Promise.resolve(OFFER),
    buy(_, order) {
      orders.push(order.reference)
      return isBroken ? Promise.reject(new MeshBoxError('unavailable', 'no answer', { code: 'gone' })) : Promise.resolve({ leftSeconds: 600 })
    },
  }
  const open = (): { purse: UpstreamPurse; close: () => Promise<void> } => {
    const store = openStore({ path, migrations: uplinkMigrations, log: silentLog })
    return { purse: new UpstreamPurse({ uplink: 'wifi', interfaceName: 'wlan1', limits: () => limits(1000n), seller, book: createResellerBook(store, (_tx, _uplink, order) => void booked.push(order.reference)), clock: time, randomness: seededRandom(1), log: silentLog }), close: () => store.close() }
  }
  const turns = async (purse: UpstreamPurse): Promise<void> => {
    for (let turn = 0; turn < 40; turn++) {
      purse.tick(true, false)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const first = open()
  await turns(first.purse)
  await expect.poll(() => orders.length).toBe(1)
  await first.close()
  isBroken = false
  const second = open()
  await turns(second.purse)
  await expect.poll(() => second.purse.view().paidUntilMs).not.toBeNull()
  expect(new Set(orders).size).toBe(1)
  expect(orders).toHaveLength(2)
  expect(second.purse.view()).toMatchObject({ spentInDay: 70n, reason: 'paid' })
  expect(booked).toEqual([orders[0]])
  await second.close()
  rmSync(folder, { recursive: true })
})
