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
import type { Host } from '../../test/support/netns.ts'
import type { Home } from '../../test/support/photon-village.ts'
import { waitFor, type BoxFiles, type Service } from '../../test/support/town-services.ts'
import { claim, note, step } from './say.ts'
import type { StoryPlan } from './story-plan.ts'

const [SOIL, PUMP] = [{ eui: '70b3d57ed0000001', address: 0x0000_1001 }, { eui: '70b3d57ed0000002', address: 0x0000_1002 }]
const METER = 0x2601_0001
/** Where a broker has what the probe said last. */
export const SOIL_TOPIC = `meshbox/device/${SOIL.eui}/state`
/** For a started 24 bytes, and what he may owe: two of them. */
const [PRICE, CREDIT] = ['0.01', '0.02']
const SOLD = 3
/** What takes a second takes far longer on a busy machine. */
const PATIENCE_MS = 120_000
/** What the neighbour has paid when the chapter is over. */
export const IOT_PAID = parseEther(PRICE) * BigInt(SOLD)

/** Room for the sensors in a configuration that has the role. `brokerUrl`: a broker that is there; null: the box runs its own mosquitto. */
export function iotSection(files: BoxFiles, brokerUrl: string | null): UciEdit {
  chmodSync(dirname(files.socket), 0o711) // the broker gives up root, and must get through; /var/run of a router is open to it
  return { do: 'add-section', section: { type: 'iot', name: 'iot', options: brokerUrl === null ? {} : { broker: 'url', broker_url: brokerUrl } } }
}

export interface FieldParts {
  readonly box: Host
  /** Which runs now. */
  readonly service: () => Service
  readonly nextDoor: Host
  readonly neighbour: () => Service
  readonly ours: Home
  readonly theirs: Home
  /** Where the neighbour's own server takes frames: UDP. */
  readonly server: { readonly address: string; readonly port: number }
  /** Waits until somebody beside the box has the first reading, and says who. Null: nobody listens. */
  readonly heardElsewhere: (() => Promise<string>) | null
}

/** The concentrator and the neighbour's server, and how far its sensors have counted. */
export class Field {
  readonly #parts: FieldParts
  readonly #antenna: Antenna
  readonly #server: TenantServer
  #soilCount = 0
  #meterCount = 0

  private constructor(parts: FieldParts, antenna: Antenna, server: TenantServer) {
    this.#parts = parts
    this.#antenna = antenna
    this.#server = server
  }

  static async open(parts: FieldParts): Promise<Field> {
    const [antenna, server] = await Promise.all([Antenna.start(parts.box), TenantServer.start(parts.nextDoor, parts.server.port)])
    return new Field(parts, antenna, server)
  }

  /** The owner's probe says so much, in steps of half a percent. */
  soil(percent: number): void {
    this.#antenna.hear(sensorFrame(SOIL.address, this.#soilCount++, humidity(percent)))
  }

  /** Listens always, once it has spoken. */
  pump(): void {
    this.#antenna.hear(sensorFrame(PUMP.address, 0, humidity(0)))
  }

  get hasOrderedPump(): boolean {
    return this.#antenna.sent.some((frame) => devAddrOf(frame) === PUMP.address)
  }

  tenant(): Promise<IotTenantJson> {
    return this.#parts.service().cliJson<IotTenantJson>('tenant', 'show', 'next-door')
  }

