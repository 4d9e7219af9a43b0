/**
 * Crash injection at every edge of the ways that tokens take: a code worth tokens → the guest's channel, and the channel
 * → minutes paid by the second, beside a voucher for time on the same phones. The process dies before or after any
 * commit, order for the chain or kernel change, comes back on the same disk, tmpfs and kernel (or after a power cut,
 * with the wall clock ten years off), and everybody goes on. Afterwards: a code that was taken is in its guest's channel
 * exactly once, nobody else had it; what a guest is charged is what he showed and what he was let through for, and no less
 * but for what a death may cost; the ledger, the channel and the page agree to the unit; and by the audit's rule what was served is proved on the disk, also
 * right after a death. Seeded: run n is the same run every time.
 *
 * MESHBOX_STREAM_CRASH_RUNS sets the number of runs (default 5,000: every edge; more come to more edges at once).
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, toHex } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import type { ClientAddress, GuestConsent, OpeningTerms, TopUpAnswer, VoucherRow } from '../../src/hotspot/index.ts'
import { findSession } from '../../src/hotspot/io/session-tables.ts'
import { findVoucher } from '../../src/hotspot/io/voucher-tables.ts'
import type { Session } from '../../src/hotspot/session/index.ts'
import { findTopUp } from '../../src/hotspot/stream/io/top-up-tables.ts'
import { openConsentDigest } from '../../src/photon/contracts/orders.ts'
import type { CrashBox } from '../support/crash-box.ts'
import { seededRandom } from '../support/fakes.ts'
import { guest, halfHour, settle } from '../support/hotspot-box.ts'
import type { ConfigChanges } from '../support/hotspot-box.ts'
import { PAPER_DOMAIN, paperSign } from '../support/model-channels.ts'
import { PayingBox } from '../support/paying-box.ts'
import { PayingPage } from '../support/paying-page.ts'

const RUNS = Number(process.env.MESHBOX_STREAM_CRASH_RUNS ?? 5000)
/** Runs that share a file: small files keep the starts quick. */
const RUNS_PER_FILE = 50
const CODES_PER_RUN = 3
const PAYERS_PER_RUN = 2
const LEASE_MS = 60_000
const CHECKPOINT_MS = 20_000
const STEP_MS = 2000
const UNIT = 1000n
const GRACE_TICKS = 15n
/** What a death costs the box of what was paid: what is on tmpfs later than its message; what is not on flash, at most so much. */
const LOST_TICKS = { service: 3, power: 180 }
/** Enough to pay for a while. */
const PLENTY = 60n * UNIT

const minutes = { ...halfHour, id: 'minutes', slot: 1, seconds: 40, price: 77_777n, devices: 2 }
const few = { ...halfHour, id: 'few', slot: 5, label: 'A few', seconds: null, tokens: 200_000n, price: 180_000n }
const many = { ...halfHour, id: 'many', slot: 6, label: 'Many', seconds: null, tokens: 1_000_000n, price: 1_000_001n }
const PACKAGES = [minutes, few, many]
const CHANGES: ConfigChanges = {
  hotspot: { leaseSeconds: LEASE_MS / 1000, checkpointSeconds: CHECKPOINT_MS / 1000 },
  config: { packages: PACKAGES, shares: [{ id: 'investor', role: 'investor', beneficiary: 'one', partsPerMillion: 333_333, sources: [] }] },
}

type Random = ReturnType<typeof seededRandom>
const below = (random: Random, n: number): number => Math.floor(random.next() * n)
const chance = (random: Random, oneIn: number): boolean => below(random, oneIn) === 0

class Run {
  readonly box: PayingBox
  readonly random: Random
  readonly codes: readonly VoucherRow[]
  readonly payers: readonly Address[]
  readonly devices: readonly ClientAddress[]
  readonly pages: (PayingPage | null)[]
  #lives = 0
  readonly shown = [0n, 0n]
  /** Codes a guest was told are his. */
  readonly told = new Map<string, Address>()
  readonly revoked = new Set<string>()
  readonly givenMs = new Map<string, number>()
  deaths = 0
  lostTicks = 0
  /** One of eight goes on for so long that a stream is longer than what the audit lets pass without proofs. */
  readonly #mostMs: number

