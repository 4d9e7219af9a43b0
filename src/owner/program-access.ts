/**
 * Programs at the owner's door: HTTP basic login with the owner's password (any user name), or a bearer token. The password
 * costs a slow scrypt, so a header that was right is remembered, as a keyed hash, for some minutes and until the password
 * changes. Guesses have a brake of their own, as slow as that of logins: a program with an old password that asks every
 * second must not keep the owner out of his dashboard.
 */
import { createHmac } from 'node:crypto'
import { MeshBoxError, equalBytesConstantTime, utf8 } from '../base/index.ts'
import type { Randomness } from '../base/index.ts'
import type { OwnerAccess } from './access.ts'
import { LoginThrottle } from './login-throttle.ts'

const REMEMBERED_MS = 5 * 60_000
const MAX_REMEMBERED = 8
const MAX_HEADER_CHARS = 1024
const KEY_BYTES = 32
/** Beside those of logins: scrypt needs memory. */
const MAX_CHECKS_AT_ONCE = 1

export interface ProgramAccessParts {
  readonly access: OwnerAccess
  readonly token: string
  readonly boottimeMs: () => number
  readonly randomness: Randomness
}

interface Remembered {
  readonly untilMs: number
  readonly passwordChanges: number
}

export class ProgramAccess {
  readonly #parts: ProgramAccessParts
  /** Of this run only: what is remembered is worth nothing elsewhere. */
  readonly #key: Uint8Array
  readonly #throttle = new LoginThrottle(MAX_CHECKS_AT_ONCE)
  readonly #right = new Map<string, Remembered>()
  /** A program that asks several things at once is checked once. */
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(parts: ProgramAccessParts) {
    this.#parts = parts
    this.#key = parts.randomness.bytes(KEY_BYTES)
  }

  /** `address`: who asks. Errors: unauthorized `not-set-up`, `needs-password`, `wrong-password`; limit `too-many-tries`. */
  async require(address: string, authorization: string | undefined): Promise<void> {
    const { access, token } = this.#parts
    if (access.isUnclaimed) throw new MeshBoxError('unauthorized', 'this box has no owner yet; finish the set-up first', { code: 'not-set-up' })
    const header = authorization !== undefined && authorization.length <= MAX_HEADER_CHARS ? authorization : ''
    const bearer = /^Bearer ([\x21-\x7e]{16,256})$/i.exec(header)?.[1]
    if (bearer !== undefined && equalBytesConstantTime(utf8(token), utf8(bearer))) return
    const password = passwordOf(header)
    if (password === null) throw new MeshBoxError('unauthorized', "give the owner's password as HTTP basic login, or the token in the file photon-token as bearer", { code: 'needs-password' })
    const name = createHmac('sha256', this.#key).update(header).digest('base64')
    if (this.#isRemembered(name)) return
    // Of one address: what another one tries is its own to answer for.
    const checkName = `${address} ${name}`
    const check = this.#underWay.get(checkName) ?? this.#confirm(address, password, name).finally(() => this.#underWay.delete(checkName))
    this.#underWay.set(checkName, check)
    await check
  }

  async #confirm(address: string, password: string, name: string): Promise<void> {
    const { access, boottimeMs } = this.#parts
    const { passwordChanges } = access // before: a change in between makes it worth nothing
    this.#throttle.begin(address, boottimeMs())
    try {
      await access.check(address, password)
    } finally {
      this.#throttle.done()
    }
    this.#throttle.passed(address)
    this.#right.delete(name)
    const [oldest] = this.#right.keys()
    if (this.#right.size >= MAX_REMEMBERED && oldest !== undefined) this.#right.delete(oldest)
    this.#right.set(name, { untilMs: boottimeMs() + REMEMBERED_MS, passwordChanges })
  }

  #isRemembered(name: string): boolean {
    const known = this.#right.get(name)
    if (known === undefined) return false
    if (known.passwordChanges === this.#parts.access.passwordChanges && this.#parts.boottimeMs() < known.untilMs) return true
    this.#right.delete(name)
    return false
  }
}

/** Null: no basic login. The user name is not looked at: a box has one owner. */
function passwordOf(header: string): string | null {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1]
  if (encoded === undefined) return null
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return colon < 0 ? null : decoded.slice(colon + 1)
}
