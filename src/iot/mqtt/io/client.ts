/**
 * MQTT 5 over the npm package `mqtt`, which connects, subscribes and keeps alive; what is published goes beside it (broker-stream.ts). Loaded only where
 * MQTT is used: it is bundled as mqtt.cjs beside the service, and of the package only its client. Each try is a
 * new client of the package, so that nothing of an old connection is sent again behind our back: who published hears that it failed.
 * Tries are 1 s to 60 s apart, doubling, with up to a quarter less by chance. A broker that does not know MQTT 5 is asked with 3.1.1.
 */
import type { IClientOptions, IConnackPacket, IPublishPacket, MqttClient as PackageClient } from 'mqtt'
import clientModule from 'mqtt/lib/client'
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Cancel, Log, Randomness, Timers } from '../../../base/index.ts'
import type { MqttMessage } from '../../ports.ts'
import { matchesTopic } from '../connection.ts'
import type { MqttConnection, MqttSettings } from '../connection.ts'
import { publishPacket } from '../publish-packet.ts'
import { BrokerStream, openBrokerSocket } from './broker-stream.ts'

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
/** A broker that takes packets and answers nothing for this long, and up to twice as long, is as good as away. */
const ANSWER_TIMEOUT_MS = 20_000
const KEEPALIVE_SECONDS = 30
const MAX_PACKET_BYTES = 64 * 1024
/** PUBLISH around its topic and its payload: 1 + 4 + 2 + 2 + 1. */
const HEAD_BYTES = 10
const MAX_INFLIGHT = 64
/** 3.1.1's answer to a version it does not know, and 5's. */
const UNKNOWN_VERSION: ReadonlySet<unknown> = new Set([1, 132])
const NO_MATCHING_SUBSCRIBERS = 16
const FIRST_ERROR = 0x80
/** MQTT 5, table 3-8. */
const REASONS: Readonly<Record<number, string>> = { 128: 'unspecified error', 131: 'implementation specific error', 135: 'not authorized', 144: 'topic name invalid', 145: 'packet identifier in use', 151: 'quota exceeded', 153: 'payload format invalid' }
const LAST_ID = 0xffff
const MAX_TOPIC_BYTES = 0xffff
/** MQTT 5, 3.2.2.3.3: of a broker that says nothing of it. One of 3.1.1 says nothing ever. */
const USUAL_RECEIVE_MAXIMUM = 0xffff
/** Beyond what may wait: a state that the broker is to keep is said once, and would be wrong there until the next. */
const STATES_WAITING = 64
/** A connection that takes nothing any more is found out by its keepalive; until then this much waits. */
const MAX_BACKLOG_BYTES = 1024 * 1024

/** A CommonJS module: Node gives what it exports, other loaders its default. */
const Package = ('default' in clientModule ? clientModule.default : clientModule) as typeof clientModule

interface Subscription {
  readonly filter: string
  readonly listener: (topic: string, payload: Uint8Array, isRetained: boolean) => void
}

export function connectMqtt(settings: MqttSettings, parts: MqttParts): MqttConnection {
  return new Connection(settings, parts)
}

/** One message with QoS 1. */
interface Sent {
  readonly message: MqttMessage
  /** False: nobody is there to get it. */
  readonly resolve: (isWanted: boolean) => void
  readonly reject: (error: MeshBoxError) => void
}

