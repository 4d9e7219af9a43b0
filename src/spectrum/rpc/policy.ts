/**
 * Who may ask what, and how much of it. Two policies: the owner's side knows every method; paying guests get
 * what a wallet needs to see and spend its own money, at a rate that leaves the box to the others.
 */
import type { BucketRule } from '../../base/index.ts'

export interface RpcPolicy {
  readonly name: string
  /** Null: every method there is. */
  readonly methods: ReadonlySet<string> | null
  readonly maxBatch: number
  readonly maxBodyBytes: number
  /** Of the whole answer, batch or not. */
  readonly maxResponseBytes: number
  /** Gas of one eth_call or eth_estimateGas; more is cut to it. */
  readonly maxCallGas: bigint
  /** Blocks that one eth_getLogs may span. */
  readonly maxLogBlocks: number
  readonly maxLogs: number
  readonly maxFilters: number
  /** Of one caller, all methods. */
  readonly rate: BucketRule
  /** Of one caller, methods that run code or read many blocks. */
  readonly heavyRate: BucketRule
  /** Of all callers of this door together: the executor is one thread. */
  readonly heavyRateOfAll: BucketRule
  /** Calls that are being answered at once. */
  readonly maxInFlight: number
}

const KIB = 1024

export const OWNER_POLICY: RpcPolicy = {
  name: 'owner',
  methods: null,
  maxBatch: 100,
  maxBodyBytes: 512 * KIB,
  maxResponseBytes: 4 * KIB * KIB,
  maxCallGas: 25_000_000n,
  maxLogBlocks: 10_000,
  maxLogs: 5000,
  maxFilters: 32,
  rate: { burst: 400, perSecond: 100 },
  heavyRate: { burst: 60, perSecond: 15 },
  heavyRateOfAll: { burst: 120, perSecond: 30 },
  maxInFlight: 64,
}

export const GUEST_METHODS: ReadonlySet<string> = new Set([
  'eth_chainId',
  'net_version',
  'eth_blockNumber',
  'eth_getBlockByNumber',
  'eth_getBalance',
  'eth_getTransactionCount',
  'eth_call',
  'eth_estimateGas',
  'eth_gasPrice',
  'eth_sendRawTransaction',
  'eth_getTransactionReceipt',
  'eth_getTransactionByHash',
  'eth_getLogs',
])

export const GUEST_POLICY: RpcPolicy = {
  name: 'guest',
  methods: GUEST_METHODS,
  maxBatch: 10,
  maxBodyBytes: 64 * KIB,
  maxResponseBytes: 256 * KIB,
  maxCallGas: 2_000_000n,
  maxLogBlocks: 200,
  maxLogs: 200,
  maxFilters: 0,
  rate: { burst: 40, perSecond: 5 },
  heavyRate: { burst: 10, perSecond: 1 },
  heavyRateOfAll: { burst: 30, perSecond: 10 },
  maxInFlight: 16,
}

/** They run code, or read many nodes or blocks. */
export const HEAVY_METHODS: ReadonlySet<string> = new Set([
  'eth_call',
  'eth_estimateGas',
  'eth_getLogs',
  'eth_getProof',
  'eth_getFilterLogs',
  'tribe_getSinners',
  'tribe_pocGetStatus',
])
