/**
 * What the box itself says and takes by MQTT, in the manner of zigbee2mqtt; JSON:
 *
 *   <prefix>/state                          retained, last will     {"state":"online"}
 *   <prefix>/device/<devEui>/availability   retained                {"state":"offline"}
 *   <prefix>/device/<devEui>/state          retained, last values   {"soil":18.5,"at":"2026-01-31T10:00:00.000Z"}
 *   <prefix>/device/<devEui>/up             each reading, whole;  …/late: those that could not be sent in time, in order
 *   <prefix>/device/<devEui>/join           joins, and why not
 *   <prefix>/device/<devEui>/set            takes {"data":{…}} or {"bytes":"<base64>","fPort":1}, with "confirmed", "expiresSeconds", "id"
 *   <prefix>/device/<devEui>/order          what became of it
 */
import { MeshBoxError, asError, fromUtf8, inputError, momentOf } from '../../base/index.ts'
import type { Cancel, Clock, Log, Moment } from '../../base/index.ts'
import type { Actuators, Eui, JoinEvent, MqttClient, MqttMessage, QueueItem, Reading, Value } from '../ports.ts'
import { jsonMessage } from './connection.ts'
import { HOME_ASSISTANT_STATUS, discoveryOf, removalOf } from './home-assistant.ts'
import type { DiscoveredDevice, DiscoveryTopics } from './home-assistant.ts'
import { checkTopicPrefix } from './mosquitto/configuration.ts'

export interface KnownDevice extends DiscoveredDevice {
  readonly isOnline: boolean
  /** When it spoke last; null: never. */
  readonly lastSeen: Moment | null
}

export interface OwnTopicsParts {
  /** Its last will is willOf(prefix). */
  readonly client: MqttClient
  readonly prefix: string
  readonly homeAssistant: boolean
  readonly actuators: Actuators
  /** All that are registered, with the last of each value they ever sent. */
  readonly devices: () => readonly KnownDevice[]
  /** Null: there is none. Left out: looked for among all. */
  readonly device?: (devEui: Eui) => KnownDevice | null
  /** What the broker did not get is kept by whoever calls `reading` (io/outbox-tables.ts), not here. */
  readonly isKeptElsewhere?: boolean
  readonly version: string
  readonly clock: Clock
  readonly log: Log
}

const MAX_COMMAND_BYTES = 8 * 1024
const MAX_COMMANDS = 16
const SAID_AT_ONCE = 32
/** Readings that wait for the broker, in memory; older ones are only in the data log. */
const MAX_LATE = 500

export function willOf(prefix: string): MqttMessage {
  return jsonMessage(`${checkTopicPrefix(prefix)}/state`, { state: 'offline' }, true)
}

export class OwnTopics {
  readonly #parts: OwnTopicsParts
  readonly #late: Reading[] = []
  /** Names of values that Home Assistant was told. */
  readonly #told = new Map<Eui, string>()
  #cancels: readonly Cancel[] = []
  #commands = 0
  #rounds = 0
  /** Devices that have spoken since the round began: what it knows of their values is old. */
  readonly #spoken = new Set<Eui>()
  #isSendingLate = false

  constructor(parts: OwnTopicsParts) {
    checkTopicPrefix(parts.prefix)
    this.#parts = parts
  }

  start(): void {
    const { client, prefix, homeAssistant } = this.#parts
    this.#cancels = [
      client.onState((isConnected) => {
        if (isConnected) this.#greet()
      }),
      client.subscribe(`${prefix}/device/+/set`, (topic, payload) => void this.#commanded(topic.split('/').at(-2) ?? '', payload)),
      ...(homeAssistant
        ? [
            client.subscribe(HOME_ASSISTANT_STATUS, (_topic, payload) => {
              if (Buffer.from(payload).toString('latin1') === 'online') void this.#sayAll(this.#known())
            }),
          ]
        : []),
    ]
    if (client.isConnected) this.#greet()
  }

