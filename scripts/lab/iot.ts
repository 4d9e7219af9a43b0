/**
 * The chapter of sensors: a concentrator in the field hears the owner's soil probe and sensors of the neighbour's. A reading, a rule that opens a valve, and the
 * neighbour's frames sold and paid one by one through the channel between the two boxes, with a bill that he can check.
 */
import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseEther } from 'ethers'
import type { UciEdit } from '../../src/config/index.ts'
import type { IotDevicesJson, IotRulesJson, IotStatusJson, IotTenantJson } from '../../src/owner/index.ts'
import { Antenna, FIELD_KEY, TenantServer, devAddrOf, humidity, sensorFrame } from '../../test/support/iot-field.ts'
import { TOWN, type Namespace } from '../../test/support/netns.ts'
import type { Home } from '../../test/support/photon-village.ts'
import { waitFor, type BoxFiles, type Service } from '../../test/support/town-services.ts'
import { claim, note, step } from './say.ts'

const [SOIL, PUMP] = [{ eui: '70b3d57ed0000001', address: 0x0000_1001 }, { eui: '70b3d57ed0000002', address: 0x0000_1002 }]
const METER = 0x2601_0001
const SERVER_PORT = 1_700
/** For a started 24 bytes, and what he may owe: two of them. */
const [PRICE, CREDIT] = ['0.01', '0.02']
const SOLD = 3
/** What the neighbour has paid when the chapter is over. */
export const IOT_PAID = parseEther(PRICE) * BigInt(SOLD)

/** Room for the sensors in a configuration that has the role. */
export function iotSection(files: BoxFiles): UciEdit {
  chmodSync(dirname(files.socket), 0o711) // the broker gives up root, and must get through; /var/run of a router is open to it
  return { do: 'add-section', section: { type: 'iot', name: 'iot', options: {} } }
}

export interface FieldParts {
  readonly box: Namespace
  readonly service: Service
  readonly nextDoor: Namespace
  readonly neighbour: Service
  readonly ours: Home
  readonly theirs: Home
}

export async function tellOfSensors({ box, service, nextDoor, neighbour, ours, theirs }: FieldParts): Promise<void> {
  const run = async (...words: string[]): Promise<string> => {
    const done = await service.cli(...words)
    if (done.code !== 0) throw new Error(`meshbox ${words.join(' ')}: ${done.stderr || done.stdout}`)
    return done.stdout.trimEnd()
  }
  const tenant = (): Promise<IotTenantJson> => service.cliJson<IotTenantJson>('tenant', 'show', 'next-door')

  step('A concentrator in the field')
  const [antenna, server] = await Promise.all([Antenna.start(box), TenantServer.start(nextDoor, SERVER_PORT)])
  try {
    await waitFor('the gateway', async () => (await service.cliJson<IotStatusJson>('lora', 'status')).gateways.online === 1, 30_000)
    const session = (address: number): readonly string[] => ['--dev-addr', address.toString(16).padStart(8, '0'), '--nwk-s-key', FIELD_KEY, '--app-s-key', FIELD_KEY, '--codec', 'cayenne-lpp']
    await run('lora', 'device', 'set', SOIL.eui, '--name', 'field-3', ...session(SOIL.address))
    await run('lora', 'device', 'set', PUMP.eui, '--name', 'pump-1', '--class', 'C', ...session(PUMP.address))
    antenna.hear(sensorFrame(PUMP.address, 0, humidity(0)))
    antenna.hear(sensorFrame(SOIL.address, 0, humidity(40)))
    const soil = await waitFor('a reading', async () => (await service.cliJson<IotDevicesJson>('lora', 'devices')).devices.find(({ devEui, values }) => devEui === SOIL.eui && values.length > 0), 30_000)
    claim(`the owner's probe says ${soil.values.map(({ name, value, unit }) => `${name} ${value} ${unit ?? ''}`).join(', ')}: decrypted on the box, with no server anywhere`, soil.values[0]?.value === 40)
    const rule = ['rule', 'set', 'water', 'if humidity_3 of field-3 < 20 set pump-1 {"digital_output_1":1} for 10 min then {"digital_output_1":0}']
    await run(...rule)
    await run(...rule, '--live')
    antenna.hear(sensorFrame(SOIL.address, 1, humidity(18)))
    await waitFor('the order to the pump', () => antenna.sent.some((frame) => devAddrOf(frame) === PUMP.address), 30_000)
    const [fired] = (await service.cliJson<IotRulesJson>('rule', 'list')).rules
    claim(`it says 18: the rule "${fired?.text}" opens the valve over the air (${fired?.lastRun?.because})`, fired?.lastRun?.isDryRun === false)

    step('The neighbour’s meters are heard here, and he pays for each frame')
    await run('tenant', 'set', 'next-door', '--payer', theirs.account, '--token', 'SMT', '--route', `dev-addr ${METER.toString(16)}/32`, '--to', `gwmp ${TOWN.neighbour4}:${SERVER_PORT}`, '--price', PRICE, '--credit', CREDIT)
    await waitFor('his server', async () => (await tenant()).isOnline, 30_000)
    for (let fCnt = 0; fCnt < SOLD; fCnt++) {
      const frame = sensorFrame(METER, fCnt, humidity(50))
      antenna.hear(frame)
      await waitFor('the frame at his server', () => server.has(frame), 30_000)
      const owing = await waitFor('the bill', async () => ((one) => one.units === String(fCnt + 1) && one)(await tenant()), 30_000)
      const paid = await neighbour.cli('--json', 'pay', ours.account, PRICE, '--direct', '--data', 'iot')
      if (paid.code !== 0) throw new Error(`the neighbour could not pay: ${paid.stderr || paid.stdout}`)
      const even = await waitFor('his payment', async () => ((one) => one.owed.units === '0' && one)(await tenant()), 30_000)
      claim(`frame ${fCnt + 1}: delivered, billed ${owing.billed.text}, owed ${owing.owed.text}; paid through the channel: ${even.paid.text} in all, owed ${even.owed.text}`, even.paid.units === even.billed.units)
    }
    antenna.hear(sensorFrame(METER, 0, humidity(50)))
    const bill = join(dirname(service.files.config), 'bill.json')
    await waitFor('a receipt', async () => (await tenant()).newestReceipt !== null, 90_000)
    await run('tenant', 'bill', 'next-door', '--output', bill)
    claim('a frame that somebody recorded and sends again is not sold', (await tenant()).units === String(SOLD))
    const checked = await neighbour.cli('lora', 'receipt', 'verify', bill, '--payer', theirs.account)
    claim(`the neighbour checks the bill on his side: ${checked.stdout.split('\n')[0]}`, checked.code === 0, checked.stdout + checked.stderr)
    note(await run('lora', 'status'))
  } finally {
    antenna.stop()
    server.stop()
  }
}
