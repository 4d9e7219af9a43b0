/** Payments by reference over channels: an order is paid once, in whichever run it comes again, and nothing that came is missed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hexOf, silentLog, utf8 } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import { ChannelPayments, orderMigrations } from '../../../src/mesh/metering/index.ts'
import type { DirectChannels } from '../../../src/mesh/metering/index.ts'
import type { ChannelPayment, PaymentOrderTerms } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'

const BEN = `0x${'bb'.repeat(20)}` as const
const TOKEN = `0x${'70'.repeat(20)}` as const
const NOTE = utf8('relay')
const referenceOf = (number: number): Hash => hexOf(new Uint8Array(32).fill(number))
const orderOf = (number: number, amount = 100n): PaymentOrderTerms => ({ to: BEN, token: TOKEN, amount, reference: referenceOf(number) })

/** Channels with a history, as photon's are: ids only rise, what is on disk stays. */
class History implements DirectChannels {
  readonly rows: ChannelPayment[] = []
  readonly delivered = new Set<number>()
  readonly lost = new Set<number>()
  listener: Parameters<DirectChannels['onReceived']>[0] = () => undefined
  fails: Error | null = null
  /** Ends the process's view of the payment after it is on disk. */
  diesAfterPaying = false
  /** The partner is away. */
  isUntaken = false
  looked = 0

  newest(): number {
    return this.rows.length
  }

  after(id: number, most: number): ReturnType<DirectChannels['after']> {
    const rows = this.rows.slice(id, id + most)
    this.looked += rows.length
    return { payments: rows.filter(({ reference }) => reference !== referenceOf(255)), lookedTo: rows.length < most ? null : (rows.at(-1)?.id ?? null) }
  }

  async pay(order: PaymentOrderTerms & { readonly data: Uint8Array }): Promise<{ readonly delivered: Promise<void> }> {
    if (this.fails !== null) throw this.fails
    const id = this.add('sent', order)
    if (this.diesAfterPaying) return new Promise(() => undefined)
    if (this.isUntaken) return { delivered: new Promise(() => undefined) }
    return { delivered: Promise.resolve(void this.delivered.add(id)) }
  }

  arrival(id: number): 'delivered' | 'waiting' | 'lost' {
    return this.delivered.has(id) ? 'delivered' : this.lost.has(id) ? 'lost' : 'waiting'
  }

  onReceived(listener: typeof this.listener): () => void {
    this.listener = listener
    return () => (this.listener = () => undefined)
  }

  add(kind: 'sent' | 'received', { to, token, amount, reference }: PaymentOrderTerms, data: Uint8Array = NOTE): number {
    const row = { id: this.rows.length + 1, kind, partner: to, token, amount, reference, data }
    this.rows.push(row)
    if (kind === 'received') this.listener(row)
    return row.id
  }

  sent(): readonly bigint[] {
    return this.rows.flatMap(({ kind, amount }) => (kind === 'sent' ? [amount] : []))
  }
}