  constructor(box: PayingBox, seed: number, codes: readonly VoucherRow[]) {
    this.box = box
    this.random = seededRandom(seed)
    this.codes = codes
    this.#mostMs = seed % 8 === 0 ? 300_000 : 40_000
    this.payers = Array.from({ length: PAYERS_PER_RUN }, (_, index) => `0x${(seed * PAYERS_PER_RUN + index + 1).toString(16).padStart(40, '0')}` as const)
    this.devices = this.payers.map((_, index) => guest(1 + seed * PAYERS_PER_RUN + index))
    this.pages = this.payers.map(() => null)
  }

  get crash(): CrashBox {
    return this.box.crash
  }

  /** Time passes for the box and the phones; pages pay as it does. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0 && !this.crash.isDead; left -= STEP_MS) {
      const now = Math.min(left, STEP_MS)
      this.crash.pass(now)
      this.box.phoneMs += now
      for (const page of this.pages) page?.due()
      await settle(3)
    }
  }

  async act(): Promise<void> {
    const acts = this.#acts()
    const count = chance(this.random, 5) ? 2 : 1
    const chosen = Array.from({ length: count }, () => acts[below(this.random, acts.length)] ?? acts[0])
    this.crash.phase = chosen.map((each) => each?.name).join('+')
    await Promise.all(chosen.map((each) => each?.run()))
    await settle(2)
    if (this.crash.isDead) await this.comeBack()
  }

  async comeBack(): Promise<void> {
    for (;;) {
      const kind = chance(this.random, 3) ? 'power' : 'service'
      this.noteDeath(kind)
      const offMs = chance(this.random, 4) ? below(this.random, 120_000) : below(this.random, 3000)
      this.crash.pass(offMs)
      this.box.phoneMs += offMs
      await this.box.afterDeath(kind, chance(this.random, 8), 15_000 + below(this.random, 2_000_000))
      // Who was online may be gone by now, with his phone.
      if (chance(this.random, 2)) this.closePage(below(this.random, PAYERS_PER_RUN))
      if (chance(this.random, 2)) this.box.wallIs([-10, 0, 10][below(this.random, 3)] ?? 0)
      this.crash.phase = `start after ${kind}`
      this.crash.nextDeath = chance(this.random, 3) ? 1 + below(this.random, 12) : 0
      if (await this.crash.start()) return
    }
  }

  noteDeath(kind: 'service' | 'power'): void {
    this.deaths++
    this.lostTicks += LOST_TICKS[kind]
    const open = new Set(this.devices.map(({ mac }) => this.crash.kernel.grantOf(mac)?.sessionId))
    for (const session of sessionsOf(this))
      if ((session.state !== 'paused' && session.state !== 'ended') || open.has(session.id))
        this.givenMs.set(session.id, (this.givenMs.get(session.id) ?? 0) + LEASE_MS + CHECKPOINT_MS + STEP_MS)
  }

  #acts(): { name: string; run: () => Promise<unknown> }[] {
    const { crash, random } = this
    const { guests, owner } = crash.box.hotspot
    const who = below(random, PAYERS_PER_RUN)
    const code = this.codes[below(random, this.codes.length)]
    const [device, payer] = [this.devices[who], this.payers[who]]
    if (code === undefined || device === undefined || payer === undefined) throw new Error('nobody to act')
    const page = this.pages[who]
    const topUp = { name: 'top-up', run: () => this.topUp(who, code) }
    const wait = { name: 'wait', run: () => this.pass(1000 + below(random, this.#mostMs)) }
    const start = { name: 'pay', run: async () => (page === null || page?.phase === 'over' ? this.openPage(who) : page?.act({ type: 'connected' })) }
    const mine = { name: 'chain', run: async () => this.box.channels.mine(payer, !chance(random, 5)) }
    return [
      topUp,
      topUp,
      topUp,
      wait,
      wait,
      wait,
      start,
      start,
      mine,
      mine,
      { name: 'reload', run: async () => this.openPage(who) },
      { name: 'lead', run: async () => page?.act({ type: 'lead', seconds: [0, 30, 600][below(random, 3)] ?? 0 }) },
      { name: 'stop', run: () => this.#stop(page) },
      { name: 'gone', run: async () => this.closePage(who) },
      { name: 'own deposit', run: async () => this.box.channels.ownDeposit(payer, 1n + BigInt(below(random, 1_200_000))) },
      { name: 'wall clock', run: async () => this.box.wallIs([-10, 0, 10][below(random, 3)] ?? 0) },
      { name: 'chain out of view', run: async () => void (this.box.channels.status = chance(random, 2) ? 'offline' : 'ready') },
      { name: 'pause', run: () => crash.attempt(guests.pause(device)) },
      { name: 'resume', run: () => crash.attempt(guests.resume(device)) },
      ...(chance(random, 3)
        ? [
            { name: 'end', run: () => crash.attempt(guests.end(device)) },
            { name: 'revoke', run: async () => (this.revoked.add(code.id), crash.attempt(owner.revokeVouchers({ id: code.id }))) },
            { name: 'gate fails', run: async () => void (crash.box.gate.failing = 1) },
          ]
        : []),
    ]
  }

  /** Two who hold a stream have to agree that it is over: death comes more often there. */
  async #stop(page: PayingPage | null | undefined): Promise<void> {
    if (page?.phase === 'paying' && chance(this.random, 2)) this.crash.dieIn(1 + below(this.random, 10))
    page?.act({ type: 'stop' })
  }

  /** As the page does it: asks, signs what it is asked to sign, asks again. A code for time is redeemed. */
  async topUp(who: number, code: VoucherRow): Promise<void> {
    const { guests } = this.crash.box.hotspot
    const [device, payer] = [this.devices[who], this.payers[who]]
    if (device === undefined || payer === undefined) return
    if (code.terms.tokens === null) return void (await this.crash.attempt(guests.redeem(device, code.code)))
    let answer = await this.#ask(who, code, null)
    if (answer?.state === 'unsigned' && !chance(this.random, 6)) answer = await this.#ask(who, code, signed(payer, answer.consent))
    if (answer !== undefined && answer.state !== 'unsigned') this.told.set(code.id, payer)
  }

  async #ask(who: number, code: VoucherRow, consent: GuestConsent | null): Promise<TopUpAnswer | undefined> {
    const [device, payer] = [this.devices[who], this.payers[who]]
    if (device === undefined || payer === undefined) return undefined
    const outcome = await this.crash.attempt(this.crash.box.hotspot.guests.topUp(device, code.code, payer, consent))
    if (outcome === undefined) return undefined
    if ('done' in outcome) return outcome.done
    if (outcome.refused instanceof MeshBoxError && outcome.refused.kind !== 'internal') return undefined
    throw outcome.refused
  }

  /** A page that remembers nothing, on the same phone. */
  openPage(who: number): PayingPage {
    const [device, payer] = [this.devices[who], this.payers[who]]
    if (device === undefined || payer === undefined) throw new Error('no such guest')
    this.closePage(who)
    const page = new PayingPage(payer, device.mac, this.#lives++, UNIT, () => this.box.phoneMs, () => this.box.streams.door(), this.shown[who])
    this.pages[who] = page
    if (chance(this.random, 3)) page.act({ type: 'lead', seconds: 30 })
    page.act({ type: 'start' })
    return page
  }

  closePage(who: number): void {
    const page = this.pages[who]
    if (page == null) return
    page.close()
    this.shown[who] = page.shown
    this.pages[who] = null
  }
}

