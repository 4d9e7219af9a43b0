/**
 * How a carriage begins, and how it goes on after a connection or a process broke: the client says which price it takes and
 * what it knows, the carrier which epoch is in force and what it knows; whoever is behind takes over what it had signed. Only then
 * readings go.
 */
import type { Clock, Randomness } from '../../base/index.ts'
import { EPOCH_BYTES } from '../documents/index.ts'
import type { BoxId, Documents, PeerLane } from '../ports.ts'
import { isResting } from './account-book.ts'
import type { AccountBook } from './account-book.ts'
import { keptOf, residueOf, shownStanding, withFrames } from './account.ts'
import type { Account } from './account.ts'
import { beginCarriage } from './carriage.ts'
import type { CarriageInput, KnownPrice } from './carriage.ts'
import { isStandingSigned } from './frames.ts'
import type { CarriageFrame, ShownStanding } from './frames.ts'
import type { LinkDesk } from './link-desk.ts'
import type { PriceDesk } from './price-desk.ts'
import { carriesFor } from './prices.ts'
import type { PriceTerms } from './prices.ts'
import { adoptStanding } from './standing.ts'

/** A client that has not taken a new price by then is not carried for at the old one. */
export const PRICE_GRACE_MS = 300_000
/** A want that was not answered is said again. */
const WANT_AGAIN_MS = 30_000
/** Every new carriage is a row: a partner cannot have us write more often. */
const BEGIN_EVERY_MS = 20_000
const MAX_REMEMBERED = 256
const FORGED_PENALTY = 50

export interface HandshakeTools {
  readonly documents: Documents
  readonly carriageLane: PeerLane
  readonly clock: Clock
  readonly randomness: Randomness
  readonly book: AccountBook
  readonly prices: PriceDesk
  readonly links: LinkDesk
  readonly ownTerms: () => PriceTerms
  readonly settleAmount: () => bigint | null
  /** Client's: why nothing more is bought of anybody; null: it is. */
  readonly whyNotBuy: () => string | null
  readonly step: (account: Account, input: CarriageInput) => Promise<void>
  /** Carrier's: the first reading may go. */
  readonly begun: (account: Account) => Promise<void>
  readonly finish: (account: Account, toldReason: string, reason: string) => Promise<void>
  readonly say: (to: BoxId, frame: CarriageFrame) => void
  readonly alarm: (box: BoxId, reason: string) => void
}

export class Handshake {
  /** Why a neighbour does not carry for us. */
  readonly refused = new Map<BoxId, string>()
  readonly #tools: HandshakeTools
  /** Partners that said on this connection what they know: readings may go. */
  readonly #ready = new Set<string>()
  readonly #wanted = new Map<BoxId, { readonly sequence: number; readonly atMs: number }>()
  readonly #begunMs = new Map<string, number>()

  constructor(tools: HandshakeTools) {
    this.#tools = tools
  }

  isReady(role: 'carrier' | 'client', partner: BoxId): boolean {
    return this.#ready.has(`${role} ${partner}`)
  }

  closed(box: BoxId): void {
    this.#wanted.delete(box)
    this.#ready.delete(`carrier ${box}`)
    this.#ready.delete(`client ${box}`)
  }

  gotRefusal(from: BoxId, reason: string): void {
    this.#refuse(from, reason)
  }

