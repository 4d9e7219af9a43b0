/**
 * Crash injection at every edge of payment → session: guests and owner do what they do, the process dies
 * before or after any commit or kernel change, comes back on the same disk and kernel (or after a power cut,
 * with the wall clock ten years off), and they go on. Afterwards: nobody paid without a session or credit,
 * nothing was granted twice, the ledger is what the vouchers say, and the kernel holds nobody who has no
 * paid time. Seeded: run n is the same run every time.
 *
 * MESHBOX_CRASH_RUNS sets the number of runs (default 10,000).
 */
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../src/base/index.ts'
import { findVoucher } from '../../src/hotspot/io/voucher-tables.ts'
import { findSession } from '../../src/hotspot/io/session-tables.ts'
import type { ClientAddress, VoucherRow } from '../../src/hotspot/index.ts'
import { isUsable } from '../../src/hotspot/session/index.ts'
import type { Session } from '../../src/hotspot/session/index.ts'
import { CrashBox } from '../support/crash-box.ts'
import { seededRandom } from '../support/fakes.ts'
import { guest, halfHour } from '../support/hotspot-box.ts'
import type { ConfigChanges } from '../support/hotspot-box.ts'

const RUNS = Number(process.env.MESHBOX_CRASH_RUNS ?? 10_000)
/** Runs that share a file: small files keep the checks quick. */
const RUNS_PER_FILE = 250
const VOUCHERS_PER_RUN = 3
const DEVICES_PER_RUN = 3
const LEASE_MS = 60_000
const CHECKPOINT_MS = 20_000
const MIB = 1_048_576
/** How coarsely time passes here: what falls due within a step is done at its end. */
const STEP_MS = 2000

const minutes = { ...halfHour, id: 'minutes', slot: 1, seconds: 100, price: 1_000_003n, devices: 1 }
const bytes = { ...halfHour, id: 'bytes', slot: 2, seconds: null, bytes: 3 * MIB, price: 777n, devices: 2 }
const both = { ...halfHour, id: 'both', slot: 3, seconds: 70, bytes: 2 * MIB, price: 12_345_678_901n, devices: 2 }
const free = { ...halfHour, id: 'free', slot: 4, seconds: 50, price: 0n }
const PACKAGES = [minutes, bytes, both, free]
const CHANGES: ConfigChanges = {
  hotspot: { leaseSeconds: LEASE_MS / 1000, checkpointSeconds: CHECKPOINT_MS / 1000, trialsPerDay: 100_000 },
  tariff: { trialMinutes: 1, trialMib: null },
  config: {
    packages: PACKAGES,
    shares: [{ id: 'investor', role: 'investor', beneficiary: 'one', partsPerMillion: 333_333, sources: [] }],
  },
}

type Random = ReturnType<typeof seededRandom>
const below = (random: Random, n: number): number => Math.floor(random.next() * n)

/** What the people of one run know and expect. */
class Run {
  readonly crash: CrashBox
  readonly random: Random
  readonly vouchers: readonly VoucherRow[]
  readonly devices: readonly ClientAddress[]
  /** Vouchers a guest was told are his session now. */
  readonly told = new Map<string, string>()
  readonly tried = new Set<string>()
  readonly revoked = new Set<string>()
  readonly sessionIds = new Set<string>()
  tickets: string[] = []
  deaths = 0
  readonly passedBytes = new Map<string, number>()
  /** What a session may have had for nothing: a checkpoint and a lease for each death while it ran. */
  readonly givenMs = new Map<string, number>()

  constructor(crash: CrashBox, random: Random, vouchers: readonly VoucherRow[], devices: readonly ClientAddress[]) {
    this.crash = crash
    this.random = random
    this.vouchers = vouchers
    this.devices = devices
  }

  async act(): Promise<void> {
    const acts = this.#acts()
    const count = below(this.random, 5) === 0 ? 2 : 1
    const chosen = Array.from({ length: count }, () => acts[below(this.random, acts.length)] ?? acts[0])
    this.crash.phase = chosen.map((each) => each?.name).join('+')
    await Promise.all(chosen.map((each) => each?.run()))
    if (this.crash.isDead) await this.comeBack()
  }

