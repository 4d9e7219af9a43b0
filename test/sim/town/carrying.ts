/**
 * Who carries for whom in the town: the real desks of metering at both ends of each link, paid over the boxes' real channels; kernels' counters and gates are
 * models that outlive the process. What passed in truth is kept beside it, and held against what was paid.
 */
import { silentLog } from '../../../src/base/index.ts'
import type { Address, Randomness } from '../../../src/base/index.ts'
import type { Ledger } from '../../../src/ledger/index.ts'
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { CARRIAGE_LANE, ChannelPayments, PARTS_PER_UNIT, PRICE_LANE, RelayDesk, SLACK_BYTES } from '../../../src/mesh/metering/index.ts'
import type { DirectChannels, LinkTraffic, RelayView } from '../../../src/mesh/metering/index.ts'
import { DRIFTS_TO_END } from '../../../src/mesh/metering/tolerance.ts'
import type { BoxId, Documents, Mac } from '../../../src/mesh/ports.ts'
import type { Store } from '../../../src/store/index.ts'
import type { Key } from '../../support/audited.ts'
import type { CrashBox } from '../../support/crash-box.ts'
import { TOKEN } from '../../unit/photon-node/box.ts'
import { curve } from './curve.ts'
import type { MeshEnd } from './mesh-wire.ts'

export const MAX_DEBT = 2000n
export const SETTLE_AMOUNT = 150n
/** What each box keeps for a MiB. */
const PER_MIB = 20n
/** As main/mesh-relay.ts has it. */
const NOTE = 'meshbox relay'
/** A meter out of tolerance is found out by its third reading; one more has begun by then, and readings may be lost. */
const BLIND_STEPS = DRIFTS_TO_END + 3
/** Readings are on disk after a minute at the latest: that many steps of the town. */
const STEPS_OFF_DISK = 5

export function documentsOf(key: Key): Documents {
  return createDocuments(key.address, { keccak256: (bytes) => curve.keccak256(bytes), sign: (digest) => curve.sign(digest, key.secret), recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature) })
}

export interface CarryingLife {
  readonly store: Store
  readonly ledger: Ledger
  readonly documents: Documents
  readonly end: MeshEnd
  readonly direct: DirectChannels
  readonly randomness: Randomness
}

/** One box of the line. */
export class Carrying {
  readonly account: Address
  readonly mac: Mac
  readonly neighbours: Carrying[] = []
  readonly gates = new Map<Mac, 'open' | 'closed'>()
  /** It is the one with the way out; and that works. */
  hasUplink = false
  /** What its kernel counts, in thousandths of what passes. */
  meterPerMille = 1000n
  #desk: RelayDesk | null = null
  readonly #crash: CrashBox
  readonly #traffic = new Map<Mac, LinkTraffic>()
  readonly #live = new Map<Carrying, RelayView | null>()

  constructor(account: Address, index: number, crash: CrashBox) {
    this.account = account
    this.mac = `02:00:00:00:ff:${(index + 16).toString(16)}`
    this.#crash = crash
  }

