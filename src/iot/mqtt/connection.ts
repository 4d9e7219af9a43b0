/** What this part asks of an MQTT connection beyond the port, and how topics match. MQTT 5.0, OASIS, section 4.7. */
import type { DestinationTls, MqttClient, MqttMessage } from '../ports.ts'

export interface MqttConnection extends MqttClient {
  /**
   * QoS 1 always. False: the broker has it, and said that nobody is there to get it (reason 16); a bill must not rest on it.
   * A broker of 3.1.1 cannot say so: true. Errors: as publish;
   * unavailable also when the connection was lost before the broker said anything.
   */
  publishHeard(message: Omit<MqttMessage, 'qos'>): Promise<boolean>
  /** Null: connected. Otherwise what is wrong, in words for the owner. */
  readonly problem: string | null
  /** Says goodbye, so that the last will is not sent; publish what shall stay before. */
  close(): Promise<void>
}

export interface MqttSettings {
  /** mqtt:// or mqtts://, with host and port. */
  readonly url: string
  readonly userName: string | null
  readonly password: string | null
  readonly clientId: string
  /** Sent by the broker when we are gone without a goodbye. A function: asked anew for each try to connect. */
  readonly will: MqttMessage | null | (() => MqttMessage)
  /** For mqtts; null: whom Node believes, and nothing to show. */
  readonly tls?: DestinationTls | null
}

export type ConnectMqtt = (settings: MqttSettings) => MqttConnection

/** `+` one level, `#` the rest; neither takes topics that begin with $. */
export function matchesTopic(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false
  const wanted = filter.split('/')
  const given = topic.split('/')
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    const there = given[index]
    if (there === undefined || (level !== '+' && level !== there)) return false
  }
  return wanted.length === given.length
}

export function jsonMessage(topic: string, value: unknown, isRetained: boolean): MqttMessage {
  return { topic, payload: Buffer.from(JSON.stringify(value)), qos: 1, isRetained }
}
