/**
 * How other boxes are reached, loaded when it is needed: libp2p is 800 KB of code that a box with guests alone never
 * runs. It is in a file of its own beside the service (scripts/bundle.ts).
 */
import { createRequire } from 'node:module'
import type { Address, Cancel, Clock, Log, Timers } from '../base/index.ts'
import type { PeerDoor, PeerDoorTerms } from '../photon/index.ts'
import type { Libp2pTransportOptions } from '../photon/node/io/libp2p-transport.ts'
import { refuseGuests } from './guest-side.ts'

export interface PhotonDoorParts extends PeerDoorTerms {
  /** peer.cjs of the bundle. */
  readonly file: string
  /** 32 bytes. */
  readonly seed: Uint8Array
  readonly listen: { readonly address: string; readonly port: number } | null
  /** Null: this box has none. */
  readonly guestInterface: string | null
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

type Listener = (from: Address, frame: Uint8Array) => void

/** What peer.cjs has. */
interface PeerFile {
  readonly Libp2pTransport: new (options: Libp2pTransportOptions) => PeerDoor
}

export class PhotonDoor implements PeerDoor {
  readonly self: Address
  readonly #parts: PhotonDoorParts
  readonly #frames = new Set<Listener>()
  readonly #connected = new Set<(peer: Address) => void>()
  readonly #gone = new Set<(peer: Address) => void>()
  #real: Promise<PeerDoor> | null = null
  #open: PeerDoor | null = null

  constructor(parts: PhotonDoorParts) {
    this.self = parts.account
    this.#parts = parts
  }

  /** Listens where that is configured; else it waits until somebody is to be dialled. Errors: forbidden `bad-photon-address`; what the network says. */
  async start(): Promise<void> {
    if (this.#parts.listen !== null) await this.#load()
  }

  addresses(): readonly string[] {
    return this.#open?.addresses() ?? []
  }

  async dial(address: string): Promise<void> {
    await (await this.#load()).dial(address)
  }

  async close(): Promise<void> {
    const real = await this.#real?.catch(() => null) // whoever asked for it was told
    this.#open = null
    await real?.close()
  }

  send(to: Address, frame: Uint8Array): boolean {
    return this.#open?.send(to, frame) ?? false
  }

  pause(peer: Address): void {
    this.#open?.pause(peer)
  }

  resume(peer: Address): void {
    this.#open?.resume(peer)
  }

  disconnect(peer: Address, reason: string): void {
    this.#open?.disconnect(peer, reason)
  }

  onFrame(listener: Listener): Cancel {
    return added(this.#frames, listener)
  }

  onConnected(listener: (peer: Address) => void): Cancel {
    return added(this.#connected, listener)
  }

  onDisconnected(listener: (peer: Address) => void): Cancel {
    return added(this.#gone, listener)
  }

  #load(): Promise<PeerDoor> {
    this.#real ??= this.#make().catch((thrown: unknown) => {
      this.#real = null // the next one tries again
      throw thrown
    })
    return this.#real
  }

  async #make(): Promise<PeerDoor> {
    const { file, account, binding, seed, listen, guestInterface, clock, timers, log, maxPeers, keeps } = this.#parts
    if (listen !== null) refuseGuests('photon.listen_address', listen.address, guestInterface)
    const { Libp2pTransport } = createRequire(file)(file) as PeerFile
    const real = new Libp2pTransport({ account, binding, seed, listen: listen === null ? [] : [multiaddrOf(listen)], clock, timers, log, maxPeers, keeps })
    real.onFrame((from, frame) => {
      for (const one of this.#frames) one(from, frame)
    })
    real.onConnected((peer) => {
      for (const one of this.#connected) one(peer)
    })
    real.onDisconnected((peer) => {
      for (const one of this.#gone) one(peer)
    })
    try {
      await real.start()
    } catch (thrown) {
      await real.close()
      throw thrown
    }
    this.#open = real
    return real
  }
}

function multiaddrOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `/${address.includes(':') ? 'ip6' : 'ip4'}/${address}/tcp/${port}`
}

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}
