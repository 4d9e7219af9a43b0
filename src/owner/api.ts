/**
 * The owner's API: every request and answer as JSON, and the table of routes. Shared as types with the
 * dashboard's browser code and used as values by both doors (the owner listener and the control socket).
 *
 * Rules: amounts are `Money` in answers and decimal token text ("0.5") in requests, never JS numbers;
 * times are milliseconds since 1970 (`…WallMs`) or seconds (`…Seconds`); errors are `PublicError` of
 * base with the HTTP status of their kind. This file imports types only, so that it costs the browser
 * nothing. docs/owner-api.md explains it for people.
 */
import type { PublicError } from '../base/index.ts'

export type { PublicError }

/** Header that carries `LoginState.csrf` on every request that is not GET. */
export const CSRF_HEADER = 'x-meshbox-csrf'
export const SESSION_COOKIE = 'meshbox_owner'

/** An amount: exact smallest units as decimal text (maybe with `-`), and the same in tokens, "1.5". */
export interface Money {
  readonly units: string
  readonly text: string
}

// ---------------------------------------------------------------- login and first run

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

// ---------------------------------------------------------------- status

export interface TokenJson {
  readonly symbol: string
  readonly decimals: number
}

export type Level = 'ok' | 'warn' | 'bad'

export interface StatusJson {
  readonly name: string
  readonly version: string
  readonly roles: readonly string[]
  readonly address: string
  /** Of the service. */
  readonly uptimeSeconds: number
  /** Of the machine. */
  readonly bootUptimeSeconds: number
  readonly clock: { readonly wallMs: number; readonly trusted: boolean; readonly sources: readonly string[] }
  /** One line per part, worst first: what to show as box health. */
  readonly health: readonly HealthLine[]
  readonly gate: {
    readonly state: 'ready' | 'recording' | 'degraded' | 'down'
    readonly reason?: string
    readonly repairs: number
    readonly devices: number
  }
  readonly store: {
    readonly turns: number
    readonly commits: number
    readonly failedCommits: number
    readonly fileBytes: number
    readonly walBytes: number
  }
  readonly option114: { readonly state: 'announced' | 'withheld'; readonly reason: string }
  readonly sessions: { readonly active: number; readonly paused: number; readonly total: number }
  readonly vouchersUnused: number
  readonly alarms: readonly AlarmJson[]
  readonly facts: SystemFacts
  readonly setup: { readonly passwordSet: boolean; readonly recoveryWordsShown: boolean }
  /** Only over the control socket, only while no password is set. */
  readonly setupCode?: string
}

export interface HealthLine {
  readonly part: 'gate' | 'store' | 'dnsmasq' | 'clock' | 'disk' | 'memory' | 'portal-tls' | 'setup' | 'backup'
  readonly level: Level
  readonly text: string
  /** What to do about it, when there is something to do. */
  readonly advice?: string
}

export interface AlarmJson {
  readonly kind: 'repaired' | 'degraded' | 'duplicate-mac' | 'forged-address'
  readonly detail: string
  readonly mac?: string
  readonly wallMs: number
}

/** What the machine says about itself; null where the system does not tell. */
export interface SystemFacts {
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null
  readonly memory: {
    readonly rssBytes: number
    readonly rssAnonBytes: number | null
    readonly heapUsedBytes: number
    readonly machineTotalBytes: number
    readonly machineFreeBytes: number
  }
  /** 1, 5, 15 minutes. */
  readonly load: readonly [number, number, number]
  readonly cpus: number
  readonly eventLoopLag: { readonly meanMs: number; readonly p99Ms: number; readonly maxMs: number }
  readonly dnsmasq: { readonly state: 'running' | 'missing' | 'not-used'; readonly detail: string }
  readonly runtime: string
  readonly kernel: string
  readonly architecture: string
}

export interface LogEventJson {
  readonly id: number
  readonly wallMs: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly line: string
}
export interface LogJson {
  readonly events: readonly LogEventJson[]
  /** Lines that fell out of the ring since the service started. */
  readonly dropped: number
}

// ---------------------------------------------------------------- sessions

export type SessionAction = 'kick' | 'pause' | 'resume' | 'extend' | 'refund'

