/**
 * What the REST interface asks of a running Photon node, and the shapes it is told in. Whoever puts the node together
 * implements it. Refusals are thrown: `photonError(code, reason)` for one of the original's numbers (6.3), any other
 * MeshBoxError for the rest.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, ErrorKind, Hash } from '../../base/index.ts'
import type { BalanceProof, Lock } from '../ports.ts'
import type { MonitoringPayload } from '../watch/index.ts'

/** 3.1: the numbers that clients see. */
export const CHANNEL_STATES = [
  'invalid', 'opened', 'closed', 'settled', 'closing', 'settling', 'withdrawing', 'cooperativeSettling', 'prepareForCooperativeSettle',
  'prepareForWithdraw', 'error', 'partnerCooperativeSettling', 'partnerWithdrawing',
] as const
export type ChannelStateName = (typeof CHANNEL_STATES)[number]

/** 6.2: 0 to 5. */
export const TRANSFER_STATES = ['init', 'can-cancel', 'cannot-cancel', 'success', 'cancelled', 'failed'] as const
export type TransferStateName = (typeof TRANSFER_STATES)[number]

export interface BuildInfo {
  readonly version: string
  readonly commit: string
  readonly built: string
}

export interface TokenBalance {
  readonly token: Address
  readonly balance: bigint
  readonly locked: bigint
}

export interface ChannelView {
  readonly channel: Hash
  /** v1: the block it was opened in. */
  readonly epoch: bigint
  readonly partner: Address
  readonly token: Address
  readonly balance: bigint
  readonly partnerBalance: bigint
  readonly locked: bigint
  readonly partnerLocked: bigint
  readonly state: ChannelStateName
  readonly settleTimeout: number
  readonly revealTimeout: number
}

export interface LockView {
  readonly lock: Lock
  readonly lockHash: Hash
  /** Null: not known. */
  readonly secret: Hash | null
  readonly isRegistered: boolean
}

export interface ChannelDetailView extends ChannelView {
  /** 0: not yet. */
  readonly closedBlock: number
  readonly settledBlock: number
  /** In the order they came. */
  readonly ownLocks: readonly LockView[]
  readonly partnerLocks: readonly LockView[]
  readonly ownProof: BalanceProof | null
  readonly partnerProof: BalanceProof | null
}

export interface DepositOrder {
  readonly partner: Address
  readonly token: Address
  readonly amount: bigint
  /** Null: the channel is there and keeps its own. */
  readonly settleTimeout: number | null
}

/** A path as a path finder gave it: without the source, with the target. */
export interface RouteView {
  readonly pathId: number
  readonly hops: readonly Address[]
  readonly fee: bigint
}

export interface TransferOrder {
  readonly token: Address
  readonly target: Address
  readonly amount: bigint
  readonly secret: Hash | null
  readonly isDirect: boolean
  /** Wait until it has ended. */
  readonly isSync: boolean
  readonly data: string
  readonly routes: readonly RouteView[]
}

export interface SentTransferView {
  readonly key: string
  readonly block: number
  readonly token: Address
  readonly secretHash: Hash
  readonly target: Address
  readonly amount: bigint
  readonly data: string
  readonly isDirect: boolean
  readonly sendingSeconds: number
  readonly finishSeconds: number
  readonly status: TransferStateName
  readonly statusMessage: string
  readonly channel: Hash
  readonly epoch: bigint
}

export interface ReceivedTransferView {
  readonly key: string
  readonly block: number
  readonly epoch: bigint
  readonly channel: Hash
  readonly token: Address
  readonly initiator: Address
  readonly nonce: bigint
  readonly amount: bigint
  readonly data: string
  readonly seconds: number
}

/** A payment to this node whose secret has not come. */
export interface PendingReceiptView {
  readonly initiator: Address
  readonly target: Address
  readonly token: Address
  readonly amount: bigint
  readonly secret: Hash | null
  readonly secretHash: Hash
  readonly blocksLeft: number
  readonly fee: bigint
  readonly isDirect: boolean
}

export interface SwapOrder {
  readonly target: Address
  readonly secretHash: Hash
  readonly role: 'maker' | 'taker'
  readonly sendingAmount: bigint
  readonly sendingToken: Address
  readonly receivingAmount: bigint
  readonly receivingToken: Address
  /** Of the maker. */
  readonly secret: Hash | null
  readonly routes: readonly RouteView[]
}

/** `divisor`: the fee is amount ÷ divisor; 0: none (4.1). */
export interface FeeRate {
  readonly constant: bigint
  readonly divisor: bigint
}
export interface FeeTable {
  readonly account: FeeRate
  readonly tokens: ReadonlyMap<Address, FeeRate>
  readonly channels: ReadonlyMap<Hash, FeeRate>
}

