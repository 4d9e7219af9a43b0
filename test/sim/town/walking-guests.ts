/**
 * Guests of the town who buy time at one box and use it at another: real hotspots and real roaming at every box, tickets and reports over a wire that loses
 * some, seconds paid over the boxes' real channels. Some keep their time under a key and show it now and then; of some there is a second device with the same
 * address somewhere else. What each had in truth is counted beside it.
 */
import { silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import type { ClientAddress, SessionView, VisitJournal } from '../../../src/hotspot/index.ts'
import type { KeptWalk } from '../../../src/hotspot/types.ts'
import { toChecksumAddress } from '../../../src/identity/index.ts'
import { MeshRoaming } from '../../../src/main/roaming.ts'
import { encodeRoamClaim } from '../../../src/mesh/documents/index.ts'
import type { PurseChannels } from '../../../src/mesh/index.ts'
import type { Documents } from '../../../src/mesh/ports.ts'
import type { RoamDebt } from '../../../src/mesh/roaming/views.ts'
import type { RoamGuests } from '../../../src/mesh/roaming/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { keyFrom } from '../../support/audited.ts'
import type { Key } from '../../support/audited.ts'
import type { CrashBox } from '../../support/crash-box.ts'
import { guest } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'
import { TOKEN } from '../../unit/photon-node/box.ts'
import { documentsOf } from './carrying.ts'
import { curve } from './curve.ts'
import type { MeshEnd } from './mesh-wire.ts'

/** What a box asks for a minute of another's guest. */
export const PER_MINUTE = 300n

/** One box's part in it. */
export class Walking {
  readonly account: Address
  readonly #crash: CrashBox
  #roaming: MeshRoaming | null = null
  #note: string | null = null
  /** On tmpfs. */
  readonly journal: VisitJournal = { read: () => this.#note, write: (text) => void (this.#note = text) }

  constructor(account: Address, crash: CrashBox) {
    this.account = account
    this.#crash = crash
  }

  /** In each new process, when its channels are there. */
  begin(box: TestBox, { store, documents, end, direct }: { readonly store: Store; readonly documents: Documents; readonly end: MeshEnd; readonly direct: PurseChannels }, terms: { readonly maxDebt: bigint; readonly settleAmount: bigint }): void {
    const { time } = this.#crash
    box.config = { ...box.config, mesh: { ...box.config.mesh, ...terms, token: TOKEN, roamEnforcement: 'access', roamPricePerMinute: PER_MINUTE, roamSecondsWithoutKey: WITHOUT_KEY_SECONDS } }
    this.#roaming = new MeshRoaming({
      config: () => box.config,
      walking: box.hotspot.roaming,
      hub: { openQuestions: (protocol, answer) => end.openQuestions(protocol, answer), peers: () => end.peers(), penalise: (peer, points, reason) => end.penalise(peer, points, reason) },
      documents,
      isWelcome: () => true,
      token: TOKEN,
      payeeOf: (other) => other,
      keccak256: (bytes) => curve.keccak256(bytes),
      store,
      ledger: box.ledger,
      clock: time,
      timers: time,
      log: silentLog,
    })
    this.#roaming.usePayments({ direct: () => direct })
  }

  async start(): Promise<void> {
    if (this.#roaming === null) throw new Error('this box is off')
    await this.#roaming.part().start()
  }

  died(kind: 'service' | 'power'): void {
    this.#roaming = null
    if (kind === 'power') this.#note = null
  }

  guests(): RoamGuests {
    if (this.#roaming === null) throw new Error('this box is off')
    return this.#roaming.guests()
  }

  /** With another box: as the seller, who pays, or as the holder. */
  debt(role: RoamDebt['isOurs'], other: Address): Pick<RoamDebt, 'owed' | 'open'> {
    return this.guests().debts.find(({ isOurs, partner }) => isOurs === role && partner === other) ?? { owed: 0n, open: 0n }
  }

  /** By its book: earned by `other`'s guests, or paid for own guests there. */
  booked(what: 'roaming' | 'roaming-paid', other: Address): bigint {
    const rows = this.#crash.store.read((tx) => tx.all<{ amount: string; facts: string }>("SELECT amount, facts FROM ledger_entries WHERE source = 'mesh:roaming' AND evidence_type = ?", what))
    return rows.reduce((sum, { amount, facts }) => {
      const { seller, holder } = JSON.parse(facts) as { readonly seller?: Address; readonly holder?: Address }
      return (what === 'roaming' ? seller : holder) === other ? sum + BigInt(amount) : sum
    }, 0n)
  }
}

export interface WalkedBox {
  readonly account: Address
  readonly crash: CrashBox
  readonly walking: Walking
  readonly neighbours: readonly WalkedBox[]
  readonly isOn: boolean
  readonly deaths: number
  /** Half an hour, bought for this device; its session and the code. Null: not now. */
  sellTo(device: ClientAddress): Promise<{ readonly sessionId: string; readonly code: string } | null>
  /** What somebody does at the box; undefined: it died, or refused. */
  tried<T>(phase: string, work: () => Promise<T>): Promise<T | undefined>
}

interface Bought {
  readonly from: WalkedBox
  readonly sessionId: string
  readonly code: string
  /** With an open gate, wherever; in both of two places at once it counts twice. */
  openMs: number
  /** What boxes may have given for nothing by their deaths, and set aside for what a silent one may have used. */
  forgivenMs: number
  asideMs: number
}

/** Of one box's guests at another. */
interface Visits {
  /** With an open gate. */
  openMs: number
  /** What the box that served them may have lost of that. */
  forgivenMs: number
}

interface Walker {
  readonly device: ClientAddress
  readonly mac: string
  /** Keeps his time under it. */
  readonly key: Key | null
  at: WalkedBox
  /** Where another device has his address. */
  copy: WalkedBox | null
  bought: Bought | null
}

/** Where it was sold: as test/support/hotspot-box.ts sets it, and the step in which time passes. */
const CHECKPOINT_MS = 22_500
/** Where it is used: noted on tmpfs, for the next process; on disk with the newest receipt, each half minute, and the report after it. */
const HELD_MS = 12_000
const RECEIPT_MS = 36_000
/** Charged for a place that is silent, until it is known what was used there. */
const LEASE_MS = 60_000
/** A seller signs each half minute, and books it then; a visit that is to end is told so with the next report, and the kernel's lease runs out. */
const UNSIGNED_MS = 60_000
/** One who is in two places is found out by then. */
const CONTEST_MS = 10_000
/** Whole seconds are booked, of home and of elsewhere. */
const ROUNDING_MS = 2000
const WITHOUT_KEY_SECONDS = 60
const WALKERS = 4

/** All who walk. */
export class Walkers {
  readonly #boxes: readonly WalkedBox[]
  readonly #walkers: readonly Walker[]
  /** How often what was done. */
  readonly done = new Map<string, number>()
  /** By holder and seller. */
  readonly #visits = new Map<string, Visits>()
  #isAsleep = false

  /** `first`: number of the first one's device. */
  constructor(boxes: readonly WalkedBox[], first: number) {
    this.#boxes = boxes
    this.#walkers = Array.from({ length: WALKERS }, (_, index) => {
      const device = guest(first + index)
      const at = boxes[index % boxes.length]
      if (device.mac === null || at === undefined) throw new Error('a guest without a device')
      return { device, mac: device.mac, key: index % 2 === 1 ? keyFrom(`walker ${first + index}`) : null, at, copy: null, bought: null }
    })
  }

  wake(): void {
    this.#isAsleep = false
  }

  get visitSeconds(): number {
    return Math.floor([...this.#visits.values()].reduce((sum, { openMs }) => sum + openMs, 0) / 1000)
  }

  /** Somebody buys, or goes on to a neighbour, shows what he has, or is in two places. */
  async act(pick: number): Promise<void> {
    const who = this.#walkers[pick % this.#walkers.length]
    if (who === undefined) return
    const { bought } = who
    if (bought === null || this.#isOver(bought)) return this.#buy(who)
    const what = Math.floor(pick / 4) % 10
    const { neighbours } = who.at
    const next = neighbours[Math.floor(pick / 40) % neighbours.length] ?? who.at
    if (what < 5)
      this.#did('walked', () => {
        who.at = next
        this.#came(next, bought)
      })
    else if (what < 8) await this.#show(who, bought)
    else if (who.copy !== null) who.copy = null
    else
      this.#did('in two places', () => {
        who.copy = next
        bought.forgivenMs += CONTEST_MS
        this.#came(next, bought)
      })
  }

  /** All phones are quiet; the second devices are gone. */
  sleep(): void {
    this.#isAsleep = true
    for (const who of this.#walkers) who.copy = null
  }

  /** Before time passes at a box: what everybody has there. */
  spend(box: WalkedBox, ms: number): void {
    const { kernel, time } = box.crash
    for (const { mac, bought } of this.#walkers) {
      if (bought === null || !isServed(box, mac, bought)) continue
      const openMs = Math.max(0, Math.min(ms, (kernel.openUntilMs(mac) ?? 0) - time.boottimeMs()))
      bought.openMs += openMs
      if (box !== bought.from) this.#visitsOf(box, bought.from).openMs += openMs
    }
  }

  /** Everybody's phone sends something where he is. */
  packets(): void {
    if (this.#isAsleep) return
    for (const { at, copy, mac } of this.#walkers)
      for (const where of copy === null ? [at] : [at, copy]) if (!where.crash.kernel.traffic(mac, 100, 1000) && where.isOn) where.crash.box.neighbours.hear(mac)
  }

  /** What one paid the other has earned. */
  isQuiet(): boolean {
    return this.#pairs().every(([seller, holder]) => seller.walking.debt('seller', holder.account).open === 0n && seller.walking.booked('roaming-paid', holder.account) === holder.walking.booked('roaming', seller.account))
  }

  /** With a process go the seconds that it had not written down or told. While it is gone no time passes here. */
  died(box: WalkedBox, kind: 'service' | 'power'): void {
    for (const { mac, bought } of this.#walkers) {
      if (bought === null || !isServed(box, mac, bought)) continue
      const lostMs = box === bought.from ? CHECKPOINT_MS : kind === 'power' ? RECEIPT_MS : HELD_MS
      bought.forgivenMs += lostMs
      if (box === bought.from) continue
      bought.asideMs += LEASE_MS
      this.#visitsOf(box, bought.from).forgivenMs += lostMs
    }
  }

  /** When all is quiet. */
  problems(maxDebt: bigint): readonly string[] {
    return [...this.#walkers.flatMap((who) => this.#wrongTime(who)), ...this.#pairs().flatMap(([seller, holder]) => this.#wrongBooks(seller, holder, maxDebt))]
  }

  #wrongTime({ mac, bought }: Walker): readonly string[] {
    return bought === null ? [] : wrongTime({ ...bought, said: `${mac}, sold by ${bought.from.account}`, chargedMs: this.#view(bought).secondsUsed * 1000 })
  }

  #wrongBooks(seller: WalkedBox, holder: WalkedBox, maxDebt: bigint): readonly string[] {
    const { openMs, forgivenMs } = this.#visitsOf(holder, seller)
    return wrongBooks({
      said: `guests of ${seller.account} at ${holder.account}`,
      paid: seller.walking.booked('roaming-paid', holder.account),
      earned: holder.walking.booked('roaming', seller.account),
      ours: seller.walking.debt('seller', holder.account),
      theirs: holder.walking.debt('holder', seller.account),
      worth: worthOf(openMs),
      forgiven: worthOf(forgivenMs),
      maxDebt,
    })
  }

  async #buy(who: Walker): Promise<void> {
    if (!who.at.isOn) return
    const { at, key, device } = who
    const sold = await at.sellTo(device)
    if (sold === null) return
    who.bought = { from: at, ...sold, openMs: 0, forgivenMs: 0, asideMs: 0 }
    if (key !== null && at.isOn) await at.tried('keep', () => at.crash.box.hotspot.guests.keepWithKey(device, toChecksumAddress(key.address)))
  }

  /** The key, or the code that he has. */
  async #show(who: Walker, bought: Bought): Promise<void> {
    const { at, key, device } = who
    if (!at.isOn) return
    const { guests } = at.crash.box.hotspot
    if (key === null) return void ((await at.tried('code', () => guests.redeem(device, bought.code))) !== undefined && this.#did('showed a code'))
    const walks = (await at.tried('key', () => guests.keptElsewhere(device, toChecksumAddress(key.address)))) ?? []
    for (const walk of walks) {
      if (!at.isOn || (await at.tried('key', () => guests.showKey(device, walk.sessionId, this.#signed(key, walk)))) === undefined) continue
      this.#did('showed a key')
    }
  }

  #signed(key: Key, { seller, claimant, sessionId, counter }: KeptWalk): Uint8Array {
    return documentsOf(key).sign('roam-claim', encodeRoamClaim({ form: 'move', seller: seller as Address, sessionId, counter, claimant: claimant as Address }))
  }

  #did(what: string, then: () => void = () => undefined): void {
    this.done.set(what, (this.done.get(what) ?? 0) + 1)
    then()
  }

  /** Its last word for what it serves now may be late. */
  #came(to: WalkedBox, { from }: Bought): void {
    if (to !== from) this.#visitsOf(to, from).forgivenMs += UNSIGNED_MS
  }

  #visitsOf(holder: WalkedBox, seller: WalkedBox): Visits {
    const key = `${holder.account} ${seller.account}`
    const known = this.#visits.get(key) ?? { openMs: 0, forgivenMs: 0 }
    this.#visits.set(key, known)
    return known
  }

  /** A box and another that has a channel with it. */
  #pairs(): readonly (readonly [WalkedBox, WalkedBox])[] {
    return this.#boxes.flatMap((seller) => seller.neighbours.map((holder) => [seller, holder] as const))
  }

  #isOver({ from, sessionId }: Bought): boolean {
    return from.crash.store.read((tx) => tx.get<{ state: string }>('SELECT state FROM hotspot_session WHERE id = ?', sessionId))?.state === 'ended'
  }

  #view({ from, sessionId }: Bought): SessionView {
    return from.crash.box.hotspot.owner.session(sessionId)
  }
}