  /** Says that the box is gone on purpose. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    const { client, prefix, log } = this.#parts
    if (client.isConnected) await client.publish(willOf(prefix)).catch((thrown: unknown) => log.debug('no goodbye', { problem: asError(thrown).message }))
  }

  /** True: the broker has it. False: it is kept, and said late. */
  reading(reading: Reading): Promise<boolean> {
    if (!this.#parts.client.isConnected || reading.isLate) {
      this.#keep(reading)
      return Promise.resolve(false)
    }
    if (this.#late.length > 0) void this.#sendLate()
    const sent = new Promise<boolean>((resolve) => {
      this.#publishReading(reading, 'up').then(
        () => resolve(true),
        (thrown: unknown) => {
          this.#parts.log.debug('a reading waits for the broker', { device: reading.devEui, problem: asError(thrown).message })
          this.#keep(reading)
          resolve(false)
        },
      )
    })
    this.#sendValues(reading)
    return sent
  }

  /** One that waited. Errors: what the client says; nothing where no broker would ever take it. */
  late(reading: Reading): Promise<void> {
    return this.#publishReading(reading, 'late')
  }

  join(event: JoinEvent): void {
    this.#send(jsonMessage(this.#topic(event.devEui, 'join'), { joinEui: event.joinEui, devAddr: event.devAddr === null ? null : hexOf(event.devAddr), refused: event.refused, at: timeOf(event.at) }, false))
  }

  queueChanged(item: QueueItem): void {
    this.#send(jsonMessage(this.#topic(item.devEui, 'order'), { queueId: item.queueId, state: item.state, asker: item.asker, statuses: item.tries.flatMap(({ statuses }) => statuses) }, false))
  }

  availability(devEui: Eui, isOnline: boolean): void {
    this.#send(this.#availabilityMessage(devEui, isOnline))
  }

  /** Takes away what the broker keeps of it. */
  removed(devEui: Eui): void {
    this.#told.delete(devEui)
    for (const rest of ['state', 'availability']) this.#send({ topic: this.#topic(devEui, rest), payload: new Uint8Array(0), qos: 1, isRetained: true })
    if (this.#parts.homeAssistant) this.#send(removalOf(devEui))
  }

  #greet(): void {
    this.#send(jsonMessage(`${this.#parts.prefix}/state`, { state: 'online' }, true))
    void this.#sayAll(this.#known())
    void this.#sendLate()
  }

  *#known(): Iterable<MqttMessage> {
    for (const { devEui, isOnline, values, lastSeen } of this.#parts.devices()) {
      yield this.#availabilityMessage(devEui, isOnline)
      if (values.length > 0 && !this.#spoken.has(devEui)) yield this.#stateMessage(devEui, values, lastSeen)
    }
    yield* this.#discovery()
  }

