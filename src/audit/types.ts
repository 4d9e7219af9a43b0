/** What an audit reads, and what it says. Amounts are smallest units; `token` is as the ledger names it. */
import type { Address, Hash } from '../base/index.ts'

/** docs/audit.md says of each what it compares. */
export type CheckName =
  | 'ledger-balance'
  | 'ledger-totals'
  | 'ledger-days'
  | 'ledger-shares'
  | 'voucher'
  | 'session-unserved'
  | 'session-unpaid'
  | 'stream'
  | 'stream-unpaid'
  | 'stream-claimed'
  | 'top-up'
  | 'channel'
  | 'guarantee'
  | 'exposure'
  | 'history'
  | 'outbox'
  | 'chain'
  | 'chain-sum'
  | 'settled'
  | 'carriage'
  | 'roaming'
  | 'receipt-postings'
  | 'uplink-twice'
  | 'receipts'
  | 'tenant-sums'
  | 'tenant-credit'
  | 'payout'

export interface Difference {
  readonly check: CheckName
  /** One sentence: what is not as it has to be. */
  readonly what: string
  /** Entry, session, channel, tenant …: where to look. */
  readonly where: string
  /** Null: it is no matter of how much. */
  readonly amount: { readonly expected: bigint; readonly found: bigint; readonly token: string } | null
  readonly advice: string
}

export interface AuditReport {
  readonly differences: readonly Difference[]
  /** Differences beyond the `MAX_DIFFERENCES` that are named. */
  readonly unnamed: number
  /** Rows looked at, by check. */
  readonly looked: Readonly<Partial<Record<CheckName, number>>>
  /** What could not be looked at now, and why: no difference, and no proof of none. */
  readonly unchecked: readonly { readonly check: CheckName; readonly why: string }[]
  /** What the contracts were asked for. */
  readonly contracts: readonly ContractSum[]
}

/** All open channels in one token, as the contract has them at one block. Their pot: deposits less what was claimed and withdrawn. */
export interface ContractSum {
  readonly contract: Address
  readonly token: string
  readonly block: number
  readonly channels: number
  readonly pot: bigint
}

export interface LedgerRow {
  readonly id: number
  readonly kind: 'post' | 'earn' | 'reverse'
  readonly source: string
  readonly token: string
  readonly evidenceType: string
  readonly evidenceId: string
  readonly facts: Readonly<Record<string, string | number | boolean>>
  /** Σ of the debits, as the entry's head says. */
  readonly amount: bigint
  readonly reverses: number | null
  /** Of a reversal: all that was taken back of that earning, this one included. */
  readonly taken: bigint | null
  readonly postings: readonly { readonly account: string; readonly amount: bigint }[]
}

export interface TotalRow {
  readonly account: string
  readonly token: string
  readonly source: string
  readonly balance: bigint
}

export interface DayRow {
  readonly day: string
  readonly token: string
  readonly source: string
  readonly account: string
  /** Credits minus debits. */
  readonly gained: bigint
}

/** The key of the row before; empty texts: from the beginning. */
export type TotalKey = Pick<TotalRow, 'account' | 'token' | 'source'>
export type DayKey = Omit<DayRow, 'gained'>

export interface VoucherRow {
  readonly n: number
  readonly id: string
  readonly state: string
  readonly price: bigint
  /** Worth tokens: it goes into a channel. Null: worth time or bytes. */
  readonly tokens: bigint | null
  readonly sessionId: string | null
  /** Null: it has none in the ledger. */
  readonly entry: { readonly id: number; readonly amount: bigint; readonly token: string } | null
  /** The session is still kept, and has this voucher among what was bought. Null: it is forgotten. */
  readonly isInSession: boolean | null
}

export interface AllotmentRow {
  readonly seq: number
  readonly source: string
  readonly bearer: string | null
  readonly price: bigint
  readonly refunded: bigint
  readonly isVoid: boolean
  readonly grantedMs: number | null
  readonly usedMs: number
  readonly grantedBytes: number | null
  readonly usedBytes: number
  /** What the ledger has of it. */
  readonly entry: { readonly id: number; readonly amount: bigint; readonly taken: bigint; readonly token: string } | null
}