/** The kernel lets him through for what he bought: not for other time that he has at this box, as of a sale whose end nobody saw. */
function isServed(box: WalkedBox, mac: string, { from, sessionId }: Bought): boolean {
  const { kernel, store } = box.crash
  const grant = kernel.grantOf(mac)
  if (grant === null) return false
  return box === from ? grant.sessionId === sessionId : store.read((tx) => tx.get('SELECT 1 FROM hotspot_session WHERE id = ?', grant.sessionId)) === undefined
}

const worthOf = (ms: number): bigint => (PER_MINUTE * BigInt(Math.floor(ms))) / 60_000n

export interface TimeFigures extends Pick<Bought, 'openMs' | 'forgivenMs' | 'asideMs'> {
  readonly said: string
  /** By the book of the box that sold it. */
  readonly chargedMs: number
}

/** No minute lost, none served twice. */
export function wrongTime({ said, chargedMs, openMs, forgivenMs, asideMs }: TimeFigures): readonly string[] {
  const figures = `${said}: charged ${chargedMs} ms, served ${openMs}, of that perhaps lost ${forgivenMs}, perhaps set aside ${asideMs}`
  return [
    ...(chargedMs > openMs + asideMs + ROUNDING_MS ? [`a guest who walks was charged for time that he did not have: ${figures}`] : []),
    ...(openMs > chargedMs + forgivenMs + UNSIGNED_MS ? [`a guest who walks had time that he was not charged for: ${figures}`] : []),
  ]
}

