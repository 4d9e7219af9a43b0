/** The owner's verbs and views over channels with original nodes. What the profile does not allow is said, with the reason. */
import { MeshBoxError, inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import { BY_OWNER, channelView, dutyViews, openRow } from '../box/index.ts'
import { spendable } from '../channel/index.ts'
import type { ChannelState } from '../channel/index.ts'
import type { ChannelView, DutyView, OpenOrder, OrderedRoute, PayOrder, PaymentRow, SwapOrder } from '../desk.ts'
import { orderedHash } from '../payment/index.ts'
import type { Path } from '../ports.ts'
import { channelId } from '../wire/index.ts'
import { proveLegacyChannel } from './legacy-storage.ts'
import type { ProvedLegacyChannel } from './legacy-storage.ts'
import type { RunningLegacy } from './running-legacy.ts'

const MAX_SETTLE_TIMEOUT = 2_700_000
const MAX_DATA_BYTES = 256
const MAX_DEPOSIT = (1n << 128n) - 1n
/** Partners asked whether they reach the target. */
const MAX_CARRIERS = 8
/** photon.md 4.2: source routes here are no longer. */
const MAX_HOPS = 5

export class LegacyDesk {
  readonly #room: RunningLegacy

  constructor(room: RunningLegacy) {
    this.#room = room
  }

  channels(): readonly ChannelView[] {
    return this.#room.node.channels().map((state) => this.#view(state))
  }

  channel(id: Hash): ChannelView | null {
    const state = this.#room.node.channel(id)
    return state === undefined ? null : this.#view(state)
  }

  has(id: Hash): boolean {
    return this.#room.node.channel(id) !== undefined
  }

  /** Whether an account is a node of the LAN, as far as is known now, or a partner. */
  knows(account: Address): boolean {
    const { places, parts, node } = this.#room
    return places.of(account, parts.clock.boottimeMs()) !== null || node.channels().some(({ partner }) => partner.address === account)
  }

  get account(): Address {
    return this.#room.node.account
  }

  /** Whether an order is for this contract's channels: by its target, or by the way that it names. */
  reaches({ target, token, routes = [] }: { readonly target: Address; readonly token: Address; readonly routes?: readonly OrderedRoute[] }): boolean {
    return this.knows(target) || routes.some(({ nodes: [first] }) => first !== undefined && this.#channelWith(first, token) !== undefined)
  }

  /** Allowance and deposit go out back to back (F2). Errors: input; conflict `photon-channel-exists`; unavailable `photon-no-proof`. */
  async open({ partner, token, amount, settleTimeout: wanted, role }: OpenOrder): Promise<{ readonly channel: Hash }> {
    const { parts, node, duties } = this.#room
    const { settings, store } = parts
    const settleTimeout = wanted ?? settings.settleTimeout
    checkAmount(amount)
    if (partner === node.account) throw inputError('partner', partner, "another node's account")
    if (role === 'core') throw inputError('role', role, "'leaf': a node of the original carries no core channel")
    if (settleTimeout < settings.minSettleTimeout || settleTimeout > MAX_SETTLE_TIMEOUT) throw inputError('settleTimeout', settleTimeout, `${settings.minSettleTimeout} to ${MAX_SETTLE_TIMEOUT} blocks`)
    const channel = channelId(keccakOf(this.#room), node.account, partner, token, node.domain.contract)
    const found = await this.#proved(token, node.account, partner)
    const isOrdered = store.read((tx) => duties.pending(tx)).jobs.some(({ due }) => due.duty.kind === 'open' && due.key?.channel === channel)
    if (found.state !== 'none' || isOrdered || node.channel(channel) !== undefined) throw new MeshBoxError('conflict', 'there is such a channel already, or it is being opened; put more into that one', { code: 'photon-channel-exists' })
    // The contract names lives by the block they began in, which is not known yet: this one names the order.
    const epoch = BigInt(parts.chain.head()?.number ?? 0)
    await store.turn((tx) => duties.put(tx, [{ duty: { kind: 'open', token, partner, amount, settleTimeout, epoch }, key: { channel, epoch }, fromBlock: 0, deadlineBlock: null }]))
    void duties.look()
    return { channel }
  }

  /** F5: what the contract holds is looked at just before, since a deposit joins whatever channel there is. */
  async deposit(id: Hash, amount: bigint): Promise<void> {
    const { parts, duties } = this.#room
    const state = this.#known(id)
    checkAmount(amount)
    const { key, token, own, partner, settleTimeout } = state
    if (state.phase !== 'opened') throw new MeshBoxError('conflict', `the channel is ${state.phase}`, { code: 'photon-phase' })
    const found = await this.#proved(token, own.address, partner.address)
    if (found.state !== 'open' || BigInt(found.openBlock) !== key.epoch || found.settleTimeout < parts.settings.minSettleTimeout)
      throw new MeshBoxError('conflict', 'the contract holds another channel of these two than the one that is meant, or one that settles too fast', { code: 'photon-phase' })
    await parts.store.turn((tx) => duties.put(tx, [{ duty: { kind: 'deposit', token, participant: own.address, partner: partner.address, amount, settleTimeout, epoch: key.epoch }, key, fromBlock: 0, deadlineBlock: null }]))
    void duties.look()
  }

  withdraw(): Promise<void> {
    return Promise.reject(new MeshBoxError('conflict', 'a v1 signature under a withdrawal never ends (5000): close the channel and open it anew', { code: 'photon-refused' }))
  }

  async close(id: Hash, isForced: boolean): Promise<void> {
    const { node, duties } = this.#room
    const { partner } = this.#known(id)
    if (isForced) await node.close(id, BY_OWNER)
    else if (!this.#room.legacy.settings.trustedPeers.includes(partner.address))
      throw new MeshBoxError('conflict', 'a v1 signature under a settlement never ends and can be passed off as a balance proof (5001): close by force, or name the partner in photon.v1_trusted', { code: 'photon-refused' })
    else await node.askSettle(id, null)
    void duties.look()
  }

  async pay(order: PayOrder): Promise<{ readonly id: Hash }> {
    const { target, token, amount, maxFee, data, secretHash, secret = null, isDirect, routes } = order
    const { node } = this.#room
    checkAmount(amount)
    if (target === node.account) throw inputError('target', target, "another node's account")
    if (data.length > MAX_DATA_BYTES) throw inputError('data', `${data.length} bytes`, `at most ${MAX_DATA_BYTES} bytes`)
    if (isDirect) {
      if (secretHash !== null) throw inputError('secretHash', secretHash, 'none in a direct payment')
      if (secret !== null) throw inputError('secret', '(hidden)', 'none in a direct payment')
      const state = this.#channelWith(target, token)
      if (state === undefined) throw new MeshBoxError('not-found', 'there is no channel with it in this token', { code: 'photon-channel', field: 'target', value: target })
      const { paymentId } = await node.payDirect({ channel: state.key.channel, amount, data })
      return { id: paymentId }
    }
    await this.#findWays(token, target, amount, maxFee, routes ?? [])
    const id = await node.payLocked({ token, target, amount, maxFee, data, maxParts: 1, ...(secretHash === null ? {} : { secretHash }), ...(secret === null ? {} : { secret, isRevealAllowed: false }) })
    return { id: node.payment(id)?.secretHash ?? secretHash ?? '0x' }
  }

  /** Both legs over channels of the original's contract; `order` is sound. */
  async swap({ routes = [], secret, ...leg }: SwapOrder): Promise<void> {
    await this.#findWays(leg.token, leg.target, leg.amount, leg.maxFee, routes)
    await this.#room.node.swap({ ...leg, ...(leg.side === 'maker' && secret !== null ? { secret } : {}) })
  }

  /** That it begins with a channel of this contract; what there is of others is not known. */
  paths(target: Address, token: Address, amount: bigint): readonly { readonly nodes: readonly Address[]; readonly fee: bigint }[] {
    const { node } = this.#room
    const state = this.#channelWith(target, token)
    return state !== undefined && node.isReady(state.key.channel) && spendable(state) >= amount ? [{ nodes: [target], fee: 0n }] : []
  }

  /** The name of a payment of ours under way; null: none has this id. */
  openPayment(id: Hash): string | null {
    return this.#room.node.openPayments().find((payment) => payment.role === 'initiator' && orderedHash(payment) === id)?.id ?? null
  }

  cancel(name: string): Promise<void> {
    return this.#room.node.cancel(name)
  }

  allowReveal(name: string): Promise<void> {
    return this.#room.node.allowReveal(name)
  }

  openRows(): readonly PaymentRow[] {
    return this.#room.node.openPayments().flatMap((payment) => openRow(payment) ?? [])
  }

  duties(): readonly DutyView[] {
    return dutyViews(this.#room.parts.store.read((tx) => this.#room.duties.pending(tx)))
  }

  peers(): readonly { readonly account: Address; readonly address: string | null; readonly isConnected: boolean }[] {
    return this.#room.status().nodes.map(({ account, place, isConnected }) => ({ account, address: `/ip4/${place.host}/udp/${place.port}`, isConnected }))
  }

  /** Before an order goes out: its own ways, else such as the chain shows. Errors: input `routes`; unavailable `photon-no-proof`. */
  async #findWays(token: Address, target: Address, amount: bigint, fee: bigint, ordered: readonly OrderedRoute[]): Promise<void> {
    if (this.#channelWith(target, token) !== undefined) return
    const given = ordered.map((route) => this.#orderedPath(token, target, amount, route))
    this.#room.routes.put(token, target, given.length > 0 ? given : await this.#routes(token, target, amount, fee))
  }

  /** As the client names it. What each carrier asks is not known: all of the fee goes along until the last of them, who keeps what is left. */
  #orderedPath(token: Address, target: Address, amount: bigint, { nodes, fee }: OrderedRoute): Path {
    const { node } = this.#room
    const { contract } = node.domain
    const [first, last] = [nodes[0], nodes.at(-1)]
    const state = first === undefined ? undefined : this.#channelWith(first, token)
    if (state === undefined || last !== target || nodes.length > MAX_HOPS || new Set([node.account, ...nodes]).size <= nodes.length)
      throw inputError('routes', nodes.join(' '), `at most ${MAX_HOPS} different nodes, the first a partner of this box in that token, the last the target`)
    const from = (at: number): Address => nodes[at - 1] ?? node.account
    const hops = nodes.map((one, at) => ({ node: one, channel: channelId(keccakOf(this.#room), from(at), one, token, contract), amount: at === nodes.length - 1 ? amount : amount + fee }))
    return { hops, amount, fee }
  }

  /**
   * Over one partner that has a channel with the target, as the chain says it now. What carriers ask is not known, and one that has
   * refused a payment does not look at it again: all that may be spent is offered, and the last carrier keeps what is left of it.
   */
  async #routes(token: Address, target: Address, amount: bigint, fee: bigint): Promise<readonly Path[]> {
    const { node } = this.#room
    const carriers = node.channels().filter((state) => state.token === token && state.phase === 'opened' && node.isReady(state.key.channel)).slice(0, MAX_CARRIERS)
    const routes: Path[] = []
    for (const { key, partner } of carriers) {
      const onward = await this.#proved(token, partner.address, target)
      if (onward.state !== 'open') continue
      const channel = channelId(keccakOf(this.#room), partner.address, target, token, node.domain.contract)
      routes.push({ hops: [{ node: partner.address, channel: key.channel, amount: amount + fee }, { node: target, channel, amount }], amount, fee })
    }
    return routes
  }

  /** At the newest block. Errors: unavailable `photon-no-proof`. */
  async #proved(token: Address, a: Address, b: Address): Promise<ProvedLegacyChannel> {
    const { parts, node } = this.#room
    const { contract } = node.domain
    const keccak = keccakOf(this.#room)
    const point = parts.chain.head()
    const found = point === null ? null : await proveLegacyChannel(parts.chain, keccak, point, contract, channelId(keccak, a, b, token, contract), [a, b])
    if (found === null) throw new MeshBoxError('unavailable', 'the chain cannot say now whether there is such a channel', { code: 'photon-no-proof', retryAfterSeconds: 10 })
    return found
  }

  #channelWith(target: Address, token: Address): ChannelState | undefined {
    return this.#room.node.channels().find((state) => state.partner.address === target && state.token === token)
  }

  #known(id: Hash): ChannelState {
    const state = this.#room.node.channel(id)
    if (state === undefined) throw new MeshBoxError('not-found', 'there is no such channel', { code: 'photon-channel', field: 'channel', value: id })
    return state
  }

  #view(state: ChannelState): ChannelView {
    const { parts, node, moments } = this.#room
    return channelView(state, {
      moment: moments.now(),
      tokenOf: (address) => parts.settings.tokens.find((token) => token.address === address) ?? null,
      isReady: (channel) => node.isReady(channel),
      refusalOf: () => null,
      blockMs: (number) => {
        const seconds = parts.chain.at(number)?.timeSeconds
        return seconds === undefined ? null : seconds * 1000
      },
    })
  }
}

function checkAmount(amount: bigint): void {
  if (amount < 1n || amount > MAX_DEPOSIT) throw inputError('amount', amount, '1 to 2^128 − 1 smallest units')
}

function keccakOf({ parts }: RunningLegacy): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => parts.curve.keccak256(bytes)
}
