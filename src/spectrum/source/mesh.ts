/**
 * Blocks between mesh neighbours, over whatever carries bytes between them: the same messages as eth/63, each
 * as one string of bytes (`frameOf`: code, then payload). A question is one request with one reply, so nothing
 * has to be told apart by order; Status, blocks, hashes and transactions are announcements.
 *
 * | | frames |
 * |---|---|
 * | request → reply | GetBlockHeaders, GetBlockBodies, GetReceipts, GetNodeData → their replies |
 * | request → reply, once at the start | Status → Status |
 * | announcement | NewBlock, NewBlockHashes, Transactions |
 */
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import type { Cancel, Clock, Timers } from '../../base/index.ts'
import type { Keccak } from '../codec/fields.ts'
import type { ChainServer } from '../ports.ts'
import { Allowance } from './allowance.ts'
import { answer, isRequest } from './answers.ts'
import { CODE, ETH_VERSION, MAX_PAYLOAD_BYTES, REPLY_OF, decodeStatus, decodeTransactions, encodeStatus, frameOf, messageOf } from './eth63.ts'
import type { Message, Status } from './eth63.ts'
import { ALL_MESSAGES, BREACH_BAN_SECONDS, HANDSHAKE_TIMEOUT_MS, MAX_OUTSTANDING_REQUESTS, MAX_WAITING_ANSWERS, MAX_WAITING_NEIGHBOUR_ANSWERS, MESH_REPLY_BYTES, REQUEST_TIMEOUT_MS, SERVED_BYTES, UNASKED_BYTES, UNASKED_MESSAGES } from './limits.ts'
import type { PassedOn, PassingOn } from './passing-on.ts'
import { PeerSource } from './peer-source.ts'
import type { PeerLink } from './peer-source.ts'
import { Places } from './places.ts'
import type { SourcePool } from './pool.ts'
import { closed } from './source-errors.ts'

/** A connection to one neighbour. What it carries is bytes; who the neighbour is, it has proved. */
export interface MeshChainTransport {
  /** The neighbour's proved identity, e.g. its libp2p peer id. */
  readonly neighbour: string
  /** Whether what this box does not keep is asked of others for it: that costs this box its way out, which strangers do not get. */
  mayAskThrough(): boolean
  /** One question, one answer of at most `maxReplyBytes`. Rejects where there is none; `signal` gives up. */
  request(frame: Uint8Array, maxReplyBytes: number, signal: AbortSignal): Promise<Uint8Array>
  /** Best effort. False: not now, the neighbour does not read. */
  announce(frame: Uint8Array): boolean
  /** Set once, before anything is asked. What `onRequest` rejects with is no answer for the neighbour. */
  serve(handlers: MeshHandlers): void
  close(reason: string): void
}

export interface MeshHandlers {
  /** Frames above `maxFrameBytes(code)` need not be brought here. */
  readonly onRequest: (frame: Uint8Array) => Promise<Uint8Array>
  readonly onAnnouncement: (frame: Uint8Array) => void
  readonly onClosed: (reason: string) => void
}

/** The largest frame with this code in its first byte; 0: there is no such message. */
export function maxFrameBytes(code: number): number {
  const most = MAX_PAYLOAD_BYTES[code]
  return most === undefined ? 0 : most + 1
}

export interface MeshParts {
  readonly pool: SourcePool
  readonly server: ChainServer
  /** Null: what this box keeps is all that it gives. */
  readonly passingOn: PassingOn | null
  /**
   * Where each transaction costs this box a proof that it has to fetch: which of a neighbour's are taken, and where they go. Null: they are
   * told to the pool of sources like those of any other source.
   */
  readonly offers: { take(neighbour: string, transactions: readonly Uint8Array[]): readonly Uint8Array[]; offer(transaction: Uint8Array): Promise<unknown> } | null
  readonly keccak: Keccak
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
}

/**
 * Makes a source of a neighbour and admits it to the pool. Null: another chain, banned, no room, or no answer;
 * the transport is closed then.
 */
