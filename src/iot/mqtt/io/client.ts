/**
 * MQTT 5 over the npm package `mqtt`. Loaded only where MQTT is used: it is bundled as mqtt.cjs beside the service. Each try is a
 * new client of the package, so that nothing of an old connection is sent again behind our back: who published hears that it failed.
 * Tries are 1 s to 60 s apart, doubling, with up to a quarter less by chance. A broker that does not know MQTT 5 is asked with 3.1.1.
 */
import mqtt from 'mqtt'
import type { IClientOptions, IPublishPacket, MqttClient as PackageClient } from 'mqtt'
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Cancel, Log, Randomness, Timers } from '../../../base/index.ts'
import type { MqttMessage } from '../../ports.ts'
import { matchesTopic } from '../connection.ts'
import type { MqttConnection, MqttSettings } from '../connection.ts'

export interface MqttParts {
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** Default 1,000. */
  readonly maxWaiting?: number
  /** Default 1,000; for tests with a broker that comes and goes. */
  readonly firstWaitMs?: number
}

const LONGEST_WAIT_MS = 60_000
const CONNECT_TIMEOUT_MS = 15_000
const ANSWER_TIMEOUT_MS = 30_000
const KEEPALIVE_SECONDS = 30
const MAX_PACKET_BYTES = 64 * 1024
const MAX_INFLIGHT = 64
/** 3.1.1's answer to a version it does not know, and 5's. */
const UNKNOWN_VERSION: ReadonlySet<unknown> = new Set([1, 132])
const NO_MATCHING_SUBSCRIBERS = 16

interface Subscription {
  readonly filter: string
  readonly listener: (topic: string, payload: Uint8Array, isRetained: boolean) => void
}

export function connectMqtt(settings: MqttSettings, parts: MqttParts): MqttConnection {
  return new Connection(settings, parts)
}

class Connection implements MqttConnection {
  readonly #settings: MqttSettings
  readonly #parts: MqttParts
  readonly #subscriptions = new Set<Subscription>()
  readonly #listeners = new Set<(isConnected: boolean) => void>()
  readonly #waiting = new Set<(error: MeshBoxError) => void>()
  /** Ids of messages that nobody wanted: the package does not hand the answer to who published. */
  readonly #unheard = new Set<number | undefined>()
  #client: PackageClient | null = null
  #isConnected = false
  #problem: string | null = 'not connected yet'
  #tries = 0
  #version: 4 | 5 = 5
  #isClosed = false
  #cancelRetry: Cancel = () => undefined