export interface BookFigures {
  readonly said: string
  readonly paid: bigint
  readonly earned: bigint
  readonly ours: Pick<RoamDebt, 'owed' | 'open'>
  readonly theirs: Pick<RoamDebt, 'owed' | 'open'>
  readonly worth: bigint
  readonly forgiven: bigint
  readonly maxDebt: bigint
}

/** The two boxes' books agree with each other and with what was so. */
export function wrongBooks({ said, paid, earned, ours, theirs, worth, forgiven, maxDebt }: BookFigures): readonly string[] {
  const figures = `${said}: paid ${paid}, earned ${earned}, owed by their books ${ours.owed} and ${theirs.owed}, worth ${worth}, of that perhaps lost ${forgiven}`
  return [
    ...(paid !== earned ? [`what one box paid for its guests is not what the other earned: ${figures}`] : []),
    // What the seller signed and the holder, which died, has not heard, is paid all the same.
    ...(theirs.owed > ours.owed ? [`a box was signed for more than the one that signed knows of: ${figures}`] : []),
    ...(paid > worth ? [`a box paid for more of its guests' time than they had: ${figures}`] : []),
    ...(paid + forgiven < worth ? [`a box was not paid for guests of another: ${figures}`] : []),
    ...(theirs.open > maxDebt ? [`a box is owed more for guests than it lets anybody owe: ${figures}`] : []),
  ]
}
