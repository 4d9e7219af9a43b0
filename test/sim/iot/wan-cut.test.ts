/**
 * The way out is cut in the middle of 10,000 frames of a tenant: those before are sold live, those meanwhile are kept in order and handed over later as
 * late, those after are sold live again. None is lost, none is billed twice, and he pays to the last unit. MESHBOX_IOT_FRAMES=NUMBER for more.
 */
import { afterEach, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../../../src/iot/tenants/index.ts'
import { auditReceipts } from '../../../src/iot/tenants/receipt/index.ts'
import { BOX, PAYER, TOKEN, curve, heardOf, opened, tenant, uplink } from '../../unit/iot-tenants/tenant-box.ts'
import type { TenantBox } from '../../unit/iot-tenants/tenant-box.ts'

const FRAMES = Number(process.env['MESHBOX_IOT_FRAMES'] ?? 10_000)
/** As many as come in between two looks at the clock. */
const AT_ONCE = 50
const WINDOW = 10_000n
/** A late frame and a frame of the same bytes cost differently, so that one billed as the other is seen. */
const PRICES = { token: TOKEN, perUnit: 10n, perJoin: 0n, perDownlinkMs: {}, perLateFrame: 4n }

let box: TenantBox
afterEach(() => box.close())

it(`${FRAMES.toLocaleString('en')} frames over a cut: each is his once, and paid`, async () => {
  // Room for all that is kept while he is away: 16 MiB is the most that the ring may have.
  box = await opened({ lateBytes: 16 << 20, limits: { uplinksPerSecond: 1_000_000, uplinkBurst: 1_000_000 } }, [tenant({ creditWindow: WINDOW, prices: PRICES })])
  const server = box.server()
  const seen = new Map<string, boolean[]>()
  let stutter = 0
  server.answer = (heard) => {
    if (!server.isOnline) return false
    // One in fifty is not acknowledged at first: it comes again, and costs once.
    if (!seen.has(heard.id) && ++stutter % 50 === 0) {
      seen.set(heard.id, [])
      return false
    }
    seen.set(heard.id, [...(seen.get(heard.id) ?? []), heard.isLate])
    return true
  }
  const pay = (cumAmount: bigint): void => {
    const due = cumAmount - box.payments.paid(null, PAYER, TOKEN)
    if (due > 0n) box.payments.pay(due)
  }
  box.house.onReceipt((_id, receipt) => pay(receipt.cumAmount))

  const outcomes = new Map<string, number>()
  const takes: Promise<unknown>[] = []
  const [cutFrom, cutTo] = [Math.floor(FRAMES / 4), Math.floor((FRAMES * 3) / 4)]
  for (let first = 0; first < FRAMES; first += AT_ONCE) {
    if (first >= cutFrom && first < cutTo) server.isOnline = false
    else if (!server.isOnline && first >= cutTo) {
      // Whatever was heard while he was away has been let go to the ring before he is back.
      await box.pass(61_000, 500)
      server.isOnline = true
    }
    for (let n = first; n < Math.min(FRAMES, first + AT_ONCE); n++) {
      const heard = heardOf(uplink(n, { bytes: n % 48 }))
      takes.push(box.house.take(heard, box.house.route(heard.phy)).then((verdicts) => outcomes.set(verdicts.get('farm') ?? 'none', (outcomes.get(verdicts.get('farm') ?? 'none') ?? 0) + 1)))
    }
    await box.pass(1_100, 100)
  }
  await box.run(Promise.all(takes), 100)
  // At most 200 a second are played back.
  while ((box.house.admin.tenants()[0]?.lateFrames ?? 0) > 0) await box.pass(5_000, 250)
  await box.pass(3_000)

  const [units, receipts] = [box.units(), box.receipts()]
  const late = units.filter(({ kind }) => kind === 'late')
  expect(Object.fromEntries(outcomes)).toEqual({ sold: FRAMES - (cutTo - cutFrom), late: cutTo - cutFrom })
  expect([units.length, new Set(units.map(({ frame }) => frame)).size, late.length]).toEqual([FRAMES, FRAMES, cutTo - cutFrom])
  expect(seen.size).toBe(FRAMES)
  // Twice only what was not acknowledged the first time.
  expect([...seen.values()].filter((times) => times.length !== 1)).toEqual([])
  expect([...seen.values()].filter(([isLate]) => isLate === true)).toHaveLength(cutTo - cutFrom)
  // In the order in which they were heard; those that were on their way to him wait their minute first, and follow in theirs.
  const order = new Map(Array.from({ length: FRAMES }, (_, n) => [heardOf(uplink(n, { bytes: n % 48 })).id, n]))
  const lateOrder = late.map(({ frame }) => order.get(frame) ?? -1)
  let newestHeard = -1
  const [inTurn, waited]: [number[], number[]] = [[], []]
  for (const n of lateOrder) {
    if (n < newestHeard) waited.push(n)
    else inTurn.push((newestHeard = n))
  }
  const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((left, right) => left - right)
  expect([inTurn, waited]).toEqual([ascending(inTurn), ascending(waited)])
  const cutMinutes = Math.ceil(((cutTo - cutFrom) / AT_ONCE) * 1.1 / 60)
  expect(waited.length).toBeLessThanOrEqual(DEFAULT_LIMITS.inFlight * cutMinutes)

  const sum = units.reduce((all, unit) => all + unit.amount, 0n)
  const [newest] = receipts
  expect(auditReceipts({ receipts, units, frames: new Set(seen.keys()), gateway: BOX, payer: PAYER }, curve)).toMatchObject({ problems: [], provenUnits: FRAMES })
  expect([newest?.cumAmount, box.earned(), box.payments.paid(null, PAYER, TOKEN)]).toEqual([sum, sum, sum])
  expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 0n, lateFrames: 0, isServed: true })
})
