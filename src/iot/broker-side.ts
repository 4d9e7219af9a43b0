/**
 * The box on its broker: our own mosquitto or somebody else's, the box's own topics with what waits for the broker, Sparkplug B, and receipts
 * for tenants. A broker that is not there stops nothing: readings wait in the log, and the owner is told.
 */
import { asError } from '../base/index.ts'
import type { Cancel, Log } from '../base/index.ts'
import type { KnownDevices } from './known-devices.ts'
import type { DataLogTables } from './log/index.ts'
import { Mosquitto, OwnTopics, SparkplugNode, brokerUserTables, dropRetainedOrders, willOf } from './mqtt/index.ts'
import type { BrokerUser, MqttConnection, MqttSettings } from './mqtt/index.ts'
import { Outbox } from './outbox.ts'
import type { IotParts, OpenMqtt } from './parts.ts'
import type { Actuators, Eui, JoinEvent, QueueItem, Reading, Receipt, TenantId } from './ports.ts'
import { receiptJson } from './tenants/receipt/index.ts'

type Parts = Pick<IotParts, 'settings' | 'store' | 'mosquitto' | 'version' | 'clock' | 'timers' | 'log'>

export interface BrokerSideTerms {
  readonly open: OpenMqtt
  readonly devices: KnownDevices
  readonly actuators: Actuators
  readonly log: Pick<DataLogTables, 'after' | 'newest'>
  readonly complete: (reading: Reading) => Promise<Reading>
}

/** Births of a thousand devices go at once. */
const SPARKPLUG_WAITING = 10_001

export interface BrokerPlace {
  readonly url: string
  readonly userName: string | null
  readonly password: string | null
}

export class BrokerSide {
  readonly #log: Log
  readonly #own: Mosquitto | null
  readonly place: BrokerPlace
  readonly #client: MqttConnection
  readonly #topics: OwnTopics
  readonly #outbox: Outbox
  readonly #sparkplug: SparkplugNode | null
  #cancelOrders: Cancel = () => undefined

  /** The own broker, if it is that, was started. Errors: input for topics that cannot be. */
  constructor(parts: Parts, own: Mosquitto | null, terms: BrokerSideTerms) {
    const { settings, store, clock, timers, version } = parts
    const { topicPrefix: prefix, homeAssistant, sparkplugGroup, url, userName } = settings.mqtt
    this.#log = parts.log
    this.#own = own
    this.place = own === null ? { url: url ?? '', userName, password: settings.brokerPassword } : { url: own.url, userName: null, password: null }
    // Names on our own broker have no capitals: nobody can take this id.
    const idOf = (what: string): Pick<MqttSettings, 'clientId'> => ({ clientId: `${what}_${settings.nodeName}` })
    this.#client = terms.open({ ...this.place, ...idOf('MeshBox'), will: willOf(prefix) })
    const { devices } = terms
    this.#topics = new OwnTopics({ client: this.#client, prefix, homeAssistant, actuators: terms.actuators, devices: () => devices.all(), device: (devEui) => devices.one(devEui), isKeptElsewhere: true, version, clock, log: parts.log })
    this.#outbox = new Outbox({ store, tables: terms.log, topics: this.#topics, client: this.#client, complete: terms.complete, timers, log: parts.log })
    this.#sparkplug =
      sparkplugGroup === null
        ? null
        : new SparkplugNode({
            connect: (wanted) => terms.open(wanted, { maxWaiting: SPARKPLUG_WAITING }),
            settings: { ...this.place, ...idOf('MeshBoxSparkplug') },
            group: sparkplugGroup,
            node: settings.nodeName,
            devices: () => devices.all().filter(({ isOnline }) => isOnline),
            clock,
            log: parts.log,
          })
  }

  /** Our own mosquitto, started; null: the broker is somebody else's. Errors: input. */
  static async startOwn(parts: Parts): Promise<Mosquitto | null> {
    const { settings, store, timers, mosquitto, log } = parts
    if (settings.mqtt.broker !== 'own') return null
    const { loopbackPort, listeners } = settings.ownBroker
    const plan = { loopbackPort, listeners, users: store.read((tx) => brokerUserTables.users(tx)), topicPrefix: settings.mqtt.topicPrefix, systemUser: mosquitto.systemUser }
    const own = new Mosquitto(plan, { folder: mosquitto.folder, ...(mosquitto.program === undefined ? {} : { program: mosquitto.program }), timers, log })
    await own.start()
    if (own.problem !== null) log.error('the broker is not there: nothing goes out by MQTT; everything else goes on', { problem: own.problem })
    return own
  }

  start(): void {
    if (this.#own !== null) this.#cancelOrders = dropRetainedOrders(this.#client, this.#log)
    this.#topics.start()
    this.#outbox.start()
  }

  async stop(): Promise<void> {
    this.#cancelOrders()
    await this.#outbox.stop()
    await this.#topics.stop()
    await this.#sparkplug?.close()
    await this.#client.close()
    await this.#own?.stop()
  }

  get isConnected(): boolean {
    return this.#client.isConnected
  }

  /** Whether somebody of the tenant's is there to get that topic; null: not known, as of somebody else's broker. */
  hasListener(tenant: TenantId, topic: string): boolean | null {
    return this.#own?.hasListener(tenant, topic) ?? null
  }

  /** Null: it works. */
  get problem(): string | null {
    return this.#own?.problem ?? this.#client.problem
  }

  /** Readings that the broker has not got. */
  get unpublished(): number {
    return this.#outbox.waiting
  }

  setUsers(users: readonly BrokerUser[]): void {
    this.#own?.setUsers(users)
  }

  /** It lies in the log under `id`; `reading` follows. */
  begin(id: number): void {
    this.#outbox.begin(id)
  }

  reading(reading: Reading, id: number): void {
    this.#outbox.send(reading, id)
    this.#sparkplug?.reading(reading)
  }

  join(event: JoinEvent): void {
    this.#topics.join(event)
  }

  queueChanged(item: QueueItem): void {
    this.#topics.queueChanged(item)
  }

  availability(devEui: Eui, isOnline: boolean): void {
    this.#topics.availability(devEui, isOnline)
    if (!isOnline) this.#sparkplug?.gone(devEui)
  }

  removed(devEui: Eui): void {
    this.#topics.removed(devEui)
    this.#sparkplug?.gone(devEui)
  }

  /** Retained: who comes later finds the newest, and needs no other, since receipts are cumulative. Only he may read it (mosquitto/configuration.ts). */
  receipt(tenant: TenantId, receipt: Receipt): void {
    // On somebody else's broker others might read it.
    if (this.#own === null || !this.#client.isConnected) return
    const message = { topic: `tenant/${tenant}/receipt`, payload: Buffer.from(JSON.stringify(receiptJson(receipt))), qos: 1 as const, isRetained: true }
    this.#client.publish(message).catch((thrown: unknown) => this.#log.debug('a receipt waits for the next one', { tenant, problem: asError(thrown).message }))
  }

  /** Whoever listens for the broker's return: newest receipts are said again. */
  onConnected(listener: () => void): void {
    this.#client.onState((isConnected) => {
      if (isConnected) listener()
    })
    if (this.#client.isConnected) listener()
  }
}
