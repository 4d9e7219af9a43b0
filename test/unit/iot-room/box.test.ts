/**
 * The whole box: a concentrator's real datagrams go in; readings come out at the broker, in the log, in the API; a rule runs; a tenant gets his
 * frame, is billed, and his receipt, his bill and the ledger agree, also after a power cut. mosquitto is the real one.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { formatUci } from '../../../src/config/index.ts'
import type { MqttConnection } from '../../../src/iot/mqtt/index.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import { auditBill } from '../../../src/iot/tenants/receipt/index.ts'
import { Concentrator } from '../../support/concentrator.ts'
import type { AirFrame } from '../../support/concentrator.ts'
import { freePort } from '../../support/free-port.ts'
import { Sensor, JOIN_EUI } from '../iot-network/sensor.ts'
import { Service, bundleService, removeFolder, until } from './service.ts'

const GATEWAY = '0016c001ff10a235'
const TOKEN = `0x${'11'.repeat(20)}`
const PAYER = `0x${'22'.repeat(20)}`
const KEY = Uint8Array.from({ length: 16 }, (_, at) => at + 1)
const SOIL = '70b3d57ed0010001'
const PUMP = '70b3d57ed0010002'
const TENANT_ADDRESS = 0x26011bda
/** Cayenne LPP: channel 1, temperature 27.2 °C. */
const WARM = Uint8Array.from([0x01, 0x67, 0x01, 0x10])
const COLD = Uint8Array.from([0x01, 0x67, 0x00, 0x32])
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

let folder: string
let box: Service
let ports: { readonly gwmp: number; readonly inner: number; readonly outer: number; readonly owner: number }
let radio: Concentrator
const soil = new Sensor(SOIL, KEY)
const pump = new Sensor(PUMP, KEY.map((byte) => byte ^ 0xff))
const open: MqttConnection[] = []
const onAir: AirFrame[] = []

beforeAll(async () => {
  folder = await bundleService()
  ports = { gwmp: await freePort(), inner: await freePort(), outer: await freePort(), owner: await freePort() }
  box = new Service(folder, 'box', (data, socket) =>
    formatUci([
      { type: 'meshbox', name: 'main', options: { name: 'Farm', data_dir: data, control_socket: socket, log_style: 'time', roles: ['iot'] } },
      { type: 'owner', name: 'owner', options: { port: String(ports.owner) } },
      { type: 'photon', name: 'photon', options: { tokens: [`${TOKEN}:TOK:6`] } },
      { type: 'iot', name: 'iot', options: { gwmp_port: String(ports.gwmp), broker_port: String(ports.inner), broker_listen_address: '127.0.0.1', broker_listen_port: String(ports.outer) } },
    ]),
  )
  await box.start()
  radio = new Concentrator({ gateway: GATEWAY, port: ports.gwmp, keepaliveMs: 500 })
  radio.onSent((frame) => onAir.push(frame))
  await radio.start()
})

afterAll(async () => {
  radio.stop()
  for (const connection of open) await connection.close()
  await box.stop()
  removeFolder(folder)
})

interface Heard {
  readonly topic: string
  readonly payload: string
}

async function listener(port: number, filters: readonly string[], login: { readonly name: string; readonly password: string } | null = null): Promise<Heard[]> {
  const heard: Heard[] = []
  const connection = connectMqtt({ url: `mqtt://127.0.0.1:${port}`, userName: login?.name ?? null, password: login?.password ?? null, clientId: login?.name ?? `Test_${open.length}`, will: null }, { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 50 })
  open.push(connection)
  for (const filter of filters) connection.subscribe(filter, (topic, payload) => heard.push({ topic, payload: Buffer.from(payload).toString('utf8') }))
  await until('a connection to the broker', () => connection.isConnected)
  return heard
}

/** What a device sent has become a reading with that counter. */
async function isLogged(devEui: string, fCnt: number): Promise<void> {
  await until(`reading ${fCnt} of ${devEui} in the log`, async () => (await box.client.call('iotReadings', { params: { id: devEui }, query: {} })).readings.some((reading) => reading.fCnt === fCnt))
}

