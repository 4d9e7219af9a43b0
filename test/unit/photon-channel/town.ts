/**
 * Two nodes with disks, a link that loses, doubles and reorders, and a chain, driven by a seeded die: the smallest
 * shell around the channel machine. A node's disk is its state and every packet it sent or took; what is in the air
 * is lost in a crash.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import type { BalanceProof, DueDuty, EnvelopeMessage, Profile } from '../../../src/photon/index.ts'
import { CODE, awaitPartner, learnSecret, receivable, restored, sealed, sendReestablish, settlementOf, spendable } from '../../../src/photon/channel/index.ts'
import { guaranteed, streamCeiling } from '../../../src/photon/channel/amounts.ts'
import type { ChannelFact, ChannelMachine, ChannelMoment, ChannelReceived, ChannelRules, ChannelState, PendingLock, Refusal, Sent } from '../../../src/photon/channel/index.ts'
import { ContractModel } from './contract-model.ts'
import { A, B, CHANNEL, OPEN_BLOCK, SETTLE_TIMEOUT, V1, hashLock, lockOrder, machine, open, secretOf, signatureBy, signed } from './pair.ts'

const CONFIRMATIONS = 17

/** xorshift32: the same numbers everywhere for a seed. */
export class Die {
  #state: number
  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0 || 1
  }
  below(limit: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state % limit
  }
  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(Math.max(1, from.length))]
  }
}

interface Disk {
  readonly state: ChannelState
  readonly sent: ReadonlyMap<bigint, ChannelReceived>
  readonly taken: ReadonlyMap<bigint, ChannelReceived>
}

export class Node {
  state: ChannelState
  readonly machine: ChannelMachine
  readonly address: Address
  /** Own envelopes by nonce. */
  sent = new Map<bigint, ChannelReceived>()
  taken = new Map<bigint, ChannelReceived>()
  /** All proofs the partner ever gave, with its locks at that time: what a cheat could post. */
  readonly history: { readonly proof: BalanceProof; readonly locks: readonly PendingLock[] }[] = []
  /** What the chain has told so far. */
  heard = 0
  copy: Disk | null = null
  /** It was restored from a copy that knows nothing of something that it signed and nobody can give back: no promise of its holds. */
  hasForgotten = false
  wasRestored = false

  constructor(state: ChannelState, rules: Partial<ChannelRules>) {
    this.state = state
    this.machine = machine(rules)
    this.address = state.own.address
  }

  disk(): Disk {
    return { state: this.state, sent: new Map(this.sent), taken: new Map(this.taken) }
  }
}

export class Town {
  readonly die: Die
  readonly chain: ContractModel
  readonly nodes: readonly [Node, Node]
  readonly wire: { readonly to: number; readonly packet: ChannelReceived }[] = []
  /** Hash of the one packet of each signer and nonce. */
  readonly packets = new Map<string, Hash>()
  readonly counts: Record<string, number> = {}
  isFrozen = false
  #secret = 0
  #tick = 0

  readonly #profile: Profile

  constructor(seed: number, profile: Profile = 'v2', rules: Partial<ChannelRules> = {}) {
    this.die = new Die(seed)
    this.#profile = profile
    this.chain = new ContractModel(A, 1_000n, B, 500n, 1_000, SETTLE_TIMEOUT)
    const merged = { maxOfflineExposure: 200n, maxLocks: 6, ...rules }
    const ends = { openBlock: OPEN_BLOCK, ...(profile === 'v1' ? { domain: V1 } : {}) }
    this.nodes = [new Node(open(A, ends), merged), new Node(open(B, ends), merged)]
  }

