/**
 * The seller's side: where each session that this box sold is, and what was used of it. One change at a time, each on disk before it
 * is answered. A figure that a holder reports is on disk before it is acknowledged with a signature, which is each half minute.
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { BoxId, Mac } from '../ports.ts'
import { decodeRoamMove, decodeRoamStays, encodeTicket, openFrame, sealFrame } from '../documents/index.ts'
import type { RoamQuestion, ClaimReply, Whereabouts, WordReply } from './frames.ts'
import type { GuestProof } from './ports.ts'
import { Lane } from './parts.ts'
import type { RoamParts } from './parts.ts'
import { claimSold, leftHome, leftOf, newSoldRoam, openEnds, pruneSold, reportSold, signStay, spentElsewhere, ticketOf } from './sold.ts'
import type { SoldRoam, Stay } from './sold.ts'
import type { RoamTill } from './till.ts'

const SIGN_EVERY_MS = 30_000
const LOOK_EVERY_MS = 2000
/** While the guest is still there, and somebody else asks for him. */
const LOOK_AT_HOLDER_EVERY_MS = 400
const MAX_LOOKED = 4096
const SWEEP_EVERY_MS = 10_000
/** Guesses at a code that one box may make in this time. */
const MAX_BAD_PROOFS = 5
const BAD_PROOFS_MS = 60_000

type Claim = Extract<RoamQuestion, { kind: 'claim' }>
/** A question of the seller to a holder: its stay, as a signed frame. */
export type AskLook = (holder: BoxId, question: Extract<RoamQuestion, { kind: 'look' }>) => Promise<Uint8Array>

export class SellerDesk {
  readonly #parts: RoamParts
  readonly #till: RoamTill
  readonly #askLook: AskLook
  readonly #sold = new Map<string, SoldRoam>()
  readonly #byMac = new Map<Mac, string>()
  readonly #lane = new Lane()
  readonly #badProofs = new Map<BoxId, { readonly sinceMs: number; readonly count: number }>()
  readonly #lookedMs = new Map<string, number>()
  #sweptMs = 0

  constructor(parts: RoamParts, till: RoamTill, askLook: AskLook) {
    this.#parts = parts
    this.#till = till
    this.#askLook = askLook
  }

  /** Moves that a crash cut in two are finished. */
  async start(sold: readonly SoldRoam[]): Promise<void> {
    for (const state of sold) this.#set(state)
    for (const state of sold) {
      try {
        await this.#lane.run(() => this.#finish(state))
      } catch (thrown) {
        this.#parts.log.warn('roaming: a move could not be finished yet', { session: state.sessionId, error: asError(thrown) })
      }
    }
  }

  stop(): Promise<void> {
    return this.#lane.idle()
  }

