/**
 * Blocks for boxes that are guests of this one: they buy their way out here and reach no other node (docs/portal.md "Minutes for
 * boxes"). They are served and never believed: no source is made of them, and of what they say only transactions are taken, few,
 * each judged by the pool before it goes on. Who has a channel with this box is served from an allowance of its own, so that strangers
 * do not slow down who pays.
 */
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import type { Clock, Timers } from '../../base/index.ts'
import { encodeBody } from '../codec/body.ts'
import type { Keccak } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import { encodeHeader } from '../codec/header.ts'
import type { Block, ChainServer } from '../ports.ts'
import { Allowance } from './allowance.ts'
import { answer, isRequest } from './answers.ts'
import { CODE, decodeStatus, decodeTransactions, encodeNewBlock, encodeNewBlockHashes, frameOf, messageOf } from './eth63.ts'
import type { Message } from './eth63.ts'
import {
  ALL_GUESTS_BYTES,
  GUEST_BYTES,
  GUEST_QUESTIONS,
  GUEST_REPLY_BYTES,
  MAX_GUEST_ANSWERS,
  MAX_GUEST_BLOCK_BYTES,
  MAX_GUEST_QUESTIONS,
  MAX_GUEST_WAIT_MS,
  MAX_REMEMBERED_GUESTS,
} from './limits.ts'
import { checkStatus, statusOf } from './mesh.ts'
import type { MeshHandlers } from './mesh.ts'
import { Offers, sharedOffers } from './offers.ts'
import type { PassedOn, PassingOn } from './passing-on.ts'
import { Places } from './places.ts'
import { closed } from './source-errors.ts'

/** A connection to a guest. */
export interface GuestChainTransport {
  /** Whose allowance counts: the device, the same after it has gone and come again. */
  readonly guest: string
  /** Whether it has a channel with this box. May change. */
  isPartner(): boolean
  /** Best effort. False: not now, the guest does not read. */
  announce(frame: Uint8Array): boolean
  /** Set once. What `onRequest` rejects with is no answer for the guest. */
  serve(handlers: MeshHandlers): void
  close(reason: string): void
}

export interface ServedGuestsParts {
  readonly server: ChainServer
  /** Makes one for partners and one for others; null: what this box keeps is all that it gives. */
  readonly passingOn: (() => PassingOn) | null
  readonly keccak: Keccak
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  /** To the pool, which says what becomes of it. */
  readonly offer: (transaction: Uint8Array) => Promise<unknown>
}

/** What all guests of a kind have together. */
class Share {
  readonly bytes: Allowance
  readonly transactions = sharedOffers()
  /** Answers are made so many at a time. */
  readonly making = new Places(MAX_GUEST_ANSWERS)
  readonly passingOn: PassingOn | null

  constructor({ clock, passingOn }: ServedGuestsParts) {
    this.bytes = new Allowance(ALL_GUESTS_BYTES, clock.boottimeMs())
    this.passingOn = passingOn?.() ?? null
  }
}

/** What one guest has. */
interface Own {
  readonly questions: Allowance
  readonly bytes: Allowance
}

export class ServedGuests {
  readonly parts: ServedGuestsParts
  readonly #partners: Share
  readonly #others: Share
  readonly #offers: Offers
  readonly #own = new Map<string, Own>()
  readonly #links = new Set<GuestLink>()

  constructor(parts: ServedGuestsParts) {
    this.parts = parts
    this.#offers = new Offers(parts.clock)
    this.#partners = new Share(parts)
    this.#others = new Share(parts)
  }

  get size(): number {
    return this.#links.size
  }

