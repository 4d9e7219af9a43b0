/**
 * How guests' frames reach whoever takes payments by the tick: what one device may send, and what waits for those who
 * ask by POST. Sockets are io/stream-sockets.ts. Frames prove themselves; here only the device is known.
 */
import { MeshBoxError, RateLimit, type Cancel, type Clock, type Timers } from '../../base/index.ts'
import type { MacAddress } from '../gate/types.ts'
import type { StreamDoor, StreamMailbox } from '../stream/index.ts'

export const STREAM_PATH = '/stream'
/** Of one message; the frames of an hour paid ahead are two thirds of it. */
export const MAX_STREAM_BYTES = 16_384
/** A page pays each second, and asks again when it lost its way. */
const MESSAGES = { burst: 60, perSecond: 5 }
/** In units of 1 KiB, begun ones whole: two blocks of an hour at once. */
const KIBIBYTES = { burst: 48, perSecond: 6 }
const MAX_MAILBOXES = 512
const MAILBOX_IDLE_MS = 300_000
/** What takes longer comes with the next answer. */
const MAX_WAIT_MS = 1500

export class StreamDesk {
  readonly #door: () => StreamDoor | null
  readonly #clock: Pick<Clock, 'boottimeMs'>
  readonly #timers: Pick<Timers, 'after'>
  readonly #messages = new RateLimit(MESSAGES)
  readonly #kibibytes = new RateLimit(KIBIBYTES)
  /** In the order of last use. */
  readonly #mailboxes = new Map<MacAddress, { readonly box: StreamMailbox; usedMs: number }>()

  constructor(door: () => StreamDoor | null, clock: Pick<Clock, 'boottimeMs'>, timers: Pick<Timers, 'after'>) {
    this.#door = door
    this.#clock = clock
    this.#timers = timers
  }

  get isOpen(): boolean {
    return this.#door() !== null
  }

  /** Takes the message's place under the limits. 0 when it may pass, else the seconds to wait. */
  admit(mac: MacAddress, bytes: number): number {
    const nowMs = this.#clock.boottimeMs()
    let wait = this.#messages.take(mac, nowMs)
    for (let kibibytes = Math.ceil(bytes / 1024); kibibytes > 0 && wait === 0; kibibytes--) wait = this.#kibibytes.take(mac, nowMs)
    return wait
  }

  /** For a message that was admitted. */
  receive(peer: Parameters<StreamDoor['receive']>[0], bytes: Uint8Array): void {
    this.#door()?.receive(peer, bytes)
  }

  /** A guest's POST: his frames in, what waits for him out. Errors: not-found; limit `too-many-requests`. */
  async exchange(mac: MacAddress, bytes: Uint8Array): Promise<Uint8Array> {
    const door = this.#door()
    if (door === null) throw new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' })
    const wait = this.admit(mac, bytes.length)
    if (wait > 0) throw new MeshBoxError('limit', `too many messages; wait ${wait} s`, { code: 'too-many-requests', retryAfterSeconds: wait })
    const box = this.#mailboxOf(door, mac)
    if (bytes.length > 0) {
      door.receive(box, bytes)
      let cancel: Cancel = () => undefined
      const patience = new Promise<void>((resolve) => {
        cancel = this.#timers.after(MAX_WAIT_MS, resolve)
      })
      await Promise.race([door.quiet(), patience])
      cancel()
    }
    return box.take()
  }

  #mailboxOf(door: StreamDoor, mac: MacAddress): StreamMailbox {
    const nowMs = this.#clock.boottimeMs()
    const known = this.#mailboxes.get(mac)
    this.#mailboxes.delete(mac)
    for (const [other, { usedMs }] of this.#mailboxes) {
      if (this.#mailboxes.size < MAX_MAILBOXES && nowMs - usedMs < MAILBOX_IDLE_MS) break
      this.#mailboxes.delete(other)
    }
    const box = known?.box ?? door.mailbox(mac)
    this.#mailboxes.set(mac, { box, usedMs: nowMs })
    return box
  }
}