  /** The process comes back, perhaps only after dying again while starting. */
  async comeBack(): Promise<void> {
    for (;;) {
      this.died()
      const kind = below(this.random, 3) === 0 ? 'power' : 'service'
      this.crash.pass(below(this.random, 4) === 0 ? below(this.random, 120_000) : below(this.random, 3000))
      await this.crash.afterDeath(kind, below(this.random, 8) === 0, 15_000 + below(this.random, 2_000_000))
      if (below(this.random, 2) === 0) this.crash.time.jumpWall((below(this.random, 2) === 0 ? -10 : 10) * 365 * 86_400_000)
      this.crash.phase = `start after ${kind}`
      this.crash.nextDeath = below(this.random, 3) === 0 ? 1 + below(this.random, 12) : 0
      if (await this.crash.start()) return
    }
  }

  died(): void {
    this.deaths++
    // Running by the disk, or still open in the kernel because it died between writing and closing.
    const open = new Set(this.devices.map(({ mac }) => this.crash.kernel.grantOf(mac)?.sessionId))
    for (const session of sessionsOf(this.crash, this))
      if ((session.state !== 'paused' && session.state !== 'ended') || open.has(session.id))
        this.givenMs.set(session.id, (this.givenMs.get(session.id) ?? 0) + LEASE_MS + CHECKPOINT_MS + STEP_MS)
  }

  #acts(): { name: string; run: () => Promise<unknown> }[] {
    const { crash, random } = this
    const { hotspot } = crash.box
    const voucher = this.vouchers[below(random, this.vouchers.length)]
    const device = this.devices[below(random, this.devices.length)]
    if (voucher === undefined || device === undefined) throw new Error('nobody to act')
    const sessionId = [...this.sessionIds][below(random, this.sessionIds.size)]
    const ofOwner = (name: string, act: (id: string) => Promise<unknown>): { name: string; run: () => Promise<unknown> } => ({
      name,
      run: async () => (sessionId === undefined ? undefined : crash.attempt(act(sessionId))),
    })
    const redeem = { name: 'redeem', run: () => this.redeem(voucher, device) }
    const wait = { name: 'wait', run: () => crash.advance(500 + below(random, 45_000)) }
    const traffic = { name: 'traffic', run: async () => this.#traffic(device) }
    return [
      redeem,
      redeem,
      redeem,
      wait,
      wait,
      traffic,
      traffic,
      { name: 'pause', run: () => crash.attempt(hotspot.guests.pause(device)) },
      { name: 'resume', run: () => crash.attempt(hotspot.guests.resume(device)) },
      { name: 'ticket', run: () => this.#useTicket(device) },
      { name: 'trial', run: async () => this.#note(await crash.attempt(hotspot.guests.startTrial(device))) },
      ofOwner('extend', (id) => hotspot.owner.extend(id, { seconds: 30 })),
      ofOwner('owner pause', (id) => hotspot.owner.pause(id)),
      ofOwner('owner resume', (id) => hotspot.owner.resume(id)),
      ...(below(random, 3) === 0
        ? [
            ofOwner('refund', (id) => hotspot.owner.refund(id)),
            ofOwner('kick', (id) => hotspot.owner.kick(id)),
            { name: 'revoke', run: () => this.#revoke(voucher) },
            { name: 'gate fails', run: async () => void (crash.box.gate.failing = 1) },
          ]
        : []),
    ]
  }

  async redeem(voucher: VoucherRow, device: ClientAddress): Promise<void> {
    this.tried.add(voucher.id)
    const outcome = await this.crash.attempt(this.crash.box.hotspot.guests.redeem(device, voucher.code))
    const session = this.#note(outcome)
    if (session !== undefined) this.told.set(voucher.id, session)
  }

  async #revoke(voucher: VoucherRow): Promise<void> {
    this.revoked.add(voucher.id)
    await this.crash.attempt(this.crash.box.hotspot.owner.revokeVouchers({ id: voucher.id }))
  }

  async #useTicket(device: ClientAddress): Promise<void> {
    const ticket = this.tickets[below(this.random, this.tickets.length)]
    if (ticket !== undefined) this.#note(await this.crash.attempt(this.crash.box.hotspot.guests.redeem(device, ticket)))
    for (const each of this.devices) this.tickets.push(this.crash.box.hotspot.guests.view(each).ticket ?? '')
    this.tickets = this.tickets.filter((each) => each !== '').slice(-4)
  }

  #traffic(device: ClientAddress): void {
    const grant = this.crash.kernel.grantOf(device.mac)
    const size = 1 + below(this.random, MIB)
    if (grant !== null && this.crash.kernel.traffic(device.mac, 100, size))
      this.passedBytes.set(grant.sessionId, (this.passedBytes.get(grant.sessionId) ?? 0) + size + 100)
  }

