/** How frames get to a tenant's own broker, which asks who it is; and on ours, only while he is there himself. */
import { expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { openDelivery } from '../../../src/iot/deliveries.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import type { Delivery, Radio, Tenant } from '../../../src/iot/ports.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { Ear, brokerAt, client } from '../iot-mqtt/broker-town.ts'
import { GATEWAY, copy, heard } from '../iot-mqtt/frames.ts'
import { tenant } from '../iot-tenants/tenant-box.ts'
import { checkTenant } from '../../../src/iot/tenants/terms.ts'

const RADIO: Radio = { gateways: () => [], onHeard: () => () => undefined, onStats: () => () => undefined, onGateway: () => () => undefined, transmit: () => Promise.reject(new Error('nothing is sent here')) }

function deliveryTo(destination: Tenant['destination'], given: { readonly port?: number; readonly hasListener?: (id: string, topic: string) => boolean | null } = {}): Delivery {
  const time = new FakeTime()
  const made = openDelivery(checkTenant({ ...tenant({ id: 'acme' }), destination }), {
    radio: RADIO,
    connect: (settings) => connectMqtt(settings, { timers: systemTimers, randomness: seededRandom(1), log: silentLog, firstWaitMs: 10 }),
    broker: { url: `mqtt://127.0.0.1:${given.port ?? 1}`, userName: null, password: null },
    hasListener: given.hasListener ?? (() => null),
    nextDownlinkId: () => 1,
    clock: time,
    timers: time,
    random: seededRandom(2),
    log: silentLog,
  })
  onTestFinished(() => made.close())
  return made
}

async function delivered(delivery: Delivery): Promise<void> {
  while (!(await delivery.deliver(heard({ copies: [copy()] })))) await new Promise((resolve) => setTimeout(resolve, 5))
}

it('says the name and the password of the URL to the broker', async () => {
  const { aedes, port } = await brokerAt()
  const said: string[] = []
  aedes.authenticate = (_client, name, password, done) => {
    said.push(`${name ?? '-'}/${password?.toString() ?? '-'}`)
    done(null, true)
  }
  const ear = await Ear.of(client(port, { clientId: 'ear' }))
  const delivery = deliveryTo({ kind: 'chirpstack', url: `mqtt://acme:p%40ss%2F%3A@127.0.0.1:${port}`, topicPrefix: 'eu868', encoding: 'json' })
  await delivered(delivery)
  await ear.next(`eu868/gateway/${GATEWAY}/event/up`)
  expect(said).toEqual(['-/-', 'acme/p@ss/:'])
})

it('a URL whose password cannot be read is refused', () => {
  expect(() => deliveryTo({ kind: 'chirpstack', url: 'mqtt://acme:p%zz@127.0.0.1', topicPrefix: '', encoding: 'json' })).toThrow(expect.objectContaining({ field: 'destination.url', message: expect.not.stringContaining('p%zz') }))
  expect(() => deliveryTo({ kind: 'chirpstack', url: 'mqtt://', topicPrefix: '', encoding: 'json' })).toThrow(expect.objectContaining({ field: 'destination.url' }))
})

it('on our own broker nothing is given, and so nothing is billed, while only others listen', async () => {
  const { port } = await brokerAt()
  const ear = await Ear.of(client(port, { clientId: 'ear' }))
  let isThere: boolean | null = false
  const asked: string[] = []
  const delivery = deliveryTo({ kind: 'broker' }, { port, hasListener: (id, topic) => (asked.push(`${id} ${topic}`), isThere) })
  const isUp = async (): Promise<boolean> => delivery.deliver(heard({ copies: [copy()] }))
  while (!delivery.isOnline) {
    await isUp()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(await isUp()).toBe(false)
  expect(asked).toContain(`acme tenant/acme/gateway/${GATEWAY}/event/up`)
  expect([false, true].map((isLate) => delivery.isAwaited?.(heard({ copies: [copy()], isLate })))).toEqual([false, false])
  expect(asked.slice(-2)).toEqual(['up', 'late'].map((event) => `acme tenant/acme/gateway/${GATEWAY}/event/${event}`))
  isThere = true
  expect(await isUp()).toBe(true)
  await ear.next(`tenant/acme/gateway/${GATEWAY}/event/up`)
  expect(delivery.isAwaited?.(heard({ copies: [copy()] }))).toBe(true)
  isThere = null
  expect(delivery.isAwaited?.(heard({ copies: [copy()] }))).toBe(true)
  expect(await isUp()).toBe(true)
  await ear.next(`tenant/acme/gateway/${GATEWAY}/event/up`)
  expect(ear.rest.filter((topic) => topic.endsWith('/event/up'))).toEqual([])
})

it('late frames go by MQTT only; none is awaited by a broker that is not connected yet, by a server whose routes it does not fit, or by a Station server without its configuration', () => {
  const places: readonly Tenant['destination'][] = [{ kind: 'broker' }, { kind: 'chirpstack', url: 'mqtt://127.0.0.1:1', topicPrefix: 'eu868', encoding: 'json' }, { kind: 'gwmp', host: '127.0.0.1', port: 9 }, { kind: 'station', url: 'ws://127.0.0.1:9' }]
  expect(places.map((place) => deliveryTo(place)).map((made) => [made.takesLate, made.isAwaited?.(heard({ copies: [copy()] }))])).toEqual([[true, false], [true, false], [false, false], [false, false]])
})
