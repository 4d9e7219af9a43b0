/**
 * A handful of nodes, a chain and a bad network, all by one seed. `runWorld` plays it, brings everything to an end,
 * settles every channel on the chain and says what does not add up; nothing found: nothing said.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import { openChannel, secretHashOf } from '../../../src/photon/channel/index.ts'
import type { ChannelState } from '../../../src/photon/channel/index.ts'
import { STATUS } from '../../../src/photon/payment/index.ts'
import type { Domain, Path, PathRequest } from '../../../src/photon/ports.ts'
import { channelId } from '../../../src/photon/wire/index.ts'
import { Dice } from './dice.ts'
import { ModelChain } from './model-chain.ts'
import { HONEST, REVEAL_BLOCKS, SimNode, feeFor, packetName } from './sim-node.ts'
import type { Disk, Draft, Frame, Habits } from './sim-node.ts'
import { digest, textOf } from './signing.ts'

export const DOMAIN: Domain = { profile: 'v2', chainId: 1n, contract: `0x${'cc'.repeat(20)}` }
export const TOKENS: readonly Address[] = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`]
export const SETTLE_BLOCKS = 60
const DEPOSIT = 2000n

export type Shape = 'line' | 'ring' | 'star' | 'random'

/** What may go wrong in a run. */
export interface Weather {
  readonly loses: number
  readonly doubles: number
  readonly reorders: number
  readonly parts: boolean
  readonly crashes: number
  readonly diskFails: number
  readonly goesOffline: boolean
  readonly restoresOldCopy: boolean
  readonly closes: boolean
  readonly cheat: Habits | null
  /** A second one that plays together with the first: it never unlocks. */
  readonly hasAccomplice: boolean
}

export const CALM: Weather = { loses: 0, doubles: 0, reorders: 0, parts: false, crashes: 0, diskFails: 0, goesOffline: false, restoresOldCopy: false, closes: false, cheat: null, hasAccomplice: false }

export function weatherOf(dice: Dice): Weather {
  const cheats: readonly Partial<Habits>[] = [{ skipsUnlock: true }, { revealsLate: 3 }, { revealsLate: 7 }, { closesStale: true }, { skipsUnlock: true, closesStale: true }, { revealsLate: 2, closesStale: true }, { revealsLate: 5, revealsByChain: true }, { revealsLate: 7, revealsByChain: true }]
  return {
    loses: dice.pick([0, 0.05, 0.2]),
    doubles: dice.pick([0, 0.1]),
    reorders: dice.pick([0, 0.2]),
    parts: dice.chance(0.3),
    crashes: dice.pick([0, 0.01, 0.05]),
    diskFails: dice.pick([0, 0.02]),
    goesOffline: dice.chance(0.25),
    restoresOldCopy: dice.chance(0.15),
    closes: dice.chance(0.25),
    cheat: dice.chance(0.45) ? { ...HONEST, ...dice.pick(cheats) } : null,
    hasAccomplice: dice.chance(0.5),
  }
}

export class World {
  readonly dice: Dice
  readonly chain = new ModelChain()
  readonly nodes: readonly SimNode[]
  readonly weather: Weather
  readonly wire: Frame[] = []
  readonly faults: string[] = []
  /** Nodes that did not see the chain for more than half the reveal time: they may lose locks that lay open, and only those. */
  readonly absent = new Set<Address>()
  readonly deposits = new Map<Address, bigint>()
  readonly #edges: readonly (readonly [SimNode, SimNode])[]
  readonly #cut = new Set<string>()
  readonly #said = new Map<string, string>()
  readonly #copies = new Map<Address, Disk>()
  #isEnding = false
  #isSettling = false
  #setBack: Address | null = null