let dir: string
let store: Store
let history: History
let time: FakeTime
const open = (): ChannelPayments => {
  const payments = new ChannelPayments({ note: 'relay', store, timers: time })
  payments.use(history)
  return payments
}
/** All that follows from what was done, and what was begun is on disk. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    await store.turn(() => undefined)
  }
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mesh-orders-'))
  store = openStore({ path: join(dir, 'box.db'), migrations: orderMigrations, log: silentLog })
  history = new History()
  time = new FakeTime()
})
afterEach(async () => {
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

describe('an order', () => {
  it('is paid once, however often it is given, at once and later', async () => {
    const payments = open()
    await Promise.all([payments.pay(orderOf(1)), payments.pay(orderOf(1))])
    await payments.pay(orderOf(1))
    await open().pay(orderOf(1))
    expect(history.sent()).toEqual([100n])
  })

  it('that was paid just before the process died is found, and waits for the partner', async () => {
    history.diesAfterPaying = true
    void open().pay(orderOf(1))
    await new Promise((resolve) => setImmediate(resolve))
    await store.turn(() => undefined) // what was begun is on disk
    await new Promise((resolve) => setImmediate(resolve))
    expect(history.sent()).toEqual([100n])
    history.diesAfterPaying = false
    let isDone = false
    const again = open().pay(orderOf(1)).then(() => (isDone = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDone).toBe(false)
    history.delivered.add(1)
    time.advance(1000)
    await again
    expect(history.sent()).toEqual([100n])
  })

  it('that could not be given is given again', async () => {
    history.fails = new Error('no open channel')
    await expect(open().pay(orderOf(1))).rejects.toThrow('no open channel')
    history.fails = null
    await open().pay(orderOf(1))
    expect(history.sent()).toEqual([100n])
  })

  it('that was lost with its channel is said to be, and given again it is paid anew, once', async () => {
    history.isUntaken = true
    const payments = open()
    const first = payments.pay(orderOf(1))
    const refused = expect(first).rejects.toMatchObject({ kind: 'conflict', code: 'mesh-lost' })
    await settled()
    time.advance(30_000)
    await settled()
    history.lost.add(1)
    time.advance(1000)
    await refused
    history.isUntaken = false
    await open().pay(orderOf(1))
    await open().pay(orderOf(1))
    expect(history.sent()).toEqual([100n, 100n])
  })

  it('that waits while its channel is open is done as soon as the partner says so, however late', async () => {
    history.isUntaken = true
    const pays = open().pay(orderOf(1))
    await settled()
    time.advance(600_000)
    await settled()
    history.delivered.add(1)
    time.advance(1000)
    await pays
    expect(history.sent()).toEqual([100n])
  })

  it('of another amount under the same reference is refused, under way and when it was paid', async () => {
    const payments = open()
    const first = payments.pay(orderOf(1))
    await expect(payments.pay(orderOf(1, 200n))).rejects.toThrow(/another payment was ordered/)
    await first
    await expect(open().pay(orderOf(1, 200n))).rejects.toThrow(/another payment was ordered/)
    expect(history.sent()).toEqual([100n])
  })

  it('waits for channels that are not there yet', async () => {
    const payments = new ChannelPayments({ note: 'relay', store, timers: time })
    await expect(payments.pay(orderOf(1))).rejects.toMatchObject({ code: 'mesh-no-channels' })
    payments.use(history)
    await payments.pay(orderOf(1))
    expect(history.sent()).toEqual([100n])
  })
})

describe('what came', () => {
  it('is read oldest first behind the mark, and nothing that is not ours', () => {
    const payments = open()
    const told: bigint[] = []
    payments.onPaid(({ amount }) => told.push(amount))
    history.add('received', orderOf(1, 1n))
    history.add('received', orderOf(2, 2n), utf8('a bag of rice'))
    history.add('sent', orderOf(3, 3n))
    history.add('received', orderOf(4, 4n))
    expect(told).toEqual([1n, 4n])
    expect(payments.receivedAfter(0n, 64).map(({ amount, mark }) => [amount, mark])).toEqual([[1n, 1n], [4n, 4n]])
    expect(payments.receivedAfter(1n, 64).map(({ mark }) => mark)).toEqual([4n])
    expect(payments.receivedAfter(0n, 1).map(({ mark }) => mark)).toEqual([1n])
    expect(payments.receivedAfter(4n, 64)).toEqual([])
  })

  it('behind thousands of others is found in pieces, and told', () => {
    for (let row = 0; row < 2300; row++) history.add('received', orderOf(255, 7n), utf8('coffee'))
    history.add('received', orderOf(9, 9n))
    const payments = open()
    const told: bigint[] = []
    payments.onPaid(({ amount }) => told.push(amount))
    expect(payments.receivedAfter(0n, 64)).toEqual([])
    expect(history.looked).toBeLessThanOrEqual(500)
    time.advance(1000)
    expect(told).toEqual([9n])
    expect(payments.receivedAfter(0n, 64).map(({ amount }) => amount)).toEqual([9n])
  })

  it('is nothing while there are no channels', () => {
    const payments = open()
    history.add('received', orderOf(1, 1n))
    payments.use(null)
    expect(payments.receivedAfter(0n, 64)).toEqual([])
  })
})