  constructor(settings: MqttSettings, parts: MqttParts) {
    this.#settings = settings
    this.#parts = parts
    this.#connect()
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  get problem(): string | null {
    return this.#isConnected ? null : this.#problem
  }

  async publish(message: MqttMessage): Promise<void> {
    await this.#send(message)
  }

  async publishHeard(message: Omit<MqttMessage, 'qos'>): Promise<boolean> {
    return await this.#send({ ...message, qos: 1 })
  }

  subscribe(filter: string, listener: Subscription['listener']): Cancel {
    const subscription = { filter, listener }
    const isNew = ![...this.#subscriptions].some((one) => one.filter === filter)
    this.#subscriptions.add(subscription)
    if (isNew && this.#isConnected) this.#ask([filter])
    return () => {
      if (!this.#subscriptions.delete(subscription) || [...this.#subscriptions].some((one) => one.filter === filter)) return
      if (this.#isConnected) this.#client?.unsubscribe(filter)
    }
  }

  onState(listener: (isConnected: boolean) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelRetry()
    const client = this.#client
    this.#problem = 'closed'
    this.#lost(client, 'closed')
    if (client === null) return
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.timers.after(1_000, resolve)
      client.end(false, {}, () => {
        cancel()
        resolve()
      })
    })
    client.end(true)
  }

  /** False: nobody is there to get it. */
  #send({ topic, payload, qos, isRetained }: MqttMessage): Promise<boolean> {
    const client = this.#client
    if (client === null || !this.#isConnected) return Promise.reject(unavailable(`the broker is away: ${this.#problem ?? 'closed'}`))
    if (this.#waiting.size >= (this.#parts.maxWaiting ?? 1_000)) return Promise.reject(new MeshBoxError('limit', 'too many messages wait for the broker', { code: 'mqtt-full', retryAfterSeconds: 1 }))
    if (payload.length > MAX_PACKET_BYTES) return Promise.reject(new MeshBoxError('limit', `a message has at most ${MAX_PACKET_BYTES} bytes; this one has ${payload.length}`, { code: 'mqtt-too-long' }))
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel()
        this.#waiting.delete(fail)
      }
      const fail = (error: MeshBoxError): void => {
        end()
        reject(error)
      }
      // A broker that takes packets and answers nothing is as good as away.
      const cancel = this.#parts.timers.after(ANSWER_TIMEOUT_MS, () => this.#retry(client, 'it does not answer'))
      this.#waiting.add(fail)
      client.publish(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), { qos, retain: isRetained }, (error, packet) => {
        if (!this.#waiting.has(fail)) return
        if (error) return fail(unavailable(`the broker did not take it: ${error.message}`))
        end()
        resolve(!this.#unheard.delete(packet !== undefined && 'messageId' in packet ? packet.messageId : undefined))
      })
    })
  }

  #connect(): void {
    const { url, userName, password, clientId, ca } = this.#settings
    const will = typeof this.#settings.will === 'function' ? this.#settings.will() : this.#settings.will
    const options: IClientOptions = {
      protocolVersion: this.#version,
      clientId,
      clean: true,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      ...(this.#version === 5 ? { properties: { maximumPacketSize: MAX_PACKET_BYTES, receiveMaximum: MAX_INFLIGHT, sessionExpiryInterval: 0 } } : {}),
      ...(userName === null ? {} : { username: userName }),
      ...(password === null ? {} : { password }),
      ...(ca === undefined || ca === null ? {} : { ca }),
      ...(will === null ? {} : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos, retain: will.isRetained } }),
    }
    let client: PackageClient
    try {
      client = mqtt.connect(url, options)
    } catch (thrown) {
      this.#problem = asError(thrown).message
      this.#later()
      return
    }
    this.#client = client
    client.on('connect', () => this.#arrived(client))
    client.on('message', (topic, payload, packet) => this.#hear(topic, payload, packet))
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback' && packet.reasonCode === NO_MATCHING_SUBSCRIBERS) this.#unheard.add(packet.messageId)
    })
    client.on('error', (error) => {
      // Asked anew each time it fails: the broker may be another one tomorrow.
      this.#version = this.#version === 5 && 'code' in error && UNKNOWN_VERSION.has(error.code) ? 4 : 5
      this.#retry(client, wordsOf(error))
    })
    client.on('close', () => this.#retry(client, this.#isConnected ? 'the connection was lost' : 'it cannot be reached'))
  }

  #arrived(client: PackageClient): void {
    if (client !== this.#client || this.#isClosed) return
    this.#tries = 0
    this.#isConnected = true
    this.#problem = null
    const filters = [...new Set([...this.#subscriptions].map(({ filter }) => filter))]
    if (filters.length > 0) this.#ask(filters)
    for (const listener of [...this.#listeners]) listener(true)
  }

  #ask(filters: readonly string[]): void {
    this.#client?.subscribe([...filters], { qos: 1, rap: true }, (error) => {
      if (error && !this.#isClosed) this.#parts.log.warn('the broker refuses a subscription', { filters: filters.join(' '), problem: error.message })
    })
  }

  #hear(topic: string, payload: Buffer, packet: IPublishPacket): void {
    if (this.#isClosed || packet.cmd !== 'publish') return
    for (const { filter, listener } of [...this.#subscriptions])
      if (matchesTopic(filter, topic)) {
        try {
          listener(topic, new Uint8Array(payload), packet.retain)
        } catch (thrown) {
          this.#parts.log.warn('a message could not be read', { topic, problem: asError(thrown).message })
        }
      }
  }

  #retry(client: PackageClient, why: string): void {
    if (client !== this.#client) return
    if (this.#isConnected) this.#parts.log.warn('the broker is away', { problem: why })
    this.#problem = why
    this.#lost(client, why)
    client.end(true)
    if (!this.#isClosed) this.#later()
  }

  #later(): void {
    const wait = Math.min(LONGEST_WAIT_MS, (this.#parts.firstWaitMs ?? 1_000) * 2 ** Math.min(this.#tries++, 10))
    const chance = (this.#parts.randomness.bytes(1)[0] ?? 0) / 1_024
    this.#cancelRetry = this.#parts.timers.after(wait * (1 - chance), () => this.#connect())
  }

  /** Nobody waits for what will not come. */
  #lost(client: PackageClient | null, why: string): void {
    if (client === this.#client) this.#client = null
    // The package says errors of a client that was given up: they have nobody to go to.
    client?.on('error', () => undefined)
    const wasConnected = this.#isConnected
    this.#isConnected = false
    this.#unheard.clear()
    for (const fail of [...this.#waiting]) fail(unavailable(`the broker went away: ${why}`))
    if (wasConnected) for (const listener of [...this.#listeners]) listener(false)
  }
}

/** Codes of the socket, and reasons of CONNACK, as they come. Addresses may be tried in a row: the first error says enough. */
function wordsOf(error: Error): string {
  const first = error instanceof AggregateError ? asError(error.errors[0]) : error
  return (first.message === '' ? first.name : first.message).slice(0, 200)
}

function unavailable(message: string): MeshBoxError {
  return new MeshBoxError('unavailable', message, { code: 'mqtt-away', retryAfterSeconds: 5 })
}
