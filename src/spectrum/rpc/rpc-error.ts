/**
 * Errors of JSON-RPC (jsonrpc.org/specification 5.1, EIP-1474, and code 3 of the execution APIs for a call
 * that reverted). Wallets show the message and some decide by its words, so those of transactions are the
 * customary ones.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { ErrorKind } from '../../base/index.ts'

export const RPC_CODES = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
  /** The chain, or the box, says no. */
  server: -32000,
  /** A block that is not there, or not kept any more. */
  missing: -32001,
  /** To be had perhaps later: no source has the nodes now. */
  unavailable: -32002,
  /** The pool does not take this transaction. */
  rejected: -32003,
  limit: -32005,
  /** With the data that the contract reverted with. */
  reverted: 3,
} as const

export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown
  /** Of limits by rate. */
  readonly retryAfterSeconds: number | null

  constructor(code: number, message: string, detail: { readonly data?: unknown; readonly retryAfterSeconds?: number; readonly cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.data = detail.data
    this.retryAfterSeconds = detail.retryAfterSeconds ?? null
  }
}

/** `parameter`: as the caller knows it, e.g. `params[0].to`. */
export function paramError(parameter: string, found: string, allowed: string): RpcError {
  return new RpcError(RPC_CODES.params, `${parameter}: ${found} is not allowed; allowed: ${allowed}`, { data: { parameter, allowed } })
}

const CODE_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  input: RPC_CODES.params,
  unauthorized: RPC_CODES.server,
  forbidden: RPC_CODES.server,
  'not-found': RPC_CODES.missing,
  conflict: RPC_CODES.server,
  limit: RPC_CODES.limit,
  unavailable: RPC_CODES.unavailable,
  internal: RPC_CODES.internal,
}

/** Null: not an error that may be shown; it is ours, and belongs in the log. */
export function rpcErrorOf(thrown: unknown): RpcError | null {
  if (thrown instanceof RpcError) return thrown
  if (!(thrown instanceof MeshBoxError) || thrown.kind === 'internal') return null
  return new RpcError(CODE_OF_KIND[thrown.kind], thrown.message, { cause: thrown, data: { code: thrown.code, ...(thrown.field === undefined ? {} : { parameter: thrown.field }) } })
}
