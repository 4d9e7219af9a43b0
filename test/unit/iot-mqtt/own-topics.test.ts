import { describe, expect, it, onTestFinished } from 'vitest'
import { MeshBoxError, momentOf, silentLog } from '../../../src/base/index.ts'
import { OwnTopics, SparkplugNode, willOf } from '../../../src/iot/mqtt/index.ts'
import type { KnownDevice } from '../../../src/iot/mqtt/index.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import { decodeMessage, encodeMessage } from '../../../src/iot/mqtt/protobuf.ts'
import type { Message } from '../../../src/iot/mqtt/protobuf.ts'
import { REBIRTH, SPARKPLUG_PAYLOAD, bornNode, connecting, newSparkplug, tell } from '../../../src/iot/mqtt/sparkplug.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import type { Actuators, QueueItem, Value } from '../../../src/iot/ports.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { moment, reading } from '../iot-log/readings.ts'
import { Ear, becomes, brokerAt, client, message } from './broker-town.ts'

const DEVICE = '0102030405060708'
const TOPIC = `meshbox/device/${DEVICE}`
const AT = '2023-11-14T22:13:20.000Z'
const VALUES: readonly Value[] = [
  { name: 'soil', value: 18.5, unit: '%' },
  { name: 'temperature_1', value: 21, unit: '°C' },
  { name: 'door', value: true, unit: null },
  { name: 'mode', value: 'auto', unit: null },
]

function known(given: Partial<KnownDevice> = {}): KnownDevice {
  return { devEui: DEVICE, name: 'field-3', values: VALUES, isOnline: true, lastSeen: moment(1_700_000_000_000), ...given }
}

async function town(given: { readonly devices?: readonly KnownDevice[]; readonly send?: Actuators['send'] } = {}) {
  const broker = await brokerAt()
  const ear = await Ear.of(client(broker.port, { clientId: 'ear' }))
  const box = client(broker.port, { will: willOf('meshbox') })
  let devices = given.devices ?? [known()]
  const sent: Parameters<Actuators['send']>[] = []
  const actuators: Actuators = {
    send: (...order) => {
      sent.push(order)
      return given.send?.(...order) ?? Promise.resolve<QueueItem>({ queueId: 7, devEui: order[0], fPort: 1, payload: new Uint8Array(0), isConfirmed: order[2].isConfirmed, asker: order[2].asker, expiresAt: order[2].expiresAt, state: 'queued', tries: [] })
    },
  }
  const time = new FakeTime()
  const topics = new OwnTopics({ client: box, prefix: 'meshbox', homeAssistant: true, actuators, devices: () => devices, version: '0.1.0', clock: time, log: silentLog })
  topics.start()
  onTestFinished(() => topics.stop())
  expect(await ear.json('meshbox/state')).toEqual({ state: 'online' })
  return { broker, ear, box, topics, sent, time, setDevices: (now: readonly KnownDevice[]) => (devices = now) }
}

