/** Who buys frames and airtime, what he owes, and the receipts. Made by tenants/. */
import type { Address, Cancel, Hash, Moment } from '../../base/index.ts'
import type { ReadTx } from '../../store/index.ts'
import type { Downlink, TxAck } from './downlink.ts'
import type { DevAddr, Eui, FrameId, Heard } from './radio.ts'

/** Lower-case letters, digits and -, at most 32: it is a part of topics and file names. */
export type TenantId = string

export type Route =
  | { readonly kind: 'dev-addr'; readonly prefix: DevAddr; readonly prefixBits: number }
  | { readonly kind: 'net-id'; readonly netId: number }
  /** Null: any. */
  | { readonly kind: 'join'; readonly joinEui: Eui; readonly devEui: Eui | null }

/** For `wss:` and `mqtts:`, PEM texts; null: the authorities that Node brings, and nothing to show. */
export interface DestinationTls {
  /** Who may vouch for his server, instead of those. */
  readonly ca: string | null
  /** What the box shows there: its own certificate first, then those up to its authority. */
  readonly certificate: string | null
  /** Null beside a certificate: another box sealed it. Never shown. */
  readonly key: string | null
}

export type Destination =
  | { readonly kind: 'gwmp'; readonly host: string; readonly port: number }
  | { readonly kind: 'station'; readonly url: string; readonly tls?: DestinationTls }
  | { readonly kind: 'chirpstack'; readonly url: string; readonly topicPrefix: string; readonly encoding: 'protobuf' | 'json'; readonly tls?: DestinationTls }
  /** Our own broker, topics `tenant/<id>/…`, which only he may read. */
  | { readonly kind: 'broker' }

export interface CertificateFacts {
  /** One line, at most 200 characters. */
  readonly subject: string
  /** Milliseconds since 1970: the end of its time. */
  readonly notAfterMs: number
  readonly expiry: Expiry
}

/** `expiring`: within 14 days. Null: later, or the clock is not to be believed. */
export type Expiry = 'expired' | 'expiring' | null

/** What may be shown of a DestinationTls. */
export interface TlsFacts {
  readonly ca: readonly CertificateFacts[]
  /** Null: none. */
  readonly client: CertificateFacts | null
  /** The key of that certificate cannot be opened on this box. */
  readonly isKeyLost: boolean
  /** Of the way there: from when on nobody can be believed, or nothing shown, any more. */
  readonly expiry: Expiry
}

export interface PriceList {
  readonly token: Address
  /** For a started 24 bytes of FOpts and FRMPayload. */
  readonly perUnit: bigint
  /** Of a join request, and of a rejoin. */
  readonly perJoin: bigint
  /** By sub-band name; `*` for the others. */
  readonly perDownlinkMs: Readonly<Record<string, bigint>>
  /** Whatever its length; 0: for nothing; null: as one that comes in time. */
  readonly perLateFrame: bigint | null
}

export interface Tenant {
  readonly id: TenantId
  readonly name: string
  /** Partner of the payment channel. */
  readonly payer: Address
  readonly routes: readonly Route[]
  readonly destination: Destination
  readonly prices: PriceList
  /** What may be owed before service stops, in the token. 0: prepaid. */
  readonly creditWindow: bigint
  /** Copies of one frame that are bought from all boxes together. */
  readonly maxCopies: number
  readonly isPaused: boolean
}

/** One thing to pay for. It is held on disk before the frame is delivered, and gets its `seq` when the destination has it. */
export interface BillableUnit {
  readonly tenant: TenantId
  /** 1, 2, 3 … without gaps per tenant and epoch; the order of the chain of hashes. */
  readonly seq: bigint
  readonly kind: 'uplink' | 'join' | 'downlink' | 'late'
  readonly frame: FrameId
  /** Uplinks: u32 of the best copy, 0 where the gateway has none. Part of the chain of hashes. */
  readonly tmstUs: number
  /** Uplinks and late: started 24 bytes; joins: 1; downlinks: started milliseconds. */
  readonly units: number
  readonly amount: bigint
  readonly at: Moment
}

/** What the tenant owes so far, signed by the box: cumulative, so that the newest is enough and lost ones cost nobody anything. */
export interface Receipt {
  readonly chainId: bigint
  readonly gateway: Address
  readonly tenant: Address
  readonly token: Address
  /** Zero while he has no channel: prepaid by cash or not at all. */
  readonly channel: Hash
  readonly channelEpoch: bigint
  readonly seq: bigint
  readonly cumUplinks: bigint
  readonly cumUnits: bigint
  readonly cumDownlinkMs: bigint
  readonly cumAmount: bigint
  /** keccak256(previous ‖ frame 32 ‖ tmst 4 ‖ units 4 ‖ amount 16), big-endian, from 32 zero bytes on. */
  readonly chainHash: Hash
  /** r ‖ s ‖ v over the EIP-712 type UplinkReceipt. */
  readonly signature: Uint8Array
}

/** Photon, as the bill needs it; main hands it in. */
export interface TenantPayments {
  /** All that this payer has paid to the box for IoT and that is on disk. Only grows. */
  paid(tx: ReadTx, payer: Address, token: Address): bigint
  onPaid(listener: (payer: Address, token: Address) => void): Cancel
}

/** The box's key, for receipts. Errors: unavailable. */
export interface ReceiptSigner {
  readonly address: Address
  sign(digest: Uint8Array): Promise<Uint8Array>
}

/** Which of several boxes sells a frame. Alone: always this one. The mesh gives the real answer within `withinMs`. */
export interface CopyContest {
  isOurs(offer: { readonly frame: FrameId; readonly snrDb: number; readonly maxCopies: number; readonly withinMs: number }): Promise<boolean>
}

/**
 * What became of a frame for a tenant, so that it is shown and counted. `free`: handed over and not billed, because its counter did not rise; `over-limit`: more frames than he may send in a moment; `undelivered`: not
 * handed over and not kept; `not-stored`: the disk refused, so nothing was delivered.
 */
export type TenantVerdict = 'sold' | 'free' | 'duplicate' | 'repeated' | 'bad-mic' | 'no-credit' | 'paused' | 'not-ours' | 'late' | 'over-limit' | 'undelivered' | 'not-stored'

export interface TenantDesk {
  /** Tenants whose routes fit. Synchronous, ≤ 2 µs with 10,000 prefixes. */
  route(phy: Uint8Array): readonly TenantId[]
  take(heard: Heard, tenants: readonly TenantId[]): Promise<ReadonlyMap<TenantId, TenantVerdict>>
  /** A downlink of his server: checked against what he may spend, then through the DownlinkDesk, then billed by what was on the air. */
  order(tenant: TenantId, downlink: Omit<Downlink, 'tenant'>): Promise<TxAck>
  newestReceipt(tenant: TenantId): Receipt | null
}

/** How frames get to one tenant. `true`: he has them (acknowledged where his protocol can), so they may be billed. */
export interface Delivery {
  readonly isOnline: boolean
  /** His protocol can say that a frame is late; otherwise none is kept for him. */
  readonly takesLate: boolean
  /** False: `deliver` would not send it, so nobody has it: nobody is there, or his server wants no such frame. Left out: it would. */
  isAwaited?(heard: Heard): boolean
  deliver(heard: Heard): Promise<boolean>
  onDownlink(listener: (downlink: Omit<Downlink, 'tenant'>) => Promise<TxAck>): Cancel
  close(): Promise<void>
}

