/**
 * Frames to a tenant's ChirpStack v4 (or to our own broker, where he fetches them), as its gateways would send them:
 * `[prefix/]gateway/<eui>/event/{up,stats,ack}`, what is played back on `…/event/late`, `…/state/conn` retained, orders on `…/command/down`. One connection per gateway that is
 * on-line, since the last will of a connection is the state of one gateway. Who says to be a gateway proves nothing, so a name alone opens no connection: frames of a
 * gateway without one go over another's, and only where there is none at all one is opened for them, until a gateway is on-line.
 */
import { Complaints, asError } from '../../../base/index.ts'
import type { Cancel, Clock, Log } from '../../../base/index.ts'
import type { Copy, Delivery, Downlink, Eui, Gateway, GatewayStats, Heard, RadioTime, TxAck, TxWindow } from '../../ports.ts'
import type { MqttConnection, MqttSettings } from '../connection.ts'
import { connState, contextOf, downlinkFrame, downlinkTxAck, gatewayStats, uplinkFrame } from './messages.ts'
import type { AskedDownlink, AskedWindow, Encoding } from './messages.ts'

export interface ChirpstackDeliveryParts {
  readonly topicPrefix: string
  readonly encoding: Encoding
  /** False: nobody who may is there to get that topic, whatever the broker says. Left out: the broker's word counts. */
  readonly isWanted?: (topic: string) => boolean
  /** With a connection of their own. Default 16. */
  readonly maxGateways?: number
  /** One per gateway: settings of the connection come from the tenant's destination. */
  readonly connect: (own: Pick<MqttSettings, 'clientId' | 'will'>) => MqttConnection
  readonly clock: Clock
  readonly log: Log
  /** u32, not used within a day by anybody on this box. */
  readonly nextDownlinkId: () => number
}

type OnDownlink = (downlink: Omit<Downlink, 'tenant'>) => Promise<TxAck>

interface Link {
  readonly gateway: Eui
  readonly client: MqttConnection
  /** Of what is heard now, and of what is played back. */
  readonly up: string
  readonly late: string
  /** What the conn topic was last told. False: nobody else's connection is there, so this one stays for frames. */
  isOnline: boolean
}

interface Reception {
  readonly time: RadioTime
  readonly arrivedMs: number
}

const MAX_GATEWAYS = 16
/** Receptions that may still be answered: RX2 of the longest RxDelay is over after 17 s. */
const MAX_RECEPTIONS = 1_024
const MAX_ORDERS = 64
const EXPIRES_MS = 60_000
const JOIN_ACCEPT = 1
const NOT_SENT = Promise.resolve(false)

export class ChirpstackDelivery implements Delivery {
  readonly #parts: ChirpstackDeliveryParts
  readonly #complaints: Complaints
  readonly #links = new Map<Eui, Link>()
  /** Also those that there was no room for. */
  readonly #online = new Set<Eui>()
  /** Until the broker has their goodbye. */
  readonly #leaving = new Map<Eui, Link>()
  readonly #receptions = new Map<string, Reception>()
  readonly #maxLinks: number
  #listener: OnDownlink | null = null
  #uplinkId: number
  #orders = 0
  #isClosed = false

  /** `firstUplinkId`: by chance, so that a restart does not begin with numbers that the server has just seen. */
  constructor(parts: ChirpstackDeliveryParts, firstUplinkId: number) {
    this.#parts = parts
    this.#maxLinks = parts.maxGateways ?? MAX_GATEWAYS
    this.#uplinkId = firstUplinkId >>> 0
    this.#complaints = new Complaints(parts)
  }

  /** On a topic of its own, which ChirpStack does not read. */
  readonly takesLate = true