class Connection implements MqttConnection {
  readonly #settings: MqttSettings
  readonly #parts: MqttParts
  readonly #subscriptions = new Set<Subscription>()
  readonly #listeners = new Set<(isConnected: boolean) => void>()
  /** By id, in the order in which they were sent. */
  readonly #inFlight = new Map<number, Sent>()
  /** Above what the broker takes at once. */
  #queued: Sent[] = []
  #client: PackageClient | null = null
  #stream: BrokerStream | null = null
  #lastId = 0
  #receiveMaximum = USUAL_RECEIVE_MAXIMUM
  #maxPacketBytes = MAX_PACKET_BYTES
  #cancelWatch: Cancel | null = null
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
    if (message.qos === 1) await this.#sendAcknowledged(message)
    else this.#line(message).send(publishPacket(message, 0, this.#version))
  }

  publishHeard(message: Omit<MqttMessage, 'qos'>): Promise<boolean> {
    return this.#sendAcknowledged({ ...message, qos: 1 })
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

  /** Errors: unavailable, limit. */
  #line({ topic, payload, isRetained }: MqttMessage): BrokerStream {
    const stream = this.#stream
    if (stream === null || !this.#isConnected) throw unavailable(`the broker is away: ${this.#problem ?? 'closed'}`)
    const most = (this.#parts.maxWaiting ?? 1_000) + (isRetained ? STATES_WAITING : 0)
    if (this.#inFlight.size + this.#queued.length >= most || stream.backlogBytes > MAX_BACKLOG_BYTES) throw new MeshBoxError('limit', 'too many messages wait for the broker', { code: 'mqtt-full', retryAfterSeconds: 1 })
    const topicBytes = Buffer.byteLength(topic)
    const mostBytes = this.#maxPacketBytes - HEAD_BYTES - topicBytes
    if (topicBytes > MAX_TOPIC_BYTES || payload.length > mostBytes) throw new MeshBoxError('limit', `a message has at most ${mostBytes} bytes here; this one has ${payload.length}`, { code: 'mqtt-too-long' })
    return stream
  }

  #sendAcknowledged(message: MqttMessage): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const stream = this.#line(message)
      const sent: Sent = { message, resolve, reject }
      if (this.#inFlight.size < this.#receiveMaximum) this.#dispatch(stream, sent)
      else this.#queued.push(sent)
    })
  }

  #dispatch(stream: BrokerStream, sent: Sent): void {
    do this.#lastId = (this.#lastId % LAST_ID) + 1
    while (this.#inFlight.has(this.#lastId))
    this.#inFlight.set(this.#lastId, sent)
    stream.send(publishPacket(sent.message, this.#lastId, this.#version))
    if (this.#cancelWatch === null) this.#watch()
  }

  #acknowledged(stream: BrokerStream, id: number, reason: number): void {
    const sent = this.#inFlight.get(id)
    if (stream !== this.#stream || sent === undefined) return
    this.#inFlight.delete(id)
    if (reason >= FIRST_ERROR) sent.reject(unavailable(`the broker did not take it: ${REASONS[reason] ?? `reason ${reason}`}`))
    else sent.resolve(reason !== NO_MATCHING_SUBSCRIBERS)
    const next = this.#queued.shift()
    if (next !== undefined) this.#dispatch(stream, next)
  }

  /** One look at the oldest for all of them: whoever was there at the last look, and is still, waited in vain. */
  #watch(): void {
    const client = this.#client
    const [oldest] = this.#inFlight.values()
    this.#cancelWatch = this.#parts.timers.after(ANSWER_TIMEOUT_MS, () => {
      this.#cancelWatch = null
      const [still] = this.#inFlight.values()
      if (still === undefined || client === null) return
      if (still === oldest) this.#retry(client, 'it does not answer')
      else this.#watch()
    })
  }

  #connect(): void {
    const { url, userName, password, clientId, tls = null } = this.#settings
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
      // Otherwise the package makes a buffer of each number there is: 6 MiB, for ids that are ours.
      writeCache: false,
      ...(this.#version === 5 ? { properties: { maximumPacketSize: MAX_PACKET_BYTES, receiveMaximum: MAX_INFLIGHT, sessionExpiryInterval: 0 } } : {}),
      ...(userName === null ? {} : { username: userName }),
      ...(password === null ? {} : { password }),
      ...(will === null ? {} : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos, retain: will.isRetained } }),
    }
    let client: PackageClient
    let stream: BrokerStream
    try {
      stream = new BrokerStream((hear) => openBrokerSocket(url, tls, hear), (id, reason) => this.#acknowledged(stream, id, reason))
      client = new Package(() => stream, options)
    } catch (thrown) {
      this.#problem = asError(thrown).message
      this.#later()
      return
    }
    this.#client = client
    this.#stream = stream
    client.on('connect', (packet) => this.#arrived(client, packet))
    client.on('message', (topic, payload, packet) => this.#hear(topic, payload, packet))
    client.on('error', (error) => {
      // Asked anew each time it fails: the broker may be another one tomorrow.
      this.#version = this.#version === 5 && 'code' in error && UNKNOWN_VERSION.has(error.code) ? 4 : 5
      this.#retry(client, wordsOf(error))
    })
    client.on('close', () => this.#retry(client, this.#isConnected ? 'the connection was lost' : 'it cannot be reached'))
  }

  #arrived(client: PackageClient, { properties }: IConnackPacket): void {
    if (client !== this.#client || this.#isClosed) return
    this.#receiveMaximum = Math.max(1, properties?.receiveMaximum ?? USUAL_RECEIVE_MAXIMUM)
    this.#maxPacketBytes = Math.min(MAX_PACKET_BYTES, properties?.maximumPacketSize ?? MAX_PACKET_BYTES)
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
    if (client === this.#client) this.#client = this.#stream = null
    // The package says errors of a client that was given up: they have nobody to go to.
    client?.on('error', () => undefined)
    const wasConnected = this.#isConnected
    this.#isConnected = false
    this.#cancelWatch?.()
    this.#cancelWatch = null
    const lost = [...this.#inFlight.values(), ...this.#queued]
    this.#inFlight.clear()
    this.#queued = []
    for (const { reject } of lost) reject(unavailable(`the broker went away: ${why}`))
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
