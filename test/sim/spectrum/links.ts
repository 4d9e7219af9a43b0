/** Wires between simulated boxes: each direction delays, loses, breaks. Messages are the bytes of real blocks and nodes. */
import { encodeBody } from '../../../src/spectrum/codec/body.ts'
import { encodeHeader, hashHeader } from '../../../src/spectrum/codec/header.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { Block, ChainSource, SourceHead, SourceListener } from '../../../src/spectrum/ports.ts'
import { native } from '../../unit/spectrum/curves.ts'
import type { SimTime } from '../../unit/spectrum-sync/sim-time.ts'

/** What a box answers to others. */
export interface Station {
  readonly id: string
  isUp(): boolean
  head(): SourceHead
  headers(from: Hash | number, count: number): readonly Uint8Array[]
  bodies(hashes: readonly Hash[]): readonly (Uint8Array | null)[]
  nodes(hashes: readonly Hash[]): readonly Uint8Array[]
  listener(): SourceListener
}

export interface Weather {
  /** One way; null: lost. */
  delayMs(): number | null
}

/** One box as another sees it. */
export class Wire implements ChainSource {
  readonly kind = 'eth63' as const
  readonly id: string
  /** The same wire as seen from the other end. */
  other: Wire | null = null
  isOpen = true
  readonly #owner: Station
  readonly #peer: Station
  readonly #time: SimTime
  readonly #weather: Weather
  #head: SourceHead
  readonly #pending = new Set<() => void>()

  constructor(owner: Station, peer: Station, time: SimTime, weather: Weather) {
    this.id = peer.id
    this.#owner = owner
    this.#peer = peer
    this.#time = time
    this.#weather = weather
    this.#head = peer.head() // the handshake
  }

  head(): SourceHead {
    return this.#head
  }
  headers(from: Hash | number, count: number): Promise<readonly Uint8Array[]> {
    return this.#ask(() => this.#peer.headers(from, count))
  }
  bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#ask(() => this.#peer.bodies(hashes))
  }
  nodes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
    return this.#ask(() => this.#peer.nodes(hashes))
  }
  receipts(hashes: readonly Hash[]): Promise<readonly null[]> {
    return Promise.resolve(hashes.map(() => null))
  }
  sendTransactions(): void {
    throw new Error('nothing here has transactions')
  }

  announceBlock(block: Block, totalDifficulty: bigint): void {
    this.#send(() => this.other?.hear(block, totalDifficulty))
  }

  /** A block comes in from the peer. */
  hear(block: Block, totalDifficulty: bigint): void {
    if (!this.isOpen || !this.#owner.isUp()) return
    const header = encodeHeader(block.header)
    this.#head = { hash: hashHeader(native, block.header), number: null, totalDifficulty }
    this.#owner.listener().blockPushed(this, header, encodeBody(block.body), totalDifficulty)
    this.#owner.listener().headChanged(this)
  }

  close(reason: string): void {
    this.cut(reason)
    this.other?.cut(`the other end: ${reason}`)
  }

  cut(reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const fail of this.#pending) fail()
    this.#pending.clear()
    if (this.#owner.isUp()) this.#owner.listener().closed(this, reason)
  }

  #ask<T>(answer: () => T): Promise<T> {
    if (!this.isOpen) return Promise.reject(new Error('closed'))
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('closed while asked'))
      this.#pending.add(fail)
      this.#send(() => {
        const answered = answer()
        this.other?.reply(() => {
          this.#pending.delete(fail)
          resolve(answered)
        })
      })
    })
  }

  reply(deliver: () => void): void {
    this.#send(deliver)
  }

  #send(deliver: () => void): void {
    const delayMs = this.#weather.delayMs()
    if (delayMs === null || !this.isOpen) return
    this.#time.after(delayMs, () => {
      if (this.isOpen && this.#peer.isUp()) deliver()
    })
  }
}
