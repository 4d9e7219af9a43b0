/** A payout is never for more than is owed when it is made, whatever lies behind the lines that one statement takes; and what is owed is paid in the end. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { momentOf } from '../../../src/base/index.ts'
import { cutOf } from '../../../src/payout/cut.ts'
import { verifyStatements } from '../../../src/payout/statement/index.ts'
import type { PayoutSettings } from '../../../src/payout/index.ts'
import { ANNA, HILL, openPayoutBox, owedTo } from '../../support/payout-box.ts'
import type { PayoutBox } from '../../support/payout-box.ts'

const ACCOUNT = 'investor:anna'
const ANYBODY = { box: null, to: null, partsPerMillion: null }
let boxes: PayoutBox[] = []
async function opened(changes: Partial<PayoutSettings> = {}): Promise<PayoutBox> {
  const box = await openPayoutBox(changes)
  boxes.push(box)
  return box
}
afterEach(async () => {
  for (const box of boxes) await box.close()
  boxes = []
})
const payees = [{ account: ACCOUNT, address: ANNA }]

/** So many earnings in one turn, of which anna has a quarter. Resolves with their entries. */
function earnMany(box: PayoutBox, count: number, amount: bigint, name = 'm'): Promise<number[]> {
  return box.store.turn((tx) => Array.from({ length: count }, (_unused, at) => box.ledger.earn(tx, { source: 'hotspot:voucher', token: 'SMT', amount, from: 'cash:vouchers', evidence: { type: 'voucher', id: `${name}${at}` }, at: momentOf(box.time) })))
}

function takeBack(box: PayoutBox, entry: number, amount: bigint): Promise<number> {
  return box.store.turn((tx) => box.ledger.reverse(tx, entry, amount, { type: 'refund', id: `of ${entry}` }, momentOf(box.time)))
}

describe('more lines than one look takes', () => {
  it('are not paid again where they were paid in cash', async () => {
    const box = await opened({ threshold: 1n, payees: [] })
    await earnMany(box, 5000, 40n)
    await box.payouts.note({ account: ACCOUNT, token: null, amount: 50_000n, memo: 'in cash' })
    box.settings = { ...box.settings, payees }
    await expect(box.payouts.payNow(ACCOUNT, null)).rejects.toMatchObject({ code: 'payout-dust' })
    await box.earn(40n)
    await box.settle()
    expect([box.channels.paidTo(ANNA), owedTo(box, ACCOUNT)]).toEqual([10n, 0n])
    const check = verifyStatements(box.payouts.statement(1, false), { ...ANYBODY, to: ANNA })
    expect([check.problems, check.statements[0]?.lines.length, check.statements[0]?.amount]).toEqual([[], 5002, 10n])
  })

  it('are paid up to what is owed where large sums were taken back behind them', async () => {
    const box = await opened({ payees: [] })
    const [, big = 0] = [await earnMany(box, 2500, 40n), ...(await earnMany(box, 1, 100_000n, 'big'))]
    await earnMany(box, 2500, 40n, 'n')
    await takeBack(box, big, 100_000n)
    await box.payouts.note({ account: ACCOUNT, token: null, amount: 49_000n, memo: null })
    box.settings = { ...box.settings, payees }
    expect(owedTo(box, ACCOUNT)).toBe(1000n)
    await box.payouts.payNow(ACCOUNT, null)
    await box.settle()
    expect([box.channels.paidTo(ANNA), owedTo(box, ACCOUNT)]).toEqual([1000n, 0n])
    await expect(box.payouts.payNow(ACCOUNT, null)).rejects.toMatchObject({ code: 'payout-dust' })
    expect(verifyStatements(box.payouts.statement(1, true), ANYBODY).problems).toEqual([])
  })
})

