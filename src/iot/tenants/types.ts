/** What this part passes within itself and asks of others, beyond ports.ts. */
import type { Address, Clock, Hash, Log, Moment, Timers } from '../../base/index.ts'
import type { Ledger } from '../../ledger/index.ts'
import type { ReadTx, Store, Tx } from '../../store/index.ts'
import type { BillableUnit, CopyContest, Delivery, DownlinkDesk, Heard, KeySeal, ReceiptSigner, Route, Tenant, TenantId, TenantPayments, TenantVerdict } from '../ports.ts'
import type { Keccak } from './receipt/chain.ts'

export type TenantOutcome = TenantVerdict

/** A tenant as stored. One that was ended has no routes and is not served; his account and his debts stay. */
export interface TenantRecord extends Tenant {
  readonly isEnded: boolean
  /** Of his account: another one begins with another payer or token. */
  readonly epoch: bigint
}

/** A unit that is being delivered. */
export interface HeldUnit extends Omit<BillableUnit, 'seq'> {
  /** Distinct per tenant: the frame for uplinks, the order's id for downlinks. */
  readonly key: string
  readonly epoch: bigint
  /** What is delivered again after a crash; null: nothing is (downlinks; late frames, which are in the ring). */
  readonly heard: Heard | null
}

/** A unit that has a number, and in which of the tenant's accounts. */
export interface BilledUnit extends BillableUnit {
  readonly epoch: bigint
}

/** The part of the ledger that is written here. */
export type EarningsBook = Pick<Ledger, 'earn' | 'post'>

/** Frames that could not be handed over in time, in the same database, so that letting go and keeping are one turn. Made by late/. */
export interface LateShelf {
  append(tx: Tx, tenant: TenantId, heard: Heard, at: Moment): void
  /** Oldest first; nothing is taken away but what cannot be read. */
  peek(tx: Tx, tenant: TenantId, limit: number): readonly { readonly seq: bigint; readonly heard: Heard; readonly at: Moment }[]
  /** One that was handed over. */
  remove(tx: Tx, tenant: TenantId, seq: bigint): boolean
  /** All of a tenant's. */
  forget(tx: Tx, tenant: TenantId): number
  /** Of anybody's what is too old to be of use; looks at the first `limit`. */
  forgetOld(tx: Tx, now: Moment, limit: number): number
  count(tx: ReadTx, tenant: TenantId): number
  /** A frame as bytes, to be held across a crash. */
  readonly encode: (heard: Heard) => Uint8Array
  /** Errors: input. */
  readonly decode: (record: Uint8Array) => Heard
}

/** Which channel a payer has for this, if any; for receipts only. Made by Photon, handed in by main. */
export interface TenantChannels {
  channelOf(payer: Address, token: Address): { readonly channel: Hash; readonly epoch: bigint } | null
}

export interface TenantLimits {
  /** Frames upward of one tenant, per second and at once. */
  readonly uplinksPerSecond: number
  readonly uplinkBurst: number
  readonly downlinksPerSecond: number
  readonly downlinkBurst: number
  /** Frames of one tenant that are being delivered; more go to late/. */
  readonly inFlight: number
  /** How long a frame is offered before it is let go. */
  readonly holdMs: number
  /** Frames that may be handed over and not acknowledged; from then on one at a time: trust.ts. */
  readonly unanswered: number
  /** Late frames handed over per second. */
  readonly latePerSecond: number
  /** Newest units and receipts that are kept of one account; what they add up to is kept for ever. */
  readonly keptUnits: number
  readonly keptReceipts: number
}

export const DEFAULT_LIMITS: TenantLimits = {
  uplinksPerSecond: 300, // more than an eight-channel concentrator can hear
  uplinkBurst: 600,
  downlinksPerSecond: 5,
  downlinkBurst: 20,
  inFlight: 64,
  holdMs: 60_000,
  unanswered: 16,
  latePerSecond: 200,
  keptUnits: 50_000,
  keptReceipts: 5_000,
}

export interface TenantHouseDeps {
  readonly store: Store
  readonly ledger: EarningsBook
  readonly seal: KeySeal
  readonly signer: ReceiptSigner
  readonly keccak: Keccak
  readonly chainId: bigint
  readonly payments: TenantPayments
  readonly channels: TenantChannels
  readonly contest: CopyContest
  readonly downlinks: DownlinkDesk
  readonly late: LateShelf
  /** The token as the ledger calls it: its symbol. Errors: input for a token the box does not take. */
  readonly tokenSymbol: (token: Address) => string
  /** What the airtime ledger asks, in smallest units of that token. Errors: input for a token the box does not take. */
  readonly airPrice: (pricePerMs: bigint, token: Address) => bigint
  /** Opened for each tenant that is served; closed when he is ended or his destination changes. */
  readonly openDelivery: (tenant: Tenant) => Delivery
  /** Whether the owner has a device with that DevEUI himself. */
  readonly isOwnDevice: (devEui: string) => boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly limits?: Partial<TenantLimits>
}

/** A route as it is told in an error or a view. */
export interface RouteClash {
  readonly route: Route
  readonly tenant: TenantId
}

/** What a tenant bought on one day: UTC date, or `boot:…` while the clock was not trusted. */
export interface StatementRow {
  readonly day: string
  readonly epoch: bigint
  readonly kind: BillableUnit['kind']
  readonly entries: number
  readonly units: bigint
  readonly amount: bigint
}

export type OutcomeCounts = Readonly<Record<TenantOutcome, number>>
