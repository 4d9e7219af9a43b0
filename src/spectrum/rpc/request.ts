/**
 * JSON-RPC 2.0 requests and responses (jsonrpc.org/specification): one call, a notification (a call without
 * an id, which gets no response), or a batch of them.
 */
import { RPC_CODES, RpcError } from './rpc-error.ts'

export type RequestId = string | number | null

export interface RpcRequest {
  /** Undefined: a notification. */
  readonly id: RequestId | undefined
  readonly method: string
  readonly params: readonly unknown[]
}

/** One of a batch that is no request: it is answered, the others are carried out. */
export interface BadRequest {
  readonly id: RequestId
  readonly error: RpcError
}

export interface Envelope {
  readonly isBatch: boolean
  readonly requests: readonly (RpcRequest | BadRequest)[]
}

const MAX_METHOD_CHARS = 64
const MAX_ID_CHARS = 256
const MAX_PARAMS = 16
const FIELDS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params'])

/** Errors: RpcError -32700 for no JSON, -32600 for an empty batch or too large a one. */
export function parseEnvelope(text: string, maxBatch: number): Envelope {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (thrown) {
    throw new RpcError(RPC_CODES.parse, 'the body is not valid JSON', { cause: thrown })
  }
  if (!Array.isArray(body)) return { isBatch: false, requests: [readRequest(body)] }
  if (body.length === 0) throw new RpcError(RPC_CODES.request, 'an empty batch')
  if (body.length > maxBatch) throw new RpcError(RPC_CODES.request, `a batch of ${body.length} calls; at most ${maxBatch}`)
  return { isBatch: true, requests: body.map(readRequest) }
}

function readRequest(value: unknown): RpcRequest | BadRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad(null, 'a call is a JSON object')
  const { jsonrpc, id, method, params } = value as Record<string, unknown>
  if (id !== undefined && !isId(id)) return bad(null, `id: a number, a text of at most ${MAX_ID_CHARS} characters, or null`)
  const shown = id ?? null
  const strange = Object.keys(value).find((field) => !FIELDS.has(field))
  if (strange !== undefined) return bad(shown, `'${strange.slice(0, MAX_METHOD_CHARS)}' is no field of a call`)
  if (jsonrpc !== '2.0') return bad(shown, `jsonrpc: must be '2.0'`)
  if (typeof method !== 'string' || method === '' || method.length > MAX_METHOD_CHARS) return bad(shown, `method: a text of 1 to ${MAX_METHOD_CHARS} characters`)
  if (params !== undefined && !Array.isArray(params)) return { id: shown, error: new RpcError(RPC_CODES.params, 'params: a list; this box knows no named parameters') }
  if (params !== undefined && params.length > MAX_PARAMS) return { id: shown, error: new RpcError(RPC_CODES.params, `params: ${params.length} of them; at most ${MAX_PARAMS}`) }
  return { id, method, params: (params as unknown[] | undefined) ?? [] }
}

function isId(id: unknown): id is RequestId {
  return id === null || (typeof id === 'number' && Number.isFinite(id)) || (typeof id === 'string' && id.length <= MAX_ID_CHARS)
}

function bad(id: RequestId, message: string): BadRequest {
  return { id, error: new RpcError(RPC_CODES.request, message) }
}

export function resultText(id: RequestId, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

export function errorText(id: RequestId, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) } })
}
