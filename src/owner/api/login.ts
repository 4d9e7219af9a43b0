/** Logging in, the first-run wizard, and the password. */
import type { ReloadReportJson, TokenJson } from './amounts.ts'

export interface LoginState {
  /** `setup`: no password yet, only the wizard works. `login`: ask for the password. `in`: go on. */
  readonly state: 'setup' | 'login' | 'in'
  readonly name: string
  /** Only when `in`: goes into CSRF_HEADER. */
  readonly csrf?: string
  /** Minutes without a request after which the login ends. */
  readonly idleMinutes?: number
}

export interface LoginRequest {
  readonly password: string
  /** The browser's clock; one of the sources that make the box's wall clock trusted. */
  readonly browserWallMs?: number
}

export interface PasswordChange {
  readonly current: string
  readonly next: string
}

/** What the wizard shows before the owner typed anything. */
export interface SetupForm {
  readonly name: string
  readonly token: TokenJson
  /** Minutes one token buys now, as a decimal text; null when time is not sold singly. */
  readonly minutesPerToken: string | null
  /** Interfaces of the box that could be the guest network; `guestInterface` is the configured one. */
  readonly guestInterface: string
  readonly interfaces: readonly string[]
  readonly presets: readonly PackagePreset[]
  readonly passwordMinLength: number
}

export interface PackagePreset {
  readonly id: PackagePresetId
  readonly label: string
  readonly packages: readonly { readonly label: string; readonly seconds: number | null; readonly bytes: number | null }[]
}
/** `keep`: leave the configured packages alone. */
export type PackagePresetId = 'keep' | 'cafe' | 'kiosk' | 'guesthouse'

export interface SetupRequest {
  /** Printed in the log at start and by `meshbox status` on the box: proof that the box is yours. */
  readonly setupCode: string
  readonly name: string
  /** "1 token = 10 minutes". 0 = time is not sold singly, only packages. */
  readonly minutesPerToken: number
  readonly guestInterface?: string
  readonly password: string
  readonly packages: PackagePresetId
  readonly browserWallMs?: number
}

/** The wizard logs its owner in at once. */
export type SetupReply = LoginState & { readonly reload: ReloadReportJson }
