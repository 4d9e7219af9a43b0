/** Vouchers and their printing runs. */
import type { Money } from './amounts.ts'

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
  /** For the guest's own payment channel; then neither `seconds` nor `bytes`. */
  readonly tokens: Money | null
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
