/**
 * Boxes and walking guests in one seeded world, for the roaming of all of them at once: real Roaming on each box; stand-ins for the
 * radio (frames that are late, lost, cut off), for the hotspot (gates that the kernel shuts when a lease ends) and for the disk (what
 * was not finished at a crash may or may not be there). Signatures are hashes with a secret per signer: what is tried here is order.
 */
import { createHash } from 'node:crypto'
import { concatBytes, fromHex, hexOf, silentLog, utf8 } from '../../../src/base/index.ts'
import type { Address, Clock, Hash, Timers } from '../../../src/base/index.ts'
import { encodeRoamClaim } from '../../../src/mesh/documents/index.ts'
import type { BoxId, DocumentKind, Documents, Mac, PeerSide, PeerStatus, RoamTicket } from '../../../src/mesh/ports.ts'
import { Roaming } from '../../../src/mesh/roaming/index.ts'
import type { GuestProof, RoamBook, RoamChange, RoamHashes, RoamPayer, RoamTerms, RoamingPlace, Used } from '../../../src/mesh/roaming/index.ts'
import type { RoamRecords } from '../../../src/mesh/roaming/ports.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

/** Of a session that a key holds. */
export const PROOF_AFTER_SECONDS = 30
export const TOKEN: Address = `0x${'77'.repeat(20)}`
const sha = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(createHash('sha256').update(concatBytes(...parts)).digest())
export const keccakStandIn = (bytes: Uint8Array): Uint8Array => sha(utf8('k'), bytes)
export const boxId = (n: number): BoxId => `0x${(0xb000 + n).toString(16).padStart(40, '0')}`
export const guestKey = (n: number): Address => `0x${(0xe000 + n).toString(16).padStart(40, '0')}`
export const macOf = (n: number): Mac => `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`

/** 20 bytes of whose it is, and a hash that only who has `self`'s secret makes: here everybody plays fair with secrets. */
export function standInDocuments(self: BoxId): Documents {
  const tag = (kind: DocumentKind, payload: Uint8Array, who: Uint8Array): Uint8Array => sha(utf8(`secret of ${hexOf(who)} for ${kind}`), payload)
  return {
    self,
    sign(kind, payload) {
      const who = fromHex(self.slice(2))
      return concatBytes(who, tag(kind, payload, who), new Uint8Array(13))
    },
    signer(kind, payload, signature) {
      const who = signature.slice(0, 20)
      return Buffer.from(signature.slice(20, 52)).equals(Buffer.from(tag(kind, payload, who))) ? hexOf(who) : null
    },
  }
}

export const hashes: RoamHashes = {
  keccak256: keccakStandIn,
  ofKey: (address) => hexOf(sha(utf8('key'), fromHex(address.slice(2)))),
  ofCode: (code) => hexOf(sha(utf8('code'), code)),
}

export function proofByKey(guest: Address, seller: BoxId, sessionId: string, counter: number, claimant: BoxId): GuestProof {
  const claim = encodeRoamClaim({ form: 'move', seller, sessionId, counter, claimant })
  return { kind: 'key', claim, signature: standInDocuments(guest).sign('roam-claim', claim) }
}

interface SoldSession {
  readonly id: string
  mac: Mac
  readonly bearerHash: Hash
  /** The key that holds it: it has to be shown elsewhere. */
  key: Address | null
  soldMs: number
  homeUsedMs: number
  spentElsewhere: Used
  isHome: boolean
  counter: number
}

interface Admission {
  ticket: RoamTicket
  untilMs: number
  usedMs: number
  runsSinceMs: number | null
  leftMs: number
}

/** The hotspot of one box: what it says is on disk at once; the kernel shuts a gate by itself. */
export class StandInPlace implements RoamingPlace {
  readonly sold = new Map<string, SoldSession>()
  readonly admissions = new Map<string, Admission>()
  readonly heardMs = new Map<Mac, number>()
  readonly #clock: Pick<Clock, 'boottimeMs'>
  #listener: (mac: Mac) => void = () => undefined
  #atMs: number
  readonly self: BoxId
  unitsPerMinute = 6n
  isBroken = false

  constructor(self: BoxId, clock: Pick<Clock, 'boottimeMs'>) {
    this.self = self
    this.#clock = clock
    this.#atMs = clock.boottimeMs()
  }

  sell(id: string, mac: Mac, bearerHash: Hash, seconds: number): void {
    this.sold.set(id, { id, mac, bearerHash, key: null, soldMs: seconds * 1000, homeUsedMs: 0, spentElsewhere: { seconds: 0, bytes: 0n }, isHome: true, counter: 0 })
  }

