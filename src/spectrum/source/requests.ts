/**
 * Our requests that wait for a reply. eth/63 replies carry no name: they answer the oldest request of their
 * kind. So a request that timed out leaves no order to go by, and the connection ends with it.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Cancel, Timers } from '../../base/index.ts'
import { MAX_OUTSTANDING_REQUESTS, REQUEST_TIMEOUT_MS } from './limits.ts'

interface Waiting {
  readonly replyCode: number
  readonly done: (payload: Uint8Array) => void
  readonly failed: (error: Error) => void
  readonly cancel: Cancel
}

export class Requests {
  readonly #timers: Timers
  readonly #onTimeout: () => void
  readonly #waiting: Waiting[] = []
  #ended: Error | null = null

  /** `onTimeout`: called once, after the request has failed. */
  constructor(timers: Timers, onTimeout: () => void) {
    this.#timers = timers
    this.#onTimeout = onTimeout
  }

  get outstanding(): number {
    return this.#waiting.length
  }

  /**
   * `send`: called where the request may wait, and only then: the reply to one that nobody waits for would be taken for the next one's.
   * Errors (rejects): limit `source-busy`; unavailable `source-slow`; what `end` was given.
   */
  wait(replyCode: number, send: () => void = () => undefined): Promise<Uint8Array> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    if (this.#waiting.length >= MAX_OUTSTANDING_REQUESTS)
      return Promise.reject(new MeshBoxError('limit', `${MAX_OUTSTANDING_REQUESTS} requests wait for this source already`, { code: 'source-busy' }))
    return new Promise((done, failed) => {
      const cancel = this.#timers.after(REQUEST_TIMEOUT_MS, () => {
        this.end(new MeshBoxError('unavailable', `no reply within ${REQUEST_TIMEOUT_MS / 1000} s`, { code: 'source-slow' }))
        this.#onTimeout()
      })
      this.#waiting.push({ replyCode, done, failed, cancel })
      send()
    })
  }

  expects(replyCode: number): boolean {
    return this.#waiting.some((request) => request.replyCode === replyCode)
  }

  /** False: nobody asked. */
  reply(replyCode: number, payload: Uint8Array): boolean {
    const index = this.#waiting.findIndex((request) => request.replyCode === replyCode)
    const [request] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (request === undefined) return false
    request.cancel()
    request.done(payload)
    return true
  }

  /** All that wait fail, and all to come. */
  end(error: Error): void {
    this.#ended ??= error
    for (const request of this.#waiting.splice(0)) {
      request.cancel()
      request.failed(error)
    }
  }
}
