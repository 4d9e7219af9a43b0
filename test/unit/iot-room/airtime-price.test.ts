/**
 * Airtime, from the owner's configuration to his book: what a sub-band costs there is what the air is quoted at, what a tenant's server pays for its downlinks over
 * real GWMP, what the receipt signs and what the ledger earned. The owner's prices have 18 digits after the point, the tenant's token has 6.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/index.ts'
import type { BillableUnit, IotRoomSettings } from '../../../src/iot/index.ts'
import { timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import { auditReceipts } from '../../../src/iot/tenants/receipt/index.ts'
import { iotSettings } from '../../../src/main/iot.ts'
import { Concentrator } from '../../support/concentrator.ts'
import { freePort } from '../../support/free-port.ts'
import { GATEWAY, openPlace } from '../../support/iot-place.ts'
import type { Place, PlacePorts } from '../../support/iot-place.ts'
import { BOX, PAYER, TOKEN, curve, tenant } from '../iot-tenants/tenant-box.ts'
import { until } from './service.ts'

/** 13 bytes down; one of each is enough to be told apart. */
const phy = (n: number): Buffer => Buffer.from([0x60, n, ...new Uint8Array(11)])
const [RX1, RX2, BETWEEN_BANDS] = [868.1, 869.525, 868.65]
const msOf = (spreadingFactor: number): bigint => BigInt(Math.ceil(timeOnAirUs({ kind: 'lora', spreadingFactor, bandwidthHz: 125_000, codingRate: '4/5' }, 13, { hasCrc: false }) / 1_000))

/** The tenant's network server: takes frames, and orders downlinks of the gateway that asks it. */
class Server {
  readonly #socket: Socket = createSocket('udp4')
  #gateway: number | null = null
  #token = 0
  readonly verdicts: string[] = []