  sellKept(id: string, mac: Mac, key: Address, seconds: number): void {
    this.sell(id, mac, hashes.ofKey(key), seconds)
    const session = this.sold.get(id)
    if (session !== undefined) session.key = key
  }

  async rebind(sessionId: string, mac: Mac): Promise<void> {
    this.#mine(sessionId).mac = mac
  }

  /** Time goes on where a gate is open. */
  run(): void {
    const nowMs = this.#clock.boottimeMs()
    const passedMs = nowMs - this.#atMs
    this.#atMs = nowMs
    for (const session of this.sold.values()) if (session.isHome) session.homeUsedMs += Math.min(passedMs, Math.max(0, this.leftMs(session)))
    for (const each of this.admissions.values()) {
      if (each.runsSinceMs === null) continue
      const openMs = Math.max(0, Math.min(passedMs, each.untilMs - (nowMs - passedMs), each.leftMs))
      each.usedMs += openMs
      each.leftMs -= openMs
      if (nowMs >= each.untilMs || each.leftMs <= 0) each.runsSinceMs = null
    }
  }

  leftMs(session: SoldSession): number {
    return session.soldMs - session.homeUsedMs - session.spentElsewhere.seconds * 1000
  }

  isOpen(mac: Mac): boolean {
    this.run()
    const isHome = [...this.sold.values()].some((each) => each.mac === mac && each.isHome && this.leftMs(each) > 0)
    return isHome || [...this.admissions.values()].some((each) => each.ticket.mac === mac && each.runsSinceMs !== null)
  }

  isOpenFor(sessionId: string): boolean {
    this.run()
    const home = this.sold.get(sessionId)
    return (home !== undefined && home.isHome && this.leftMs(home) > 0) || [...this.admissions.values()].some((each) => each.ticket.sessionId === sessionId && each.runsSinceMs !== null)
  }

  /** True: it passed. */
  packet(mac: Mac): boolean {
    this.heardMs.set(mac, this.#clock.boottimeMs())
    const passes = this.isOpen(mac)
    if (!passes) this.#listener(mac)
    return passes
  }

  /** What was counted since the last checkpoint is lost. */
  crash(): void {
    this.#listener = () => undefined
    for (const each of this.admissions.values()) each.usedMs = Math.floor(each.usedMs / 10_000) * 10_000
  }

  find(guest: Parameters<RoamingPlace['find']>[0]): RoamTicket | null {
    this.run()
    const session = 'key' in guest ? [...this.sold.values()].find((each) => each.key === guest.key && this.leftMs(each) >= 1000) : 'mac' in guest ? [...this.sold.values()].find((each) => each.mac === guest.mac && this.leftMs(each) >= 1000) : this.sold.get(guest.sessionId)
    return session === undefined || this.leftMs(session) < 1000 ? null : this.#ticket(session)
  }

  isOver(sessionId: string): boolean {
    return !this.sold.has(sessionId)
  }

  async handOver(sessionId: string, _: BoxId, counter: number): Promise<RoamTicket> {
    const session = this.#mine(sessionId)
    if (counter > session.counter || session.isHome) {
      session.isHome = false
      session.counter = counter
    }
    return this.#ticket(session)
  }

  async takeBack(sessionId: string, counter: number, spentElsewhere: Used): Promise<void> {
    const session = this.#mine(sessionId)
    if (counter < session.counter) throw new Error('an older move')
    session.counter = counter
    session.isHome = true
    session.spentElsewhere = spentElsewhere
  }

  async setSpentElsewhere(sessionId: string, spentElsewhere: Used): Promise<void> {
    this.#mine(sessionId).spentElsewhere = spentElsewhere
  }

  async admit(ticket: RoamTicket, leaseSeconds: number): Promise<void> {
    this.run()
    const nowMs = this.#clock.boottimeMs()
    const key = `${ticket.seller} ${ticket.sessionId}`
    const before = this.admissions.get(key)
    const usedMs = before?.ticket.counter === ticket.counter ? before.usedMs : 0
    this.admissions.set(key, { ticket, untilMs: nowMs + leaseSeconds * 1000, usedMs, runsSinceMs: nowMs, leftMs: ticket.leftSeconds * 1000 })
  }

  async release(seller: BoxId, sessionId: string): Promise<void> {
    this.run()
    const each = this.admissions.get(`${seller} ${sessionId}`)
    if (each !== undefined) each.runsSinceMs = null
  }

  used(seller: BoxId, sessionId: string, counter: number): Used {
    this.run()
    const each = this.admissions.get(`${seller} ${sessionId}`)
    return { seconds: each?.ticket.counter === counter ? Math.floor(each.usedMs / 1000) : 0, bytes: 0n }
  }

  idleMs(mac: Mac): number {
    return this.#clock.boottimeMs() - (this.heardMs.get(mac) ?? Number.NEGATIVE_INFINITY)
  }

  onUnknownGuest(listener: (mac: Mac) => void): () => void {
    this.#listener = listener
    return () => {
      this.#listener = () => undefined
    }
  }

  #mine(sessionId: string): SoldSession {
    if (this.isBroken) throw new Error('the hotspot is busy')
    this.run()
    const session = this.sold.get(sessionId)
    if (session === undefined) throw new Error('no such session')
    return session
  }

