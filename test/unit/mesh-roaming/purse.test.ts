/** Payments for guests over channels, counted from the channels' history in a real book: each once, whatever is killed between two steps. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog, utf8 } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { ChannelPurse } from '../../../src/mesh/roaming/index.ts'
import { roamingMigrations } from '../../../src/mesh/roaming/io/roam-tables.ts'
import type { PurseChannels, PursePayment } from '../../../src/mesh/roaming/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { TOKEN, boxId } from './village.ts'

const NOTE = utf8('meshbox roaming')
const REFERENCE: Hash = `0x${'ab'.repeat(32)}`
const PARTNER: Address = `0x${'cc'.repeat(20)}`
const OTHER_TOKEN: Address = `0x${'78'.repeat(20)}`

/** The channels' room of one box: what is in its history is on its disk. */
class PaperChannels implements PurseChannels {
  readonly history: PursePayment[] = []
  readonly undelivered = new Set<number>()
  readonly lost = new Set<number>()
  readonly untold = new Set<number>()
  /** The next payment: is not begun; is on disk, and the process dies before it says so; is never taken by the partner. */
  fate: 'paid' | 'refused' | 'killed' | 'untaken' = 'paid'
  #listener: (payment: Pick<PursePayment, 'data'>) => void = () => undefined

  newest(): number {
    return this.history.at(-1)?.id ?? 0
  }
  after(id: number, most: number): ReturnType<PurseChannels['after']> {
    const rows = this.history.filter((row) => row.id > id).slice(0, most)
    return { payments: rows, lookedTo: rows.length < most ? null : (rows.at(-1)?.id ?? null) }
  }
  pay({ token, amount, reference, data }: Parameters<PurseChannels['pay']>[0]): ReturnType<PurseChannels['pay']> {
    if (this.fate === 'refused') return Promise.reject(new Error('there is no channel'))
    this.add({ kind: 'sent', token, amount, reference, data })
    if (this.fate === 'killed') return new Promise(() => undefined)
    if (this.fate === 'untaken') this.undelivered.add(this.newest())
    return Promise.resolve({ delivered: this.fate === 'untaken' ? new Promise(() => undefined) : Promise.resolve() })
  }
  arrival(id: number): 'delivered' | 'waiting' | 'lost' | 'unknown' {
    return this.lost.has(id) ? 'lost' : this.untold.has(id) ? 'unknown' : this.undelivered.has(id) ? 'waiting' : 'delivered'
  }
  onReceived(listener: (payment: Pick<PursePayment, 'data'>) => void): () => void {
    this.#listener = listener
    return () => undefined
  }
  add(payment: Omit<PursePayment, 'id'>): void {
    this.history.push({ ...payment, id: this.history.length + 1 })
    if (payment.kind === 'received') this.#listener(payment)
  }
  get sent(): bigint {
    return this.history.reduce((sum, { kind, amount }) => (kind === 'sent' ? sum + amount : sum), 0n)
  }
}

