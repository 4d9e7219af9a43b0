/**
 * kill -9 at random moments, again and again on one database: bills are exact to the unit. What is billed was delivered and is billed once; what was
 * delivered is billed, since what was held at a kill is offered again; receipts and ledger say the same. MESHBOX_TENANT_KILLS=NUMBER for more.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { auditReceipts } from '../../src/iot/tenants/receipt/index.ts'
import { openStore } from '../../src/store/index.ts'
import { FakeTime, seededRandom } from '../support/fakes.ts'
import { BOX, MIGRATIONS, PAYER, TenantBox, curve } from '../unit/iot-tenants/tenant-box.ts'

const KILLS = Number(process.env.MESHBOX_TENANT_KILLS ?? 8)
const SEED = Number(process.env.MESHBOX_TENANT_SEED ?? 5)
const CHILD = join(import.meta.dirname, '../unit/iot-tenants/tenant-child.ts')
/** Counters of a life: about as many as it gets to, and few enough to rise (by at most 16,384) after lives that heard nothing new. */
const FRAMES_OF_A_LIFE = 1_000

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-tenant-kill-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs until `frames` of them have arrived, then kills. The number that did. */
async function runUntilKilled(args: readonly string[], frames: number, spin: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let arrived = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'got' || ++arrived !== frames) continue
    for (let n = 0; n < spin; n++) Math.sqrt(n)
    child.kill('SIGKILL')
  }
  return arrived
}

describe('tenants, killed', () => {
  it(`${KILLS} times: the bill is exact`, async () => {
    const random = seededRandom(SEED)
    const [path, log] = [join(folder, 'box.db'), join(folder, 'acknowledged')]
    writeFileSync(log, '')
    for (let kill = 0; kill < KILLS; kill++) {
      const frames = 1 + Math.floor(random.next() * 60)
      expect(await runUntilKilled([path, log, `${kill * FRAMES_OF_A_LIFE}`, `${SEED + kill}`], frames, Math.floor(random.next() * 3e6))).toBeGreaterThanOrEqual(frames)
    }
    const store = openStore({ path, migrations: MIGRATIONS, log: silentLog })
    const box = new TenantBox({}, store)
    try {
      // The last life is in the same run of the machine: it hands over what the one before had under way, bills it, and signs.
      box.payments.pay(10n ** 9n)
      box.time = new FakeTime('one-boot')
      box.time.advance(Number(process.hrtime.bigint() / 1_000_000n) - box.time.boottimeMs())
      box.house = box.newHouse(store)
      await box.run(box.house.start())
      await box.pass(3_000)
      await box.run(box.house.stop())
      const [units, receipts] = [box.units(), box.receipts()]
      const got = new Set([...readFileSync(log, 'utf8').split('\n').filter((line) => line !== ''), ...box.server().got.map(({ id }) => id)])
      const sum = units.reduce((all, unit) => all + unit.amount, 0n)
      expect(units.length).toBeGreaterThan(KILLS)
      expect(auditReceipts({ receipts, units, frames: got, gateway: BOX, payer: PAYER }, curve)).toMatchObject({ problems: [], provenUnits: units.length })
      expect(receipts[0]?.cumAmount).toBe(sum)
      expect(box.earned()).toBe(sum)
      const billed = new Set(units.map((unit) => unit.frame))
      expect(billed.size).toBe(units.length)
      expect([...got].filter((frame) => !billed.has(frame))).toEqual([])
      expect(store.read((tx) => tx.all('SELECT hold_key FROM iot_held'))).toEqual([])
    } finally {
      await box.close()
    }
  })
})
