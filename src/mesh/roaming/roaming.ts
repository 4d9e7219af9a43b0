/**
 * Sessions that go with their guests. A device that may not pass is looked for among the neighbours, brought home if this box sold
 * its time, else claimed from who did; guests hear why where it does not work. docs/mesh.md
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { encodeRoamClaim } from '../documents/index.ts'
import type { BoxId, Mac, PeerNode, PeerQuestions } from '../ports.ts'
import type { RoamAccount } from './account.ts'
import { ROAM_PROTOCOL, decodeQuestion, encodeClaimReply, encodeQuestion, encodeWhere, encodeWords } from './frames.ts'
import type { Whereabouts } from './frames.ts'
import { HolderDesk } from './holder-desk.ts'
import type { ClaimOutcome } from './holder-desk.ts'
import { NEEDS_KEY } from './held.ts'
import type { HeldRoam } from './held.ts'
import type { RoamParts } from './parts.ts'
import type { GuestProof } from './ports.ts'
import { SellerDesk } from './seller-desk.ts'
import type { SoldRoam } from './sold.ts'
import { RoamTill } from './till.ts'
import { roamGuests } from './views.ts'
import type { RoamGuests } from './views.ts'

const TICK_MS = 1000
const LOOK_TIMEOUT_MS = 1000
/** Most devices that may not pass have never paid: they are asked for ever more seldom. */
const FIRST_REST_MS = 1000
const LONGEST_REST_MS = 30_000
const AGAIN_MS = 500
const TRIES = 6
const MAX_SOUGHT = 4096
/** Fewer than questions that one peer answers at once (PeerQuestions): reports have to get through too. */
const MAX_SEEKING = 8
const MAX_FOUND = 1024
const FOUND_MS = 60_000

export interface RoamSight {
  /** Why the guest is not in, for the page; null: nothing is known of him. */
  readonly why: Extract<ClaimOutcome, { kind: 'refused' }>['why'] | null
  /** What his key has to sign to move it: documents/roam-claim.ts, form 1. */
  readonly toProve: { readonly seller: BoxId; readonly sessionId: string; readonly counter: number } | null
  readonly held: HeldRoam | null
}

/** A session that a guest's key holds and that is not at this box, or is here on his device's word alone. */
export interface KeptWalk extends Whereabouts {
  /** It is used here, or was until the key was asked for, and goes on when it is shown. */
  readonly isHere: boolean
}

interface Found {
  readonly key: Address
  readonly walks: readonly KeptWalk[]
  readonly atMs: number
}

interface Sought {
  readonly restUntilMs: number
  readonly restMs: number
  readonly sight: Pick<RoamSight, 'why' | 'toProve'>
}

export interface RoamingParts extends RoamParts {
  readonly node: Pick<PeerNode, 'openQuestions' | 'peers'>
  /** A box's breach of the protocol. */
  penalise(box: BoxId, points: number, reason: string): void
}

export class Roaming {
  readonly #parts: RoamingParts
  readonly #questions: PeerQuestions
  readonly #till: RoamTill
  readonly #seller: SellerDesk
  readonly #holder: HolderDesk
  readonly #seeking = new Map<Mac, Promise<ClaimOutcome>>()
  readonly #sought = new Map<Mac, Sought>()
  readonly #found = new Map<Mac, Found>()
  #cancels: (() => void)[] = []
  #isRunning = false

