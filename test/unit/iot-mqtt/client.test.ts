import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { momentOf, silentLog } from '../../../src/base/index.ts'
import { ChirpstackDelivery } from '../../../src/iot/mqtt/chirpstack/delivery.ts'
import { matchesTopic } from '../../../src/iot/mqtt/connection.ts'
import type { Downlink, Gateway, TxAck } from '../../../src/iot/ports.ts'
import { FakeTime } from '../../support/fakes.ts'
import { Ear, becomes, brokerAt, client, message } from './broker-town.ts'
import { GATEWAY, copy, heard } from './frames.ts'

describe('the MQTT client', () => {
  it('comes back by itself, subscribes again, and who published in between knows that it failed', async () => {
    const first = await brokerAt()
    const box = client(first.port)
    await becomes(box, true)
    const ear = await Ear.of(box)
    await box.publish(message('a/1', 'one'))
    expect(await ear.next('a/1')).toBe('one')
    await first.cut()
    await becomes(box, false)
    await expect(box.publish(message('a/2', 'lost'))).rejects.toMatchObject({ kind: 'unavailable', code: 'mqtt-away' })
    expect(box.problem).not.toBe(null)
    await brokerAt(first.port)
    await becomes(box, true)
    expect(box.problem).toBe(null)
    await box.publish(message('a/3', 'three'))
    expect(await ear.next('a/3')).toBe('three')
  })

  it('lets nothing wait that was under way when the broker went', async () => {
    const { aedes, port, cut } = await brokerAt()
    const box = client(port, { maxWaiting: 3 })
    await becomes(box, true)
    // The broker takes them and never answers.
    aedes.authorizePublish = () => undefined
    const waiting = [1, 2, 3].map((n) => box.publish(message('a', String(n))))
    await expect(box.publish(message('a', 'one too many'))).rejects.toMatchObject({ kind: 'limit', code: 'mqtt-full' })
    // A state that the broker keeps is said all the same.
    waiting.push(box.publish(message('state', 'offline', true)))
    await cut()
    for (const one of await Promise.allSettled(waiting)) expect(one).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } })
    await expect(box.publish({ ...message('a', ''), payload: new Uint8Array(70_000) })).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('leaves its last will when it is cut off, and not when it says goodbye', async () => {
    const { aedes, port } = await brokerAt()
    const ear = await Ear.of(client(port, { clientId: 'watcher' }))
    const cutOff = client(port, { clientId: 'cut-off', will: message('state', 'offline', true) })
    await becomes(cutOff, true)
    await cutOff.publish(message('state', 'online', true))
    expect(await ear.next('state')).toBe('online')
    const inside = aedes as unknown as { readonly clients: Readonly<Record<string, { readonly conn: { destroy(): void } }>> }
    inside.clients['cut-off']?.conn.destroy()
    expect(await ear.next('state')).toBe('offline')
    await becomes(cutOff, true)
    await cutOff.publish(message('state', 'online again', true))
    await cutOff.close()
    expect(await (await Ear.of(client(port, { clientId: 'later' }))).next('state')).toBe('online again')
  })

  it('survives a listener that throws, and one that is gone', async () => {
    const { port } = await brokerAt()
    const box = client(port)
    await becomes(box, true)
    const heard: string[] = []
    box.subscribe('b', () => {
      throw new Error('no good')
    })
    const cancel = box.subscribe('b', () => heard.push('cancelled'))
    cancel()
    box.subscribe('b', () => heard.push('fine'))
    const ear = await Ear.of(box)
    await box.publish(message('b', 'x'))
    await ear.next('b')
    expect(heard).toEqual(['fine'])
  })

  it('knows what a broker says that is none', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const box = client((server.address() as AddressInfo).port)
    while (box.problem === 'not connected yet') await new Promise((resolve) => setTimeout(resolve, 5))
    expect(box.isConnected).toBe(false)
  })

  it('matches topics as the standard says', () => {
    for (const [filter, topic, does] of [
      ['a/+', 'a/b', true],
      ['a/+', 'a/b/c', false],
      ['a/#', 'a', true],
      ['a/#', 'a/b/c', true],
      ['+/b', 'a/b', true],
      ['#', '$SYS/x', false],
      ['+/x', '$SYS/x', false],
      ['$SYS/x', '$SYS/x', true],
      ['a', 'a/', false],
      ['a/+', 'a/', true],
    ] as const)
      expect([filter, topic, matchesTopic(filter, topic)]).toEqual([filter, topic, does])
  })
})

