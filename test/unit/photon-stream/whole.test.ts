/**
 * All together: the page's payer, the payee's desk with its journal, and the hotspot's till with real sessions, store and
 * ledger. Channel, ledger, sessions and page agree to the unit, also after a kill of the service in mid-stream.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { PayeeDesk } from '../../../src/photon/stream/index.ts'
import type { StreamService } from '../../../src/photon/stream/index.ts'
import { StreamPayer } from '../../../src/photon/stream/payer/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { settle } from '../../support/hotspot-box.ts'
import { StreamHotspot } from './stream-hotspot.ts'
import { ANNA, BOX, PaperJournal, accountOf, paperRecover, paperSign, payerOptions, sha256, termsWith } from './stream-town.ts'

const MAC = '02:00:00:00:00:01'
const UNIT = 7n
const CHANNEL = accountOf(ANNA).channel

let box: StreamHotspot
let desk: PayeeDesk
let payer: StreamPayer
let isReachable = true
/** By claims on the chain that were not the box's own. */
let paidByOthers = 0n
const journal = { current: new PaperJournal() }
let wakeAtMs = Number.POSITIVE_INFINITY

function newDesk(): PayeeDesk {
  // The two rooms' shapes fit: this assignment is the wiring.
  const service: StreamService = box.till
  return new PayeeDesk({
    sha256,
    recover: paperRecover,
    sign: paperSign(BOX),
    clock: box.time,
    timers: box.time,
    randomness: seededRandom(3),
    log: silentLog,
    terms: () => termsWith({ graceTicks: 5 }),
    account: (from) => ({ ...accountOf(from), transferred: paidByOthers }),
    wrongSignatures: { burst: 200, perSecond: 40 },
    paid: () => ({ claimed: paidByOthers, proved: 0n }),
    claimFacts: () => ({ claimed: paidByOthers, isClosing: false }),
    service,
    journal: journal.current,
    policy: () => ({ flush: { everyMs: 60_000, value: 1n << 60n }, claim: { threshold: 1n << 100n, lowDeposit: 0n }, idleMs: 600_000 }),
    note: () => undefined,
    claim: () => undefined,
  })
}
const take = ({ send, wakeAtMs: wake }: ReturnType<StreamPayer['start']>): void => {
  if (wake !== null) wakeAtMs = wake
  for (const bytes of send) if (isReachable) desk.receive({ device: MAC, send: (answer) => take(payer.receive(answer, box.time.boottimeMs())) }, bytes)
}
async function seconds(count: number): Promise<void> {
  for (let half = 0; half < count * 2; half++) {
    await box.advance(500)
    if (box.time.boottimeMs() >= wakeAtMs) take(payer.wake(box.time.boottimeMs()))
    await settle()
  }
}

beforeEach(async () => {
  journal.current = new PaperJournal()
  isReachable = true
  paidByOthers = 0n
  box = new StreamHotspot()
  await box.start()
  desk = newDesk()
  desk.start()
  payer = new StreamPayer(payerOptions(), { sha256, sign: paperSign(ANNA), recover: paperRecover })
})
afterEach(() => box.dispose())
const start = async (): Promise<void> => {
  take(payer.start(box.time.boottimeMs()))
  await settle()
}
const earnedInLedger = (): bigint => box.store.read((tx) => box.ledger.balance(tx, `channel:${CHANNEL}`, 'MBX'))
const stop = async (): Promise<void> => {
  take(payer.stop(box.time.boottimeMs()))
  await seconds(3)
}

