/**
 * The power goes at every turn of the store there is, before it is written and after it is on disk and before anybody heard of it; and at random ones
 * among many frames. After each: no unit is billed twice, what is billed was delivered, what was delivered for nothing is worth no more than
 * the credit window per cut, and units, receipts, ledger and what the servers got tell one story, to the unit.
 *
 * MESHBOX_TENANT_FRAMES, MESHBOX_TENANT_SEED: more frames, others.
 */
import { describe, expect, it } from 'vitest'
import type { BillableUnit, FrameId, Heard, Receipt, Tenant } from '../../../src/iot/ports.ts'
import { auditReceipts } from '../../../src/iot/tenants/receipt/index.ts'
import { dueAccount } from '../../../src/iot/tenants/index.ts'
import { hexOf } from '../../../src/base/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { BOX, CutStore, TenantBox, curve, heardOf, tenant, turns, uplink } from './tenant-box.ts'

const FRAMES = Number(process.env.MESHBOX_TENANT_FRAMES ?? 6_000)
const SEED = Number(process.env.MESHBOX_TENANT_SEED ?? 7)
const WINDOW = 400n

const PAYS: Tenant = tenant({ id: 'pays', creditWindow: WINDOW })
const OWES: Tenant = tenant({ id: 'owes', payer: hexOf(new Uint8Array(20).fill(0x44)), creditWindow: WINDOW, routes: [{ kind: 'dev-addr', prefix: 0x2701_0000, prefixBits: 16 }] })
const ADDRESS = { pays: 0x2601_0001, owes: 0x2701_0001 }
type Id = keyof typeof ADDRESS
const IDS: readonly Id[] = ['pays', 'owes']

/** A town whose box loses its power now and then. */
class Town {
  readonly box = new TenantBox({ limits: { uplinksPerSecond: 10_000, uplinkBurst: 10_000, keptUnits: 1_000_000, keptReceipts: 1_000_000 }, lateBytes: 64 * 1024 })
  /** What a server acknowledged, by frame: how often. */
  readonly acknowledged: Record<Id, Map<FrameId, number>> = { pays: new Map(), owes: new Map() }
  readonly givenAway: Record<Id, Set<FrameId>> = { pays: new Set(), owes: new Set() }
  /** Every receipt anybody ever saw. */
  readonly shown: Record<Id, Receipt[]> = { pays: [], owes: [] }
  readonly waiting: (() => void)[] = []
  readonly random: ReturnType<typeof seededRandom>
  cuts = 0
  /** When the power goes again, in turns of the store, after each time it came back. */
  plan: () => readonly [cutAt: number, isAfter: boolean] = () => [Infinity, false]
  store: CutStore
  #downlinkId = 0
  #fCnt = 0

  constructor(seed: number, cutAt: number, isAfter: boolean) {
    this.random = seededRandom(seed)
    this.store = new CutStore(this.box.store, cutAt, isAfter)
  }

  async open(): Promise<void> {
    await this.box.run(this.box.house.start())
    for (const each of [PAYS, OWES]) await this.box.run(this.box.house.admin.put(each))
    await this.box.run(this.box.house.stop())
    for (const id of IDS) this.box.server(id).answer = (heard) => this.#answer(id, heard)
    this.box.air.answer = ({ id, gateway }) => (this.random.next() < 0.7 ? { id, gateway, statuses: ['OK'], sent: 0, onAirUs: 41_216 } : { id, gateway, statuses: ['TOO_LATE'], sent: null, onAirUs: 0 })
    await this.#switchOn()
  }

