/** Settings, keys, receipts, and what only the box's own console may ask. */
import type { ReloadReportJson, TokenJson } from './amounts.ts'

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
  /** Of the key that signs blocks; derived of the box's own. */
  readonly minerAddress: string
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
  /** The 12 voucher words of another box of the same owner. */
  readonly words: readonly string[]
  /** Needed once this box has printed vouchers of its own: they are void afterwards. */
  readonly replace?: boolean
}
export interface AdoptReply {
  readonly voucherPublicKey: string
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