export interface SessionJson {
  readonly id: string
  readonly state: 'quoted' | 'preflight' | 'received' | 'journaled' | 'gate-open' | 'active' | 'paused' | 'ended' | 'credited'
  readonly endReason: string | null
  readonly pauseReason: 'guest' | 'owner' | 'idle' | 'restart' | null
  readonly source: 'voucher' | 'trial' | 'owner'
  readonly label: string
  /** null = not limited by time (or by bytes). */
  readonly secondsLeft: number | null
  readonly bytesLeft: number | null
  readonly secondsUsed: number
  readonly upBytes: number
  readonly downBytes: number
  readonly devices: readonly { readonly mac: string; readonly ip4: string | null }[]
  readonly devicesMax: number
  readonly paid: Money
  readonly refunded: Money
  readonly startedWallMs: number
  readonly startedWallTrusted: boolean
  /** What may be asked of it now. */
  readonly actions: readonly SessionAction[]
}

export interface SessionsQuery {
  /** `open` (default): running, paused or being opened. */
  readonly state?: 'open' | 'all'
  /** Only those whose id, label, MAC or IPv4 contains this text. */
  readonly find?: string
  /** 1–500, default 100. */
  readonly limit?: number
  /** Page on: the last id of the page before. */
  readonly beforeId?: string
}
export interface SessionsJson {
  readonly sessions: readonly SessionJson[]
  /** Give it as `beforeId` for the next page; null on the last page. */
  readonly nextBeforeId: string | null
}
/** At least one of the two, above 0. At most 366 days and 1 TiB. */
export interface ExtendRequest {
  readonly seconds?: number
  readonly bytes?: number
}
export interface RefundReply {
  readonly session: SessionJson
  readonly refunded: Money
}

// ---------------------------------------------------------------- vouchers

export interface VoucherJson {
  readonly id: string
  readonly batch: string
  readonly label: string
  /** `ABCDE-FGHJK`: worth money; never log it. */
  readonly code: string
  readonly state: 'unused' | 'used' | 'revoked'
  readonly sessionId: string | null
  readonly createdWallMs: number
  readonly seconds: number | null
  readonly bytes: number | null
  readonly devices: number
  readonly price: Money
  /** `YYYY-MM-DD`, the last day it may be first used; null = no end. */
  readonly validUntil: string | null
}
export interface VouchersQuery {
  readonly batch?: string
  readonly state?: 'unused' | 'used' | 'revoked'
  /** 1–1000, default 100. */
  readonly limit?: number
  readonly offset?: number
}
export interface VouchersJson {
  readonly vouchers: readonly VoucherJson[]
  /** Offset of the next page; null on the last page. */
  readonly nextOffset: number | null
}
/** One printing run, newest first. */
export interface VoucherBatchJson {
  readonly batch: string
  readonly label: string
  readonly createdWallMs: number
  readonly count: number
  readonly unused: number
  readonly used: number
  readonly revoked: number
  readonly price: Money
}
export interface VoucherBatchesJson {
  readonly batches: readonly VoucherBatchJson[]
}
export interface VoucherCreateRequest {
  readonly packageId: string
  /** 1–1000. */
  readonly count: number
  /** `YYYY-MM-DD`. */
  readonly validUntil?: string
  /** Label on the sheet, 1–48 characters; default: the package's. */
  readonly note?: string
}
export interface VoucherCreateReply {
  readonly batch: string
  readonly vouchers: readonly VoucherJson[]
}
/** Exactly one of the three. */
export interface VoucherRevokeRequest {
  readonly id?: string
  readonly code?: string
  readonly batch?: string
}
export interface VoucherRevokeReply {
  readonly revoked: number
}

// ---------------------------------------------------------------- tariff

