/**
 * A tenant whose server speaks Basics Station, from a forwarder in the field through the whole room to that server and back: what is sold, what is on the air, what is billed, and
 * that the same ledger rations his airtime as everybody's.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { loadConfig } from '../../../src/config/index.ts'
import type { Downlink, Heard, TxAck, TxWindow } from '../../../src/iot/ports.ts'
import { timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import { openRadio } from '../../../src/iot/radio/index.ts'
import { iotSettings } from '../../../src/main/iot.ts'
import { Concentrator } from '../../support/concentrator.ts'
import { freePort } from '../../support/free-port.ts'
import { GATEWAY, TENANTS, frameOf, openPlace } from '../../support/iot-place.ts'
import { tenant } from '../iot-tenants/tenant-box.ts'
import { until } from './service.ts'

const PHY = Uint8Array.from([0x60, ...new Uint8Array(12)])
const lora = (spreadingFactor: number) => ({ kind: 'lora', spreadingFactor, bandwidthHz: 125_000, codingRate: '4/5' }) as const
const msOf = (spreadingFactor: number): number => Math.ceil(timeOnAirUs(lora(spreadingFactor), PHY.length, { hasCrc: false }) / 1_000)

it('buys frames and airtime through it, and no more airtime than there is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-north-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const server = await openRadio({ region: 'EU868', collectMs: 0, gwmp: null, station: { address: '127.0.0.1', port: 0, certificateFile: null, keyFile: null, tokens: { [GATEWAY]: 'Bearer t0ken' } } }, { clock: new SystemClock('never'), timers: systemTimers, log: silentLog, cups: null })
  onTestFinished(() => server.close())
  const heard: Heard[] = []
  server.onHeard((one) => heard.push(one))

  const ports = { gwmp: await freePort(), server: 1 }
  const settings = iotSettings(loadConfig(["config meshbox 'main'", " list roles 'iot'", "config iot 'iot'", ` option gwmp_port '${ports.gwmp}'`, " option broker 'off'"].join('\n'), 'box'))
  const destination = { kind: 'station', url: `ws://:t0ken@127.0.0.1:${server.ports.station ?? 0}` } as const
  const place = await openPlace(folder, ports, { settings, terms: { creditWindow: 10_000_000n, destination, prices: { ...tenant().prices, perDownlinkMs: { '*': 3n } } } })
  onTestFinished(async () => {
    await place.room.stop()
    await place.store.close()
  })
  const { desk } = place.room
  const field = new Concentrator({ gateway: GATEWAY, port: ports.gwmp, keepaliveMs: 100 })
  onTestFinished(() => field.stop())
  await field.start()
  await until('the gateway at the server', () => server.gateways().some(({ isOnline }) => isOnline))

  field.hear({ phy: frameOf(TENANTS, 1), freq: 868.1 })
  const first = await until('the frame at the server', () => heard[0])
  expect(Buffer.from(first.phy)).toEqual(Buffer.from(frameOf(TENANTS, 1)))
  const units = () => desk.units('farm', { afterSeq: 0n, limit: 100 }).map(({ kind, units: count, amount }) => ({ kind, units: count, amount }))

  let id = 0
  const order = (frequencyHz: number, spreadingFactor: number, timing: TxWindow['timing']): Promise<TxAck> => {
    const window: TxWindow = { phy: PHY, frequencyHz, modulation: lora(spreadingFactor), powerDbm: 14, timing, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0 }
    const downlink: Downlink = { id: ++id, gateway: GATEWAY, windows: [window], purpose: 'data', priority: 0, tenant: null, devEui: '0102030405060708', expiresMs: Infinity }
    return server.transmit(downlink)
  }
  // An answer to that frame, as late as one can be, so that a slow machine is in time too.
  const [best] = first.copies
  if (best === undefined) throw new Error('heard by nobody')
  expect(await order(868_100_000, 7, { kind: 'after', time: best.time, arrivedMs: best.arrivedMs, delayUs: 15_000_000 })).toMatchObject({ statuses: ['OK'], sent: 0 })
  await until('its moment on the air', () => field.onAir.length === 1)
  expect(field.onAir[0]).toMatchObject({ freq: 868.1, datr: 'SF7BW125' })
  await until('both bills', () => units().length === 2)

  // 0.1 % of an hour, a fifth of it kept back for others: two frames of 1.2 s, and not a third.
  const isSent = async (): Promise<boolean> => {
    await order(864_100_000, 12, { kind: 'now' })
    await until('its end at the desk', () => desk.downlinks(100).length === id)
    return desk.downlinks(1)[0]?.sent === 0
  }
  for (let sent = 0; sent < 2; ) if (await isSent()) sent++
  for (let more = 0; more < 2; more++) expect(await isSent()).toBe(false)
  expect(desk.downlinks(1)[0]).toMatchObject({ statuses: ['DUTY_CYCLE_OVERFLOW'], sent: null, tenant: 'farm' })
  await until('the bills', () => units().length === 4)
  expect(units()).toEqual([
    { kind: 'uplink', units: 1, amount: 10n },
    { kind: 'downlink', units: msOf(7), amount: BigInt(msOf(7)) * 3n },
    { kind: 'downlink', units: msOf(12), amount: BigInt(msOf(12)) * 3n },
    { kind: 'downlink', units: msOf(12), amount: BigInt(msOf(12)) * 3n },
  ])
})
