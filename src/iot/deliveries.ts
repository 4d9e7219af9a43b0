/** How frames get to a tenant, by the destination he has: his own server by GWMP, his ChirpStack's broker, or our broker, where he fetches them. */
import { MeshBoxError } from '../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../base/index.ts'
import { ChirpstackDelivery } from './mqtt/index.ts'
import type { ConnectMqtt } from './mqtt/index.ts'
import type { Delivery, Radio, Tenant } from './ports.ts'
import { openGwmpDelivery } from './radio/index.ts'

export interface DeliveriesParts {
  readonly radio: Radio
  /** Null: no MQTT on this box. */
  readonly connect: ConnectMqtt | null
  /** Of our own broker, or of the one the box uses; null: there is none. */
  readonly broker: { readonly url: string; readonly userName: string | null; readonly password: string | null } | null
  readonly nextDownlinkId: () => number
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Randomness
  readonly log: Log
}

/** Nobody is there: frames wait for him (late/). */
const NOWHERE: Delivery = { isOnline: false, deliver: () => Promise.resolve(false), onDownlink: () => () => undefined, close: () => Promise.resolve() }

export function openDelivery(tenant: Tenant, parts: DeliveriesParts): Delivery {
  const { destination, id } = tenant
  const { radio, connect, broker, nextDownlinkId, clock, timers, random, log } = parts
  switch (destination.kind) {
    case 'gwmp':
      return openGwmpDelivery({ host: destination.host, port: destination.port, routes: tenant.routes, nextDownlinkId }, radio, { clock, timers, log })
    case 'chirpstack':
      if (connect === null) return NOWHERE
      return onBroker(connect, { url: destination.url, userName: null, password: null }, `${id}-`, { topicPrefix: destination.topicPrefix, encoding: destination.encoding })
    case 'broker':
      if (connect === null || broker === null) return NOWHERE
      return onBroker(connect, broker, `Tenant_${id}_`, { topicPrefix: `tenant/${id}`, encoding: 'json' })
    case 'station':
      throw new MeshBoxError('input', 'frames do not go to a Basics Station server by this version', { code: 'bad-input', field: 'destination.kind', value: 'station', allowed: 'gwmp, chirpstack, broker' })
  }

  function onBroker(open: ConnectMqtt, place: NonNullable<DeliveriesParts['broker']>, prefix: string, form: { readonly topicPrefix: string; readonly encoding: 'protobuf' | 'json' }): Delivery {
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
      deliver: (heard) => delivery.deliver(heard),
      onDownlink: (listener) => delivery.onDownlink(listener),
      close: () => {
        for (const cancel of cancels) cancel()
        return delivery.close()
      },
    }
  }
}