  *#discovery(): Iterable<MqttMessage> {
    if (!this.#parts.homeAssistant) return
    for (const device of this.#parts.devices()) if (device.values.length > 0) yield this.#discoveryMessage(device)
  }

  /** Some at a time: a thousand devices are neither too many for the broker's queue nor a long turn. A newer round ends an older one. */
  async #sayAll(messages: Iterable<MqttMessage>): Promise<void> {
    const round = ++this.#rounds
    this.#spoken.clear()
    const { client, log } = this.#parts
    try {
      const waiting: Promise<void>[] = []
      for (const message of messages) {
        if (round !== this.#rounds || !client.isConnected) break
        waiting.push(client.publish(message))
        if (waiting.length >= SAID_AT_ONCE) await Promise.all(waiting.splice(0))
      }
      await Promise.all(waiting)
    } catch (thrown) {
      log.debug('the rest is said when the broker is back', { problem: asError(thrown).message })
    }
  }

  #discoveryMessage(device: DiscoveredDevice): MqttMessage {
    const { prefix, version } = this.#parts
    const topics: DiscoveryTopics = { state: this.#topic(device.devEui, 'state'), availability: this.#topic(device.devEui, 'availability'), box: `${prefix}/state` }
    this.#told.set(device.devEui, namesOf(device))
    return discoveryOf(device, topics, version)
  }

  #sendValues(reading: Reading): void {
    const { devEui, values } = reading
    if (values === null || values.length === 0) return
    this.#spoken.add(devEui)
    const device = this.#parts.device === undefined ? this.#parts.devices().find((one) => one.devEui === devEui) : (this.#parts.device(devEui) ?? undefined)
    if (this.#parts.homeAssistant && device !== undefined && device.values.length > 0 && this.#told.get(devEui) !== namesOf(device)) this.#send(this.#discoveryMessage(device))
    // A device may send some values now and others then: all of the last ones are kept.
    this.#send(this.#stateMessage(devEui, [...(device?.values ?? []), ...values], reading.at))
  }

  #availabilityMessage(devEui: Eui, isOnline: boolean): MqttMessage {
    return jsonMessage(this.#topic(devEui, 'availability'), { state: isOnline ? 'online' : 'offline' }, true)
  }

  #stateMessage(devEui: Eui, values: readonly Value[], at: Moment | null): MqttMessage {
    return jsonMessage(this.#topic(devEui, 'state'), { ...Object.fromEntries(values.map(({ name, value }) => [name, value])), at: at === null ? null : timeOf(at) }, true)
  }

  #keep(reading: Reading): void {
    if (this.#parts.isKeptElsewhere === true) return
    this.#late.push(reading)
    if (this.#late.length > MAX_LATE) this.#late.shift()
    if (this.#parts.client.isConnected) void this.#sendLate()
  }

  /** One after the other: what is sent is gone, what fails stays first. */
  async #sendLate(): Promise<void> {
    if (this.#isSendingLate) return
    this.#isSendingLate = true
    try {
      for (let reading = this.#late[0]; reading !== undefined && this.#parts.client.isConnected; reading = this.#late[0]) {
        await this.#publishReading(reading, 'late')
        if (this.#late[0] === reading) this.#late.shift()
      }
    } catch (thrown) {
      this.#parts.log.debug('readings wait for the broker', { waiting: this.#late.length, problem: asError(thrown).message })
    } finally {
      this.#isSendingLate = false
    }
  }

  async #publishReading(reading: Reading, kind: 'up' | 'late'): Promise<void> {
    try {
      await this.#parts.client.publish(this.#readingMessage(reading, kind))
    } catch (thrown) {
      // One that is too long would hold up all others for ever. The client may come from a file of its own, with classes of its own.
      const error = asError(thrown)
      if (!('code' in error) || error.code !== 'mqtt-too-long') throw error
      this.#parts.log.warn('a reading is too long for MQTT; it is in the data log', { device: reading.devEui, fCnt: reading.fCnt })
    }
  }

  #readingMessage(reading: Reading, kind: 'up' | 'late'): MqttMessage {
    const { frequencyHz, modulation, dataRate, copies } = reading
    return jsonMessage(
      this.#topic(reading.devEui, kind),
      {
        devEui: reading.devEui,
        name: reading.deviceName,
        devAddr: hexOf(reading.devAddr),
        fCnt: reading.fCnt,
        fPort: reading.fPort,
        confirmed: reading.isConfirmed,
        data: Buffer.from(reading.payload).toString('base64'),
        object: reading.values === null ? null : Object.fromEntries(reading.values.map(({ name, value }) => [name, value])),
        problem: reading.problem,
        at: timeOf(reading.at),
        radio: { frequencyHz, modulation, dataRate },
        gateways: copies.map(({ gateway, rssiDbm, snrDb }) => ({ gateway, rssiDbm, snrDb })),
        late: kind === 'late',
      },
      false,
    )
  }

  async #commanded(devEui: Eui, payload: Uint8Array): Promise<void> {
    let id: string | null = null
    try {
      if (this.#commands >= MAX_COMMANDS) throw new MeshBoxError('limit', `${MAX_COMMANDS} orders are being read already`, { code: 'orders-busy', retryAfterSeconds: 1 })
      const command = commandOf(payload)
      id = command.id
      const now = momentOf(this.#parts.clock)
      const expiresAt = command.expiresSeconds === null ? null : { ...now, boottimeMs: now.boottimeMs + command.expiresSeconds * 1_000, wallMs: now.wallMs + command.expiresSeconds * 1_000 }
      this.#commands++
      try {
        const { queueId, state } = await this.#parts.actuators.send(devEui, command.what, { isConfirmed: command.isConfirmed, asker: 'mqtt', expiresAt })
        this.#send(jsonMessage(this.#topic(devEui, 'order'), { id, queueId, state, asker: 'mqtt' }, false))
      } finally {
        this.#commands--
      }
    } catch (thrown) {
      // The topic came with the message: answers go only where a device could be.
      if (/^[0-9a-f]{16}$/.test(devEui)) this.#send(jsonMessage(this.#topic(devEui, 'order'), { id, problem: asError(thrown).message.slice(0, 300) }, false))
    }
  }

  #topic(devEui: Eui, rest: string): string {
    return `${this.#parts.prefix}/device/${devEui}/${rest}`
  }

  /** What is retained is said again when the broker is back. */
  #send(message: MqttMessage, onLost: () => void = () => undefined): void {
    if (!this.#parts.client.isConnected) return onLost()
    this.#parts.client.publish(message).catch((thrown: unknown) => {
      this.#parts.log.debug('not sent', { topic: message.topic, problem: asError(thrown).message })
      onLost()
    })
  }
}