  list(): readonly SoldRoam[] {
    return [...this.#sold.values()]
  }

  /** Or on its way. */
  isAway(sessionId: string): boolean {
    const state = this.#sold.get(sessionId)
    return state !== undefined && (state.isMoving || state.holder !== this.#parts.self)
  }

  whereIs(mac: Mac): Whereabouts | null {
    const { self, place } = this.#parts
    const known = this.#sold.get(this.#byMac.get(mac) ?? '')
    // One that is over must not hide what its device bought since, here or elsewhere.
    if (known !== undefined && !place.isOver(known.sessionId)) return { seller: self, sessionId: known.sessionId, counter: known.counter }
    const found = place.find({ mac })
    return found === null ? null : { seller: self, sessionId: found.sessionId, counter: found.counter }
  }

  /** Of the sessions that this guest's key holds the newest. */
  whereKept(key: Address): Whereabouts | null {
    const { self, place } = this.#parts
    const found = place.find({ key })
    return found === null ? null : { seller: self, sessionId: found.sessionId, counter: this.#sold.get(found.sessionId)?.counter ?? found.counter }
  }

  /** `from`: who asks, as the connection shows; this box itself for a guest who came home. */
  claim(from: BoxId, claim: Claim): Promise<ClaimReply> {
    return this.#lane.run(() => this.#claim(from, claim))
  }

  /** Errors: input for a frame that is not the sender's report to this box. */
  report(from: BoxId, frame: Uint8Array): Promise<WordReply[]> {
    return this.#lane.run(() => this.#report(from, frame))
  }

  /** Once a second. */
  tick(isConnected: (box: BoxId) => boolean): void {
    const nowMs = this.#parts.clock.boottimeMs()
    for (const state of this.#sold.values()) for (const stay of openEnds(state, nowMs)) if (isConnected(stay.holder)) this.#look(state, stay)
    if (nowMs - this.#sweptMs < SWEEP_EVERY_MS) return
    this.#sweptMs = nowMs
    void this.#lane.run(() => this.#sweep()).catch((thrown) => this.#parts.log.warn('roaming: old stays could not be put away', { error: asError(thrown) }))
  }

  async #claim(from: BoxId, { sessionId, mac, proof, unitsPerMinute }: Claim): Promise<ClaimReply> {
    const { self, place, clock, book } = this.#parts
    const nowMs = clock.boottimeMs()
    let state = this.#sold.get(sessionId)
    if (state?.isMoving === true) state = await this.#finish(state)
    if (state !== undefined && place.isOver(sessionId)) return { kind: 'refused', why: 'ended', counter: state.counter }
    if (state === undefined || state.holder === self) {
      const ticket = place.find({ sessionId, isByKey: proof?.kind === 'key' })
      if (ticket === null) return { kind: 'refused', why: state === undefined ? 'unknown' : 'ended', counter: state?.counter ?? 0 }
      const { bearerHash, proofAfterSeconds } = ticket
      state = leftHome({ ...(state ?? newSoldRoam(self, ticket)), mac: ticket.mac, bearerHash, proofAfterSeconds }, { seconds: ticket.leftSeconds, bytes: ticket.leftBytes }, nowMs)
    }
    const hasProof = proof !== null && this.#isProof(state, from, proof, nowMs)
    // Of a session that a key holds no code is asked for.
    const whyToProve = state.proofAfterSeconds === null ? 'prove' : 'key'
    if (proof !== null && !hasProof) return { kind: 'refused', why: whyToProve, counter: state.counter }
    const isNewDevice = mac !== state.mac
    if (isNewDevice && proof?.kind !== 'key') return { kind: 'refused', why: 'unknown', counter: state.counter }
    const answer = claimSold({ ...state, mac }, self, { claimant: from, hasProof, isNewDevice, unitsPerMinute, homeIdleMs: place.idleMs(state.mac), nowMs })
    const last = state.stays.at(-1)
    const wasThere = last !== undefined && last.endedMs === null ? last : null
    if (answer.kind === 'refused') {
      if (this.#sold.has(sessionId)) this.#set({ ...answer.state, mac: state.mac })
      // Whether the guest is still heard where he was is asked at once: the next try knows.
      if (wasThere !== null && (answer.why === 'prove' || answer.why === 'again')) this.#look(answer.state, wasThere)
      return { kind: 'refused', why: answer.why === 'prove' ? whyToProve : answer.why, counter: answer.state.counter }
    }
    // Before the move: after a crash in between the guest shows his key once more, and it is the same.
    if (isNewDevice) await place.rebind(sessionId, mac)
    if (answer.kind === 'move' || hasProof) await book.write({ sold: [answer.state] })
    this.#set(answer.state)
    const finished = await this.#finish(answer.state)
    if (answer.kind === 'move' && wasThere !== null) this.#look(finished, wasThere)
    const stay = finished.stays.at(-1)
    return from === self || stay === undefined ? { kind: 'home' } : { kind: 'ticket', frame: this.#sealed(finished, stay) }
  }

  /** The hotspot's part of a move. It may have been done before a crash: it is asked again. */
  async #finish(state: SoldRoam): Promise<SoldRoam> {
    if (!state.isMoving) return state
    const { self, place, book, clock } = this.#parts
    const nowMs = clock.boottimeMs()
    let after = { ...state, isMoving: false }
    if (state.holder === self) await place.takeBack(state.sessionId, state.counter, spentElsewhere(state, nowMs))
    else {
      const ticket = await place.handOver(state.sessionId, state.holder, state.counter)
      after = leftHome(state, { seconds: ticket.leftSeconds, bytes: ticket.leftBytes }, nowMs)
    }
    await book.write({ sold: [after] })
    this.#set(after)
    return after
  }

  async #report(from: BoxId, frame: Uint8Array): Promise<WordReply[]> {
    const { self, documents, clock, place } = this.#parts
    const { payload, signature } = openFrame(frame)
    const { seller, stays } = decodeRoamStays(payload)
    if (seller !== self || documents.signer('roam-claim', payload, signature) !== from) throw new MeshBoxError('input', "this is not the sender's report to this box", { code: 'bad-input', field: 'report' })
    const nowMs = clock.boottimeMs()
    const changed = new Map<string, SoldRoam>()
    const debts: Parameters<RoamTill['record']>[0][number][] = []
    const words = stays.map((report) => {
      const before = changed.get(report.sessionId) ?? this.#sold.get(report.sessionId)
      if (before === undefined) return { word: { verdict: 'gone' as const }, signed: null }
      const { state, verdict: heard } = reportSold(before, from, report, nowMs)
      // Its owner gave the price back, or ended it: it is used nowhere any more.
      const verdict = heard !== 'gone' && place.isOver(report.sessionId) ? 'ended' : heard
      const stay = state.stays.find((each) => each.counter === report.counter && each.holder === from)
      const isToSign = stay !== undefined && stay.usedSeconds > stay.signedSeconds && (report.isFinal || verdict !== 'ok' || nowMs - stay.signedMs >= SIGN_EVERY_MS)
      const signed = isToSign ? signStay(state, report.counter, nowMs) : null
      if (signed?.stay != null) debts.push({ role: 'seller', partner: from, token: state.token, unitsPerMinute: signed.stay.unitsPerMinute, seconds: signed.newSeconds })
      const after = signed?.state ?? state
      changed.set(report.sessionId, after)
      const left = leftOf(after, nowMs)
      return { word: verdict === 'ok' ? { verdict, leftSeconds: left.seconds, leftBytes: left.bytes } : { verdict }, signed: signed?.stay != null ? { state: after, stay: signed.stay } : report.isFinal && stay !== undefined ? { state: after, stay } : null }
    })
    if (words.some(({ signed }) => signed !== null)) {
      await this.#till.record(debts, (accounts) => this.#parts.book.write({ sold: [...changed.values()], accounts }))
      for (const state of changed.values()) await this.#tellPlace(state, nowMs)
    }
    for (const state of changed.values()) this.#set(state)
    return words.map(({ word, signed }) => ({ word, receipt: signed === null ? null : this.#sealed(signed.state, signed.stay) }))
  }

  async #tellPlace(state: SoldRoam, nowMs: number): Promise<void> {
    try {
      await this.#parts.place.setSpentElsewhere(state.sessionId, spentElsewhere(state, nowMs))
    } catch (thrown) {
      // The figure is on disk here, and the next one says it again.
      this.#parts.log.warn('roaming: the hotspot did not take what was used elsewhere', { session: state.sessionId, error: asError(thrown) })
    }
  }

  #look(state: SoldRoam, stay: Stay): void {
    const { clock, log } = this.#parts
    const nowMs = clock.boottimeMs()
    const key = `${state.sessionId} ${stay.counter}`
    if (nowMs - (this.#lookedMs.get(key) ?? Number.NEGATIVE_INFINITY) < (stay.endedMs === null ? LOOK_AT_HOLDER_EVERY_MS : LOOK_EVERY_MS)) return
    if (this.#lookedMs.size >= MAX_LOOKED) this.#lookedMs.clear()
    this.#lookedMs.set(key, nowMs)
    this.#askLook(stay.holder, { kind: 'look', sessionId: state.sessionId, counter: state.counter })
      .then((frame) => this.#lane.run(() => this.#lookedAt(state.sessionId, stay, frame)))
      .catch((thrown) => log.debug('roaming: a holder did not say what was used', { box: stay.holder, error: asError(thrown) }))
  }

  async #lookedAt(sessionId: string, { holder, counter }: Stay, frame: Uint8Array): Promise<void> {
    await this.#report(holder, frame)
    const { stays } = decodeRoamStays(openFrame(frame).payload)
    const state = this.#sold.get(sessionId)
    const stay = state?.stays.find((each) => each.counter === counter)
    if (state === undefined || stay === undefined || stay.endedMs === null || stay.isFinal || stays.some((each) => each.sessionId === sessionId && each.counter === counter)) return
    // Its holder knows nothing of it any more: what it said before holds.
    const nowMs = this.#parts.clock.boottimeMs()
    const { state: after } = reportSold(state, holder, { sessionId, counter, seconds: stay.usedSeconds, bytes: stay.usedBytes, isIdle: true, isFinal: true }, nowMs)
    await this.#parts.book.write({ sold: [after] })
    this.#set(after)
    await this.#tellPlace(after, nowMs)
  }

  async #sweep(): Promise<void> {
    const { place, book, clock } = this.#parts
    const nowMs = clock.boottimeMs()
    const changed: SoldRoam[] = []
    const forgotten: string[] = []
    for (const state of this.#sold.values()) {
      const after = pruneSold(state, place.isOver(state.sessionId), nowMs)
      if (after.stays.length === 0 && place.find({ sessionId: state.sessionId, isByKey: false }) === null) forgotten.push(state.sessionId)
      else if (after !== state) changed.push(after)
    }
    if (changed.length + forgotten.length === 0) return
    await book.write({ sold: changed, forgottenSold: forgotten })
    for (const state of changed) this.#set(state)
    for (const sessionId of forgotten) this.#forget(sessionId)
  }

  #isProof(state: SoldRoam, from: BoxId, proof: GuestProof, nowMs: number): boolean {
    const { self, documents, hashes } = this.#parts
    const bad = this.#badProofs.get(from)
    const isFresh = bad !== undefined && nowMs - bad.sinceMs < BAD_PROOFS_MS
    if (isFresh && bad.count >= MAX_BAD_PROOFS) return false
    if (isBearers()) {
      if (proof.kind === 'code') return true
      // The right key for another moment, as when it was on the way while the guest moved, is no guess.
      const move = decodeRoamMove(proof.claim)
      return move.seller === self && move.sessionId === state.sessionId && move.counter === state.counter && move.claimant === from
    }
    this.#badProofs.set(from, isFresh ? { ...bad, count: bad.count + 1 } : { sinceMs: nowMs, count: 1 })
    return false

    function isBearers(): boolean {
      if (proof.kind === 'code') return hashes.ofCode(proof.code) === state.bearerHash
      const key = documents.signer('roam-claim', proof.claim, proof.signature)
      return key !== null && hashes.ofKey(key) === state.bearerHash
    }
  }

  #sealed(state: SoldRoam, stay: Stay): Uint8Array {
    const { self, documents } = this.#parts
    return sealFrame(documents, 'ticket', encodeTicket(ticketOf(state, self, stay)))
  }

  #set(state: SoldRoam): void {
    const before = this.#sold.get(state.sessionId)
    if (before !== undefined && before.mac !== state.mac) this.#forgetMac(before)
    this.#sold.set(state.sessionId, state)
    this.#byMac.set(state.mac, state.sessionId)
  }

  #forgetMac({ mac, sessionId }: SoldRoam): void {
    if (this.#byMac.get(mac) === sessionId) this.#byMac.delete(mac)
  }

  #forget(sessionId: string): void {
    const state = this.#sold.get(sessionId)
    this.#sold.delete(sessionId)
    if (state !== undefined) this.#forgetMac(state)
    for (const key of this.#lookedMs.keys()) if (key.startsWith(`${sessionId} `)) this.#lookedMs.delete(key)
  }
}
