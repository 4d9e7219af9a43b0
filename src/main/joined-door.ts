/**
 * Payments' door to other boxes made of two: the mesh's node, whose boxes are found without an address, and libp2p of its own,
 * which dials the addresses that the owner named. Both may have the same partner. Frames go by the one that had it first, for as
 * long as it has it, so that they stay in order; they are taken from both. When that one loses it and the other has it, the
 * partner is told gone and come again: what was lost in between is asked for. docs/photon.md, docs/mesh.md "Payments"
 */
import type { Address, Cancel } from '../base/index.ts'
import type { PacedTransport } from '../photon/node/index.ts'
import type { PeerDoor } from '../photon/index.ts'

export interface JoinedDoorParts {
  /** Dialled by nobody: who is in the mesh is found there. */
  readonly mesh: PacedTransport & {
    /** Partners from now on. */
    open(): void
    close(): void
  }
  /** Dials and listens. */
  readonly own: PeerDoor
}

export class JoinedDoor implements PeerDoor {
  readonly self: Address
  readonly #parts: JoinedDoorParts
  readonly #doors: readonly PacedTransport[]
  /** Doors that have the partner, the one by which frames go first. */
  readonly #places = new Map<Address, PacedTransport[]>()
  readonly #paused = new Set<Address>()
  readonly #frames = new Set<(from: Address, frame: Uint8Array) => void>()
  readonly #connected = new Set<(peer: Address) => void>()
  readonly #gone = new Set<(peer: Address) => void>()
  readonly #cancels: Cancel[]

  constructor(parts: JoinedDoorParts) {
    this.self = parts.own.self
    this.#parts = parts
    this.#doors = [parts.mesh, parts.own]
    this.#cancels = this.#doors.flatMap((door) => [
      door.onFrame((from, frame) => {
        if (this.#places.get(from)?.includes(door) === true) tell(this.#frames, (listener) => listener(from, frame))
      }),
      door.onConnected((peer) => this.#came(door, peer)),
      door.onDisconnected((peer) => this.#went(door, peer)),
    ])
  }

  /** The mesh's side is there at once; errors are those of the other one, which may be started again. */
  async start(): Promise<void> {
    this.#parts.mesh.open()
    await this.#parts.own.start()
  }

  /** Where it can be dialled. */
  addresses(): readonly string[] {
    return this.#parts.own.addresses()
  }

  dial(address: string): Promise<void> {
    return this.#parts.own.dial(address)
  }

  async close(): Promise<void> {
    this.#parts.mesh.close()
    await this.#parts.own.close()
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  send(to: Address, frame: Uint8Array): boolean {
    return this.#places.get(to)?.[0]?.send(to, frame) ?? false
  }

  pause(peer: Address): void {
    this.#paused.add(peer)
    for (const door of this.#places.get(peer) ?? []) door.pause(peer)
  }

  resume(peer: Address): void {
    this.#paused.delete(peer)
    for (const door of this.#places.get(peer) ?? []) door.resume(peer)
  }

  disconnect(peer: Address, reason: string): void {
    for (const door of [...(this.#places.get(peer) ?? [])]) door.disconnect(peer, reason)
  }

  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel {
    return added(this.#frames, listener)
  }

  onConnected(listener: (peer: Address) => void): Cancel {
    return added(this.#connected, listener)
  }

  onDisconnected(listener: (peer: Address) => void): Cancel {
    return added(this.#gone, listener)
  }

  #came(door: PacedTransport, peer: Address): void {
    const places = this.#places.get(peer)
    if (this.#paused.has(peer)) door.pause(peer)
    if (places?.includes(door) === true) return
    if (places !== undefined) return void places.push(door)
    this.#places.set(peer, [door])
    tell(this.#connected, (listener) => listener(peer))
  }

  #went(door: PacedTransport, peer: Address): void {
    const places = this.#places.get(peer)
    const at = places?.indexOf(door) ?? -1
    if (places === undefined || at < 0) return
    places.splice(at, 1)
    if (at > 0) return // frames went by another one
    const rest = [...places]
    this.#places.delete(peer)
    this.#paused.delete(peer)
    tell(this.#gone, (listener) => listener(peer))
    if (rest.length === 0) return
    for (const other of rest) other.resume(peer)
    this.#places.set(peer, rest)
    tell(this.#connected, (listener) => listener(peer))
  }
}

function tell<T>(listeners: ReadonlySet<T>, say: (listener: T) => void): void {
  for (const listener of listeners) say(listener)
}

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}