  #ticket(session: SoldSession): RoamTicket {
    const { id, mac, bearerHash, key, counter } = session
    return { seller: this.self, sessionId: id, mac, bearerHash, leftSeconds: Math.floor(this.leftMs(session) / 1000), leftBytes: null, unitsPerMinute: this.unitsPerMinute, token: TOKEN, counter, holder: this.self, proofAfterSeconds: key === null ? null : PROOF_AFTER_SECONDS }
  }
}

/** A disk: a write is there when it was said to be; one that was under way at a crash may be. */
class StandInDisk implements RoamBook {
  #records: RoamRecords = { sold: [], held: [], accounts: [] }
  readonly #timers: Timers
  readonly #random: () => number
  readonly earned: NonNullable<RoamChange['earned']>[] = []
  boots = 0

  constructor(timers: Timers, random: () => number) {
    this.#timers = timers
    this.#random = random
  }

  async read(): Promise<RoamRecords> {
    return this.#records
  }

  write(change: RoamChange): Promise<void> {
    const boot = this.boots
    return new Promise((resolve) => {
      this.#timers.after(1 + this.#random() * 8, () => {
        if (boot !== this.boots && this.#random() < 0.5) return
        this.#put(change)
        if (boot === this.boots) resolve()
      })
    })
  }

  #put({ sold = [], held = [], accounts = [], forgottenSold = [], forgottenHeld = [], earned }: RoamChange): void {
    const merged = <T>(before: readonly T[], changed: readonly T[], keyOf: (each: T) => string): T[] => [...new Map([...before, ...changed].map((each) => [keyOf(each), each])).values()]
    const before = this.#records
    this.#records = {
      sold: merged(before.sold, sold, (each) => each.sessionId).filter((each) => !forgottenSold.includes(each.sessionId)),
      held: merged(before.held, held, ({ ticket }) => `${ticket.seller} ${ticket.sessionId}`).filter(({ ticket }) => !forgottenHeld.some((each) => each.seller === ticket.seller && each.sessionId === ticket.sessionId)),
      accounts: merged(before.accounts, accounts, (each) => `${each.role} ${each.partner} ${each.token}`),
    }
    if (earned !== undefined) this.earned.push(earned)
  }
}

export class VillageBox {
  readonly id: BoxId
  readonly place: StandInPlace
  readonly disk: StandInDisk
  readonly payments = new Map<string, bigint>()
  roaming: Roaming | null = null
  answer: ((from: BoxId, question: Uint8Array) => Promise<Uint8Array | null>) | null = null
  paidListeners = new Set<(payment: { readonly reference: Hash }) => void>()
  openListeners = new Set<(peer: BoxId, side: PeerSide) => void>()
  penalties: string[] = []
  readonly #village: Village
  readonly #life = { number: 0 }

  constructor(village: Village, id: BoxId) {
    this.#village = village
    this.id = id
    this.place = new StandInPlace(id, village.time)
    this.disk = new StandInDisk(village.time, village.random)
  }

