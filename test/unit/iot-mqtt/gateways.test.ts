/** Connections of a tenant's gateways: one for each that is on-line, none for names that somebody makes up, and frames of all go out whoever has one. */
import { describe, expect, it } from 'vitest'
import { momentOf, silentLog } from '../../../src/base/index.ts'
import { ChirpstackDelivery } from '../../../src/iot/mqtt/chirpstack/delivery.ts'
import type { MqttConnection } from '../../../src/iot/mqtt/connection.ts'
import type { Gateway, MqttMessage } from '../../../src/iot/ports.ts'
import { FakeTime } from '../../support/fakes.ts'
import { copy, heard } from './frames.ts'

const name = (n: number): string => n.toString(16).padStart(16, '0')
const at = momentOf(new FakeTime())
const news = (id: string, isOnline: boolean): Gateway => ({ id, door: 'gwmp', region: 'EU868', isOnline, lastSeen: at, dutyModel: 'window', minLeadMs: 50, maxLeadMs: 500_000 })
const turns = async (): Promise<void> => { for (let n = 0; n < 10; n++) await Promise.resolve() }

/** A broker that takes everything at once; `acks` false: and says nothing of it. */
class Broker {
  acks = true
  /** Gateways whose connections it does not let in. */
  readonly refused = new Set<string>()
  readonly open = new Map<string, { readonly said: MqttMessage[] }>()
  most = 0
  made = 0
  readonly said: MqttMessage[] = []
  readonly delivery = new ChirpstackDelivery({ topicPrefix: 'eu868', encoding: 'json', connect: ({ clientId }) => this.#connect(clientId), clock: new FakeTime(), log: silentLog, nextDownlinkId: () => 1 }, 0)

  #connect(clientId: string): MqttConnection {
    if (this.open.has(clientId)) throw new Error(`two connections are called ${clientId}`)
    const own = { said: [] as MqttMessage[] }
    this.open.set(clientId, own)
    this.made += 1
    this.most = Math.max(this.most, this.open.size)
    const waiting: ((error: Error) => void)[] = []
    const publish = (message: MqttMessage): Promise<void> => {
      this.said.push(message)
      own.said.push(message)
      return this.acks ? Promise.resolve() : new Promise((_, reject) => void waiting.push(reject))
    }
    const listeners: ((isConnected: boolean) => void)[] = []
    let isConnected = false
    queueMicrotask(() => {
      if (this.refused.has(clientId.replace('meshbox-', ''))) return
      isConnected = true
      for (const listener of listeners) listener(true)
    })
    return {
      get isConnected() {
        return isConnected
      },
      problem: null,
      publish,
      publishHeard: (message) => publish({ ...message, qos: 1 }).then(() => true),
      subscribe: () => () => undefined,
      onState: (listener) => {
        listeners.push(listener)
        return () => undefined
      },
      close: () => {
        isConnected = false
        if (this.open.get(clientId) === own) this.open.delete(clientId)
        for (const fail of waiting.splice(0)) fail(new Error('closed'))
        return Promise.resolve()
      },
    }
  }

  get gateways(): readonly string[] {
    return [...this.open.keys()].map((id) => id.replace('meshbox-', ''))
  }

  stateOf(gateway: string): string | undefined {
    const last = this.said.findLast(({ topic }) => topic === `eu868/gateway/${gateway}/state/conn`)
    return last === undefined ? undefined : ((JSON.parse(Buffer.from(last.payload).toString()) as { state?: string }).state ?? 'OFFLINE')
  }

  from(gateway: string, isLate = false): Promise<boolean> {
    return this.delivery.deliver(heard({ isLate, copies: [copy({ gateway })] }))
  }
}

describe('names that somebody makes up', () => {
  it('open one connection at most, and none once a gateway is there: it gets its own, and all frames go out', async () => {
    const broker = new Broker()
    for (let n = 1; n <= 500; n++) {
      broker.delivery.gateway(news(name(n), false))
      await broker.from(name(n))
      await turns()
    }
    expect([broker.made, broker.gateways]).toEqual([1, [name(1)]])
    expect(broker.stateOf(name(1))).toBe('OFFLINE')
    expect([await broker.from(name(77)), await broker.from(name(77), true)]).toEqual([true, true])
    expect(broker.said.slice(-2).map(({ topic }) => topic)).toEqual([`eu868/gateway/${name(77)}/event/up`, `eu868/gateway/${name(77)}/event/late`])
    for (let n = 1_001; n <= 1_003; n++) broker.delivery.gateway(news(name(n), true))
    await turns()
    expect(broker.gateways).toEqual([1_001, 1_002, 1_003].map(name))
    expect(broker.stateOf(name(1_002))).toBe('ONLINE')
    for (const gateway of [name(1_002), name(500)]) expect(await broker.from(gateway)).toBe(true)
    expect(broker.open.get(`meshbox-${name(1_002)}`)?.said.at(-1)?.topic).toBe(`eu868/gateway/${name(1_002)}/event/up`)
    expect(broker.most).toBeLessThanOrEqual(4)
  })
})

it('frames of a gateway whose connection the broker does not let in go over another; where it lets in none, none is awaited', async () => {
  const broker = new Broker()
  broker.refused.add(name(1))
  broker.delivery.gateway(news(name(1), true))
  await turns()
  const one = heard({ copies: [copy({ gateway: name(1) })] })
  expect([broker.delivery.isAwaited(one), await broker.from(name(1))]).toEqual([false, false])
  broker.delivery.gateway(news(name(2), true))
  await turns()
  expect([broker.delivery.isAwaited(one), await broker.from(name(1))]).toEqual([true, true])
  expect(broker.open.get(`meshbox-${name(2)}`)?.said.at(-1)?.topic).toBe(`eu868/gateway/${name(1)}/event/up`)
})

describe('a gateway', () => {
  it('that goes is said to be away and has no connection; the last one stays for frames', async () => {
    const broker = new Broker()
    for (const id of [name(1), name(2)]) broker.delivery.gateway(news(id, true))
    await turns()
    broker.delivery.gateway(news(name(1), false))
    await turns()
    expect([broker.gateways, broker.stateOf(name(1)), broker.stateOf(name(2))]).toEqual([[name(2)], 'OFFLINE', 'ONLINE'])
    expect(await broker.from(name(1), true)).toBe(true)
    broker.delivery.gateway(news(name(2), false))
    await turns()
    expect([broker.gateways, broker.stateOf(name(2))]).toEqual([[name(2)], 'OFFLINE'])
    expect(await broker.from(name(2))).toBe(true)
    for (let n = 0; n < 300; n++) {
      broker.delivery.gateway(news(name(1), n % 2 === 0))
      await turns()
    }
    broker.delivery.gateway(news(name(2), true))
    await turns()
    expect([broker.gateways, broker.stateOf(name(2))]).toEqual([[name(2)], 'ONLINE'])
    await broker.delivery.close()
    expect([broker.open.size, broker.stateOf(name(2))]).toEqual([0, 'OFFLINE'])
  })

  it('that there is no room for is heard all the same, and is next', async () => {
    const broker = new Broker()
    for (let n = 1; n <= 20; n++) broker.delivery.gateway(news(name(n), true))
    await turns()
    expect(broker.open.size).toBe(16)
    expect(await broker.from(name(20))).toBe(true)
    for (let n = 1; n <= 3; n++) broker.delivery.gateway(news(name(n), false))
    await turns()
    expect([...broker.gateways].sort()).toEqual(Array.from({ length: 16 }, (_, n) => name(n + 4)))
    expect([broker.stateOf(name(19)), broker.stateOf(name(20))]).toEqual(['ONLINE', undefined])
  })

  it('that comes and goes at a broker which acknowledges nothing leaves nothing open behind it', async () => {
    const broker = new Broker()
    for (let n = 1; n <= 40; n++) broker.delivery.gateway(news(name(n), true))
    await turns()
    broker.acks = false
    for (let round = 0; round < 20; round++)
      for (let n = 1; n <= 40; n++) {
        broker.delivery.gateway(news(name(n), round % 2 === 1))
        await turns()
      }
    expect(broker.most).toBeLessThanOrEqual(32)
    broker.acks = true
    await broker.delivery.close()
    expect(broker.open.size).toBe(0)
  })
})
