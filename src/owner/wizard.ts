/**
 * The first-run wizard: name, price, network, packages and password in one step.
 *
 * Order and repeat: the configuration is checked and saved first, the password is set last. Only the
 * password turns the box from "fresh" to "owned", so whatever stops the wizard half-way leaves a fresh
 * box, and doing it again gives the same result. One runs at a time; a second one that comes with the same
 * set-up code and the same password (a double click, a lost answer) is logged in like the first.
 */
import { MeshBoxError, formatAmount, inputError } from '../base/index.ts'
import type { OwnerPassword } from '../identity/index.ts'
import type { OwnerAccess, Entered } from './access.ts'
import type { ReloadReportJson } from './api/amounts.ts'
import type { SetupForm, SetupRequest } from './api/login.ts'
import { minutesPerToken, priceOfMinutesPerToken } from './money.ts'
import type { ConfigEditor } from './config-editor.ts'
import type { ConfigDoor } from './ports.ts'
import { packagePresets, packagesOfPreset } from './presets.ts'

/** What identity's OwnerPassword demands. */
const PASSWORD_MIN_LENGTH = 10

export class Wizard {
  readonly #access: OwnerAccess
  readonly #password: OwnerPassword
  readonly #config: ConfigDoor
  readonly #editor: ConfigEditor
  #running: Promise<unknown> = Promise.resolve()

  constructor(access: OwnerAccess, password: OwnerPassword, config: ConfigDoor, editor: ConfigEditor) {
    this.#access = access
    this.#password = password
    this.#config = config
    this.#editor = editor
  }

  form(interfaces: readonly string[]): SetupForm {
    const { main, token, tariff, hotspot } = this.#config.current()
    return {
      name: main.name,
      token: { symbol: token.symbol, decimals: token.decimals },
      minutesPerToken: minutesPerToken(tariff.pricePerMinute, token.decimals),
      guestInterface: hotspot.guestInterface,
      interfaces,
      presets: packagePresets(),
      passwordMinLength: PASSWORD_MIN_LENGTH,
    }
  }

  /**
   * Errors: unauthorized `wrong-setup-code`; limit `too-many-tries`; conflict `already-set-up`; input with
   * the field that is wrong, nothing changed.
   */
  async run(address: string, request: SetupRequest): Promise<Entered & { readonly reload: ReloadReportJson }> {
    const before = this.#running
    const mine = (async () => {
      await before.catch(() => undefined) // the one before answers its own caller
      return this.#runOne(address, request)
    })()
    this.#running = mine
    return mine
  }

  async #runOne(address: string, request: SetupRequest): Promise<Entered & { readonly reload: ReloadReportJson }> {
    await this.#access.braked(address, () => this.#checkCode(request))
    if (!this.#access.isUnclaimed) return { ...this.#access.enter(request.browserWallMs), reload: { applied: [], needsRestart: [] } }
    if ([...request.password].length < PASSWORD_MIN_LENGTH)
      throw inputError('password', '(hidden)', `at least ${PASSWORD_MIN_LENGTH} characters`)
    const { token } = this.#config.current()
    const pricePerMinute = priceOfMinutesPerToken(request.minutesPerToken, token.decimals)
    const packages = packagesOfPreset(request.packages, pricePerMinute, token.decimals)
    const reload = await this.#editor.change({
      name: request.name,
      tariff: { pricePerMinute: formatAmount(pricePerMinute, token.decimals) },
      ...(request.guestInterface === undefined ? {} : { guestNetwork: { guestInterface: request.guestInterface } }),
      ...(packages === null ? {} : { packages }),
    })
    await this.#access.setPassword(request.password)
    return { ...this.#access.enter(request.browserWallMs), reload }
  }

  async #checkCode(request: SetupRequest): Promise<void> {
    const isCodeRight = this.#access.firstRun.isRight(request.setupCode)
    if (this.#access.isUnclaimed) {
      if (!isCodeRight)
        throw new MeshBoxError('unauthorized', 'this is not the set-up code; it is in the log and in `meshbox status` on the box', {
          code: 'wrong-setup-code',
          field: 'setupCode',
        })
      return
    }
    if (!isCodeRight || !(await this.#password.verify(request.password)))
      throw new MeshBoxError('conflict', 'this box already has an owner; log in', { code: 'already-set-up' })
  }
}