describe('page, channel, sessions and ledger', () => {
  it('agree to the unit after three minutes', async () => {
    await start()
    await seconds(180)
    expect(box.kernel.isOpen(MAC)).toBe(true)
    await stop()
    expect(box.kernel.isOpen(MAC)).toBe(false)
    const spent = payer.view.spent
    expect(payer.view.end).toEqual({ why: 'stopped', code: 0 })
    expect(spent).toBeGreaterThanOrEqual(178n * UNIT)
    expect(spent).toBeLessThanOrEqual(182n * UNIT)
    expect(desk.earnedOf(CHANNEL)).toBe(spent)
    expect(earnedInLedger()).toBe(spent)
    // And so does the session, for the guest's receipt.
    expect(box.store.read((tx) => tx.all<{ price: string }>('SELECT price FROM hotspot_allotment'))).toEqual([{ price: spent.toString() }])
  })
  it('a guest out of reach is offline at most one interval after the last second he paid', async () => {
    await start()
    await seconds(30)
    isReachable = false
    const paidUntil = box.time.boottimeMs() + 1000
    while (box.kernel.isOpen(MAC)) await box.advance(100)
    expect(box.time.boottimeMs() - paidUntil).toBeLessThanOrEqual(5 * 1000 + 100)
  })
  it('a block of ten minutes, stopped after two: eight are the guest’s again', async () => {
    take(payer.lead(599, box.time.boottimeMs()))
    await start()
    await seconds(120)
    expect(payer.view.aheadSeconds).toBeGreaterThanOrEqual(599)
    await stop()
    expect(desk.earnedOf(CHANNEL)).toBe(payer.view.spent)
    expect(earnedInLedger()).toBe(payer.view.spent)
    expect(payer.view.spent / UNIT).toBeGreaterThanOrEqual(119n)
    expect(payer.view.spent / UNIT).toBeLessThanOrEqual(122n)
  })
  it('the service is killed in mid-stream: the page goes on, and all agree at the end', async () => {
    await start()
    await seconds(70)
    await box.checkpoint.write()
    await box.kill()
    await box.start()
    desk = newDesk()
    desk.start()
    await seconds(60)
    expect(box.kernel.isOpen(MAC)).toBe(true)
    await stop()
    expect(payer.view.end).toEqual({ why: 'stopped', code: 0 })
    expect(desk.earnedOf(CHANNEL)).toBe(payer.view.spent)
    expect(earnedInLedger()).toBe(payer.view.spent)
    expect(payer.view.spent / UNIT).toBeGreaterThanOrEqual(126n)
  })
  it('paused by the guest, nothing more is paid than the tick in use', async () => {
    await start()
    await seconds(30)
    await box.pause(MAC)
    await seconds(60)
    expect(payer.view.spent).toBeLessThanOrEqual(UNIT * (30n + 17n))
    await box.resume(MAC)
    await seconds(10)
    await stop()
    expect(earnedInLedger()).toBe(payer.view.spent)
    expect(payer.view.spent / UNIT).toBeLessThanOrEqual(43n)
  })
})

describe('somebody who overheard the words claims them for the box', () => {
  const newPage = (): void => {
    payer = new StreamPayer(payerOptions({ counter: payer.view.spent << 64n }), { sha256, sign: paperSign(ANNA), recover: paperRecover })
  }
  /** As the chain's news come to the desk. */
  const claim = async (ticks: bigint): Promise<void> => {
    paidByOthers = ticks * UNIT
    desk.chainChanged(accountOf(ANNA))
    await desk.quiet()
    await settle()
  }
  const sold = async (ticks: number): Promise<void> => {
    newPage()
    await start()
    expect(payer.view.phase).toBe('paying')
    await seconds(ticks)
    await stop()
    expect(payer.view.end).toEqual({ why: 'stopped', code: 0 })
  }
  it('after the session: the box earns it once, and a page that forgot everything is served for it', async () => {
    take(payer.lead(599, box.time.boottimeMs()))
    await start()
    await seconds(120)
    await stop()
    const before = earnedInLedger()
    await claim(300n)
    expect(earnedInLedger()).toBe(300n * UNIT)
    expect(desk.earnedOf(CHANNEL)).toBe(before)
    await claim(300n) // told again
    for (const ticks of [60, 70]) {
      await sold(ticks)
      expect(earnedInLedger()).toBe(300n * UNIT)
    }
    await sold(90)
    expect(desk.earnedOf(CHANNEL)).toBeGreaterThan(330n * UNIT)
    expect(earnedInLedger()).toBe(desk.earnedOf(CHANNEL))
  })
  it('in a session that reaches it: nothing beside the stream is earned', async () => {
    take(payer.lead(200, box.time.boottimeMs()))
    await start()
    await seconds(60)
    await claim(150n)
    await seconds(120)
    await stop()
    expect(desk.earnedOf(CHANNEL)).toBeGreaterThan(170n * UNIT)
    expect(earnedInLedger()).toBe(desk.earnedOf(CHANNEL))
  })
  it('in a session that ends before it, and the service dies at once', async () => {
    take(payer.lead(200, box.time.boottimeMs()))
    await start()
    await seconds(60)
    await claim(150n)
    take(payer.stop(box.time.boottimeMs()))
    await desk.quiet()
    await box.kill()
    await box.start()
    desk = newDesk()
    desk.start()
    await desk.quiet()
    await settle()
    expect(desk.earnedOf(CHANNEL)).toBeLessThan(70n * UNIT)
    expect(earnedInLedger()).toBe(150n * UNIT)
  })
})
