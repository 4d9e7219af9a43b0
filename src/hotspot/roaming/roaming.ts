/** Sessions that walk, both sides joined: what main hands to whoever talks with the other boxes, and what guests' desks ask. */
import { MeshBoxError, RateLimit } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import { readMac } from '../gate/index.ts'
import type { Grant, MacAddress } from '../gate/types.ts'
import type { HotspotDeps } from '../ports.ts'
import type { Session } from '../session/index.ts'
import type { KeptWalk, RoamState, SessionView } from '../types.ts'
import { AwaySessions, hashOfKey, hashOfVoucher } from './away.ts'
import type { AwayParts } from './away.ts'
import type { RoamGuide, UsedAway, WalkingGuest, WalkingGuests, WalkingSession } from './ports.ts'
import { Visits } from './visits.ts'

/** A page that is shown again and again asks the other boxes no more often. */
const SHOWN_AGAIN_MS = 1000
const MOST_SHOWN = 4096
/** His page asks while it is open; each question goes to all other boxes. */
const QUESTIONS_PER_DEVICE = { burst: 4, perSecond: 0.5 }
const SIGNATURES_PER_DEVICE = { burst: 5, perSecond: 0.1 }

export class Roaming implements WalkingGuests {
  readonly #deps: HotspotDeps
  readonly #parts: AwayParts
  readonly #away: AwaySessions
  readonly #visits: Visits
  readonly #voucherOf: (code: string) => string
  readonly #listeners = new Set<(mac: MacAddress) => void>()
  readonly #shownMs = new Map<MacAddress, number>()
  readonly #questions = new RateLimit(QUESTIONS_PER_DEVICE)
  readonly #signatures = new RateLimit(SIGNATURES_PER_DEVICE)
  #guide: RoamGuide | null = null

  /** `voucherOf`: id of the voucher that a code stands for; throws for what is none. */
  constructor(deps: HotspotDeps, parts: AwayParts, voucherOf: (code: string) => string) {
    this.#deps = deps
    this.#parts = parts
    this.#away = new AwaySessions(deps, parts)
    this.#visits = new Visits(deps, parts.live, parts.metering)
    this.#voucherOf = voucherOf
  }

  /** Before the gate's content is put back. */
  restore(): void {
    this.#visits.restore()
  }

  start(): void {
    this.#deps.neighbours.onHeard((mac) => this.heard(mac))
    this.#away.start()
    this.#visits.start()
  }

  stop(): void {
    this.#away.stop()
    this.#visits.stop()
  }

  /** From now on other boxes are asked. The function undoes it: what is away comes home when its guest asks. */
  guideBy(guide: RoamGuide): Cancel {
    this.#guide = guide
    this.#parts.opening.isAwayElsewhere = true
    return () => {
      this.#guide = null
      this.#parts.opening.isAwayElsewhere = false
    }
  }

