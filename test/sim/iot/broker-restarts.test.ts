/**
 * A tenant who fetches his frames from the box's own mosquitto, which is killed again and again while they come: each frame is his once in the bill, live or late, none is
 * lost, and his receipt is the sum. The long version is a row of the benchmark. MESHBOX_IOT_BROKER_KILLS=NUMBER for more. Needs mosquitto.
 */
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import type { BillableUnit, Receipt } from '../../../src/iot/index.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import type { MqttConnection } from '../../../src/iot/mqtt/index.ts'
import { auditReceipts } from '../../../src/iot/tenants/receipt/index.ts'
import { Concentrator } from '../../support/concentrator.ts'
import { freePort } from '../../support/free-port.ts'
import { FREQ_MHZ, GATEWAY, TENANTS, frameOf, openPlace, payReceipt } from '../../support/iot-place.ts'
import type { Place, PlacePorts } from '../../support/iot-place.ts'
import { BOX, PAYER, curve, tenant } from '../../unit/iot-tenants/tenant-box.ts'

const KILLS = Number(process.env['MESHBOX_IOT_BROKER_KILLS'] ?? 3)
/** Between two kills, and after the last. */
const FRAMES_EACH = 60
const FRAMES = (KILLS + 1) * FRAMES_EACH
/** A late frame costs another price, so that one billed as the other is seen. */
const PRICES = { ...tenant().prices, perUnit: 10n, perLateFrame: 4n }
const PATIENCE_MS = 240_000

let folder: string
let ports: PlacePorts
let place: Place
let radio: Concentrator
let ear: MqttConnection

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-broker-'))
  chmodSync(folder, 0o711) // started by root, mosquitto becomes another, who must get through
  ports = { gwmp: await freePort(), server: 1, broker: await freePort() }
  place = await openPlace(folder, ports, { terms: { destination: { kind: 'broker' }, prices: PRICES, creditWindow: 1_000_000n } })
  radio = new Concentrator({ gateway: GATEWAY, port: ports.gwmp, keepaliveMs: 100 })
  await radio.start()
  ear = connectMqtt({ url: `mqtt://127.0.0.1:${ports.broker}`, userName: null, password: null, clientId: 'farm-server', will: null }, { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 50 })
})
afterEach(async () => {
  radio.stop()
  await ear.close()
  await place.room.stop()
  await place.store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const from = performance.now(); !isSo(); await pause(20)) if (performance.now() - from > PATIENCE_MS) throw new Error(`waited in vain for ${what}`)
}

function units(): readonly BillableUnit[] {
  const all: BillableUnit[] = []
  for (;;) {
    const page = place.room.desk.units('farm', { afterSeq: all.at(-1)?.seq ?? 0n, limit: 500 })
    all.push(...page)
    if (page.length === 0) return all
  }
}

const idOf = (phy: Uint8Array): string => createHash('sha256').update(phy).digest('hex')

/** A forwarder does not repeat what was lost, so it is seen to that nothing is: the datagram goes again until it is acknowledged. */
async function hear(phy: Uint8Array): Promise<void> {
  const before = radio.seen.pushAcks
  for (let looks = 0; radio.seen.pushAcks === before; looks++) {
    if (looks % 200 === 0) radio.hear({ freq: FREQ_MHZ, phy })
    await pause(5)
  }
}

it(`mosquitto killed ${KILLS} times under ${FRAMES} frames: each is billed once`, { timeout: 900_000 + KILLS * PATIENCE_MS }, async () => {
  const { desk } = place.room
  // What nobody hears is no delivery; what the broker took for somebody is one, whatever becomes of the broker.
  ear.subscribe('tenant/farm/#', () => undefined)
  const isThere = (): boolean => ear.isConnected && desk.tenant('farm')?.isOnline === true
  await until('the way to the tenant', isThere)

  let fCnt = 0
  for (let kill = 0; kill <= KILLS; kill++) {
    for (let n = 0; n < FRAMES_EACH; n++) {
      // In the midst of them: some are on their way, some come while there is no broker.
      if (kill < KILLS && n === Math.floor(FRAMES_EACH / 3)) process.kill(Number(readFileSync(join(folder, 'broker/pid'), 'utf8')), 'SIGKILL')
      await hear(frameOf(TENANTS, fCnt++))
    }
    await until('the broker to be back', isThere)
  }
  await until(`all ${FRAMES} frames to be billed`, () => units().length === FRAMES)
  await until('a receipt over all of them', () => {
    payReceipt(place)
    const found = desk.tenant('farm')
    return found?.owed === 0n && found.lateFrames === 0 && found.newestReceipt?.seq === BigInt(FRAMES)
  })

  const [billed, receipts]: [readonly BillableUnit[], readonly Receipt[]] = [units(), desk.receipts('farm', { limit: 1_000 })]
  const sent = Array.from({ length: FRAMES }, (_, n) => idOf(frameOf(TENANTS, n)))
  expect(billed.map(({ frame }) => frame).toSorted()).toEqual(sent.toSorted())
  expect(billed.map(({ kind, amount }) => amount === (kind === 'late' ? 4n : 10n))).toEqual(sent.map(() => true))
  const sum = billed.reduce((all, { amount }) => all + amount, 0n)
  expect(auditReceipts({ receipts, units: billed, frames: null, gateway: BOX, payer: PAYER }, curve)).toMatchObject({ problems: [], provenUnits: FRAMES })
  expect([receipts[0]?.cumAmount, -place.store.read((tx) => place.ledger.balance(tx, 'owner', 'TOK'))]).toEqual([sum, sum])
})
