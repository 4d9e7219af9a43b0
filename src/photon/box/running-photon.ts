/** One contract's channels at work: every part of the room made, handed what it needs, started in order and stopped in reverse. */
import { asError, hexOf, momentOf } from '../../base/index.ts'
import type { Address, Cancel, Hash } from '../../base/index.ts'
import { DutyDesk, SCHEDULE_RULES, callsOf, transactionSealer } from '../chain/index.ts'
import type { DutyAlarm, ToldEffect } from '../chain/index.ts'
import type { ChannelRole } from '../channel/index.ts'
import { PhotonNode, createPeerBinding } from '../node/index.ts'
import type { PeerDoor, PhotonParts, TokenName } from '../parts.ts'
import type { ChannelEvent, FeePolicy } from '../ports.ts'
import { ChannelGraph, GossipCore, GossipNode, LocalRouter, feeOf } from '../route/index.ts'
import type { OwnChannel, OwnChannels } from '../route/index.ts'
import { createDigests } from '../wire/index.ts'
import type { Alarms } from './alarms.ts'
import { ChainMoments, offlineMemory } from './chain-moments.ts'
import { ChainRecovery } from './chain-recovery.ts'
import { ChannelPayer } from './channel-payer.ts'
import type { ContractTerms } from './contract-terms.ts'
import { CloseRefusals } from './close-refusals.ts'
import { CoreUpkeep } from './core-upkeep.ts'
import type { FeeBoard } from './fee-board.ts'
import { FrameLanes } from './frame-lanes.ts'
import { ChannelOrders } from './guest-orders.ts'
import { KnownPeers } from './known-peers.ts'
import { OLD_COPY_NOTE, dropNote, readNote } from './note-table.ts'
import { ownChannelOf } from './own-channels.ts'
import { OwnCoin } from './own-coin.ts'
import type { PaymentModes } from './payment-modes.ts'
import { RoutedPayer } from './routed-payer.ts'
import { ProvedChannels } from './proved-channels.ts'
import { ChannelStreams } from './stream-side.ts'
import { Watching, watchSigner } from './watching.ts'

const MAX_GRAPH_CHANNELS = 4096
const MAX_CHANNELS_PER_NODE = 64
const DOOR_RETRY_MS = 10_000
const SAID: Readonly<Record<DutyAlarm, string>> = {
  'deadline-near': 'a transaction is not in the chain and its deadline is near',
  late: 'a transaction came too late',
  'gas-money': 'the account has too little for gas',
  'price-cap': 'gas costs more than may be paid for it',
  reverted: 'a transaction failed each time',
  unseen: 'it cannot be seen whether a transaction was done',
}

/** Alarms that end by themselves. */
const PASSING: readonly DutyAlarm[] = ['deadline-near', 'gas-money', 'price-cap']

/** What both rooms heed of the owner's programs. */
export interface RoomTerms {
  readonly modes: PaymentModes
  readonly fees: FeeBoard
}

export class RunningPhoton {
  readonly node: PhotonNode
  readonly duties: DutyDesk
  readonly proved: ProvedChannels
  readonly moments: ChainMoments
  readonly lanes: FrameLanes
  readonly known: KnownPeers
  readonly router: LocalRouter
  readonly streams: ChannelStreams
  readonly direct: ChannelPayer
  readonly routed: RoutedPayer
  readonly #orders: ChannelOrders | null
  readonly watching: Watching
  readonly own: OwnChannels
  readonly coin: OwnCoin
  readonly refusals: CloseRefusals
  readonly recovery: ChainRecovery
  readonly door: PeerDoor
  readonly #held: RoomTerms
  readonly #parts: PhotonParts
  readonly #alarms: Alarms
  readonly #changed: () => void
  readonly #gossip: GossipNode
  readonly #upkeep: CoreUpkeep
  readonly #cancels: Cancel[] = []
  #cancelDoor: Cancel = () => undefined
  #isStopped = false
  #isShut = false
  #opening: Promise<unknown> = Promise.resolve()