  serve(transport: GuestChainTransport): void {
    const link: GuestLink = new GuestLink(this, transport, () => this.#links.delete(link))
    this.#links.add(link)
  }

  announceBlock(block: Block, totalDifficulty: bigint): void {
    if (this.#links.size === 0) return
    const header = encodeHeader(block.header)
    const whole = frameOf(encodeNewBlock({ header, body: encodeBody(block.body), totalDifficulty }))
    const name = { hash: keccakHex(this.parts.keccak, header), number: block.header.number }
    const frame = whole.length <= MAX_GUEST_BLOCK_BYTES ? whole : frameOf(encodeNewBlockHashes([name]))
    for (const link of this.#links) link.transport.announce(frame)
  }

  close(reason: string): void {
    for (const link of this.#links) link.close(reason)
  }

  shareOf(transport: GuestChainTransport): Share {
    return transport.isPartner() ? this.#partners : this.#others
  }

  ownOf(guest: string): Own {
    const now = this.parts.clock.boottimeMs()
    const own = this.#own.get(guest) ?? { questions: new Allowance(GUEST_QUESTIONS, now), bytes: new Allowance(GUEST_BYTES, now) }
    this.#own.delete(guest)
    this.#own.set(guest, own)
    const [oldest] = this.#own.keys()
    if (this.#own.size > MAX_REMEMBERED_GUESTS && oldest !== undefined) this.#own.delete(oldest)
    return own
  }

  take(transport: GuestChainTransport, transactions: readonly Uint8Array[]): void {
    for (const transaction of this.#offers.take(transport.guest, this.shareOf(transport).transactions, transactions)) void this.parts.offer(transaction)
  }
}

class GuestLink {
  readonly transport: GuestChainTransport
  readonly #served: ServedGuests
  readonly #onEnd: () => void
  #underWay = 0
  #isOver = false

  constructor(served: ServedGuests, transport: GuestChainTransport, onEnd: () => void) {
    this.#served = served
    this.transport = transport
    this.#onEnd = onEnd
    transport.serve({ onRequest: (frame) => this.#answer(frame), onAnnouncement: (frame) => this.#hear(frame), onClosed: () => this.#end() })
  }

  close(reason: string): void {
    this.transport.close(reason)
    this.#end()
  }

  async #answer(frame: Uint8Array): Promise<Uint8Array> {
    const { server, clock } = this.#served.parts
    if (this.#isOver) throw closed('the guest has gone')
    const own = this.#served.ownOf(this.transport.guest)
    if (!own.questions.take(1, clock.boottimeMs())) throw busy()
    if (this.#underWay >= MAX_GUEST_QUESTIONS) throw this.#breach(inputError('questions', `more than ${MAX_GUEST_QUESTIONS} at once`, `at most ${MAX_GUEST_QUESTIONS}`))
    this.#underWay++
    try {
      const request = messageOf(frame)
      if (request.code === CODE.status) {
        checkStatus(decodeStatus(request.payload), server)
        return frameOf(statusOf(server))
      }
      if (!isRequest(request.code)) throw inputError('request', request.code, 'a request of eth/63')
      return await this.#reply(request, own)
    } catch (thrown) {
      throw this.#breach(asError(thrown))
    } finally {
      this.#underWay--
    }
  }

  async #reply(request: Message, own: Own): Promise<Uint8Array> {
    const { server, clock, timers } = this.#served.parts
    const share = this.#served.shareOf(this.transport)
    const waitsFor = (bytes: number): number => Math.max(own.bytes.spend(bytes, clock.boottimeMs()), share.bytes.spend(bytes, clock.boottimeMs()))
    const checkIsSoon = (): void => {
      if (waitsFor(0) > MAX_GUEST_WAIT_MS) throw busy()
    }
    checkIsSoon()
    const asked: PassedOn | null = share.passingOn?.of(this.transport.guest) ?? null
    const passedOn = (await asked?.answer(server, request)) ?? null
    const { reply, waitMs } = await share.making.run(async () => {
      // Once more, now that its turn has come and what was asked before has taken its part: no more is made than may go soon.
      if (this.#isOver) throw closed('the guest has gone')
      checkIsSoon()
      const made = frameOf(passedOn ?? (await answer(server, timers, request, GUEST_REPLY_BYTES)))
      return { reply: made, waitMs: waitsFor(made.length) }
    })
    if (waitMs > 0) await new Promise<void>((resolve) => timers.after(waitMs, resolve))
    return reply
  }

  #hear(frame: Uint8Array): void {
    if (this.#isOver) return
    try {
      const message = messageOf(frame)
      // Blocks are not asked of it, and it has none that this box has not: told back, they are left alone.
      if (message.code === CODE.newBlock || message.code === CODE.newBlockHashes) return
      if (message.code !== CODE.transactions) throw inputError('message', message.code, 'transactions')
      this.#served.take(this.transport, decodeTransactions(message.payload))
    } catch (thrown) {
      this.#breach(asError(thrown))
    }
  }

  /** What breaks the protocol, or is of another chain, ends it. */
  #breach(error: Error): Error {
    const isBusy = error instanceof MeshBoxError && error.kind === 'limit'
    if (!isBusy) this.close(error.message)
    return error
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd()
  }
}

function busy(): MeshBoxError {
  return new MeshBoxError('limit', 'too much was asked for', { code: 'source-busy', retryAfterSeconds: 5 })
}