export interface SessionRow {
  readonly id: string
  readonly state: string
  readonly endReason: string | null
  readonly allotments: readonly AllotmentRow[]
}

export interface StreamRow {
  readonly stream: string
  readonly sessionId: string | null
  /** Up to which value of the channel's counter the ledger has it. */
  readonly posted: bigint
  /** The newest entry's: what it says it was posted for. Null: the entry is missing. */
  readonly entryValue: bigint | null
  readonly token: string
  /** The channel's counter as its newest proof and voucher have it. Null: that channel is not known any more. */
  readonly proved: bigint | null
}

/** A life of a channel in which streams were paid, and what the chain has paid of it by claims that were not the box's own. */
export interface StreamClaimRow {
  readonly channel: string
  readonly epoch: string
  /** Up to which value of the channel's counter the ledger has it by such claims; null: there was none. */
  readonly posted: bigint | null
  /** That entry's: what it says it was posted for. Null: the entry is missing. */
  readonly entryValue: bigint | null
  readonly token: string
  /** What the chain has paid, by this disk. Null: the channel is not known any more. */
  readonly paid: bigint | null
  /** What the sessions have earned for good; null: one of them goes on. */
  readonly earned: bigint | null
}

/** What a stream was served, and what pays for it, in ticks; a begun one counts whole. */
export interface ServedRow {
  readonly stream: string
  readonly sessionId: string
  readonly servedMs: number
  /** By the newest proof on this disk; null: there is none, or it does not say for how long. */
  readonly paid: { readonly ticks: bigint; readonly tickMs: number; readonly unit: bigint; readonly token: string } | null
  /** The ledger has earned something by it, and does not say at which price. */
  readonly isUnpriced: boolean
  /** Left unpaid when it ended, and the most that may be; null: it goes on, or its channel has another since. */
  readonly debt: { readonly owed: bigint; readonly grace: bigint } | null
}

export interface TopUpRow {
  readonly code: string
  readonly amount: bigint
  readonly price: bigint
  readonly state: string
  /** What left the purse for it, by the ledger. */
  readonly entry: { readonly purse: bigint; readonly till: bigint; readonly token: string } | null
  readonly voucherState: string | null
}

export interface SideRow {
  readonly address: Address
  readonly deposit: bigint
  readonly withdrawn: bigint
  readonly claimed: bigint
  readonly nonce: bigint
  readonly transferred: bigint
  readonly locked: bigint
  /** Σ of its locks. */
  readonly locks: bigint
  /** Transferred, by its newest signed proof; 0: there is none. */
  readonly proved: bigint
  /** A signature of another than this side stands under the newest proof. */
  readonly isForged: boolean
  /** Highest value that a voucher and a preimage claim. */
  readonly streamed: bigint
}

/** How a channel ended. Amounts are what comes to this side of it, or to both. */
export interface SettlementRow {
  /** What the chain paid out; null: nobody told. */
  readonly paid: { readonly own: bigint; readonly partner: bigint } | null
  readonly isCooperative: boolean
  /** What comes to us by what both signed, or by the proofs that were posted. */
  readonly due: bigint
  /** What comes to us by the newest state on this disk, with every lock counted against us. */
  readonly least: bigint
}

export interface ChannelRow {
  readonly number: number
  readonly contract: Address
  readonly channel: Hash
  readonly epoch: bigint
  readonly token: string
  readonly phase: string
  readonly own: SideRow
  readonly partner: SideRow
  /** The partner's counter when the chain's view froze. Null: it is not frozen. */
  readonly offlineFrom: bigint | null
  /** Nonces of ours that the partner has acknowledged. */
  readonly acked: bigint
  /** Own packets behind `acked` that are kept to be sent again. */
  readonly waiting: number
  /** Null: it is not settled. */
  readonly settlement: SettlementRow | null
}

