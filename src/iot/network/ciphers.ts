/**
 * Session keys of the devices that spoke last, read and unsealed. One session's hold less than half a KiB; a miss costs a row of the disk and two
 * to four seals.
 */
import type { SessionCiphers } from '../lorawan/index.ts'

const CIPHERS_KEPT = 2_048

interface Opened {
  readonly session: number
  readonly ciphers: SessionCiphers
  /** 1.1: a session that was offered, beside the one in use. */
  readonly other: Opened | null
}

export class CipherCache {
  readonly #most: number
  /** By device; in order of use, oldest first. */
  readonly #kept = new Map<string, Opened>()

  constructor(most = CIPHERS_KEPT) {
    this.#most = most
  }

  /** Devices. */
  get size(): number {
    return this.#kept.size
  }

  /** `session` is another number after each join: keys of the one before are never taken for the new ones. Undefined: not kept. */
  get(devEui: string, session: number): SessionCiphers | undefined {
    const kept = this.#kept.get(devEui)
    if (kept === undefined) return undefined
    // Their order matters only when some will have to go.
    if (this.#kept.size > this.#most / 2) {
      this.#kept.delete(devEui)
      this.#kept.set(devEui, kept)
    }
    return kept.session === session ? kept.ciphers : kept.other?.session === session ? kept.other.ciphers : undefined
  }

  put(devEui: string, session: number, ciphers: SessionCiphers): void {
    const before = this.#kept.get(devEui)
    this.#kept.delete(devEui)
    this.#kept.set(devEui, { session, ciphers, other: before === undefined ? null : { ...before, other: null } })
    if (this.#kept.size > this.#most) for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      break
    }
  }

  forget(devEui: string): void {
    this.#kept.delete(devEui)
  }
}
