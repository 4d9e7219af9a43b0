/**
 * The real thing in small: a process that sells vouchers is killed with SIGKILL, again and again, on one
 * database. Whatever it had promised is so afterwards, and nothing else is.
 *
 * MESHBOX_KILL_RUNS sets how often (default 20).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { SystemClock, systemTimers } from '../../src/base/io/system.ts'
import type { Grant } from '../../src/hotspot/index.ts'
import { findSession } from '../../src/hotspot/io/session-tables.ts'
import { findVoucher } from '../../src/hotspot/io/voucher-tables.ts'
import { FakeGate, FakeKernel } from '../support/fake-gate.ts'
import { seededRandom } from '../support/fakes.ts'
import { fastFolder, guest, makeBox } from '../support/hotspot-box.ts'
import type { TestBox } from '../support/hotspot-box.ts'

const RUNS = Number(process.env.MESHBOX_KILL_RUNS ?? 20)
const CHILD = join(import.meta.dirname, '../support/hotspot-child.ts')
const GUESTS_PER_RUN = 10_000

interface Promises {
  readonly told: Map<string, string>
  readonly refunded: Map<string, bigint>
  readonly paused: Map<string, number>
}

/** Runs a child until it has made `lines` promises, then kills it. All that it said before it died counts. */
async function sellAndDie(folder: string, firstGuest: number, lines: number, promises: Promises): Promise<void> {
  const child = spawn(process.execPath, [CHILD, folder, String(firstGuest)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let seen = 0
  const reading = createInterface({ input: child.stdout }).on('line', (line) => {
    const [what, first = '', second = ''] = line.split(' ')
    if (what === 'told') promises.told.set(first, second)
    if (what === 'refunded') promises.refunded.set(first, BigInt(second))
    if (what === 'paused') promises.paused.set(first, Number(second))
    if (++seen === lines) child.kill('SIGKILL')
  })
  const read = once(reading, 'close')
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  await read
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
}

/** The kernel as the dead process left it. */
function kernelLeft(folder: string, clock: SystemClock): FakeKernel {
  const last = new Map<string, { grant: Grant; at: number }>()
  for (const line of readFileSync(join(folder, 'kernel.log'), 'utf8').split('\n')) {
    if (line === '') continue
    const change = JSON.parse(line) as { at: number; replace?: boolean; open: Grant[]; close: string[] }
    if (change.replace === true) last.clear()
    for (const mac of change.close) last.delete(mac)
    for (const grant of change.open) last.set(grant.mac, { grant, at: change.at })
  }
  const kernel = new FakeKernel(clock)
  kernel.replace([...last.values()].map(({ grant }) => grant))
  return kernel
}

function expectKept(box: TestBox, promises: Promises): void {
  for (const [voucher, session] of promises.told) {
    expect(box.store.read((tx) => findVoucher(tx, voucher))).toMatchObject({ state: 'used', sessionId: session })
    expect(box.store.read((tx) => findSession(tx, session))?.session.allotments).toHaveLength(1)
  }
  for (const [session, amount] of promises.refunded)
    expect(box.hotspot.owner.session(session)).toMatchObject({ state: 'ended', endReason: 'refunded', refunded: amount })
  for (const [session, secondsLeft] of promises.paused)
    expect(box.hotspot.owner.session(session).secondsLeft).toBeLessThanOrEqual(secondsLeft)
}

/** Used vouchers, sessions and earnings are one to one; the till holds what was earned and not given back. */
function expectSoundBooks(box: TestBox): number {
  return box.store.read((tx) => {
    const one = (sql: string): number => tx.get<{ n: number }>(sql)?.n ?? 0
    const used = one(`SELECT count(*) AS n FROM hotspot_voucher WHERE state = 'used'`)
    expect(one('SELECT count(*) AS n FROM hotspot_allotment')).toBe(used)
    expect(one('SELECT count(DISTINCT bearer) AS n FROM hotspot_allotment')).toBe(used)
    expect(one('SELECT count(DISTINCT entry_id) AS n FROM hotspot_allotment')).toBe(used)
    expect(one('SELECT count(*) AS n FROM hotspot_session')).toBe(used)
    for (const each of box.ledger.audit(tx)) expect(each).toMatchObject({ sum: 0n, unbalancedEntries: [] })
    const rows = tx.all<{ price: string; refunded: string }>('SELECT price, refunded FROM hotspot_allotment')
    const due = rows.reduce((sum, row) => sum + BigInt(row.price) - BigInt(row.refunded), 0n)
    expect(box.ledger.balance(tx, 'cash:vouchers', 'MBX')).toBe(due)
    return used
  })
}

it(`keeps every promise through ${RUNS} kills`, async () => {
  const folder = fastFolder()
  const random = seededRandom(7)
  const promises: Promises = { told: new Map(), refunded: new Map(), paused: new Map() }
  try {
    for (let run = 0; run < RUNS; run++) {
      await sellAndDie(folder, 1 + run * GUESTS_PER_RUN, 1 + Math.floor(random.next() * 120), promises)

      const clock = new SystemClock('never')
      const kernel = kernelLeft(folder, clock)
      const box = makeBox({ folder, kernel, gate: new FakeGate(kernel), clock: Object.assign(clock, systemTimers), seed: run })
      await box.hotspot.start()
      expectKept(box, promises)
      expectSoundBooks(box)
      const online = new Set<string>()
      for (const session of box.hotspot.owner.sessions({ limit: 1000 })) {
        expect(['active', 'paused']).toContain(session.state)
        if (session.state === 'active') for (const device of session.devices) online.add(device.mac)
      }
      expect(new Set(kernel.openMacs())).toEqual(online)
      // What was printed and not sold before it died is still good.
      const unused = box.hotspot.owner.vouchers({ state: 'unused', limit: 1 })[0]
      if (unused !== undefined) {
        const session = await box.hotspot.guests.redeem(guest(run * GUESTS_PER_RUN + GUESTS_PER_RUN - 1), unused.code)
        promises.told.set(unused.id, session.id)
        expect(session.state).toBe('active')
      }
      for (const session of box.hotspot.owner.sessions({ limit: 1000 })) await box.hotspot.owner.kick(session.id)
      promises.paused.clear()
      await box.hotspot.stop()
      await box.store.close()
    }
    expect(promises.told.size).toBeGreaterThan(RUNS)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
