/**
 * Three boxes in a line, from one seed: guests buy minutes, some walk on with them, or pay by the second, sensors are heard and billed to the neighbour, boxes pay each other
 * directly and through the one in between, and carry each other's traffic to the last one, which has the way out. Processes die at random edges of
 * commits, power and disk and wire fail, frames are lost, meters lie, the chain's view freezes, clocks jump. A day is some minutes of trade and a night
 * without power; then every book is audited, and what one box says is held against what the other says, and against what was so.
 */
import type { AuditReport, CheckName } from '../../../src/audit/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { settle } from '../../support/hotspot-box.ts'
import { seededRandom } from '../../support/fakes.ts'
import { Net } from '../../unit/photon-box/street.ts'
import { TOKEN, channelOf } from '../../unit/photon-node/box.ts'
import { MAX_DEBT, Road } from './carrying.ts'
import { MeshWire } from './mesh-wire.ts'
import { PaperContract } from './paper-contract.ts'
import { RoutedPayments } from './routed.ts'
import { DEPOSIT, TownBox } from './town-box.ts'
import { Walkers } from './walking-guests.ts'

const BOXES = 3
const STEPS_A_DAY = 24
const STEP_MS = 15_000
/** Everybody's clock goes on together, by so much. */
const TOGETHER_MS = 2500
const NIGHT_MS = 23 * 3_600_000
/** Steps of calm in which everything that waits has to come through. */
const CALM_STEPS = 60
/** Devices of guests who walk: behind those of the first box's guests who stay. */
const WALKING_FROM = 950
/** Of what boxes of the mesh say to each other. */
const LOSS = 0.03
/** What a lying kernel counts of a thousand bytes: within the tolerance, out of it, far out, and too much. */
const LIES = [970n, 700n, 400n, 1400n]
/** What cannot be compared, and why not: a stay is forgotten when its seller has acknowledged it, and he may pay later. All else that is not compared is a problem. */
const UNCHECKABLE: Partial<Record<CheckName, RegExp>> = { roaming: /rests on tickets that were forgotten before it was paid$|^and more like these$/ }

export class Town {
  readonly boxes: readonly TownBox[]
  readonly problems: string[] = []
  /** How often each kind of trouble came. */
  readonly troubles = new Map<string, number>()
  /** Rows that the audits have looked at, by check. */
  readonly looked = new Map<CheckName, number>()
  day = 0
  readonly #dice: { next(): number }
  readonly wire: MeshWire
  readonly road: Road
  readonly routed: RoutedPayments
  readonly walkers: Walkers
  readonly #net = new Net()
  readonly #contract = new PaperContract()
  #cut: readonly [TownBox, TownBox] | null = null
  /** Boxes that are off, and for how many steps more. */
  readonly #off = new Map<TownBox, number>()

