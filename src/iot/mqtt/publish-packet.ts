/**
 * PUBLISH as it leaves and PUBACK as it comes, MQTT 3.1.1 (version 4) and 5. Only these two are ours: they are all that a frame costs, and the package
 * that keeps the connection spends several times as much on each. OASIS MQTT 5.0, 3.3 and 3.4.
 *
 *   PUBLISH  0x30 | QoS << 1 | retain, length 1-4, topic 2 + n, id 2 (QoS 1), [5: length of properties 1 = 0], payload
 *   PUBACK   0x40, length 1-4, id 2, [5, when it is not 0: reason 1, properties]
 */
import type { MqttMessage } from '../ports.ts'

const PUBACK = 4
/** What of a broker's PUBACK is waited for; a longer one is for the package, which says what is wrong with it. */
const MAX_PUBACK_BYTES = 1_024

/** `id`: 1 to 65535; not looked at for QoS 0. The topic has at most 65,535 bytes, the payload less than 256 MB: the caller's limits are far below. */
export function publishPacket({ topic, payload, qos, isRetained }: MqttMessage, id: number, version: 4 | 5): Buffer {
  const topicBytes = Buffer.byteLength(topic)
  const length = 2 + topicBytes + (qos === 0 ? 0 : 2) + (version === 5 ? 1 : 0) + payload.length
  const packet = Buffer.allocUnsafe(1 + lengthBytes(length) + length)
  packet[0] = 0x30 | (qos << 1) | (isRetained ? 1 : 0)
  let at = 1
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) packet[at++] = (rest & 0x7f) | 0x80
  packet[at++] = rest
  packet[at++] = topicBytes >> 8
  packet[at++] = topicBytes & 0xff
  at += packet.write(topic, at, 'utf8')
  if (qos !== 0) {
    packet[at++] = id >> 8
    packet[at++] = id & 0xff
  }
  if (version === 5) packet[at++] = 0
  packet.set(payload, at)
  return packet
}

function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4
}

/** Cuts what a broker sends: its PUBACKs are told, everything else goes on as it came. */
export class PubackSieve {
  readonly #acknowledged: (id: number, reason: number) => void
  readonly #others: (bytes: Buffer) => void
  /** The beginning of a packet that is not whole yet; only of a PUBACK or of a head. */
  #held: Buffer | null = null
  /** Bytes of somebody else's packet that are still to come. */
  #passing = 0

  constructor(acknowledged: (id: number, reason: number) => void, others: (bytes: Buffer) => void) {
    this.#acknowledged = acknowledged
    this.#others = others
  }

  take(chunk: Buffer): void {
    const bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = null
    /** Where what is not ours begins. */
    let from = 0
    let at = 0
    while (at < bytes.length) {
      if (this.#passing > 0) {
        const passed = Math.min(this.#passing, bytes.length - at)
        this.#passing -= passed
        at += passed
        continue
      }
      const end = endOf(bytes, at)
      if (end === null) break
      if ((bytes[at] ?? 0) >> 4 !== PUBACK || end - at > MAX_PUBACK_BYTES) {
        this.#passing = end - at
        continue
      }
      if (end > bytes.length) break
      if (at > from) this.#others(bytes.subarray(from, at))
      let body = at + 1
      while ((bytes[body] ?? 0) > 0x7f) body++
      body++
      this.#acknowledged((bytes[body] ?? 0) * 256 + (bytes[body + 1] ?? 0), end > body + 2 ? (bytes[body + 2] ?? 0) : 0)
      at = from = end
    }
    if (at > from) this.#others(bytes.subarray(from, at))
    if (at < bytes.length) this.#held = Buffer.from(bytes.subarray(at))
  }
}

/** Where the packet at `at` ends; null: its length is not there yet. A length of more than four bytes counts as one that ends there: the package refuses it. */
function endOf(bytes: Uint8Array, at: number): number | null {
  let length = 0
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + 1 + index]
    if (byte === undefined) return null
    length += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) return at + 2 + index + length
  }
  return at + 5
}