export interface TariffJson {
  readonly token: TokenJson
  readonly pricePerMinute: Money
  readonly pricePerMib: Money
  /** "10" for "1 token = 10 minutes", at most 6 digits after the point; null when time is not sold singly. */
  readonly minutesPerToken: string | null
  readonly trialMinutes: number
  readonly trialMib: number | null
  readonly downKbps: number | null
  readonly upKbps: number | null
  readonly packages: readonly PackageJson[]
  readonly happyHours: readonly HappyHourJson[]
  readonly happyHourNow: { readonly label: string; readonly discountPercent: number } | null
}
export interface PackageJson {
  readonly id: string
  readonly slot: number
  readonly label: string
  readonly seconds: number | null
  readonly bytes: number | null
  readonly price: Money
  readonly devices: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  readonly offered: boolean
}
export interface HappyHourJson {
  readonly id: string
  readonly label: string
  readonly basis: 'clock' | 'uptime'
  readonly fromMinute: number
  readonly toMinute: number
  readonly days: readonly Weekday[]
  readonly discountPercent: number
}
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** Only what is given changes. A list, when given, replaces the whole list. Prices in tokens: "0.5". */
export interface TariffChange {
  readonly pricePerMinute?: string
  readonly pricePerMib?: string
  readonly trialMinutes?: number
  readonly trialMib?: number | null
  readonly downKbps?: number | null
  readonly upKbps?: number | null
  readonly packages?: readonly PackageChange[]
  readonly happyHours?: readonly HappyHourJson[]
}
/** `slot` may be left out for a new package: the lowest free one is taken. */
export type PackageChange = Omit<PackageJson, 'price' | 'slot'> & { readonly price: string; readonly slot?: number }

export interface ReloadReportJson {
  /** Options (`section.option`) in force now. */
  readonly applied: readonly string[]
  /** Options that are saved and need a restart of the service. */
  readonly needsRestart: readonly string[]
}
export interface TariffReply {
  readonly tariff: TariffJson
  readonly reload: ReloadReportJson
}

// ---------------------------------------------------------------- earnings

export interface EarningsQuery {
  /** Days in the plot, 1–366, default 30. */
  readonly days?: number
}
export interface EarningsJson {
  readonly token: TokenJson
  readonly clockTrusted: boolean
  /** `YYYY-MM-DD` (UTC), or `boot:…` while the clock is not trusted. */
  readonly today: string
  readonly earnedToday: EarningSum
  readonly earnedMonth: EarningSum
  readonly earnedTotal: EarningSum
  readonly bySource: readonly {
    readonly source: string
    readonly today: EarningSum
    readonly month: EarningSum
    readonly total: EarningSum
  }[]
  /** Oldest first, every day of the range, also days without earnings; for the plot. */
  readonly days: readonly EarningDay[]
  /** Days counted while the clock was not trusted (`boot:…`), newest last. */
  readonly undatedDays: readonly EarningDay[]
  readonly accounts: readonly { readonly account: string; readonly balance: Money }[]
  /** Earned in tokens that are not the configured one. */
  readonly otherTokens: readonly { readonly token: string; readonly units: string }[]
}
export interface EarningSum {
  /** All that guests paid, refunds taken off. */
  readonly all: Money
  /** The owner's part after the shares. */
  readonly owner: Money
  readonly entries: number
}
export interface EarningDay {
  readonly day: string
  readonly all: Money
  readonly owner: Money
  readonly bySource: readonly { readonly source: string; readonly all: Money }[]
}

export interface EntriesQuery {
  readonly afterId?: number
  /** 1–500, default 100. */
  readonly limit?: number
}
export interface EntriesJson {
  readonly entries: readonly EntryJson[]
  /** Give it as `afterId` for the next page; null on the last page. */
  readonly nextAfterId: number | null
}
export interface EntryJson {
  readonly id: number
  readonly source: string
  readonly token: string
  readonly evidence: { readonly type: string; readonly id: string }
  readonly postings: readonly { readonly account: string; readonly amount: Money }[]
  readonly wallMs: number
  readonly wallTrusted: boolean
  readonly memo: string | null
}

// ---------------------------------------------------------------- settings