it('lets a device join over the air, and brings what it measures to the broker, the log, the plot and the page', async () => {
  await until('the concentrator online', async () => (await box.client.call('iotGateways', {})).gateways.some(({ id, isOnline }) => id === GATEWAY && isOnline))
  await box.client.call('putIotDevice', { body: { devEui: SOIL, name: 'field-3', joinEui: JOIN_EUI, codec: 'cayenne-lpp', appKey: hex(KEY) } })
  const topics = await listener(ports.inner, ['meshbox/#'])
  const found = await listener(ports.inner, ['homeassistant/#'])

  radio.hear({ phy: soil.joinRequest() })
  await until('a join accept on the air', () => onAir.some(({ phy }) => soil.keys === null && soil.accept(phy)))
  const { devices } = await box.client.call('iotDevices', {})
  expect(devices).toMatchObject([{ devEui: SOIL, isOnline: true, session: { devAddr: soil.devAddr.toString(16).padStart(8, '0') }, lastJoin: { refused: null } }])

  radio.hear({ phy: soil.frame(WARM), lsnr: 7.5 })
  await isLogged(SOIL, 0)
  const up = await until('the reading at the broker', () => topics.find(({ topic }) => topic === `meshbox/device/${SOIL}/up`))
  expect(JSON.parse(up.payload)).toMatchObject({ fCnt: 0, object: { temperature_1: 27.2 } })
  await until('the retained state', () => topics.some(({ topic, payload }) => topic === `meshbox/device/${SOIL}/state` && payload.includes('27.2')))
  await until('the device in Home Assistant', () => found.some(({ topic, payload }) => topic.endsWith('/config') && payload.includes('temperature_1')))
  const { readings } = await box.client.call('iotReadings', { params: { id: SOIL }, query: {} })
  expect(readings).toMatchObject([{ payload: hex(WARM), values: [{ name: 'temperature_1', value: 27.2 }], dataRate: 'SF7BW125', snrDb: 7.5, gateways: 1 }])
  const { frames } = await box.client.call('iotFrames', { query: {} })
  expect(frames.map(({ verdict }) => verdict)).toEqual(['reading', 'join'])
  const now = new Date().getTime()
  expect((await box.client.call('iotSeries', { params: { id: SOIL }, query: { name: 'temperature_1', from: now - 3_600_000, to: now + 3_600_000 } })).points).toMatchObject([{ mean: 27.2 }])
  expect(await box.client.call('iotCsv', { params: { id: SOIL }, query: {} })).toContain('27.2')
})

it('runs a rule: tried on what was kept, dry, then live with an order on the air', async () => {
  const keys = { fNwkSIntKey: KEY, sNwkSIntKey: KEY, nwkSEncKey: KEY, appSKey: KEY }
  pump.session(keys, 0x01020304)
  await box.client.call('putIotDevice', { body: { devEui: PUMP, name: 'pump-1', codec: 'cayenne-lpp', abp: { devAddr: '01020304', nwkSKey: hex(KEY), appSKey: hex(KEY) } } })
  radio.hear({ phy: pump.frame(Uint8Array.of(3, 0, 0)), freq: 868.3 })
  await isLogged(PUMP, 0)

  const text = 'if temperature_1 of field-3 < 10 set pump-1 {"digital_output_3":1} for 10 min then {"digital_output_3":0} wait 1 h'
  expect(await box.client.call('tryIotRule', { body: { text } })).toMatchObject({ text, readings: 1, runs: [] })
  await box.client.call('putIotRule', { body: { id: 'frost', name: 'Frost', text, isLive: false, isPaused: false } })
  await box.client.call('putIotRule', { body: { id: 'frost', name: 'Frost', text, isLive: true, isPaused: false } })
  radio.hear({ phy: soil.frame(COLD) })
  await until('a run of the rule', async () => (await box.client.call('iotRules', {})).runs.find(({ rule, isDryRun }) => rule === 'frost' && !isDryRun))
  await until('the order in the queue', async () => (await box.client.call('iotQueue', { params: { id: PUMP } })).queue.some(({ asker }) => asker === 'rule:frost'))
  radio.hear({ phy: pump.frame(Uint8Array.of(3, 0, 0)), freq: 868.3 })
  const received = await until('the valve opened over the air', () => onAir.map(({ phy }) => pump.hear(phy)).find((got) => got !== null && got.fPort === 1))
  // Channel 3, digital output: on.
  expect([...received.payload]).toEqual([3, 1, 1])
  await until('the order marked as sent', async () => (await box.client.call('iotQueue', { params: { id: PUMP } })).queue.some(({ state }) => state === 'sent'))
  const [gateway] = (await box.client.call('iotGateways', {})).gateways
  expect(gateway?.budget.reduce((sum, { usedMs }) => sum + usedMs, 0)).toBeGreaterThan(0)
})

it("runs the owner's codecs in a process of their own", async () => {
  const source = 'function decodeUplink(input) { return { data: { soil: input.bytes[0] * 2 } } }'
  // On a machine that does too much at once a codec's 50 ms may be over before it began.
  await until('a codec that is taken', () => box.client.call('putIotCodec', { body: { name: 'soil', source } }).catch(() => null))
  await until('its value', async () => (await box.client.call('tryIotCodec', { params: { id: 'soil' }, body: { payload: '15', fPort: 2 } })).values?.some(({ name, value }) => name === 'soil' && value === 42))
})