let folder: string
let store: Store
let channels: PaperChannels
const time = new FakeTime()
const open = (): ChannelPurse => {
  const purse = new ChannelPurse({ payeeOf: () => PARTNER, store, timers: time, log: silentLog })
  purse.use(channels)
  return purse
}
const order = (amount: bigint) => ({ to: PARTNER, token: TOKEN, amount, reference: REFERENCE })
const received = (amount: bigint, over: Partial<PursePayment> = {}): void => channels.add({ kind: 'received', token: TOKEN, amount, reference: REFERENCE, data: NOTE, ...over })
async function finish<T>(work: Promise<T>): Promise<T> {
  let isDone = false
  const done = (): void => void (isDone = true)
  work.then(done, done)
  for (let steps = 0; !isDone && steps < 3000; steps++) {
    time.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return work
}
const settled = (): Promise<void> => finish(new Promise((resolve) => void time.after(200, resolve)))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-purse-'))
  store = openStore({ path: join(folder, 'box.sqlite'), migrations: roamingMigrations, log: silentLog })
  channels = new PaperChannels()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

it('pays what is missing of a sum that grows, and nothing for a sum that was paid', async () => {
  const purse = open()
  await finish(purse.pay(order(100n)))
  await finish(purse.pay(order(100n)))
  await finish(purse.pay(order(130n)))
  expect(channels.history.map(({ amount }) => amount)).toEqual([100n, 30n])
})

it('killed between the payment and the word of it, it finds the payment and does not pay again', async () => {
  channels.fate = 'killed'
  void open().pay(order(100n))
  await settled()
  expect(channels.sent).toBe(100n)
  channels.fate = 'paid'
  await finish(open().pay(order(100n)))
  expect(channels.sent).toBe(100n)
})

it('a partner who does not take it holds up nobody: asked again it is paid once, and said when he has it', async () => {
  const purse = open()
  channels.fate = 'untaken'
  await expect(finish(purse.pay(order(100n)))).rejects.toMatchObject({ code: 'mesh-not-delivered' })
  channels.fate = 'paid'
  await finish(purse.pay({ ...order(7n), reference: `0x${'cd'.repeat(32)}` }))
  await expect(finish(purse.pay(order(100n)))).rejects.toMatchObject({ code: 'mesh-not-delivered' })
  channels.undelivered.clear()
  await finish(purse.pay(order(100n)))
  expect(channels.sent).toBe(107n)
})

it('what was lost with its channel is missing again, once; what is under way is waited for before more is sent', async () => {
  const purse = open()
  await finish(purse.pay(order(100n)))
  channels.fate = 'untaken'
  await expect(finish(purse.pay(order(130n)))).rejects.toMatchObject({ code: 'mesh-not-delivered' })
  await expect(finish(purse.pay(order(150n)))).rejects.toMatchObject({ code: 'mesh-not-delivered' })
  expect(channels.history.map(({ amount }) => amount)).toEqual([100n, 30n])
  channels.fate = 'refused'
  channels.lost.add(2)
  // The process may end between finding that out and paying.
  await expect(finish(purse.pay(order(150n)))).rejects.toThrow('there is no channel')
  channels.fate = 'paid'
  const again = open()
  await finish(again.pay(order(150n)))
  await finish(again.pay(order(150n)))
  expect(channels.history.map(({ amount }) => amount)).toEqual([100n, 30n, 50n])
})

it('what nobody can tell of is not sent twice, and later sums go on from it', async () => {
  const purse = open()
  await finish(purse.pay(order(100n)))
  channels.untold.add(1)
  await finish(purse.pay(order(130n)))
  expect(channels.history.map(({ amount }) => amount)).toEqual([100n, 30n])
})

it('what the channels refuse is nothing paid', async () => {
  const purse = open()
  channels.fate = 'refused'
  await expect(finish(purse.pay(order(100n)))).rejects.toThrow('there is no channel')
  channels.fate = 'paid'
  await finish(purse.pay(order(100n)))
  expect(channels.sent).toBe(100n)
})

it('counts what came for guests, in the token it is owed in, once over any number of starts', async () => {
  const told: Hash[] = []
  const purse = open()
  purse.onPaid(({ reference }) => told.push(reference))
  received(50n)
  received(9n, { token: OTHER_TOKEN })
  received(1000n, { data: utf8('meshbox relay') })
  received(25n)
  await settled()
  expect([purse.received(REFERENCE, TOKEN), purse.received(REFERENCE, OTHER_TOKEN)]).toEqual([75n, 9n])
  expect(new Set(told)).toEqual(new Set([REFERENCE]))
  for (let starts = 0; starts < 3; starts++) {
    const again = open()
    await settled()
    expect(again.received(REFERENCE, TOKEN)).toBe(75n)
  }
})

it('what came while the box was off is told when the channels are there, and a long history is looked through in pieces', async () => {
  for (let n = 0; n < 2600; n++) received(1n, n % 4 === 0 ? {} : { data: utf8('something else') })
  const told: Hash[] = []
  const purse = new ChannelPurse({ payeeOf: () => PARTNER, store, timers: time, log: silentLog })
  purse.onPaid(({ reference }) => told.push(reference))
  expect([purse.payeeOf(boxId(1)), purse.received(REFERENCE, TOKEN)]).toEqual([null, 0n])
  await expect(finish(purse.pay(order(1n)))).rejects.toMatchObject({ code: 'mesh-no-channels' })
  purse.use(channels)
  await settled()
  expect(purse.received(REFERENCE, TOKEN)).toBe(650n)
  expect(told.length).toBeGreaterThan(0)
  expect(purse.payeeOf(boxId(1))).toBe(PARTNER)
})