export interface SettingsJson {
  readonly name: string
  readonly roles: readonly string[]
  readonly token: TokenJson
  /** Read-only facts: changed on the box, in the configuration file. */
  readonly network: {
    readonly gate: 'nft' | 'record'
    readonly guestInterface: string
    readonly uplinkInterfaces: readonly string[]
    readonly portalHost: string
    readonly portalAddress: string
    readonly portalPort: number
    readonly tlsPort: number
    readonly clientIsolation: boolean
    readonly walledGardenDomains: readonly string[]
    readonly walledGardenAddresses: readonly string[]
    readonly maxSessions: number
    readonly leaseSeconds: number
  }
  readonly owner: { readonly address: string; readonly port: number; readonly sessionMinutes: number; readonly tls: boolean }
  readonly portalTls: { readonly configured: boolean; readonly option114: 'announced' | 'withheld'; readonly reason: string }
  readonly shares: readonly {
    readonly id: string
    readonly role: string
    readonly beneficiary: string
    readonly partsPerMillion: number
    readonly sources: readonly string[]
  }[]
  readonly identity: IdentityJson
}
export interface SettingsChange {
  readonly name?: string
}
export interface SettingsReply {
  readonly settings: SettingsJson
  readonly reload: ReloadReportJson
}
export interface IdentityJson {
  readonly address: string
  readonly publicKey: string
  readonly recoveryWordsShown: boolean
  readonly voucherPublicKey: string
}

/** Secrets are shown only to who types the password again, and only over TLS or from the box itself. */
export interface WordsRequest {
  readonly password: string
}
export interface WordsReply {
  readonly words: readonly string[]
}
export interface AdoptRequest {
  readonly words: readonly string[]
}
export interface AdoptReply {
  readonly voucherPublicKey: string
  readonly needsRestart: boolean
}

export interface ReceiptVerifyRequest {
  /** The whole text of the receipt, at most 16 KiB. */
  readonly receipt: string
}
export interface ReceiptVerifyReply {
  readonly valid: boolean
  /** Signed by this very box. */
  readonly ours: boolean
  readonly signer: string | null
  readonly reason: string | null
  readonly facts: readonly { readonly name: string; readonly value: string }[]
}

// ---------------------------------------------------------------- control socket only

export interface BackupRequest {
  /** Absolute; must not exist yet. Written by the service. */
  readonly path: string
}
export interface BackupReply {
  readonly path: string
  readonly bytes: number
}
export interface PasswordSetRequest {
  readonly password: string
}

// ---------------------------------------------------------------- routes

/**
 * `open`: no login. `setup`: only while no password is set. `owner`: login on the dashboard's door, none
 * on the control socket. `control`: only on the control socket. `dashboard`: only on the dashboard's door.
 */
export type Access = 'open' | 'setup' | 'owner' | 'control' | 'dashboard'
export interface RouteInfo {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly access: Access
}

export const ROUTES = {
  loginState: { method: 'GET', path: '/api/login', access: 'open' },
  login: { method: 'POST', path: '/api/login', access: 'open' },
  logout: { method: 'POST', path: '/api/logout', access: 'dashboard' },
  changePassword: { method: 'POST', path: '/api/password/change', access: 'dashboard' },
  setupForm: { method: 'GET', path: '/api/setup', access: 'setup' },
  setup: { method: 'POST', path: '/api/setup', access: 'setup' },

  status: { method: 'GET', path: '/api/status', access: 'owner' },
  log: { method: 'GET', path: '/api/log', access: 'owner' },

  sessions: { method: 'GET', path: '/api/sessions', access: 'owner' },
  session: { method: 'GET', path: '/api/sessions/:id', access: 'owner' },
  kick: { method: 'POST', path: '/api/sessions/:id/kick', access: 'owner' },
  pause: { method: 'POST', path: '/api/sessions/:id/pause', access: 'owner' },
  resume: { method: 'POST', path: '/api/sessions/:id/resume', access: 'owner' },
  extend: { method: 'POST', path: '/api/sessions/:id/extend', access: 'owner' },
  refund: { method: 'POST', path: '/api/sessions/:id/refund', access: 'owner' },

  vouchers: { method: 'GET', path: '/api/vouchers', access: 'owner' },
  voucherBatches: { method: 'GET', path: '/api/voucher-batches', access: 'owner' },
  createVouchers: { method: 'POST', path: '/api/vouchers', access: 'owner' },
  revokeVouchers: { method: 'POST', path: '/api/vouchers/revoke', access: 'owner' },
  /** text/html, A4, 32 vouchers a page: open it in a new tab and print. */
  voucherSheet: { method: 'GET', path: '/api/vouchers/sheet', access: 'owner' },
  /** text/csv, as a download. */
  voucherCsv: { method: 'GET', path: '/api/vouchers/csv', access: 'owner' },

  tariff: { method: 'GET', path: '/api/tariff', access: 'owner' },
  changeTariff: { method: 'PUT', path: '/api/tariff', access: 'owner' },

  earnings: { method: 'GET', path: '/api/earnings', access: 'owner' },
  entries: { method: 'GET', path: '/api/earnings/entries', access: 'owner' },

  settings: { method: 'GET', path: '/api/settings', access: 'owner' },
  changeSettings: { method: 'PUT', path: '/api/settings', access: 'owner' },
  verifyReceipt: { method: 'POST', path: '/api/receipt/verify', access: 'owner' },
  reload: { method: 'POST', path: '/api/reload', access: 'owner' },
  /** application/gzip, as a download; holds no secrets. */
  supportBundle: { method: 'GET', path: '/api/support-bundle', access: 'owner' },
  /** application/vnd.sqlite3, as a download; holds voucher codes: keep it like money. */
  backupDownload: { method: 'POST', path: '/api/backup/download', access: 'dashboard' },
  revealWords: { method: 'POST', path: '/api/identity/reveal', access: 'dashboard' },
  revealVoucherWords: { method: 'POST', path: '/api/voucher-keys/reveal', access: 'dashboard' },

  backup: { method: 'POST', path: '/api/backup', access: 'control' },
  identityWords: { method: 'POST', path: '/api/identity/words', access: 'control' },
  voucherKeyWords: { method: 'POST', path: '/api/voucher-keys/words', access: 'control' },
  voucherKeyAdopt: { method: 'POST', path: '/api/voucher-keys/adopt', access: 'control' },
  setPassword: { method: 'POST', path: '/api/password', access: 'control' },
} as const satisfies Record<string, RouteInfo>