it('sells a tenant his frames: delivered by the broker to him alone, billed, receipted, in the ledger; after a power cut to the unit the same', async () => {
  const terms = { id: 'acme', name: 'Acme', payer: PAYER, routes: ['dev-addr 26010000/16'], destination: 'broker', perUnit: '0.25', creditWindow: '1' }
  expect(await box.client.call('putIotTenant', { body: terms })).toMatchObject({ isServed: true, routes: ['dev-addr 26010000/16'], owed: { text: '0' } })
  const { password } = await box.client.call('addIotBrokerUser', { body: { name: 'acme-server', tenant: 'acme' } })
  const his = await listener(ports.outer, ['tenant/acme/#', 'meshbox/#'], { name: 'acme-server', password })
  await until('the way to him', async () => (await box.client.call('iotTenants', {})).tenants[0]?.isOnline)

  const theirs = new Sensor('70b3d57ed0019999', KEY)
  theirs.session({ fNwkSIntKey: KEY, sNwkSIntKey: KEY, nwkSEncKey: KEY, appSKey: KEY }, TENANT_ADDRESS)
  for (const [count, payload] of [WARM, Uint8Array.from({ length: 30 })].entries()) {
    radio.hear({ phy: theirs.frame(payload), freq: 868.5 })
    await until(`frame ${count} sold`, async () => (await box.client.call('iotTenants', {})).tenants[0]?.uplinks === String(count + 1))
  }
  await until('his frames at his server', () => his.filter(({ topic }) => topic === `tenant/acme/gateway/${GATEWAY}/event/up`).length === 2)
  const sold = (await box.client.call('iotFrames', { query: {} })).frames.filter(({ tenants }) => tenants.length > 0)
  expect(sold.map(({ tenants }) => tenants)).toEqual([[{ id: 'acme', verdict: 'sold' }], [{ id: 'acme', verdict: 'sold' }]])
  // Of the owner's devices, which speak all the time, he hears nothing.
  radio.hear({ phy: soil.frame(WARM) })
  await isLogged(SOIL, 2)
  expect(his.filter(({ topic }) => topic.startsWith('meshbox/'))).toEqual([])
  // 1 and 2 started 24 bytes of 0.25.
  const receipt = await until('a receipt over all of it', async () => (await box.client.call('iotTenants', {})).tenants.find(({ newestReceipt }) => newestReceipt?.seq === '2'))
  expect(receipt).toMatchObject({ units: '3', billed: { text: '0.75' }, owed: { text: '0.75' }, newestReceipt: { amount: { text: '0.75' } } })
  await until('the receipt at the broker, for him', () => his.some(({ topic, payload }) => topic === 'tenant/acme/receipt' && payload === JSON.stringify(receipt.newestReceipt?.receipt)))
  const audit = auditBill(await box.client.call('iotBill', { params: { id: 'acme' } }), { gateway: null, payer: PAYER as `0x${string}` })
  expect(audit).toMatchObject({ isValid: true, provenUnits: 2 })
  for (const text of ['{"receipts":[]}', 'x', JSON.stringify(receipt.newestReceipt?.receipt)]) await expect(box.client.call('catchUpIotTenant', { params: { id: 'acme' }, body: { receipt: text } })).rejects.toMatchObject({ kind: text.length > 100 ? 'conflict' : 'input' })
  const { entries } = await box.client.call('entries', { query: {} })
  expect(entries.filter(({ source }) => source === 'iot:uplink').length).toBeGreaterThan(0)

  await box.kill()
  await box.start()
  const after = (await box.client.call('iotTenants', {})).tenants[0]
  expect(after).toMatchObject({ units: '3', billed: { text: '0.75' }, newestReceipt: { seq: '2' }, isBehind: false })
  await until('the broker again', async () => {
    const { isConnected, problem } = (await box.client.call('iot', {})).broker
    return isConnected && problem === null
  })
  expect((await box.client.call('iotDevices', {})).devices.find(({ devEui }) => devEui === SOIL)).toMatchObject({ session: { fCntUp: 3 }, values: [{ name: 'temperature_1', value: 27.2 }] })
})

it('goes on without a broker that is not installed, says so loudly, and sends later what was measured meanwhile', async () => {
  await box.stop()
  await box.start({ PATH: '/nonexistent' })
  expect(box.log).toMatch(/error iot: the broker is not there/)
  const { broker } = await box.client.call('iot', {})
  expect(broker).toMatchObject({ isConnected: false, problem: expect.stringContaining('not installed') })
  expect((await box.client.call('consoleStatus', {})).health).toContainEqual(expect.objectContaining({ part: 'iot', level: 'bad' }))
  await until('the concentrator online', async () => (await box.client.call('iotGateways', {})).gateways.some(({ isOnline }) => isOnline))
  radio.hear({ phy: soil.frame(WARM) })
  await isLogged(SOIL, 3)
  await until('the reading waits', async () => (await box.client.call('iot', {})).broker.unpublished >= 1)
  await box.stop()
  await box.start()
  await until('nothing waits any more', async () => {
    const seen = (await box.client.call('iot', {})).broker
    return seen.isConnected && seen.unpublished === 0
  })
})
