/**
 * The gossip's shell: frames in from the neighbours, claims to the chain, news out at a steady pace, and the box's own
 * channels announced together with their partners and renewed before they lapse.
 */
import type { Address, Cancel, Clock, Hash, Log, Timers } from '../../base/index.ts'
import { asError } from '../../base/index.ts'
import type { ChannelEvent, Domain, FeePolicy } from '../ports.ts'
import { announceDigest, channelIdOf, decodeAsk, encodeAnnounce, encodeAsk, encodePolicy, isAsk, policyDigest } from './announce.ts'
import type { ChannelAnnounce, SignedAnnounce } from './announce.ts'
import { EXPECTED_REFUSALS } from './gossip.ts'
import type { GossipCore, GossipMoment } from './gossip.ts'
import type { ChannelGraph } from './graph.ts'
import type { ChannelProver, GossipSigner, GossipTransport, OwnChannel, OwnChannels } from './ports.ts'

export interface GossipNodeOptions {
  readonly domain: Domain
  readonly signer: GossipSigner
  readonly core: GossipCore
  readonly graph: ChannelGraph
  readonly transport: GossipTransport
  readonly prover: ChannelProver
  readonly own: OwnChannels
  /** What this box asks in a channel; null: it carries nothing there for others. */
  readonly policyOf: (channel: OwnChannel) => FeePolicy | null
  /** Newest verified block; 0 before the first. */
  readonly head: () => number
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

const TICK_MS = 1000
/** Below what a neighbour takes from one, GOSSIP_LIMITS.perNeighbour. */
const FRAMES_PER_TICK = 6
const PROOFS_AT_ONCE = 4
const OWN_EVERY_TICKS = 30
const AGAIN_EVERY_TICKS = 1800
/** How long an own announcement counts; it is renewed at the half. */
const VALID_BLOCKS = 20_000
/** Policies of one block are told apart by what is added to it. */
const POLICIES_PER_BLOCK = 1n << 20n

export class GossipNode {
  readonly #options: GossipNodeOptions
  #cancels: readonly Cancel[] = []
  #proofs = 0
  #ticks = 0

  constructor(options: GossipNodeOptions) {
    this.#options = options
  }

