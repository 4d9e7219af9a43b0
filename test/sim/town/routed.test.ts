/** The town's look at routed payments finds what is planted in it, each thing by its own name; and nothing where all is well. */
import { describe, expect, it } from 'vitest'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { StoredPayment } from '../../../src/photon/node/index.ts'
import { channelOf } from '../../unit/photon-node/box.ts'
import { RoutedPayments } from './routed.ts'
import type { RoutedBox } from './routed.ts'

const KEY: Hash = `0x${'5e'.repeat(32)}`
const AMOUNT = 10_000n
const FEE = 1n
const DIRECT = 300n

type Row = Pick<StoredPayment, 'kind' | 'amount'> & Partial<StoredPayment>
interface Side {
  transferred: bigint
  locked: bigint
}

/** Of one box: its history, what its ends of channels say, and its fees in the ledger. */
class PaperBox implements RoutedBox {
  readonly account: Address
  readonly neighbours: PaperBox[] = []
  readonly isOn = true
  readonly rows: Row[] = []
  readonly channels = new Map<Hash, { own: Side; partner: Side }>()
  fees = 0n
  readonly #numbers: Hash[] = []

  constructor(account: Address) {
    this.account = account
  }

  readonly life = {
    node: {
      payLocked: async () => ({ id: 'ordered' }),
      paymentsAfter: (after: number, most = 100) => this.rows.map((row, index) => ({ channelNumber: 0, key: KEY, fee: FEE, ...row, id: index + 1 })).filter(({ id }) => id > after).slice(0, most),
      channelOfNumber: (number: number) => ({ key: { channel: this.#numbers[number - 1] } }),
      channel: (id: Hash) => this.channels.get(id),
    } as unknown as RoutedBox['life']['node'],
  }

  earnedOf(): bigint {
    return this.fees
  }
  async tried<T>(_phase: string, work: () => Promise<T>): Promise<T | undefined> {
    return work()
  }

  /** Its end of a channel, and the number of that. */
  opened(other: PaperBox): number {
    const id = channelOf(this.account, other.account)
    this.channels.set(id, { own: { transferred: 0n, locked: 0n }, partner: { transferred: 0n, locked: 0n } })
    return this.#numbers.push(id)
  }
  end(other: PaperBox): { own: Side; partner: Side } {
    const end = this.channels.get(channelOf(this.account, other.account))
    if (end === undefined) throw new Error('no channel')
    return end
  }
}

/** a pays b directly, and c over b. */
async function street(): Promise<{ readonly routed: RoutedPayments; readonly a: PaperBox; readonly b: PaperBox; readonly c: PaperBox }> {
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => new PaperBox(`0x${letter.repeat(40)}`)) as [PaperBox, PaperBox, PaperBox]
  for (const [one, other] of [[a, b], [b, c]] as const) {
    one.neighbours.push(other)
    other.neighbours.push(one)
  }
  const [toB, fromA] = [a.opened(b), b.opened(a)]
  for (const [one, other] of [[b, c], [c, b]] as const) one.opened(other)
  const routed = new RoutedPayments([a, b, c])
  await routed.order(a, c)
  a.rows.push({ kind: 'direct-sent', amount: DIRECT, channelNumber: toB }, { kind: 'sent', amount: AMOUNT })
  b.rows.push({ kind: 'direct-received', amount: DIRECT, channelNumber: fromA }, { kind: 'mediated', amount: AMOUNT })
  c.rows.push({ kind: 'received', amount: AMOUNT })
  b.fees = FEE
  a.end(b).own.transferred = b.end(a).partner.transferred = DIRECT + AMOUNT + FEE
  b.end(c).own.transferred = c.end(b).partner.transferred = AMOUNT
  return { routed, a, b, c }
}

const FAULTS: readonly (readonly [string, RegExp, (town: Awaited<ReturnType<typeof street>>) => void])[] = [
  ['a payment that the payer paid twice', /has not ended once.*sent 2 times/, ({ a }) => a.rows.push({ kind: 'sent', amount: AMOUNT })],
  ['one that was sent and given up', /has not ended once.*sent 1 times, failed 1/, ({ a }) => a.rows.push({ kind: 'failed', amount: AMOUNT })],
  ['one that was ordered and forgotten', /has not ended once.*sent 0 times, failed 0/, ({ a }) => a.rows.pop()],
  ['one that did not come', /is not what came.*received 0/, ({ c }) => c.rows.pop()],
  ['one that came twice', /is not what came.*received 2/, ({ c }) => c.rows.push({ kind: 'received', amount: AMOUNT })],
  ['a fee above what is asked for', /another fee than the box in between asks for/, ({ a }) => (a.rows[1] = { kind: 'sent', amount: AMOUNT, fee: 6n })],
  ['a box in between that did not earn', /has not earned its fee once/, ({ b }) => b.rows.pop()],
  ['one that earned twice', /has not earned its fee once/, ({ b }) => b.rows.push({ kind: 'mediated', amount: AMOUNT })],
  ['a fee that is not in its ledger', /the fees of .* differ/, ({ b }) => (b.fees = 0n)],
  ['a fee for what nobody was paid for', /the fees of .* differ/, ({ b }) => b.rows.push({ kind: 'mediated', amount: AMOUNT, key: `0x${'6f'.repeat(32)}` })],
  ['a counter that says more than was paid', /counters are not what its payments come to/, ({ a, b }) => (a.end(b).own.transferred += 84n)],
  ['a direct payment that one end has not heard of', /counters are not what its payments come to/, ({ b }) => b.rows.shift()],
  ['a lock that was left', /something is locked and nothing is under way/, ({ b, c }) => (b.end(c).own.locked = AMOUNT)],
  ['a channel that is gone', /has lost its channel with/, ({ b }) => b.channels.delete(channelOf(b.account, b.neighbours[1]?.account ?? b.account))],
]

describe('routed payments of the town', () => {
  it('are well where the three books agree', async () => {
    const { routed } = await street()
    expect(routed.problems()).toEqual([])
    expect(routed.problems()).toEqual([])
    expect(routed.done).toEqual({ paid: 1, failed: 0 })
  })
  it.each(FAULTS)('find %s', async (_what, found, plant) => {
    const town = await street()
    plant(town)
    expect(town.routed.problems().join('\n')).toMatch(found)
  })
})
