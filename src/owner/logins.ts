/**
 * Who is logged in on the dashboard. A login is a random 256-bit token, held here only as its SHA-256,
 * with its own CSRF token. Bounded; ends after a time without requests, and in any case after a week.
 * Kept in memory only: a restart of the service logs everybody out. Time is the boot clock.
 */
import { createHash } from 'node:crypto'
import { equalBytesConstantTime, toBase64Url, utf8 } from '../base/index.ts'
import type { Clock, Randomness } from '../base/index.ts'

export const MAX_LOGINS = 16
const TOKEN_BYTES = 32
const MAX_AGE_MS = 7 * 24 * 3600_000
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/

interface Login {
  readonly csrf: string
  readonly sinceMs: number
  usedMs: number
}

export interface NewLogin {
  /** For the cookie; not kept here. */
  readonly token: string
  readonly csrf: string
}

export class Logins {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #idleMs: () => number
  readonly #byHash = new Map<string, Login>()

  /** `idleMinutes` is asked at each use, so that a reload changes it. */
  constructor(clock: Clock, randomness: Randomness, idleMinutes: () => number) {
    this.#clock = clock
    this.#randomness = randomness
    this.#idleMs = () => idleMinutes() * 60_000
  }

  /** When the table is full, the login unused for longest ends. */
  open(): NewLogin {
    this.#sweep()
    if (this.#byHash.size >= MAX_LOGINS) {
      let oldest: string | undefined
      let usedMs = Number.POSITIVE_INFINITY
      for (const [hash, login] of this.#byHash) if (login.usedMs < usedMs) [oldest, usedMs] = [hash, login.usedMs]
      if (oldest !== undefined) this.#byHash.delete(oldest)
    }
    const token = toBase64Url(this.#randomness.bytes(TOKEN_BYTES))
    const csrf = toBase64Url(this.#randomness.bytes(TOKEN_BYTES))
    const now = this.#clock.boottimeMs()
    this.#byHash.set(hashOf(token), { csrf, sinceMs: now, usedMs: now })
    return { token, csrf }
  }

  /**
   * The CSRF token of a live login, or null. `background` requests (the dashboard refreshing itself) do
   * not count as use, so a forgotten open tab is logged out too.
   */
  use(token: string | undefined, background = false): { csrf: string } | null {
    if (token === undefined || !TOKEN_FORM.test(token)) return null
    const hash = hashOf(token)
    const login = this.#byHash.get(hash)
    if (!login) return null
    const now = this.#clock.boottimeMs()
    if (this.#isOver(login, now)) {
      this.#byHash.delete(hash)
      return null
    }
    if (!background) login.usedMs = now
    return { csrf: login.csrf }
  }

  close(token: string | undefined): void {
    if (token !== undefined && TOKEN_FORM.test(token)) this.#byHash.delete(hashOf(token))
  }

  /** After a change of the password: every other login ends. */
  closeAll(): void {
    this.#byHash.clear()
  }

  get size(): number {
    return this.#byHash.size
  }

  #isOver(login: Login, now: number): boolean {
    return now - login.usedMs > this.#idleMs() || now - login.sinceMs > MAX_AGE_MS
  }

  #sweep(): void {
    const now = this.#clock.boottimeMs()
    for (const [hash, login] of this.#byHash) if (this.#isOver(login, now)) this.#byHash.delete(hash)
  }
}

/** Does the header carry this login's CSRF token? Constant time. */
export function isCsrfRight(expected: string, given: string | undefined): boolean {
  return given !== undefined && equalBytesConstantTime(utf8(expected), utf8(given))
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