  /** A service that dies while it starts, or while it is asked what it was about to answer, is switched on again. */
  async #switchOn(bootId = this.box.time.bootId): Promise<void> {
    const before = this.box.time
    this.box.time = new FakeTime(bootId)
    if (bootId === before.bootId) this.box.time.advance(before.boottimeMs() - this.box.time.boottimeMs())
    this.box.house = this.box.newHouse(this.store)
    this.box.house.onReceipt((id, receipt) => {
      this.shown[id as Id].push(receipt)
      if (id === 'pays' && this.random.next() < 0.5) this.#pay(receipt)
    })
    let isUp = false
    void this.box.house.start().then(() => (isUp = true))
    while (!isUp) {
      await this.pass(50)
      if (this.store.isDead) return this.restore()
    }
  }

  async restore(): Promise<void> {
    this.cuts++
    this.waiting.splice(0)
    for (const id of IDS) this.box.server(id).isOnline = true
    this.store = new CutStore(this.box.store, ...this.plan())
    await this.#switchOn(this.random.next() < 0.5 ? undefined : `boot-${this.cuts}-0000-0000-0000-000000000000`)
  }

  #pay(receipt: Receipt): void {
    const due = receipt.cumAmount - this.box.payments.paid(null, receipt.tenant, receipt.token)
    if (due > 0n) this.box.payments.pay(due, receipt.tenant, receipt.token)
  }

  #answer(id: Id, heard: Heard): boolean | Promise<boolean> {
    const dice = this.random.next()
    if (dice < 0.05) return false
    const yes = (): boolean => {
      this.acknowledged[id].set(heard.id, (this.acknowledged[id].get(heard.id) ?? 0) + 1)
      return true
    }
    if (dice < 0.85) return yes()
    // The server has it now; that it says so takes a while, or the power goes first.
    const has = yes()
    return new Promise((resolve) => this.waiting.push(() => resolve(has)))
  }

  async pass(ms: number): Promise<void> {
    this.box.time.advance(ms)
    await turns(3)
  }

  /** One moment of a busy town; the power may go in it. */
  async step(frames: number, ms: number): Promise<void> {
    const { random, box } = this
    const last = this.shown.pays.at(-1)
    if (last !== undefined && random.next() < 0.3) this.#pay(last)
    for (let i = 0; i < frames; i++) {
      const id: Id = random.next() < 0.8 ? 'pays' : 'owes'
      const isRepetition = random.next() < 0.1 && this.#fCnt > 20
      const fCnt = isRepetition ? this.#fCnt - 1 - Math.floor(random.next() * 20) : this.#fCnt++
      const phy = uplink(fCnt, { devAddr: ADDRESS[id], bytes: fCnt % 60 })
      const heard = heardOf(phy)
      void box.house.take(heard, box.house.route(phy)).then((outcomes) => {
        if (outcomes.get(id) === 'free') this.givenAway[id].add(heard.id)
      })
    }
    if (random.next() < 0.2) void box.house.order('pays', { id: ++this.#downlinkId, gateway: '0102030405060708', windows: [{ phy: Uint8Array.of(0x60, ...new Uint8Array(12)), frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14, timing: { kind: 'now' }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0 }], purpose: 'data', priority: 0, devEui: null, expiresMs: 1e12 }).catch(() => undefined)
    if (random.next() < 0.02) for (const id of IDS) box.server(id).isOnline = random.next() < 0.7
    if (random.next() < 0.3) for (const answer of this.waiting.splice(0)) answer()
    await this.pass(random.next() < 0.02 ? 30_000 : ms)
  }

  /** Everything comes to rest, and is checked. */
  async settle(): Promise<void> {
    const { box } = this
    for (let i = 0; i < 3; i++) {
      for (const id of IDS) box.server(id).isOnline = true
      for (const answer of this.waiting.splice(0)) answer()
      for (let second = 0; second < 70; second++) {
        await this.pass(1_000)
        for (const answer of this.waiting.splice(0)) answer()
        if (this.store.isDead) await this.restore()
      }
    }
    await box.run(box.house.stop())
    await box.restart()
    for (const id of IDS) this.#check(id)
    await box.run(box.house.stop())
    expect(box.store.read((tx) => box.ledger.audit(tx)).every(({ sum, unbalancedEntries }) => sum === 0n && unbalancedEntries.length === 0)).toBe(true)
  }

  #check(id: Id): void {
    const { box } = this
    const units = box.units(id)
    const receipts = box.receipts(id)
    const sum = units.reduce((all, unit) => all + unit.amount, 0n)
    const view = box.house.admin.tenants().find((each) => each.id === id)
    expect(view?.account.cumAmount).toBe(sum)
    expect(receipts[0]?.cumAmount ?? 0n).toBe(sum)
    const earned = box.store.read((tx) => box.ledger.entries(tx, { limit: 1_000 })).length === 0 ? 0n : this.#earnedFrom(id)
    expect(earned, 'the ledger has what the units make').toBe(sum)
    expect(box.balance(dueAccount(id))).toBe(sum - box.payments.paid(null, (id === 'pays' ? PAYS : OWES).payer, PAYS.prices.token))
    expect(box.store.read((tx) => tx.all('SELECT * FROM iot_held'))).toEqual([])
    expect(box.store.read((tx) => tx.all('SELECT * FROM iot_account WHERE held_amount <> ? OR held_count <> 0', '0'))).toEqual([])

    const up = units.filter((unit) => unit.kind !== 'downlink')
    const billed = new Set(up.map((unit) => unit.frame))
    expect(billed.size, 'no frame is billed twice').toBe(up.length)
    const got = this.acknowledged[id]
    expect(up.filter((unit) => !got.has(unit.frame)), 'what is billed was delivered').toEqual([])
    // A repetition of a frame that was not bought, and of an older counter than what was bought since, is given away knowingly.
    const free = [...got.keys()].filter((frame) => !billed.has(frame) && !this.givenAway[id].has(frame))
    expect(BigInt(free.length) * 10n, `delivered for nothing in ${this.cuts} cuts`).toBeLessThanOrEqual(WINDOW * BigInt(this.cuts))
    expect(view?.owed ?? 0n).toBeLessThanOrEqual(WINDOW)

    const result = auditReceipts({ receipts: [...receipts, ...this.shown[id]], units, frames: new Set([...got.keys(), ...units.filter((unit) => unit.kind === 'downlink').map((unit) => unit.frame)]), gateway: BOX, payer: null }, curve)
    expect(result.problems).toEqual([])
    expect(result.provenUnits).toBe(units.length)
  }

  #earnedFrom(id: Id): bigint {
    let sum = 0n
    for (let afterId = 0; ; ) {
      const page = this.box.store.read((tx) => this.box.ledger.entries(tx, { afterId, limit: 1_000 }))
      for (const entry of page) if (entry.kind === 'earn') sum += entry.postings.filter(({ account }) => account === dueAccount(id)).reduce((all, { amount }) => all + amount, 0n)
      const last = page.at(-1)
      if (last === undefined) return sum
      afterId = last.id
    }
  }
}