export interface HistoryRow {
  readonly id: number
  readonly kind: string
  readonly channelNumber: number
  /** Of direct payments: the message that paid. */
  readonly nonce: bigint
  readonly amount: bigint
  readonly token: string
  readonly payer: Address | null
  /** Of direct payments: who pays finds it again by this. Of payouts over other boxes: what their data names. */
  readonly reference: Hash
  /** It came with the note that tenants put to their payments. */
  readonly isForIot: boolean
  /** It went with the note of payouts. */
  readonly isForPayout: boolean
  /** Of a direct payout: its channel ended without it, and the chain has paid it back. */
  readonly isLost: boolean
  /** Of a payment over other boxes: what they got on top. */
  readonly fee: bigint
  /** Of a payout over other boxes: the hash that it was locked under. */
  readonly lock: Hash | null
}

export interface CarriageRow {
  readonly number: number
  readonly carrier: Address
  readonly client: Address
  /** Hex without 0x, as the ledger's evidence has it. */
  readonly epoch: string
  readonly role: 'carrier' | 'client'
  readonly token: string
  /** Whole units that both ends signed. */
  readonly owed: bigint
  readonly paid: bigint
  /** Ordered, on disk, and not known to be paid. */
  readonly ordered: bigint
  readonly isEnded: boolean
  readonly isSettled: boolean
  /** Both ends' newest readings are signed by them; null: nothing was agreed on. */
  readonly isSigned: boolean | null
}

export interface RoamRow {
  readonly role: 'seller' | 'holder'
  readonly partner: Address
  readonly token: string
  readonly owed: bigint
  readonly paid: bigint
  /** Owed, not paid and not written off. */
  readonly open: bigint
  /** What may be open beyond the limit: of guests who were in when it was passed. Null: an earlier version did not say. */
  readonly beyond: bigint | null
  /** Reference of its payments, as the ledger's evidence begins. */
  readonly reference: string
}

export interface PayoutRow {
  readonly id: number
  readonly account: string
  readonly token: string
  readonly number: number
  readonly previous: Hash | null
  readonly afterEntry: number
  readonly upToEntry: number
  readonly amount: bigint
  readonly reference: Hash
  readonly to: Address
  readonly state: 'open' | 'paid' | 'dropped'
  /** The paid one before it, of the same account and token. */
  readonly before: { readonly reference: Hash; readonly upToEntry: number } | null
  /** Of a paid one: the book's entry; null: it is not there. */
  readonly entry: { readonly id: number; readonly evidence: string; readonly postings: LedgerRow['postings'] } | null
  /** Of one that went over other boxes: its lock, what they got, and the book's entry of that, null: it is not there. Null: it went directly. */
  readonly routed: { readonly lock: Hash; readonly fee: bigint; readonly entry: { readonly id: number; readonly postings: LedgerRow['postings'] } | null } | null
  /** What the lines of the book that it pays for make. */
  readonly lines: bigint
  /** Those lines hash to its reference. */
  readonly isIntact: boolean
  /** Of a paid one: this box has signed its statement. */
  readonly isSigned: boolean | null
}

export interface TenantRow {
  readonly tenant: string
  readonly epoch: number
  readonly payer: Address
  readonly token: string
  readonly seq: bigint
  readonly cumAmount: bigint
  readonly chainHash: string
  readonly heldAmount: bigint
  readonly heldCount: number
  readonly receiptSeq: bigint
  readonly settled: bigint
  readonly isBehind: boolean
  /** Σ of what is held, by its rows. */
  readonly held: { readonly amount: bigint; readonly count: number }
  readonly sums: readonly { readonly kind: string; readonly amount: bigint; readonly booked: bigint }[]
  /** By the channels. */
  readonly paid: bigint
  /** Null: he is no tenant any more. */
  readonly creditWindow: bigint | null
}

export interface UnitRow {
  readonly seq: bigint
  readonly kind: string
  readonly frame: string
  readonly tmstUs: number
  readonly units: number
  readonly amount: bigint
}