interface Command {
  readonly id: string | null
  readonly what: Parameters<Actuators['send']>[1]
  readonly isConfirmed: boolean
  readonly expiresSeconds: number | null
}

/** Errors: input, naming the field. */
function commandOf(payload: Uint8Array): Command {
  if (payload.length > MAX_COMMAND_BYTES) throw inputError('set', `${payload.length} bytes`, `at most ${MAX_COMMAND_BYTES} bytes`)
  let json: unknown
  try {
    json = JSON.parse(fromUtf8(payload))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw inputError('set', `${payload.length} bytes`, 'JSON')
    throw thrown
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw inputError('set', json, 'an object as {"data":{"open":true}}')
  const { id = null, data, bytes, fPort, confirmed = false, expiresSeconds = null } = json as Readonly<Record<string, unknown>>
  if (id !== null && (typeof id !== 'string' || id.length > 64)) throw inputError('id', id, 'a text of at most 64 characters')
  if (typeof confirmed !== 'boolean') throw inputError('confirmed', confirmed, 'true or false')
  if (expiresSeconds !== null && (typeof expiresSeconds !== 'number' || !(expiresSeconds >= 1 && expiresSeconds <= 604_800))) throw inputError('expiresSeconds', expiresSeconds, '1 to 604800')
  if ((data === undefined) === (bytes === undefined)) throw inputError('set', Object.keys(json).join(), 'either data or bytes')
  const shared = { id, isConfirmed: confirmed, expiresSeconds }
  if (data !== undefined) return { ...shared, what: { data } }
  if (typeof bytes !== 'string' || bytes.length > 344 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bytes)) throw inputError('bytes', bytes, 'base64 of at most 242 bytes')
  if (typeof fPort !== 'number' || !Number.isInteger(fPort) || fPort < 1 || fPort > 223) throw inputError('fPort', fPort ?? null, '1 to 223')
  return { ...shared, what: { fPort, bytes: new Uint8Array(Buffer.from(bytes, 'base64')) } }
}

function namesOf({ values }: DiscoveredDevice): string {
  return values.map(({ name, unit }) => `${name} ${unit ?? ''}`).join()
}

function hexOf(devAddr: number): string {
  return devAddr.toString(16).padStart(8, '0')
}

/** Null: the clock was not believed. */
function timeOf({ wallMs, wallTrusted }: Moment): string | null {
  return wallTrusted ? new Date(wallMs).toISOString() : null
}
