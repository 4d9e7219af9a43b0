/**
 * Every method there is. Not among them on purpose: eth_feeHistory and eth_maxPriorityFeePerGas (there is no
 * base fee: wallets fall back to eth_gasPrice), eth_sign and eth_sendTransaction (the box holds no keys of
 * wallets), eth_subscribe (HTTP only), debug and personal.
 */
import { BLOCK_METHODS } from './block-methods.ts'
import { CALL_METHODS } from './call-methods.ts'
import { LOG_METHODS } from './log-methods.ts'
import type { Method } from './method.ts'
import { NODE_METHODS } from './node-methods.ts'
import { STATE_METHODS } from './state-methods.ts'
import { TRANSACTION_METHODS } from './transaction-methods.ts'
import { TRIBE_METHODS } from './tribe-methods.ts'

export const METHODS: ReadonlyMap<string, Method> = new Map(
  [NODE_METHODS, STATE_METHODS, CALL_METHODS, BLOCK_METHODS, TRANSACTION_METHODS, LOG_METHODS, TRIBE_METHODS].flatMap((table) => Object.entries(table)),
)