function signed(payer: Address, terms: OpeningTerms): GuestConsent {
  const digest = openConsentDigest(keccak_256, PAPER_DOMAIN, { ...terms, channel: terms.channel as Address, participant: payer })
  return { ...terms, amount: terms.amount.toString(), epoch: terms.epoch.toString(), signature: `0x${toHex(paperSign(payer, digest)).replace(/^0x/, '')}` }
}

/** All sessions these devices ever had, from disk. */
function sessionsOf({ crash, devices }: Run): Session[] {
  return crash.store.read((tx) => {
    const ids = new Set<string>()
    for (const { mac } of devices) for (const { id } of tx.all<{ id: string }>('SELECT session_id AS id FROM hotspot_device WHERE mac = ?', mac)) ids.add(id)
    return [...ids].flatMap((id) => findSession(tx, id)?.session ?? [])
  })
}

const totals = { deaths: 0, codes: 0, streams: 0, earned: 0n, proved: 0 }

async function runOne(box: PayingBox, seed: number, codes: readonly VoucherRow[]): Promise<void> {
  const run = new Run(box, seed, codes)
  const { crash, random } = run
  // Half of the guests have a channel from before, filled by themselves.
  for (const payer of run.payers) if (chance(random, 2)) box.channels.openBefore(payer, BigInt(below(random, 300)) * UNIT)
  crash.phase = 'start'
  crash.nextDeath = 1 + below(random, 40)
  await box.afterDeath('service', false)
  if (!(await crash.start())) await run.comeBack()
  for (let act = 0; act < 12; act++) await run.act()

  // No more deaths, a chain that works: everybody gets what is his.
  if (crash.nextDeath !== 0) {
    crash.nextDeath = 0
    run.noteDeath('service')
    await box.afterDeath('service', false)
    await crash.start()
  }
  crash.dieIn(0)
  totals.proved += box.expectProofs()
  crash.phase = 'the end'
  crash.box.gate.failing = 0
  box.channels.status = 'ready'
  await expectCodesArePaid(run)
  await expectStreamsAreWhole(run)
  totals.proved += box.expectProofs()
  totals.deaths += run.deaths
}