  async start(): Promise<void> {
    const village = this.#village
    const life = ++this.#life.number
    /** Timers of a process that died do not run. */
    const timers: Timers = {
      after: (ms, run) => village.time.after(ms, () => life === this.#life.number && run()),
      every: (ms, run) => village.time.every(ms, () => life === this.#life.number && run()),
    }
    const payer: RoamPayer = {
      payeeOf: (box) => box,
      pay: ({ to, amount, reference }) => village.pay(this, to, amount, reference),
      onPaid: (listener) => {
        this.paidListeners.add(listener)
        return () => this.paidListeners.delete(listener)
      },
      received: (reference) => this.payments.get(reference) ?? 0n,
    }
    this.roaming = new Roaming({
      self: this.id,
      documents: standInDocuments(this.id),
      hashes,
      place: this.place,
      book: this.disk,
      payer,
      terms: village.terms,
      clock: village.time,
      timers,
      log: silentLog,
      penalise: (box, points, reason) => void this.penalties.push(`${box} ${points} ${reason}`),
      node: {
        openQuestions: (_, answer) => {
          this.answer = answer
          return {
            ask: (to, question, timeoutMs) => village.carry(this, to, question, timeoutMs),
            onOpen: (listener) => {
              this.openListeners.add(listener)
              return () => this.openListeners.delete(listener)
            },
            onClose: () => () => undefined,
          }
        },
        peers: () => village.boxes.filter((box) => box !== this).map((box) => village.statusOf(this, box)),
      },
    })
    await this.roaming.start()
    for (const box of village.boxes) village.opened(this, box)
  }

  crash(): void {
    this.#life.number += 1
    this.disk.boots += 1
    this.roaming = null
    this.answer = null
    this.paidListeners.clear()
    this.openListeners.clear()
    this.place.crash()
  }
}

export class Village {
  readonly time = new FakeTime()
  readonly boxes: readonly VillageBox[]
  readonly random: () => number
  readonly terms: RoamTerms
  /** `a b`, both ways. */
  readonly cut = new Set<string>()
  loss = 0
  isPaying = true

  constructor(seed: number, size: number, terms: Partial<RoamTerms> = {}) {
    const random = seededRandom(seed)
    this.random = () => random.next()
    this.terms = { unitsPerMinute: 5n, maxDebt: 1_000_000n, settleAmount: 50n, ...terms }
    this.boxes = Array.from({ length: size }, (_, n) => new VillageBox(this, boxId(n)))
  }

  async start(): Promise<void> {
    for (const box of this.boxes) await this.finish(box.start())
  }

  /** Until a promise that needs the village's time is settled. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const done = (): void => {
      isDone = true
    }
    work.then(done, done)
    for (let steps = 0; !isDone && steps < 20_000; steps++) await this.step(5)
    return work
  }

  async step(ms: number): Promise<void> {
    this.time.advance(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }

  async run(ms: number, stepMs = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) await this.step(stepMs)
  }

  cutOff(a: VillageBox, b: VillageBox): void {
    this.cut.add(`${a.id} ${b.id}`).add(`${b.id} ${a.id}`)
  }

  heal(a: VillageBox, b: VillageBox): void {
    this.cut.delete(`${a.id} ${b.id}`)
    this.cut.delete(`${b.id} ${a.id}`)
    this.opened(a, b)
  }

  opened(a: VillageBox, b: VillageBox): void {
    if (!this.isConnected(a, b)) return
    for (const listener of a.openListeners) listener(b.id, 'mesh')
    for (const listener of b.openListeners) listener(a.id, 'mesh')
  }

  isConnected(a: VillageBox, b: VillageBox): boolean {
    return a.roaming !== null && b.roaming !== null && !this.cut.has(`${a.id} ${b.id}`)
  }

  statusOf(from: VillageBox, to: VillageBox): PeerStatus {
    const base = { peerId: '', side: 'mesh' as const, address: '', originator: null, name: '', sinceMs: 0, roundTripMs: null, penalty: 0, bannedUntilMs: null, banReason: null }
    return { ...base, box: to.id, isConnected: this.isConnected(from, to), protocols: ['/meshbox/roam/1'] }
  }

  /** A question and its answer, each with its own delay, so that they overtake each other. */
  carry(from: VillageBox, toId: BoxId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const to = this.boxes.find((box) => box.id === toId)
      this.time.after(timeoutMs, () => reject(new Error('no answer')))
      if (to === undefined) return
      this.#travel(from, to, () => {
        void to.answer?.(from.id, question).then((answer) => {
          this.#travel(to, from, () => (answer === null ? reject(new Error('declined')) : resolve(answer)))
        })
      })
    })
  }

  async pay(from: VillageBox, to: Address, amount: bigint, reference: Hash): Promise<void> {
    const box = this.boxes.find((each) => each.id === to)
    if (box === undefined || !this.isPaying || !this.isConnected(from, box)) throw new Error('no way to pay')
    await new Promise<void>((resolve) => this.time.after(20, resolve))
    if (amount > (box.payments.get(reference) ?? 0n)) box.payments.set(reference, amount)
    for (const listener of box.paidListeners) listener({ reference })
  }

  #travel(from: VillageBox, to: VillageBox, arrive: () => void): void {
    if (this.random() < this.loss) return
    this.time.after(2 + this.random() ** 4 * 150, () => {
      if (this.isConnected(from, to)) arrive()
    })
  }
}