  constructor(seed: number) {
    this.#dice = seededRandom(seed)
    this.wire = new MeshWire(seededRandom(seed + 1_000_000))
    this.wire.isCut = (a, b) => this.#isCut(a, b)
    this.boxes = Array.from({ length: BOXES }, (_, index) => new TownBox(index, seed, this.#net, this.wire, this.#contract))
    const line = this.boxes.map(({ carrying }) => carrying)
    this.road = new Road(line, (a, b) => this.#isCut(a, b))
    this.routed = new RoutedPayments(this.boxes)
    this.walkers = new Walkers(this.boxes, seed * 100_000 + WALKING_FROM)
    this.boxes.forEach((box, index) => {
      for (const other of [this.boxes[index + 1], this.boxes[index - 1]])
        if (other !== undefined) {
          box.neighbours.push(other)
          box.carrying.neighbours.push(other.carrying)
        }
      box.others.push(...this.boxes.filter((other) => other !== box))
      box.onPass = (ms) => this.walkers.spend(box, ms)
      box.onOff = (kind) => {
        this.road.died(box.carrying, kind)
        this.walkers.died(box, kind)
      }
    })
  }

  async start(): Promise<void> {
    this.#wayOut(true)
    for (const box of this.boxes) if (!(await box.start())) throw new Error('a box did not start')
  }

  async liveADay(): Promise<void> {
    this.day++
    this.wire.loss = LOSS
    this.walkers.wake()
    for (let step = 0; step < STEPS_A_DAY; step++) {
      this.road.step()
      await this.#trouble()
      for (const box of this.boxes) {
        if (box.isOn) await this.#trade(box)
        await this.#alive(box)
      }
      await this.#pass(STEP_MS)
      for (const box of this.boxes) {
        await box.mine()
        await this.#alive(box)
      }
      for (const box of this.boxes) await this.#wait(box)
      for (const { moments } of this.boxes) if (!moments.moment.isFrozen) moments.move({ block: moments.moment.block + 1 })
    }
    await this.#calm()
    await this.#audit()
    await this.road.morning()
    await this.#night()
  }

  async dispose(): Promise<void> {
    for (const box of this.boxes) await box.dispose()
  }

  #below(count: number): number {
    return Math.floor(this.#dice.next() * count)
  }

  #chance(probability: number): boolean {
    return this.#dice.next() < probability
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TOGETHER_MS) {
      this.walkers.packets()
      for (const box of this.boxes) box.pass(Math.min(left, TOGETHER_MS))
      await settle(4)
    }
  }

  async #trade(box: TownBox): Promise<void> {
    if (this.#chance(0.4)) box.paying.act(this.#below(1 << 20))
    if (this.#chance(0.12)) await this.walkers.act(this.#below(1 << 20))
    if (this.#chance(0.6)) {
      this.road.carry(box.carrying, BigInt(this.#below(1 << 20)), BigInt(this.#below(3 << 20)))
      // Counters that were read a moment ago serve again.
      await this.#pass(300)
    }
    const what = this.#below(10)
    const to = box.neighbours[this.#below(box.neighbours.length)] ?? box
    const far = this.boxes.find((other) => other !== box && !box.neighbours.includes(other))
    if (what < 2) await box.sell(this.#chance(0.2) ? 60 : 30)
    else if (what < 3) await box.refund(this.#below(20))
    else if (what < 6) await box.hear(this.#chance(0.2))
    else if (what < 7) await box.pay(to, BigInt(1 + this.#below(500)), false)
    else if (what < 8 && far !== undefined) await this.routed.order(box, far)
    // The tenant at the neighbour's box is this one.
    else for (const landlord of this.boxes) if (landlord.neighbours[0] === box && box.isOn) await box.pay(landlord, BigInt(10 * (1 + this.#below(30))), true)
  }

  async #trouble(): Promise<void> {
    for (const box of this.boxes) {
      if (this.#off.has(box)) continue
      if (this.#chance(0.02)) await this.#die(box, 'power')
      if (this.#chance(0.03)) this.#said('disk full', () => box.fill(true))
      else if (box.crash.refusal !== null && this.#chance(0.5)) box.fill(false)
      if (this.#chance(0.02)) this.#said('chain frozen', () => box.moments.move({ isFrozen: true }))
      else if (box.moments.moment.isFrozen && this.#chance(0.2)) box.moments.move({ isFrozen: false, block: this.#height() })
      if (this.#chance(0.03)) this.#said('server away', () => (box.server.answer = () => false))
      else if (this.#chance(0.3)) box.server.answer = () => true
      if (this.#chance(0.02)) this.#said('clock jumped', () => box.crash.time.jumpWall((this.#dice.next() - 0.5) * 2 * 365 * 86_400_000))
      if (this.#chance(0.005)) this.#said('lying meter', () => (box.carrying.meterPerMille = LIES[this.#below(LIES.length)] ?? 1000n))
      if (this.#chance(0.1)) box.crash.time.trusted = !box.crash.time.trusted
    }
    if (this.#chance(0.01)) this.#said('way out away', () => this.#wayOut(false))
    else if (this.#chance(0.3)) this.#wayOut(true)
    if (this.#cut !== null && this.#chance(0.3)) await this.#heal()
    else if (this.#cut === null && this.#chance(0.06)) {
      const a = this.boxes[this.#below(BOXES - 1)]
      const next = a?.neighbours[0]
      if (a !== undefined && next !== undefined) this.#said('wire cut', () => {
        this.wire.around(() => (this.#cut = [a, next]))
        if (a.isOn) a.life.door.disconnect(next.account)
      })
    }
  }

  /** They lie on different sides of the cut. */
  #isCut(a: Address, b: Address): boolean {
    if (this.#cut === null) return false
    const at = Math.max(...this.#cut.map((box) => this.boxes.indexOf(box)))
    const [x, y] = [a, b].map((account) => this.boxes.findIndex((box) => box.account === account) < at)
    return x !== y
  }

  #wayOut(works: boolean): void {
    const last = this.boxes.at(-1)
    if (last !== undefined) last.carrying.hasUplink = works
  }

  #said(what: string, then: () => void = () => undefined): void {
    this.troubles.set(what, (this.troubles.get(what) ?? 0) + 1)
    then()
  }

  /** Dead at an edge of a commit: on again, at once or after a while. */
  async #alive(box: TownBox): Promise<void> {
    if (box.isOn || this.#off.has(box)) return
    const kind = this.#chance(0.5) ? 'power' : 'service'
    if (!this.#chance(0.2)) return this.#die(box, kind)
    this.#said(kind)
    this.#said('off for a while')
    this.#off.set(box, 1 + this.#below(8))
    await box.off(kind)
  }

  async #wait(box: TownBox): Promise<void> {
    const steps = this.#off.get(box)
    if (steps === undefined) return
    this.#off.set(box, steps - 1)
    if (steps <= 1) await this.#on(box)
  }

  async #die(box: TownBox, kind: 'service' | 'power'): Promise<void> {
    this.#said(kind)
    await box.off(kind)
    await this.#on(box)
  }

  async #on(box: TownBox): Promise<void> {
    this.#off.delete(box)
    await box.comeBack(this.#chance(0.7) ? 5 + this.#below(120) : 0)
    if (this.#cut?.includes(box) === true) for (const other of this.#cut) if (other !== box) box.life.door.disconnect(other.account)
  }

  async #heal(): Promise<void> {
    const cut = this.#cut
    this.wire.around(() => (this.#cut = null))
    const [a, b] = cut ?? []
    if (a?.isOn === true && b?.isOn === true) await a.life.door.dial(`/memory/${b.account}`)
  }

  /** As the one says who sees the chain best. */
  #height(): number {
    return Math.max(...this.boxes.map(({ moments }) => moments.moment.block))
  }

  /** No more trouble: what waits comes through. */
  async #calm(): Promise<void> {
    await this.#heal()
    this.wire.loss = 0
    this.walkers.sleep()
    this.#wayOut(true)
    const block = this.#height()
    for (const box of this.boxes) {
      box.fill(false)
      box.server.answer = () => true
      this.#off.delete(box)
      await box.restart('service', 0)
      box.moments.move({ isFrozen: false, block })
    }
    for (const box of this.boxes) for (const other of box.others) await box.life.door.dial(`/memory/${other.account}`)
    for (let step = 0; step < CALM_STEPS && (step < 6 || !this.#isQuiet()); step++) {
      for (const { paying } of this.boxes) paying.leave()
      await this.#pass(10_000)
      for (const box of this.boxes) await box.mine()
      for (const { moments } of this.boxes) moments.move({ block: moments.moment.block + 1 })
    }
    if (!this.#isQuiet()) this.problems.push(`day ${this.day}: something still waits after an hour of calm`)
  }

  #isQuiet(): boolean {
    return this.road.isQuiet() && this.walkers.isQuiet() && this.boxes.every((box) => box.isOn && box.paying.areGone && box.life.node.openPayments().every((payment) => payment.isEnded) && box.neighbours.every((other) => box.life.node.isReady(channelOf(box.account, other.account)) && box.life.node.inFlight(channelOf(box.account, other.account)) === 0))
  }

  async #audit(): Promise<void> {
    const reports: AuditReport[] = []
    for (const [index, box] of this.boxes.entries()) {
      const report = await box.audit()
      reports.push(report)
      for (const { check, what, where, amount } of report.differences) this.problems.push(`day ${this.day}, box ${index}: ${check}: ${what} (${where}; expected ${amount?.expected ?? '-'}, found ${amount?.found ?? '-'})`)
      for (const { check, why } of report.unchecked) if (UNCHECKABLE[check]?.test(why) !== true) this.problems.push(`day ${this.day}, box ${index}: ${check} was not compared: ${why}`)
      for (const [check, rows] of Object.entries(report.looked)) this.looked.set(check as CheckName, (this.looked.get(check as CheckName) ?? 0) + rows)
    }
    this.#onChain(reports)
    for (const problem of [...this.road.problems(), ...this.routed.problems(), ...this.walkers.problems(MAX_DEBT), ...this.wire.breaches]) this.problems.push(`day ${this.day}: ${problem}`)
    for (const [index, box] of this.boxes.entries()) {
      for (const problem of box.paying.problems()) this.problems.push(`day ${this.day}, box ${index}: ${problem}`)
      const next = this.boxes[index + 1]
      if (next !== undefined) this.#between(box, next)
    }
  }

  /** What all boxes' channels hold is what the contract has: the two that lie between boxes are in both their sums. */
  #onChain(reports: readonly AuditReport[]): void {
    const sums = reports.flatMap(({ contracts }) => contracts)
    const held = sums.reduce((sum, { pot }) => sum + pot, 0n) - BigInt(BOXES - 1) * 2n * DEPOSIT
    if (sums.length !== BOXES || held !== this.#contract.pot) this.problems.push(`day ${this.day}: the contract holds ${this.#contract.pot}, and the channels of ${sums.length} boxes ${held}`)
  }

  /** Both ends of a channel say the same, and nothing of it is gone or made. */
  #between(a: TownBox, b: TownBox): void {
    const id = channelOf(a.account, b.account, TOKEN)
    const [here, there] = [a.life.node.channel(id), b.life.node.channel(id)]
    if (here === undefined || there === undefined) return void this.problems.push(`day ${this.day}: a channel is gone`)
    const figures = (of: typeof here.own): readonly bigint[] => [of.deposit, of.withdrawn, of.transferred, of.locked, of.nonce]
    if (String([figures(here.own), figures(here.partner)]) !== String([figures(there.partner), figures(there.own)])) this.problems.push(`day ${this.day}: the ends of ${id} differ: ${figures(here.own)} ${figures(here.partner)} and ${figures(there.partner)} ${figures(there.own)}`)
    const left = (own: typeof here.own, partner: typeof here.own): bigint => own.deposit - own.withdrawn - own.transferred + partner.transferred
    if (left(here.own, here.partner) + left(there.own, there.partner) !== 2n * DEPOSIT) this.problems.push(`day ${this.day}: ${id} holds another sum than was put in`)
  }

  async #night(): Promise<void> {
    for (const box of this.boxes) {
      box.crash.time.jumpWall(NIGHT_MS)
      await box.restart('power', this.#chance(0.5) ? 20 + this.#below(200) : 0)
    }
  }
}
