/**
 * Who may use the dashboard: password, logins, brakes on guessing, and the change from "nobody owns this
 * box" to "it has an owner". Knows nothing of HTTP; the door (io/owner-server.ts) hands in the address of
 * the caller and the token of his cookie.
 */
import { MeshBoxError } from '../base/index.ts'
import type { Clock, Log, Randomness } from '../base/index.ts'
import type { OwnerPassword } from '../identity/index.ts'
import type { LoginRequest, LoginState, PasswordChange } from './api/login.ts'
import { FirstRun } from './first-run.ts'
import { LoginThrottle } from './login-throttle.ts'
import { Logins, isCsrfRight } from './logins.ts'

export interface AccessPorts {
  readonly password: OwnerPassword
  readonly clock: Clock
  readonly randomness: Randomness
  readonly log: Log
  readonly boxName: () => string
  readonly idleMinutes: () => number
  readonly observeOwnerClock: (wallMs: number) => void
}

/** A login just made: `token` goes into the cookie, `state` to the browser. */
export interface Entered {
  readonly token: string
  readonly state: LoginState
}

export class OwnerAccess {
  readonly firstRun: FirstRun
  readonly #ports: AccessPorts
  readonly #logins: Logins
  readonly #throttle = new LoginThrottle()
  #passwordChanges = 0

  constructor(ports: AccessPorts) {
    this.#ports = ports
    this.firstRun = new FirstRun(ports.randomness)
    this.#logins = new Logins(ports.clock, ports.randomness, ports.idleMinutes)
  }

  /** A fresh box: only the wizard works. */
  get isUnclaimed(): boolean {
    return !this.#ports.password.isSet
  }

  /** What was right before a change says nothing after it. */
  get passwordChanges(): number {
    return this.#passwordChanges
  }

  state(token: string | undefined, background = false): LoginState {
    const name = this.#ports.boxName()
    if (this.isUnclaimed) return { state: 'setup', name }
    const login = this.#logins.use(token, background)
    return login === null ? { state: 'login', name } : { state: 'in', name, csrf: login.csrf, idleMinutes: this.#ports.idleMinutes() }
  }

  /**
   * Throws unless `token` is a live login and, for a request that changes something, `csrf` is its own.
   * Errors: unauthorized `not-set-up`, `not-logged-in`; forbidden `bad-csrf`.
   */
  require(token: string | undefined, csrf: { needed: boolean; given: string | undefined }, background: boolean): void {
    if (this.isUnclaimed) throw notSetUp()
    const login = this.#logins.use(token, background)
    if (login === null) throw new MeshBoxError('unauthorized', 'log in first', { code: 'not-logged-in' })
    if (csrf.needed && !isCsrfRight(login.csrf, csrf.given))
      throw new MeshBoxError('forbidden', 'the request does not carry the token of this login; reload the dashboard', { code: 'bad-csrf' })
  }

  /** Errors: unauthorized `not-set-up`, `wrong-password`; limit `too-many-tries`, `password-busy`. */
  async login(address: string, request: LoginRequest): Promise<Entered> {
    if (this.isUnclaimed) throw notSetUp()
    await this.confirm(address, request.password)
    return this.enter(request.browserWallMs)
  }

  /** Throws like `login` unless this is the owner's password; guesses are counted together with logins. */
  async confirm(address: string, password: string): Promise<void> {
    await this.braked(address, () => this.check(address, password))
  }

  /** The same without a brake: whoever calls has its own. Errors: unauthorized `wrong-password`. */
  async check(address: string, password: string): Promise<void> {
    if (await this.#ports.password.verify(password)) return
    this.#ports.log.warn('wrong owner password', { from: address })
    throw new MeshBoxError('unauthorized', 'this is not the password', { code: 'wrong-password', field: 'password' })
  }

  /** Runs a check that may be guessed at; when it throws, that counts as a wrong try. */
  async braked(address: string, check: () => Promise<void>): Promise<void> {
    this.#throttle.begin(address, this.#ports.clock.boottimeMs())
    try {
      await check()
    } finally {
      this.#throttle.done()
    }
    this.#throttle.passed(address)
  }

  /** Opens a login without asking: after the password was confirmed, or was just set by the wizard. */
  enter(browserWallMs?: number): Entered {
    if (browserWallMs !== undefined) this.#ports.observeOwnerClock(browserWallMs)
    const { token } = this.#logins.open()
    return { token, state: this.state(token) }
  }

  logout(token: string | undefined): LoginState {
    this.#logins.close(token)
    return this.state(undefined)
  }

  /** All other logins end. */
  async changePassword(address: string, request: PasswordChange): Promise<Entered> {
    await this.confirm(address, request.current)
    await this.setPassword(request.next)
    return this.enter()
  }

  /** From the box's own console, or by the wizard. All logins end. Errors: input `password`. */
  async setPassword(password: string): Promise<void> {
    await this.#ports.password.set(password)
    this.#passwordChanges++
    this.#logins.closeAll()
    this.#ports.log.info('owner password set')
  }
}

function notSetUp(): MeshBoxError {
  return new MeshBoxError('unauthorized', 'this box has no owner yet; finish the set-up first', { code: 'not-set-up' })
}
