/** What the JSON-RPC needs of the box. Everything that it answers comes through these and is proved or run here. */
import type { Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Body } from '../codec/body.ts'
import type { Address, Hash } from '../codec/fields.ts'
import type { Receipt } from '../codec/receipt.ts'
import type { ChainView, Executor, ProvedState, SyncStatus, TransactionPool } from '../ports.ts'

/** The part of the executor that a wallet's questions need; null on a box that runs nothing. */
export type CallExecutor = Pick<Executor, 'call' | 'estimateGas'>

/**
 * Bodies and receipts that this box does not keep, from its sources. Nothing of it is believed: it is checked
 * against the header's roots before it is used. Null: nobody has it now.
 */
export interface BlockFetch {
  body(hash: Hash): Promise<Body | null>
  receipts(hash: Hash): Promise<readonly Receipt[] | null>
}

export interface RpcMiner {
  readonly address: Address
  /** Earnings go here. */
  readonly coinbase: Address
  readonly isSealing: boolean
}

export interface RpcPorts {
  readonly curve: Secp256k1
  readonly chain: ChainView
  readonly state: ProvedState
  readonly executor: CallExecutor | null
  readonly pool: TransactionPool
  readonly blocks: BlockFetch | null
  status(): SyncStatus
  /** The box's own miner; null where it has none. */
  miner(): RpcMiner | null
  /** What a transaction should pay now so that this box's pool, and the sealers, take it. */
  gasPriceWei(): bigint
  /** Of the service, for web3_clientVersion. */
  readonly version: string
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
}
