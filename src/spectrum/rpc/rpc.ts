/**
 * One door's JSON-RPC: text in, text out. Limits first, then the method; whatever a method throws becomes an
 * error of the protocol, and nothing else ever leaves.
 */
import { RateLimit, asError } from '../../base/index.ts'
import { Filters } from './filters.ts'
import type { Caller } from './method.ts'
import { METHODS } from './methods.ts'
import { Params } from './params.ts'
import { HEAVY_METHODS } from './policy.ts'
import type { RpcPolicy } from './policy.ts'
import type { RpcPorts } from './ports.ts'
import { errorText, parseEnvelope, resultText } from './request.ts'
import type { BadRequest, RpcRequest } from './request.ts'
import { RPC_CODES, RpcError, rpcErrorOf } from './rpc-error.ts'

export interface RpcAnswer {
  /** Null: there were only notifications. */
  readonly text: string | null
  /** Not null: the one call of the request came too fast. */
  readonly retryAfterSeconds: number | null
}

const ALL = 'all'

export class Rpc {
  readonly policy: RpcPolicy
  readonly #ports: RpcPorts
  readonly #filters: Filters
  readonly #rate: RateLimit
  readonly #heavyRate: RateLimit
  readonly #heavyRateOfAll: RateLimit
  #inFlight = 0

  constructor(ports: RpcPorts, policy: RpcPolicy) {
    this.policy = policy
    this.#ports = ports
    this.#filters = new Filters(ports.chain, ports.clock, ports.randomness)
    this.#rate = new RateLimit(policy.rate)
    this.#heavyRate = new RateLimit(policy.heavyRate)
    this.#heavyRateOfAll = new RateLimit(policy.heavyRateOfAll, 1)
  }

  /** Never rejects. */
  async answer(text: string, caller: Caller): Promise<RpcAnswer> {
    try {
      const { isBatch, requests } = parseEnvelope(text, this.policy.maxBatch)
      const [only] = requests
      if (!isBatch && only !== undefined) return await this.#answerOne(only, caller)
      return { text: await this.#answerBatch(requests, caller), retryAfterSeconds: null }
    } catch (thrown) {
      return this.#answerOne({ id: null, error: this.#told(thrown, 'batch') }, caller)
    }
  }

  /** One call from inside the box, e.g. for a page of it. Errors: RpcError. */
  async call(method: string, params: readonly unknown[], caller: Caller): Promise<unknown> {
    this.#takeRate(method, caller)
    const known = this.policy.methods?.has(method) === false ? undefined : METHODS.get(method)
    if (known === undefined) throw new RpcError(RPC_CODES.method, `the method ${printable(method)} does not exist or is not available here`)
    if (this.#inFlight >= this.policy.maxInFlight) throw new RpcError(RPC_CODES.limit, 'too many calls at once', { retryAfterSeconds: 1 })
    this.#inFlight++
    try {
      return await known.run({ ports: this.#ports, policy: this.policy, caller, filters: this.#filters }, new Params(params, known.maxParams))
    } finally {
      this.#inFlight--
    }
  }

  close(): void {
    this.#filters.close()
  }

  async #answerOne(request: RpcRequest | BadRequest, caller: Caller): Promise<RpcAnswer> {
    const { text, error } = await this.#respond(request, caller, this.policy.maxResponseBytes)
    return { text, retryAfterSeconds: error?.retryAfterSeconds ?? null }
  }

  /** One after the other: a batch takes no more of the box at a time than a single call. */
  async #answerBatch(requests: readonly (RpcRequest | BadRequest)[], caller: Caller): Promise<string | null> {
    const answers: string[] = []
    let left = this.policy.maxResponseBytes
    for (const request of requests) {
      const { text } = await this.#respond(request, caller, left)
      if (text === null) continue
      answers.push(text)
      left -= Buffer.byteLength(text)
    }
    return answers.length === 0 ? null : `[${answers.join(',')}]`
  }

  async #respond(request: RpcRequest | BadRequest, caller: Caller, maxBytes: number): Promise<{ readonly text: string | null; readonly error: RpcError | null }> {
    const isBad = 'error' in request
    const { id } = request
    const method = isBad ? 'none' : request.method
    try {
      if (isBad) {
        this.#takeRate(method, caller) // what is no call costs as much as one
        throw request.error
      }
      const { params } = request
      const result = await this.call(method, params, caller)
      if (id === undefined) return { text: null, error: null }
      const text = resultText(id, result ?? null)
      if (Buffer.byteLength(text) > maxBytes) throw new RpcError(RPC_CODES.limit, `the answer would be larger than ${Math.max(0, maxBytes)} bytes; ask for less`)
      return { text, error: null }
    } catch (thrown) {
      const error = this.#told(thrown, method)
      return { text: id === undefined ? null : errorText(id, error), error }
    }
  }

  /** Errors: RpcError -32005, with the seconds to wait. */
  #takeRate(method: string, caller: Caller): void {
    const nowMs = this.#ports.clock.boottimeMs()
    const isHeavy = HEAVY_METHODS.has(method)
    const waits = [this.#rate.take(caller.key, nowMs), ...(isHeavy ? [this.#heavyRate.take(caller.key, nowMs)] : [])]
    // Those of one caller first: what it is refused must not use up what is there for all.
    let wait = Math.max(...waits)
    if (wait === 0 && isHeavy) wait = this.#heavyRateOfAll.take(ALL, nowMs)
    if (wait > 0) throw new RpcError(RPC_CODES.limit, `too many calls; wait ${wait} s`, { retryAfterSeconds: wait })
  }

  #told(thrown: unknown, method: string): RpcError {
    const error = rpcErrorOf(thrown)
    if (error !== null) return error
    this.#ports.log.error('a JSON-RPC call failed', { method, error: asError(thrown) })
    return new RpcError(RPC_CODES.internal, 'something went wrong in the box; its log says what')
  }
}

function printable(method: string): string {
  return /^[A-Za-z0-9_]+$/.test(method) ? method : JSON.stringify(method)
}
