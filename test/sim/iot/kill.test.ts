/**
 * The whole room killed with -9 at random moments, again and again on one database, with a concentrator and a tenant's server that live on: no counter down
 * is on the air twice with different bytes, no frame that was taken is taken again, and the tenant's bill is exact. MESHBOX_IOT_KILLS=NUMBER for more (docs/iot-features.md).
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { toHex } from '../../../src/base/index.ts'
import { decodeFrame } from '../../../src/iot/lorawan/index.ts'
import type { BillableUnit, Reading, Receipt } from '../../../src/iot/index.ts'
import { auditReceipts } from '../../../src/iot/tenants/receipt/index.ts'
import { Concentrator } from '../../support/concentrator.ts'
import { seededRandom } from '../../support/fakes.ts'
import { BOX, PAYER, curve } from '../../unit/iot-tenants/tenant-box.ts'
import { FREQ_MHZ, GATEWAY, OWN, PUMP, TENANTS, devEuiOf, frameOf, openPlace, payReceipt } from '../../support/iot-place.ts'
import type { Place, PlacePorts } from '../../support/iot-place.ts'

const KILLS = Number(process.env['MESHBOX_IOT_KILLS'] ?? 6)
const SEED = Number(process.env['MESHBOX_IOT_SEED'] ?? 11)
const CHILD = join(import.meta.dirname, 'iot-child.ts')
const ADDRESSES = [...OWN, TENANTS] as const
const PATIENCE_MS = 60_000
/** Far more than a life has ever taken, on the busiest machine. */
const LIFE_MS = 20_000
/** Of each address, said again at the end. */
const REPEATED = 200

let folder = ''
let server: Socket
let ports: PlacePorts
let concentrator: Concentrator
/** Frames that the tenant's server acknowledged, by SHA-256. */
const acknowledged = new Set<string>()
/** By address: the next counter up. */
const next = new Map<number, number>(ADDRESSES.map((devAddr) => [devAddr, 0]))

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-kill-'))
  server = createSocket('udp4')
  server.on('message', (bytes, from) => {
    const kind = bytes[3]
    if (kind !== 0 && kind !== 2) return
    if (kind === 0) for (const { data } of (JSON.parse(bytes.subarray(12).toString()) as { rxpk?: readonly { data: string }[] }).rxpk ?? []) acknowledged.add(createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex'))
    server.send(Buffer.from([bytes[0] ?? 2, bytes[1] ?? 0, bytes[2] ?? 0, kind === 0 ? 1 : 4]), from.port, from.address)
  })
  ports = { gwmp: await freeUdpPort(), server: await bound(server) }
  concentrator = new Concentrator({ gateway: GATEWAY, port: ports.gwmp, keepaliveMs: 50 })
  await concentrator.start()
})
afterAll(async () => {
  concentrator.stop()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  rmSync(folder, { recursive: true, force: true })
})

function bound(socket: Socket): Promise<number> {
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve((socket.address() as AddressInfo).port)))
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  const port = await bound(socket)
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}

/** What asks for an answer speaks seldom: a new frame ends the answer to the one before. */
const SELDOM_TICKS = 75

/** Most addresses say something; and of what was said before something is said again, as somebody does who recorded it. */
function speak(tick: number, random: ReturnType<typeof seededRandom>): void {
  for (const devAddr of ADDRESSES) {
    if ((devAddr === OWN[1] && tick % SELDOM_TICKS !== 0) || (devAddr === PUMP && tick > 0)) continue
    const fCnt = next.get(devAddr) ?? 0
    next.set(devAddr, fCnt + 1)
    concentrator.hear({ freq: FREQ_MHZ, phy: frameOf(devAddr, fCnt, devAddr === OWN[1]) })
    if (random.next() < 0.3) concentrator.hear({ freq: FREQ_MHZ, phy: frameOf(devAddr, Math.floor(random.next() * (fCnt + 1))) })
  }
}

/** How long an order is waited for: on a machine that is too busy its moment may pass again and again. */
const ORDER_PATIENCE_MS = 4_000

/** Until so many frames were taken, and, if it wants one, an order of this life was given; then it is killed. */
async function liveAndDie(frames: number, wantsOrder: boolean, spin: number, random: ReturnType<typeof seededRandom>): Promise<void> {
  const child = spawn(process.execPath, [CHILD, folder, String(ports.gwmp), String(ports.server)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const before = concentrator.seen.orders
  let taken = 0
  let openMs = 0
  let timer: NodeJS.Timeout | undefined
  let ticks = 0
  const late = setTimeout(() => child.kill('SIGTERM'), PATIENCE_MS)
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'open') {
      openMs = performance.now()
      timer = setInterval(() => speak(ticks++, random), 20)
    } else taken++
    const isWaiting = wantsOrder && concentrator.seen.orders === before && performance.now() - openMs < ORDER_PATIENCE_MS
    if (taken < frames || isWaiting) continue
    for (let n = 0; n < spin; n++) Math.sqrt(n)
    child.kill('SIGKILL')
    clearInterval(timer)
  }
  clearTimeout(late)
  clearInterval(timer)
  expect(taken).toBeGreaterThanOrEqual(frames)
}

/** All of them, newest first. */
function readingsOf({ room }: Place, devEui: string): readonly Reading[] {
  const all: (Reading & { readonly id: number })[] = []
  for (;;) {
    const [last] = all.slice(-1)
    const page = room.desk.readings({ devEui, limit: 200, ...(last === undefined ? {} : { beforeId: last.id }) })
    all.push(...page)
    if (page.length === 0) return all
  }
}

