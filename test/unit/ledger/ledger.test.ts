import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import fc from 'fast-check'
import { silentLog } from '../../../src/base/index.ts'
import type { Moment } from '../../../src/base/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import type { Earning, Entry, Ledger, ShareRule } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { ReadTx, Store } from '../../../src/store/index.ts'

const NOON = Date.UTC(2026, 10, 21, 12)
const DAY_MS = 86_400_000

function moment(wallMs = NOON, wallTrusted = true, bootId = '82677c7d-04c7-4099-9d57-c8e1c5bec1a1'): Moment {
  return { bootId, boottimeMs: 1234.5, wallMs, wallTrusted }
}

function share(beneficiary: string, partsPerMillion: number, sources: string[] = []): ShareRule {
  return { role: 'investor', beneficiary, partsPerMillion, sources }
}

interface Book {
  readonly store: Store
  readonly ledger: Ledger
  shares: ShareRule[]
}

function openBook(shares: ShareRule[] = []): Book {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-ledger-'))
  const store = openStore({ path: join(folder, 'box.db'), migrations: ledgerMigrations, log: silentLog })
  onTestFinished(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const book: Book = { store, shares, ledger: createLedger({ shares: () => book.shares }) }
  return book
}

function earning(id: string, amount: bigint, change: Partial<Earning> = {}): Earning {
  return { source: 'hotspot:voucher', token: 'SMT', amount, from: 'cash:vouchers', evidence: { type: 'voucher', id }, at: moment(), ...change }
}

const earn = ({ store, ledger }: Book, id: string, amount: bigint, change: Partial<Earning> = {}): Promise<number> => store.turn((tx) => ledger.earn(tx, earning(id, amount, change)))
const reverse = ({ store, ledger }: Book, entry: number, amount: bigint, id = `refund of ${entry}`): Promise<number> =>
  store.turn((tx) => ledger.reverse(tx, entry, amount, { type: 'refund', id }, moment()))
const balance = ({ store, ledger }: Book, account: string, token = 'SMT'): bigint => store.read((tx) => ledger.balance(tx, account, token))
const audit = ({ store, ledger }: Book): ReturnType<Ledger['audit']> => store.read((tx) => ledger.audit(tx))

function payout(id: string, amount: bigint, change: Partial<Entry> = {}): Entry {
  const postings = [
    { account: 'owner', amount },
    { account: 'cash:vouchers', amount: -amount },
  ]
  return { source: 'payout', token: 'SMT', evidence: { type: 'payout', id }, at: moment(), postings, ...change }
}

describe('an earning', () => {
  it('is split by the policy of the moment and stored with its evidence', async () => {
    const book = openBook([share('ada', 250_000)])
    const evidence = { type: 'voucher', id: '0.0.17', facts: { seconds: 600, signed: true, by: 'box' } }
    const id = await earn(book, '', 1001n, { evidence })
    const [entry] = book.store.read((tx) => book.ledger.entries(tx, { limit: 10 }))
    expect(entry).toEqual({
      id,
      kind: 'earn',
      source: 'hotspot:voucher',
      token: 'SMT',
      evidence,
      at: moment(),
      postings: [
        { account: 'cash:vouchers', amount: 1001n },
        { account: 'investor:ada', amount: -250n },
        { account: 'owner', amount: -751n },
      ],
    })
    book.shares = [share('ada', 1_000_000)]
    await earn(book, 'next', 10n)
    expect(balance(book, 'investor:ada')).toBe(-260n)
    expect(balance(book, 'cash:vouchers')).toBe(1011n)
    expect(audit(book)).toEqual([{ token: 'SMT', sum: 0n, unbalancedEntries: [] }])
  })

  it('of nothing leaves its evidence and no postings', async () => {
    const book = openBook([share('ada', 250_000)])
    const id = await earn(book, 'gift', 0n)
    expect(await earn(book, 'gift', 0n)).toBe(id)
    expect(book.store.read((tx) => book.ledger.entries(tx, { limit: 1 }))).toMatchObject([{ id, postings: [] }])
    expect(book.store.read((tx) => book.ledger.statements(tx))).toEqual([])
    await expect(reverse(book, id, 1n)).rejects.toMatchObject({ code: 'ledger-overdrawn' })
  })

  it('is booked once, however often it is repeated and whatever the shares are by then', async () => {
    const book = openBook([share('ada', 250_000)])
    const first = await earn(book, 'v1', 1000n)
    book.shares = []
    expect(await Promise.all([earn(book, 'v1', 1000n), earn(book, 'v1', 1000n, { at: moment(NOON + DAY_MS) })])).toEqual([first, first])
    expect(balance(book, 'owner')).toBe(-750n)
  })

  it.each([
    ['another amount', { amount: 999n }],
    ['another token', { token: 'EUR' }],
    ['another origin', { from: 'cash:till' }],
  ])('whose evidence was used for %s is refused', async (_what, change) => {
    const book = openBook()
    await earn(book, 'v1', 1000n)
    await expect(earn(book, 'v1', 1000n, change)).rejects.toMatchObject({ kind: 'conflict', code: 'evidence-reused' })
    expect(audit(book)).toEqual([{ token: 'SMT', sum: 0n, unbalancedEntries: [] }])
    expect(balance(book, 'owner')).toBe(-1000n)
  })

  it('from another source may have the same evidence', async () => {
    const book = openBook()
    const first = await earn(book, 'v1', 5n)
    expect(await earn(book, 'v1', 7n, { source: 'hotspot:session' })).not.toBe(first)
    expect(balance(book, 'owner')).toBe(-12n)
  })

  it.each<[string, Partial<Earning>]>([
    ['amount', { amount: -1n }],
    ['amount', { amount: 1n << 128n }],
    ['source', { source: '' }],
    ['source', { source: 'Hotspot Voucher' }],
    ['token', { token: '' }],
    ['token', { token: 'x'.repeat(33) }],
    ['from', { from: 'cash vouchers' }],
    ['from', { from: 'owner' }],
    ['evidence.type', { evidence: { type: '', id: 'x' } }],
    ['evidence.id', { evidence: { type: 'voucher', id: '' } }],
    ['evidence.id', { evidence: { type: 'voucher', id: 'a\nb' } }],
    ['evidence.id', { evidence: { type: 'voucher', id: 'x'.repeat(201) } }],
    ['evidence.facts', { evidence: { type: 'voucher', id: 'x', facts: { long: 'y'.repeat(5000) } } }],
    ['at.wallMs', { at: moment(Number.NaN) }],
  ])('with a bad %s is refused and leaves nothing', async (field, change) => {
    const book = openBook()
    await expect(earn(book, 'v1', 1000n, change)).rejects.toMatchObject({ kind: 'input', field })
    expect(book.store.read((tx) => book.ledger.entries(tx, { limit: 1 }))).toEqual([])
  })
})

describe('a reversal', () => {
  it('takes back in the proportions of the booking, in pieces, to the last unit', async () => {
    const book = openBook([share('ada', 333_333), share('bob', 333_333)])
    const id = await earn(book, 'v1', 100n)
    book.shares = [share('eve', 1_000_000)]
    for (let n = 0; n < 7; n++) await reverse(book, id, 13n, `piece ${n}`)
    expect(balance(book, 'cash:vouchers')).toBe(9n)
    await expect(reverse(book, id, 10n, 'too much')).rejects.toMatchObject({ kind: 'conflict', code: 'ledger-overdrawn', allowed: '1..9' })
    await reverse(book, id, 9n, 'the rest')
    for (const account of ['cash:vouchers', 'investor:ada', 'investor:bob', 'investor:eve', 'owner']) expect(balance(book, account)).toBe(0n)
    await expect(reverse(book, id, 1n, 'more')).rejects.toMatchObject({ code: 'ledger-overdrawn' })
    expect(audit(book)).toEqual([{ token: 'SMT', sum: 0n, unbalancedEntries: [] }])
  })

  it('is booked once', async () => {
    const book = openBook()
    const id = await earn(book, 'v1', 100n)
    const first = await reverse(book, id, 60n, 'r1')
    expect(await reverse(book, id, 60n, 'r1')).toBe(first)
    expect(balance(book, 'owner')).toBe(-40n)
    await expect(reverse(book, id, 40n, 'r1')).rejects.toMatchObject({ code: 'evidence-reused' })
    const other = await earn(book, 'v2', 100n)
    await expect(reverse(book, other, 60n, 'r1')).rejects.toMatchObject({ code: 'evidence-reused' })
    expect(book.store.read((tx) => book.ledger.entries(tx, { limit: 9, evidence: { type: 'refund', id: 'r1' } }))).toMatchObject([{ id: first, kind: 'reverse', reverses: id }])
  })

  it('needs an earning and an amount', async () => {
    const book = openBook()
    const id = await earn(book, 'v1', 100n)
    const taken = await reverse(book, id, 10n)
    const paid = await book.store.turn((tx) => book.ledger.post(tx, payout('p1', 10n)))
    await expect(reverse(book, 999, 1n)).rejects.toMatchObject({ kind: 'not-found', code: 'ledger-no-entry' })
    for (const entry of [taken, paid]) await expect(reverse(book, entry, 1n, `of ${entry}`)).rejects.toMatchObject({ code: 'ledger-not-an-earning' })
    for (const amount of [0n, -5n]) await expect(reverse(book, id, amount, `bad ${amount}`)).rejects.toMatchObject({ kind: 'input', field: 'amount' })
  })
})

describe('an entry by hand', () => {
  it('must balance, and is booked once', async () => {
    const book = openBook()
    await earn(book, 'v1', 100n)
    const post = (entry: Entry): Promise<number> => book.store.turn((tx) => book.ledger.post(tx, entry))
    const id = await post(payout('p1', 70n, { memo: 'to my wallet' }))
    expect(await post(payout('p1', 70n))).toBe(id)
    expect(balance(book, 'owner')).toBe(-30n)
    expect(book.store.read((tx) => book.ledger.entries(tx, { afterId: id - 1, limit: 1 }))).toMatchObject([{ id, kind: 'post', memo: 'to my wallet' }])
    await expect(post(payout('p1', 71n))).rejects.toMatchObject({ code: 'evidence-reused' })
    const off = [
      { account: 'owner', amount: 5n },
      { account: 'cash:vouchers', amount: -4n },
    ]
    await expect(post(payout('p2', 0n, { postings: off }))).rejects.toMatchObject({ kind: 'internal', code: 'ledger-unbalanced' })
    await expect(post(payout('p3', 0n))).rejects.toMatchObject({ field: 'postings.amount' })
    await expect(post(payout('p4', 0n, { postings: [] }))).rejects.toMatchObject({ field: 'postings' })
    expect(balance(book, 'owner')).toBe(-30n)
  })
})

describe('the book', () => {
  it.each([
    "UPDATE ledger_entries SET amount = '1'",
    'DELETE FROM ledger_entries',
    "UPDATE ledger_postings SET amount = '1'",
    'DELETE FROM ledger_postings',
    "INSERT INTO ledger_postings VALUES (1, 9, 'owner', '-5')",
    "INSERT OR REPLACE INTO ledger_postings VALUES (2, 0, 'owner', '-5')",
    "INSERT OR REPLACE INTO ledger_entries SELECT id, 'post', source, token, evidence_type, evidence_id, facts, memo, day, boot_id, boottime_ms, wall_ms, wall_trusted, '7', reverses, taken FROM ledger_entries",
  ])('only grows: %s', async (sql) => {
    const book = openBook()
    await earn(book, 'v1', 10n)
    await earn(book, 'v2', 20n)
    await expect(book.store.turn((tx) => tx.run(sql))).rejects.toMatchObject({ code: 'store-constraint', message: expect.stringContaining('append-only') })
    expect(audit(book)).toEqual([{ token: 'SMT', sum: 0n, unbalancedEntries: [] }])
    expect(balance(book, 'owner')).toBe(-30n)
  })

  it('that was tampered with is found out', async () => {
    const book = openBook()
    const ids = [await earn(book, 'v1', 10n), await earn(book, 'v2', 20n), await earn(book, 'v3', 30n)]
    await book.store.turn((tx) => {
      tx.run('DROP TRIGGER ledger_postings_keep')
      tx.run('DROP TRIGGER ledger_postings_stay')
      tx.run("UPDATE ledger_postings SET amount = '-19' WHERE entry_id = ? AND account = 'owner'", ids[1] ?? 0)
      tx.run('DELETE FROM ledger_postings WHERE entry_id = ?', ids[2] ?? 0)
    })
    expect(audit(book)).toEqual([{ token: 'SMT', sum: 1n, unbalancedEntries: [ids[1], ids[2]] }])
  })

  it('is told in pages', async () => {
    const book = openBook()
    for (let n = 1; n <= 5; n++) await earn(book, `v${n}`, BigInt(n))
    const page = (afterId: number): (string | number)[] => book.store.read((tx) => book.ledger.entries(tx, { afterId, limit: 2 })).map((entry) => entry.evidence.id)
    expect([page(0), page(2), page(4), page(5)]).toEqual([['v1', 'v2'], ['v3', 'v4'], ['v5'], []])
    for (const limit of [0, -1, 1001, 1.5, Number.NaN]) expect(() => book.store.read((tx) => book.ledger.entries(tx, { limit }))).toThrow(expect.objectContaining({ field: 'limit' }))
  })

  it('rolls back with the turn it is part of', async () => {
    const book = openBook()
    await expect(
      book.store.turn((tx) => {
        book.ledger.earn(tx, earning('v1', 10n))
        throw new Error('no session after all')
      }),
    ).rejects.toThrow('no session')
    expect([balance(book, 'owner'), book.store.read((tx) => book.ledger.statements(tx)), audit(book)]).toEqual([0n, [], []])
  })
})

describe('statements', () => {
  it('sum up per day, token, source and account; a refund counts on its own day', async () => {
    const book = openBook([share('ada', 500_000)])
    const id = await earn(book, 'v1', 100n)
    await earn(book, 'v2', 50n)
    await earn(book, 'v3', 8n, { at: moment(NOON + DAY_MS) })
    await earn(book, 'v4', 6n, { at: moment(NOON, false) })
    await book.store.turn((tx) => book.ledger.reverse(tx, id, 40n, { type: 'refund', id: 'r' }, moment(NOON + DAY_MS)))
    const lines = book.store.read((tx) => book.ledger.statements(tx)).map((line) => `${line.day} ${line.account} ${line.gained} in ${line.entries}`)
    expect(lines).toEqual([
      '2026-11-21 cash:vouchers -150 in 2',
      '2026-11-21 investor:ada 75 in 2',
      '2026-11-21 owner 75 in 2',
      '2026-11-22 cash:vouchers 32 in 2',
      '2026-11-22 investor:ada -16 in 2',
      '2026-11-22 owner -16 in 2',
      'boot:82677c7d cash:vouchers -6 in 1',
      'boot:82677c7d investor:ada 3 in 1',
      'boot:82677c7d owner 3 in 1',
    ])
    const days = (range: { fromDay?: string; toDay?: string }): string[] => [...new Set(book.store.read((tx) => book.ledger.statements(tx, range)).map((line) => line.day))]
    expect(days({ toDay: '2026-12-31' })).toEqual(['2026-11-21', '2026-11-22'])
    expect(days({ fromDay: '2026-11-22', toDay: '2026-11-22' })).toEqual(['2026-11-22'])
    expect(days({ fromDay: 'boot:82677c7d', toDay: 'boot:82677c7d' })).toEqual(['boot:82677c7d'])
  })

  it('totals count earnings and refunds, not payouts', async () => {
    const book = openBook([share('ada', 250_000)])
    await earn(book, 'old', 40n, { at: moment(Date.UTC(2026, 9, 5)) })
    const id = await earn(book, 'v1', 1000n)
    await reverse(book, id, 200n)
    await earn(book, 'undated', 4n, { at: moment(NOON, false) })
    await book.store.turn((tx) => book.ledger.post(tx, payout('p', 300n)))
    const [totals] = book.store.read((tx) => book.ledger.totals(tx, moment()))
    expect(totals).toMatchObject({
      token: 'SMT',
      today: { total: 800n, owner: 600n },
      thisMonth: { total: 800n, owner: 600n },
      allTime: { total: 844n, owner: 633n },
      undated: { total: 4n, owner: 3n },
      bySource: [{ source: 'hotspot:voucher', today: { total: 800n }, allTime: { total: 844n } }],
      days: [{ day: '2026-10-05', earned: { total: 40n, owner: 30n } }, { day: '2026-11-21' }],
    })
    const [unset] = book.store.read((tx) => book.ledger.totals(tx, moment(0, false)))
    expect(unset).toMatchObject({ day: 'boot:82677c7d', thisMonth: null, today: { total: 4n, owner: 3n }, allTime: { total: 844n } })
    expect(openBook().store.read((tx) => book.ledger.totals(tx, moment()))).toEqual([])
  })

  it('never add up entries: no statement reads all of them', async () => {
    const book = openBook([share('ada', 250_000)])
    const id = await earn(book, 'v1', 1000n)
    const statements = new Set<string>()
    const spy = <T extends ReadTx>(tx: T): T =>
      new Proxy(tx, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name, target)
          if (typeof method !== 'function') return method
          return (sql: string, ...params: unknown[]): unknown => {
            statements.add(sql)
            return Reflect.apply(method, target, [sql, ...params])
          }
        },
      })
    await book.store.turn((tx) => {
      book.ledger.earn(spy(tx), earning('v2', 5n))
      book.ledger.reverse(spy(tx), id, 5n, { type: 'refund', id: 'r' }, moment())
    })
    book.store.read((tx) => {
      book.ledger.totals(spy(tx), moment())
      book.ledger.statements(spy(tx), { fromDay: '2026-11-01', toDay: '2026-11-30' })
      book.ledger.balance(spy(tx), 'owner', 'SMT')
      book.ledger.entries(spy(tx), { limit: 5, afterId: 1 })
      book.ledger.entries(spy(tx), { limit: 5, evidence: { type: 'voucher', id: 'v1' } })
    })
    expect(statements.size).toBeGreaterThan(12)
    for (const sql of statements) {
      const unbound = Array.from(sql.matchAll(/\?/g), () => null)
      const plan = await book.store.turn((tx) => tx.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...unbound))
      expect(plan.filter((step) => /^SCAN ledger_(entries|postings)/.test(step.detail)), sql).toEqual([])
    }
  })
})