/** Each code that was taken is in the channel of the one guest it was promised to, once; the others are as they were printed. */
async function expectCodesArePaid(run: Run): Promise<void> {
  const { crash, box } = run
  for (const [who, payer] of run.payers.entries()) {
    // Whoever was told that it is his asks again until it is there: a signature may have become too old.
    for (const code of run.codes) if (run.told.get(code.id) === payer) await run.topUp(who, code)
  }
  for (let look = 0; look < 40 && crash.store.read((tx) => tx.all(`SELECT 1 FROM hotspot_top_up WHERE state <> 'funded'`)).length > 0; look++) {
    await run.pass(6000)
    for (const payer of run.payers) box.channels.mine(payer, true)
    await signAgain(run)
  }
  const due = new Map<Address, bigint>(run.payers.map((payer) => [payer, 0n]))
  for (const code of run.codes) {
    const stored = crash.store.read((tx) => findVoucher(tx, code.id))
    if (code.terms.tokens === null) continue
    const topUp = crash.store.read((tx) => findTopUp(tx, code.id))
    const entries = crash.store.read((tx) => crash.box.ledger.entries(tx, { limit: 10, evidence: { type: 'token-voucher', id: code.id } }))
    expect(topUp === null, `a used code has a top-up (${code.id})`).toBe(stored?.state !== 'used')
    expect(entries.length, `entries of ${code.id}`).toBe(topUp === null ? 0 : 1)
    if (run.told.has(code.id)) expect(topUp?.payer, `who was told that ${code.id} is his`).toBe(run.told.get(code.id))
    if (topUp === null) continue
    totals.codes++
    expect(topUp.state, `what was promised for ${code.id}`).toBe('funded')
    due.set(topUp.payer as Address, (due.get(topUp.payer as Address) ?? 0n) + topUp.code.amount)
  }
  for (const payer of run.payers) expect(box.channels.paperOf(payer).fromBox, `what the box put into the channel of ${payer}`).toBe(due.get(payer))
}

/** A code taken by a guest who died before he heard of it: he types it in again, and signs if he is asked to. */
async function signAgain(run: Run): Promise<void> {
  for (const code of run.codes) {
    const topUp = code.terms.tokens === null ? null : run.crash.store.read((tx) => findTopUp(tx, code.id))
    if (topUp?.state === 'promised') await run.topUp(run.payers.indexOf(topUp.payer as Address), code)
  }
}