function unitsOf({ room }: Place): readonly BillableUnit[] {
  const all: BillableUnit[] = []
  for (;;) {
    const page = room.desk.units('farm', { afterSeq: all.at(-1)?.seq ?? 0n, limit: 500 })
    all.push(...page)
    if (page.length === 0) return all
  }
}

/** All of them, newest first. */
function receiptsOf({ room }: Place): readonly Receipt[] {
  const all: Receipt[] = []
  for (;;) {
    const [last] = all.slice(-1)
    const page = room.desk.receipts('farm', { limit: 500, ...(last === undefined ? {} : { beforeSeq: last.seq }) })
    all.push(...page)
    if (page.length === 0) return all
  }
}

/** Of 16 bits on the air the 32 that are meant: whatever lies nearest to the last one. */
class DownCounters {
  readonly #last = new Map<number, number>()

  of(devAddr: number, fCnt16: number): number {
    const last = this.#last.get(devAddr) ?? fCnt16
    const full = last + ((((fCnt16 - last) % 0x1_0000) + 0x1_8000) % 0x1_0000) - 0x8000
    this.#last.set(devAddr, Math.max(last, full))
    return full
  }
}

it(`${KILLS} times: no counter twice, no replay, the bill exact`, { timeout: Math.max(900_000, KILLS * LIFE_MS) }, async () => {
  const random = seededRandom(SEED)
  for (let kill = 0; kill < KILLS; kill++) await liveAndDie(4 + Math.floor(random.next() * 60), kill % 3 === 0, Math.floor(random.next() * 3e6), random)

  // The last life: what was said before is said again, and what was under way comes to its end.
  let place = await openPlace(folder, ports)
  try {
    for (let back = REPEATED; back > 0; back--) {
      for (const devAddr of ADDRESSES) concentrator.hear({ freq: FREQ_MHZ, phy: frameOf(devAddr, Math.max(0, (next.get(devAddr) ?? 0) - back)) })
      await pause(5)
    }
    const lastOf = (devAddr: number): string => createHash('sha256').update(frameOf(devAddr, (next.get(devAddr) ?? 0) + 5)).digest('hex')
    const settled = (): boolean => OWN.every((devAddr) => place.room.desk.readings({ devEui: devEuiOf(devAddr), limit: 1 })[0]?.fCnt === (next.get(devAddr) ?? 0) + 5) && unitsOf(place).some(({ frame }) => frame === lastOf(TENANTS))
    for (const from = performance.now(); !settled(); await pause(50)) {
      if (performance.now() - from > PATIENCE_MS) throw new Error('the last frames did not come to their end')
      for (const devAddr of ADDRESSES) concentrator.hear({ freq: FREQ_MHZ, phy: frameOf(devAddr, (next.get(devAddr) ?? 0) + 5) })
      payReceipt(place)
    }
    const isHeld = (): boolean => place.store.read((tx) => tx.all('SELECT hold_key FROM iot_held')).length > 0
    for (const from = performance.now(); isHeld() && performance.now() - from < PATIENCE_MS; await pause(100)) payReceipt(place)
    // An end in order signs what is billed; the start after it is what the owner looks at.
    await place.room.stop()
    await place.store.close()
    place = await openPlace(folder, ports)
    payReceipt(place)
    const { desk } = place.room
    expect(desk.tenant('farm')?.owed).toBe(0n)

    // No frame was taken twice, whatever was cut off, and whoever recorded it.
    for (const devAddr of OWN) {
      const heard = readingsOf(place, devEuiOf(devAddr)).map(({ fCnt }) => fCnt)
      expect(heard.length).toBeGreaterThanOrEqual(KILLS)
      expect(heard).toEqual([...new Set(heard)].toSorted((left, right) => right - left))
    }
    // One counter, one frame: a second one under it would give the key stream away.
    const onAir = new Map<string, string>()
    const counters = new DownCounters()
    for (const { phy } of concentrator.onAir) {
      const frame = decodeFrame(phy)
      if (frame.type !== 'data') throw new Error('not a data frame')
      const key = `${frame.devAddr} ${counters.of(frame.devAddr, frame.fCnt16)}`
      expect(onAir.get(key) ?? toHex(phy), `two frames under counter ${key}`).toBe(toHex(phy))
      onAir.set(key, toHex(phy))
    }
    expect(onAir.size).toBeGreaterThan(0)

    const [units, receipts] = [unitsOf(place), receiptsOf(place)]
    const sum = units.reduce((all, unit) => all + unit.amount, 0n)
    const billed = new Set(units.map(({ frame }) => frame))
    expect(units.length).toBeGreaterThan(KILLS)
    expect(billed.size).toBe(units.length)
    expect(auditReceipts({ receipts, units, frames: acknowledged, gateway: BOX, payer: PAYER }, curve)).toMatchObject({ problems: [], provenUnits: units.length })
    expect([receipts[0]?.cumAmount, -place.store.read((tx) => place.ledger.balance(tx, 'owner', 'TOK'))]).toEqual([sum, sum])
    // What he had when the box died and had not been billed was held on disk, was offered again, and is billed: nothing of what he acknowledged is missing.
    expect([...acknowledged].filter((frame) => !billed.has(frame))).toEqual([])
  } finally {
    await place.room.stop()
    await place.store.close()
  }
})