  get isOnline(): boolean {
    return [...this.#links.values()].some(({ client }) => client.isConnected)
  }

  /** Each news of each gateway: its state is kept at the broker. */
  gateway({ id, isOnline }: Gateway): void {
    if (isOnline) this.#online.add(id)
    else this.#online.delete(id)
    const link = this.#links.get(id)
    const isNews = link !== undefined && link.isOnline !== isOnline
    if (isNews) link.isOnline = isOnline
    for (const other of [...this.#links.values()]) if (!other.isOnline && (this.#online.size > 0 || this.#links.size > 1)) void this.#leave(other)
    if (isNews && this.#links.has(id)) this.#tellState(link)
    for (const there of this.#online) if (!this.#links.has(there)) this.#open(there, true)
  }

  stats(stats: GatewayStats): void {
    const link = this.#links.get(stats.gateway)
    if (link?.client.isConnected === true) this.#quietly(link.client.publish({ topic: this.#topic(stats.gateway, 'event/stats'), payload: gatewayStats(stats, this.#parts.encoding), qos: 0, isRetained: false }))
  }

  /** True when the broker has the best copy and somebody who wants it; the other copies go along, and are not waited for. */
  async deliver(heard: Heard): Promise<boolean> {
    try {
      const [best, ...others] = heard.copies
      if (best === undefined) return false
      const sent = this.#deliverCopy(heard, best)
      for (const other of others) this.#quietly(this.#alongside(heard, other))
      return await sent
    } catch (thrown) {
      this.#parts.log.debug('a frame was not delivered', { problem: asError(thrown).message })
      return false
    }
  }

  /** By the best copy, as its delivery is. */
  isAwaited({ copies: [best], isLate }: Heard): boolean {
    return best !== undefined && this.isOnline && this.#parts.isWanted?.(this.#topic(best.gateway, isLate ? 'event/late' : 'event/up')) !== false
  }

  onDownlink(listener: OnDownlink): Cancel {
    this.#listener = listener
    return () => {
      if (this.#listener === listener) this.#listener = null
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const leaving = [...this.#leaving.values()]
    await Promise.all([...[...this.#links.values()].map((link) => this.#leave(link)), ...leaving.map(({ client }) => client.close())])
  }

  /** Never rejects. A broker that does not acknowledge the goodbye holds no more of them than there may be connections. */
  async #leave(link: Link): Promise<void> {
    const { gateway, client } = link
    this.#links.delete(gateway)
    link.isOnline = false
    if (client.isConnected && (this.#leaving.size < this.#maxLinks || this.#isClosed)) {
      this.#leaving.set(gateway, link)
      await client.publish(this.#stateOf(link)).catch((thrown: unknown) => this.#parts.log.debug('no goodbye', { problem: asError(thrown).message }))
      if (this.#leaving.get(gateway) === link) this.#leaving.delete(gateway)
    }
    await client.close()
  }

  /** Whatever is wrong with it comes as a rejection. */
  async #alongside(heard: Heard, copy: Copy): Promise<void> {
    await this.#deliverCopy(heard, copy)
  }

  #deliverCopy(heard: Heard, copy: Copy): Promise<boolean> {
    const link = this.#linkFor(copy.gateway)
    if (link === null || !link.client.isConnected) return NOT_SENT
    const topic = link.gateway !== copy.gateway ? this.#topic(copy.gateway, heard.isLate ? 'event/late' : 'event/up') : heard.isLate ? link.late : link.up
    if (this.#parts.isWanted?.(topic) === false) return NOT_SENT
    if (!heard.isLate) this.#note(copy.gateway, copy.time, copy.arrivedMs)
    this.#uplinkId = (this.#uplinkId + 1) >>> 0
    return link.client.publishHeard({ topic, payload: uplinkFrame(heard, copy, this.#uplinkId, this.#parts.encoding), isRetained: false })
  }

  /** Its own if it is up, or whichever is; null: there is none. */
  #linkFor(gateway: Eui): Link | null {
    const own = this.#links.get(gateway)
    if (own?.client.isConnected === true) return own
    for (const link of this.#links.values()) if (link.client.isConnected) return link
    if (own !== undefined) return own
    return this.#links.size === 0 ? this.#open(gateway, false) : null
  }

  #open(gateway: Eui, isOnline: boolean): Link | null {
    if (this.#isClosed || this.#links.size >= this.#maxLinks) return null
    // Two connections of one name would throw each other out.
    void this.#leaving.get(gateway)?.client.close()
    this.#leaving.delete(gateway)
    const client = this.#parts.connect({ clientId: `meshbox-${gateway}`, will: { topic: this.#topic(gateway, 'state/conn'), payload: connState(gateway, false, this.#parts.encoding), qos: 1, isRetained: true } })
    const link: Link = { gateway, client, up: this.#topic(gateway, 'event/up'), late: this.#topic(gateway, 'event/late'), isOnline }
    this.#links.set(gateway, link)
    client.subscribe(this.#topic(gateway, 'command/down'), (_topic, payload) => void this.#ordered(link, payload))
    client.onState((isConnected) => {
      if (isConnected) this.#tellState(link)
    })
    return link
  }

  #tellState(link: Link): void {
    if (link.client.isConnected) this.#quietly(link.client.publish(this.#stateOf(link)))
  }

  #stateOf({ gateway, isOnline }: Link): Parameters<MqttConnection['publish']>[0] {
    return { topic: this.#topic(gateway, 'state/conn'), payload: connState(gateway, isOnline, this.#parts.encoding), qos: 1, isRetained: true }
  }

  /** A command of the tenant's server, which may be anything. */
  async #ordered(link: Link, payload: Uint8Array): Promise<void> {
    let asked: AskedDownlink
    try {
      asked = downlinkFrame(payload, link.gateway, this.#parts.encoding)
    } catch (thrown) {
      return this.#complaints.warn('an order cannot be read', { gateway: link.gateway, problem: asError(thrown).message })
    }
    const statuses = await this.#statusesOf(asked)
    if (!link.client.isConnected) return
    this.#quietly(link.client.publish({ topic: this.#topic(link.gateway, 'event/ack'), payload: downlinkTxAck(link.gateway, asked.downlinkId, statuses, this.#parts.encoding), qos: 1, isRetained: false }))
  }

  async #statusesOf(asked: AskedDownlink): Promise<TxAck['statuses']> {
    const windows = asked.windows.map((window) => this.#windowOf(asked.gateway, window))
    const known = windows.filter((window) => window !== null)
    if (known.length === 0) return asked.windows.map(() => 'TOO_LATE')
    if (this.#listener === null || this.#orders >= MAX_ORDERS) return asked.windows.map(() => 'QUEUE_FULL')
    this.#orders++
    try {
      const isJoin = known.every(({ phy }) => (phy[0] ?? 0) >> 5 === JOIN_ACCEPT)
      const ack = await this.#listener({ id: this.#parts.nextDownlinkId(), gateway: asked.gateway, windows: known, purpose: isJoin ? 'join' : 'data', priority: 0, devEui: null, expiresMs: this.#parts.clock.boottimeMs() + EXPIRES_MS })
      let next = 0
      return windows.map((window) => (window === null ? 'TOO_LATE' : (ack.statuses[next++] ?? 'IGNORED')))
    } catch (thrown) {
      this.#complaints.warn('an order was refused', { gateway: asked.gateway, problem: asError(thrown).message })
      return asked.windows.map(() => 'INTERNAL_ERROR')
    } finally {
      this.#orders--
    }
  }

  /** Null: it answers a reception that nobody remembers, so its time is over. */
  #windowOf(gateway: Eui, { timing, ...rest }: AskedWindow): TxWindow | null {
    if (timing.kind !== 'after') return { ...rest, timing }
    const reception = this.#receptions.get(keyOf(gateway, timing.context))
    return reception === undefined ? null : { ...rest, timing: { kind: 'after', ...reception, delayUs: timing.delayUs } }
  }

  #note(gateway: Eui, time: RadioTime, arrivedMs: number): void {
    const key = keyOf(gateway, contextOf(time))
    this.#receptions.delete(key)
    this.#receptions.set(key, { time, arrivedMs })
    if (this.#receptions.size <= MAX_RECEPTIONS) return
    const oldest = this.#receptions.keys().next()
    if (oldest.done === false) this.#receptions.delete(oldest.value)
  }

  #topic(gateway: Eui, rest: string): string {
    const { topicPrefix } = this.#parts
    return `${topicPrefix === '' ? '' : `${topicPrefix}/`}gateway/${gateway}/${rest}`
  }

  /** What is lost with the connection is said again when it is back, or is of no use then. */
  #quietly(sent: Promise<unknown>): void {
    sent.catch((thrown: unknown) => this.#parts.log.debug('not sent', { problem: asError(thrown).message }))
  }
}

function keyOf(gateway: Eui, context: Uint8Array): string {
  let key = gateway
  for (const byte of context) key += String.fromCharCode(byte)
  return key
}