  find(guest: WalkingGuest): WalkingSession | null {
    return this.#away.find(guest)
  }
  isOver(sessionId: string): boolean {
    return this.#away.isOver(sessionId)
  }
  rebind(sessionId: string, mac: MacAddress): Promise<void> {
    return this.#away.rebind(sessionId, mac)
  }
  handOver(sessionId: string, to: Address, counter: number): Promise<WalkingSession> {
    return this.#away.handOver(sessionId, to, counter)
  }
  takeBack(sessionId: string, counter: number, spent: UsedAway): Promise<void> {
    return this.#away.takeBack(sessionId, counter, spent)
  }
  setSpentElsewhere(sessionId: string, spent: UsedAway): Promise<void> {
    return this.#away.setSpentElsewhere(sessionId, spent)
  }
  admit(session: WalkingSession, leaseSeconds: number): Promise<void> {
    return this.#visits.admit(session, leaseSeconds)
  }
  release(seller: Address, sessionId: string): Promise<void> {
    return this.#visits.release(seller, sessionId)
  }
  used(seller: Address, sessionId: string, counter: number): UsedAway {
    return this.#visits.used(seller, sessionId, counter)
  }
  idleMs(mac: MacAddress): number {
    return this.#visits.idleMs(mac)
  }
  onUnknownGuest(listener: (mac: MacAddress) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  hashOfKey(address: Address): ReturnType<typeof hashOfKey> {
    return hashOfKey(address)
  }

  /** Null: it is no code of this box. */
  hashOfCode(code: string): ReturnType<typeof hashOfVoucher> | null {
    try {
      return hashOfVoucher(this.#voucherOf(code))
    } catch {
      return null // somebody guesses, or has another box's code
    }
  }

  /** The first sign of a device: is it one that may not pass, and whom another box may know? */
  heard(mac: MacAddress): void {
    if (this.#guide === null || this.#isServed(mac)) return
    for (const listener of this.#listeners) listener(mac)
  }

  moved(mac: MacAddress): void {
    this.#visits.moved(mac)
    this.heard(mac)
  }

  grants(): Grant[] {
    return this.#visits.grants()
  }

  /** For his page: a visit as a session, and what is to be said of it. Looks for it, if he may not pass. */
  shown(mac: MacAddress, session: Session | undefined): { readonly visit: SessionView | null; readonly roam: RoamState | null } {
    const guide = this.#guide
    const isOpenHere = session !== undefined && session.state !== 'ended' && session.pauseReason !== 'away'
    if (guide === null || isOpenHere) return { visit: null, roam: null }
    const visit = this.#visits.view(mac, (seller) => guide.nameOf(seller) ?? seller)
    if (visit !== null) return { visit, roam: guide.sight(mac) === 'key' ? 'visiting-key' : 'visiting' }
    this.#lookFor(mac, guide)
    return { visit: null, roam: guide.sight(mac) ?? (session?.pauseReason === 'away' ? 'elsewhere' : null) }
  }

  /** The guest asks for it by hand, perhaps with a code. True: he is in, here or by a visit. */
  async bring(mac: MacAddress, code: string | null): Promise<boolean> {
    const own = this.#parts.live.ofDevice(mac)
    // Whoever has time of his own here, or is in already, is not helped by another box.
    if ((own !== undefined && own.pauseReason !== 'away') || (code !== null && this.#visits.ofDevice(mac) !== null)) return false
    if (this.#guide !== null) return this.#guide.seek(mac, code)
    if (own === undefined) return false
    await this.#away.comeHome(own.id)
    return true
  }

  /** None where no other box is asked, or where this device has time of its own. Errors: limit `too-many-requests`. */
  async kept(mac: MacAddress, address: string): Promise<readonly KeptWalk[]> {
    const own = this.#parts.live.ofDevice(mac)
    if (this.#guide === null || (own !== undefined && own.pauseReason !== 'away')) return []
    const waitSeconds = this.#questions.take(mac, this.#deps.clock.boottimeMs())
    if (waitSeconds > 0) throw new MeshBoxError('limit', `too many questions; wait ${waitSeconds} s`, { code: 'too-many-requests', retryAfterSeconds: waitSeconds })
    return this.#guide.kept(mac, address.toLowerCase() as Address)
  }

  /** Errors: conflict `session-away`; limit `too-many-requests`. */
  async showKey(mac: MacAddress, sessionId: string, signature: Uint8Array): Promise<void> {
    const waitSeconds = this.#signatures.take(mac, this.#deps.clock.boottimeMs())
    if (waitSeconds > 0) throw new MeshBoxError('limit', `too many signatures; wait ${waitSeconds} s`, { code: 'too-many-requests', retryAfterSeconds: waitSeconds })
    const isIn = this.#guide !== null && (await this.#guide.showKey(mac, sessionId, signature))
    if (!isIn) throw new MeshBoxError('conflict', 'this time is used at another box now', { code: 'session-away', retryAfterSeconds: 2 })
  }

  #lookFor(mac: MacAddress, guide: RoamGuide): void {
    const nowMs = this.#deps.clock.boottimeMs()
    if (nowMs - (this.#shownMs.get(mac) ?? Number.NEGATIVE_INFINITY) < SHOWN_AGAIN_MS) return
    if (this.#shownMs.size >= MOST_SHOWN) this.#shownMs.clear()
    this.#shownMs.set(mac, nowMs)
    this.#parts.keeper.spawn('looking for a guest’s session', guide.seek(mac, null))
  }

  #isServed(given: string): boolean {
    const mac = readMac(given)
    if (mac === null || this.#visits.ofDevice(mac) !== null) return true
    const own = this.#parts.live.ofDevice(mac)
    return own !== undefined && own.pauseReason !== 'away'
  }
}
