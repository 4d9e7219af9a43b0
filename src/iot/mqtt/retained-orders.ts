/**
 * Tenants' orders that the broker was told to keep. mosquitto's rights know no difference between a message and a retained one, and an
 * order may name any gateway: one tenant could fill the room of the broker (mosquitto/configuration.ts) for everybody, and an order
 * that is kept would be given again with each start. So whatever is kept among orders is taken out as it comes.
 */
import { asError } from '../../base/index.ts'
import type { Cancel, Log } from '../../base/index.ts'
import type { MqttConnection } from './connection.ts'

const ORDERS = 'tenant/+/gateway/+/command/#'
const NOTHING = new Uint8Array()

/** On our own broker, where nobody but tenants writes there. */
export function dropRetainedOrders(client: Pick<MqttConnection, 'subscribe' | 'publish'>, log: Log): Cancel {
  const told = new Set<string>()
  return client.subscribe(ORDERS, (topic, payload, isRetained) => {
    // An empty one is how it is taken out: by us, or by himself.
    if (!isRetained || payload.length === 0) return
    const tenant = topic.split('/')[1] ?? ''
    if (!told.has(tenant)) log.warn('a tenant has the broker keep his orders; they are taken out', { tenant })
    told.add(tenant)
    client.publish({ topic, payload: NOTHING, qos: 0, isRetained: true }).catch((thrown: unknown) => log.debug('a kept order waits for the next connection', { topic, problem: asError(thrown).message }))
  })
}