  /** One frame of the neighbour's meter: at his server, billed, and paid by him. Result: the account before and after his payment. */
  async sell(): Promise<{ readonly count: number; readonly owing: IotTenantJson; readonly even: IotTenantJson }> {
    const before = await this.tenant()
    const frame = sensorFrame(METER, this.#meterCount++, humidity(50))
    this.#antenna.hear(frame)
    await waitFor('the frame at his server', () => this.#server.has(frame), PATIENCE_MS)
    const owing = await waitFor('the bill', async () => ((one) => one.units === String(Number(before.units) + 1) && one)(await this.tenant()), PATIENCE_MS)
    const paid = await this.#parts.neighbour().cli('--json', 'pay', this.#parts.ours.account, PRICE, '--direct', '--data', 'iot')
    if (paid.code !== 0) throw new Error(`the neighbour could not pay: ${paid.stderr || paid.stdout}`)
    const even = await waitFor('his payment', async () => ((one) => one.owed.units === '0' && one)(await this.tenant()), PATIENCE_MS)
    return { count: this.#meterCount, owing, even }
  }

  /** The meter's first frame once more, as somebody recorded it. */
  replay(): void {
    this.#antenna.hear(sensorFrame(METER, 0, humidity(50)))
  }

  close(): void {
    this.#antenna.stop()
    this.#server.stop()
  }
}

export async function tellOfSensors(field: Field, { service: running, neighbour, theirs, server, heardElsewhere }: FieldParts, { wet, dry }: Pick<StoryPlan, 'wet' | 'dry'>): Promise<void> {
  const service = running()
  const run = async (...words: string[]): Promise<string> => {
    const done = await service.cli(...words)
    if (done.code !== 0) throw new Error(`meshbox ${words.join(' ')}: ${done.stderr || done.stdout}`)
    return done.stdout.trimEnd()
  }

  step('A concentrator in the field')
  await waitFor('the gateway', async () => (await service.cliJson<IotStatusJson>('lora', 'status')).gateways.online === 1, PATIENCE_MS)
  const session = (address: number): readonly string[] => ['--dev-addr', address.toString(16).padStart(8, '0'), '--nwk-s-key', FIELD_KEY, '--app-s-key', FIELD_KEY, '--codec', 'cayenne-lpp']
  await run('lora', 'device', 'set', SOIL.eui, '--name', 'field-3', ...session(SOIL.address))
  await run('lora', 'device', 'set', PUMP.eui, '--name', 'pump-1', '--class', 'C', ...session(PUMP.address))
  field.pump()
  field.soil(wet)
  const soil = await waitFor('a reading', async () => (await service.cliJson<IotDevicesJson>('lora', 'devices')).devices.find(({ devEui, values }) => devEui === SOIL.eui && values.length > 0), PATIENCE_MS)
  claim(`the owner's probe says ${soil.values.map(({ name, value, unit }) => `${name} ${value} ${unit ?? ''}`).join(', ')}: decrypted on the box, with no server anywhere`, soil.values[0]?.value === wet)
  if (heardElsewhere !== null) claim(await heardElsewhere(), true)
  const rule = ['rule', 'set', 'water', 'if humidity_3 of field-3 < 20 set pump-1 {"digital_output_1":1} for 10 min then {"digital_output_1":0}']
  await run(...rule)
  await run(...rule, '--live')
  field.soil(dry)
  await waitFor('the order to the pump', () => field.hasOrderedPump, PATIENCE_MS)
  const [fired] = (await service.cliJson<IotRulesJson>('rule', 'list')).rules
  claim(`it says ${dry}: the rule "${fired?.text}" opens the valve over the air (${fired?.lastRun?.because})`, fired?.lastRun?.isDryRun === false)

  step('The neighbour’s meters are heard here, and he pays for each frame')
  await run('tenant', 'set', 'next-door', '--payer', theirs.account, '--token', 'SMT', '--route', `dev-addr ${METER.toString(16)}/32`, '--to', `gwmp ${server.address}:${server.port}`, '--price', PRICE, '--credit', CREDIT)
  await waitFor('his server', async () => (await field.tenant()).isOnline, PATIENCE_MS)
  for (let sold = 0; sold < SOLD; sold++) {
    const { count, owing, even } = await field.sell()
    claim(`frame ${count}: delivered, billed ${owing.billed.text}, owed ${owing.owed.text}; paid through the channel: ${even.paid.text} in all, owed ${even.owed.text}`, even.paid.units === even.billed.units)
  }
  field.replay()
  const bill = join(dirname(service.files.config), 'bill.json')
  await waitFor('a receipt', async () => (await field.tenant()).newestReceipt !== null, PATIENCE_MS)
  await run('tenant', 'bill', 'next-door', '--output', bill)
  claim('a frame that somebody recorded and sends again is not sold', (await field.tenant()).units === String(SOLD))
  const checked = await neighbour().cli('lora', 'receipt', 'verify', bill, '--payer', theirs.account)
  claim(`the neighbour checks the bill on his side: ${checked.stdout.split('\n')[0]}`, checked.code === 0, checked.stdout + checked.stderr)
  note(await run('lora', 'status'))
}
