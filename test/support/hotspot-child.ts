/**
 * A process with a hotspot that sells as fast as it can, until somebody kills it.
 *
 *   hotspot-child.ts <folder> <first guest>
 *
 * The database is <folder>/box.db; what the kernel holds is appended to <folder>/kernel.log, one JSON change
 * a line. Every promise made to a guest or the owner is printed at once: `told <voucher> <session>`,
 * `refunded <session> <amount>`, `paused <session> <seconds left>`.
 */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timers } from '../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../src/base/io/system.ts'
import type { VoucherRow } from '../../src/hotspot/index.ts'
import { FakeGate, FakeKernel } from './fake-gate.ts'
import { seededRandom } from './fakes.ts'
import { guest, makeBox } from './hotspot-box.ts'

const AT_ONCE = 6
const [folder = '', firstGuest = '1'] = process.argv.slice(2)
const random = seededRandom(Number(firstGuest))
const systemClock = new SystemClock('never')
const clock: Clock & Timers = {
  bootId: systemClock.bootId,
  boottimeMs: () => systemClock.boottimeMs(),
  wallMs: () => systemClock.wallMs(),
  isWallTrusted: () => false,
  ...systemTimers,
}

/** What really reached the kernel outlives us: it is in the log before anybody is told. */
class LoggedKernel extends FakeKernel {
  readonly #log = openSync(join(folder, 'kernel.log'), 'a')

  override change(change: Parameters<FakeKernel['change']>[0]): void {
    super.change(change)
    writeSync(this.#log, `${JSON.stringify({ at: clock.boottimeMs(), ...change })}\n`)
  }
  override replace(grants: Parameters<FakeKernel['replace']>[0]): void {
    super.replace(grants)
    writeSync(this.#log, `${JSON.stringify({ at: clock.boottimeMs(), replace: true, open: grants, close: [] })}\n`)
  }
}

const kernel = new LoggedKernel(clock)
const box = makeBox({ folder, kernel, gate: new FakeGate(kernel), clock, seed: Number(firstGuest) })
const { guests, owner } = box.hotspot
await box.hotspot.start()

const tell = (line: string): void => void writeSync(1, `${line}\n`)

async function sell(voucher: VoucherRow, n: number): Promise<void> {
  const client = guest(n)
  const session = await guests.redeem(client, voucher.code)
  tell(`told ${voucher.id} ${session.id}`)
  const fate = random.next()
  if (fate < 0.2) {
    const { refunded } = await owner.refund(session.id)
    tell(`refunded ${session.id} ${refunded}`)
  } else if (fate < 0.5) {
    const { secondsLeft } = await guests.pause(client)
    tell(`paused ${session.id} ${secondsLeft}`)
    if (fate < 0.3) await guests.resume(client)
  }
}

let next = Number(firstGuest)
for (;;) {
  const vouchers = await owner.createVouchers({ packageId: 'half-hour', count: 5 * AT_ONCE })
  const queue = [...vouchers]
  const seller = async (): Promise<void> => {
    for (let voucher = queue.pop(); voucher !== undefined; voucher = queue.pop()) await sell(voucher, next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, seller))
}