describe('own topics', () => {
  it('say who is there, what was measured, and what joined', async () => {
    const { ear, topics } = await town()
    expect(await ear.json(`${TOPIC}/availability`)).toEqual({ state: 'online' })
    expect(await ear.json(`${TOPIC}/state`)).toEqual({ soil: 18.5, temperature_1: 21, door: true, mode: 'auto', at: AT })
    topics.reading(reading({ values: [{ name: 'soil', value: 12, unit: '%' }], at: moment(1_700_000_000_000, false) }))
    expect(await ear.json(`${TOPIC}/up`)).toEqual({
      devEui: DEVICE,
      name: 'field-3',
      devAddr: '26011f5a',
      fCnt: 1,
      fPort: 2,
      confirmed: false,
      data: 'AQL/',
      object: { soil: 12 },
      problem: null,
      at: null,
      radio: { frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, dataRate: 5 },
      gateways: [{ gateway: '00000000000000aa', rssiDbm: -57, snrDb: 9.5 }, { gateway: '00000000000000ab', rssiDbm: null, snrDb: null }],
      late: false,
    })
    expect(await ear.json(`${TOPIC}/state`)).toEqual({ soil: 12, temperature_1: 21, door: true, mode: 'auto', at: null })
    topics.join({ devEui: DEVICE, joinEui: '00000000000000bb', devAddr: null, refused: 'DevNonce used before', at: moment(1_700_000_000_000) })
    expect(await ear.json(`${TOPIC}/join`)).toEqual({ joinEui: '00000000000000bb', devAddr: null, refused: 'DevNonce used before', at: AT })
    topics.availability(DEVICE, false)
    expect(await ear.json(`${TOPIC}/availability`)).toEqual({ state: 'offline' })
  })

  it('are found by Home Assistant, again when it comes up, with what is new, and not when they are gone', async () => {
    const { ear, box, topics, setDevices, broker } = await town()
    const topic = `homeassistant/device/meshbox_${DEVICE}/config`
    const found = await ear.json(topic)
    expect(found).toEqual({
      dev: { ids: [`meshbox_${DEVICE}`], name: 'field-3', mf: 'LoRaWAN', mdl: DEVICE, sn: DEVICE, sw: '0.1.0' },
      o: { name: 'MeshBox', sw: '0.1.0' },
      cmps: {
        soil: { p: 'sensor', unique_id: `meshbox_${DEVICE}_soil`, name: 'soil', value_template: "{{ value_json['soil'] }}", state_class: 'measurement', unit_of_measurement: '%', device_class: 'moisture' },
        temperature_1: { p: 'sensor', unique_id: `meshbox_${DEVICE}_temperature_1`, name: 'temperature 1', value_template: "{{ value_json['temperature_1'] }}", state_class: 'measurement', unit_of_measurement: '°C', device_class: 'temperature' },
        door: { p: 'binary_sensor', unique_id: `meshbox_${DEVICE}_door`, name: 'door', value_template: "{{ 'ON' if value_json['door'] else 'OFF' }}" },
        mode: { p: 'sensor', unique_id: `meshbox_${DEVICE}_mode`, name: 'mode', value_template: "{{ value_json['mode'] }}" },
      },
      state_topic: `${TOPIC}/state`,
      availability: [{ topic: 'meshbox/state', value_template: '{{ value_json.state }}' }, { topic: `${TOPIC}/availability`, value_template: '{{ value_json.state }}' }],
      availability_mode: 'all',
      qos: 1,
    })
    await box.publish(message('homeassistant/status', 'online'))
    expect(await ear.json(topic)).toEqual(found)
    setDevices([known({ values: [...VALUES, { name: 'battery', value: 90, unit: null }] })])
    topics.reading(reading({ values: [{ name: 'battery', value: 90, unit: null }] }))
    expect(await ear.json(topic)).toMatchObject({ cmps: { battery: { device_class: 'battery', unit_of_measurement: '%' } } })
    expect(await (await Ear.of(client(broker.port, { clientId: 'later' }))).next(topic)).toContain('battery')
    topics.removed(DEVICE)
    expect(await ear.next(topic)).toBe('')
    const later = await Ear.of(client(broker.port, { clientId: 'even-later' }))
    expect(later.rest.filter((one) => one.startsWith('homeassistant') || one.startsWith(TOPIC))).toEqual([])
  })

  it('take orders, say what became of them, and refuse nonsense by name', async () => {
    const { ear, box, sent, topics, time } = await town()
    const order = (text: string): Promise<void> => box.publish(message(`${TOPIC}/set`, text))
    await order('{"data":{"open":true},"confirmed":true,"expiresSeconds":60,"id":"x1"}')
    expect(await ear.json(`${TOPIC}/order`)).toEqual({ id: 'x1', queueId: 7, state: 'queued', asker: 'mqtt' })
    await order('{"bytes":"AQI=","fPort":9}')
    expect(await ear.json(`${TOPIC}/order`)).toMatchObject({ id: null, queueId: 7 })
    const expiresAt = { ...momentOf(time), boottimeMs: time.boottimeMs() + 60_000, wallMs: time.wallMs() + 60_000 }
    expect(sent).toEqual([
      [DEVICE, { data: { open: true } }, { isConfirmed: true, asker: 'mqtt', expiresAt }],
      [DEVICE, { bytes: Uint8Array.of(1, 2), fPort: 9 }, { isConfirmed: false, asker: 'mqtt', expiresAt: null }],
    ])
    for (const [text, problem] of [
      ['x', /set: /],
      ['[1]', /set: /],
      ['{}', /either data or bytes/],
      ['{"data":1,"bytes":"AQ=="}', /either data or bytes/],
      ['{"bytes":"AQ==","fPort":0}', /fPort: 0/],
      ['{"bytes":"?","fPort":1}', /bytes: /],
      ['{"data":1,"confirmed":1}', /confirmed: 1/],
      ['{"data":1,"expiresSeconds":-1}', /expiresSeconds: -1/],
      ['{"data":1,"id":7}', /id: 7/],
      [`{"data":"${'x'.repeat(9_000)}"}`, /at most 8192 bytes/],
    ] as const) {
      await order(text)
      expect(await ear.json(`${TOPIC}/order`)).toMatchObject({ problem: expect.stringMatching(problem) })
    }
    expect(sent).toHaveLength(2)
    topics.queueChanged({ queueId: 7, devEui: DEVICE, fPort: 1, payload: new Uint8Array(0), isConfirmed: true, asker: 'mqtt', expiresAt: null, state: 'acknowledged', tries: [{ at: moment(1), statuses: ['TOO_LATE', 'OK'] }] })
    expect(await ear.json(`${TOPIC}/order`)).toEqual({ queueId: 7, state: 'acknowledged', asker: 'mqtt', statuses: ['TOO_LATE', 'OK'] })
  })

  it('say why the queue refused', async () => {
    const { ear, box } = await town({ send: () => Promise.reject(new MeshBoxError('limit', 'the queue is full', { code: 'queue-full' })) })
    await box.publish(message(`${TOPIC}/set`, '{"data":1,"id":"y"}'))
    expect(await ear.json(`${TOPIC}/order`)).toEqual({ id: 'y', problem: 'the queue is full' })
  })

  it('say later what was measured while the broker was away, in order', async () => {
    const { broker, box, topics } = await town()
    await broker.cut()
    await becomes(box, false)
    for (let fCnt = 1; fCnt <= 600; fCnt++) topics.reading(reading({ fCnt }))
    const again = await brokerAt(broker.port)
    const ear = await Ear.of(client(again.port, { clientId: 'ear-2' }))
    await becomes(box, true)
    topics.reading(reading({ fCnt: 601 }))
    expect(await ear.json(`${TOPIC}/up`)).toMatchObject({ fCnt: 601, late: false })
    // Some may have gone out before anybody listened: what is heard is in order, and ends with the last.
    const counts: number[] = []
    while (counts.at(-1) !== 600) counts.push(((await ear.json(`${TOPIC}/late`)) as { fCnt: number }).fCnt)
    expect(counts).toEqual(Array.from({ length: counts.length }, (_, n) => 601 - counts.length + n))
    expect(counts.length).toBeLessThanOrEqual(500)
  })

  it('say all of a thousand devices', async () => {
    const devices = Array.from({ length: 1_000 }, (_, n) => known({ devEui: n.toString(16).padStart(16, '0') }))
    const { ear } = await town({ devices })
    for (const { devEui } of devices) expect(await ear.json(`homeassistant/device/meshbox_${devEui}/config`)).toMatchObject({ dev: { sn: devEui } })
    expect(ear.rest).toHaveLength(2_000)
  })

  it('do not wait for ever for a reading that is too long', async () => {
    const { ear, topics } = await town()
    topics.reading(reading({ fCnt: 1, values: Array.from({ length: 256 }, (_, n) => ({ name: `v${n}`, value: 'ä'.repeat(256), unit: null })) }))
    topics.reading(reading({ fCnt: 2, isLate: true }))
    expect(await ear.json(`${TOPIC}/late`)).toMatchObject({ fCnt: 2 })
  })

  it('leave word when they stop', async () => {
    const { ear, topics } = await town()
    await topics.stop()
    expect(await ear.json('meshbox/state')).toEqual({ state: 'offline' })
    expect(() => willOf('tenant/x')).toThrow(expect.objectContaining({ field: 'topicPrefix' }))
  })
})

