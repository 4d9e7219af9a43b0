/**
 * Session keys of the devices that spoke last, read and unsealed. One session's hold less than half a KiB; a miss costs a row of the disk and two
 * to four seals.
 */
import type { SessionCiphers } from '../lorawan/index.ts'

const CIPHERS_KEPT = 2_048

export class CipherCache {
  readonly #most: number
  /** In order of use, oldest first. */
  readonly #kept = new Map<string, SessionCiphers>()

  constructor(most = CIPHERS_KEPT) {
    this.#most = most
  }

  get size(): number {
    return this.#kept.size
  }

  /** `session` is another number after each join: keys of the one before are never taken for the new ones. */
  of(devEui: string, session: number, open: () => SessionCiphers): SessionCiphers {
    const name = `${devEui}/${session}`
    const ciphers = this.#kept.get(name) ?? open()
    this.#kept.delete(name)
    this.#kept.set(name, ciphers)
    if (this.#kept.size > this.#most) for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      break
    }
    return ciphers
  }

  forget(devEui: string): void {
    for (const name of this.#kept.keys()) if (name.startsWith(`${devEui}/`)) this.#kept.delete(name)
  }
}
