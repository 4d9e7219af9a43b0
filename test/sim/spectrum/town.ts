/**
 * A town of five signers on one chain, and one schedule of what befalls it: delays, losses, partitions, crashes,
 * missed slots, and a traitor among them. Everything follows from the seed. What must hold in the end is checked
 * here too; a breach is an Error that names the seed.
 */
import { ORDER, bytes32 } from '../../unit/native/scalars.ts'
import { concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Log, LogFields } from '../../../src/base/index.ts'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { hashHeader } from '../../../src/spectrum/codec/header.ts'
import type { Hash, Round } from '../../../src/spectrum/index.ts'
import { openChain, startFromGenesis } from '../../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/chain/io/migrations.ts'
import type { KeptChain } from '../../../src/spectrum/chain/index.ts'
import type { ChainEvent } from '../../../src/spectrum/ports.ts'
import { seededRandom } from '../../support/fakes.ts'
import { native } from '../../unit/spectrum/curves.ts'
import { person } from '../../unit/spectrum/village.ts'
import type { Person } from '../../unit/spectrum/village.ts'
import { SimTime } from '../../unit/spectrum-sync/sim-time.ts'
import { Valley } from '../../unit/spectrum-sync/valley.ts'
import type { Spot, ValleySpoil } from '../../unit/spectrum-sync/valley.ts'
import { Wire } from './links.ts'
import { memoryStore } from './memory-store.ts'
import { SimBox } from './sim-box.ts'

export const FAULTS = ['none', 'missed-slots', 'wrong-leader', 'early', 'bad-vrf', 'equivocation', 'twin', 'lying-nodes', 'lying-blocks', 'partition', 'crash', 'loss'] as const
export type Fault = (typeof FAULTS)[number]

const BOXES = [0, 1, 2, 3, 4]
const PEOPLE: readonly Person[] = BOXES.map((number) => person(number + 200))
const STRANGER = person(299)
const START_SECONDS = 1_700_000_000
/** So often does a traitor who makes bad blocks make one, whoever's turn it is. */
const MISCHIEF_MS = 4_000
const MAX_BAD_BLOCKS = 4
const REDIAL_MS = 4_000
const ZERO = `0x${'00'.repeat(20)}` as const
const address = (index: number): `0x${string}` => PEOPLE[index]?.address ?? ZERO

/** Boxes 0 and 1 lead; the others are miners, more than a round has places, so that the VRF has whom to pick. */
const ROUND: Round = { signers: [0, 2, 3].map(address), next: [], leaders: [0, 1].map(address), volunteerLimit: 2, epochBlocks: 10 }

export interface Outcome {
  readonly blocks: number
  readonly simulatedSeconds: number
  readonly banned: readonly string[]
  readonly reorgs: number
  readonly badBlocks: number
}

export class Town {
  readonly #seed: number
  readonly #random: ReturnType<typeof seededRandom>
  readonly #time = new SimTime(START_SECONDS)
  readonly #valley = new Valley(ROUND, [2, 3, 4].map(address))
  readonly #boxes: SimBox[] = []
  readonly #wires = new Map<string, Wire>()
  readonly #apart = new Set<string>()
  readonly #faults: ReadonlySet<Fault>
  /** Who banned whom: `who whom`. */
  readonly #bans = new Set<string>()
  readonly #errors: string[] = []
  readonly #reasons: string[] = []
  readonly #bad = new Set<Hash>()
  #lossShare = 0
  #slowestMs = 300
  readonly #traitor: number
  #reorgs = 0

  constructor(seed: number, faults: readonly Fault[]) {
    this.#seed = seed
    this.#faults = new Set(faults)
    this.#random = seededRandom(seed)
    this.#traitor = this.#below(BOXES.length)
  }