export type RouteName = keyof typeof ROUTES

/** What each route takes and gives; `query` goes into the URL, `body` is JSON, `reply` is JSON or a text. */
export interface RouteTypes {
  loginState: { reply: LoginState }
  login: { body: LoginRequest; reply: LoginState }
  logout: { reply: LoginState }
  changePassword: { body: PasswordChange; reply: LoginState }
  setupForm: { reply: SetupForm }
  setup: { body: SetupRequest; reply: SetupReply }
  status: { reply: StatusJson }
  log: { query: { limit?: number; level?: LogEventJson['level'] }; reply: LogJson }
  sessions: { query: SessionsQuery; reply: SessionsJson }
  session: { params: { id: string }; reply: SessionJson }
  kick: { params: { id: string }; reply: SessionJson }
  pause: { params: { id: string }; reply: SessionJson }
  resume: { params: { id: string }; reply: SessionJson }
  extend: { params: { id: string }; body: ExtendRequest; reply: SessionJson }
  refund: { params: { id: string }; reply: RefundReply }
  vouchers: { query: VouchersQuery; reply: VouchersJson }
  voucherBatches: { reply: VoucherBatchesJson }
  createVouchers: { body: VoucherCreateRequest; reply: VoucherCreateReply }
  revokeVouchers: { body: VoucherRevokeRequest; reply: VoucherRevokeReply }
  voucherSheet: { query: { batch: string }; reply: string }
  voucherCsv: { query: { batch: string }; reply: string }
  tariff: { reply: TariffJson }
  changeTariff: { body: TariffChange; reply: TariffReply }
  earnings: { query: EarningsQuery; reply: EarningsJson }
  entries: { query: EntriesQuery; reply: EntriesJson }
  settings: { reply: SettingsJson }
  changeSettings: { body: SettingsChange; reply: SettingsReply }
  verifyReceipt: { body: ReceiptVerifyRequest; reply: ReceiptVerifyReply }
  reload: { reply: ReloadReportJson }
  supportBundle: { reply: Uint8Array }
  backupDownload: { reply: Uint8Array }
  revealWords: { body: WordsRequest; reply: WordsReply }
  revealVoucherWords: { body: WordsRequest; reply: WordsReply }
  backup: { body: BackupRequest; reply: BackupReply }
  identityWords: { reply: WordsReply }
  voucherKeyWords: { reply: WordsReply }
  voucherKeyAdopt: { body: AdoptRequest; reply: AdoptReply }
  setPassword: { body: PasswordSetRequest; reply: { passwordSet: true } }
}