  get desk(): RelayDesk {
    if (this.#desk === null) throw new Error('this box is off')
    return this.#desk
  }

  /** In each new process, when its channels are there. */
  begin({ store, ledger, documents, end, direct, randomness }: CarryingLife): void {
    const { time } = this.#crash
    const payments = new ChannelPayments({ note: NOTE, store, timers: time })
    payments.use(direct)
    this.#desk = new RelayDesk({
      documents,
      keccak256: (bytes) => curve.keccak256(bytes),
      store,
      ledger,
      tokenName: () => 'MBX',
      priceLane: end.open(PRICE_LANE),
      carriageLane: end.open(CARRIAGE_LANE),
      payments,
      links: { linksOf: (box) => this.neighbours.filter(({ account }) => account === box).map(({ mac }) => mac), onChange: () => () => undefined },
      traffic: { read: async () => [...this.#traffic.values()] },
      gate: {
        setAllowed: async (gates) => {
          this.gates.clear()
          for (const [mac, gate] of gates) this.gates.set(mac, gate)
        },
      },
      prices: () => ({ self: this.account, token: TOKEN, payee: this.account, ownUnitsPerMiB: PER_MIB, maxUnitsPerMiB: null, hasUplink: this.hasUplink }),
      terms: () => ({ maxDebt: MAX_DEBT, settleAmount: SETTLE_AMOUNT, spendPerDay: 1n << 60n }),
      clock: time,
      timers: time,
      randomness,
      log: silentLog,
    })
  }

  start(): Promise<void> {
    return this.desk.start()
  }

  /** With the power the kernel's counters and gates go. */
  died(kind: 'service' | 'power'): void {
    for (const each of this.neighbours) this.#liveFor(each)
    this.#desk = null
    if (kind === 'service') return
    this.#traffic.clear()
    this.gates.clear()
  }

  isOpenFor(other: Carrying): boolean {
    return this.gates.get(other.mac) === 'open'
  }

  count(other: Carrying, more: Partial<Record<'receivedBytes' | 'sentBytes' | 'endedBytes' | 'allReceivedBytes' | 'allSentBytes', bigint>>): void {
    const { mac } = other
    const before = this.#traffic.get(mac) ?? { neighbour: mac, receivedBytes: 0n, sentBytes: 0n, receivedPackets: 0n, sentPackets: 0n, endedBytes: 0n, allReceivedBytes: 0n, allSentBytes: 0n }
    const sum = (name: keyof typeof more): bigint => before[name] + ((more[name] ?? 0n) * this.meterPerMille) / 1000n
    this.#traffic.set(mac, { ...before, receivedBytes: sum('receivedBytes'), sentBytes: sum('sentBytes'), endedBytes: sum('endedBytes'), allReceivedBytes: sum('allReceivedBytes'), allSentBytes: sum('allSentBytes') })
  }

  /** What it has this client pay for a MiB, or had when its process died; null: nothing is counted for it. */
  priceFor(client: Carrying): bigint | null {
    return this.#liveFor(client)?.unitsPerMiB ?? null
  }

  /** Names the carriage that it counts in, as long as there is one. */
  epochFor(client: Carrying): string | null {
    return this.#liveFor(client)?.epoch ?? null
  }

  #liveFor(client: Carrying): RelayView | null {
    if (this.#desk !== null) this.#live.set(client, this.carriages('carrier', client).find(({ state }) => state !== 'ended') ?? null)
    return this.#live.get(client) ?? null
  }

  carriages(role: 'carrier' | 'client', other: Carrying): readonly RelayView[] {
    return this.desk.carriages().filter((each) => each.isOurs === role && (role === 'carrier' ? each.client : each.carrier) === other.account)
  }

  /** The owner looked why a carriage ended, and lets it begin anew. */
  async readmit(other: Carrying): Promise<void> {
    if (this.desk.carriages().some(({ isResting, carrier, client }) => isResting && [carrier, client].includes(other.account))) await this.desk.readmit(other.account)
  }

  /** By its book: earned of a client's account, or paid to a carrier's. */
  booked(what: 'carriage' | 'carriage-paid', other: BoxId): bigint {
    const rows = this.#crash.store.read((tx) => tx.all<{ amount: string; facts: string }>("SELECT amount, facts FROM ledger_entries WHERE source = 'mesh:relay' AND evidence_type = ?", what))
    return rows.reduce((sum, { amount, facts }) => {
      const { carrier, client } = JSON.parse(facts) as { readonly carrier: BoxId; readonly client: BoxId }
      return (what === 'carriage' ? client : carrier) === other ? sum + BigInt(amount) : sum
    }, 0n)
  }
}

/**
 * Of one carriage, in 2^-20 units. What counts is the lower of the two cumulative figures, and a client's has all that it sent: so a meter that shows too much is
 * paid for what was dropped, whenever in the same carriage that was, and for no more than it shows too much.
 */
interface Spoilt {
  /** It came to the carrier and went no further. */
  dropped: bigint
  /** What the carrier's meter has shown too much. */
  overstated: bigint
}

/** A client and its carrier, in truth. */
interface Hop {
  readonly client: Carrying
  readonly carrier: Carrying
  /** What passed by the carrier, by the price in force: in 2^-20 units. */
  value: bigint
  /** What its carrier may have lost by the power, and by a lying meter, of all that. */
  forgiven: bigint
  /** Of the last steps, the newest last. */
  readonly late: bigint[]
  /** Steps in which what passes may still be lost. */
  stepsForgiven: number
  /** Of the day: steps in which its client's meter was out of tolerance and something passed all the same; deaths, each of which costs a few more. */
  blind: number
  isBlindNow: boolean
  deaths: number
  /** Of each carriage there was between the two, by its epoch. */
  readonly spoilt: Map<string, Spoilt>
}

/** The line to the way out, and what went over it. */
export class Road {
  readonly #line: readonly Carrying[]
  readonly #hops: readonly Hop[]
  passed = 0n

