/** Buying upstream: never twice for one order, never above the day's cap, whatever fails and whenever the box dies. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import { createResellerBook, uplinkMigrations } from '../../../src/mesh/uplinks/io/reseller-table.ts'
import { NO_RESELLER_RECORD, resumeReseller, stepReseller } from '../../../src/mesh/uplinks/reseller.ts'
import type { Reseller, ResellerInput, ResellerRecord, UpstreamOrder, UpstreamSeller } from '../../../src/mesh/uplinks/reseller.ts'
import { UpstreamPurse } from '../../../src/mesh/uplinks/upstream-purse.ts'
import { openStore } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const OFFER = { payee: `0x${'11'.repeat(20)}`, token: `0x${'22'.repeat(20)}`, unitsPerMinute: 7n, minSeconds: 60, maxSeconds: 3600 } as const
const reference = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`
const DAY_MS = 86_400_000

it('any course: what sellers took is within the cap of each day, and each order was taken once', () => {
  const event = fc.record({ kind: fc.constantFrom('tick', 'offer', 'bought', 'lost-answer', 'refused', 'crash'), passedMs: fc.integer({ min: 1, max: 4_000_000 }) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const cap = 200n
      let disk: ResellerRecord = NO_RESELLER_RECORD
      let state: Reseller = resumeReseller(disk, cap, 0)
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
        if (kind === 'tick') input({ kind: 'tick', nowMs, isWanted: true })
        if (kind === 'offer') input({ kind: 'offered', offer: OFFER, newReference: reference(++references), nowMs })
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
          state = resumeReseller(disk, cap, nowMs)
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
  let state = resumeReseller({ ...NO_RESELLER_RECORD, spentInDay: 150n }, 200n, 0)
  const input = (each: ResellerInput): void => {
    state = stepReseller(state, each).state
  }
  input({ kind: 'tick', nowMs: 0, isWanted: true })
  input({ kind: 'offered', offer: OFFER, newReference: reference(1), nowMs: 10 })
  expect(state).toMatchObject({ isCapped: true, order: null, reason: expect.stringContaining('200') })
  input({ kind: 'tick', nowMs: DAY_MS, isWanted: true })
  input({ kind: 'offered', offer: OFFER, newReference: reference(2), nowMs: DAY_MS })
  expect(state).toMatchObject({ isCapped: false, spentInDay: 70n, order: { seconds: 600, amount: 70n } })
})

it('with a real file: an order whose answer was lost comes again after a restart, with the same reference, and is paid once', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'meshbox-upstream-')), 'box.sqlite')
  const time = new FakeTime()
  const orders: string[] = []
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
    return { purse: new UpstreamPurse({ uplink: 'wifi', interfaceName: 'wlan1', cap: 1000n, seller, book: createResellerBook(store), clock: time, randomness: seededRandom(1), log: silentLog }), close: () => store.close() }
  }
  const turns = async (purse: UpstreamPurse): Promise<void> => {
    for (let turn = 0; turn < 40; turn++) {
      purse.tick(true)
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
  await second.close()
})
