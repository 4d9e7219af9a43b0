/**
 * One eth/63 peer over an RLPx session: Status exchanged and judged, then a loop that reads one message at a
 * time. What it asks is answered in order; while too much of it waits, nothing is read from it, and the
 * network slows it down.
 */
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import type { Cancel, Clock, Timers } from '../../base/index.ts'
import { hexOf } from '../codec/fields.ts'
import type { Keccak } from '../codec/fields.ts'
import type { ChainServer } from '../ports.ts'
import { Allowance } from './allowance.ts'
import { answer, isRequest } from './answers.ts'
import type { BlockFetches } from './block-fetches.ts'
import { CODE, ETH_VERSION, MAX_PAYLOAD_BYTES, REPLY_OF, decodeStatus, encodeStatus, isReply } from './eth63.ts'
import type { Message, Status } from './eth63.ts'
import { MAX_OUTBOX_BYTES, MAX_WAITING_ANSWERS, PING_INTERVAL_MS, SERVED_BYTES, SILENCE_MS, STALL_MS, UNASKED_BYTES, UNASKED_MESSAGES } from './limits.ts'
import { PeerSource } from './peer-source.ts'
import type { PeerLink } from './peer-source.ts'
import type { SourceVoice } from './pool.ts'
import { Requests } from './requests.ts'
import { DISCONNECT } from './rlpx/base-protocol.ts'
import type { DisconnectCode } from './rlpx/base-protocol.ts'
import { Unsuited } from './rlpx/open.ts'
import type { RlpxSession } from './rlpx/session.ts'
import { closed } from './source-errors.ts'

/** How a peer ended: it broke the protocol, it held room for a message that it did not send, it was too slow, or it just went. */
export interface PeerEnd {
  readonly kind: 'breach' | 'stalled' | 'slow' | 'gone'
  readonly reason: string
}

export interface PeerParts {
  readonly session: RlpxSession
  /** `eth63:address:port`. */
  readonly id: string
  readonly keccak: Keccak
  readonly server: ChainServer
  readonly listener: SourceVoice
  readonly fetches: BlockFetches
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
}

export class Eth63Peer implements PeerLink {
  readonly source: PeerSource
  readonly #parts: PeerParts
  readonly #requests: Requests
  readonly #unaskedMessages: Allowance
  readonly #unaskedBytes: Allowance
  readonly #served: Allowance
  #answering: Promise<void> = Promise.resolve()
  #waitingAnswers = 0
  #roomForAnswers: (() => void) | null = null
  #end: PeerEnd | null = null

  constructor(parts: PeerParts, status: Status) {
    this.#parts = parts
    const now = parts.clock.boottimeMs()
    this.#unaskedMessages = new Allowance(UNASKED_MESSAGES, now)
    this.#unaskedBytes = new Allowance(UNASKED_BYTES, now)
    this.#served = new Allowance(SERVED_BYTES, now)
    this.#requests = new Requests(parts.timers, () => this.#finish('slow', 'it did not reply in time', DISCONNECT.timeout))
    this.source = new PeerSource({ ...parts, kind: 'eth63' }, this, { hash: status.head, number: null, totalDifficulty: status.totalDifficulty })
  }

  /** Bytes and hashes kept for this peer now. */
  get kept(): { readonly outboxBytes: number; readonly knownHashes: number; readonly waitingAnswers: number; readonly requests: number } {
    return { outboxBytes: this.#parts.session.outboxBytes, knownHashes: this.source.knownCount, waitingAnswers: this.#waitingAnswers, requests: this.#requests.outstanding }
  }

  /** Until it ends, which it always does without throwing. */
  async run(): Promise<PeerEnd> {
    const stopWatching = this.#watch()
    try {
      for (;;) {
        const message = await this.#parts.session.read((code) => this.#mostBytes(code))
        if (this.#end !== null) break
        if (message.isBase) throw inputError('message', 'Hello', 'Hello once')
        await this.#hear(message)
      }
    } catch (thrown) {
      this.#failed(thrown)
    }
    stopWatching()
    const end = this.#end ?? { kind: 'gone', reason: 'ended' }
    this.#requests.end(closed(end.reason))
    return end
  }

  async ask(request: Message): Promise<Uint8Array> {
    const replyCode = REPLY_OF[request.code]
    if (replyCode === undefined) throw inputError('request', request.code, 'a request of eth/63')
    return this.#requests.wait(replyCode, () => {
      this.#parts.session.send(request).catch(() => undefined) // a closed session fails the request as well
    })
  }

  tell(message: Message): void {
    const { session } = this.#parts
    // The largest block is larger than the bound, and goes where nothing waits before it.
    if (session.isClosed || (session.outboxBytes > 0 && session.outboxBytes + message.payload.length > MAX_OUTBOX_BYTES)) return
    session.send(message).catch(() => undefined) // as above
  }

  close(reason: string, code: DisconnectCode = DISCONNECT.requested): void {
    this.#finish('gone', reason, code)
  }