/** Whoever has tokens in a channel can pay, is online while he does and not after; and all books say the same. */
async function expectStreamsAreWhole(run: Run): Promise<void> {
  const { crash, box } = run
  for (const [who, payer] of run.payers.entries()) {
    const device = run.devices[who]
    if (device === undefined) throw new Error('no device')
    const paper = box.channels.paperOf(payer)
    const { spendable } = (await box.streams.door()?.balance(payer)) ?? { spendable: 0n }
    if (paper.isOpen && spendable >= PLENTY) {
      await crash.attempt(crash.box.hotspot.guests.resume(device))
      const page = run.openPage(who)
      await run.pass(16_000)
      expect(page.phase, 'a guest with tokens pays').toBe('paying')
      expect(crash.kernel.isOpen(device.mac), 'a guest who pays is online').toBe(true)
    }
    // The end of what runs: by a page of its guest that is there, or one that is opened for it.
    const last = run.pages[who] ?? null
    const page = paper.isOpen && (last === null || last.phase === 'over') ? run.openPage(who) : last
    await run.pass(4000)
    page?.act({ type: 'stop' })
    await run.pass(12_000)
    run.closePage(who)
  }
  for (const device of run.devices) await crash.attempt(crash.box.hotspot.guests.end(device))
  // What a phone left behind when it went over to another session waits for its code.
  for (const { id, state, devices } of sessionsOf(run)) {
    if (state === 'ended') continue
    expect(devices.some(({ isBound }) => isBound), 'a session that its guest ended has nobody').toBe(false)
    await crash.attempt(crash.box.hotspot.owner.kick(id))
  }
  await run.pass(STEP_MS)
  for (const [who, payer] of run.payers.entries()) {
    const { isOpen, deposit } = box.channels.paperOf(payer)
    if (!isOpen) continue
    const { spendable } = (await box.streams.door()?.balance(payer)) ?? { spendable: 0n }
    const earned = deposit - spendable
    const account = `channel:${box.channels.channelOf(payer)}`
    const booked = crash.store.read((tx) => crash.box.ledger.balance(tx, account, 'MBX'))
    expect(booked, `what the ledger has of the channel of ${payer}`).toBe(earned)
    expect(earned, 'nobody is charged for what he has not shown').toBeLessThanOrEqual(run.shown[who] ?? 0n)
    totals.earned += earned
  }
  const sessions = sessionsOf(run)
  let usedMs = 0
  let onlineMs = 0
  let givenMs = 0
  for (const session of sessions) {
    const used = session.allotments.reduce((sum, each) => sum + each.usedMs, 0)
    const online = crash.onlineMs.get(session.id) ?? 0
    expect(session.state, 'a session that was ended').toBe('ended')
    expect(used, 'charged').toBeLessThanOrEqual(online + 100 * session.allotments.length)
    expect(online, 'online').toBeLessThanOrEqual(used + (run.givenMs.get(session.id) ?? 0) + 3 * STEP_MS)
    usedMs += used
    onlineMs += online
    givenMs += run.givenMs.get(session.id) ?? 0
    totals.streams += session.allotments.filter(({ source }) => source === 'stream').length
  }
  const booked = run.payers.reduce((sum, payer) => sum + crash.store.read((tx) => crash.box.ledger.balance(tx, `channel:${box.channels.channelOf(payer)}`, 'MBX')), 0n)
  const streams = sessions.flatMap(({ allotments }) => allotments.filter(({ source }) => source === 'stream').length).reduce((sum, n) => sum + n, 0)
  // What was charged by the second is what the kernel let through, a begun second whole, and the grace of a debt.
  expect(booked, 'earned by the second').toBeLessThanOrEqual(UNIT * (BigInt(Math.ceil(onlineMs / 1000)) + BigInt(streams) * (GRACE_TICKS + 2n)))
  const streamedMs = sessions.flatMap(({ allotments }) => allotments).reduce((sum, { source, usedMs: each }) => sum + (source === 'stream' ? each : 0), 0)
  expect(streamedMs / 1000 - Number(booked / UNIT), 'seconds of streams that nobody paid').toBeLessThanOrEqual(PAYERS_PER_RUN * Number(GRACE_TICKS) + run.lostTicks)
  for (const { mac } of run.devices) expect(crash.kernel.isOpen(mac), 'whoever ended is offline').toBe(false)
  expect(usedMs).toBeLessThanOrEqual(onlineMs + givenMs + 100 * (streams + sessions.length))
}

/** So that no part is longer than a slow machine is given for one test. */
const PARTS = 10

