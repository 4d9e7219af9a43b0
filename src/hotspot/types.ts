/** The hotspot's contract with its doors: what a guest and an owner can ask of it. */
import type { GuestConsent, TopUpAnswer } from './stream/door.ts'
import type { VoucherId, VoucherTerms } from './voucher/types.ts'
import type { DeviceCounters, GateAlarm, GateHealth, MacAddress } from './gate/types.ts'

/** A guest's device as its door saw it. */
export interface ClientAddress {
  readonly mac: MacAddress
  /** The address the request came from. */
  readonly ip: string
  readonly ip4: string | null
}

export type SessionState =
  | 'quoted' //    a price was named
  | 'preflight' // the gate was asked whether it could open
  | 'received' //  the money or voucher is verified
  | 'journaled' // it is on disk: from here the guest is owed minutes or a credit
  | 'gate-open' // the kernel was told
  | 'active' //    the kernel confirmed; time runs
  | 'paused' //    time is frozen
  | 'ended' //     used up, or ended by the owner
  | 'credited' //  could not be opened or was cut short: what is left is kept for the bearer

export type EndReason = 'time-used' | 'bytes-used' | 'ended-by-guest' | 'ended-by-owner' | 'refunded' | 'revoked' | 'replaced'
/** `away`: its time runs at another box, which lets the guest in for this one. */
export type PauseReason = 'guest' | 'owner' | 'idle' | 'restart' | 'away'

export interface SessionView {
  readonly id: string
  readonly state: SessionState
  readonly endReason: EndReason | null
  readonly pauseReason: PauseReason | null
  /** `stream`: paid by the second. */
  readonly source: 'voucher' | 'stream' | 'trial' | 'owner'
  readonly label: string
  /** Now, rounded down; null = not limited by time. */
  readonly secondsLeft: number | null
  readonly bytesLeft: number | null
  readonly secondsUsed: number
  readonly upBytes: number
  readonly downBytes: number
  readonly devices: readonly { readonly mac: MacAddress; readonly ip4: string | null }[]
  readonly devicesMax: number
  readonly paid: bigint
  readonly refunded: bigint
  readonly startedWallMs: number
  readonly startedWallTrusted: boolean
}

export interface Offer {
  readonly packageId: string
  readonly label: string
  readonly seconds: number | null
  readonly bytes: number | null
  readonly devices: number
  readonly price: bigint
  /** Before a happy-hour discount; null if none applies. */
  readonly priceBefore: bigint | null
}

export interface PriceBoard {
  readonly symbol: string
  readonly decimals: number
  readonly pricePerMinute: bigint
  readonly pricePerMib: bigint
  readonly offers: readonly Offer[]
  readonly happyHour: { readonly label: string; readonly discountPercent: number } | null
  readonly trial: { readonly minutes: number; readonly mib: number | null } | null
}

export interface GuestView {
  readonly venue: string
  readonly board: PriceBoard
  /** Whether this device may take the free trial now. */
  readonly trialAvailable: boolean
  /** The session this device is bound to, running or just ended; null if none. */
  readonly session: SessionView | null
  /** Secret that re-binds the session to another device; only for the session's own devices. */
  readonly ticket: string | null
  /** Between boxes: `visiting`, `session` is another box's and goes on here, with `-key` for a while only; else why it does not. Null: nothing is known of one. */
  readonly roam: RoamState | null
  readonly wayOut: WayOut
}

/** What there is of the Internet: `intermittent`, it comes and goes. No way out is a normal state of a place, and no fault of the guest's. */
export type WayOut = 'internet' | 'intermittent' | 'none'

/**
 * `elsewhere`: it is used at another box now. `silent`: the box that sold it cannot be reached. `prove`: used in two places, so the
 * code has to be shown. `key`: the key that holds it has to be shown. `dear`: the boxes do not agree on what a minute is worth.
 */
export type RoamState = 'visiting' | 'visiting-key' | 'elsewhere' | 'silent' | 'prove' | 'key' | 'dear'

/** A session of a guest's key that is not at this box, or is here for a while only. What the key signs so that it goes on here: docs/wallet.md. */
export interface KeptWalk {
  /** Addresses of the box that sold it, and of this one: 0x and 40 hex digits, lower case. */
  readonly seller: string
  readonly claimant: string
  readonly sessionId: string
  readonly counter: number
  /** It is used at this very device already. */
  readonly isHere: boolean
}

/** What a scanned voucher or a ticket would give, for showing before the guest agrees. */
export interface BearerPreview {
  readonly kind: 'voucher' | 'ticket'
  readonly label: string
  /** Of a voucher what it grants, of a ticket what its session has left; null = not limited. */
  readonly seconds: number | null
  readonly bytes: number | null
  /** What a voucher for a channel is worth; null: it is for time or bytes. */
  readonly tokens: bigint | null
  readonly devices: number
}

