/** The box as a Sparkplug B edge node, on a connection of its own: its last will is the node's death, numbered anew for each try. */
import { asError } from '../../base/index.ts'
import type { Clock, Log } from '../../base/index.ts'
import type { Eui, MqttMessage, Reading, Value } from '../ports.ts'
import type { ConnectMqtt, MqttConnection, MqttSettings } from './connection.ts'
import { decodeMessage } from './protobuf.ts'
import type { Message } from './protobuf.ts'
import { REBIRTH, SPARKPLUG_PAYLOAD, bornNode, connecting, died, newSparkplug, tell } from './sparkplug.ts'
import type { SparkplugState, SparkplugStep } from './sparkplug.ts'

export interface SparkplugNodeParts {
  /** With room for a message per device and one more: births go all at once, in order. */
  readonly connect: ConnectMqtt
  readonly settings: Omit<MqttSettings, 'will'>
  readonly group: string
  readonly node: string
  /** Those that are online, with the last of each value they ever sent. */
  readonly devices: () => readonly { readonly devEui: Eui; readonly values: readonly Value[] }[]
  readonly clock: Clock
  readonly log: Log
}

const MAX_COMMAND_BYTES = 4 * 1024

export class SparkplugNode {
  readonly #parts: SparkplugNodeParts
  readonly #client: MqttConnection
  #state: SparkplugState
  #death: MqttMessage | null = null

  /** Errors: input for a group or node that is no level of a topic. */
  constructor(parts: SparkplugNodeParts) {
    this.#parts = parts
    this.#state = newSparkplug(parts.group, parts.node)
    this.#client = parts.connect({
      ...parts.settings,
      will: () => {
        const { state, will } = connecting(this.#state)
        this.#state = state
        this.#death = will
        return will
      },
    })
    this.#client.subscribe(`spBv1.0/${parts.group}/NCMD/${parts.node}`, (_topic, payload) => this.#commanded(payload))
    this.#client.onState((isConnected) => {
      if (isConnected) this.#bear()
    })
  }

  reading(reading: Reading): void {
    this.#do((state, now) => tell(state, reading, now))
  }

  /** Silent for too long, or removed. It is born again with its next reading. */
  gone(devEui: Eui): void {
    this.#do((state, now) => died(state, devEui, now))
  }

  /** The node's death is said by hand: after a goodbye the broker keeps the will to itself. */
  async close(): Promise<void> {
    if (this.#client.isConnected && this.#death !== null) await this.#client.publish(this.#death).catch((thrown: unknown) => this.#parts.log.debug('no goodbye', { problem: asError(thrown).message }))
    await this.#client.close()
  }

  #bear(): void {
    const devices = this.#parts.devices().filter(({ values }) => values.length > 0)
    this.#do((state, now) => bornNode(state, devices.map(({ devEui, values }) => ({ name: devEui, values })), now))
  }

  #do(step: (state: SparkplugState, nowMs: number) => SparkplugStep): void {
    if (!this.#client.isConnected) return
    const { state, messages } = step(this.#state, this.#parts.clock.wallMs())
    this.#state = state
    for (const message of messages) this.#client.publish(message).catch((thrown: unknown) => this.#parts.log.debug('not sent', { topic: message.topic, problem: asError(thrown).message }))
  }

  /** Only the rebirth is obeyed; the client logs what cannot be read. */
  #commanded(payload: Uint8Array): void {
    if (payload.length > MAX_COMMAND_BYTES) return
    const metrics = decodeMessage(SPARKPLUG_PAYLOAD, payload)['metrics'] as readonly Message[]
    if (metrics.some(({ name, booleanValue }) => name === REBIRTH && booleanValue === true)) this.#bear()
  }
}
