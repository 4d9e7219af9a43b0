/** What leaves by MQTT, and what waits until it can. Made by mqtt/ and late/. */
import type { Cancel } from '../../base/index.ts'

// ---- mqtt/

export interface MqttClient {
  readonly isConnected: boolean
  /** Resolves when the broker has it (QoS 1) or it is written (QoS 0). Errors: unavailable when not connected, limit when 1,000 wait. */
  publish(message: MqttMessage): Promise<void>
  /** `isRetained`: the broker keeps the message for who comes later. One of 3.1.1 says so only of those kept from before. */
  subscribe(filter: string, listener: (topic: string, payload: Uint8Array, isRetained: boolean) => void): Cancel
  onState(listener: (isConnected: boolean) => void): Cancel
}

export interface MqttMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
  readonly isRetained: boolean
}