  /** Opens its protocol: before the node is started. */
  constructor(parts: RoamingParts) {
    this.#parts = parts
    this.#questions = parts.node.openQuestions(ROAM_PROTOCOL, (from, question) => this.#answer(from, question))
    const connected = (): readonly BoxId[] => parts.node.peers().flatMap(({ box, isConnected, protocols }) => (isConnected && protocols.includes(ROAM_PROTOCOL.name) ? [box] : []))
    this.#till = new RoamTill(parts, (seller) => this.#holder.evidenceOf(seller))
    this.#seller = new SellerDesk(parts, this.#till, (holder, question) => this.#questions.ask(holder, encodeQuestion(question), LOOK_TIMEOUT_MS))
    this.#holder = new HolderDesk(parts, this.#till, {
      connected,
      ask: (to, question, timeoutMs) => this.#questions.ask(to, question, timeoutMs),
      penalise: (peer, reason) => parts.penalise(peer, 20, reason),
    })
  }

  async start(): Promise<void> {
    const { book, place, timers } = this.#parts
    const { sold, held, accounts } = await book.read()
    this.#till.start(accounts)
    this.#holder.start(held)
    this.#isRunning = true
    await this.#seller.start(sold)
    if (!this.#isRunning) return // stopped meanwhile
    this.#cancels = [
      place.onUnknownGuest((mac) => this.#noticed(mac)),
      // A box that came may have sold to whom nobody knew.
      this.#questions.onOpen(() => this.#sought.clear()),
      timers.every(TICK_MS, () => this.#tick()),
    ]
  }

  /** Guests stay in for what is left of their lease. */
  async stop(): Promise<void> {
    this.#isRunning = false
    for (const cancel of this.#cancels.splice(0)) cancel()
    await Promise.all([this.#seller.stop(), this.#holder.stop(), this.#till.stop()])
  }

  sold(): readonly SoldRoam[] {
    return this.#seller.list()
  }

  held(): readonly HeldRoam[] {
    return this.#holder.list()
  }

  accounts(): readonly RoamAccount[] {
    return this.#till.accounts()
  }

  /** For the owner. */
  guests(): RoamGuests {
    return roamGuests(this.#parts.self, { sold: this.sold(), held: this.held(), accounts: this.accounts() }, this.#parts.clock.boottimeMs())
  }

  /** By the owner: what this box owes for its guests here is asked for no more. False: it owes nothing. */
  writeOff(box: BoxId): Promise<boolean> {
    return this.#till.writeOff(box)
  }

  /** For the guest's page. */
  sight(mac: Mac): RoamSight {
    return { ...(this.#sought.get(mac)?.sight ?? { why: null, toProve: null }), held: this.#holder.ofMac(mac) }
  }

  /** The guest's page was opened, or he shows his key or code: asked at once, whatever was found before. */
  seek(mac: Mac, proof: GuestProof | null): Promise<ClaimOutcome> {
    const running = this.#seeking.get(mac)
    if (running !== undefined && proof === null) return running
    if (this.#seeking.size >= MAX_SEEKING) return Promise.resolve({ kind: 'refused', why: 'again' })
    const seeking: Promise<ClaimOutcome> = this.#seek(mac, proof)
      .catch((thrown): ClaimOutcome => {
        this.#parts.log.warn('roaming: a guest could not be looked for', { mac, error: asError(thrown) })
        return { kind: 'refused', why: 'again' }
      })
      .finally(() => {
        if (this.#seeking.get(mac) === seeking) this.#seeking.delete(mac)
      })
    this.#seeking.set(mac, seeking)
    return seeking
  }

  /** What this key has to sign so that its sessions go on here: documents/roam-claim.ts, form 1, with this box as claimant. */
  async kept(mac: Mac, key: Address): Promise<readonly KeptWalk[]> {
    const own = this.#seller.whereKept(key)
    const away = own !== null && this.#seller.isAway(own.sessionId) ? [own] : []
    // One that is here already, for this very device and with the key shown, wants nothing more. One that was let go until it is
    // shown is here still, unless it has gone on since: then the number has risen.
    const walks = [...away, ...(await this.#holder.kept(key))].flatMap((where): KeptWalk[] => {
      const held = this.#holder.list().find(({ ticket, isIn, goneMs, reason }) => (isIn || (goneMs === null && reason === NEEDS_KEY && ticket.counter === where.counter)) && ticket.seller === where.seller && ticket.sessionId === where.sessionId && ticket.mac === mac)
      if (held === undefined) return [{ ...where, isHere: false }]
      return held.ticket.proofAfterSeconds === null ? [] : [{ ...where, counter: held.ticket.counter, isHere: true }]
    })
    this.#found.delete(mac)
    if (this.#found.size >= MAX_FOUND) this.#found.delete(this.#found.keys().next().value ?? mac)
    this.#found.set(mac, { key, walks, atMs: this.#parts.clock.boottimeMs() })
    return walks
  }

  /** The guest's key has signed for one of what `kept` found last for this device. `signature`: r, s, v. */
  async showKey(mac: Mac, sessionId: string, signature: Uint8Array): Promise<ClaimOutcome> {
    const { self, documents, clock } = this.#parts
    const found = this.#found.get(mac)
    const walk = found?.walks.find((each) => each.sessionId === sessionId)
    if (found === undefined || walk === undefined || clock.boottimeMs() - found.atMs > FOUND_MS) return { kind: 'refused', why: 'again' }
    const { seller, counter } = walk
    const claim = encodeRoamClaim({ form: 'move', seller, sessionId, counter, claimant: self })
    // Not left to the seller: it hears few wrong ones of a box.
    if (documents.signer('roam-claim', claim, signature) !== found.key) return { kind: 'refused', why: 'key' }
    const proof: GuestProof = { kind: 'key', claim, signature }
    if (seller !== self) return this.#told(mac, await this.#tryUntil(() => this.#holder.claim(mac, walk, proof)), walk)
    const reply = await this.#seller.claim(self, { kind: 'claim', sessionId, mac, unitsPerMinute: 0n, proof })
    return this.#told(mac, reply.kind === 'refused' ? reply : { kind: 'in' }, walk)
  }

  #noticed(mac: Mac): void {
    const sought = this.#sought.get(mac)
    if (this.#seeking.has(mac) || (sought !== undefined && this.#parts.clock.boottimeMs() < sought.restUntilMs)) return
    void this.seek(mac, null)
  }

  async #seek(mac: Mac, proof: GuestProof | null): Promise<ClaimOutcome> {
    const { self } = this.#parts
    const home = this.#seller.whereIs(mac)
    if (home !== null) {
      // What keeps him out of a session that is here is the hotspot's to say.
      if (!this.#seller.isAway(home.sessionId)) return { kind: 'in' }
      const outcome = await this.#tryUntil(async () => {
        const reply = await this.#seller.claim(self, { kind: 'claim', sessionId: home.sessionId, mac, unitsPerMinute: 0n, proof })
        return reply.kind === 'refused' ? reply : { kind: 'in' }
      })
      return this.#told(mac, outcome, home)
    }
    const { outcome, where } = await this.#holder.seek(mac, (each) => this.#tryUntil(() => this.#holder.claim(mac, each, proof)))
    return this.#told(mac, outcome, where)
  }

  /** `again` is over soon: when it is known whether the guest is still heard elsewhere. */
  async #tryUntil(claim: () => Promise<ClaimOutcome>): Promise<ClaimOutcome> {
    for (let tries = 1; ; tries++) {
      const outcome = await claim()
      if (outcome.kind === 'in' || outcome.why !== 'again' || tries >= TRIES || !this.#isRunning) return outcome
      await new Promise<void>((resolve) => void this.#parts.timers.after(AGAIN_MS, resolve))
    }
  }

  #told(mac: Mac, outcome: ClaimOutcome, where: RoamSight['toProve']): ClaimOutcome {
    if (outcome.kind === 'in') {
      this.#sought.delete(mac)
      return outcome
    }
    if (!this.#sought.has(mac) && this.#sought.size >= MAX_SOUGHT) this.#sought.delete(this.#sought.keys().next().value ?? mac)
    // Who is known will be let in soon; who is not is asked for ever more seldom.
    const before = this.#sought.get(mac)?.restMs ?? 0
    const restMs = where !== null ? FIRST_REST_MS : Math.min(LONGEST_REST_MS, Math.max(FIRST_REST_MS, before * 2))
    this.#sought.set(mac, { restMs, restUntilMs: this.#parts.clock.boottimeMs() + restMs, sight: { why: outcome.why, toProve: where === null ? null : { seller: where.seller, sessionId: where.sessionId, counter: outcome.counter ?? where.counter } } })
    return outcome
  }

  #tick(): void {
    const connected = new Set(this.#parts.node.peers().flatMap(({ box, isConnected }) => (isConnected ? [box] : [])))
    this.#seller.tick((box) => connected.has(box))
    this.#holder.tick()
    this.#till.settle().catch((thrown) => this.#parts.log.error('roaming: neighbours could not be paid', { error: asError(thrown) }))
  }

  async #answer(from: BoxId, bytes: Uint8Array): Promise<Uint8Array | null> {
    if (!this.#isRunning) return null
    try {
      const question = decodeQuestion(bytes)
      switch (question.kind) {
        case 'where': {
          const found = this.#seller.whereIs(question.mac) ?? this.#holder.whereIs(question.mac)
          return found === null ? null : encodeWhere(found)
        }
        case 'claim':
          return from === this.#parts.self ? null : encodeClaimReply(await this.#seller.claim(from, question))
        case 'report':
          return encodeWords(await this.#seller.report(from, question.frame))
        case 'kept': {
          const found = this.#seller.whereKept(question.key)
          return found === null ? null : encodeWhere(found)
        }
        case 'look':
          return await this.#holder.look(from, question)
      }
    } catch (thrown) {
      const error = asError(thrown)
      if (error instanceof MeshBoxError && error.kind === 'input') this.#parts.penalise(from, 20, error.message)
      else this.#parts.log.warn('roaming: a question could not be answered', { box: from, error })
      return null
    }
  }
}