/** What guests can do. Every verb is idempotent for the same device and the same bearer. */
export interface GuestDesk {
  view(client: ClientAddress): GuestView
  board(): PriceBoard
  /**
   * What redeeming would give. Changes nothing, spends nothing, and does not tell whether a voucher is
   * still unused. Only for QR texts and tickets, which cannot be guessed; anything else, typed codes too,
   * is input `bad-code`. A ticket that has been replaced is conflict `ticket-stale`.
   */
  preview(client: ClientAddress, bearer: string): BearerPreview
  /**
   * A typed code, a QR text, or a ticket of an existing session. Starts a session, extends the device's
   * running one, resumes or takes over the bearer's own session (evicting the oldest device when full).
   * Errors: input `bad-code`; conflict `voucher-used`, `voucher-revoked`, `voucher-expired`, `ticket-stale`;
   * limit `too-many-guesses`, `no-room`; unavailable `gate-failed` (nothing lost: `credited`).
   */
  redeem(client: ClientAddress, bearer: string): Promise<SessionView>
  /** EIP-55 address of the key that holds this device's session; null if none does. */
  keptAddress(client: ClientAddress): string | null
  /**
   * Puts this device's session under a key, in place of the one before. `address` (EIP-55) has proven itself
   * (wallet/). Errors: not-found `no-session`; conflict `key-full`.
   */
  keepWithKey(client: ClientAddress, address: string): Promise<SessionView>
  /**
   * Takes up the newest session under this key on this device, as a voucher's own session is: nothing is charged,
   * the oldest device leaves when all places are taken. `address` as above. Errors: not-found `key-unknown`; else
   * those of `redeem`.
   */
  openWithKey(client: ClientAddress, address: string): Promise<SessionView>
  /** Sessions under this key that other boxes sold, or have. Errors: limit `too-many-requests`. */
  keptElsewhere(client: ClientAddress, address: string): Promise<readonly KeptWalk[]>
  /**
   * One of what `keptElsewhere` said last goes on at this device. `signature`: r, s, v, 65 bytes. Errors: conflict `session-away`: the
   * box that sold it did not agree, or is not reached.
   */
  showKey(client: ClientAddress, sessionId: string, signature: Uint8Array): Promise<SessionView>
  /**
   * Puts what a code is worth in tokens into the channel of a key. `payer`: its address, 0x and 40 lower-case digits.
   * The same code and payer give the same answer. Errors: those of `redeem` for codes; input `bad-signature`; conflict
   * `not-tokens`, `offer-old`; unavailable `no-streams`, `chain-offline`.
   */
  topUp(client: ClientAddress, code: string, payer: string, consent: GuestConsent | null): Promise<TopUpAnswer>
  startTrial(client: ClientAddress): Promise<SessionView>
  pause(client: ClientAddress): Promise<SessionView>
  resume(client: ClientAddress): Promise<SessionView>
  end(client: ClientAddress): Promise<SessionView>
  /** Signed receipt text of the device's session (see receipt/), for showing and saving. */
  receipt(client: ClientAddress): string
}

export interface VoucherRow {
  readonly id: VoucherId
  readonly batch: string
  readonly terms: VoucherTerms
  readonly label: string
  /** `ABCDE-FGHJK` */
  readonly code: string
  readonly state: 'unused' | 'used' | 'revoked'
  readonly sessionId: string | null
  readonly createdWallMs: number
}

/** One printing run, counted. */
export interface VoucherBatchRow {
  readonly batch: string
  readonly label: string
  readonly createdWallMs: number
  readonly price: bigint
  readonly count: number
  readonly unused: number
  readonly used: number
  readonly revoked: number
}

export interface VoucherBatchRequest {
  readonly packageId: string
  /** 1–1000. */
  readonly count: number
  readonly validUntilDay?: number
  /** Label on the sheet; default: the package's. */
  readonly note?: string
}

export interface HotspotStatus {
  readonly gate: GateHealth
  readonly sessionsActive: number
  readonly sessionsPaused: number
  readonly sessionsTotal: number
  readonly vouchersUnused: number
  readonly alarms: readonly (GateAlarm & { readonly wallMs: number })[]
  readonly option114: 'announced' | 'withheld'
  readonly option114Reason: string
}

/** What the owner can do; behind authentication or the local control socket. */
export interface OwnerDesk {
  status(): HotspotStatus
  sessions(filter?: { state?: 'open' | 'all'; limit?: number; beforeId?: string }): SessionView[]
  session(id: string): SessionView
  counters(): Promise<DeviceCounters[]>
  /** Ends and keeps nothing. */
  kick(sessionId: string): Promise<SessionView>
  pause(sessionId: string): Promise<SessionView>
  resume(sessionId: string): Promise<SessionView>
  /** Adds seconds and/or bytes for free. */
  extend(sessionId: string, add: { seconds?: number; bytes?: number }): Promise<SessionView>
  /** Ends the session and books back the unused part of what was paid, to the unit. */
  refund(sessionId: string): Promise<{ session: SessionView; refunded: bigint }>
  createVouchers(request: VoucherBatchRequest): Promise<VoucherRow[]>
  vouchers(filter?: { batch?: string; state?: VoucherRow['state']; limit?: number; offset?: number }): VoucherRow[]
  /** Newest first; counted by the store, not row by row. */
  voucherBatches(limit?: number): VoucherBatchRow[]
  /** By id, code or whole batch; used ones end their session. */
  revokeVouchers(ref: { id?: string; code?: string; batch?: string }): Promise<{ revoked: number }>
  /** Printable A4 HTML page, 32 vouchers a page. */
  voucherSheet(batch: string): string | Promise<string>
  /** CSV with a header line. */
  voucherCsv(batch: string): string | Promise<string>
  board(): PriceBoard
}
