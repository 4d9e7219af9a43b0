/** The process ends before and after each effect of a payout; another one comes up on the same disk: it is paid once and booked once, and nobody's money is lost. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromUtf8, momentOf } from '../../src/base/index.ts'
import { verifyStatements } from '../../src/payout/statement/index.ts'
import { ANNA, HILL, LOCK_FAILED, LOCK_SENT, noChannel, openPayoutBox, owedTo } from '../support/payout-box.ts'
import type { PayoutBox } from '../support/payout-box.ts'
import type { PayoutChannels, PayoutSettings } from '../../src/payout/index.ts'

const PAYEES = [{ account: 'investor:anna', address: ANNA }, { account: 'relay:hill', address: HILL }]
/** Asked, ordered, on disk, told. */
const EDGES = ['newest', 'before pay', 'after pay', 'before delivered'] as const
/** Of one over other boxes: nothing known of it yet, its hash on disk, locked. */
const LOCK_EDGES = ['no way', 'before lock', 'after lock'] as const
type Edge = (typeof EDGES)[number] | (typeof LOCK_EDGES)[number]

/** The process gets no further than `edge`: what it waits for never comes. */
function dying(box: () => PayoutBox, edge: () => Edge | null): PayoutChannels {
  const never = <T>(): Promise<T> => new Promise(() => undefined)
  const paper = (): PayoutBox['channels'] => box().channels
  return {
    newest: () => {
      if (edge() === 'newest') throw new Error('the process ends')
      return paper().newest()
    },
    spendable: () => paper().spendable(),
    locked: {
      get contract() {
        return paper().locked.contract
      },
      hasWay: (order) => {
        if (edge() === 'no way') throw new Error('the process ends')
        return paper().locked.hasWay(order)
      },
      pay: async (order) => {
        if (edge() === 'before lock') return never()
        await paper().locked.pay(order)
        return edge() === 'after lock' ? never() : undefined
      },
      standing: (token, hash) => paper().locked.standing(token, hash),
      endedAfter: (id, most) => paper().locked.endedAfter(id, most),
    },
    after: (id, most) => paper().after(id, most),
    arrival: (id) => paper().arrival(id),
    pay: async (order) => {
      if (edge() === 'before pay') return never()
      const { delivered } = await paper().pay(order)
      if (edge() === 'after pay') return never()
      return edge() === 'before delivered' ? { delivered: never() } : { delivered }
    },
  }
}

async function someTurns(box: PayoutBox): Promise<void> {
  await box.payouts.round()
  for (let turn = 0; turn < 6; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    await box.store.turn(() => undefined)
  }
}

const sentLocks = (box: PayoutBox): PayoutBox['channels']['locked']['all'] => box.channels.locked.all.filter(({ standing }) => standing.state === 'sent')

function checkBooks(box: PayoutBox, earned: bigint): void {
  const paid = box.channels.paidTo(ANNA) + box.channels.paidTo(HILL)
  expect(['owner', 'investor:anna', 'relay:hill'].reduce((sum, account) => sum + owedTo(box, account), 0n) + paid).toBe(earned)
  expect(box.store.read((tx) => box.ledger.audit(tx)).every(({ sum, unbalancedEntries }) => sum === 0n && unbalancedEntries.length === 0)).toBe(true)
  const payouts = box.payouts.payouts({ beforeId: null, limit: 500 })
  const references = [...box.channels.rows.map(({ reference }) => reference), ...sentLocks(box).map(({ data }) => fromUtf8(data, 'data').slice('payout '.length))]
  expect(payouts.filter(({ payout }) => payout.state === 'paid').map(({ payout }) => payout.reference).sort()).toEqual(references.sort())
}

for (const edge of EDGES)
  it(`${edge}: paid once`, async () => {
    let dies: Edge | null = edge
    const box: PayoutBox = await openPayoutBox({ threshold: 1n, payees: PAYEES }, () => dying(() => box, () => dies))
    try {
      await box.earn(1000n, 'mesh:relay')
      await someTurns(box)
      for (let again = 0; again < 2; again++) {
        await box.restart()
        await someTurns(box)
      }
      dies = null
      await box.restart()
      box.time.advance(60_000)
      await box.settle()
      expect([box.channels.paidTo(ANNA), box.channels.paidTo(HILL), box.channels.rows.length]).toEqual([250n, 100n, 2])
      checkBooks(box, 1000n)
    } finally {
      await box.close()
    }
  })