describe('Sparkplug B', () => {
  const metrics = (payload: Uint8Array): readonly Message[] => decodeMessage(SPARKPLUG_PAYLOAD, payload)['metrics'] as readonly Message[]

  it('has the bytes of its protocol', () => {
    const { state, will } = connecting(newSparkplug('farm', 'box-1'))
    expect([will.topic, Buffer.from(will.payload).toString('hex')]).toEqual(['spBv1.0/farm/NDEATH/box-1', '120b0a05626453657120085800'])
    const born = bornNode(state, [{ name: DEVICE, values: [{ name: 't', value: 1.5, unit: null }] }], 1_000)
    expect(born.messages.map(({ topic, payload }) => [topic, Buffer.from(payload).toString('hex')])).toEqual([
      ['spBv1.0/farm/NBIRTH/box-1', '08e807120b0a05626453657120085800121d0a144e6f646520436f6e74726f6c2f5265626972746818e807200b70001800'],
      [`spBv1.0/farm/DBIRTH/box-1/${DEVICE}`, '08e80712110a017418e807200a69000000000000f83f1801'],
    ])
    expect(() => newSparkplug('a/b', 'x')).toThrow(expect.objectContaining({ field: 'sparkplugGroup' }))
  })

  it('counts from 0 to 255, is born before it speaks, and marks what is late', () => {
    let state = bornNode(connecting(newSparkplug('farm', 'box-1')).state, [], 0).state
    const seqs: unknown[] = []
    const said: string[] = []
    for (let n = 0; n < 600; n++) {
      const isLate = n === 3 || n === 500
      const values = [{ name: n === 500 ? 'other' : 't', value: n === 10 ? 'text' : n, unit: null }]
      const step = tell(state, reading({ values, isLate }), n)
      state = step.state
      for (const { topic, payload } of step.messages) {
        seqs.push(decodeMessage(SPARKPLUG_PAYLOAD, payload)['seq'])
        said.push(topic.split('/')[2]!)
        if (topic.includes('DDATA')) expect(metrics(payload).map(({ isHistorical }) => isHistorical === true)).toEqual([isLate])
      }
      if (n === 500) {
        const birth = step.messages[0]!
        expect(metrics(birth.payload)).toMatchObject([{ name: 't', isNull: true }, { name: 'other', isNull: true }])
      }
    }
    seqs.forEach((seq, n) => expect(seq).toBe(BigInt((n + 1) % 256)))
    expect(said.flatMap((type, n) => (type === 'DBIRTH' ? [n] : []))).toEqual([0, 10, 11, 500])
  })

  it('is born on the broker, again on command, and dies with it or by its own hand', async () => {
    const { port, cut } = await brokerAt()
    const ear = await Ear.of(client(port, { clientId: 'host' }))
    const node = new SparkplugNode({
      connect: (settings) => connectMqtt(settings, { timers: systemTimers, randomness: seededRandom(1), log: silentLog, firstWaitMs: 10 }),
      settings: { url: `mqtt://127.0.0.1:${port}`, userName: null, password: null, clientId: 'node' },
      group: 'farm',
      node: 'box-1',
      devices: () => [{ devEui: DEVICE, values: VALUES }],
      clock: new FakeTime(),
      log: silentLog,
    })
    const bdSeq = (payload: Uint8Array): unknown => metrics(payload).find(({ name }) => name === 'bdSeq')?.['longValue']
    const first = bdSeq(await ear.bytes('spBv1.0/farm/NBIRTH/box-1'))
    expect(metrics(await ear.bytes(`spBv1.0/farm/DBIRTH/box-1/${DEVICE}`)).map(({ name }) => name)).toEqual(VALUES.map(({ name }) => name))
    node.reading(reading())
    expect(metrics(await ear.bytes(`spBv1.0/farm/DDATA/box-1/${DEVICE}`))).toMatchObject([{ name: 'soil', doubleValue: 18.5 }])
    const host = client(port, { clientId: 'commander' })
    await becomes(host, true)
    await host.publish({ ...message('spBv1.0/farm/NCMD/box-1', ''), payload: encodeMessage(SPARKPLUG_PAYLOAD, { metrics: [{ name: REBIRTH, booleanValue: true }] }) })
    expect(bdSeq(await ear.bytes('spBv1.0/farm/NBIRTH/box-1'))).toBe(first)
    node.gone(DEVICE)
    expect(metrics(await ear.bytes(`spBv1.0/farm/DDEATH/box-1/${DEVICE}`))).toEqual([])
    await node.close()
    expect(bdSeq(await ear.bytes('spBv1.0/farm/NDEATH/box-1'))).toBe(first)
    await cut()
  })
})
