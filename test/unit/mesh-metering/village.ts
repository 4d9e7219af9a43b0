/**
 * Boxes in a line, each with its own database, desk and kernel counters; one clock, links that can be cut, and a bank in
 * place of payment channels: durable, and paying each reference once.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MeshBoxError, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Cancel, Clock, Hash } from '../../../src/base/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { CARRIAGE_LANE, PRICE_LANE, RelayDesk, meteringMigrations, orderMigrations } from '../../../src/mesh/metering/index.ts'
import type { LinkTraffic, PriceTerms, ReceivedPayment, RelayPayments, RelayView } from '../../../src/mesh/metering/index.ts'
import type { BoxId, Mac, PeerLane, PeerProtocol, PeerSide } from '../../../src/mesh/ports.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

export const MIB = 1n << 20n
export const TOKEN: Address = `0x${'70'.repeat(20)}`
const curve = loadSecp256k1(null)
/** Real signatures; whose each is was known when it was made, so that a story of hours does not recover thousands. */
const signers = new Map<string, Uint8Array>()

function signedBy(key: Uint8Array, digest: Uint8Array): Uint8Array {
  const signature = curve.sign(digest, key)
  signers.set(`${hexOf(digest)} ${hexOf(signature)}`, curve.keccak256(publicKeyOf(key).subarray(1)).subarray(12))
  return signature
}

const publicKeys = new Map<Uint8Array, Uint8Array>()
function publicKeyOf(key: Uint8Array): Uint8Array {
  const known = publicKeys.get(key) ?? curve.publicKeyOf(key)
  publicKeys.set(key, known)
  return known
}

/** What channels do for us: a payment counts once by its reference, and is there after any crash. */
export class Bank {
  isShut = false
  /** How many payments more are of a channel that is over, and nobody knows whether they came. */
  unknown = 0
  readonly paid = new Map<Hash, { readonly from: Address; readonly to: Address; readonly amount: bigint }>()
  readonly #rows: (ReceivedPayment & { readonly to: Address })[] = []
  readonly #listeners = new Map<Address, Set<(payment: ReceivedPayment) => void>>()

