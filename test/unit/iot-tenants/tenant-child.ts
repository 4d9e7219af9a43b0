/**
 * A service with one busy tenant, to be killed: `node tenant-child.ts DATABASE ACKNOWLEDGED FIRST SEED`. Frames are numbered from FIRST on; each one that
 * the tenant's server has is a line in the file ACKNOWLEDGED before the server says so, and a line on standard output after.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, writeSync } from 'node:fs'
import { silentLog } from '../../../src/base/index.ts'
import type { Clock, Timers } from '../../../src/base/index.ts'
import { LateFrames } from '../../../src/iot/late/index.ts'
import type { Delivery, DownlinkDesk } from '../../../src/iot/ports.ts'
import { createTenantHouse } from '../../../src/iot/tenants/index.ts'
import { createLedger } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { BOX, FakePayments, MIGRATIONS, heardOf, keccak, sign, tenant, uplink } from './tenant-box.ts'

const [path = '', acknowledged = '', first = '0', seed = '1'] = process.argv.slice(2)
const random = seededRandom(Number(seed))
const clock: Clock = { boottimeMs: () => Number(process.hrtime.bigint() / 1_000n) / 1_000, bootId: 'one-boot', wallMs: () => 0, isWallTrusted: () => false }
const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs)
    return () => clearInterval(timer)
  },
}
const payments = new FakePayments()
const server: Delivery = {
  isOnline: true,
  takesLate: true,
  async deliver(heard) {
    if (random.next() < 0.05) return false
    await new Promise((resolve) => setTimeout(resolve, random.next() * 8))
    appendFileSync(acknowledged, `${heard.id}\n`)
    writeSync(1, 'got\n')
    return true
  },
  onDownlink: () => () => undefined,
  close: async () => undefined,
}
const air: DownlinkDesk = { submit: () => Promise.reject(new Error('no radio')), budget: () => [] }

const store = openStore({ path, migrations: MIGRATIONS, log: silentLog })
const house = createTenantHouse({
  airPrice: (price) => price,
  store, ledger: createLedger({ shares: () => [] }), seal: { seal: (key) => key, open: (key) => key }, signer: { address: BOX, sign: async (digest) => sign(digest) }, keccak, chainId: 7n,
  payments, channels: { channelOf: () => null }, contest: { isOurs: async () => true }, downlinks: air, late: new LateFrames(1 << 20), tokenSymbol: () => 'TOK', openDelivery: () => server,
  isOwnDevice: () => false, clock, timers, log: silentLog, limits: { uplinksPerSecond: 10_000, uplinkBurst: 10_000 },
})
const terms = tenant({ creditWindow: 1_000n })
/** He pays each receipt at once; what he paid before is what he was told before. */
const pay = (cumAmount: bigint): void => {
  const due = cumAmount - payments.paid(null, terms.payer, terms.prices.token)
  if (due > 0n) payments.pay(due)
}
house.onReceipt((_tenant, receipt) => pay(receipt.cumAmount))
await house.start()
await house.admin.put(terms)
pay(house.newestReceipt('farm')?.cumAmount ?? 0n)
let next = Number(first)
/** Only these are said again: one that was refused for want of credit would come as one whose counter does not rise, and be free. */
const sold: number[] = []
timers.every(2, () => {
  const n = random.next() < 0.1 ? (sold.at(-5) ?? next++) : next++
  const phy = uplink(n, { bytes: createHash('sha256').update(`${n}`).digest()[0]! % 48 })
  void house.take(heardOf(phy), house.route(phy)).then((outcomes) => {
    if (outcomes.get('farm') === 'sold') sold.push(n)
  })
})
