/**
 * LoRa and MQTT whole: the bundled service with the role iot and a real mosquitto in namespaces. The WAN cable is pulled, frames are recorded and played back,
 * the service is killed, and a tenant's name is used to get at what is another's.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { editUci, formatUci } from '../../src/config/index.ts'
import type { IotBrokerUserReply, IotDevicesJson, IotFramesJson, IotReadingsJson, IotStatusJson, IotTenantJson } from '../../src/owner/index.ts'
import { boxConfig } from '../support/box-config.ts'
import { Antenna, BrokerClient, FIELD_KEY, devAddrOf, humidity, sensorFrame } from '../support/iot-field.ts'
import { TOWN, Town, isRoot, type Namespace } from '../support/netns.ts'
import { boxFiles, startInternet, startService, waitFor, type BoxFiles, type Service } from '../support/town-services.ts'

const TOKEN = `0x${'11'.repeat(20)}`
const [SOIL, PUMP] = [{ eui: '70b3d57ed0000001', address: 0x0000_1001 }, { eui: '70b3d57ed0000002', address: 0x0000_1002 }]
const [ACME, EVIL] = [0x2601_0001, 0x2602_0001]
const BROKER_PORT = '18833'
const hex8 = (devAddr: number): string => devAddr.toString(16).padStart(8, '0')

describe.skipIf(!isRoot())('a town with sensors (needs root)', () => {
  let town: Town
  let dir = ''
  let files: BoxFiles
  let nextDoor: Namespace
  let service: Service
  let antenna: Antenna
  /** By name on the broker. */
  const passwords: Record<string, string> = {}

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-iot-town-'))
    chmodSync(dir, 0o711) // the broker gives up root, and must get through
    town = await Town.create({ guests: 1, addresses: 'static' })
    nextDoor = await town.addNeighbour()
    await startInternet(town, dir)
    files = boxFiles(dir)
    const sections = [
      { type: 'photon', name: 'photon', options: { tokens: [`${TOKEN}:TOK:6`] } },
      { type: 'iot', name: 'iot', options: { broker_listen_address: TOWN.boxMesh4, broker_listen_port: BROKER_PORT } },
    ]
    const config = editUci(boxConfig(files, { main: { clock_trust: 'always' } }), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'iot'] }])
    writeFileSync(files.config, `${config}\n${formatUci(sections)}`)
    service = await startService(town.box, files)
    await waitFor('the broker', async () => (await status()).broker.isConnected, 60_000)
    antenna = await Antenna.start(town.box)
    await waitFor('the gateway', async () => (await status()).gateways.online === 1, 30_000)

    for (const [device, more] of [[SOIL, ['--name', 'field-3']], [PUMP, ['--name', 'pump-1', '--class', 'C']]] as const)
      await service.cliJson('lora', 'device', 'set', device.eui, ...more, '--codec', 'cayenne-lpp', '--dev-addr', hex8(device.address), '--nwk-s-key', FIELD_KEY, '--app-s-key', FIELD_KEY)
    for (const [id, devAddr, payer] of [['acme', ACME, '22'], ['evil', EVIL, '33']] as const) {
      await service.cliJson('tenant', 'set', id, '--payer', `0x${payer.repeat(20)}`, '--route', `dev-addr ${hex8(devAddr)}/32`, '--price', '0.001', '--credit', '1')
      passwords[id] = (await service.cliJson<IotBrokerUserReply>('mqtt', 'user', 'add', id, '--tenant', id)).password
    }
    passwords['home'] = (await service.cliJson<IotBrokerUserReply>('mqtt', 'user', 'add', 'home')).password
  })
  afterAll(async () => {
    await service?.stop()
    await town?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  const status = (): Promise<IotStatusJson> => service.cli('--json', 'lora', 'status').then(({ stdout }) => JSON.parse(stdout) as IotStatusJson)
  const readings = async (): Promise<readonly number[]> => (await service.cliJson<IotReadingsJson>('lora', 'readings', SOIL.eui)).readings.map(({ fCnt }) => fCnt)
  const tenantOf = (id: string): Promise<IotTenantJson> => service.cliJson<IotTenantJson>('tenant', 'show', id)
  const frames = async (): Promise<IotFramesJson['frames']> => (await service.cliJson<IotFramesJson>('lora', 'frames')).frames
  const soil = (fCnt: number, percent = 40): Uint8Array => sensorFrame(SOIL.address, fCnt, humidity(percent))

  const clientOf = (name: string, password = passwords[name] ?? ''): Promise<BrokerClient> => BrokerClient.start(nextDoor, `mqtt://${TOWN.boxMesh4}:${BROKER_PORT}`, name, password)

  it('a reading is the owner’s without any Internet, and a rule acts on it', async () => {
    await town.setUplink('down')
    antenna.hear(sensorFrame(PUMP.address, 0, humidity(1)))
    antenna.hear(soil(0))
    await waitFor('the reading', async () => (await readings()).includes(0), 30_000)
    const { devices } = await service.cliJson<IotDevicesJson>('lora', 'devices')
    expect(devices.find(({ devEui }) => devEui === SOIL.eui)).toMatchObject({ isOnline: true, values: [{ name: 'humidity_3', value: 40 }] })

    const rule = ['water', 'if humidity_3 of field-3 < 20 set pump-1 {"digital_output_1":1} for 10 min then {"digital_output_1":0}']
    await service.cliJson('rule', 'set', ...rule)
    await service.cliJson('rule', 'set', ...rule, '--live')
    antenna.hear(soil(1, 18))
    await waitFor('the order to the pump, on the air', () => antenna.sent.some((frame) => devAddrOf(frame) === PUMP.address), 60_000)
    await town.setUplink('up')
  })

  it('each tenant gets his own frames and nothing else, whatever he asks for', async () => {
    const [acme, evil, wrong, nobody] = await Promise.all([clientOf('acme'), clientOf('evil'), clientOf('acme', 'not the password'), clientOf('', '')])
    expect([acme.isIn, evil.isIn, wrong.isIn, nobody.isIn]).toEqual([true, true, false, false])
    expect([wrong.problem, nobody.problem]).toEqual([expect.stringMatching(/authori[sz]ed|password/i), expect.stringMatching(/authori[sz]ed|password/i)])
    acme.subscribe('tenant/acme/#')
    evil.subscribe('#', 'tenant/#', 'tenant/acme/#', 'meshbox/#', '$SYS/#', '+/acme/#', 'tenant/evil/#')
    antenna.hear(sensorFrame(ACME, 0, humidity(50)))
    antenna.hear(soil(2))
    await waitFor('the frame at its tenant', () => acme.heard.some((topic) => topic.endsWith('/event/up')), 30_000)
    await waitFor('the bill', async () => (await tenantOf('acme')).units === '1', 30_000)
    await waitFor('the reading', async () => (await readings()).includes(2), 30_000)

    // He writes where others are heard: orders to the owner's pump, frames for acme, the box's own state.
    const before = acme.heard.length
    await evil.publish('tenant/acme/gateway/016c001ff10a2035/event/up', 'tenant/acme/gateway/016c001ff10a2035/command/down', `meshbox/device/${PUMP.eui}/set`, 'meshbox/pump-1/set', 'meshbox/bridge/state', 'homeassistant/device/x/config')
    // His own frame comes after all of that: what was let through would have been there before.
    antenna.hear(sensorFrame(EVIL, 0, humidity(51)))
    await waitFor('his own frame', () => evil.heard.some((topic) => topic.startsWith('tenant/evil/') && topic.endsWith('/event/up')), 30_000)
    expect(evil.heard.filter((topic) => !topic.startsWith('tenant/evil/'))).toEqual([])
    expect(acme.heard.slice(before).filter((topic) => topic.includes('/event/up') || topic.includes('/command/'))).toEqual([])
    const queue = await service.cliJson<{ queue: readonly { asker: string }[] }>('lora', 'queue', PUMP.eui)
    expect(queue.queue.filter(({ asker }) => !asker.startsWith('rule:'))).toEqual([])
    for (const one of [acme, evil, wrong, nobody]) one.stop()
  })

  it('what was recorded and is played back is taken by nobody, also after kill -9', async () => {
    const acme = await clientOf('acme')
    acme.subscribe('tenant/acme/#')
    const recorded = [soil(0), soil(1, 18), soil(2), sensorFrame(ACME, 0, humidity(50))]
    const was = { readings: await readings(), units: (await tenantOf('acme')).units, sent: antenna.sent.length }
    for (const phy of recorded) antenna.hear(phy)
    antenna.hear(soil(3))
    await waitFor('the fresh one', async () => (await readings()).includes(3), 30_000)

    await service.crash()
    service = await startService(town.box, files)
    await waitFor('the broker, again', async () => (await status()).broker.isConnected, 60_000)
    await waitFor('the gateway, again', async () => (await status()).gateways.online === 1, 30_000)
    await waitFor('the tenant, again', async () => (await tenantOf('acme')).isOnline, 30_000)
    for (const phy of recorded) antenna.hear(phy)
    antenna.hear(soil(3))
    antenna.hear(soil(4))
    antenna.hear(sensorFrame(ACME, 1, humidity(50)))
    await waitFor('the fresh ones', async () => (await readings()).includes(4) && (await tenantOf('acme')).units === String(Number(was.units) + 1), 60_000)
    expect(await readings()).toEqual([4, 3, ...was.readings])
    const verdicts = (await frames()).filter(({ devEui }) => devEui === SOIL.eui).map(({ verdict }) => verdict)
    expect(verdicts.filter((verdict) => verdict === 'reading')).toHaveLength(1)
    acme.stop()
  })

  it('guests do not reach the doors of concentrators and of the broker', async () => {
    const [guest] = town.guests
    if (guest === undefined) throw new Error('no guest')
    for (const [address, port] of [[TOWN.box4, '1884'], [TOWN.box4, BROKER_PORT], [TOWN.boxMesh4, BROKER_PORT]] as const) {
      const tried = await guest.ns.run('curl', ['-s', '-m', '2', `telnet://${address}:${port}`])
      expect({ address, port, reached: tried.code === 0 }).toEqual({ address, port, reached: false })
    }
    const before = (await status()).uplinks
    const intruder = await Antenna.start(guest.ns, TOWN.box4)
    intruder.hear(soil(9))
    antenna.hear(soil(5))
    await waitFor('the real one', async () => (await readings()).includes(5), 30_000)
    intruder.stop()
    expect([(await status()).uplinks - before, await readings()]).toEqual([1, expect.not.arrayContaining([9])])
  })
})