  #note(outcome: { done: { id: string } } | { refused: unknown } | undefined): string | undefined {
    if (outcome === undefined || !('done' in outcome)) return undefined
    this.sessionIds.add(outcome.done.id)
    return outcome.done.id
  }
}

interface Totals {
  deaths: number
  sessions: number
  credits: number
}

async function runOne(crash: CrashBox, seed: number, vouchers: readonly VoucherRow[], totals: Totals): Promise<void> {
  const random = seededRandom(seed)
  const devices = Array.from({ length: DEVICES_PER_RUN }, (_, index) => guest(1 + seed * (DEVICES_PER_RUN + 1) + index))
  const run = new Run(crash, random, vouchers, devices)
  // A new life with a death planned: the box of the run before is as good as dead.
  crash.phase = 'start'
  crash.nextDeath = 1 + below(random, 30)
  await crash.afterDeath('service', false)
  if (!(await crash.start())) await run.comeBack()
  for (let act = 0; act < 9; act++) await run.act()

  // No more deaths: everybody goes on, and gets what is his.
  if (crash.nextDeath !== 0) {
    crash.nextDeath = 0
    run.died()
    await crash.afterDeath('service', false)
    await crash.start()
  }
  crash.phase = 'the end'
  crash.box.gate.failing = 0
  await crash.advance(STEP_MS + 500)
  expectSoundBooks(crash, run)
  expectSoundKernel(crash, run)
  await expectNothingLost(crash, run, seed)
  expectSoundBooks(crash, run)
  for (const session of sessionsOf(crash, run)) {
    totals.sessions++
    if (session.state === 'credited') totals.credits++
    if (session.state !== 'ended') await crash.box.hotspot.owner.kick(session.id)
  }
  for (const device of devices) expect(crash.kernel.isOpen(device.mac), 'a kicked guest is online').toBe(false)
  totals.deaths += run.deaths
}

/** Sessions of the run's vouchers and devices, from disk: trials too, and those nobody was told of. */
function sessionsOf(crash: CrashBox, run: Run): Session[] {
  return crash.store.read((tx) => {
    const ids = new Set(run.sessionIds)
    for (const { id } of run.vouchers) {
      const sessionId = findVoucher(tx, id)?.sessionId
      if (sessionId != null) ids.add(sessionId)
    }
    for (const { mac } of run.devices) for (const row of tx.all<{ id: string }>('SELECT session_id AS id FROM hotspot_device WHERE mac = ?', mac)) ids.add(row.id)
    return [...ids].flatMap((id) => findSession(tx, id)?.session ?? [])
  })
}

