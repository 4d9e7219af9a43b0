/**
 * The holder's side: guests with another box's session. Who appears here without one is asked for among the neighbours; what the
 * seller signs lets him in. Reports go out every 4 s, all of one seller's in one frame.
 */
import { asError, inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { BoxId, Mac, RoamTicket } from '../ports.ts'
import { decodeTicket, encodeRoamClaim, openFrame, sealFrame } from '../documents/index.ts'
import { STAYS_A_REPORT, decodeClaimReply, decodeWhere, decodeWords, encodeQuestion } from './frames.ts'
import type { ClaimReply, RoamQuestion, Whereabouts, WordReply } from './frames.ts'
import { countStay, hearGone, hearSeller, keepReceipt, keyOf, reportFailed, resumeHeld, stayReport, takeTicket, tickHeld, usedOf } from './held.ts'
import type { HeldRoam, HeldStep, StayCount } from './held.ts'
import { Lane } from './parts.ts'
import type { RoamParts } from './parts.ts'
import type { GuestProof } from './ports.ts'
import { IDLE_MS, LEASE_MS } from './sold.ts'
import type { RoamTill } from './till.ts'

const WHERE_TIMEOUT_MS = 700
const CLAIM_TIMEOUT_MS = 1500
const REPORT_TIMEOUT_MS = 2000

export type ClaimOutcome =
  | { readonly kind: 'in' }
  /** `counter`: by the seller's word, where it spoke. */
  | { readonly kind: 'refused'; readonly why: 'unknown' | 'ended' | 'prove' | 'key' | 'again' | 'too-dear' | 'seller-silent' | 'seller-owes'; readonly counter?: number }

export interface Neighbours {
  connected(): readonly BoxId[]
  ask(to: BoxId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  penalise(peer: BoxId, reason: string): void
}

export class HolderDesk {
  readonly #parts: RoamParts
  readonly #till: RoamTill
  readonly #neighbours: Neighbours
  readonly #held = new Map<string, HeldRoam>()
  readonly #counts = new Map<string, StayCount>()
  readonly #reporting = new Set<BoxId>()
  readonly #lane = new Lane()

  constructor(parts: RoamParts, till: RoamTill, neighbours: Neighbours) {
    this.#parts = parts
    this.#till = till
    this.#neighbours = neighbours
  }

  start(held: readonly HeldRoam[]): void {
    for (const state of held) {
      this.#held.set(keyOf(state.ticket.seller, state.ticket.sessionId), resumeHeld(state, this.#parts.clock.boottimeMs()))
      // Before anybody is let in anew: what the gate knows of it now is what it kept.
      this.#usedBy(state)
    }
  }

  stop(): Promise<void> {
    return this.#lane.idle()
  }

  list(): readonly HeldRoam[] {
    return [...this.#held.values()]
  }

  ofMac(mac: Mac): HeldRoam | null {
    const all = this.list().filter((each) => each.ticket.mac === mac)
    return all.find((each) => each.goneMs === null) ?? all[0] ?? null
  }

  evidenceOf(seller: BoxId): readonly Uint8Array[] {
    return this.list().flatMap(({ ticket, first, receipt }) => (ticket.seller === seller && receipt !== null ? [first, receipt] : []))
  }

  whereIs(mac: Mac): Whereabouts | null {
    const found = this.list().find((each) => each.isIn && each.ticket.mac === mac)
    return found === undefined ? null : { seller: found.ticket.seller, sessionId: found.ticket.sessionId, counter: found.ticket.counter }
  }

  /**
   * Asks all neighbours who sold this device's session, and tries with each that is named, as soon as it is: what they say is
   * not believed before that seller has signed. Resolves at the first that lets him in, or with how the last one refused.
   */
  seek(mac: Mac, attempt: (where: Whereabouts) => Promise<ClaimOutcome>): Promise<{ readonly outcome: ClaimOutcome; readonly where: Whereabouts | null }> {
    return new Promise((resolve, reject) => {
      let last: { readonly outcome: ClaimOutcome; readonly where: Whereabouts | null } = { outcome: { kind: 'refused', why: 'unknown' }, where: null }
      const tried = new Set<string>()
      const attempts = new Lane()
      const offer = (where: Whereabouts): void => {
        const key = keyOf(where.seller, where.sessionId)
        if (tried.has(key) || where.seller === this.#parts.self) return
        tried.add(key)
        const trying = attempts.run(async () => {
          if (last.outcome.kind === 'in') return
          last = { outcome: await attempt(where), where }
          if (last.outcome.kind === 'in') resolve(last)
        })
        trying.catch(reject)
      }
      const known = this.ofMac(mac)?.ticket
      if (known !== undefined) offer(known)
      const question = encodeQuestion({ kind: 'where', mac })
      const asked = this.#neighbours.connected().map((box) =>
        this.#neighbours.ask(box, question, WHERE_TIMEOUT_MS).then(
          (bytes) => {
            const where = this.#read(box, () => decodeWhere(bytes))
            if (where !== null) offer(where)
          },
          () => undefined, // most have never heard of him
        ),
      )
      void Promise.all(asked)
        .then(() => attempts.idle())
        .then(() => resolve(last))
    })
  }

  /** Sessions that this guest's key holds, of all neighbours that sold it one: what one says of another's is not heard. */
  async kept(key: Address): Promise<readonly Whereabouts[]> {
    const question = encodeQuestion({ kind: 'kept', key })
    const found = await Promise.all(
      this.#neighbours.connected().map((box) =>
        this.#neighbours.ask(box, question, WHERE_TIMEOUT_MS).then(
          (bytes) => this.#read(box, () => decodeWhere(bytes)),
          () => null, // most have never heard of it
        ).then((where) => (where?.seller === box ? [where] : [])),
      ),
    )
    return found.flat()
  }

  /** Asks the seller for the guest. What is refused changes nothing. */
  async claim(mac: Mac, { seller, sessionId }: Whereabouts, proof: GuestProof | null): Promise<ClaimOutcome> {
    const { clock, terms } = this.#parts
    if (this.#till.isOverdrawn(seller)) return { kind: 'refused', why: 'seller-owes' }
    const askedMs = clock.boottimeMs()
    let reply: ClaimReply | null
    try {
      const bytes = await this.#neighbours.ask(seller, encodeQuestion({ kind: 'claim', sessionId, mac, unitsPerMinute: terms.unitsPerMinute, proof }), CLAIM_TIMEOUT_MS)
      reply = this.#read(seller, () => decodeClaimReply(bytes))
    } catch {
      return { kind: 'refused', why: 'seller-silent' }
    }
    if (reply === null || reply.kind === 'home') return { kind: 'refused', why: 'unknown' }
    if (reply.kind === 'refused') return reply
    const { frame } = reply
    const ticket = this.#read(seller, () => this.#ticketIn(seller, frame, sessionId))
    if (ticket === null || ticket.mac !== mac || ticket.unitsPerMinute < terms.unitsPerMinute) return { kind: 'refused', why: 'unknown' }
    // The debt may have passed its limit while the seller was asked: nobody is let in from then on.
    const isIn = await this.#change(seller, sessionId, (before) => (this.#till.isOverdrawn(seller) ? null : takeTicket(before, ticket, frame, askedMs)))
    return isIn ? { kind: 'in' } : { kind: 'refused', why: 'again' }
  }

  /** The seller asks what was used, and says where it is now. A report without it: nothing is known of it, and will not be. */
  async look(from: BoxId, { sessionId, counter }: Extract<RoamQuestion, { kind: 'look' }>): Promise<Uint8Array> {
    await this.#change(from, sessionId, (before) => (before === null ? null : hearGone(this.#looked(before), counter, this.#parts.clock.boottimeMs())))
    const state = this.#held.get(keyOf(from, sessionId))
    return this.#reportFrame(from, state === undefined ? [] : [state])
  }

  /** Once a second. */
  tick(): void {
    const { clock, log } = this.#parts
    const nowMs = clock.boottimeMs()
    const due = new Map<BoxId, HeldRoam[]>()
    for (const state of this.#held.values()) {
      const { seller, sessionId } = state.ticket
      const isOver = nowMs >= state.leaseUntilMs && state.isIn
      if (isOver || state.goneMs !== null) this.#change(seller, sessionId, (before) => (before === null ? null : tickHeld(before, this.#usedBy(before), clock.boottimeMs()))).catch((thrown) => log.error('roaming: a guest could not be let go', { session: sessionId, error: asError(thrown) }))
      if (nowMs >= state.reportDueMs) due.set(seller, [...(due.get(seller) ?? []), state])
    }
    for (const [seller, states] of due) this.#reportTo(seller, states).catch((thrown) => log.error('roaming: stays could not be reported', { box: seller, error: asError(thrown) }))
  }

  async #reportTo(seller: BoxId, due: readonly HeldRoam[]): Promise<void> {
    if (this.#reporting.has(seller)) return
    this.#reporting.add(seller)
    try {
      for (let at = 0; at < due.length; at += STAYS_A_REPORT) await this.#reportSome(seller, due.slice(at, at + STAYS_A_REPORT))
    } finally {
      this.#reporting.delete(seller)
    }
  }

  async #reportSome(seller: BoxId, due: readonly HeldRoam[]): Promise<void> {
    const { clock, log } = this.#parts
    const sent = due.map((state) => this.#looked(state))
    const atMs = clock.boottimeMs()
    try {
      const answer = await this.#neighbours.ask(seller, encodeQuestion({ kind: 'report', frame: this.#reportFrame(seller, sent) }), REPORT_TIMEOUT_MS)
      const words = this.#read(seller, () => decodeWords(answer))
      if (words === null || words.length !== sent.length) throw inputError('words', words?.length ?? 'none', `${sent.length}`)
      for (const [index, state] of sent.entries()) {
        const word = words[index]
        if (word !== undefined) await this.#heard(state, word, { atMs, isFinal: state.goneMs !== null })
      }
    } catch (thrown) {
      log.debug('roaming: a seller was not reached', { box: seller, error: asError(thrown) })
      const nowMs = clock.boottimeMs()
      for (const { ticket } of sent) {
        const key = keyOf(seller, ticket.sessionId)
        const state = this.#held.get(key)
        if (state !== undefined) this.#held.set(key, reportFailed(state, nowMs))
      }
    }
  }

  async #heard(reported: HeldRoam, { word, receipt }: WordReply, sent: { readonly atMs: number; readonly isFinal: boolean }): Promise<void> {
    const { seller, sessionId, counter } = reported.ticket
    const signed = receipt === null ? null : this.#read(seller, () => this.#ticketIn(seller, receipt, sessionId))
    await this.#change(seller, sessionId, (before) => {
      // An answer about a stay that was over before it came says nothing of this one.
      if (before === null || before.ticket.counter !== counter) return null
      const used = { ...before, used: reported.used.seconds > before.used.seconds ? reported.used : before.used }
      return hearSeller(signed === null || receipt === null ? used : keepReceipt(used, signed, receipt), word, { ...sent, isOverdrawn: this.#till.isOverdrawn(seller) })
    })
  }

  /** One change: on disk, then believed, then carried out. False: the guest is not in. */
  #change(seller: BoxId, sessionId: string, step: (before: HeldRoam | null) => HeldStep | null): Promise<boolean> {
    return this.#lane.run(async () => {
      const { place, book } = this.#parts
      const key = keyOf(seller, sessionId)
      const before = this.#held.get(key) ?? null
      const next = step(before)
      if (next === null) return before?.isIn ?? false
      const { state, effects } = next
      const isForgotten = effects.some(({ kind }) => kind === 'forget')
      const isNews = before === null || before.ticket.counter !== state.ticket.counter || before.isIn !== state.isIn || before.goneMs !== state.goneMs || before.receiptSeconds !== state.receiptSeconds || before.ticket.proofAfterSeconds !== state.ticket.proofAfterSeconds || before.ticket.mac !== state.ticket.mac
      if (isForgotten || isNews) {
        const newSeconds = state.receiptSeconds - (before?.ticket.counter === state.ticket.counter ? before.receiptSeconds : 0)
        const debt = { role: 'holder' as const, partner: seller, token: state.ticket.token, unitsPerMinute: state.ticket.unitsPerMinute, seconds: newSeconds, guests: this.#guestsOf(seller) }
        await this.#till.record([debt], (accounts) => book.write(isForgotten ? { accounts, forgottenHeld: [{ seller, sessionId }] } : { accounts, held: [state] }))
      }
      if (isForgotten) {
        this.#held.delete(key)
        this.#counts.delete(key)
      } else this.#held.set(key, state)
      for (const effect of effects) {
        if (effect.kind === 'admit') await place.admit(effect.ticket, Math.ceil(LEASE_MS / 1000))
        if (effect.kind === 'release') await place.release(seller, sessionId, effect.reason)
      }
      return state.isIn && !isForgotten
    })
  }

  #guestsOf(seller: BoxId): number {
    let guests = 0
    for (const { ticket } of this.#held.values()) if (ticket.seller === seller) guests++
    return guests
  }

  #looked(state: HeldRoam): HeldRoam {
    const used = this.#usedBy(state)
    return used.seconds > state.used.seconds || used.bytes > state.used.bytes ? { ...state, used } : state
  }

  /** What is over counts no more. */
  #usedBy(state: HeldRoam): HeldRoam['used'] {
    const { ticket, goneMs, used } = state
    if (goneMs !== null) return used
    const { seller, sessionId, counter } = ticket
    const key = keyOf(seller, sessionId)
    const count = countStay(this.#counts.get(key) ?? null, state, this.#parts.place.used(seller, sessionId, counter))
    this.#counts.set(key, count)
    return usedOf(count)
  }

  #reportFrame(seller: BoxId, states: readonly HeldRoam[]): Uint8Array {
    const { documents, place } = this.#parts
    const stays = states.map((state) => stayReport(state, place.idleMs(state.ticket.mac) >= IDLE_MS))
    return sealFrame(documents, 'roam-claim', encodeRoamClaim({ form: 'stays', seller, stays }))
  }

  /** Errors: input, for what the seller did not sign for this box. */
  #ticketIn(seller: BoxId, frame: Uint8Array, sessionId: string): RoamTicket {
    const { documents, self } = this.#parts
    const { payload, signature } = openFrame(frame)
    if (documents.signer('ticket', payload, signature) !== seller) throw inputError('ticket', 'a signature of somebody else', "the seller's")
    const ticket = { seller, ...decodeTicket(payload) }
    if (ticket.holder !== self || ticket.sessionId !== sessionId) throw inputError('ticket', `${ticket.sessionId} at ${ticket.holder}`, `${sessionId} at this box`)
    return ticket
  }

  #read<T>(from: BoxId, read: () => T): T | null {
    try {
      return read()
    } catch (thrown) {
      this.#neighbours.penalise(from, asError(thrown).message)
      return null
    }
  }
}