export interface ReceiptRow {
  readonly seq: bigint
  readonly cumAmount: bigint
  readonly chainHash: string
  readonly isSigned: boolean
}

/** The box's books in one consistent look: nothing is written while it lasts. Every page is at most as long as asked for. */
export interface Books {
  newestEntry(): number
  entriesAfter(id: number, most: number): readonly LedgerRow[]
  totalsAfter(key: TotalKey, most: number): readonly TotalRow[]
  daysAfter(key: DayKey, most: number): readonly DayRow[]
  vouchersAfter(n: number, most: number): readonly VoucherRow[]
  hasVoucher(id: string): boolean
  sessionsAfter(id: string, most: number): readonly SessionRow[]
  streamsAfter(stream: string, most: number): readonly StreamRow[]
  streamClaimsAfter(channel: string, most: number): readonly StreamClaimRow[]
  servedAfter(stream: string, most: number): readonly ServedRow[]
  topUpsAfter(code: string, most: number): readonly TopUpRow[]
  channelsAfter(number: number, most: number): readonly ChannelRow[]
  historyAfter(id: number, most: number): readonly HistoryRow[]
  carriagesAfter(number: number, most: number): readonly CarriageRow[]
  /** Whether the carriage that this evidence names is kept. */
  hasCarriage(facts: LedgerRow['facts']): boolean
  /** Behind the one of that place in their order. */
  roamsAfter(place: number, most: number): readonly RoamRow[]
  /** Whether both ends' readings in this evidence are signed by them. */
  isCarriageSigned(facts: LedgerRow['facts']): boolean
  /** Whether the tickets in this evidence are signed by the box that sold. Null: there are none, their guests were forgotten. */
  isRoamingSigned(facts: LedgerRow['facts']): boolean | null
  /** Null: that receipt is not kept. */
  receiptAt(tenant: string, epoch: number, seq: number): { readonly cumAmount: bigint; readonly chainHash: string } | null
  payoutsAfter(id: number, most: number): readonly PayoutRow[]
  /** By its reference; null: there is none. */
  payoutOf(reference: Hash): Pick<PayoutRow, 'id' | 'state' | 'amount' | 'to' | 'token' | 'routed'> & { readonly entryId: number | null } | null
  tenantsAfter(tenant: string, epoch: number, most: number): readonly TenantRow[]
  unitsAfter(tenant: string, epoch: number, seq: bigint, most: number): readonly UnitRow[]
  receiptsAfter(tenant: string, epoch: number, seq: bigint, most: number): readonly ReceiptRow[]
  /** What was read of the channels' history for IoT: up to which row of it, and Σ by payer and token. */
  paidMark(): number
  paidSum(payer: Address, token: string): bigint
}

/** A channel as the contract has it. */
export interface ChainSide {
  readonly deposit: bigint
  readonly withdrawn: bigint
  readonly claimed: bigint
}

export type ChainAnswer = { readonly why: string } | { readonly block: number; readonly own: ChainSide; readonly partner: ChainSide; readonly isOpen: boolean }

export interface AuditPorts {
  look<T>(body: (books: Books) => T): T
  /** Lets others have their turn. */
  pause(): Promise<void>
  /** Proved, as of the block up to which the box has taken the chain's news in; or why it is not to be had now. */
  chainOf(channel: ChannelRow): Promise<ChainAnswer>
  /** The chain's hash of hashes for one more unit. */
  nextChainHash(previous: string, unit: UnitRow): string
  readonly limits: AuditLimits
}

/** What the box may have at risk, as it is configured. Null: there is no such limit. */
export interface AuditLimits {
  /** By one channel while nobody sees the chain. */
  readonly offline: bigint | null
  /** Owed by one box for being carried. */
  readonly carriage: bigint | null
  /** Owed by one box for its guests elsewhere. */
  readonly roaming: bigint | null
  /** Ticks of a stream that were served and whose proof is not on this disk. */
  readonly streamTicks: bigint
}