  /** Client's side: asks to be carried for, by the price it takes. */
  async want(box: BoxId): Promise<void> {
    const account = this.#tools.book.live(box, 'client')
    const refusal = this.#tools.prices.refusal(box)
    if (refusal?.kind === 'end' || refusal?.kind === 'loop') {
      this.#refuse(box, refusal.reason)
      if (account !== null) await this.#tools.finish(account, `the client does not take the price: ${refusal.reason}`, refusal.reason)
      return
    }
    const taken = this.#tools.prices.taken(box)
    if (taken === null || taken.advert.unitsPerMiB === null || !this.#tools.links.isInReach(box)) return
    const whyNot = this.#tools.whyNotBuy()
    if (whyNot !== null && taken.advert.unitsPerMiB > 0n) {
      this.#refuse(box, whyNot)
      if (account !== null) await this.#tools.finish(account, `the client buys nothing more: ${whyNot}`, whyNot)
      return
    }
    const own = this.#tools.prices.own()
    if (account === null && own !== null && !carriesFor(taken.advert, own.advert)) return
    if (this.#tools.book.of(box, 'client').some((each) => isResting(each, this.#tools.clock.boottimeMs()))) return
    if (account === null && this.#tools.book.live(box, 'carrier') !== null) return
    const { sequence, unitsPerMiB } = taken.advert
    const wanted = this.#wanted.get(box)
    const isAsked = wanted?.sequence === sequence && ((account !== null && this.#ready.has(`client ${box}`)) || this.#tools.clock.boottimeMs() - wanted.atMs < WANT_AGAIN_MS)
    if (isAsked) return
    if (account !== null) await this.#tools.step({ ...account, payee: taken.advert.payee }, { kind: 'price', price: { sequence, unitsPerMiB }, nowMs: this.#tools.clock.boottimeMs() })
    const live = account === null ? null : this.#tools.book.now(account)
    this.#wanted.set(box, { sequence, atMs: this.#tools.clock.boottimeMs() })
    this.#tools.say(box, { kind: 'want', priceSequence: sequence, epoch: live?.state.epoch ?? null, standing: live === null ? null : shownStanding(live) })
  }

  /** Carrier's side. */
  async gotWant(from: BoxId, { priceSequence: sequence, epoch, standing }: Extract<CarriageFrame, { kind: 'want' }>): Promise<void> {
    const nowMs = this.#tools.clock.boottimeMs()
    const refuse = (reason: string): void => this.#tools.say(from, { kind: 'end', epoch: null, reason })
    const unitsPerMiB = this.#tools.prices.offered(sequence, PRICE_GRACE_MS)
    if (unitsPerMiB === null) return refuse(`price ${sequence} is not in force`)
    if (!this.#tools.links.isInReach(from)) return refuse('no link of it is known here')
    if (this.#tools.book.live(from, 'client') !== null) return refuse('it carries for this box')
    const live = this.#tools.book.live(from, 'carrier')
    if (live !== null) {
      const known = await this.#adopt(live, from, epoch, standing)
      if (known === null) return
      await this.#tools.step(known, { kind: 'price', price: { sequence, unitsPerMiB }, nowMs })
      return this.#begun(this.#tools.book.now(known), from)
    }
    const before = this.#tools.book.of(from, 'carrier')
    const resting = before.find((account) => isResting(account, nowMs))
    if (resting !== undefined) return refuse(`the last carriage ended: ${resting.state.reason ?? ''}`)
    const residue = before.reduce((sum, account) => sum + residueOf(account), 0n)
    if (residue > (this.#tools.settleAmount() ?? unitsPerMiB)) return refuse(`${residue} units of the last carriage are not paid`)
    if (!this.#mayBegin(`carrier ${from}`)) return refuse('it begins too often')
    const fresh = await this.#newAccount('carrier', from, this.#tools.randomness.bytes(EPOCH_BYTES), { sequence, unitsPerMiB })
    if (fresh === null) return refuse('this box cannot count now')
    this.#begun(fresh, from)
    await this.#tools.begun(fresh)
  }

  #begun(account: Account, from: BoxId): void {
    this.#ready.add(`carrier ${from}`)
    this.#tools.say(from, { kind: 'begin', epoch: account.state.epoch, standing: shownStanding(account) })
  }

  /** Client's side. */
  async gotBegin(from: BoxId, { epoch, standing }: Extract<CarriageFrame, { kind: 'begin' }>): Promise<void> {
    const wanted = this.#wanted.get(from)
    if (wanted === undefined) return this.#tools.say(from, { kind: 'end', epoch, reason: 'it was not asked for' })
    const live = this.#tools.book.live(from, 'client')
    const known = this.#tools.book.find(from, this.#tools.documents.self, epoch)
    if (known !== null && known.state.state === 'ended') return this.#tools.say(from, { kind: 'end', epoch, reason: known.state.reason ?? 'it ended here' })
    if (known !== null) {
      if ((await this.#adopt(known, from, epoch, standing)) !== null) this.#ready.add(`client ${from}`)
      return
    }
    if (standing !== null) return this.#tools.say(from, { kind: 'end', epoch, reason: 'this box has no record of it' })
    if (this.#tools.book.isUsed(from, this.#tools.documents.self, epoch)) return this.#tools.say(from, { kind: 'end', epoch, reason: 'this epoch was used before' })
    if (!this.#mayBegin(`client ${from}`)) return this.#tools.say(from, { kind: 'end', epoch, reason: 'it begins too often' })
    if (live !== null) await this.#tools.step(live, { kind: 'end', reason: 'the carrier began anew', nowMs: this.#tools.clock.boottimeMs() })
    const unitsPerMiB = this.#tools.prices.priceOf(from, wanted.sequence)
    if (unitsPerMiB === null) return this.#tools.say(from, { kind: 'end', epoch, reason: `price ${wanted.sequence} is not known here` })
    const fresh = await this.#newAccount('client', from, epoch, { sequence: wanted.sequence, unitsPerMiB })
    if (fresh === null) return this.#tools.say(from, { kind: 'end', epoch, reason: 'this box cannot count now' })
    this.refused.delete(from)
    this.#ready.add(`client ${from}`)
  }

  /** Null: the kernel does not count now. */
  async #newAccount(role: 'carrier' | 'client', partner: BoxId, epoch: Uint8Array, price: KnownPrice): Promise<Account | null> {
    const { documents, ownTerms } = this.#tools
    const [carrier, client] = role === 'carrier' ? [documents.self, partner] : [partner, documents.self]
    const { token, payee } = ownTerms()
    const meter = await this.#tools.links.begin(role, partner)
    if (meter === null) return null
    const account: Account = {
      state: beginCarriage({ role, carrier, client, token, epoch, price, nowMs: this.#tools.clock.boottimeMs() }),
      meter,
      frames: new Map(),
      payments: 0,
      order: null,
      payee: role === 'carrier' ? payee : (this.#tools.prices.taken(partner)?.advert.payee ?? payee),
      writtenOff: 0n,
      isReadmitted: false,
    }
    await this.#tools.book.write([account])
    return account
  }

  /** Takes over what the partner shows of this carriage; null: it ended by that. */
  async #adopt(account: Account, from: BoxId, epoch: Uint8Array | null, standing: ShownStanding | null): Promise<Account | null> {
    const { carrier, client } = account.state
    if (standing === null || epoch === null) return account
    if (!isStandingSigned(this.#tools.documents, standing, carrier, client)) {
      this.#tools.carriageLane.penalise(from, FORGED_PENALTY, 'what it shows is not signed by both')
      return null
    }
    const plain = {
      from: standing.from === null ? null : { carrier: standing.from.carrier.reading, client: standing.from.client.reading },
      pair: { carrier: standing.pair.carrier.reading, client: standing.pair.client.reading },
    }
    const adoption = adoptStanding(account.state, plain, (sequence) => account.state.prices.find((price) => price.sequence === sequence)?.unitsPerMiB ?? this.#tools.prices.priceOf(carrier, sequence))
    if (adoption.kind === 'known') return account
    if (adoption.kind === 'wrong') {
      if (adoption.isBreach) this.#tools.alarm(from, adoption.reason)
      await this.#tools.finish(account, adoption.reason, adoption.reason)
      return null
    }
    const adopted = withFrames({ ...account, state: adoption.state }, keptOf(standing))
    // Our own signature is under these figures: what we count goes on from there.
    const shown = plain.pair[account.state.role].bytes
    const { up, down } = adopted.meter.bytes
    const caughtUp: Account = { ...adopted, meter: { ...adopted.meter, bytes: { up: up > shown.up ? up : shown.up, down: down > shown.down ? down : shown.down } } }
    await this.#tools.book.write([caughtUp])
    return caughtUp
  }

  #mayBegin(who: string): boolean {
    const nowMs = this.#tools.clock.boottimeMs()
    if (nowMs - (this.#begunMs.get(who) ?? Number.NEGATIVE_INFINITY) < BEGIN_EVERY_MS) return false
    this.#begunMs.delete(who)
    this.#begunMs.set(who, nowMs)
    remember(this.#begunMs)
    return true
  }

  #refuse(box: BoxId, reason: string): void {
    this.refused.delete(box)
    this.refused.set(box, reason)
    remember(this.refused)
  }
}

/** The one longest unchanged goes. */
function remember(map: Map<string, unknown>): void {
  const [oldest] = map.keys()
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest)
}
