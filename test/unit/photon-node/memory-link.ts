/** Two ends of a connection in this process that the test holds in its hand: it may cut, lose, repeat, delay and forge. */
import type { Address, Cancel } from '../../../src/base/index.ts'
import type { PacedTransport } from '../../../src/photon/node/index.ts'

export class MemoryLink implements PacedTransport {
  readonly self: Address
  peer: MemoryLink | null = null
  /** What becomes of a frame on its way; the frames that arrive. */
  onWay: (frame: Uint8Array) => readonly Uint8Array[] = (frame) => [frame]
  isUp = false
  sent = 0
  paused = 0
  disconnected: string[] = []
  readonly #frames = new Set<(from: Address, frame: Uint8Array) => void>()
  readonly #connected = new Set<(peer: Address) => void>()
  readonly #gone = new Set<(peer: Address) => void>()

  constructor(self: Address) {
    this.self = self
  }

  static join(a: MemoryLink, b: MemoryLink): void {
    a.peer = b
    b.peer = a
    for (const end of [a, b]) end.isUp = true
    for (const end of [a, b]) for (const listener of end.#connected) if (end.peer !== null) listener(end.peer.self)
  }

  cut(): void {
    for (const end of [this, this.peer]) {
      if (end === null || !end.isUp) continue
      end.isUp = false
      for (const listener of end.#gone) if (end.peer !== null) listener(end.peer.self)
    }
  }

  /** As if the peer had said it. */
  hear(from: Address, frame: Uint8Array): void {
    for (const listener of this.#frames) listener(from, frame)
  }

  send(to: Address, frame: Uint8Array): boolean {
    const { peer } = this
    if (!this.isUp || peer === null || peer.self !== to) return false
    this.sent++
    const copies = this.onWay(frame).map((bytes) => bytes.slice())
    setImmediate(() => {
      if (this.isUp) for (const bytes of copies) peer.hear(this.self, bytes)
    })
    return true
  }

  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel {
    this.#frames.add(listener)
    return () => this.#frames.delete(listener)
  }
  onConnected(listener: (peer: Address) => void): Cancel {
    this.#connected.add(listener)
    return () => this.#connected.delete(listener)
  }
  onDisconnected(listener: (peer: Address) => void): Cancel {
    this.#gone.add(listener)
    return () => this.#gone.delete(listener)
  }
  pause(): void {
    this.paused++
  }
  resume(): void {
    this.paused--
  }
  disconnect(_peer: Address, reason: string): void {
    this.disconnected.push(reason)
    this.cut()
  }
}
