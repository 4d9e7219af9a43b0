/** How frames get to a tenant, by the destination he has: his own server by GWMP or Basics Station, his ChirpStack's broker, or our broker, where he fetches them. */
import type { Cancel, Clock, Log, Randomness, Timers } from '../base/index.ts'
import { ChirpstackDelivery, MAX_BROKER_GATEWAYS } from './mqtt/index.ts'
import type { ChirpstackDeliveryParts, ConnectMqtt, MqttSettings } from './mqtt/index.ts'
import type { Delivery, Radio, Tenant } from './ports.ts'
import { openGwmpDelivery, openStationDelivery } from './radio/index.ts'

export interface DeliveriesParts {
  readonly radio: Radio
  /** Null: no MQTT on this box. */
  readonly connect: ConnectMqtt | null
  /** Of our own broker, or of the one the box uses; null: there is none. */
  readonly broker: { readonly url: string; readonly userName: string | null; readonly password: string | null } | null
  /** On our own broker: whether somebody of the tenant's is there to get that topic; null: not known. */
  readonly hasListener: (tenant: string, topic: string) => boolean | null
  readonly nextDownlinkId: () => number
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Randomness
  readonly log: Log
}

/** Nobody is there: frames wait for him (late/). */
const NOWHERE: Delivery = { isOnline: false, takesLate: true, deliver: () => Promise.resolve(false), onDownlink: () => () => undefined, close: () => Promise.resolve() }

export function openDelivery(tenant: Tenant, parts: DeliveriesParts): Delivery {
  const { destination, id } = tenant
  const { radio, connect, broker, hasListener, nextDownlinkId, clock, timers, random, log } = parts
  switch (destination.kind) {
    case 'gwmp':
      return openGwmpDelivery({ host: destination.host, port: destination.port, routes: tenant.routes, nextDownlinkId }, radio, { clock, timers, log })
    case 'chirpstack':
      if (connect === null) return NOWHERE
      return onBroker(connect, { url: destination.url, ...loginOf(destination.url), tls: destination.tls ?? null }, `${id}-`, { topicPrefix: destination.topicPrefix, encoding: destination.encoding })
    case 'broker':
      if (connect === null || broker === null) return NOWHERE
      return onBroker(connect, broker, `Tenant_${id}_`, { topicPrefix: `tenant/${id}`, encoding: 'json', maxGateways: MAX_BROKER_GATEWAYS, isWanted: (topic) => hasListener(id, topic) !== false })
    case 'station':
      return openStationDelivery({ url: destination.url, routes: tenant.routes, tls: destination.tls ?? null, nextDownlinkId }, radio, { clock, timers, random, log })
  }

  function onBroker(open: ConnectMqtt, place: Pick<MqttSettings, 'url' | 'userName' | 'password' | 'tls'>, prefix: string, form: Pick<ChirpstackDeliveryParts, 'topicPrefix' | 'encoding' | 'isWanted' | 'maxGateways'>): Delivery {
    const delivery = new ChirpstackDelivery(
      { ...form, connect: ({ clientId, will }) => open({ ...place, clientId: `${prefix}${clientId}`, will }), clock, log, nextDownlinkId },
      Buffer.from(random.bytes(4)).readUInt32BE(),
    )
    for (const gateway of radio.gateways()) if (gateway.isOnline) delivery.gateway(gateway)
    const cancels: readonly Cancel[] = [radio.onGateway((gateway) => delivery.gateway(gateway)), radio.onStats((stats) => delivery.stats(stats))]
    return {
      get isOnline() {
        return delivery.isOnline
      },
      takesLate: delivery.takesLate,
      isAwaited: (heard) => delivery.isAwaited(heard),
      deliver: (heard) => delivery.deliver(heard),
      onDownlink: (listener) => delivery.onDownlink(listener),
      close: () => {
        for (const cancel of cancels) cancel()
        return delivery.close()
      },
    }
  }
}

/** A checked URL's: `mqtts://name:password@host`. */
function loginOf(url: string): { readonly userName: string | null; readonly password: string | null } {
  const { username, password } = new URL(url)
  const given = (part: string): string | null => (part === '' ? null : decodeURIComponent(part))
  return { userName: given(username), password: given(password) }
}
