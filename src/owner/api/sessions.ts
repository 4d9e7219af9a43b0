/** Guests' sessions as the owner sees them. */
import type { Money } from './amounts.ts'

export type SessionAction = 'kick' | 'pause' | 'resume' | 'extend' | 'refund'

export interface SessionJson {
  readonly id: string
  readonly state: 'quoted' | 'preflight' | 'received' | 'journaled' | 'gate-open' | 'active' | 'paused' | 'ended' | 'credited'
  readonly endReason: string | null
  readonly pauseReason: 'guest' | 'owner' | 'idle' | 'restart' | 'away' | null
  readonly source: 'voucher' | 'stream' | 'trial' | 'owner'
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
