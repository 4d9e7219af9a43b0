/**
 * A hundred boxes on roofs, from one seed: links within reach, a few ways out, bytes that go hop by hop along the prices that
 * boxes announce, each hop a real carriage machine at both ends, over links that lose frames. Boxes lose power and come back
 * with what was on their disk, the village is cut in two and healed, ways out die. The test holds what every unit went through.
 */
import { hexOf } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { PARTS_PER_UNIT, owedUnits } from '../../../src/mesh/metering/index.ts'
import { bestUpstream, composeOffer, hearAdvert, isSameOffer, refusalOf } from '../../../src/mesh/metering/prices.ts'
import { adoptStanding, standingOf } from '../../../src/mesh/metering/standing.ts'
import { READING_EVERY_MS, beginCarriage, stepCarriage } from '../../../src/mesh/metering/carriage.ts'
import type { Carriage, CarriageInput, CarriageTerms, HeardAdvert } from '../../../src/mesh/metering/index.ts'
import type { BoxId, CarriedBytes, PriceAdvert, Reading } from '../../../src/mesh/ports.ts'
import { seededRandom } from '../../support/fakes.ts'

export const TOKEN: Address = hexOf(new Uint8Array(20).fill(0x70))
export const MIB = 1n << 20n
/** Of one link, both ways, in one reading. */
export const LINK_BYTES = 8n * MIB
export const TERMS: CarriageTerms = { maxDebt: 2000n, settleAmount: 200n, settleAfterMs: 60_000 }
const START_UNITS = 1_000_000_000n
const ON_DISK_EVERY = 12
const REACH = 0.17

export interface VillageOrder {
  readonly seed: number
  readonly boxes: number
  readonly uplinks: number
  /** Frames lost, 0–1. */
  readonly loss: number
  /** Of all boxes: never pay, say half of what they sent, say a fifth more than they carried. */
  readonly misers: number
  readonly understaters: number
  readonly overstaters: number
}

export type Nature = 'honest' | 'miser' | 'understater' | 'overstater'

export interface Box {
  readonly id: BoxId
  readonly index: number
  readonly nature: Nature
  readonly own: bigint
  readonly x: number
  readonly hasUplink: boolean
  uplinkWorks: boolean
  isOn: boolean
  backAtTick: number
  units: bigint
  readonly heard: Map<BoxId, HeardAdvert>
  upstream: BoxId | null
  sequence: number
  advert: PriceAdvert | null
}

/** One end of a hop. */
interface End {
  state: Carriage
  disk: Carriage
  /** What it counted; its figure on disk goes back in a power cut. */
  counted: bigint
  countedOnDisk: bigint
}

/** A client and its carrier, over all their carriages. */
export interface Hop {
  readonly client: Box
  readonly carrier: Box
  ends: { readonly client: End; readonly carrier: End } | null
  epoch: number
  isOpen: boolean
  wasConnected: boolean
  restUntilTick: number
  /** The boxes cannot talk, and frames still pass: batman-adv needs no TCP. */
  deafUntilTick: number
  /** What passed, in truth, since the first carriage and in this one. */
  passed: bigint
  passedNow: bigint
  readings: number
  /** In 2⁻²⁰ units, by the price in force. */
  valueNow: bigint
  dearest: bigint
  received: bigint
  ordered: bigint
  receivedNow: bigint
  /** Client's own count in this carriage. */
  clientCountedNow: bigint
  /** Bytes that the carrier forgot in power cuts, worth at most. */
  forgottenParts: bigint
  /** Of carriages that ended with something open. */
  written: bigint
  brokenFor: string | null
  /** The client lost power in this carriage, and with it what it had counted by then: that may be missing from each later answer of its that came late. */
  didClientForget: boolean
}

interface Money {
  readonly hop: Hop
  readonly epoch: number
  readonly amount: bigint
  dueTick: number
}

