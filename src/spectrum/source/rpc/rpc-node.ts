/** Keeps one source for each configured JSON-RPC server: opens it, asks for its head now and then, opens it again after it failed. */
import { MeshBoxError, asError, inputError } from '../../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../../base/index.ts'
import type { Keccak } from '../../codec/fields.ts'
import type { Network } from '../../network/network.ts'
import { BREACH_BAN_SECONDS } from '../limits.ts'
import type { SourcePool } from '../pool.ts'
import { RpcClient } from './rpc-client.ts'
import type { HttpDoor } from './rpc-client.ts'
import { RpcSource, genesisHashOf } from './rpc-source.ts'

export interface RpcNodeParts {
  readonly pool: SourcePool
  readonly network: Network
  readonly door: HttpDoor
  readonly keccak: Keccak
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

const MAX_SERVERS = 8
const FIRST_DELAY_MS = 2_000
const LONGEST_DELAY_MS = 5 * 60_000
/** So many polls in a row without an answer, and it is gone. */
const MAX_FAILED_POLLS = 3

interface Server {
  readonly url: string
  failures: number
}

export class RpcNode {
  readonly #parts: RpcNodeParts
  readonly #servers: readonly Server[]
  readonly #pollMs: number
  readonly #cancels = new Set<Cancel>()
  #isClosed = false

  /** `urls`: http or https, without a password in them. Errors: input `rpc`. */
  constructor(parts: RpcNodeParts, urls: readonly string[], pollMs: number) {
    if (urls.length > MAX_SERVERS) throw inputError('rpc', `${urls.length} servers`, `at most ${MAX_SERVERS}`)
    if (!Number.isSafeInteger(pollMs) || pollMs < 250) throw inputError('pollMs', pollMs, '250 or more')
    this.#parts = parts
    this.#servers = urls.map((url) => ({ url: checkedUrl(url), failures: 0 }))
    this.#pollMs = pollMs
  }

  start(): void {
    for (const server of this.#servers) this.#later(0, server)
  }

  stop(): void {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    for (const source of this.#parts.pool.list()) if (source instanceof RpcSource && this.#servers.some(({ url }) => source.id === sourceId(url))) source.close('we stop')
    this.#parts.door.close()
  }

  #later(delayMs: number, server: Server): void {
    const cancel = this.#parts.timers.after(delayMs, () => {
      this.#cancels.delete(cancel)
      void this.#open(server)
    })
    this.#cancels.add(cancel)
  }

  #again(server: Server): void {
    if (this.#isClosed) return
    this.#later(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(server.failures++, 10)), server)
  }

  async #open(server: Server): Promise<void> {
    const { pool, network, door, keccak, log } = this.#parts
    const client = new RpcClient(door, server.url)
    const { source, ended } = this.#sourceOf(server, client)
    try {
      if (pool.isBanned(server.url)) throw new Error('banned')
      const genesis = await genesisHashOf(client, keccak)
      if (genesis !== network.genesisHash) throw new Error(`another chain: its genesis is ${genesis}`)
      await source.poll()
      if (this.#isClosed || !pool.admit(source, server.url)) throw new Error('no room')
    } catch (thrown) {
      log.debug('RPC server not used', { source: source.id, error: asError(thrown).message })
      return this.#again(server)
    }
    server.failures = 0
    const stopPolling = this.#poll(source)
    pool.dismiss(source, await ended)
    stopPolling()
    this.#again(server)
  }

  #sourceOf(server: Server, client: RpcClient): { readonly source: RpcSource; readonly ended: Promise<string> } {
    const { pool, keccak } = this.#parts
    let end: (reason: string) => void = () => undefined
    const ended = new Promise<string>((resolve) => (end = resolve))
    const source = new RpcSource({ id: sourceId(server.url), keccak, client, voice: pool, onClosed: (reason) => end(reason), onLie: (reason) => pool.ban(server.url, reason, BREACH_BAN_SECONDS) })
    return { source, ended }
  }

  #poll(source: RpcSource): Cancel {
    let failed = 0
    let isAsking = false
    return this.#parts.timers.every(this.#pollMs, () => {
      if (isAsking) return
      isAsking = true
      source.poll().then(
        () => {
          failed = 0
          isAsking = false
        },
        (thrown: unknown) => {
          isAsking = false
          // Our own questions are before it: no fault of the server.
          if (thrown instanceof MeshBoxError && thrown.code === 'source-busy') return
          if (++failed >= MAX_FAILED_POLLS) source.close(asError(thrown).message)
        },
      )
    })
  }
}

function sourceId(url: string): string {
  return `rpc:${new URL(url).host}`
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw inputError('rpc', text, 'an http or https URL')
  if (url.username !== '' || url.password !== '') throw inputError('rpc', url.host, 'a URL without a name and a password')
  return url.href
}
