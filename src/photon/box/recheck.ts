/**
 * Channels read from the contract's storage, by proof, where the news of the chain cannot be had: blocks that are not
 * kept any more, a chain that took back what it said, channels older than the first block that this box can read.
 */
import { MeshBoxError, ZERO_HASH } from '../../base/index.ts'
import type { Address, Hash, Log } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import { proveChannel, secretSlot } from '../chain/index.ts'
import type { DutyDesk, ProvedChannel } from '../chain/index.ts'
import type { ChannelRole, ChannelState } from '../channel/index.ts'
import type { PhotonNode } from '../node/index.ts'
import type { ChainPoint, ChainPort, ChannelEvent } from '../ports.ts'
import { channelIdOf } from '../route/index.ts'
import { createWire } from '../wire/index.ts'
import { asProved, neverUsed } from './proved-state.ts'
import type { FoundChannel, ProofOf } from './proved-state.ts'

export interface RecheckOptions {
  readonly chain: ChainPort
  readonly keccak: (data: Uint8Array) => Uint8Array
  readonly registry: Address
  readonly store: Store
  readonly node: PhotonNode
  readonly duties: DutyDesk
  readonly roleOf: (opened: Extract<ChannelEvent, { kind: 'opened' }>, partner: Address) => ChannelRole
  /** Everybody else who hears of channels. */
  readonly heard: (event: ChannelEvent) => Promise<void>
  /** Neighbours' channels that this box watches. False: not to be had now. */
  readonly recheckWatched: () => Promise<boolean>
  readonly log: Log
}

export type Sought = { readonly kind: 'none' } | { readonly kind: 'known' } | { readonly kind: 'found'; readonly it: FoundChannel }

export class Recheck {
  readonly #options: RecheckOptions

  constructor(options: RecheckOptions) {
    this.#options = options
  }

  /**
   * Brings every channel to what the chain says at the safe block, which is returned. Errors: unavailable
   * `photon-no-proof`; what was brought so far stays, since it is so.
   */
  async all(): Promise<ChainPoint> {
    const { chain, node, duties, store, recheckWatched } = this.#options
    const point = chain.safe()
    if (point === null) throw noProof()
    for (const state of node.channels()) await this.#one(state, point)
    const opened = store.read((tx) => duties.pending(tx)).jobs.flatMap(({ due: { duty } }) => (duty.kind === 'open' ? [duty] : duty.kind === 'open-for' ? [{ token: duty.token, partner: duty.participant }] : []))
    for (const { token, partner } of opened) await this.learn(token, partner)
    if (!(await recheckWatched())) throw noProof()
    return point
  }

  /** The channel with `partner` in `token`, where the chain has one that this box does not know. Errors: unavailable `photon-no-proof`. */
  async seek(token: Address, partner: Address): Promise<Sought> {
    const { chain, node, roleOf } = this.#options
    const { domain, account: self } = node
    const channel = channelIdOf(domain.contract, token, self, partner)
    if (node.channel(channel) !== undefined) return { kind: 'known' }
    const point = chain.safe()
    const found = point === null ? null : await this.#prove(point, channel, partner)
    if (point === null || found === null) throw noProof()
    if (found.state === 'none') return { kind: 'none' }
    const [a, b] = self < partner ? [self, partner] : [partner, self]
    const role = roleOf({ kind: 'opened', channel, block: point.number, token, a, b, epoch: found.epoch, settleTimeout: found.settleTimeout }, partner)
    return { kind: 'found', it: { domain, token, channel, self, partner, role, found, block: point.number } }
  }

  /** Takes in such a channel as one in which this box has signed nothing. True: it is known now. Errors: unavailable `photon-no-proof`. */
  async learn(token: Address, partner: Address): Promise<boolean> {
    const sought = await this.seek(token, partner)
    if (sought.kind === 'found') await this.adopt(sought.it, neverUsed(sought.it))
    return sought.kind !== 'none'
  }

  /** `state`: what is known besides the chain. Everybody is told as if the chain's news had said it. */
  async adopt(it: FoundChannel, state: ChannelState): Promise<void> {
    const { node, store, duties, heard, log } = this.#options
    const { channel, token, self, partner, found, block } = it
    log.info('a channel is found in the chain that no news told of', { channel, partner, epoch: found.epoch.toString(), state: found.state })
    await node.outside.adopt(state)
    if (node.channel(channel) !== undefined) await node.outside.amend(channel, (now) => this.#brought(now, found))
    const [a, b] = self < partner ? [self, partner] : [partner, self]
    const opened: ChannelEvent = { kind: 'opened', channel, block, token, a, b, epoch: found.epoch, settleTimeout: found.settleTimeout }
    await store.turn((tx) => duties.noteEvents(tx, [opened]))
    await heard(opened)
  }

  async #one(state: ChannelState, point: ChainPoint): Promise<void> {
    const { node, heard } = this.#options
    const { channel, epoch } = state.key
    const found = await this.#prove(point, channel, state.partner.address)
    if (found === null) throw noProof()
    if (found.epoch < epoch) return node.close(channel, 'its opening is not in the chain any more')
    if (found.epoch > epoch || found.state === 'none') {
      const settled: ChannelEvent = { kind: 'settled', channel, block: point.number, cooperative: false, amounts: null }
      await node.onChannelEvent(settled)
      await this.#options.store.turn((tx) => this.#options.duties.noteEvents(tx, [settled]))
      await heard(settled)
      if (found.state !== 'none') await this.learn(state.token, state.partner.address)
      return
    }
    await node.outside.amend(channel, (now) => this.#brought(now, found))
    if (found.state === 'closed' && state.dispute === null) await heard({ kind: 'closed', channel, block: point.number, by: state.partner.address, nonce: found.sides[0].nonce, locksroot: ZERO_HASH, transferred: 0n, settleBlock: found.settleBlock })
    for (const { secretHash, secret, registeredBlock } of state.partner.locks) {
      if (secret === null || registeredBlock !== null) continue
      const block = await this.#options.chain.storage(point, this.#options.registry, secretSlot(this.#options.keccak, secretHash))
      if (block === null) throw noProof()
      if (block > 0n) await node.onSecretEvent({ kind: 'secret', secret, secretHash, block: Number(block) })
    }
  }

  #brought(state: ChannelState, found: ProvedChannel): ChannelState {
    return asProved({ keccak: this.#options.keccak, proofOf: this.#proofOf(state) }, state, found)
  }

  /** Packets are kept for a while, and the newest proofs always. */
  #proofOf(state: ChannelState): ProofOf {
    const { node, keccak } = this.#options
    return (who, nonce) => {
      const newest = state[who].proof
      if (newest?.nonce === nonce) return newest
      const packet = node.outside.packet(state.key.channel, who, nonce)
      const decoded = packet === null ? null : createWire(node.domain, keccak).decode(packet)
      return decoded === null || 'refused' in decoded || !('envelope' in decoded.message) ? null : decoded.message.envelope
    }
  }

  #prove(point: ChainPoint, channel: Hash, partner: Address): Promise<ProvedChannel | null> {
    const { chain, keccak, node } = this.#options
    return proveChannel(chain, keccak, point, node.domain.contract, channel, [node.account, partner])
  }
}

function noProof(): MeshBoxError {
  return new MeshBoxError('unavailable', 'the chain cannot say now how every channel stands', { code: 'photon-no-proof', retryAfterSeconds: 30 })
}
