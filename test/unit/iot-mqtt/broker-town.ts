/** A broker in this process, and clients of it. */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { Aedes } from 'aedes'
import { onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import type { MqttConnection, MqttSettings } from '../../../src/iot/mqtt/connection.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import { seededRandom } from '../../support/fakes.ts'

export interface TestBroker {
  readonly aedes: Aedes
  readonly port: number
  /** As a power cut: no packet more, no goodbye. */
  cut(): Promise<void>
}

export async function brokerAt(port = 0): Promise<TestBroker> {
  const aedes = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    aedes.handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  let isCut = false
  const cut = async (): Promise<void> => {
    if (isCut) return
    isCut = true
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  }
  onTestFinished(cut)
  return { aedes, port: (server.address() as AddressInfo).port, cut }
}

const parts = { timers: systemTimers, randomness: seededRandom(5), log: silentLog, firstWaitMs: 10 }

export function client(port: number, given: { readonly clientId?: string; readonly will?: MqttSettings['will']; readonly maxWaiting?: number } = {}): MqttConnection {
  const made = connectMqtt({ url: `mqtt://127.0.0.1:${port}`, userName: null, password: null, clientId: given.clientId ?? 'meshbox', will: given.will ?? null }, { ...parts, ...(given.maxWaiting === undefined ? {} : { maxWaiting: given.maxWaiting }) })
  onTestFinished(() => made.close())
  return made
}

export function becomes(connection: MqttConnection, wanted: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (connection.isConnected === wanted) return resolve()
    const cancel = connection.onState((isConnected) => {
      if (isConnected !== wanted) return
      cancel()
      resolve()
    })
  })
}

export const message = (topic: string, text: string, isRetained = false): Parameters<MqttConnection['publish']>[0] => ({ topic, payload: Buffer.from(text), qos: 1, isRetained })

/** Hears everything of a broker, from before `of` resolves on. Each message is given out once. */
export class Ear {
  readonly #heard: { readonly topic: string; readonly payload: Uint8Array }[] = []
  #look: () => void = () => undefined

  static async of(connection: MqttConnection): Promise<Ear> {
    const ear = new Ear()
    await becomes(connection, true)
    connection.subscribe('#', (topic, payload) => {
      ear.#heard.push({ topic, payload })
      ear.#look()
    })
    // A broker sends what it kept before what comes, and takes packets of one client in order.
    await connection.publish(message('ear', 'open'))
    await ear.next('ear')
    return ear
  }

  async bytes(topic: string, fits: (payload: Uint8Array) => boolean = () => true): Promise<Uint8Array> {
    for (;;) {
      const index = this.#heard.findIndex((one) => one.topic === topic && fits(one.payload))
      if (index >= 0) return this.#heard.splice(index, 1)[0]!.payload
      await new Promise<void>((resolve) => (this.#look = resolve))
    }
  }

  async next(topic: string, fits: (text: string) => boolean = () => true): Promise<string> {
    const textOf = (payload: Uint8Array): string => Buffer.from(payload).toString()
    return textOf(await this.bytes(topic, (payload) => fits(textOf(payload))))
  }

  async json(topic: string): Promise<unknown> {
    return JSON.parse(await this.next(topic))
  }

  /** Topics that nobody has taken out. */
  get rest(): readonly string[] {
    return this.#heard.map(({ topic }) => topic)
  }
}