/** Each used voucher: one session, one allotment, one earning; what was charged is what the kernel let through. */
function expectSoundBooks(crash: CrashBox, run: Run): void {
  const sessions = sessionsOf(crash, run)
  for (const { id, terms } of run.vouchers) {
    const stored = crash.store.read((tx) => findVoucher(tx, id))
    const allotments = sessions.flatMap((session) => session.allotments).filter((each) => each.bearer === id)
    const entries = crash.store.read((tx) => crash.box.ledger.entries(tx, { limit: 10, evidence: { type: 'voucher', id } }))
    const isTaken = stored?.sessionId != null
    expect(allotments.length, `allotments of ${id}`).toBe(isTaken ? 1 : 0)
    expect(entries.length, `earnings of ${id}`).toBe(isTaken && terms.price > 0n ? 1 : 0)
    if (run.told.has(id)) expect(stored?.sessionId, `session promised for ${id}`).toBe(run.told.get(id))
    for (const each of allotments) {
      expect(each.price).toBe(terms.price)
      expect(each.entryId).toBe(entries[0]?.id ?? null)
      expect(each.grantedMs).toBe(terms.seconds === null ? null : terms.seconds * 1000)
      expect(each.grantedBytes).toBe(terms.bytes)
      const reversed = crash.store.read((tx) =>
        crash.box.ledger.entries(tx, { limit: 10, evidence: { type: 'refund', id: `${stored?.sessionId}.${each.seq}` } }),
      )
      expect(reversed.length, `refunds of ${id}`).toBe(each.refunded > 0n ? 1 : 0)
    }
  }
  for (const session of sessions) {
    const usedMs = session.allotments.reduce((sum, each) => sum + each.usedMs, 0)
    const onlineMs = crash.onlineMs.get(session.id) ?? 0
    // Never charged for what the kernel did not let through; the last lease ends a margin early. Never had for
    // nothing beyond what a death gives, and the second after which a gate that refused is told again.
    expect(usedMs, 'charged').toBeLessThanOrEqual(onlineMs + 100 * session.allotments.length)
    expect(onlineMs, 'online').toBeLessThanOrEqual(usedMs + (run.givenMs.get(session.id) ?? 0) + (session.state === 'active' ? CHECKPOINT_MS : 0) + 3 * STEP_MS)
    expect(session.upBytes + session.downBytes, 'bytes charged').toBeLessThanOrEqual(run.passedBytes.get(session.id) ?? 0)
  }
}

/** Open in the kernel: exactly the bound devices of active sessions with something left. */
function expectSoundKernel(crash: CrashBox, run: Run): void {
  const paid = new Set<string>()
  for (const session of sessionsOf(crash, run)) {
    // As the running service has it: that it opened may reach the disk only with the next checkpoint.
    const { state, pauseReason } = crash.box.hotspot.owner.session(session.id)
    expect(['active', 'paused', 'credited', 'ended'], 'nobody waits for a gate that is well').toContain(state)
    expect(pauseReason).not.toBe('restart')
    if (state !== 'active' || !session.allotments.some(isUsable)) continue
    for (const device of session.devices) if (device.isBound) paid.add(device.mac)
  }
  for (const { mac } of run.devices) {
    const view = crash.box.hotspot.guests.view({ mac, ip: '10.0.0.1', ip4: null }).session
    const isPaid = paid.has(mac) && view?.state === 'active' && view.secondsLeft !== 0 && view.bytesLeft !== 0
    if (crash.kernel.isOpen(mac)) expect(paid.has(mac), `${mac} is online and has not paid`).toBe(true)
    else expect(isPaid, `${mac} has paid and is not online`).toBe(false)
  }
}

/** Whoever tried a code gets his time from it, unless it is used up, refunded or taken back. */
async function expectNothingLost(crash: CrashBox, run: Run, seed: number): Promise<void> {
  const other = guest(1 + seed * (DEVICES_PER_RUN + 1) + DEVICES_PER_RUN)
  for (const voucher of run.vouchers) {
    if (!run.tried.has(voucher.id) || run.revoked.has(voucher.id)) continue
    const stored = crash.store.read((tx) => findVoucher(tx, voucher.id))
    const session = stored?.sessionId == null ? undefined : crash.store.read((tx) => findSession(tx, stored.sessionId ?? ''))?.session
    if (session?.state === 'ended' || session?.pauseReason === 'owner') continue
    let view
    try {
      view = await crash.box.hotspot.guests.redeem(other, voucher.code)
    } catch (thrown) {
      // Used up, and the session goes on with what others paid? Then the disk says so with the next checkpoint.
      if (!(thrown instanceof MeshBoxError && thrown.code === 'voucher-used')) throw thrown
      await crash.advance(CHECKPOINT_MS)
      const later = crash.store.read((tx) => findSession(tx, stored?.sessionId ?? ''))?.session
      const own = later?.allotments.find((each) => each.bearer === voucher.id)
      expect(own === undefined || isUsable(own), `${voucher.id} is refused as used up, and is not`).toBe(false)
      continue
    }
    expect(view.state, `what ${voucher.id} gives after all`).toBe('active')
    expect(crash.kernel.isOpen(other.mac)).toBe(true)
    run.sessionIds.add(view.id)
    const used = stored?.state === 'used'
    if (used) expect(view.id).toBe(stored?.sessionId)
  }
}