  start(): void {
    const { transport, timers, core } = this.#options
    for (const neighbour of transport.neighbours()) core.connected(neighbour)
    this.#cancels = [
      transport.onConnected((peer) => void core.connected(peer)),
      transport.onDisconnected((peer) => core.disconnected(peer)),
      transport.onFrame((from, frame) => this.#receive(from, frame)),
      timers.every(TICK_MS, () => this.#tick()),
    ]
    this.announceOwn()
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
  }

  onChain(event: ChannelEvent): void {
    this.#options.core.onChain(event)
  }

  onHead(block: number): void {
    this.#options.core.onHead(block)
  }

  /** Asks partners to announce what is not announced, and tells what is asked in the channels that are. */
  announceOwn(): void {
    for (const channel of this.#options.own.all()) {
      if (channel.role !== 'core' || !channel.isUsable) continue
      this.#askPartner(channel)
      this.#tellPolicy(channel)
    }
  }

  #tick(): void {
    this.#ticks++
    if (this.#ticks % OWN_EVERY_TICKS === 0) this.announceOwn()
    this.#startProofs()
    const { transport, core } = this.#options
    if (this.#ticks % AGAIN_EVERY_TICKS === 0) for (const neighbour of transport.neighbours()) if (core.hasHeardAll(neighbour)) core.connected(neighbour)
    for (const neighbour of transport.neighbours()) for (const frame of core.framesFor(neighbour, FRAMES_PER_TICK)) transport.send(neighbour, frame)
  }

  #receive(from: Address, frame: Uint8Array): void {
    if (isAsk(frame)) {
      if (this.#options.core.admits(from, this.#moment())) this.#answerAsk(from, frame)
      return
    }
    const taken = this.#options.core.receive(from, frame, this.#moment())
    if (!taken.ok && !EXPECTED_REFUSALS.has(taken.reason)) this.#options.log.debug('gossip refused', { from, reason: taken.reason })
    this.#startProofs()
  }

  #startProofs(): void {
    while (this.#proofs < PROOFS_AT_ONCE) {
      const claim = this.#options.core.nextClaim()
      if (claim === null) return
      this.#proofs++
      void this.#prove(claim).finally(() => this.#proofs--)
    }
  }

  async #prove(claim: SignedAnnounce): Promise<void> {
    const { prover, core, log } = this.#options
    try {
      core.proved(claim, await prover.prove(claim), this.#moment())
    } catch (thrown) {
      log.warn('a channel could not be checked with the chain', { channel: claim.channel, error: asError(thrown).message })
      core.proved(claim, null, this.#moment())
    }
  }

  /** The lower address asks, the higher completes and tells all. */
  #askPartner(channel: OwnChannel): void {
    const { signer, transport, domain } = this.#options
    if (signer.self > channel.partner || this.#isAnnounced(channel)) return
    const announce = this.#announceOf(channel)
    transport.send(channel.partner, encodeAsk({ ...announce, signatureA: signer.sign(announceDigest(domain, announce)) }))
  }

  #answerAsk(from: Address, frame: Uint8Array): void {
    const { signer, domain, core, own } = this.#options
    const ask = decodeAsk(frame)
    if ('refused' in ask || ask.a !== from || ask.b !== signer.self) return
    const channel = own.all().find((one) => one.channel === ask.channel)
    if (channel === undefined || channel.partner !== from || channel.role !== 'core' || !channel.isUsable || this.#isAnnounced(channel)) return
    const head = this.#options.head()
    const isSame = ask.epoch === channel.epoch && ask.token === channel.token && ask.isCore && channelIdOf(domain.contract, ask.token, ask.a, ask.b) === ask.channel
    // A sequence beyond the chain's would shut out every later announcement of this channel.
    if (!isSame || ask.untilBlock > head + 2 * VALID_BLOCKS || ask.sequence > BigInt(head + VALID_BLOCKS)) return
    const digest = announceDigest(domain, ask)
    if (signer.recover(digest, ask.signatureA) !== from) return
    core.receive(null, encodeAnnounce({ ...ask, signatureB: signer.sign(digest) }), this.#moment())
    this.#startProofs()
  }

  #tellPolicy(channel: OwnChannel): void {
    const { signer, graph, domain, core } = this.#options
    if (!graph.has(channel)) return
    const policy = this.#options.policyOf(channel)
    const head = this.#options.head()
    const told = graph.newestPolicy(channel.channel, signer.self)
    const wanted = { isDisabled: policy === null, maxLock: channel.maxLock, policy: policy ?? told?.policy ?? null }
    if (wanted.policy === null) return
    const isTold = told !== null && told.isDisabled === wanted.isDisabled && told.maxLock === wanted.maxLock && isSamePolicy(told.policy, wanted.policy)
    if (isTold && told.untilBlock - head > VALID_BLOCKS / 2) return
    const ofBlock = BigInt(head) * POLICIES_PER_BLOCK
    const sequence = told !== null && told.sequence >= ofBlock ? told.sequence + 1n : ofBlock
    const update = { ...wanted, policy: wanted.policy, channel: channel.channel, epoch: channel.epoch, from: signer.self, sequence, untilBlock: head + VALID_BLOCKS }
    core.receive(null, encodePolicy({ ...update, signature: signer.sign(policyDigest(domain, update)) }), this.#moment())
  }

  #isAnnounced(channel: OwnChannel): boolean {
    const known = this.#options.graph.get(channel.channel)
    return known !== null && known.facts.epoch === channel.epoch && known.announce.untilBlock - this.#options.head() > VALID_BLOCKS / 2
  }

  #announceOf(channel: OwnChannel): ChannelAnnounce {
    const head = this.#options.head()
    const [a, b]: [Hash, Hash] = [this.#options.signer.self, channel.partner]
    return { channel: channel.channel, epoch: channel.epoch, token: channel.token, a, b, isCore: true, sequence: BigInt(head), untilBlock: head + VALID_BLOCKS }
  }

  #moment(): GossipMoment {
    return { nowMs: this.#options.clock.boottimeMs(), block: this.#options.head() }
  }
}

function isSamePolicy(one: FeePolicy, other: FeePolicy): boolean {
  return one.constant === other.constant && one.ppm === other.ppm && one.curve.every((rate, at) => rate === other.curve[at])
}