  breach(reason: string): void {
    this.#finish('breach', reason, DISCONNECT.breach)
  }

  #hear(message: Message): Promise<void> | void {
    if (isReply(message.code)) {
      if (!this.#requests.reply(message.code, message.payload)) throw inputError('message', message.code, 'a reply to a question')
      return
    }
    if (isRequest(message.code)) return this.#takeRequest(message)
    const now = this.#parts.clock.boottimeMs()
    if (!this.#unaskedMessages.take(1, now) || !this.#unaskedBytes.take(message.payload.length, now)) throw inputError('messages', 'more than anybody needs', `${UNASKED_MESSAGES.perSecond} messages and ${UNASKED_BYTES.perSecond} bytes a second`)
    this.source.hear(message)
  }

  /** Answers go out one after the other; the reading loop waits while there are too many. */
  async #takeRequest(request: Message): Promise<void> {
    this.#waitingAnswers++
    this.#answering = this.#answering.then(() => this.#answer(request))
    if (this.#waitingAnswers >= MAX_WAITING_ANSWERS) await new Promise<void>((resolve) => (this.#roomForAnswers = resolve))
  }

  async #answer(request: Message): Promise<void> {
    const { session, server, timers, clock } = this.#parts
    try {
      if (this.#end === null) {
        const reply = await answer(server, timers, request)
        await session.send(reply)
        const waitMs = this.#served.spend(reply.payload.length, clock.boottimeMs())
        if (waitMs > 0 && this.#end === null) await new Promise<void>((resolve) => timers.after(waitMs, resolve))
      }
    } catch (thrown) {
      this.#failed(thrown)
    }
    this.#waitingAnswers--
    this.#roomForAnswers?.()
    this.#roomForAnswers = null
  }

  /** A reply that nobody waits for has no size that is right. */
  #mostBytes(code: number): number | undefined {
    return code === CODE.status || (isReply(code) && !this.#requests.expects(code)) ? undefined : MAX_PAYLOAD_BYTES[code]
  }

  #watch(): Cancel {
    return this.#parts.timers.every(PING_INTERVAL_MS, () => {
      const { session, clock } = this.#parts
      const now = clock.boottimeMs()
      // While answers wait, or a message is on its way, its silence is no sign.
      if (this.#waitingAnswers < MAX_WAITING_ANSWERS && session.readingSinceMs === null && now - session.heardAtMs > SILENCE_MS) return this.#finish('slow', 'nothing heard of it', DISCONNECT.timeout)
      const isStalled = (sinceMs: number | null): boolean => sinceMs !== null && now - sinceMs > STALL_MS
      if (isStalled(session.readingSinceMs)) return this.#finish('stalled', 'a message that does not end', null)
      if (isStalled(session.writingSinceMs)) return this.#finish('slow', 'it does not read', null)
      session.ping()
    })
  }

  #failed(thrown: unknown): void {
    const error = asError(thrown)
    const isBreach = error instanceof MeshBoxError && error.kind === 'input'
    if (isBreach) this.#finish('breach', error.message, DISCONNECT.breach)
    else this.#finish('gone', error.message, null)
  }

  #finish(kind: PeerEnd['kind'], reason: string, code: DisconnectCode | null): void {
    if (this.#end !== null) return
    this.#end = { kind, reason }
    this.#parts.session.close(code)
    this.#requests.end(closed(reason))
    this.#roomForAnswers?.()
  }
}

/**
 * Sends our Status and judges theirs. Errors: `Unsuited` for another chain; input for a breach; unavailable.
 */
export async function exchangeStatus(session: RlpxSession, server: ChainServer): Promise<Status> {
  const { network } = server
  const head = server.head()
  await session.send(encodeStatus({ version: ETH_VERSION, networkId: BigInt(network.networkId), totalDifficulty: head.totalDifficulty, head: head.hash, genesis: network.genesisHash }))
  const message = await session.read((code) => (code === CODE.status ? MAX_PAYLOAD_BYTES[code] : undefined))
  if (message.isBase) throw inputError('message', 'Hello', 'Status')
  const status = decodeStatus(message.payload)
  const refuse = (reason: string): Unsuited => {
    session.close(DISCONNECT.useless)
    return new Unsuited(DISCONNECT.useless, reason)
  }
  if (status.version !== ETH_VERSION) throw refuse(`it speaks eth/${status.version}`)
  if (status.networkId !== BigInt(network.networkId)) throw refuse(`its network id is ${status.networkId}, ours ${network.networkId}`)
  if (status.genesis !== network.genesisHash) throw refuse(`its genesis is ${status.genesis}`)
  return status
}

export function peerId(remoteAddress: string, remotePort: number): string {
  return `eth63:${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`
}

/** What bans and the node list go by: 128 hex digits. */
export function identityOf(nodeId: Uint8Array): string {
  return hexOf(nodeId).slice(2)
}