  of(account: Address): RelayPayments {
    return {
      pay: async ({ to, token, amount, reference }) => {
        if (this.isShut) throw new Error('no channel')
        if (this.unknown > 0) {
          this.unknown -= 1
          throw new MeshBoxError('conflict', 'the channel is over, and nothing shows whether he had it', { code: 'mesh-unknown' })
        }
        const before = this.paid.get(reference)
        if (before !== undefined) {
          if (before.amount !== amount || before.to !== to) throw new Error('another payment has this reference')
          return
        }
        this.paid.set(reference, { from: account, to, amount })
        const payment = { from: account, to, token, amount, reference, mark: BigInt(this.#rows.length + 1) }
        this.#rows.push(payment)
        for (const listener of this.#listeners.get(to) ?? []) listener(payment)
      },
      onPaid: (listener) => {
        const all = this.#listeners.get(account) ?? new Set()
        this.#listeners.set(account, all.add(listener))
        return () => all.delete(listener)
      },
      receivedAfter: (mark, most) => this.#rows.filter((row) => row.to === account && row.mark > mark).slice(0, most),
    }
  }

  total(from: Address, to: Address): bigint {
    return [...this.paid.values()].filter((each) => each.from === from && each.to === to).reduce((sum, { amount }) => sum + amount, 0n)
  }
}

interface Port {
  frame: ((from: BoxId, frame: Uint8Array) => void) | null
  open: ((peer: BoxId, side: PeerSide) => void) | null
  close: ((peer: BoxId) => void) | null
}

export class VillageBox {
  readonly index: number
  readonly key: Uint8Array
  readonly id: BoxId
  readonly mac: Mac
  readonly account: Address
  readonly village: Village
  terms: PriceTerms
  relayTerms = { maxDebt: 0n, settleAmount: 100n, spendPerDay: 1n << 90n }
  readonly traffic = new Map<Mac, LinkTraffic>()
  gates: ReadonlyMap<Mac, 'open' | 'closed'> = new Map()
  readonly ports = new Map<string, Port>()
  readonly penalties: string[] = []
  isDead = true
  /** What its kernel tells the desk. */
  lie = (traffic: LinkTraffic): LinkTraffic => traffic
  /** Before the nth commit, or behind it, the process dies. */
  crash: { commits: number; readonly when: 'before' | 'after' } | null = null
  commits = 0
  bootId = 'boot-1'
  store: Store | null = null
  #desk: RelayDesk | null = null
  #died: () => void = () => undefined
  death: Promise<void> = Promise.resolve()
  #dir: string
  #timers: Cancel[] = []

  constructor(village: Village, index: number, ownUnitsPerMiB: bigint, hasUplink: boolean) {
    this.village = village
    this.index = index
    this.key = new Uint8Array(32).fill(index + 1)
    this.id = addressOf(this.key)
    this.account = addressOf(new Uint8Array(32).fill(index + 101))
    this.mac = `02:00:00:00:00:${(index + 16).toString(16)}`
    this.terms = { self: this.id, token: TOKEN, payee: this.account, ownUnitsPerMiB, maxUnitsPerMiB: null, hasUplink }
    this.#dir = mkdtempSync(join(tmpdir(), 'mesh-village-'))
  }

  get desk(): RelayDesk {
    if (this.#desk === null) throw new Error(`box ${this.index} is not running`)
    return this.#desk
  }

  async boot(): Promise<void> {
    const { village } = this
    this.store = openStore({ path: join(this.#dir, 'box.db'), migrations: [...ledgerMigrations, ...meteringMigrations, ...orderMigrations], log: silentLog })
    this.isDead = false
    this.death = new Promise((resolve) => (this.#died = resolve))
    const time = village.time
    const clock: Clock = { boottimeMs: () => time.boottimeMs(), bootId: this.bootId, wallMs: () => time.wallMs(), isWallTrusted: () => true }
    const documents = createDocuments(this.id, { keccak256: (bytes) => curve.keccak256(bytes), sign: (digest) => signedBy(this.key, digest), recoverAddress: (digest, signature) => signers.get(`${hexOf(digest)} ${hexOf(signature)}`) ?? curve.recoverAddress(digest, signature) })
    const desk = new RelayDesk({
      documents,
      keccak256: (bytes) => curve.keccak256(bytes),
      store: this.#mortal(this.store),
      ledger: createLedger({ shares: () => [] }),
      tokenName: () => 'MESH',
      priceLane: this.#lane(PRICE_LANE),
      carriageLane: this.#lane(CARRIAGE_LANE),
      links: { linksOf: (box) => village.boxes.filter((each) => each.id === box && village.isLinked(this, each)).map((each) => each.mac), onChange: () => () => undefined },
      traffic: { read: async () => [...this.traffic.values()].map((each) => this.lie(each)) },
      gate: { setAllowed: async (gates) => void (this.gates = gates) },
      payments: village.bank.of(this.account),
      prices: () => this.terms,
      terms: () => this.relayTerms,
      clock,
      timers: { after: (ms, run) => this.#timer(time.after(ms, run)), every: (ms, run) => this.#timer(time.every(ms, run)) },
      randomness: seededRandom(this.index * 1000 + this.commits + 1),
      log: village.log,
    })
    this.#desk = desk
    await Promise.race([desk.start(), this.death])
    for (const other of village.boxes) if (village.isConnected(this, other)) village.join(this, other)
  }

  /** The process ends between two instructions; the kernel and the bank go on. */
  die(): void {
    if (this.isDead) return
    this.isDead = true
    for (const cancel of this.#timers.splice(0)) cancel()
    for (const other of this.village.boxes) if (other !== this) for (const port of other.ports.values()) port.close?.(this.id)
    this.ports.clear()
    this.#died()
  }

  async restart(): Promise<void> {
    this.die()
    await this.store?.close()
    this.crash = null
    await this.boot()
  }

  /** Power is gone: counters begin anew too. */
  async reboot(): Promise<void> {
    this.bootId = `${this.bootId}+`
    this.traffic.clear()
    await this.restart()
  }

  async loseDisk(): Promise<void> {
    this.die()
    await this.store?.close()
    rmSync(this.#dir, { recursive: true, force: true })
    this.#dir = mkdtempSync(join(tmpdir(), 'mesh-village-'))
    await this.boot()
  }

  async remove(): Promise<void> {
    this.die()
    await this.store?.close()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** With `other`, in this role; the newest. */
  view(role: 'carrier' | 'client', other: VillageBox): RelayView {
    const found = this.desk.carriages().findLast((each) => each.isOurs === role && (role === 'carrier' ? each.client : each.carrier) === other.id)
    if (found === undefined) throw new Error(`box ${this.index} has no carriage as ${role} with ${other.index}`)
    return found
  }

  /** Exact sum from the row that the desk writes. */
  owedParts(role: 'carrier' | 'client', other: VillageBox): bigint {
    const [carrier, client] = role === 'carrier' ? [this, other] : [other, this]
    const rows = this.store?.read((tx) => tx.all<{ owed_parts: string }>('SELECT owed_parts FROM mesh_carriages WHERE carrier = ? AND client = ? AND role = ?', Buffer.from(carrier.id.slice(2), 'hex'), Buffer.from(client.id.slice(2), 'hex'), role)) ?? []
    return rows.reduce((sum, row) => sum + BigInt(row.owed_parts), 0n)
  }

  /** Earned for carrying, less what was paid for being carried. */
  booked(): { readonly earned: bigint; readonly cost: bigint } {
    const ledger = createLedger({ shares: () => [] })
    const balance = (account: string): bigint => this.store?.read((tx) => ledger.balance(tx, account, 'MESH')) ?? 0n
    return { earned: -balance('owner'), cost: balance('cost:relay') }
  }

  count(mac: Mac, more: Partial<Record<'receivedBytes' | 'sentBytes' | 'endedBytes' | 'allReceivedBytes' | 'allSentBytes', bigint>>): void {
    const before = this.traffic.get(mac) ?? { neighbour: mac, receivedBytes: 0n, sentBytes: 0n, receivedPackets: 0n, sentPackets: 0n, endedBytes: 0n, allReceivedBytes: 0n, allSentBytes: 0n }
    const sum = (name: keyof typeof more): bigint => before[name] + (more[name] ?? 0n)
    this.traffic.set(mac, { ...before, receivedBytes: sum('receivedBytes'), sentBytes: sum('sentBytes'), endedBytes: sum('endedBytes'), allReceivedBytes: sum('allReceivedBytes'), allSentBytes: sum('allSentBytes') })
  }

  #timer(cancel: Cancel): Cancel {
    this.#timers.push(cancel)
    return cancel
  }

  #mortal(store: Store): Store {
    return {
      ...{ read: store.read.bind(store), backup: store.backup.bind(store), stats: store.stats.bind(store), close: store.close.bind(store) },
      turn: async (body) => {
        if (this.isDead) return await new Promise<never>(() => undefined)
        this.commits += 1
        const isLast = this.crash !== null && this.commits === this.crash.commits
        const result = isLast && this.crash?.when === 'before' ? null : await store.turn(body)
        if (isLast || this.isDead) {
          this.die()
          return await new Promise<never>(() => undefined)
        }
        return result as Awaited<ReturnType<typeof body>>
      },
    }
  }

  #lane(protocol: PeerProtocol): PeerLane {
    const port: Port = { frame: null, open: null, close: null }
    this.ports.set(protocol.name, port)
    return {
      send: (to, frame) => this.village.send(this, to, protocol, frame),
      onFrame: (listener) => ((port.frame = listener), () => (port.frame = null)),
      onOpen: (listener) => ((port.open = listener), () => (port.open = null)),
      onClose: (listener) => ((port.close = listener), () => (port.close = null)),
      penalise: (_peer, points, reason) => void this.penalties.push(`${points} ${reason}`),
    }
  }
}

export interface SentFrame {
  readonly from: VillageBox
  readonly to: VillageBox
  readonly protocol: PeerProtocol
  readonly frame: Uint8Array
}

export class Village {
  readonly time = new FakeTime()
  readonly bank = new Bank()
  readonly boxes: VillageBox[] = []
  readonly frames: SentFrame[] = []
  log = silentLog
  /** Frames that never arrive. */
  isLost: (sent: SentFrame) => boolean = () => false
  readonly #cuts = new Set<string>()
  #queue: SentFrame[] = []

  /** The last one has the uplink. Prices: what each keeps for a MiB. */
  static async line(...prices: readonly bigint[]): Promise<Village> {
    const village = new Village()
    prices.forEach((price, index) => village.boxes.push(new VillageBox(village, index, price, index === prices.length - 1)))
    for (const box of village.boxes) await box.boot()
    return village
  }

  box(index: number): VillageBox {
    const box = this.boxes[index]
    if (box === undefined) throw new Error(`no box ${index}`)
    return box
  }

  isLinked(a: VillageBox, b: VillageBox): boolean {
    return Math.abs(a.index - b.index) === 1
  }

  isConnected(a: VillageBox, b: VillageBox): boolean {
    return this.isLinked(a, b) && !a.isDead && !b.isDead && !this.#cuts.has(cutOf(a, b))
  }

  join(a: VillageBox, b: VillageBox): void {
    for (const port of a.ports.values()) port.open?.(b.id, 'mesh')
    for (const port of b.ports.values()) port.open?.(a.id, 'mesh')
  }

  cut(a: VillageBox, b: VillageBox): void {
    this.#cuts.add(cutOf(a, b))
    this.#queue = this.#queue.filter(({ from, to }) => this.isConnected(from, to))
    for (const port of a.ports.values()) port.close?.(b.id)
    for (const port of b.ports.values()) port.close?.(a.id)
  }

  heal(a: VillageBox, b: VillageBox): void {
    this.#cuts.delete(cutOf(a, b))
    if (this.isConnected(a, b)) this.join(a, b)
  }

  send(from: VillageBox, to: BoxId, protocol: PeerProtocol, frame: Uint8Array): boolean {
    const other = this.boxes.find((box) => box.id === to)
    if (other === undefined || from.isDead || !this.isConnected(from, other)) return false
    if (frame.length > protocol.maxFrameBytes) throw new Error(`${frame.length} bytes on ${protocol.name}`)
    const sent = { from, to: other, protocol, frame }
    this.frames.push(sent)
    if (!this.isLost(sent)) this.#queue.push(sent)
    return true
  }

  /** As if it came on the wire. */
  inject(from: VillageBox, to: VillageBox, protocol: PeerProtocol, frame: Uint8Array): void {
    this.#queue.push({ from, to, protocol, frame })
  }

  /** Bytes from the first box of `path` to the last, and an answer back, as far as gates let them. What arrived at the end. */
  carry(path: readonly VillageBox[], up: bigint, down: bigint): { readonly up: bigint; readonly down: bigint } {
    const isUp = this.#pass(path, up)
    const isDown = isUp && this.#pass(path.toReversed(), down)
    return { up: isUp ? up : 0n, down: isDown ? down : 0n }
  }

  async rounds(count: number, each: () => void = () => undefined): Promise<void> {
    for (let round = 0; round < count; round++) {
      each()
      this.time.advance(5000)
      await this.settle()
    }
  }

  /** Until nobody has anything to do. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const some = this.#queue.splice(0)
      for (const { from, to, protocol, frame } of some) if (this.isConnected(from, to)) to.ports.get(protocol.name)?.frame?.(from.id, frame)
      await Promise.all(this.boxes.filter((box) => !box.isDead).map((box) => Promise.race([box.desk.idle(), box.death])))
      await new Promise((resolve) => setImmediate(resolve))
      quiet = some.length === 0 && this.#queue.length === 0 ? quiet + 1 : 0
    }
  }

  async remove(): Promise<void> {
    for (const box of this.boxes) await box.remove()
  }

  #pass(path: readonly VillageBox[], bytes: bigint): boolean {
    const end = path.at(-1)
    for (let at = 0; at + 1 < path.length; at++) {
      const [from, to, before] = [path[at], path[at + 1], path[at - 1]]
      if (from === undefined || to === undefined) return false
      // A relay lets through what came from an admitted neighbour, to an admitted one.
      const isAdmitted = (neighbour: VillageBox | undefined): boolean => neighbour === undefined || from.gates.get(neighbour.mac) === 'open'
      if (before !== undefined && (!isAdmitted(before) || !isAdmitted(to))) return false
      if (before !== undefined) from.count(before.mac, { receivedBytes: bytes })
      from.count(to.mac, { allSentBytes: bytes, ...(before === undefined ? {} : { sentBytes: bytes }) })
      const isLetIn = to.gates.get(from.mac) === 'open'
      to.count(from.mac, { allReceivedBytes: bytes, ...(to === end && isLetIn ? { endedBytes: bytes } : {}) })
      // The way out: what ends here goes on only for who is admitted.
      if (to === end && to.terms.hasUplink && !isLetIn) return false
    }
    return true
  }
}

function addressOf(key: Uint8Array): Address {
  return hexOf(curve.keccak256(curve.publicKeyOf(key).subarray(1)).subarray(12))
}

function cutOf(a: VillageBox, b: VillageBox): string {
  return [a.index, b.index].toSorted((x, y) => x - y).join('-')
}