export async function openMeshSource(parts: MeshParts, transport: MeshChainTransport): Promise<PeerSource | null> {
  const link = new MeshLink(parts, transport)
  try {
    return await link.open()
  } catch (thrown) {
    link.fail(asError(thrown))
    return null
  }
}

class MeshLink implements PeerLink {
  readonly #parts: MeshParts
  readonly #transport: MeshChainTransport
  readonly #identity: string
  readonly #messages: Allowance
  readonly #unaskedMessages: Allowance
  readonly #unaskedBytes: Allowance
  readonly #served: Allowance
  readonly #passedOn: PassedOn | null
  /** Answers are made, and held until they may go, so many at a time. */
  readonly #making = new Places(MAX_WAITING_ANSWERS)
  readonly #giveUps = new Set<AbortController>()
  #answering = 0
  #source: PeerSource | null = null
  #closedReason: string | null = null

  constructor(parts: MeshParts, transport: MeshChainTransport) {
    this.#parts = parts
    this.#transport = transport
    this.#identity = `mesh:${transport.neighbour}`
    const now = parts.clock.boottimeMs()
    this.#messages = new Allowance(ALL_MESSAGES, now)
    this.#unaskedMessages = new Allowance(UNASKED_MESSAGES, now)
    this.#unaskedBytes = new Allowance(UNASKED_BYTES, now)
    this.#served = new Allowance(SERVED_BYTES, now)
    this.#passedOn = parts.passingOn?.of(this.#identity) ?? null
    transport.serve({
      onRequest: (frame) => this.#answer(frame),
      onAnnouncement: (frame) => this.#hear(frame),
      onClosed: (reason) => this.#end(reason),
    })
  }

