/** What tenants pay by channels: each payment counts once, whenever it is told and whenever the process ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog, utf8 } from '../../../src/base/index.ts'
import type { Address, Cancel } from '../../../src/base/index.ts'
import { iotMigrations } from '../../../src/iot/tables/index.ts'
import { IOT_NOTE, IotPayments } from '../../../src/main/iot-payments.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { keySeal } from '../../../src/main/iot-seal.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import type { Photon } from '../../../src/photon/index.ts'

const PAYER: Address = `0x${'22'.repeat(20)}`
const TOKEN: Address = `0x${'11'.repeat(20)}`
const OTHER: Address = `0x${'33'.repeat(20)}`
type Direct = NonNullable<ReturnType<Photon['direct']>>
type Row = ReturnType<Direct['after']>['payments'][number]

/** History as the channels keep it: rows of every kind, in order. */
class Channels implements Pick<Photon, 'direct'> {
  readonly rows: (Row | null)[] = []
  isUp = true
  readonly #listeners = new Set<Parameters<Direct['onReceived']>[0]>()
  readonly #direct: Direct = {
    newest: () => this.rows.length,
    after: (id, most) => {
      const looked = this.rows.slice(id, id + most)
      return { payments: looked.filter((row) => row !== null), lookedTo: looked.length < most ? null : id + most }
    },
    pay: () => Promise.reject(new Error('nobody pays here')),
    arrival: () => 'delivered',
    spendable: () => null,
    onReceived: (listener): Cancel => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
  }

  direct(): Direct | null {
    return this.isUp ? this.#direct : null
  }

  comes(amount: bigint, change: Partial<Row> = {}, isTold = true): void {
    const row: Row = { id: this.rows.length + 1, kind: 'received', partner: PAYER, token: TOKEN, amount, reference: `0x${'aa'.repeat(32)}`, data: IOT_NOTE, ...change }
    this.rows.push(row)
    if (isTold) for (const listener of this.#listeners) listener(row)
  }

  /** Somebody else's payments. */
  goesOn(count: number): void {
    for (let n = 0; n < count; n++) this.rows.push(null)
  }
}

let folder: string
let store: Store
let channels: Channels
let time: FakeTime
const running: IotPayments[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-paid-'))
  store = openStore({ path: join(folder, 'box.db'), migrations: iotMigrations, log: silentLog })
  channels = new Channels()
  time = new FakeTime()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function started(given: Pick<Photon, 'direct'> | null = channels): Promise<IotPayments> {
  const payments = new IotPayments({ store, channels: given, timers: time, log: silentLog })
  running.push(payments)
  let isUp = false
  const starting = payments.start().finally(() => (isUp = true))
  while (!isUp) {
    await new Promise((next) => setImmediate(next))
    time.advance(1)
  }
  await starting
  return payments
}
const paid = (payments: IotPayments): bigint => store.read((tx) => payments.paid(tx, PAYER, TOKEN))
async function settle(ms = 0): Promise<void> {
  for (let n = 0; n < 30; n++) {
    time.advance(ms / 30)
    await new Promise((next) => setImmediate(next))
  }
}

it('counts what has the note, by payer and token, and tells it', async () => {
  const payments = await started()
  const told: string[] = []
  payments.onPaid((payer, token) => told.push(`${payer} ${token}`))
  channels.comes(10n)
  channels.comes(7n, { data: utf8('iot2') })
  channels.comes(7n, { data: utf8('') })
  channels.comes(7n, { kind: 'sent' })
  channels.comes(5n, { partner: OTHER })
  channels.comes(3n)
  await settle()
  expect(paid(payments)).toBe(13n)
  expect(store.read((tx) => payments.paid(tx, OTHER, TOKEN))).toBe(5n)
  expect(store.read((tx) => payments.paid(tx, PAYER, OTHER))).toBe(0n)
  expect(new Set(told)).toEqual(new Set([`${PAYER} ${TOKEN}`, `${OTHER} ${TOKEN}`]))
})

it('counts each once over restarts, what came meanwhile too, in a history of any length', async () => {
  const first = await started()
  channels.comes(10n)
  await settle()
  await first.stop()
  channels.goesOn(1_700)
  channels.comes(4n, {}, false)
  channels.goesOn(600)
  const second = await started()
  expect(paid(second)).toBe(14n)
  await second.stop()
  expect(paid(await started())).toBe(14n)
})

it('waits for channels that come up later, and goes on after a disk that refused', async () => {
  channels.isUp = false
  channels.comes(6n, {}, false)
  const payments = await started()
  expect(paid(payments)).toBe(0n)
  channels.isUp = true
  await settle(6_000)
  expect(paid(payments)).toBe(6n)
  const turn = store.turn.bind(store)
  let refusals = 1
  const refusing = Object.assign(Object.create(store) as Store, { turn: ((work: never) => (refusals-- > 0 ? Promise.reject(new Error('disk full')) : turn(work))) as Store['turn'] })
  const other = new IotPayments({ store: refusing, channels, timers: time, log: silentLog })
  running.push(other)
  channels.comes(2n, {}, false)
  const starting = other.start()
  await settle(6_000)
  await starting
  expect(paid(other)).toBe(8n)
})

it('is nothing on a box without channels', async () => {
  expect(paid(await started(null))).toBe(0n)
})

it('seals keys so that only this box opens them', () => {
  const secret = new Uint8Array(32).fill(7)
  const seal = keySeal(secret, seededRandom(3))
  const key = Uint8Array.from({ length: 16 }, (_, at) => at)
  const sealed = seal.seal(key)
  expect(seal.seal(key)).not.toEqual(sealed)
  expect(Buffer.from(sealed).includes(Buffer.from(key))).toBe(false)
  expect([...seal.open(sealed)]).toEqual([...key])
  const changed = sealed.slice()
  changed[14] = (changed[14] ?? 0) ^ 1
  for (const bad of [changed, sealed.subarray(0, 20), new Uint8Array(0)]) expect(() => seal.open(bad)).toThrow(/another box/)
  expect(() => keySeal(new Uint8Array(32).fill(8), seededRandom(3)).open(sealed)).toThrow(/another box/)
})