  async start(): Promise<number> {
    this.#socket.on('message', (bytes, from) => {
      const kind = bytes[3]
      if (kind === 5) this.verdicts.push(bytes.length === 12 ? 'OK' : (JSON.parse(bytes.subarray(12).toString()) as { txpk_ack: { error: string } }).txpk_ack.error)
      if (kind === 2) this.#gateway = from.port
      if (kind === 0 || kind === 2) this.#socket.send(Buffer.from([2, bytes[1] ?? 0, bytes[2] ?? 0, kind === 0 ? 1 : 4]), from.port, from.address)
    })
    await new Promise<void>((resolve) => this.#socket.bind(0, '127.0.0.1', () => resolve()))
    return (this.#socket.address() as AddressInfo).port
  }

  /** What the gateway says to it. */
  async order(freq: number, spreadingFactor: number): Promise<string | undefined> {
    const gateway = await until('the gateway to ask the server', () => this.#gateway)
    const before = this.verdicts.length
    const data = phy(++this.#token)
    const txpk = { imme: true, freq, rfch: 0, powe: 14, modu: 'LORA', datr: `SF${spreadingFactor}BW125`, codr: '4/5', ipol: true, ncrc: true, size: data.length, data: data.toString('base64') }
    this.#socket.send(Buffer.concat([Buffer.from([2, 0, this.#token, 3]), Buffer.from(JSON.stringify({ txpk }))]), gateway, '127.0.0.1')
    await until('its answer', () => this.verdicts.length > before)
    return this.verdicts.at(-1)
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}

let folder: string
let ports: PlacePorts
let server: Server
let place: Place
let radio: Concentrator

const settingsOf = (...lines: readonly string[]): IotRoomSettings =>
  iotSettings(loadConfig(["config meshbox 'main'", " list roles 'iot'", "config iot 'iot'", ` option gwmp_port '${ports.gwmp}'`, " option broker 'off'", ...lines.map((line) => ` ${line}`)].join('\n'), 'box'))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-price-'))
  server = new Server()
  ports = { gwmp: await freePort(), server: await server.start() }
  radio = new Concentrator({ gateway: GATEWAY, port: ports.gwmp, keepaliveMs: 100 })
})
afterEach(async () => {
  radio.stop()
  await place.room.stop()
  await place.store.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

it('is priced by sub-band: as configured, as quoted, as billed, as booked', async () => {
  const settings = settingsOf("option airtime_price_per_ms '0.001'", "list airtime_band_prices 'P 0.0025'", "list airtime_band_prices 'K 0'")
  const terms = { creditWindow: 10_000_000n, prices: { ...tenant().prices, perDownlinkMs: {} } }
  place = await openPlace(folder, ports, { settings, terms })
  const { desk } = place.room
  await radio.start()
  const [gateway] = await until('the gateway', () => ((found) => found.some(({ isOnline }) => isOnline) && found)(desk.gateways()))
  expect(Object.fromEntries(gateway?.budget.map(({ name, pricePerMs }) => [name, pricePerMs]) ?? [])).toEqual({ K: 0n, L: 10n ** 15n, M: 10n ** 15n, N: 10n ** 15n, P: 25n * 10n ** 14n, R: 10n ** 15n })

  const bought: Pick<BillableUnit, 'kind' | 'units' | 'amount'>[] = []
  /** On the air, and at so many smallest units of his token for each started millisecond in the bill. */
  const buys = async (freq: number, spreadingFactor: number, perMs: bigint): Promise<void> => {
    // The one before is on the air for as long as it takes: meanwhile an order is refused, and costs nothing.
    expect(await until('room on the air', async () => ((verdict) => verdict !== 'COLLISION_PACKET' && verdict)(await server.order(freq, spreadingFactor)))).toBe('OK')
    bought.push({ kind: 'downlink', units: Number(msOf(spreadingFactor)), amount: msOf(spreadingFactor) * perMs })
    await until('the bill', () => desk.units('farm', { afterSeq: 0n, limit: 100 }).length === bought.length)
    await until('its moment on the air', () => radio.onAir.length === bought.length)
  }
  await buys(RX1, 7, 1_000n)
  await buys(RX2, 9, 2_500n)
  // His own list goes before, for what it names.
  await desk.putTenant({ ...tenant(terms), destination: { kind: 'gwmp', host: '127.0.0.1', port: ports.server }, prices: { ...terms.prices, perDownlinkMs: { P: 7n } } })
  await buys(RX2, 9, 7n)
  await buys(RX1, 7, 1_000n)
  // What may not be sent costs nothing.
  expect(await server.order(BETWEEN_BANDS, 7)).not.toBe('OK')

  // An end in order signs what is billed.
  await place.room.stop()
  await place.store.close()
  place = await openPlace(folder, ports, { settings })
  const [units, receipts] = [place.room.desk.units('farm', { afterSeq: 0n, limit: 100 }), place.room.desk.receipts('farm', { limit: 100 })]
  expect(units.map(({ kind, units: ms, amount }) => ({ kind, units: ms, amount }))).toEqual(bought)
  const [sum, ms] = bought.reduce(([amount, all], unit) => [amount + unit.amount, all + BigInt(unit.units)], [0n, 0n])
  expect(receipts[0]).toMatchObject({ token: TOKEN, cumAmount: sum, cumDownlinkMs: ms, cumUplinks: 0n })
  expect(auditReceipts({ receipts, units, frames: null, gateway: BOX, payer: PAYER }, curve)).toMatchObject({ problems: [], provenUnits: bought.length })
  expect(place.store.read((tx) => ['due:iot-farm', 'owner'].map((account) => place.ledger.balance(tx, account, 'TOK')))).toEqual([sum, -sum])
})

it('a sub-band that the region does not have is told before anything is opened', async () => {
  place = await openPlace(folder, ports, { settings: settingsOf() })
  const other = mkdtempSync(join(folder, 'other-'))
  await expect(openPlace(other, { ...ports, gwmp: await freePort() }, { settings: { ...settingsOf("list airtime_band_prices 'US 1'"), gwmp: null } })).rejects.toMatchObject({ kind: 'input', field: 'airtime_band_prices', value: 'US' })
})