  readonly #isCut: (a: Address, b: Address) => boolean

  /** The last one has the way out. */
  constructor(line: readonly Carrying[], isCut: (a: Address, b: Address) => boolean) {
    this.#line = line
    this.#isCut = isCut
    this.#hops = line.slice(0, -1).flatMap((client, index) => {
      const carrier = line[index + 1]
      return carrier === undefined ? [] : [{ client, carrier, value: 0n, forgiven: 0n, late: [0n], stepsForgiven: 0, blind: 0, isBlindNow: false, deaths: 0, spoilt: new Map<string, Spoilt>() }]
    })
  }

  step(): void {
    for (const hop of this.#hops) {
      hop.late.push(0n)
      if (hop.late.length > STEPS_OFF_DISK) hop.late.shift()
      if (hop.stepsForgiven > 0) hop.stepsForgiven--
      hop.isBlindNow = false
    }
  }

  /** Owners look why a carriage ended; who lied does no more. */
  async morning(): Promise<void> {
    for (const box of this.#line) box.meterPerMille = 1000n
    for (const hop of this.#hops) {
      hop.blind = hop.deaths = 0
      await hop.client.readmit(hop.carrier)
      await hop.carrier.readmit(hop.client)
    }
  }

  /** From a box's guests to the way out, and an answer. */
  carry(from: Carrying, up: bigint, down: bigint): void {
    const path = this.#line.slice(this.#line.indexOf(from))
    if (path.at(-1)?.hasUplink !== true) return
    if (this.#pass(path, up)) this.#pass(path.toReversed(), down)
  }

  /** With the power of a box goes what was counted and is not on disk. */
  died(box: Carrying, kind: 'service' | 'power'): void {
    for (const hop of this.#hops) {
      if (hop.client !== box && hop.carrier !== box) continue
      hop.deaths++
      if (kind === 'power') this.#forgive(hop)
    }
  }

  /** When all is paid that is due: what one paid the other has earned; nobody paid for what did not pass, nobody lost more than is said. */
  problems(): readonly string[] {
    return this.#hops.flatMap((hop) => {
      const { client, carrier, value, forgiven, blind, deaths } = hop
      const unearned = unearnedOf(hop)
      const cost = client.booked('carriage-paid', carrier.account)
      const earned = carrier.booked('carriage', client.account)
      const open = (value - earned * PARTS_PER_UNIT - forgiven) / PARTS_PER_UNIT
      const said = `${client.account} by ${carrier.account}: cost ${cost}, earned ${earned}, worth ${value / PARTS_PER_UNIT}, of that perhaps lost ${forgiven / PARTS_PER_UNIT}, dropped by a carrier whose meter shows too much ${unearned / PARTS_PER_UNIT}`
      return [
        ...(cost !== earned ? [`what one box paid for being carried is not what the other earned: ${said}`] : []),
        ...(earned * PARTS_PER_UNIT > value + unearned ? [`a box paid for more than was carried: ${said}`] : []),
        ...(blind > BLIND_STEPS * (1 + deaths) ? [`a lying meter was not found out in ${blind} readings: ${said}`] : []),
        ...(open > SETTLE_AMOUNT ? [`a box carried for more than it was paid: ${said}`] : []),
      ]
    })
  }

  /** Nothing is ordered and unpaid, nothing due and not ordered. */
  isQuiet(): boolean {
    return this.#hops.every(({ client, carrier }) => client.booked('carriage-paid', carrier.account) === carrier.booked('carriage', client.account) && client.carriages('client', carrier).every(({ unpaidOrder, open }) => unpaidOrder === null && open === 0n))
  }

  #forgive(hop: Hop): void {
    hop.forgiven += hop.late.reduce((sum, each) => sum + each, 0n)
    hop.late.fill(0n)
    hop.stepsForgiven = 2
  }

  #pass(path: readonly Carrying[], bytes: bigint): boolean {
    for (let at = 0; at + 1 < path.length; at++) {
      const [before, from, to] = [path[at - 1], path[at], path[at + 1]]
      if (from === undefined || to === undefined) return false
      // A relay lets through what came from an admitted neighbour, to an admitted one.
      const isPassed = before === undefined || (from.isOpenFor(before) && from.isOpenFor(to))
      if (!isPassed || this.#isCut(from.account, to.account)) {
        if (before !== undefined) this.#dropped(before, from, bytes)
        return false
      }
      const isEnd = at + 2 === path.length
      const isLetIn = to.isOpenFor(from)
      if (before !== undefined) {
        from.count(before, { receivedBytes: bytes })
        this.#counted(before, from, bytes)
      }
      from.count(to, { allSentBytes: bytes, ...(before === undefined ? {} : { sentBytes: bytes }) })
      to.count(from, { allReceivedBytes: bytes, ...(isEnd && isLetIn ? { endedBytes: bytes } : {}) })
      if (isEnd && isLetIn && to.hasUplink) this.#counted(from, to, bytes)
      if (before !== undefined || from.hasUplink) this.#counted(to, from, bytes)
      if (isEnd && to.hasUplink && !isLetIn) {
        this.#dropped(from, to, bytes)
        return false
      }
    }
    return true
  }

  #dropped(client: Carrying, carrier: Carrying, bytes: bigint): void {
    const hop = this.#hops.find((each) => each.client === client && each.carrier === carrier)
    if (hop !== undefined) spoiltOf(hop).dropped += bytes * (carrier.priceFor(client) ?? 0n)
  }

  /** `carrier` counts it for `client`, if that is how they stand. */
  #counted(client: Carrying, carrier: Carrying, bytes: bigint): void {
    const hop = this.#hops.find((each) => each.client === client && each.carrier === carrier)
    const price = carrier.priceFor(client)
    if (hop === undefined || price === null) return
    const value = bytes * price
    this.passed += bytes
    hop.value += value
    if (carrier.meterPerMille > 1000n) spoiltOf(hop).overstated += (value * (carrier.meterPerMille - 1000n)) / 1000n
    if (hop.stepsForgiven > 0) hop.forgiven += value
    else if (carrier.meterPerMille < 1000n || client.meterPerMille < 1000n) {
      hop.forgiven += leftOut(hop, bytes) * price
      if (carrier.meterPerMille >= 1000n && client.meterPerMille < TOLERATED && !hop.isBlindNow) hop.blind++
      hop.isBlindNow = true
    } else hop.late.push((hop.late.pop() ?? 0n) + value)
  }
}

function spoiltOf({ client, carrier, spoilt }: Hop): Spoilt {
  const epoch = carrier.epochFor(client) ?? ''
  const found = spoilt.get(epoch)
  if (found !== undefined) return found
  const begun = { dropped: 0n, overstated: 0n }
  spoilt.set(epoch, begun)
  return begun
}

function unearnedOf({ spoilt }: Hop): bigint {
  return [...spoilt.values()].reduce((sum, { dropped, overstated }) => sum + (dropped < overstated ? dropped : overstated), 0n)
}

/** In thousandths: what is said less than that is out of tolerance. */
const TOLERATED = 950n

/** What one of the two says that it did not see: within the tolerance, or as long as it takes to find out. Its own meter is a carrier's own loss. */
function leftOut({ client, carrier }: Hop, bytes: bigint): bigint {
  return carrier.meterPerMille < 1000n || client.meterPerMille < TOLERATED ? bytes : bytes / 20n + SLACK_BYTES
}