  constructor(seed: number, shape: Shape, size: number, weather: Weather, dice = new Dice(seed)) {
    this.dice = dice
    this.weather = weather
    const addresses = Array.from({ length: size }, (_, at): Address => `0x${(at + 1).toString(16).padStart(2, '0').repeat(20)}`)
    const edges = edgesOf(shape, size, dice)
    const states = new Map<Address, ChannelState[]>(addresses.map((address) => [address, []]))
    for (const [i, j] of edges) for (const token of TOKENS) this.#open(addresses[i], addresses[j], token, states)
    const cheat = weather.cheat === null ? -1 : dice.int(size)
    const accomplice = weather.cheat !== null && weather.hasAccomplice ? (cheat + 1 + dice.int(size - 1)) % size : -1
    const habitsOf = (at: number): Habits => (at === cheat && weather.cheat !== null ? weather.cheat : at === accomplice ? { ...HONEST, skipsUnlock: true } : HONEST)
    this.nodes = addresses.map((address, at) => new SimNode(address, habitsOf(at), states.get(address) ?? [], this.chain.block, () => dice.secret()))
    this.#edges = edges.flatMap(([i, j]) => {
      const [a, b] = [this.nodes[i], this.nodes[j]]
      return a === undefined || b === undefined ? [] : [[a, b] as const]
    })
  }

  node(at: number): SimNode {
    const node = this.nodes[at]
    if (node === undefined) throw new Error(`no node ${at}`)
    return node
  }

  channelOf(a: SimNode, b: SimNode, token = TOKENS[0]): Hash {
    return channelId(digest, a.address, b.address, token ?? a.address, DOMAIN.contract)
  }

  #open(a: Address | undefined, b: Address | undefined, token: Address, states: Map<Address, ChannelState[]>): void {
    if (a === undefined || b === undefined) throw new Error('no such node')
    const key = { channel: channelId(digest, a, b, token, DOMAIN.contract), epoch: 1n }
    this.chain.open(key, a, b, [DEPOSIT, DEPOSIT], SETTLE_BLOCKS)
    for (const [own, partner] of [[a, b], [b, a]] as const) {
      this.deposits.set(own, (this.deposits.get(own) ?? 0n) + DEPOSIT)
      states.get(own)?.push(openChannel({ domain: DOMAIN, token, own, partner, key, settleTimeout: SETTLE_BLOCKS, role: 'core', ownDeposit: DEPOSIT, partnerDeposit: DEPOSIT, openBlock: 1 }))
    }
  }

  /** One turn of a node, with whatever can happen to it before, while and after it is stored. */
  turn(node: SimNode, decide: (draft: Draft) => void): void {
    if (!node.isUp) return
    const draft = node.draft()
    decide(draft)
    const fate = this.#isEnding ? 'stored' : this.fateOf(this.turns++, draft.frames.length)
    if (fate === 'rejected') return // nothing of it was
    if (fate === 'crash before') return this.#crash(node)
    node.commit(draft)
    for (const frame of fate === 'stored' ? draft.frames : draft.frames.slice(0, fate)) this.#send(frame)
    if (fate !== 'stored') return this.#crash(node)
    node.searches.push(...draft.searches)
  }

  turns = 0
  /** Of the next turn: a number is a crash after so many of its frames have left. */
  fateOf = (_turn: number, frames: number): 'stored' | 'rejected' | 'crash before' | number => {
    const { dice, weather } = this
    if (dice.chance(weather.diskFails)) return 'rejected'
    if (!dice.chance(weather.crashes)) return 'stored'
    return dice.chance(0.4) ? 'crash before' : dice.int(frames + 1)
  }

  #crash(node: SimNode): void {
    node.isUp = false
    node.searches = []
    this.#drop((frame) => frame.from === node.address || frame.to === node.address)
  }

  #drop(isLost: (frame: Frame) => boolean): void {
    this.wire.splice(0, this.wire.length, ...this.wire.filter((frame) => !isLost(frame)))
  }

  #send(frame: Frame): void {
    const { body } = frame
    if (body.kind === 'packet') this.#checkOnce(body.received.sender, body.received)
    if (this.#cut.has(wireName(frame.from, frame.to))) return
    if (!this.#isEnding && this.dice.chance(this.weather.loses)) return
    this.wire.push(frame)
    if (!this.#isEnding && this.dice.chance(this.weather.doubles)) this.wire.push(frame)
  }

  /** One packet per nonce, for ever. */
  #checkOnce(sender: Address, received: { readonly message: { readonly kind: string }; readonly extra: Hash }): void {
    const { message } = received
    if (!('envelope' in message)) return
    const { envelope } = message as { readonly envelope: { readonly channel: Hash; readonly nonce: bigint } }
    const name = `${sender} ${packetName(envelope.channel, envelope.nonce)}`
    const before = this.#said.get(name)
    if (before !== undefined && before !== received.extra) this.faults.push(`two packets of ${sender} with nonce ${envelope.nonce}`)
    this.#said.set(name, received.extra)
  }

  deliverOne(): boolean {
    if (this.wire.length === 0) return false
    const at = this.dice.chance(this.weather.reorders) ? this.dice.int(this.wire.length) : 0
    const [frame] = this.wire.splice(at, 1)
    const node = this.nodes.find((one) => one.address === frame?.to)
    if (frame !== undefined && node !== undefined) this.turn(node, (draft) => node.take(draft, frame))
    return true
  }

  answerSearches(): void {
    for (const node of this.nodes) {
      const asked = node.searches.shift()
      if (asked === undefined || !node.isUp) continue
      const routes = this.routes(node, asked.request)
      this.turn(node, (draft) => node.input(draft, { kind: 'routes', id: asked.id, routes }))
    }
  }

  /** A block: everybody with a view follows it and sends what is due. */
  mine(): void {
    this.chain.mine()
    for (const node of this.nodes) if (node.isUp && !node.isOffline) this.follow(node)
  }

  follow(node: SimNode): void {
    if (!this.#isSettling && this.chain.block > node.block + REVEAL_BLOCKS / 2) this.absent.add(node.address)
    node.block = this.chain.block
    this.turn(node, (draft) => node.follow(draft, this.chain.events))
    for (const { key, duty } of node.duties()) this.chain.send(node.address, key, duty)
    for (const { to, secret } of node.wishes.splice(0)) {
      this.chain.send(node.address, null, { kind: 'register-secret', secret })
      for (const state of node.disk.channels.values()) if (state.partner.address === to) this.chain.send(node.address, state.key, { kind: 'close', token: state.token, partner: to, proof: state.partner.proof })
    }
  }

  resendAll(): void {
    for (const [a, b] of this.#edges) for (const [from, to] of [[a, b], [b, a]] as const) this.#resend(from, to)
    for (const node of this.nodes) for (const to of new Set(node.disk.outbox.map((row) => row.to))) if (!this.#edges.some(([a, b]) => (a === node && b.address === to) || (b === node && a.address === to))) this.#resend(node, this.#by(to))
  }

  #resend(from: SimNode, to: SimNode | undefined): void {
    if (to === undefined || !from.isUp || this.wire.filter((frame) => frame.from === from.address && frame.to === to.address).length > 2) return
    this.turn(from, (draft) => from.resend(draft, to.address))
  }

  #by(address: Address): SimNode | undefined {
    return this.nodes.find((one) => one.address === address)
  }

  restart(node: SimNode): void {
    if (node.isUp) return
    node.isUp = true
    this.turn(node, (draft) => node.restarted(draft))
    if (!node.isOffline) this.follow(node)
    for (const [a, b] of this.#edges) if (a === node || b === node) this.connect(a, b)
  }

  /** A new connection: nothing of the one before comes through any more. */
  connect(a: SimNode, b: SimNode): void {
    this.#drop((frame) => (frame.from === a.address && frame.to === b.address) || (frame.from === b.address && frame.to === a.address))
    this.turn(a, (draft) => a.greet(draft, b.address))
    this.turn(b, (draft) => b.greet(draft, a.address))
  }

  cut(a: SimNode, b: SimNode): void {
    this.#cut.add(wireName(a.address, b.address)).add(wireName(b.address, a.address))
  }

  heal(): void {
    this.#cut.clear()
    for (const [a, b] of this.#edges) this.connect(a, b)
  }

  keepCopy(node: SimNode): void {
    this.#copies.set(node.address, node.disk)
  }

  /**
   * From an old copy: the chain is read anew from there; what it has signed since it does not know. One node per run:
   * when both ends of a channel forget the same packets, nobody is left who could know of them.
   */
  setBack(node: SimNode): void {
    const copy = this.#copies.get(node.address)
    if (copy === undefined || (this.#setBack !== null && this.#setBack !== node.address)) return
    this.#setBack = node.address
    // What never reached a disk is nobody's: of such a packet the nonce is free again, and nothing else can be hoped for.
    for (const name of this.#said.keys()) if (name.startsWith(node.address) && !this.nodes.some((other) => other !== node && this.#isFrom(node, other, name))) this.#said.delete(name)
    node.disk = copy
    this.#crash(node)
    this.restart(node)
  }

  #isFrom(sender: SimNode, receiver: SimNode, name: string): boolean {
    return receiver.disk.got.get(name.slice(sender.address.length + 1))?.sender === sender.address
  }

  /** Simple paths of at most five hops, amounts counted back from the target; then pairs that share no channel. */
  routes(from: SimNode, request: PathRequest): readonly (readonly Path[])[] {
    const whole = this.#paths(from, request, request.amount)
    const sets: (readonly Path[])[] = this.dice.shuffled(whole).map((path) => [path])
    if (request.maxParts > 1 && request.amount > 1n) {
      const half = request.amount / 2n
      const [firsts, seconds] = [this.#paths(from, request, half), this.#paths(from, request, request.amount - half)]
      for (const first of firsts) for (const second of seconds) if (isApart(first, second)) sets.push([first, second])
    }
    return (this.dice.chance(0.3) ? sets.reverse() : sets).slice(0, 6)
  }

  #paths(from: SimNode, request: PathRequest, amount: bigint): Path[] {
    const found: Address[][] = []
    const walk = (at: Address, trail: Address[]): void => {
      if (trail.length > 5) return
      if (trail.length > 0 && at === request.target) {
        if (at !== from.address || trail.length > 2) found.push(trail)
        return
      }
      for (const [a, b] of this.#edges) {
        const next = a.address === at ? b.address : b.address === at ? a.address : null
        if (next !== null && !trail.includes(next) && (next !== from.address || request.target === next)) walk(next, [...trail, next])
      }
    }
    walk(from.address, [])
    return found.map((trail) => {
      const amounts = [amount]
      for (let i = 1; i < trail.length; i++) amounts.unshift((amounts[0] ?? 0n) + feeFor(amounts[0] ?? 0n))
      const hops = trail.map((node, at) => ({ node, amount: amounts[at] ?? 0n, channel: channelId(digest, at === 0 ? from.address : (trail[at - 1] ?? node), node, request.token, DOMAIN.contract) }))
      return { hops, amount, fee: (amounts[0] ?? 0n) - amount }
    })
  }

  pay(from: SimNode, to: SimNode, amount: bigint, options: { readonly token?: Address; readonly maxParts?: number; readonly isRevealAllowed?: boolean } = {}): Hash {
    const secret = this.dice.secret()
    const secretHash = secretHashOf(secret)
    const order = { domain: DOMAIN, token: options.token ?? TOKENS[0] ?? from.address, target: to.address, amount, maxFee: amount + 20n, maxParts: options.maxParts ?? 1, data: new Uint8Array(0), paymentId: null, secretHash, secret, isRevealAllowed: options.isRevealAllowed ?? true, freshRetries: 1 }
    this.turn(from, (draft) => from.input(draft, { kind: 'pay', order, routes: [] }))
    return secretHash
  }

  payDirect(from: SimNode, channel: Hash, amount: bigint): void {
    this.turn(from, (draft) => from.input(draft, { kind: 'pay-direct', channel, amount, paymentId: null, data: new Uint8Array(0), reference: this.dice.secret() }))
  }

  swap(maker: SimNode, taker: SimNode, give: bigint, get: bigint): Hash {
    const secret = this.dice.secret()
    const secretHash = secretHashOf(secret)
    const [one, two] = [TOKENS[0] ?? maker.address, TOKENS[1] ?? maker.address]
    const common = { domain: DOMAIN, maxFee: 60n, maxParts: 1, data: new Uint8Array(0), paymentId: null, secretHash, isRevealAllowed: true, freshRetries: 0 }
    this.turn(taker, (draft) => taker.input(draft, { kind: 'swap', routes: [], order: { side: 'taker', receivingToken: one, receivingAmount: give, pay: { ...common, token: two, target: maker.address, amount: get, secret: null } } }))
    const routes = this.routes(maker, { token: one, target: taker.address, amount: give, maxFee: 60n, maxParts: 1 })
    this.turn(maker, (draft) => maker.input(draft, { kind: 'swap', routes, order: { side: 'maker', receivingToken: two, receivingAmount: get, pay: { ...common, token: one, target: taker.address, amount: give, secret } } }))
    return secretHash
  }

  /** No more trouble; blocks and messages until nothing is under way. */
  calmDown(): void {
    this.#isEnding = true
    for (const node of this.nodes) {
      node.isOffline = false
      this.restart(node)
      this.follow(node)
    }
    this.heal()
    for (let block = 0; block < 150; block++) {
      this.quiet()
      this.mine()
      if (block > 5 && this.isIdle()) return
    }
  }

  quiet(): void {
    for (let round = 0; round < 6; round++) {
      let delivered = 0
      while (this.deliverOne()) if (++delivered > 5000) throw new Error('the network does not come to rest')
      this.answerSearches()
      if (round < 2) this.resendAll()
    }
  }

  isIdle(): boolean {
    return this.nodes.every((node) => [...node.disk.payments.values()].every((state) => state.isEnded) && node.held.length === 0)
  }

  /** Everybody closes what is open; after the time for disputes all is paid out. */
  settleAll(): void {
    this.#isSettling = true
    for (const node of this.nodes) {
      this.turn(node, (draft) => {
        for (const channel of draft.channels.keys()) node.close(draft, channel, 'the run is over')
      })
    }
    for (let block = 0; block < 20; block++) this.mine()
    for (const skip of [SETTLE_BLOCKS, 258]) {
      this.chain.skip(skip)
      for (let block = 0; block < 8; block++) this.mine()
    }
  }

  /** What the records say a node should have, at least; exactly, if nobody cheats. */
  expected(node: SimNode): bigint {
    let sum = this.deposits.get(node.address) ?? 0n
    for (const state of node.disk.payments.values()) {
      if (state.role === 'direct' && state.direction === 'received') sum += state.amount
      if (state.role === 'direct' && state.direction === 'sent' && state.status !== STATUS.failed) sum -= state.amount
      if (state.role === 'initiator') for (const part of state.parts) if (part.phase === 'unlocked' || (part.phase === 'chain' && isRegistered(state.registeredBlock, part.held.lock.expiration))) sum -= part.held.lock.amount
      if (state.role === 'target') for (const part of state.parts) if (part.phase === 'paid') sum += part.held.lock.amount
      if (state.role === 'keeper' && state.direction === 'in' && state.phase === 'paid') sum += state.held.lock.amount
      if (state.role === 'keeper' && state.direction === 'out' && (state.phase === 'unlocked' || (state.phase === 'chain' && isRegistered(state.registeredBlock, state.held.lock.expiration)))) sum -= state.held.lock.amount
    }
    for (const fee of node.disk.fees.values()) sum += fee
    return sum
  }

  audit(): void {
    let paid = 0n
    let deposited = 0n
    for (const channel of this.chain.channels.values()) {
      if (channel.state !== 'settled') this.faults.push(`channel ${channel.key.channel} is ${channel.state} at the end`)
      for (const amount of channel.payout.values()) paid += amount
    }
    for (const amount of this.deposits.values()) deposited += amount
    if (paid !== deposited) this.faults.push(`${deposited} went in, ${paid} came out`)
    for (const node of this.nodes) {
      for (const state of node.disk.payments.values()) if (!state.isEnded) this.faults.push(`${node.address.slice(0, 4)}: ${state.id} has not ended: ${textOf(state).slice(0, 900)}`)
      if (node.habits !== HONEST || node.address === this.#setBack) continue
      const lost = this.#lostLocks(node)
      if (lost > 0n && !this.absent.has(node.address)) this.faults.push(`${node.address.slice(0, 4)} paid ${lost} on and was not paid`)
      for (const id of node.shownInTime) {
        const state = node.disk.payments.get(id)
        if (!this.absent.has(node.address) && state?.role === 'target' && state.isShown && state.outcome !== 'received') this.faults.push(`${node.address.slice(0, 4)} had the secret in time and was not paid: ${id}`)
      }
      const [got, due] = [this.payoutOf(node), this.expected(node) - lost]
      if (got < due) this.faults.push(`${node.address.slice(0, 4)} is owed ${due} and got ${got}`)
      const isExact = this.weather.cheat === null && this.#setBack === null && this.absent.size === 0
      if (got > due && isExact) this.faults.push(`${node.address.slice(0, 4)} got ${got}, its records say ${due}`)
    }
  }

  /** Locks paid on whose own lock was not brought to the chain in time. */
  #lostLocks(node: SimNode): bigint {
    let sum = 0n
    for (const state of node.disk.payments.values()) {
      if (state.role !== 'mediator' || state.incomingPhase !== 'gone' || state.outgoing === null) continue
      const isPaid = state.outgoingPhase === 'unlocked' || (state.outgoingPhase === 'chain' && isRegistered(state.registeredBlock, state.outgoing.lock.expiration))
      if (isPaid) sum += state.outgoing.lock.amount
    }
    return sum
  }

  payoutOf(node: SimNode): bigint {
    let sum = 0n
    for (const channel of this.chain.channels.values()) sum += channel.payout.get(node.address) ?? 0n
    return sum
  }

  get edges(): readonly (readonly [SimNode, SimNode])[] {
    return this.#edges
  }
}

function isRegistered(block: number | null, expiration: number): boolean {
  return block !== null && block <= expiration
}

function isApart(a: Path, b: Path): boolean {
  const used = new Set(a.hops.map((hop) => hop.channel))
  return b.hops.every((hop) => !used.has(hop.channel))
}

function wireName(a: Address, b: Address): string {
  return `${a} ${b}`
}

function edgesOf(shape: Shape, size: number, dice: Dice): (readonly [number, number])[] {
  const line = Array.from({ length: size - 1 }, (_, at) => [at, at + 1] as const)
  if (shape === 'line') return line
  if (shape === 'ring') return size > 2 ? [...line, [0, size - 1] as const] : line
  if (shape === 'star') return Array.from({ length: size - 1 }, (_, at) => [0, at + 1] as const)
  const more = Array.from({ length: size * 2 }, () => [dice.int(size), dice.int(size)] as const).filter(([a, b]) => a < b && b - a > 1)
  return [...line, ...more.filter(([a, b], at) => more.findIndex(([c, d]) => a === c && b === d) === at)]
}