describe(`crash injection, ${RUNS} runs`, () => {
  it('never loses what was paid, never grants it twice', async () => {
    const totals: Totals = { deaths: 0, sessions: 0, credits: 0 }
    const crashed = new Map<string, number>()
    for (let first = 0; first < RUNS; first += RUNS_PER_FILE) {
      const crash = new CrashBox(CHANGES)
      try {
        const runs = Math.min(RUNS_PER_FILE, RUNS - first)
        const vouchers = await printVouchers(crash, runs)
        for (let index = 0; index < runs; index++) {
          const seed = first + index
          try {
            await runOne(crash, seed, vouchers.slice(index * VOUCHERS_PER_RUN, (index + 1) * VOUCHERS_PER_RUN), totals)
          } catch (thrown) {
            throw new Error(`run ${seed}, in phase '${crash.phase}': ${String(thrown)}`, { cause: thrown })
          }
        }
        expectSoundLedger(crash)
        for (const [edge, times] of crash.crashed) crashed.set(edge, (crashed.get(edge) ?? 0) + times)
      } finally {
        await crash.dispose()
      }
    }
    console.log(`crash injection: ${RUNS} runs, ${totals.deaths} deaths at ${crashed.size} kinds of edges, ${totals.sessions} sessions`)
    expect(totals.deaths).toBeGreaterThan(RUNS / 2)
    if (RUNS >= 2000) expectEveryEdge(crashed)
  })
})

async function printVouchers(crash: CrashBox, runs: number): Promise<VoucherRow[]> {
  await crash.start()
  const printed = await Promise.all(
    PACKAGES.map((each) => crash.box.hotspot.owner.createVouchers({ packageId: each.id, count: Math.ceil((runs * VOUCHERS_PER_RUN) / PACKAGES.length) })),
  )
  const mixed: VoucherRow[] = []
  for (let index = 0; index < (printed[0]?.length ?? 0); index++)
    for (const batch of printed) {
      const voucher = batch[index]
      if (voucher !== undefined) mixed.push(voucher)
    }
  return mixed
}

/** The book balances, and is what the vouchers say: earned for the used ones, minus what was given back. */
function expectSoundLedger(crash: CrashBox): void {
  const { ledger } = crash.box
  crash.store.read((tx) => {
    for (const each of ledger.audit(tx)) expect(each).toMatchObject({ sum: 0n, unbalancedEntries: [] })
    const rows = tx.all<{ price: string; refunded: string; entry: number | null }>(
      'SELECT price, refunded, entry_id AS entry FROM hotspot_allotment WHERE entry_id IS NOT NULL',
    )
    const due = rows.reduce((sum, row) => sum + BigInt(row.price) - BigInt(row.refunded), 0n)
    const earned = ['owner', 'investor:one'].reduce((sum, account) => sum - ledger.balance(tx, account, 'MBX'), 0n)
    expect(earned).toBe(due)
    expect(ledger.balance(tx, 'cash:vouchers', 'MBX')).toBe(due)
    const used = tx.get<{ n: number }>(`SELECT count(*) AS n FROM hotspot_voucher WHERE session_id IS NOT NULL AND price <> '0'`)
    expect(rows.length).toBe(used?.n)
  })
}

/** The runs did reach every place where the process can die. */
function expectEveryEdge(crashed: ReadonlyMap<string, number>): void {
  for (const verb of ['redeem', 'pause', 'resume', 'ticket', 'trial', 'extend', 'refund', 'kick', 'revoke'])
    for (const edge of ['before commit', 'after commit', 'before apply', 'after apply']) {
      const times = [...crashed].filter(([name]) => name.split(' · ')[0]?.split('+').includes(verb) && name.endsWith(edge)).reduce((sum, [, n]) => sum + n, 0)
      expect(times, `deaths ${edge} of ${verb}`).toBeGreaterThan(0)
    }
  for (const edge of ['wait · before commit', 'wait · after commit', 'wait · before apply', 'wait · after apply', 'start · before replace', 'start · after replace'])
    expect(crashed.get(edge), `deaths at ${edge}`).toBeGreaterThan(0)
}
