/**
 * POST /rpc: the chain, asked by wallets of guests whose session runs. What may be asked and how much is decided by
 * who answers; here is only who may ask at all. A page of another site is refused (a preflight comes first, because
 * the body is JSON), the guest's own wallet extension is not.
 */
import { MeshBoxError } from '../../base/index.ts'
import { type Answer, jsonAnswer, jsonTextAnswer } from './answer.ts'
import type { AskedByGuest, Counter, LookingDesk } from './asked.ts'
import { isOnline } from './capport-api.ts'

/** The box's chain, as guests may ask it. */
export interface GuestRpc {
  /** JSON-RPC text in and out; null: there is nothing to answer. `key`: who is limited together. Never rejects. */
  answer(text: string, caller: { readonly key: string }): Promise<{ readonly text: string | null; readonly retryAfterSeconds: number | null }>
}

export const RPC_PATH = '/rpc'
export const MAX_RPC_BYTES = 64 * 1024
const PREFLIGHT_SECONDS = 600
const EXTENSION = /^(chrome|moz|safari-web)-extension:\/\/[A-Za-z0-9-]{1,64}$/
const SERVER_ERROR = -32_000
const TOO_MANY = 429

/** Errors: forbidden `foreign-page`. */
export function requireOwnOrigin(origin: string | undefined, own: string): void {
  if (origin === undefined || origin === own || EXTENSION.test(origin)) return
  throw new MeshBoxError('forbidden', 'this web site may not ask the box', { code: 'foreign-page', field: 'Origin' })
}

export function preflightAnswer(origin: string | undefined): Answer {
  return jsonTextAnswer(204, '', {
    ...corsOf(origin),
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': 'content-type',
    'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
    'Access-Control-Allow-Private-Network': 'true', // the page's origin was looked at
  })
}

/** `body`: at most 64 KiB. */
export async function answerRpc(asked: AskedByGuest, counter: Counter<LookingDesk>, rpc: GuestRpc, body: string, origin: string | undefined): Promise<Answer> {
  const { session } = counter.desk.view(asked.client)
  if (session === null || !isOnline(session)) throw new MeshBoxError('forbidden', 'no session of this device runs: the chain is there for guests who are online', { code: 'no-session' })
  const { text, retryAfterSeconds } = await rpc.answer(body, { key: asked.client.mac })
  if (text === null) return jsonTextAnswer(204, '', corsOf(origin))
  // Clients wait and try again by themselves when the status says so.
  const slow = retryAfterSeconds === null ? null : { 'Retry-After': String(retryAfterSeconds) }
  return jsonTextAnswer(slow === null ? 200 : TOO_MANY, text, { ...corsOf(origin), ...slow })
}

/** A refusal in the words of the protocol. */
export function rpcProblem(status: number, error: MeshBoxError, headers: Readonly<Record<string, string>>): Answer {
  return jsonAnswer(status, { jsonrpc: '2.0', id: null, error: { code: SERVER_ERROR, message: error.message } }, headers)
}

function corsOf(origin: string | undefined): Readonly<Record<string, string>> {
  return origin === undefined ? { Vary: 'Origin' } : { Vary: 'Origin', 'Access-Control-Allow-Origin': origin }
}