for (const edge of LOCK_EDGES)
  for (const outcome of [LOCK_SENT, LOCK_FAILED])
    it(`over other boxes, ${edge}, then ${outcome.state}: paid once`, async () => {
      let dies: Edge | null = edge
      const box: PayoutBox = await openPayoutBox({ threshold: 1n, payees: PAYEES }, () => dying(() => box, () => dies))
      try {
        const { channels } = box
        channels.fails = noChannel()
        channels.locked.hasRoute = true
        await box.earn(1000n, 'mesh:relay')
        await someTurns(box)
        for (let again = 0; again < 2; again++) {
          await box.restart()
          await someTurns(box)
        }
        dies = null
        await box.restart()
        await box.settle()
        // Both are locked, once, whatever was ordered before; and stay so until the channels say what became of it.
        expect(channels.locked.all.map(({ to, standing }) => [to, standing.state]).sort()).toEqual([[ANNA, 'open'], [HILL, 'open']])
        channels.locked.conclude(outcome)
        for (let round = 0; round < 3; round++) {
          channels.locked.next = LOCK_SENT
          box.time.advance(3_600_000)
          await box.settle()
        }
        expect([channels.paidTo(ANNA), channels.paidTo(HILL), sentLocks(box).length, owedTo(box, 'cost:payout')]).toEqual([250n, 100n, 2, -4n])
        checkBooks(box, 1000n)
      } finally {
        await box.close()
      }
    })

it('a disk that refuses the booking: booked later, paid once', async () => {
  const box = await openPayoutBox({ threshold: 1n })
  try {
    await box.earn(1000n)
    await box.store.turn((tx) => tx.run("CREATE TRIGGER refuses BEFORE UPDATE OF state ON payouts BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"))
    await someTurns(box)
    expect(box.payouts.payout(1)).toMatchObject({ stage: 'waiting', payout: { state: 'open', problem: expect.stringContaining('not written yet') as string } })
    expect(owedTo(box, 'investor:anna')).toBe(250n)
    await box.store.turn((tx) => tx.run('DROP TRIGGER refuses'))
    box.time.advance(30_000)
    await box.settle()
    expect([box.channels.paidTo(ANNA), owedTo(box, 'investor:anna')]).toEqual([250n, 0n])
    checkBooks(box, 1000n)
  } finally {
    await box.close()
  }
})

type Step = { readonly do: 'earn'; readonly amount: bigint; readonly source: string } | { readonly do: 'refund'; readonly of: number; readonly part: bigint } | { readonly do: 'restart' | 'fail' | 'work' | 'round' | 'day' | 'route' | 'no route' | 'sent' | 'back' }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('earn' as const), amount: fc.bigInt(0n, 5000n), source: fc.constantFrom('hotspot:voucher', 'mesh:relay') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refund' as const), of: fc.nat(9), part: fc.bigInt(1n, 2000n) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'fail' as const, 'work' as const, 'round' as const, 'day' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('route' as const, 'no route' as const, 'sent' as const, 'back' as const) }) },
)

it('whatever happens in whatever order, what was earned is owed or paid, and the statements say so', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.bigInt(0n, 300n), fc.bigInt(0n, 50n), async (steps, threshold, dust) => {
      const settings: Partial<PayoutSettings> = { threshold, dust, dailyHour: 0, payees: PAYEES }
      const box = await openPayoutBox(settings)
      try {
        let earned = 0n
        const entries: { readonly id: number; left: bigint }[] = []
        for (const [index, one] of steps.entries()) {
          if (one.do === 'earn') {
            entries.push({ id: await box.earn(one.amount, one.source), left: one.amount })
            earned += one.amount
          } else if (one.do === 'refund') {
            const entry = entries[one.of]
            if (entry === undefined || entry.left < one.part) continue
            await box.store.turn((tx) => box.ledger.reverse(tx, entry.id, one.part, { type: 'refund', id: `r${index}` }, momentOf(box.time)))
            entry.left -= one.part
            earned -= one.part
          } else if (one.do === 'restart') await box.restart()
          else if (one.do === 'fail') box.channels.fails = noChannel()
          else if (one.do === 'work') box.channels.fails = null
          else if (one.do === 'route' || one.do === 'no route') box.channels.locked.hasRoute = one.do === 'route'
          else if (one.do === 'sent' || one.do === 'back') box.channels.locked.conclude(one.do === 'sent' ? LOCK_SENT : LOCK_FAILED)
          else {
            if (one.do === 'day') box.time.advance(86_400_000)
            await box.settle()
          }
        }
        box.channels.fails = null
        box.channels.locked.conclude(LOCK_FAILED)
        for (let day = 0; day < 4; day++) {
          box.time.advance(86_400_000)
          await box.settle()
        }
        checkBooks(box, earned)
        for (const { account } of PAYEES) {
          const least = dust > 1n ? dust : 1n
          expect(owedTo(box, account) < least).toBe(true)
          const last = box.payouts.payouts({ beforeId: null, limit: 500 }).find(({ payout }) => payout.account === account)
          if (last === undefined) continue
          const check = verifyStatements(box.payouts.statement(last.payout.id, true), { box: null, to: null, partsPerMillion: account === 'relay:hill' ? 100_000 : 250_000 })
          expect([check.problems, check.statements.reduce((sum, { amount }) => sum + amount, 0n)]).toEqual([[], box.channels.paidTo(account === 'relay:hill' ? HILL : ANNA)])
        }
      } finally {
        await box.close()
      }
    }),
    { numRuns: 25 },
  )
}, 120_000)
