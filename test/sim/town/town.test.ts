/**
 * Thirty days of a town with random failures of everything, every book audited after each. MESHBOX_TOWN_DAYS and MESHBOX_TOWN_SEEDS: longer, and more of them;
 * MESHBOX_TOWN_SEED: the first one, to see a run again.
 */
import { describe, expect, it } from 'vitest'
import type { CheckName } from '../../../src/audit/index.ts'
import { Town } from './town.ts'

const DAYS = Number(process.env['MESHBOX_TOWN_DAYS'] ?? 30)
const SEEDS = Number(process.env['MESHBOX_TOWN_SEEDS'] ?? 1)
const FIRST = Number(process.env['MESHBOX_TOWN_SEED'] ?? 1)

/** What every audit of the town has something to look at for; of the others: why there is nothing. */
const CHECKS: Readonly<Record<CheckName, null | string>> = {
  'ledger-balance': null,
  'ledger-totals': null,
  'ledger-days': null,
  'ledger-shares': null,
  voucher: null,
  'session-unserved': null,
  'session-unpaid': null,
  stream: null,
  'stream-unpaid': null,
  'stream-claimed': null,
  'top-up': 'no codes worth tokens are sold: test/sim/stream-crash.test.ts',
  channel: null,
  guarantee: null,
  exposure: null,
  history: null,
  outbox: null,
  chain: null,
  'chain-sum': null,
  settled: 'no channel ends: test/sim/photon',
  carriage: null,
  roaming: null,
  'receipt-postings': null,
  'uplink-twice': null,
  receipts: null,
  'tenant-sums': null,
  'tenant-credit': null,
  payout: 'nobody is paid out: test/sim/payout-kill.test.ts',
}

/** Some 90 s of CPU; on a busy machine that is many minutes. */
const TIMEOUT_MS = 3_600_000 * SEEDS

describe.each(Array.from({ length: SEEDS }, (_, index) => FIRST + index))('town %i', (seed) => {
  it(`${DAYS} days: after each, no book has a difference, and both ends of every channel say the same`, async () => {
    const town = new Town(seed)
    try {
      await town.start()
      while (town.day < DAYS && town.problems.length === 0) await town.liveADay()
      expect(town.problems).toEqual([])
      // It was worth something, and it was hard.
      for (const box of town.boxes) {
        expect(box.sold).toBeGreaterThan(0)
        expect(box.fCnt).toBeGreaterThan(0)
        expect(box.deaths).toBeGreaterThan(DAYS)
        expect(box.paying.earned()).toBeGreaterThan(0n)
        expect(box.paying.claimed()).toBeGreaterThan(0n)
        for (const source of ['hotspot:voucher', 'iot:uplink', 'iot:payment']) expect([source, box.entriesOf(source) > 0]).toEqual([source, true])
      }
      for (const [check, why] of Object.entries(CHECKS)) expect([check, (town.looked.get(check as CheckName) ?? 0) > 0]).toEqual([check, why === null])
      expect(town.boxes[1]?.entriesOf('photon:fee')).toBeGreaterThan(0)
      expect(town.routed.done.paid).toBeGreaterThan(DAYS / 2)
      expect(town.routed.done.failed).toBeGreaterThan(0)
      for (const box of town.boxes) expect(box.entriesOf('mesh:relay')).toBeGreaterThan(0)
      expect(town.wire.lost).toBeGreaterThan(0)
      expect(town.walkers.visitSeconds).toBeGreaterThan(DAYS * 60)
      expect(town.boxes.reduce((sum, box) => sum + box.entriesOf('mesh:roaming'), 0)).toBeGreaterThan(0)
      expect(town.boxes.reduce((sum, box) => sum + box.ticketedStays, 0)).toBeGreaterThan(0)
      if (DAYS >= 30) for (const trouble of ['power', 'service', 'disk full', 'chain frozen', 'server away', 'clock jumped', 'wire cut', 'off for a while', 'lying meter', 'way out away']) expect([trouble, (town.troubles.get(trouble) ?? 0) > 0]).toEqual([trouble, true])
    } finally {
      await town.dispose()
    }
  }, TIMEOUT_MS)
})