export interface FeeEarned {
  readonly key: string
  readonly secretHash: Hash
  readonly token: Address
  readonly from: Address
  readonly to: Address
  readonly amount: bigint
  readonly inChannel: Hash
  readonly outChannel: Hash
  readonly fee: bigint
  readonly seconds: number
  readonly data: string
  readonly block: number
}

export interface Income {
  readonly amount: bigint
  readonly data: string
  readonly source: 'transfer' | 'fee'
  readonly seconds: number
}

export interface IncomeOfDays {
  readonly token: Address
  readonly total: bigint
  readonly days: readonly { readonly amount: bigint; readonly seconds: number }[]
}

export interface TransactionView {
  readonly hash: Hash
  readonly channel: Hash
  readonly epoch: bigint
  readonly token: Address
  readonly type: string
  readonly isOwnCall: boolean
  /** JSON text. */
  readonly params: string
  readonly status: 'pending' | 'success' | 'failed'
  readonly packBlock: number
  readonly callSeconds: number
  readonly packSeconds: number
  readonly gasPrice: bigint
  readonly gasUsed: bigint
}

export interface TransactionFilter {
  readonly channel: Hash | null
  readonly epoch: bigint | null
  readonly token: Address | null
  readonly type: string | null
  readonly status: string | null
}

export interface SystemStatus {
  readonly rpcEndpoint: string
  readonly isChainConnected: boolean
  readonly contract: Address
  readonly tokens: readonly Address[]
  readonly block: number
  readonly blockSeconds: number
  readonly networkType: string
  readonly channels: number
  readonly sent: number
  readonly received: number
  readonly dealing: number
}

export interface BlockRange {
  /** Null: no bound. */
  readonly fromBlock: number | null
  readonly toBlock: number | null
  readonly token: Address | null
}

export interface PhotonApi {
  readonly account: Address
  build(): BuildInfo
  status(): Promise<SystemStatus>

  tokens(): Promise<readonly Address[]>
  balances(token: Address | null): Promise<readonly TokenBalance[]>
  /** On the chain; `token` null: the native coin. */
  chainBalance(of: Address, token: Address | null): Promise<bigint>
  sendNative(to: Address, amount: bigint): Promise<void>

  channels(): Promise<readonly ChannelView[]>
  channel(id: Hash): Promise<ChannelDetailView | null>
  deposit(order: DepositOrder): Promise<ChannelView>
  close(id: Hash, isForced: boolean): Promise<ChannelView>
  settle(id: Hash): Promise<ChannelView>
  withdraw(id: Hash, amount: bigint): Promise<ChannelView>
  /** No new payments, so that pending locks run out. */
  prepareWithdraw(id: Hash): Promise<ChannelView>
  cancelPrepare(id: Hash): Promise<ChannelView>
  /** What a watcher needs to act for us (section 5). */
  watchPayload(id: Hash, watcher: Address): Promise<MonitoringPayload>

  /** The hash under which the payment is known from now on. */
  transfer(order: TransferOrder): Promise<Hash>
  sentTransfer(token: Address, secretHash: Hash): Promise<SentTransferView | null>
  cancelTransfer(token: Address, secretHash: Hash): Promise<void>
  allowReveal(token: Address, secretHash: Hash): Promise<void>
  registerSecret(token: Address, secret: Hash): Promise<void>
  pendingReceipt(token: Address, secretHash: Hash): Promise<PendingReceiptView | null>
  sentTransfers(range: BlockRange): Promise<readonly SentTransferView[]>
  receivedTransfers(range: BlockRange): Promise<readonly ReceivedTransferView[]>
  newSecret(): { readonly secret: Hash; readonly secretHash: Hash }
  swap(order: SwapOrder): Promise<void>
  paths(token: Address, target: Address, amount: bigint): Promise<readonly RouteView[]>

  feeTable(): Promise<FeeTable>
  /** `account` null: as the configuration says. */
  setFeeTable(table: Omit<FeeTable, 'account'> & { readonly account: FeeRate | null }): Promise<void>
  feesEarned(): Promise<readonly FeeEarned[]>
  income(token: Address | null, fromSeconds: number | null, toSeconds: number | null, limit: number | null): Promise<readonly Income[]>
  incomeOfDays(token: Address | null, days: number): Promise<readonly IncomeOfDays[]>
  transactions(filter: TransactionFilter): Promise<readonly TransactionView[]>

  /** Direct payments only. */
  setOffline(isOffline: boolean): Promise<void>
  setPeers(peers: readonly { readonly account: Address; readonly endpoint: string; readonly deviceType: string }[]): Promise<void>
  peer(account: Address): Promise<{ readonly deviceType: string; readonly isOnline: boolean }>
  /** No new payments. Errors: 1021 while some run. */
  prepareUpdate(): Promise<void>
  stop(): Promise<void>
}

/** A refusal with one of the original's numbers. */
export function photonError(code: number, reason: string, kind: ErrorKind = 'conflict'): MeshBoxError {
  return new MeshBoxError(kind, reason, { code: `photon-${code}` })
}