  constructor(parts: PhotonParts, { domain, registry }: ContractTerms, alarms: Alarms, changed: () => void, held: RoomTerms) {
    const { settings, chain, store, signer, curve, clock, timers, randomness, log } = parts
    const keccak = (bytes: Uint8Array): Uint8Array => curve.keccak256(bytes)
    this.#parts = parts
    this.#held = held
    this.#alarms = alarms
    this.#changed = changed
    this.moments = new ChainMoments({ chain, clock, timers, memory: offlineMemory(store, log), isStopped: () => this.isLost })
    this.proved = new ProvedChannels(chain, keccak, domain.contract)
    this.duties = new DutyDesk({
      store,
      chain,
      tools: {
        keccak,
        account: signer.account,
        seal: transactionSealer(keccak, domain.chainId, (digest) => signer.sign(digest)),
        callsOf: (due) => callsOf(keccak, { profile: domain.profile, contract: domain.contract, registry, self: signer.account }, due.duty),
        rules: { ...SCHEDULE_RULES, maxGasPriceWei: settings.maxGasPriceWei },
      },
      gasPriceWei: parts.gasPriceWei,
      ending: (tx, due, outcome) => this.#orders?.ending(tx, due, outcome),
      told: (effect) => this.#onDuty(effect),
      failed: (thrown) => log.warn('a transaction is tried again with the next block', { error: asError(thrown).message }),
    })
    this.coin = new OwnCoin({ parts, duties: this.duties, changed })
    this.refusals = new CloseRefusals(store, log)
    const binding = createPeerBinding({ digests: createDigests(domain, keccak), signer, secp256k1: curve, issuedSeconds: () => Math.max(0, Math.floor(clock.wallMs() / 1000)) })
    const keeps = (peer: Address): boolean => this.known.has(peer) || this.node.channels().some(({ partner }) => partner.address === peer)
    this.door = parts.openDoor({ account: signer.account, binding, maxPeers: settings.maxPeers, keeps })
    this.lanes = new FrameLanes(this.door)
    this.known = new KnownPeers({ door: this.door, isConnected: (account) => this.lanes.isConnected(account), fixed: settings.peers, store, clock, timers, log })

    this.own = { all: () => this.node.channels().map((state) => ownChannelOf(state, this.node.isReady(state.key.channel), this.moments.now())) }
    const minDeposit = (token: Address): bigint | null => (this.tokenOf(token) === null ? null : settings.coreMinDeposit)
    const graph = new ChannelGraph({ maxChannels: MAX_GRAPH_CHANNELS, maxChannelsPerNode: MAX_CHANNELS_PER_NODE, minCapacity: settings.coreMinDeposit, core: { minDeposit, minSettleTimeout: settings.coreSettleTimeout } })
    const gossipSigner = watchSigner(parts)
    this.router = new LocalRouter({ self: signer.account, graph, own: this.own, links: { quality: () => ({ tq: null, throughputKbps: null }) }, clock, randomness })
    this.#gossip = new GossipNode({
      domain,
      signer: gossipSigner,
      core: new GossipCore({ domain, recover: (digest, signature) => gossipSigner.recover(digest, signature), graph }),
      graph,
      transport: this.lanes.gossip,
      prover: this.proved.prover,
      own: this.own,
      policyOf: (channel) => this.#policyOf(channel),
      head: () => chain.head()?.number ?? 0,
      clock,
      timers,
      log,
    })
    const isOldCopy = store.read((tx) => readNote(tx, OLD_COPY_NOTE)) !== null
    if (isOldCopy) log.warn('this book is a backup that was put in place; partners are asked what happened since it was made')
    this.node = new PhotonNode({
      domain,
      keccak256: keccak,
      signer,
      recovery: curve,
      store,
      transport: this.lanes.payments,
      clock,
      timers,
      randomness,
      soon: parts.soon,
      log,
      moments: this.moments,
      duties: this.duties,
      router: this.router,
      fees: {
        post: (tx, { paymentKey, token, amount, from }) => {
          if (amount > 0n) parts.ledger.earn(tx, { source: 'photon:fee', token: this.symbolOf(token), amount, from: `photon:${from}`, evidence: { type: 'payment', id: hexOf(keccak(new TextEncoder().encode(paymentKey))) }, at: momentOf(clock) })
        },
      },
      feeFor: ({ key, token, spendable, capacity }, amount) => feeOf(held.fees.policyOf(key.channel, token), amount, spendable, capacity),
      heldBack: () => held.modes.lockFault(),
      reach: (peer) => this.known.wanted(peer),
      claimed: (from, key) => this.recovery.claimed(from, key),
      roleOf: (opened, partner) => this.#roleOf(opened, partner),
      rules: { revealTimeout: settings.revealTimeout, minSettleTimeout: settings.minSettleTimeout, maxOfflineExposure: settings.maxOfflineExposure },
      paymentRules: { revealTimeoutBlocks: settings.revealTimeout },
      fromOldCopy: isOldCopy ? (tx) => dropNote(tx, OLD_COPY_NOTE) : null,
    })
    this.direct = new ChannelPayer(this.node, held.modes)
    this.routed = new RoutedPayer({ contract: domain.contract, node: this.node, modes: held.modes, router: this.router, moment: () => this.moments.now(), chain })
    this.#upkeep = new CoreUpkeep({ parts, node: this.node, duties: this.duties, router: this.router, own: this.own })
    this.streams = new ChannelStreams({ node: this.node, duties: this.duties, proved: this.proved, store, signer, curve, settings, moment: () => this.moments.now(), unknown: (token, payer) => this.recovery.asked(token, payer), log })
    this.#orders =
      settings.orders === undefined || settings.orders === null
        ? null
        : new ChannelOrders({
            ...settings.orders,
            chain,
            node: this.node,
            duties: this.duties,
            store,
            ledger: parts.ledger,
            signer,
            curve,
            settings,
            gasPriceWei: parts.gasPriceWei,
            moment: () => this.moments.now(),
            standing: (payer, token) => this.streams.standing(payer, token),
            symbolOf: (token) => this.symbolOf(token),
            clock,
            log,
          })
    this.streams.orders = this.#orders
    this.watching = new Watching({ parts, domain, node: this.node, duties: this.duties, lane: this.lanes.watch, proved: this.proved, alarms, symbolOf: (token) => this.symbolOf(token) })
    this.recovery = new ChainRecovery({
      parts,
      contract: domain.contract,
      registry,
      keccak,
      node: this.node,
      duties: this.duties,
      watching: this.watching,
      alarms,
      partners: () => [...new Set([...this.known.all().map(({ account }) => account), ...this.lanes.connected])].filter((account) => account !== signer.account),
      roleOf: (opened, partner) => this.#roleOf(opened, partner),
      heard: (event) => this.#heard(event),
      rewarded: (event) => this.watching.rewarded(event),
      changed: () => this.moments.look(),
      isStopped: () => this.#isStopped,
    })
  }

  start(): void {
    const { node, moments, lanes } = this
    let wasFrozen = moments.now().isFrozen
    this.#cancels.push(
      node.onAlarm(({ channel, reason }) => this.#alarms.raise('channel', `channel ${channel} was stopped: ${reason}`)),
      node.onRefusal(({ key, code, reason }) => {
        void this.refusals.note(key, { code, reason })
        this.#changed()
      }),
      node.onPayment(() => this.#changed()),
      node.onNotice(() => this.#changed()),
      this.door.onConnected(() => this.#changed()),
      this.door.onDisconnected(() => this.#changed()),
      moments.onChange(({ isFrozen, block }) => {
        this.#gossip.onHead(block)
        // While it is out of view, what may be taken shrinks with the blocks that pass.
        if (isFrozen || wasFrozen) for (const { key } of node.channels()) this.streams.changed(key)
        wasFrozen = isFrozen
        void this.coin.look(block)
        this.#reviewAlarms()
        this.#changed()
      }),
    )
    node.start(lanes.connected)
    this.#gossip.start()
    this.watching.start()
    this.recovery.start()
    this.#upkeep.start()
    // What asks the network takes its time; guests and the owner do not wait for it.
    this.#opening = Promise.all([this.#startDuties(), this.#openDoor()])
    if (this.#held.modes.isStopped) void this.shut()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelDoor()
    for (const cancel of this.#cancels.splice(0).reverse()) cancel()
    this.known.stop()
    this.#upkeep.stop()
    this.watching.stop()
    this.#gossip.stop()
    await this.#opening
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.recovery.stop()
    await this.duties.look()
    await this.node.stop()
    this.moments.stop()
    this.lanes.close()
    await this.door.close()
  }

  /** Nobody is reached or let in any more; what the channels need of the chain is still done. */
  async shut(): Promise<void> {
    this.#isShut = true
    this.#cancelDoor()
    this.known.stop()
    this.#upkeep.stop()
    await this.#opening
    await this.door.close()
    this.#changed()
  }

  tokenOf(address: Address): TokenName | null {
    return this.#parts.settings.tokens.find((token) => token.address === address) ?? null
  }

  /** As the ledger names it. */
  symbolOf(address: Address): string {
    return this.tokenOf(address)?.symbol ?? address
  }

  get gasWei(): bigint | null {
    return this.coin.wei
  }

  get isLost(): boolean {
    // Asked while the parts are being made, too.
    return this.recovery?.isLost === true
  }

  async #startDuties(): Promise<void> {
    try {
      this.#cancels.push(await this.duties.start())
    } catch (thrown) {
      this.#alarms.raise('duties', `transactions cannot be sent: ${asError(thrown).message}; restart the service`)
    }
  }

  /** At boot the mesh's address may come up after us; what others owe us does not wait for it. */
  async #openDoor(): Promise<void> {
    if (this.#isShut) return
    try {
      await this.door.start()
      this.#alarms.clear('door')
      this.#changed()
    } catch (thrown) {
      if (this.#isStopped || this.#isShut) return
      this.#alarms.raise('door', `other boxes cannot be reached: ${asError(thrown).message}; it is tried again`)
      this.#cancelDoor = this.#parts.timers.after(DOOR_RETRY_MS, () => {
        this.#opening = this.#openDoor()
      })
    }
  }

  async #heard(event: ChannelEvent): Promise<void> {
    this.#gossip.onChain(event)
    await this.watching.heard(event)
    const epoch = this.node.channel(event.channel)?.key.epoch
    if (epoch !== undefined) this.streams.changed({ channel: event.channel, epoch })
    this.#changed()
  }

  #onDuty(effect: ToldEffect): void {
    const kind = effect.due?.duty.kind ?? 'any'
    const place = effect.due?.key === null || effect.due?.key === undefined ? '' : ` of channel ${effect.due.key.channel}`
    if (effect.kind === 'alarm') this.#alarms.raise(effect.alarm, `${SAID[effect.alarm]} (${kind}${place}): ${effect.detail}`)
    else if (kind === 'purse' && effect.due !== null) this.#orders?.ended(effect.due, effect.outcome)
    else if (kind === 'claim' && effect.due.key !== null && effect.outcome !== 'done') this.streams.claimEnded(effect.due.key)
    this.#changed()
  }

  /** The scheduler takes back what does not hold any more. */
  #reviewAlarms(): void {
    const said = PASSING.filter((code) => this.#alarms.has(code))
    if (said.length === 0) return
    const { alarms } = this.#parts.store.read((tx) => this.duties.pending(tx))
    for (const code of said) if (!alarms.some((alarm) => alarm.startsWith(`${code} `))) this.#alarms.clear(code)
  }

  /** As the owner ordered it; else a box that is known by address, with a channel that lasts, is one to carry for others with. */
  #roleOf(opened: Extract<ChannelEvent, { kind: 'opened' }>, partner: Address): ChannelRole {
    const ordered = this.#parts.store.read((tx) => readNote(tx, roleNote(opened.channel)))
    if (ordered !== null) return ordered === 'core' ? 'core' : 'leaf'
    const isBox = this.known.has(partner) || this.lanes.isConnected(partner)
    return isBox && this.tokenOf(opened.token) !== null && opened.settleTimeout >= this.#parts.settings.coreSettleTimeout ? 'core' : 'leaf'
  }

  #policyOf(channel: OwnChannel): FeePolicy | null {
    return channel.role === 'core' ? this.#held.fees.policyOf(channel.channel, channel.token) : null
  }
}

export function roleNote(channel: Hash): string {
  return `role/${channel}`
}