describe('what a statement takes', () => {
  it('is paid though it is less than dust, where what is owed is more', async () => {
    const box = await opened({ dust: 21_000n, payees })
    await earnMany(box, 22_500, 4n)
    await box.payouts.payNow(ACCOUNT, null)
    await box.settle()
    expect([box.channels.paidTo(ANNA), owedTo(box, ACCOUNT)]).toEqual([20_000n, 2_500n])
    await expect(box.payouts.payNow(ACCOUNT, null)).rejects.toMatchObject({ code: 'payout-dust' })
    expect(verifyStatements(box.payouts.statement(1, false), ANYBODY).problems).toEqual([])
  }, 60_000)

  it('goes on behind so many lines, where they make nothing for what was given back before them', async () => {
    const box = await opened({ payees })
    const [entry = 0] = await earnMany(box, 1, 400_000n, 'paid')
    await box.payouts.payNow(ACCOUNT, null)
    await box.settle()
    await takeBack(box, entry, 400_000n)
    await earnMany(box, 24_000, 4n)
    await earnMany(box, 1, 800_000n, 'big')
    await box.payouts.payNow(ACCOUNT, null)
    await box.settle()
    expect([box.channels.paidTo(ANNA), owedTo(box, ACCOUNT)]).toEqual([224_000n, 0n])
    expect(verifyStatements(box.payouts.statement(2, true), ANYBODY).problems).toEqual([])
  }, 60_000)

  it('says so where none of it can be paid, holds up nobody else, and is looked at again when another sum is owed', async () => {
    const box = await opened({ threshold: 1n, payees: [...payees, { account: 'relay:hill', address: HILL }] })
    await box.earn(4000n, 'mesh:relay')
    // A balance that no lines stand behind: by hand, as a damaged book would have it.
    await box.store.turn((tx) => tx.run("UPDATE ledger_totals SET balance = '-10' WHERE account = ?", ACCOUNT))
    await box.settle()
    expect([box.channels.paidTo(ANNA), box.channels.paidTo(HILL)]).toEqual([0n, 400n])
    const words = expect.stringContaining('too much was given back or paid by hand') as string
    expect(box.payouts.parties()[0]).toMatchObject({ account: ACCOUNT, owed: 10n, open: null, stuck: words, waitsFor: words })
    await expect(box.payouts.payNow(ACCOUNT, null)).rejects.toMatchObject({ kind: 'conflict', code: 'payout-lines' })
    await box.store.turn((tx) => tx.run("UPDATE ledger_totals SET balance = '-1000' WHERE account = ?", ACCOUNT))
    await box.settle()
    expect([box.channels.paidTo(ANNA), box.payouts.parties()[0]?.stuck]).toEqual([1000n, null])
  })
})

describe('a cut', () => {
  const gains = fc.oneof({ weight: 4, arbitrary: fc.bigInt(1n, 20n) }, { weight: 1, arbitrary: fc.bigInt(-60n, -1n) })
  const terms = { dust: fc.bigInt(1n, 40n), lines: fc.integer({ min: 1, max: 12 }), pageLines: fc.integer({ min: 1, max: 4 }) }

  function* pagesOf(lines: readonly bigint[], length: number): Iterable<readonly bigint[]> {
    for (let at = 0; at < lines.length; at += length) yield lines.slice(at, at + length)
  }

  it('never pays more than is owed, whatever comes between payouts, and pays all of it where a statement takes all lines', () => {
    fc.assert(
      fc.property(fc.record(terms), fc.array(fc.array(gains, { maxLength: 25 }), { maxLength: 12 }), ({ dust, lines: few, pageLines }, rounds) => {
        let waiting: readonly bigint[] = []
        let [gained, paid] = [0n, 0n]
        for (const round of rounds) {
          waiting = [...waiting, ...round]
          gained += round.reduce((sum, each) => sum + each, 0n)
          const owed = gained - paid
          if (owed < dust) continue
          const { count, amount } = cutOf(pagesOf(waiting, pageLines), { owed, dust, lines: few, mostLines: 3 * few })
          expect(waiting.slice(0, count).reduce((sum, each) => sum + each, 0n)).toBe(amount)
          expect(amount <= owed && amount >= 0n).toBe(true)
          // Fewer than one statement takes are never stuck, and make no dust.
          if (waiting.length <= few) expect(amount >= dust).toBe(true)
          if (waiting.length <= 3 * few) expect(count).toBeGreaterThan(0)
          if (count > 0) expect(amount).toBeGreaterThan(0n)
          paid += amount
          waiting = waiting.slice(count)
        }
        expect(paid <= gained || gained < 0n || waiting.reduce((sum, each) => sum + each, 0n) === gained - paid).toBe(true)
      }),
    )
  })
})