  /** Errors: what did not hold, with the seed. */
  async run(): Promise<Outcome> {
    await this.#build()
    if (this.#faults.has('loss')) this.#lossShare = 0.15
    this.#slowestMs = 20 + this.#below(400)
    this.#planFaults()
    await this.#time.run(14_000 + this.#below(10_000))
    this.#heal()
    for (let steps = 0; !this.#hasSettled(); steps++) {
      if (steps === 60) throw this.#breach('the honest boxes do not agree')
      await this.#time.run(5_000)
    }
    this.#check()
    const traitor = this.#makesBadBlocks() || this.#faults.has('lying-nodes') || this.#faults.has('lying-blocks') ? [`box${this.#traitor}`] : []
    const banned = [...new Set([...this.#bans].map((ban) => ban.split(' ')[1] ?? ''))]
    if (banned.some((id) => !traitor.includes(id))) throw this.#breach(`an honest box was banned, traitor box${this.#traitor}`)
    const isCalm = !(['partition', 'crash', 'loss'] as const).some((fault) => this.#faults.has(fault))
    if (isCalm && this.#bad.size > 0 && this.#bans.size === 0) throw this.#breach('nobody banned who made bad blocks')
    for (const box of this.#boxes) if (box.isUp()) box.crash()
    const simulatedSeconds = this.#time.nowMs / 1000 - START_SECONDS
    return { blocks: this.#valley.spots.size - 1, simulatedSeconds, banned, reorgs: this.#reorgs, badBlocks: this.#bad.size }
  }

  async #build(): Promise<void> {
    // At least one who keeps state stays honest.
    const keepers = new Set([(this.#traitor + 1 + this.#below(4)) % 5, ...BOXES.filter(() => this.#chance(0.75))])
    for (const index of BOXES) {
      const store = memoryStore(spectrumMigrations)
      const clock = this.#time.clock()
      const openOwn = (): Promise<KeptChain> => openChain({ store, curve: native, network: this.#valley.network, clock, log: silentLog, start: startFromGenesis(native, this.#valley.network) })
      const person = PEOPLE[index] ?? STRANGER
      const isLiar = index === this.#traitor && this.#faults.has('lying-nodes')
      const isForger = index === this.#traitor && this.#faults.has('lying-blocks')
      const box = new SimBox({
        id: `box${index}`,
        person,
        valley: this.#valley,
        openChain: openOwn,
        onEvent: (event) => this.#onEvent(index, event),
        time: this.#time,
        skewMs: this.#below(800) - 400,
        keepsState: keepers.has(index) || isLiar,
        log: this.#logOf(index),
        onTurn: (self, parent) => this.#onTurn(self, parent, index),
        random: this.#random,
        ...(isLiar ? { spoilNodes: (nodes: readonly Uint8Array[]) => nodes.map((node) => (this.#chance(0.5) ? node : node.map((byte, at) => (at === 5 ? byte ^ 1 : byte)))) } : {}),
        ...(isForger ? { spoilBlocks: <T extends Uint8Array | null>(items: readonly T[]) => this.#forge(items) } : {}),
      })
      this.#boxes.push(box)
      await box.boot()
    }
    this.#dial()
    this.#time.every(REDIAL_MS, () => this.#dial())
  }

  /** A byte of one of them changed, one left out, or all in another order. */
  #forge<T extends Uint8Array | null>(items: readonly T[]): readonly T[] {
    const place = this.#below(Math.max(1, items.length))
    const kind = this.#below(4)
    if (kind === 0) return items
    if (kind === 1) return items.toReversed()
    if (kind === 2) return items.toSpliced(place, 1)
    const item = items[place]
    return item === null || item === undefined ? items : items.with(place, item.with(this.#below(item.length), this.#below(256)) as T)
  }

  #onEvent(index: number, event: ChainEvent): void {
    if (event.kind !== 'head') return
    if (event.removed.length > 0) this.#reorgs++
    if (event.added.some(({ hash }) => this.#bad.has(hash))) this.#errors.push(`box${index} counted a bad block`)
  }

  /** Connects everybody who can be connected and is not. */
  #dial(): void {
    for (const [a, one] of this.#boxes.entries())
      for (const [b, two] of this.#boxes.entries()) {
        const key = `${a} ${b}`
        if (a >= b || !one.isUp() || !two.isUp() || this.#apart.has(key) || this.#wires.get(key)?.isOpen === true) continue
        if (this.#bans.has(`box${a} box${b}`) || this.#bans.has(`box${b} box${a}`)) continue
        const weather = { delayMs: (): number | null => (this.#chance(this.#lossShare) ? null : 5 + this.#below(this.#slowestMs)) }
        const [there, back] = [new Wire(one, two, this.#time, weather), new Wire(two, one, this.#time, weather)]
        there.other = back
        back.other = there
        this.#wires.set(key, there)
        one.listener().opened(there)
        two.listener().opened(back)
      }
  }

  #planFaults(): void {
    if (this.#makesBadBlocks()) this.#time.every(MISCHIEF_MS, () => this.#doMischief())
    if (this.#faults.has('partition')) {
      const atMs = 1_000 + this.#below(5_000)
      this.#time.after(atMs, () => this.#part(BOXES.filter(() => this.#chance(0.5))))
      this.#time.after(atMs + 4_000 + this.#below(9_000), () => this.#heal())
    }
    if (this.#faults.has('crash')) {
      for (let count = 1 + this.#below(2); count > 0; count--) {
        const box = this.#boxes[this.#below(BOXES.length)]
        const atMs = 1_000 + this.#below(9_000)
        this.#time.after(atMs, () => this.#crash(box))
        this.#time.after(atMs + 1_000 + this.#below(8_000), () => this.#rejoin(box))
      }
    }
  }

  #crash(box: SimBox | undefined): void {
    if (box?.isUp() !== true) return
    box.crash()
    this.#cut((id) => id === box.id)
  }

  #rejoin(box: SimBox | undefined): void {
    if (box === undefined || box.isUp()) return
    void box.boot().then(() => this.#dial())
  }

  #part(side: readonly number[]): void {
    for (const a of BOXES) for (const b of BOXES) if (a < b && side.includes(a) !== side.includes(b)) this.#apart.add(`${a} ${b}`)
    for (const [key, wire] of this.#wires) if (this.#apart.has(key)) wire.close('partition')
  }

  #cut(isOf: (id: string) => boolean): void {
    for (const [key, wire] of this.#wires) if (key.split(' ').some((index) => isOf(`box${index}`))) wire.close('crash')
  }

  #heal(): void {
    this.#apart.clear()
    this.#lossShare = 0
    for (const box of this.#boxes) this.#rejoin(box)
    this.#dial()
  }

  /** What a box does when its turn to seal has come. Null: nothing, or it has done its own mischief. */
  #onTurn(box: SimBox, parent: Spot, index: number): Spot | null {
    if (this.#faults.has('missed-slots') && this.#chance(0.25)) return null
    if (index !== this.#traitor || !this.#chance(0.7)) return this.#valley.seal(parent, box.person)
    if (this.#faults.has('equivocation')) return this.#equivocate(box, parent)
    if (this.#faults.has('twin')) return this.#pushTwins(box, parent)
    return this.#valley.seal(parent, box.person)
  }

  #makesBadBlocks(): boolean {
    return (['wrong-leader', 'early', 'bad-vrf'] as const).some((fault) => this.#faults.has(fault))
  }

  /** A bad block on the traitor's head, to everybody who still listens. */
  #doMischief(): void {
    const box = this.#boxes[this.#traitor]
    const parent = box?.isUp() === true ? this.#valley.spots.get(box.chain.head().hash) : undefined
    if (box === undefined || parent === undefined || this.#bad.size >= MAX_BAD_BLOCKS) return
    const sealer = this.#faults.has('wrong-leader') && this.#chance(0.5) ? STRANGER : box.person
    const rank = rankOf(parent.round, parent.header.number + 1, this.#valley.network.periodSeconds, sealer.address)
    if (this.#faults.has('wrong-leader')) {
      const timeSeconds = Math.max(parent.header.timeSeconds + 1, Math.floor(this.#time.nowMs / 1000) - 1)
      const difficulty = BigInt(1 + this.#below(6))
      const isGood = rank.isAuthorised && difficulty === rank.difficulty && timeSeconds >= parent.header.timeSeconds + rank.delaySeconds
      if (!isGood) this.#pushBad(parent, sealer, { header: { difficulty, timeSeconds } })
    } else if (this.#faults.has('early')) this.#pushBad(parent, sealer, { header: { timeSeconds: parent.header.timeSeconds + Math.min(1 + this.#below(4), rank.delaySeconds - 1) } })
    else {
      const [place, flip] = [40 + this.#below(100), 1 + this.#below(255)]
      this.#pushBad(parent, box.person, { vrf: (proof) => proof.map((byte, at) => (at === place ? byte ^ flip : byte)) })
    }
  }

  #pushBad(parent: Spot, sealer: Person, spoil: ValleySpoil): void {
    const bad = this.#valley.seal(parent, sealer, spoil)
    this.#bad.add(bad.hash)
    this.#tell(bad, () => true)
  }

  /** Two blocks of one height, each to one half of the town. */
  #equivocate(box: SimBox, parent: Spot): null {
    const [one, two] = [this.#valley.seal(parent, box.person), this.#valley.seal(parent, box.person, { header: { coinbase: person(300).address } })]
    const half = new Set(BOXES.filter(() => this.#chance(0.5)))
    this.#tell(one, (index) => half.has(index))
    this.#tell(two, (index) => !half.has(index))
    void box.sync.importOwn(this.#chance(0.5) ? one : two)
    return null
  }

  /** A block, and the same seal with the other s: another hash of equal worth. */
  #pushTwins(box: SimBox, parent: Spot): null {
    const spot = this.#valley.seal(parent, box.person)
    const seal = spot.header.extra.slice(-65)
    const s = bytes32(ORDER - BigInt(`0x${Buffer.from(seal.subarray(32, 64)).toString('hex')}`))
    const header = { ...spot.header, extra: concatBytes(spot.header.extra.subarray(0, -65), seal.subarray(0, 32), s, Uint8Array.of((seal[64] ?? 0) ^ 1)) }
    const twin: Spot = { ...spot, header, hash: hashHeader(native, header) }
    this.#valley.spots.set(twin.hash, twin)
    const half = new Set(BOXES.filter(() => this.#chance(0.5)))
    this.#tell(spot, (index) => half.has(index))
    this.#tell(twin, (index) => !half.has(index))
    void box.sync.importOwn(spot)
    return null
  }

  #tell(spot: Spot, isTold: (index: number) => boolean): void {
    for (const [key, wire] of this.#wires) {
      const [a = 0, b = 0] = key.split(' ').map(Number)
      if (!wire.isOpen || (a !== this.#traitor && b !== this.#traitor)) continue
      if (isTold(a === this.#traitor ? b : a)) (a === this.#traitor ? wire : wire.other)?.announceBlock(spot, spot.totalDifficulty)
    }
  }

  #isTreacherous(): boolean {
    return (['wrong-leader', 'early', 'bad-vrf', 'lying-nodes', 'lying-blocks', 'twin', 'equivocation'] as const).some((fault) => this.#faults.has(fault))
  }

  #honest(): readonly SimBox[] {
    return this.#isTreacherous() ? this.#boxes.filter((_, index) => index !== this.#traitor) : this.#boxes
  }

  /** Is everybody at about the same height, on one chain at the lowest head - 2, and is it longer than the start? */
  #hasSettled(): boolean {
    const heads = this.#honest().map(({ chain }) => chain.head().header.number)
    const [low, high] = [Math.min(...heads), Math.max(...heads)]
    if (low < 4 || high - low > 2) return false
    return new Set(this.#honest().map(({ chain }) => chain.headerAt(low - 2)?.hash)).size === 1
  }

  /** Every block of every honest chain is one that was made by the rules; nothing went wrong inside. */
  #check(): void {
    for (const { id, chain } of this.#honest()) {
      const head = chain.head()
      if (this.#valley.spots.get(head.hash)?.totalDifficulty !== head.totalDifficulty) throw this.#breach(`${id} counts another difficulty`)
      for (const hash of this.#bad) if (chain.block(hash) !== null) throw this.#breach(`${id} has the bad block ${hash}`)
      if (chain.alarm() !== null) throw this.#breach(`${id} raised an alarm`)
    }
    if (this.#errors.length > 0) throw this.#breach(this.#errors.join('; '))
  }

  #logOf(index: number): Log {
    const note = (message: string, fields: LogFields = {}): void => {
      // What a box that makes mischief thinks of others is its own affair.
      if (!message.includes('banned') || (index === this.#traitor && this.#isTreacherous())) return
      this.#bans.add(`box${index} ${String(fields['source'])}`)
      this.#reasons.push(`box${index} banned ${String(fields['source'])}: ${String(fields['reason'])}`)
    }
    const fail = (message: string, fields: LogFields = {}): void => {
      this.#errors.push(`box${index}: ${message} ${String(fields['reason'])}`)
    }
    return { ...silentLog, warn: note, error: fail }
  }

  #breach(what: string): Error {
    const heads = this.#boxes.map(({ id, chain }) => `${id} ${chain.head().header.number} ${chain.head().hash.slice(0, 10)} ${chain.head().totalDifficulty}`).join(', ')
    return new Error(`seed ${this.#seed} (${[...this.#faults].join(' ')}): ${what}; heads: ${heads}; ${this.#reasons.join('; ')}; ${this.#errors.join('; ')}`)
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }

  #chance(share: number): boolean {
    return this.#random.next() < share
  }
}