/** The same story each time, until the power goes. */
async function story(cutAt: number, isAfter: boolean): Promise<{ readonly turns: number; readonly units: readonly BillableUnit[] }> {
  const town = new Town(3, cutAt, isAfter)
  try {
    await town.open()
    for (let i = 0; i < 12; i++) {
      await town.step(2, 50)
      if (town.store.isDead) await town.restore()
    }
    const turnsSoFar = town.store.turns
    await town.settle()
    return { turns: turnsSoFar, units: town.box.units('pays') }
  } finally {
    await town.box.close()
  }
}

describe('the power goes', () => {
  it('at every turn of a short story, before and after it is on disk', async () => {
    const whole = await story(Infinity, false)
    expect(whole.turns).toBeGreaterThan(40)
    expect(whole.units.length).toBeGreaterThan(10)
    for (let cutAt = 1; cutAt <= whole.turns; cutAt++) for (const isAfter of [false, true]) await story(cutAt, isAfter)
  })

  it('now and then, in a long one', async () => {
    const town = new Town(SEED, 150, false)
    town.plan = () => [1 + Math.floor(town.random.next() * 1_500), town.random.next() < 0.5]
    try {
      await town.open()
      for (let sent = 0; sent < FRAMES; sent += 10) {
        await town.step(10, 1_000)
        if (town.store.isDead) await town.restore()
      }
      town.plan = () => [Infinity, false]
      town.store.spare()
      expect(town.cuts).toBeGreaterThan(FRAMES / 1_500)
      await town.settle()
      expect(town.box.units('pays').length).toBeGreaterThan(FRAMES / 4)
      expect(town.box.house.admin.tenants().find(({ id }) => id === 'owes')?.owed, 'who never pays gets his window, once').toBeLessThanOrEqual(WINDOW)
    } finally {
      await town.box.close()
    }
  })
})