describe(`crash injection in streams and codes worth tokens, ${RUNS} runs`, () => {
  const crashed = new Map<string, number>()
  const perPart = Math.ceil(RUNS / PARTS)
  it.each(Array.from({ length: PARTS }, (_, part) => [part * perPart, Math.min(RUNS, (part + 1) * perPart)] as const))('keeps every promise once, and takes from nobody more than he was served: runs %i to %i', async (from, to) => {
    for (let first = from; first < to; first += RUNS_PER_FILE) await runFile(first, Math.min(RUNS_PER_FILE, to - first), crashed)
  })
  it('reached every place where the process can die', () => {
    console.log(`crash injection: ${RUNS} runs, ${totals.deaths} deaths at ${crashed.size} kinds of edges, ${totals.codes} codes, ${totals.streams} streams`)
    expect(totals.deaths).toBeGreaterThan(RUNS / 2)
    expect(totals.codes).toBeGreaterThan(RUNS / 4)
    expect(totals.earned).toBeGreaterThan(0n)
    expect(totals.proved).toBeGreaterThan(0)
    if (RUNS >= 5000) expectEveryEdge(crashed)
  })
})

/** So many runs, one after the other, on one disk. */
async function runFile(first: number, runs: number, crashed: Map<string, number>): Promise<void> {
  const box = new PayingBox(CHANGES, UNIT)
  try {
    const codes = await printCodes(box.crash, runs)
    for (let index = 0; index < runs; index++) {
      const seed = first + index
      try {
        await runOne(box, seed, codes.slice(index * CODES_PER_RUN, (index + 1) * CODES_PER_RUN))
      } catch (thrown) {
        throw new Error(`run ${seed}, in phase '${box.crash.phase}': ${String(thrown)}`, { cause: thrown })
      }
    }
    expectSoundLedger(box.crash)
    for (const [edge, times] of box.crash.crashed) crashed.set(edge, (crashed.get(edge) ?? 0) + times)
  } finally {
    await box.crash.dispose()
  }
}

/** Of each run: a code for minutes, one for a few tokens, one for many. */
async function printCodes(crash: CrashBox, runs: number): Promise<VoucherRow[]> {
  await crash.start()
  const printed = await Promise.all(PACKAGES.map(({ id }) => crash.box.hotspot.owner.createVouchers({ packageId: id, count: runs })))
  return (printed[0] ?? []).flatMap((_, index) => printed.flatMap((batch) => batch[index] ?? []))
}

/** The book balances: cash for the codes that were taken, tokens out of the purse for them, and what vouchers and streams earned. */
function expectSoundLedger(crash: CrashBox): void {
  const { ledger } = crash.box
  crash.store.read((tx) => {
    for (const each of ledger.audit(tx)) expect(each).toMatchObject({ sum: 0n, unbalancedEntries: [] })
    const topUps = tx.all<{ amount: string; price: string }>('SELECT amount, price FROM hotspot_top_up')
    const used = tx.all<{ price: string }>(`SELECT price FROM hotspot_voucher WHERE session_id IS NOT NULL`)
    const streams = tx.all<{ account: string }>(`SELECT DISTINCT account FROM ledger_totals WHERE account LIKE 'channel:%'`)
    const sum = (amounts: readonly string[]): bigint => amounts.reduce((total, amount) => total + BigInt(amount), 0n)
    const byTheSecond = streams.reduce((total, { account }) => total + ledger.balance(tx, account, 'MBX'), 0n)
    expect(ledger.balance(tx, 'purse:channels', 'MBX')).toBe(-sum(topUps.map(({ amount }) => amount)))
    expect(ledger.balance(tx, 'cash:vouchers', 'MBX')).toBe(sum([...topUps, ...used].map(({ price }) => price)))
    const earned = ['owner', 'investor:one'].reduce((total, account) => total - ledger.balance(tx, account, 'MBX'), 0n)
    expect(earned).toBe(byTheSecond + sum(used.map(({ price }) => price)))
  })
}

/** The runs did reach every place where the process can die. */
function expectEveryEdge(crashed: ReadonlyMap<string, number>): void {
  const wanted = ['top-up · before commit', 'top-up · after commit', 'top-up · before order', 'top-up · after order', 'pay · before commit', 'pay · after commit', 'pay · before apply', 'pay · after apply']
  for (const edge of [...wanted, 'stop · before commit', 'stop · after commit', 'wait · before commit', 'wait · after commit', 'wait · before note']) {
    const [verb = '', place = ''] = edge.split(' · ')
    const times = [...crashed].filter(([name]) => name.split(' · ')[0]?.split('+').includes(verb) && name.endsWith(place)).reduce((sum, [, n]) => sum + n, 0)
    expect(times, `deaths at ${edge}`).toBeGreaterThan(0)
  }
}