export class Village {
  readonly boxes: readonly Box[]
  readonly hops = new Map<string, Hop>()
  readonly total: bigint
  readonly problems: string[] = []
  tick = 0
  delivered = 0n
  refused = 0n
  reboots = 0
  /** Carriages of honest boxes that ended because the client's count went with its power. */
  forgotten = 0
  isQuiet = false
  #cut: { readonly at: number; readonly untilTick: number } | null = null
  #onTheWay: Money[] = []
  readonly #near: readonly (readonly number[])[]
  readonly #dice: { next(): number }
  readonly #loss: number

  constructor(order: VillageOrder) {
    this.#dice = seededRandom(order.seed)
    this.#loss = order.loss
    const places = Array.from({ length: order.boxes }, () => ({ x: this.#dice.next(), y: this.#dice.next() }))
    const natures: Nature[] = [...Array<Nature>(order.misers).fill('miser'), ...Array<Nature>(order.understaters).fill('understater'), ...Array<Nature>(order.overstaters).fill('overstater')]
    this.boxes = places.map(({ x }, index) => ({
      id: `0x${(index + 1).toString(16).padStart(40, '0')}`,
      index,
      nature: index < order.uplinks ? 'honest' : (natures[index - order.uplinks] ?? 'honest'),
      own: 1n + BigInt(Math.floor(this.#dice.next() * 20)),
      x,
      hasUplink: index < order.uplinks,
      uplinkWorks: index < order.uplinks,
      isOn: true,
      backAtTick: 0,
      units: START_UNITS,
      heard: new Map(),
      upstream: null,
      sequence: 0,
      advert: null,
    }))
    const distance = (a: number, b: number): number => Math.hypot((places[a]?.x ?? 0) - (places[b]?.x ?? 0), (places[a]?.y ?? 0) - (places[b]?.y ?? 0))
    const near = places.map((_, a) => places.flatMap((__, b) => (a !== b && distance(a, b) < REACH ? [b] : [])))
    // Nobody is alone: who reaches nobody is put within reach of the nearest box before it.
    for (let a = 1; a < near.length; a++) {
      if (near[a]?.some((b) => b < a) === true) continue
      const closest = Array.from({ length: a }, (_, b) => b).sort((b, c) => distance(a, b) - distance(a, c))[0] ?? 0
      near[a]?.push(closest)
      near[closest]?.push(a)
    }
    this.#near = near
    this.total = START_UNITS * BigInt(order.boxes)
  }

  /** Everything is there and nothing is sent: what is owed gets paid. */
  calm(): void {
    this.isQuiet = true
    for (const hop of this.hops.values()) hop.deafUntilTick = 0
    this.#cut = null
    for (const box of this.boxes) {
      box.uplinkWorks = box.hasUplink
      if (!box.isOn) this.#powerUp(box)
    }
  }

  step(): void {
    this.tick++
    if (!this.isQuiet) this.#fate()
    for (const hop of this.hops.values()) this.#connection(hop)
    this.#prices()
    if (!this.isQuiet) this.#traffic()
    for (const hop of this.hops.values()) this.#read(hop)
    this.#pay()
    if (this.tick % ON_DISK_EVERY === 0) for (const hop of this.hops.values()) for (const end of endsOf(hop)) keep(end)
    this.#check()
  }

  onTheWay(): bigint {
    return this.#onTheWay.reduce((sum, { amount }) => sum + amount, 0n)
  }

  isLinked(a: Box, b: Box): boolean {
    const isCut = this.#cut !== null && a.x < this.#cut.at !== b.x < this.#cut.at
    return a.isOn && b.isOn && !isCut
  }

  #canTalk(hop: Hop): boolean {
    return this.isLinked(hop.client, hop.carrier) && this.tick >= hop.deafUntilTick
  }

  #chance(probability: number): boolean {
    return this.#dice.next() < probability
  }

  #fate(): void {
    if (this.#cut !== null && this.tick >= this.#cut.untilTick) this.#cut = null
    if (this.#cut === null && this.#chance(0.004)) this.#cut = { at: 0.3 + 0.4 * this.#dice.next(), untilTick: this.tick + 12 + Math.floor(this.#dice.next() * 120) }
    for (const box of this.boxes) {
      if (box.hasUplink && this.#chance(0.004)) box.uplinkWorks = !box.uplinkWorks
      if (box.isOn && this.#chance(0.001)) this.#powerCut(box)
      else if (!box.isOn && this.tick >= box.backAtTick) this.#powerUp(box)
    }
    for (const hop of this.hops.values()) if (this.#chance(0.0005)) hop.deafUntilTick = this.tick + 1 + Math.floor(this.#dice.next() * 24)
  }

  #powerCut(box: Box): void {
    this.reboots++
    box.isOn = false
    box.backAtTick = this.tick + 6 + Math.floor(this.#dice.next() * 60)
    box.heard.clear()
    box.upstream = null
    box.advert = null
    for (const hop of this.hops.values()) {
      if (hop.ends === null || (hop.client !== box && hop.carrier !== box)) continue
      const end = hop.client === box ? hop.ends.client : hop.ends.carrier
      if (hop.client === box) hop.didClientForget = true
      else {
        hop.forgottenParts += (end.counted - end.countedOnDisk) * hop.dearest
        hop.isOpen = false
      }
      end.state = { ...end.disk, waiting: null }
      end.counted = end.countedOnDisk
    }
  }

  #powerUp(box: Box): void {
    box.isOn = true
    box.sequence += 1000 // as the clock of a box that was off: no number twice
  }

  /** When two come within reach again, each shows what it knows last. */
  #connection(hop: Hop): void {
    const isConnected = this.#canTalk(hop)
    if (isConnected && !hop.wasConnected && hop.ends !== null) {
      const { client, carrier } = hop.ends
      const shown = { client: standingOf(client.state), carrier: standingOf(carrier.state) }
      for (const [end, from] of [[client, shown.carrier], [carrier, shown.client]] as const) {
        if (from === null) continue
        const known = new Map([...client.state.prices, ...carrier.state.prices].map(({ sequence, unitsPerMiB }) => [sequence, unitsPerMiB]))
        const adopted = adoptStanding(end.state, from, (sequence) => known.get(sequence) ?? null)
        if (adopted.kind === 'wrong') this.problems.push(`tick ${this.tick}: a standing was refused: ${adopted.reason}`)
        if (adopted.kind !== 'adopted') continue
        end.state = adopted.state
        const own = end.state.role === 'client' ? from.pair.client : from.pair.carrier
        end.counted = max(end.counted, own.bytes.up + own.bytes.down)
      }
    }
    hop.wasConnected = isConnected
  }

  #prices(): void {
    if (this.tick % 2 !== 0) return
    const nowMs = this.tick * READING_EVERY_MS
    for (const box of this.boxes) {
      if (!box.isOn) continue
      const terms = { self: box.id, token: TOKEN, payee: box.id, ownUnitsPerMiB: box.own, maxUnitsPerMiB: null, hasUplink: box.uplinkWorks }
      const usable = [...box.heard.values()].filter((heard) => {
        const carrier = this.#box(heard.advert.box)
        const hop = this.hops.get(`${box.index} ${carrier.index}`)
        if (!this.isLinked(box, carrier) || (hop?.restUntilTick ?? 0) > this.tick) return false
        const paying = hop?.ends == null ? null : (hop.ends.client.state.prices.at(-1)?.unitsPerMiB ?? null)
        return refusalOf(heard, terms, paying, nowMs) === null
      })
      const best = bestUpstream(usable, box.upstream)
      box.upstream = box.uplinkWorks ? null : (best?.advert.box ?? null)
      const offer = composeOffer(terms, box.uplinkWorks ? null : best)
      if (box.advert === null || !isSameOffer(offer, box.advert)) {
        box.sequence++
        box.advert = { ...offer, box: box.id, sequence: box.sequence }
      }
      if (best !== null && box.upstream !== null) this.#take(box, best.advert)
    }
    for (const box of this.boxes) {
      if (!box.isOn || box.advert === null) continue
      for (const index of this.#near[box.index] ?? []) {
        const other = this.boxes[index]
        if (other === undefined || !this.isLinked(box, other) || this.#chance(this.#loss)) continue
        const heard = hearAdvert(other.heard.get(box.id) ?? null, box.advert, nowMs)
        if (heard !== null) other.heard.set(box.id, heard)
      }
    }
  }

  #take(client: Box, { box, sequence, unitsPerMiB }: PriceAdvert): void {
    const carrier = this.#box(box)
    const hop = this.#hop(client, carrier)
    const price = { sequence, unitsPerMiB: unitsPerMiB ?? 0n }
    hop.dearest = max(hop.dearest, price.unitsPerMiB)
    if (hop.ends === null) {
      hop.epoch++
      const epoch = Uint8Array.from([client.index, carrier.index, hop.epoch >> 8, hop.epoch & 255, 0, 0, 0, 0])
      const nowMs = this.tick * READING_EVERY_MS
      const end = (role: 'client' | 'carrier'): End => {
        const state = beginCarriage({ role, carrier: carrier.id, client: client.id, token: TOKEN, epoch, price, nowMs })
        return { state, disk: state, counted: 0n, countedOnDisk: 0n }
      }
      hop.ends = { client: end('client'), carrier: end('carrier') }
      hop.wasConnected = true
      return
    }
    for (const role of ['client', 'carrier'] as const) {
      this.#feed(hop, role, { kind: 'price', price, nowMs: this.tick * READING_EVERY_MS })
      const end = hop.ends?.[role]
      if (end !== undefined) end.disk = { ...end.disk, prices: end.state.prices } // before it is told
    }
  }

  #traffic(): void {
    for (const box of this.boxes) {
      if (!box.isOn || box.uplinkWorks || box.upstream === null || !this.#chance(0.7)) continue
      const wanted = BigInt(Math.floor(this.#dice.next() ** 3 * 1_500_000))
      const way: Hop[] = []
      let at = box
      while (!at.uplinkWorks && at.upstream !== null && way.length <= 16) {
        const next = this.#box(at.upstream)
        const hop = this.hops.get(`${at.index} ${next.index}`)
        if (hop === undefined || !hop.isOpen || !this.isLinked(at, next)) break
        way.push(hop)
        at = next
      }
      if (!at.uplinkWorks || way.some((hop) => (hop.ends?.carrier.counted ?? 0n) + wanted > LINK_BYTES * BigInt(this.tick + 1))) {
        this.refused += wanted
        continue
      }
      this.delivered += wanted
      for (const hop of way) this.#carry(hop, wanted)
    }
  }

  #carry(hop: Hop, bytes: bigint): void {
    if (hop.ends === null) return
    const { client, carrier } = hop.ends
    hop.passed += bytes
    hop.passedNow += bytes
    hop.valueNow += bytes * (carrier.state.prices.at(-1)?.unitsPerMiB ?? 0n)
    carrier.counted += hop.carrier.nature === 'overstater' ? bytes + bytes / 5n : bytes
    client.counted += hop.client.nature === 'understater' ? bytes / 2n : bytes
    hop.clientCountedNow += bytes
  }

  #read(hop: Hop): void {
    if (hop.ends === null) return
    const nowMs = this.tick * READING_EVERY_MS
    hop.readings++
    if (hop.carrier.isOn) this.#feed(hop, 'carrier', { kind: 'tick', bytes: figure(hop.ends.carrier), nowMs })
    if (hop.client.isOn) this.#feed(hop, 'client', { kind: 'tick', bytes: figure(hop.ends.client), nowMs })
    const { client, carrier } = hop.ends
    if (client.state.state !== 'ended' && carrier.state.state !== 'ended') return
    // Both learn of it: the shell says so to the partner.
    if (!this.#canTalk(hop)) return
    const reason = client.state.reason ?? carrier.state.reason ?? ''
    for (const role of ['client', 'carrier'] as const) this.#feed(hop, role, { kind: 'end', reason, nowMs })
    if (!this.#isPaid(hop) && hop.client.nature !== 'miser') return
    const areHonest = hop.client.nature === 'honest' && hop.carrier.nature === 'honest'
    if (areHonest && hop.didClientForget) this.forgotten++
    else if (areHonest) this.problems.push(`tick ${this.tick}: two honest boxes ended: ${reason}`)
    this.#close(hop, areHonest && hop.didClientForget ? null : reason)
  }

  #isPaid(hop: Hop): boolean {
    return hop.ends !== null && owedUnits(hop.ends.client.state) === hop.ends.client.state.paid && !this.#onTheWay.some((money) => money.hop === hop)
  }

  #close(hop: Hop, reason: string | null): void {
    hop.brokenFor = reason ?? hop.brokenFor
    hop.didClientForget = false
    hop.written += hop.valueNow / PARTS_PER_UNIT - hop.receivedNow
    hop.ends = null
    hop.isOpen = false
    hop.restUntilTick = this.tick + 120
    hop.passedNow = hop.valueNow = hop.receivedNow = hop.clientCountedNow = 0n
    hop.readings = 0
  }

  #feed(hop: Hop, role: 'client' | 'carrier', input: CarriageInput): void {
    const end = hop.ends?.[role]
    if (end === undefined) return
    const { state, effects } = stepCarriage(end.state, input, TERMS)
    end.state = state
    for (const effect of effects) {
      if (effect.kind === 'gate' && role === 'carrier') hop.isOpen = effect.isOpen
      if (effect.kind === 'send' && this.#canTalk(hop) && !this.#chance(this.#loss)) this.#deliver(hop, role === 'client' ? 'carrier' : 'client', effect.reading)
      if (effect.kind === 'pay') {
        keep(end) // an order is on disk before it is money
        hop.ordered += effect.amount
        if (hop.client.nature === 'miser') continue
        hop.client.units -= effect.amount
        this.#onTheWay.push({ hop, epoch: hop.epoch, amount: effect.amount, dueTick: this.tick + 1 })
      }
    }
  }

  #deliver(hop: Hop, to: 'client' | 'carrier', reading: Reading): void {
    const end = hop.ends?.[to]
    if (end !== undefined) this.#feed(hop, to, { kind: 'reading', reading, bytes: figure(end), nowMs: this.tick * READING_EVERY_MS })
  }

  /** A payment waits until both are within reach, and is then on both disks. */
  #pay(): void {
    const due = this.#onTheWay.filter(({ hop, dueTick }) => dueTick <= this.tick && this.#canTalk(hop))
    this.#onTheWay = this.#onTheWay.filter((money) => !due.includes(money))
    for (const { hop, epoch, amount } of due) {
      hop.carrier.units += amount
      hop.received += amount
      if (epoch !== hop.epoch || hop.ends === null) continue
      hop.receivedNow += amount
      const { carrier } = hop.ends
      carrier.state = { ...carrier.state, paid: carrier.state.paid + amount }
      this.#feed(hop, 'carrier', { kind: 'paid', nowMs: this.tick * READING_EVERY_MS })
      keep(hop.ends.carrier)
    }
  }

  #check(): void {
    const held = this.boxes.reduce((sum, { units }) => sum + units, 0n)
    if (held + this.onTheWay() !== this.total) this.problems.push(`tick ${this.tick}: ${held + this.onTheWay() - this.total} units came from nowhere`)
  }

  #hop(client: Box, carrier: Box): Hop {
    const key = `${client.index} ${carrier.index}`
    const known = this.hops.get(key)
    if (known !== undefined) return known
    const hop: Hop = { client, carrier, ends: null, epoch: 0, isOpen: false, wasConnected: false, restUntilTick: 0, deafUntilTick: 0, passed: 0n, passedNow: 0n, readings: 0, valueNow: 0n, dearest: 0n, received: 0n, ordered: 0n, receivedNow: 0n, clientCountedNow: 0n, forgottenParts: 0n, written: 0n, brokenFor: null, didClientForget: false }
    this.hops.set(key, hop)
    return hop
  }

  #box(id: BoxId): Box {
    const box = this.boxes[Number(BigInt(id)) - 1]
    if (box === undefined) throw new Error(`no box ${id}`)
    return box
  }
}

function endsOf(hop: Hop): readonly End[] {
  return hop.ends === null ? [] : [hop.ends.client, hop.ends.carrier]
}

function keep(end: End): void {
  end.disk = end.state
  end.countedOnDisk = end.counted
}

function figure(end: End): CarriedBytes {
  return { up: end.counted / 4n, down: end.counted - end.counted / 4n }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