describe('conservation', () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('earn' as const), amount: fc.oneof(fc.bigInt(0n, 50n), fc.bigInt(0n, (1n << 128n) - 1n)), token: fc.constantFrom('SMT', 'EUR'), id: fc.nat(15) }),
    fc.record({ do: fc.constant('reverse' as const), target: fc.nat(30), permille: fc.integer({ min: 0, max: 1300 }), id: fc.nat(15) }),
    fc.record({ do: fc.constant('post' as const), amount: fc.bigInt(-1000n, 1000n), token: fc.constantFrom('SMT', 'EUR'), id: fc.nat(15) }),
    fc.record({ do: fc.constant('reload' as const), shares: fc.array(fc.nat(300_000), { maxLength: 3 }) }),
  )

  it('property: through any sequence every token sums to zero, totals are the sum of the entries, and no earning is taken back more than once over', async () => {
    const book = openBook()
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        round++
        const earned = new Map<number, { amount: bigint; taken: bigint }>()
        const reversals = new Set<number>()
        for (const step of actions) {
          if (step.do === 'reload') {
            book.shares = step.shares.map((parts, n) => share(`i${n}`, parts))
            continue
          }
          const at = moment(NOON + (step.id % 3) * DAY_MS, step.do !== 'post')
          const evidenceId = `${round}/${step.id}`
          try {
            if (step.do === 'earn') {
              const id = await earn(book, evidenceId, step.amount, { token: step.token, at })
              if (!earned.has(id)) earned.set(id, { amount: step.amount, taken: 0n })
            } else if (step.do === 'post') {
              await book.store.turn((tx) => book.ledger.post(tx, payout(evidenceId, step.amount, { token: step.token, at })))
            } else {
              const target = [...earned.keys()][step.target % Math.max(1, earned.size)] ?? 0
              const amount = ((earned.get(target)?.amount ?? 0n) * BigInt(step.permille)) / 1000n
              const id = await reverse(book, target, amount, evidenceId)
              const state = earned.get(target)
              if (state && !reversals.has(id)) state.taken += amount
              reversals.add(id)
            }
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: expect.stringMatching(/^(bad-input|evidence-reused|ledger-overdrawn|ledger-no-entry)$/) })
          }
        }
        for (const { sum, unbalancedEntries } of audit(book)) expect([sum, unbalancedEntries]).toEqual([0n, []])
        for (const { amount, taken } of earned.values()) expect(taken <= amount).toBe(true)
        expect(book.store.read(summaryOfEntries)).toEqual(book.store.read(storedSummary))
      }),
      { numRuns: 40 },
    )
  })

  /** Days and totals recomputed from the postings, as text. */
  function summaryOfEntries(tx: ReadTx): Record<string, string> {
    const sums = new Map<string, bigint>()
    const add = (key: string, amount: bigint): void => void sums.set(key, (sums.get(key) ?? 0n) + amount)
    for (const row of tx.all<{ day: string; token: string; source: string; account: string; amount: string; kind: string; line: number }>(
      'SELECT day, token, source, account, p.amount, kind, line FROM ledger_postings p JOIN ledger_entries e ON e.id = p.entry_id',
    )) {
      const amount = BigInt(row.amount)
      const earned = row.kind === 'post' || row.line === 0 ? 0n : -amount
      add(`${row.day} ${row.token} ${row.source} ${row.account} gained`, -amount)
      add(`${row.day} ${row.token} ${row.source} ${row.account} earned`, earned)
      add(`${row.token} ${row.source} ${row.account} balance`, amount)
      add(`${row.token} ${row.source} ${row.account} earned`, earned)
    }
    return Object.fromEntries([...sums].sort().map(([key, amount]) => [key, amount.toString()]))
  }

  function storedSummary(tx: ReadTx): Record<string, string> {
    const found: [string, string][] = []
    for (const row of tx.all<{ day: string; token: string; source: string; account: string; gained: string; earned: string }>('SELECT * FROM ledger_days'))
      for (const name of ['gained', 'earned'] as const) found.push([`${row.day} ${row.token} ${row.source} ${row.account} ${name}`, row[name]])
    for (const row of tx.all<{ token: string; source: string; account: string; balance: string; earned: string }>('SELECT * FROM ledger_totals'))
      for (const name of ['balance', 'earned'] as const) found.push([`${row.token} ${row.source} ${row.account} ${name}`, row[name]])
    return Object.fromEntries(found.sort())
  }
})
