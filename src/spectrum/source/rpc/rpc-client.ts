/** JSON-RPC 2.0 over HTTP to a server that is not trusted: sizes and times bounded, replies matched to their questions. */
import { MeshBoxError, asError, fromUtf8, inputError } from '../../../base/index.ts'
import { lied } from '../source-errors.ts'
import { objectOf } from './rpc-json.ts'

/** The way to servers. */
export interface HttpDoor {
  /** The body of the answer to a POST. Errors (rejects): unavailable: no answer, not 200, more than `maxBytes`, later than `timeoutMs`. */
  post(url: string, body: string, bounds: { readonly maxBytes: number; readonly timeoutMs: number }): Promise<Uint8Array>
  close(): void
}

export interface RpcCall {
  readonly method: string
  readonly params: readonly unknown[]
}

/** JSON of this size is parsed in some ten milliseconds on a slow board; a larger answer is refused. */
export const MAX_RESPONSE_BYTES = 2 * 1024 * 1024
const TIMEOUT_MS = 10_000
const MAX_QUEUED = 8

/** What one call gave: a result, or the server's own error. */
export type RpcOutcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly code: number; readonly message: string }

export class RpcClient {
  readonly #door: HttpDoor
  readonly #url: string
  #lastId = 0
  #queued = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(door: HttpDoor, url: string) {
    this.#door = door
    this.#url = url
  }

  /** Errors (rejects): limit `source-busy`; unavailable; input `source-lied`. */
  async call(method: string, ...params: readonly unknown[]): Promise<RpcOutcome> {
    const [outcome] = await this.batch([{ method, params }])
    return outcome ?? { ok: false, code: 0, message: 'no answer' }
  }

  /** In the order asked. One request to the server at a time. */
  async batch(calls: readonly RpcCall[]): Promise<readonly RpcOutcome[]> {
    if (calls.length === 0) return []
    if (this.#queued >= MAX_QUEUED) throw new MeshBoxError('limit', `${MAX_QUEUED} requests wait for this source already`, { code: 'source-busy' })
    this.#queued++
    const turn = this.#turn.then(() => this.#send(calls))
    this.#turn = turn.catch(() => undefined) // whoever asked hears of it; the next in the queue need not
    try {
      return await turn
    } finally {
      this.#queued--
    }
  }

  async #send(calls: readonly RpcCall[]): Promise<readonly RpcOutcome[]> {
    const first = this.#lastId + 1
    this.#lastId += calls.length
    const requests = calls.map(({ method, params }, index) => ({ jsonrpc: '2.0', id: first + index, method, params }))
    const isAlone = requests.length === 1
    const bytes = await this.#door.post(this.#url, JSON.stringify(isAlone ? requests[0] : requests), { maxBytes: MAX_RESPONSE_BYTES, timeoutMs: TIMEOUT_MS })
    try {
      const answers: unknown = JSON.parse(fromUtf8(bytes, 'response'))
      const list = isAlone ? [answers] : answers
      if (!Array.isArray(list) || list.length !== calls.length) throw inputError('response', 'something else', `${calls.length} answers`)
      const byId = new Map(list.map((answer): [unknown, RpcOutcome] => [objectOf(answer, 'response')['id'], outcomeOf(answer)]))
      return requests.map(({ id }) => {
        const outcome = byId.get(id)
        if (outcome === undefined) throw inputError('response.id', 'another', String(id))
        return outcome
      })
    } catch (thrown) {
      throw lied(`no JSON-RPC (${asError(thrown).message.slice(0, 200)})`, thrown)
    }
  }
}

function outcomeOf(answer: unknown): RpcOutcome {
  const json = objectOf(answer, 'response')
  if (json['error'] === undefined || json['error'] === null) return { ok: true, result: json['result'] ?? null }
  const error = objectOf(json['error'], 'error')
  return { ok: false, code: Number(error['code']), message: String(error['message']).slice(0, 200) }
}