describe('a delivery to ChirpStack over a broker', () => {
  const at = momentOf(new FakeTime())
  const gateway: Gateway = { id: GATEWAY, door: 'gwmp', region: 'EU868', isOnline: true, lastSeen: at, dutyModel: 'window', minLeadMs: 50, maxLeadMs: 500_000 }

  it('keeps the state, hands frames over, and answers orders', async () => {
    const { port } = await brokerAt()
    const server = client(port, { clientId: 'chirpstack' })
    const ear = await Ear.of(server)
    const time = new FakeTime()
    const warnings: string[] = []
    let id = 7
    const delivery = new ChirpstackDelivery(
      { topicPrefix: 'eu868', encoding: 'json', connect: ({ clientId, will }) => client(port, { clientId, will }), clock: time, log: { ...silentLog, warn: (text) => void warnings.push(text) }, nextDownlinkId: () => id++ },
      100,
    )
    const asked: Omit<Downlink, 'tenant'>[] = []
    delivery.onDownlink((downlink) => {
      asked.push(downlink)
      return Promise.resolve<TxAck>({ id: downlink.id, gateway: downlink.gateway, statuses: ['TOO_LATE', 'OK'], sent: 1, onAirUs: 50_000 })
    })
    expect(delivery.isOnline).toBe(false)
    expect(await delivery.deliver(heard())).toBe(false)
    delivery.gateway(gateway)
    expect(JSON.parse(await ear.next(`eu868/gateway/${GATEWAY}/state/conn`))).toEqual({ gatewayId: GATEWAY, state: 'ONLINE' })
    expect(delivery.isOnline).toBe(true)

    expect(await delivery.deliver(heard({ copies: [copy({ arrivedMs: 555 })] }))).toBe(true)
    const frame = JSON.parse(await ear.next(`eu868/gateway/${GATEWAY}/event/up`)) as { rxInfo: { uplinkId: number; context: string } }
    expect(frame.rxInfo).toMatchObject({ uplinkId: 101, context: 'cOAAAA==' })

    // What is late never looks as if it were now, and cannot be answered.
    await delivery.deliver(heard({ isLate: true, copies: [copy({ time: { kind: 'counter', tmstUs: 1 } })] }))
    expect(await ear.json(`eu868/gateway/${GATEWAY}/event/late`)).toMatchObject({ rxInfo: { context: 'AAAAAQ==' } })

    const modulation = { lora: { bandwidth: 125_000, spreadingFactor: 7, codeRate: 'CR_4_5', polarizationInversion: true } }
    const item = (context: string): unknown => ({ phyPayload: 'IKq7zN0=', txInfo: { frequency: 868_100_000, power: 14, modulation, timing: { delay: { delay: '5s' } }, context } })
    const order = (downlinkId: number, items: readonly unknown[], gatewayId = GATEWAY): Promise<void> => server.publish(message(`eu868/gateway/${GATEWAY}/command/down`, JSON.stringify({ downlinkId, gatewayId, items })))
    const ack = (downlinkId: number): Promise<string> => ear.next(`eu868/gateway/${GATEWAY}/event/ack`, (text) => (JSON.parse(text) as { downlinkId: number }).downlinkId === downlinkId)
    await order(1_000, [item(frame.rxInfo.context), item(frame.rxInfo.context)])
    expect(JSON.parse(await ack(1_000))).toEqual({ gatewayId: GATEWAY, downlinkId: 1_000, items: [{ status: 'TOO_LATE' }, { status: 'OK' }] })
    expect(asked).toMatchObject([{ id: 7, gateway: GATEWAY, purpose: 'join', windows: [{ frequencyHz: 868_100_000, timing: { kind: 'after', time: { kind: 'counter', tmstUs: 0x70e0_0000 }, arrivedMs: 555, delayUs: 5_000_000 } }, {}] }])

    // Nonsense and another gateway's order do nothing; a reception nobody remembers is too late.
    await order(1, [item(frame.rxInfo.context)], 'ffffffffffffffff')
    for (let n = 0; n < 20; n++) await server.publish(message(`eu868/gateway/${GATEWAY}/command/down`, 'no JSON'))
    await order(1_001, [item('AAAAAQ==')])
    expect(JSON.parse(await ack(1_001))).toEqual({ gatewayId: GATEWAY, downlinkId: 1_001, items: [{ status: 'TOO_LATE' }] })
    expect(asked).toHaveLength(1)

    delivery.onDownlink(() => Promise.reject(new Error('the desk is closed')))
    await order(1_002, [item(frame.rxInfo.context)])
    expect(JSON.parse(await ack(1_002))).toMatchObject({ items: [{ status: 'INTERNAL_ERROR' }] })
    expect(warnings, 'whatever a tenant orders, one line a minute').toEqual(['an order cannot be read'])

    // The stats go out, and the state is kept for whoever comes later.
    delivery.stats({ gateway: GATEWAY, at, location: null, received: 5, receivedOk: 4, forwarded: 4, downlinksAsked: 1, downlinksSent: 1, ackPercent: null, temperatureC: null })
    expect(JSON.parse(await ear.next(`eu868/gateway/${GATEWAY}/event/stats`))).toMatchObject({ gatewayId: GATEWAY, rxPacketsReceived: 5 })
    await delivery.close()
    expect(JSON.parse(await (await Ear.of(client(port, { clientId: 'later' }))).next(`eu868/gateway/${GATEWAY}/state/conn`))).toEqual({ gatewayId: GATEWAY })
  })
})