  now(): ChannelMoment {
    return { block: this.chain.block, isFrozen: this.isFrozen }
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  /** One random thing happens. */
  step(): void {
    const from = this.die.below(2)
    const node = this.node(from)
    const roll = this.die.below(100)
    for (let left = this.die.below(4); left > 0; left--) this.deliver()
    if (roll < 40) this.speak(from, (m, s) => m.sendDirect(s, { amount: BigInt(1 + this.die.below(120)), paymentId: null, data: new Uint8Array(0) }, this.now()))
    else if (roll < 58) this.speak(from, (m, s) => m.sendLocked(s, lockOrder(++this.#secret, BigInt(1 + this.die.below(80)), this.chain.block + 31 + this.die.below(300)), this.now()))
    else if (roll < 66) this.endLock(from)
    else if (roll < 70) this.revealTo(node)
    else if (roll < 74) this.stream(from)
    else if (roll < 78) this.advance(1 + this.die.below(40))
    else if (roll < 81) this.performDuties(node)
    else if (roll < 83) this.agree(from)
    else if (roll < 86) this.reconnect()
    else if (roll < 88) this.crash(node)
    else if (roll < 89) this.chain.deposit(node.address, BigInt(1 + this.die.below(100)))
    else if (roll < 90) node.copy = node.disk()
    else if (roll < 91) this.restore(node)
    else if (roll < 92) this.isFrozen = !this.isFrozen
    else if (roll < 95) this.resend(from)
    else if (roll < 97) this.wire.splice(this.die.below(Math.max(1, this.wire.length)), 1)
    else if (roll < 98) this.advance(250)
    else this.double()
    this.hear()
  }

  node(index: number): Node {
    return index === 0 ? this.nodes[0] : this.nodes[1]
  }

  other(node: Node): Node {
    return node === this.nodes[0] ? this.nodes[1] : this.nodes[0]
  }

  speak(from: number, verb: (machine: ChannelMachine, state: ChannelState) => Sent | Refusal): boolean {
    const node = this.node(from)
    const sent = verb(node.machine, node.state)
    if (!sent.ok) return false
    const message = 'contractSignature' in sent.message ? { ...sent.message, contractSignature: signatureBy(node.address, CHANNEL) } : sent.message
    const packet = signed(message, node.address)
    node.state = sealed(sent.state, message, packet.extra, packet.signature ?? new Uint8Array(0))
    if ('envelope' in message) {
      this.noteOnePacket(node.address, message, packet.extra)
      node.sent.set(message.envelope.nonce, packet)
    }
    this.count(message.kind)
    this.wire.push({ to: 1 - from, packet })
    return true
  }

  deliver(): void {
    // Mostly in order; sometimes a later one first.
    const index = this.die.below(25) === 0 ? this.die.below(Math.max(1, this.wire.length)) : 0
    const [flying] = this.wire.splice(index, 1)
    if (flying !== undefined) this.take(flying.to, flying.packet)
  }

  take(to: number, packet: ChannelReceived): void {
    const node = this.node(to)
    const outcome = node.machine.receive(node.state, packet, this.now())
    if (!outcome.ok) return this.count(`refused ${outcome.code}`)
    const before = node.state
    node.state = outcome.state
    if ('envelope' in packet.message && packet.sender !== node.address && outcome.state !== before && outcome.state.phase !== 'error') {
      node.taken.set(packet.message.envelope.nonce, packet)
      if (outcome.state.partner.proof !== null) node.history.push({ proof: outcome.state.partner.proof, locks: outcome.state.partner.locks })
    }
    for (const fact of outcome.facts) this.act(to, fact, packet)
  }

  act(to: number, fact: ChannelFact, packet: ChannelReceived): void {
    this.count(`fact ${fact.kind}`)
    const node = this.node(to)
    const { message } = packet
    if (fact.kind === 'lock-disposed') this.speak(to, (m, s) => m.sendDisposedResponse(s, fact.lock.secretHash, this.now()))
    if (fact.kind === 'lock-unwelcome') this.speak(to, (m, s) => m.sendDisposed(s, fact.lock.secretHash, { code: fact.code, reason: '', hopIndex: null }, this.now()))
    if (fact.kind === 'withdraw-requested' && message.kind === 'withdraw-request')
      this.speak(to, (m, s) => m.answerWithdraw(s, { terms: message.terms, signature: message.contractSignature }, this.now()))
    if (fact.kind === 'settle-requested' && message.kind === 'settle-request')
      this.speak(to, (m, s) => m.answerSettle(s, { terms: message.terms, signature: message.contractSignature }, this.now()))
    if (fact.kind === 'must-resend') this.push(1 - to, node.sent, fact.fromNonce, fact.toNonce)
    if (fact.kind === 'must-return') this.push(1 - to, node.taken, fact.fromNonce, fact.toNonce)
    if (fact.kind === 'own-adopted' && 'envelope' in message) {
      node.sent.set(fact.nonce, packet)
    }
  }

  push(to: number, packets: ReadonlyMap<bigint, ChannelReceived>, first: bigint, last: bigint): void {
    for (let nonce = first; nonce <= last; nonce++) {
      const packet = packets.get(nonce)
      if (packet !== undefined) this.wire.push({ to, packet })
    }
  }

  endLock(from: number): void {
    const node = this.node(from)
    const own = this.die.pick(node.state.own.locks)
    const theirs = this.die.pick(node.state.partner.locks)
    const roll = this.die.below(4)
    if (roll < 2 && own !== undefined) this.speak(from, (m, s) => (own.secret !== null ? m.sendUnlock(s, own.secret, this.now()) : m.sendExpired(s, own.secretHash, this.now())))
    else if (roll === 2 && theirs !== undefined) this.speak(from, (m, s) => m.sendDisposed(s, theirs.secretHash, { code: CODE.noRoute, reason: '', hopIndex: null }, this.now()))
    else if (own !== undefined) this.speak(from, (m, s) => m.sendDisposedResponse(s, own.secretHash, this.now()))
  }

  revealTo(node: Node): void {
    node.state = learnSecret(node.state, secretOf(1 + this.die.below(Math.max(1, this.#secret))))
  }

  /** The stream is a room of its own; here its ticks reach the payee or are lost. */
  stream(from: number): void {
    const [payer, payee] = [this.node(from), this.node(1 - from)]
    const { own, partner } = payer.state
    // A voucher makes earlier proofs claimable; what the payee spends of them at the same moment could not be covered.
    if (partner.nonce !== payee.state.own.nonce) return
    const room = streamCeiling(own) - own.transferred
    if (room <= 0n) return
    const unit = 1n + BigInt(this.die.below(3))
    const steps = Math.min(10, Number(room / unit))
    const cumulative = own.transferred
    const reached = BigInt(this.die.below(steps + 1))
    const reserved = cumulative + unit * BigInt(steps)
    const note = { payer: payer.address, cumulative, value: cumulative + unit * reached, reserved, evidence: null }
    const noted = payer.machine.noteStream(payer.state, note, this.now())
    // The voucher itself comes through (it is sent until it is answered); ticks may be lost.
    const value = this.die.below(4) === 0 ? cumulative : note.value
    const voucher = { ...payer.state.key, cumulative: value, tip: secretOf(++this.#tick), steps: 0, unit, signature: new Uint8Array(65) }
    const seen = payee.machine.noteStream(payee.state, { ...note, value, evidence: { voucher, preimage: voucher.tip, steps: 0 } }, this.now())
    if (!noted.ok || !seen.ok) return
    payer.state = noted.state
    payee.state = seen.state
    this.count('stream')
  }

  agree(from: number): void {
    const validUntil = this.chain.block + 1 + this.die.below(100)
    if (this.die.below(4) === 0) this.speak(from, (m, s) => m.askSettle(s, validUntil, this.now()))
    else this.speak(from, (m, s) => m.askWithdraw(s, { amount: BigInt(1 + this.die.below(200)), validUntil }, this.now()))
  }

  reconnect(): void {
    this.wire.length = 0
    for (const from of [0, 1]) {
      const node = this.node(from)
      // v1 has no greeting: what is not acknowledged is sent again.
      if (this.#profile === 'v1') this.push(1 - from, node.sent, this.other(node).state.partner.nonce + 1n, node.state.own.nonce)
      else this.speak(from, (_m, s) => sendReestablish(s))
    }
  }

  crash(node: Node): void {
    this.wire.length = 0
    node.state = awaitPartner(node.state)
    this.count('crash')
  }

  restore(node: Node): void {
    const { copy } = node
    if (this.#profile === 'v1' || copy === null || copy.state.own.nonce === node.state.own.nonce) return
    this.wire.length = 0
    if (node.state.own.withdrawal !== null || node.state.partner.withdrawal !== null || node.state.agreement !== null) node.hasForgotten = true
    // Where both have forgotten, a cheat may have kept what the other cannot know of any more.
    node.wasRestored = true
    if (this.nodes.every((each) => each.wasRestored)) for (const each of this.nodes) each.hasForgotten = true
    node.state = restored(copy.state)
    node.sent = new Map(copy.sent)
    node.taken = new Map(copy.taken)
    node.heard = 0
    node.copy = null
    this.count('restore')
    // A packet that neither its signer nor its receiver remembers is gone from the world with the wire.
    for (const signer of this.nodes) {
      const seen = this.other(signer).state.partner.nonce
      for (const key of [...this.packets.keys()]) {
        const [who, nonce] = key.split(' ')
        if (who === signer.address && BigInt(nonce ?? 0) > seen && !signer.sent.has(BigInt(nonce ?? 0))) this.packets.delete(key)
      }
    }
  }

  resend(from: number): void {
    const node = this.node(from)
    const newest = node.state.own.nonce
    this.push(1 - from, node.sent, newest > 3n ? newest - 3n : 1n, newest)
  }

  double(): void {
    const flying = this.die.pick(this.wire)
    if (flying !== undefined) this.wire.push(flying)
  }

  advance(blocks: number): void {
    if (!this.isFrozen) this.chain.block += blocks
  }

  /** Both hear the chain; a restored node hears it again from the start. Not while the view is frozen. */
  hear(): void {
    if (this.isFrozen) return
    for (const node of this.nodes) {
      for (; node.heard < this.chain.events.length; node.heard++) {
        const event = this.chain.events[node.heard]
        if (event !== undefined) node.state = node.machine.onChain(node.state, event, this.now()).state
      }
    }
  }

  /** A good link and a chain in view until nothing is left to say. */
  makePeace(): void {
    this.isFrozen = false
    for (let round = 0; round < 4; round++) {
      this.chain.block += CONFIRMATIONS
      this.hear()
      this.reconnect()
      for (let flying = this.wire.shift(); flying !== undefined; flying = this.wire.shift()) this.take(flying.to, flying.packet)
    }
  }

  duties(node: Node): readonly DueDuty[] {
    return node.machine.dutiesOf(node.state, this.now()).filter((due) => due.fromBlock <= this.chain.block)
  }

  performDuties(node: Node): void {
    for (const due of this.duties(node)) if (due.duty.kind !== 'close') this.chain.perform(node.address, due)
  }

  noteOnePacket(signer: Address, message: EnvelopeMessage, extra: Hash): void {
    const key = `${signer} ${message.envelope.nonce}`
    const before = this.packets.get(key)
    if (before !== undefined && before !== extra) throw new Error(`two packets of ${key}`)
    this.packets.set(key, extra)
  }

  /** What must hold after every step. */
  check(): void {
    for (const node of this.nodes) {
      const { own, partner } = node.state
      if (spendable(node.state) < 0n || receivable(node.state) < 0n || own.transferred < 0n) throw new Error('below nothing')
      if (own.locked !== own.locks.reduce((sum, lock) => sum + lock.amount, 0n) || partner.locked !== partner.locks.reduce((sum, lock) => sum + lock.amount, 0n)) throw new Error('locked is not the sum')
      if (own.locks.length > 12 || partner.locks.length > 12 || node.state.disposals.length > 72 || node.state.renounced.length > 132) throw new Error('memory grows')
      const [mine, theirs] = settlementOf(own, partner)
      if (mine + theirs !== own.deposit + partner.deposit - own.claimed - partner.claimed - own.withdrawn - partner.withdrawn) throw new Error('money appears')
      if (guaranteed(node.state) > mine + partner.locked) throw new Error('more is sure than there is')
    }
  }
}

/** Chain time passes until the channel is settled; whoever is honest does its duties, the cheat whatever the die says. */
export function endInDispute(town: Town, cheat: Node | null): { readonly promised: Record<Address, bigint> } {
  town.isFrozen = false
  town.hear()
  const promised: Record<Address, bigint> = {}
  for (const node of town.nodes) promised[node.address] = guaranteed(node.state) + (town.chain.paid[node.address] ?? 0n)
  const honest = town.nodes.filter((node) => node !== cheat)
  if (town.chain.state === 'open') {
    const old = cheat === null ? undefined : town.die.pick(cheat.history)
    const closer = cheat ?? town.nodes[0]
    town.chain.close(closer.address, cheat === null ? closer.state.partner.proof : (old?.proof ?? null))
  }
  for (let round = 0; round < 60 && town.chain.state !== 'settled'; round++) {
    town.hear()
    for (const node of honest) for (const due of town.duties(node)) town.chain.perform(node.address, due)
    if (cheat !== null) cheatOnce(town, cheat)
    town.chain.block += CONFIRMATIONS
  }
  town.hear()
  return { promised }
}

function cheatOnce(town: Town, cheat: Node): void {
  const roll = town.die.below(3)
  const old = town.die.pick(cheat.history)
  if (old === undefined) return
  if (roll === 0) town.chain.update(cheat.address, old.proof)
  if (roll === 1) town.chain.registerSecret(secretOf(1 + town.die.below(200)))
  if (roll === 2) unlockAnything(town, cheat)
}

/** Any lock of any proof it ever had, also those it gave up. */
function unlockAnything(town: Town, cheat: Node): void {
  const victim = town.other(cheat)
  const posted = town.chain.sides[victim.address]
  const match = cheat.history.find((entry) => entry.proof.nonce === posted?.nonce)
  const lock = town.die.pick(match?.locks ?? [])
  if (posted === undefined || match === undefined || lock === undefined) return
  for (let n = 1; n <= 200; n++) if (hashLock(n) === lock.secretHash) town.chain.registerSecret(secretOf(n))
  const duty = cheat.machine
    .dutiesOf(withOpenLock(cheat.state, match, lock, posted.nonce, posted.transferred, town.chain.settleBlock), { block: town.chain.block, isFrozen: false })
    .find((due) => due.duty.kind === 'unlock')
  if (duty !== undefined && town.chain.perform(cheat.address, duty)) town.count('cheat unlocked')
}

function withOpenLock(state: ChannelState, match: Node['history'][number], lock: PendingLock, nonce: bigint, transferred: bigint, settleBlock: number): ChannelState {
  const locks = match.locks.map((other) => ({ ...other, isDisposed: false, registeredBlock: other.secretHash === lock.secretHash ? 1 : null }))
  const posted = { nonce, transferred, locksroot: match.proof.locksroot, unlocked: [] }
  return {
    ...state,
    phase: 'closed',
    partner: { ...state.partner, locks, proof: match.proof },
    dispute: { closedBy: state.own.address, closeBlock: 1, settleBlock, own: posted, partner: posted },
  }
}