  async open(): Promise<PeerSource | null> {
    const { pool, keccak, server } = this.#parts
    if (pool.isBanned(this.#identity)) throw closed('the neighbour is banned')
    const status = decodeStatus((await this.#exchange(statusOf(server), CODE.status, HANDSHAKE_TIMEOUT_MS)).payload)
    checkStatus(status, server)
    const head = { hash: status.head, number: null, totalDifficulty: status.totalDifficulty }
    const source = new PeerSource({ id: this.#identity, kind: 'mesh', keccak, server, listener: pool, fetches: pool.fetches }, this, head)
    if (!pool.admit(source, this.#identity)) throw closed('no room for another source')
    this.#source = source
    return source
  }

  async ask(request: Message): Promise<Uint8Array> {
    const replyCode = REPLY_OF[request.code]
    if (replyCode === undefined) throw inputError('request', request.code, 'a request of eth/63')
    if (this.#giveUps.size >= MAX_OUTSTANDING_REQUESTS) throw new MeshBoxError('limit', `${MAX_OUTSTANDING_REQUESTS} requests wait for this source already`, { code: 'source-busy' })
    try {
      return (await this.#exchange(request, replyCode, REQUEST_TIMEOUT_MS)).payload
    } catch (thrown) {
      this.fail(asError(thrown))
      throw thrown
    }
  }

  tell(message: Message): void {
    if (this.#closedReason === null) this.#transport.announce(frameOf(message))
  }

  close(reason: string): void {
    this.#transport.close(reason)
    this.#end(reason)
  }

  breach(reason: string): void {
    this.#parts.pool.ban(this.#identity, reason, BREACH_BAN_SECONDS)
    this.close(reason)
  }

  fail(error: Error): void {
    if (error instanceof MeshBoxError && error.kind === 'input') this.breach(error.message)
    else this.close(error.message)
  }

  async #exchange(request: Message, replyCode: number, timeoutMs: number): Promise<Message> {
    if (this.#closedReason !== null) throw closed(this.#closedReason)
    const giveUp = new AbortController()
    this.#giveUps.add(giveUp)
    let cancel: Cancel = () => undefined
    const tooLate = new Promise<never>((_, reject) => {
      cancel = this.#parts.timers.after(timeoutMs, () => reject(new MeshBoxError('unavailable', `no reply within ${timeoutMs / 1000} s`, { code: 'source-slow' })))
      giveUp.signal.addEventListener('abort', () => reject(closed(this.#closedReason ?? 'given up')), { once: true })
    })
    try {
      const frame = await Promise.race([this.#transport.request(frameOf(request), maxFrameBytes(replyCode), giveUp.signal), tooLate])
      const reply = messageOf(frame)
      if (reply.code !== replyCode) throw inputError('reply', reply.code, `message ${replyCode}`)
      return reply
    } finally {
      cancel()
      this.#giveUps.delete(giveUp)
      giveUp.abort()
    }
  }

  /** What the neighbour asks. */
  async #answer(frame: Uint8Array): Promise<Uint8Array> {
    if (this.#closedReason !== null) throw closed(this.#closedReason)
    const { clock, server } = this.#parts
    if (this.#answering >= MAX_WAITING_NEIGHBOUR_ANSWERS || !this.#messages.take(1, clock.boottimeMs())) throw new MeshBoxError('limit', 'too many questions at once', { code: 'source-busy' })
    this.#answering++
    try {
      const request = messageOf(frame)
      if (request.code === CODE.status) {
        checkStatus(decodeStatus(request.payload), server)
        return frameOf(statusOf(server))
      }
      if (!isRequest(request.code)) throw inputError('request', request.code, 'a request of eth/63')
      const passedOn = this.#transport.mayAskThrough() ? ((await this.#passedOn?.answer(server, request)) ?? null) : null
      return await this.#making.run(() => this.#reply(request, passedOn))
    } catch (thrown) {
      this.fail(asError(thrown))
      throw thrown
    } finally {
      this.#answering--
    }
  }

  /** `made` null: of what is kept here. */
  async #reply(request: Message, made: Message | null): Promise<Uint8Array> {
    if (this.#closedReason !== null) throw closed(this.#closedReason)
    const { clock, server, timers } = this.#parts
    const reply = frameOf(made ?? (await answer(server, timers, request, MESH_REPLY_BYTES)))
    const waitMs = this.#served.spend(reply.length, clock.boottimeMs())
    if (waitMs > 0) await new Promise<void>((resolve) => timers.after(waitMs, resolve))
    return reply
  }

  #hear(frame: Uint8Array): void {
    // Before Status there is no source that could say anything; the neighbour announces again.
    if (this.#closedReason !== null || this.#source === null) return
    const now = this.#parts.clock.boottimeMs()
    try {
      if (!this.#unaskedMessages.take(1, now) || !this.#unaskedBytes.take(frame.length, now)) throw inputError('messages', 'more than anybody needs', `${UNASKED_MESSAGES.perSecond} a second`)
      const message = messageOf(frame)
      if (message.code === CODE.transactions && this.#parts.offers !== null) this.#takeTransactions(this.#parts.offers, this.#source, decodeTransactions(message.payload))
      else this.#source.hear(message)
    } catch (thrown) {
      this.fail(asError(thrown))
    }
  }

  /** Of strangers none: proving them costs this box its way out. */
  #takeTransactions(offers: NonNullable<MeshParts['offers']>, source: PeerSource, transactions: readonly Uint8Array[]): void {
    if (!this.#transport.mayAskThrough()) return
    const taken = offers.take(this.#identity, transactions)
    source.noteTransactions(taken)
    for (const transaction of taken) void offers.offer(transaction)
  }

  #end(reason: string): void {
    if (this.#closedReason !== null) return
    this.#closedReason = reason
    for (const giveUp of this.#giveUps) giveUp.abort()
    if (this.#source !== null) this.#parts.pool.dismiss(this.#source, reason)
  }
}

/** What this box says first. */
export function statusOf(server: ChainServer): Message {
  const { network } = server
  const head = server.head()
  return encodeStatus({ version: ETH_VERSION, networkId: BigInt(network.networkId), totalDifficulty: head.totalDifficulty, head: head.hash, genesis: network.genesisHash })
}

/** A neighbour may well keep another chain: no offence. Errors: unavailable. */
export function checkStatus(status: Status, { network }: ChainServer): void {
  if (status.genesis !== network.genesisHash || status.networkId !== BigInt(network.networkId) || status.version !== ETH_VERSION) throw closed('the neighbour keeps another chain')
}
