/**
 * Channels of the original contract with nodes of the original Photon, at work beside our own: the same machines under the
 * profile v1, an account, transactions and a door of their own. What the original has no form for is left out: streams,
 * watchers, gossip, meeting again after a restored backup.
 */
import { asError, hexOf, momentOf } from '../../base/index.ts'
import type { Address, Cancel, Hash } from '../../base/index.ts'
import { ChainMoments, chainNews, offlineMemory, dropNote, readNote } from '../box/index.ts'
import type { Alarms, ContractTerms, RoomTerms } from '../box/index.ts'
import { DutyDesk, SCHEDULE_RULES, callsOf, transactionSealer } from '../chain/index.ts'
import type { DutyAlarm, Follower, ToldEffect } from '../chain/index.ts'
import { PhotonNode } from '../node/index.ts'
import type { PhotonParts } from '../parts.ts'
import type { Path, Router } from '../ports.ts'
import { feeOf } from '../route/index.ts'
import { createWire } from '../wire/index.ts'
import { Announcer } from './announcer.ts'
import { LanDoor } from './lan-door.ts'
import { KnownRoutes } from './known-routes.ts'
import { legacyCooperativeSettle } from './legacy-calls.ts'
import { readLegacyBlock } from './legacy-block.ts'
import { OLD_COPY_V1_NOTE } from './old-copy.ts'
import type { LanStatus, LegacyParts } from './parts.ts'
import { Places } from './places.ts'
import type { LanNode } from './places.ts'

const DOOR_RETRY_MS = 10_000
const GAS_LOOK_BLOCKS = 20
const DUTY_SCOPE = 'v1:'
/** Alarms that end by themselves. */
const PASSING: readonly DutyAlarm[] = ['deadline-near', 'gas-money', 'price-cap']

export class RunningLegacy {
  readonly node: PhotonNode
  readonly duties: DutyDesk
  readonly moments: ChainMoments
  readonly door: LanDoor
  readonly places: Places
  readonly routes = new KnownRoutes()
  readonly terms: ContractTerms
  readonly parts: PhotonParts
  readonly legacy: LegacyParts
  readonly #held: RoomTerms
  readonly #alarms: Alarms
  readonly #changed: () => void
  readonly #follower: Follower
  readonly #cancels: Cancel[] = []
  #announcer: Announcer | null = null
  #cancelDoor: Cancel = () => undefined
  #opening: Promise<unknown> = Promise.resolve()
  #isStopped = false
  #isShut = false
  #isLost = false
  #gasWei: bigint | null = null
  #gasAt = -GAS_LOOK_BLOCKS

  constructor(parts: PhotonParts, legacy: LegacyParts, terms: ContractTerms, alarms: Alarms, changed: () => void, held: RoomTerms) {
    const { settings, chain, store, curve, clock, timers, log } = parts
    const { signer } = legacy
    const { domain, registry } = terms
    const { contract } = domain
    const keccak = (bytes: Uint8Array): Uint8Array => curve.keccak256(bytes)
    this.parts = parts
    this.legacy = legacy
    this.terms = terms
    this.#held = held
    this.#alarms = alarms
    this.#changed = changed
    this.moments = new ChainMoments({ chain, clock, timers, memory: offlineMemory(store, log), isStopped: () => this.#isLost })
    const site = { profile: 'v1', contract, registry, self: signer.account } as const
    this.duties = new DutyDesk({
      scope: DUTY_SCOPE,
      store,
      chain,
      tools: {
        keccak,
        account: signer.account,
        // The network's own number: what the contract says of itself is for signatures alone, and may be another.
        seal: transactionSealer(keccak, chain.chainId, (digest) => signer.sign(digest)),
        callsOf: ({ duty }) => (duty.kind === 'cooperative-settle' ? [legacyCooperativeSettle(keccak, contract, duty)] : callsOf(keccak, site, duty)),
        rules: { ...SCHEDULE_RULES, maxGasPriceWei: settings.maxGasPriceWei },
      },
      gasPriceWei: parts.gasPriceWei,
      told: (effect) => this.#onDuty(effect),
      failed: (thrown) => log.warn('a transaction of the v1 account is tried again with the next block', { error: asError(thrown).message }),
    })
    this.places = new Places(signer.account, () => new Set(this.node.channels().map(({ partner }) => partner.address)))
    this.places.own(legacy.settings.nodes)
    this.door = new LanDoor({
      self: signer.account,
      wire: createWire(domain, keccak),
      keccak,
      recover: (digest, signature) => {
        const found = curve.recoverAddress(digest, signature, 'accept')
        return found === null ? null : hexOf(found)
      },
      partnerOf: (channel) => this.node.channel(channel)?.partner.address ?? null,
      nonceOf: (channel) => this.node.channel(channel)?.partner.nonce ?? 0n,
      places: this.places,
      maxPeers: legacy.settings.maxPeers,
      openSocket: legacy.openSocket,
      isNear: legacy.isNear,
      clock,
      timers,
      log,
    })
    this.node = new PhotonNode({
      domain,
      keccak256: keccak,
      signer,
      // The original's contract takes a high s too.
      recovery: {
        recoverAddressBatch: (frames) => curve.recoverAddressBatch(frames, 'accept'),
        recoverAddressBatchInPool: (frames) => curve.recoverAddressBatchInPool(frames, 'accept'),
        recoverOneSignerBatch: (frames) => curve.recoverOneSignerBatch(frames, 'accept'),
        recoverOneSignerBatchInPool: (frames) => curve.recoverOneSignerBatchInPool(frames, 'accept'),
      },
      store,
      transport: this.door,
      clock,
      timers,
      randomness: parts.randomness,
      soon: parts.soon,
      log,
      moments: this.moments,
      duties: this.duties,
      router: this.#router(),
      fees: {
        post: (tx, { paymentKey, token, amount, from }) => {
          if (amount > 0n) parts.ledger.earn(tx, { source: 'photon:fee', token: settings.tokens.find(({ address }) => address === token)?.symbol ?? token, amount, from: `photon:${from}`, evidence: { type: 'payment', id: hexOf(keccak(new TextEncoder().encode(paymentKey))) }, at: momentOf(clock) })
        },
      },
      feeFor: ({ key, token, spendable, capacity }, amount) => feeOf(held.fees.policyOf(key.channel, token), amount, spendable, capacity),
      heldBack: () => held.modes.lockFault(),
      // Leaves: a node on the LAN may go away at any time. Payments from one to the next go through us all the same.
      roleOf: () => 'leaf',
      rules: {
        revealTimeout: settings.revealTimeout,
        minSettleTimeout: settings.minSettleTimeout,
        maxOfflineExposure: settings.maxOfflineExposure,
        trustedPartners: new Set(legacy.settings.trustedPeers),
      },
      paymentRules: { revealTimeoutBlocks: settings.revealTimeout },
    })
    this.#follower = chainNews({
      chain,
      keccak,
      contract,
      registry,
      read: { readBlock: (point, logs) => readLegacyBlock({ chain, keccak, contract, registry, self: signer.account, channelOf: (channel) => this.#channelOf(channel) }, point, logs) },
      firstBlock: legacy.settings.firstBlock,
      store,
      node: this.node,
      duties: this.duties,
      heard: () => {
        this.#changed()
        return Promise.resolve()
      },
      rewarded: () => Promise.resolve(),
      missed: (code, text) => {
        this.#isLost ||= code === 'chain-lost'
        alarms.raise(`v1-${code}`, `v1: ${text}`)
        this.moments.look()
      },
      isStopped: () => this.#isStopped,
      failed: (thrown) => log.warn('the chain’s news of v1 channels are read again with the next block', { error: asError(thrown).message }),
    })
  }

  start(): void {
    const { node, moments } = this
    this.#cancels.push(
      node.onAlarm(({ channel, reason }) => this.#alarms.raise('channel', `v1 channel ${channel} was stopped: ${reason}`)),
      node.onPayment(() => this.#changed()),
      node.onNotice(() => this.#changed()),
      this.door.onConnected(() => this.#changed()),
      this.door.onDisconnected(() => this.#changed()),
      moments.onChange(({ block }) => {
        void this.#lookAtGas(block)
        this.#reviewAlarms()
        this.#changed()
      }),
    )
    node.start([])
    this.#cancels.push(this.#follower.start())
    void this.#follower.catchUp()
    this.#opening = this.#begin()
    if (this.#held.modes.isStopped) void this.shut()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelDoor()
    for (const cancel of this.#cancels.splice(0).reverse()) cancel()
    await this.#opening
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#follower.catchUp()
    await this.duties.look()
    await this.node.stop()
    this.moments.stop()
    await this.#announcer?.stop()
    await this.door.close()
  }

  /** Nobody is reached or let in any more; what the channels need of the chain is still done. */
  async shut(): Promise<void> {
    this.#isShut = true
    this.#cancelDoor()
    await this.#opening
    await this.#announcer?.stop()
    this.#announcer = null
    await this.door.close()
    this.#changed()
  }

  get isLost(): boolean {
    return this.#isLost
  }

  updateNodes(nodes: readonly LanNode[]): void {
    this.places.own(nodes)
    this.door.look()
    this.#changed()
  }

  status(): LanStatus {
    const now = this.parts.clock.boottimeMs()
    const connected = new Set(this.door.connected)
    return {
      state: this.#isLost ? 'halted' : this.moments.now().isFrozen ? 'offline' : 'ready',
      listening: this.door.local,
      nodes: this.places.all(now).map(({ account, place: { host, port } }) => ({ account, place: { host, port }, isConnected: connected.has(account) })),
      ...this.door.counts,
      gasWei: this.#gasWei,
    }
  }

  /** The channel with the target itself, else what the desk was told or has asked the chain for. */
  #router(): Router {
    return {
      find: (request) => {
        const { token, target, amount } = request
        const state = this.node.channels().find((one) => one.partner.address === target && one.token === token && one.phase === 'opened')
        if (state === undefined || !this.node.isReady(state.key.channel)) return this.routes.of(request).map((path) => [path])
        const path: Path = { hops: [{ node: target, channel: state.key.channel, amount }], amount, fee: 0n }
        return [[path]]
      },
      report: () => undefined,
    }
  }

  #channelOf(channel: Hash): { readonly partner: Address; readonly token: Address; readonly settleTimeout: number } | null {
    const state = this.node.channel(channel)
    return state === undefined ? null : { partner: state.partner.address, token: state.token, settleTimeout: state.settleTimeout }
  }

  async #begin(): Promise<void> {
    try {
      await this.#closeOldCopy()
    } catch (thrown) {
      // The door stays shut: what cannot leave cannot be signed twice.
      this.#alarms.raise('v1-start', `v1 channels of an old copy could not be closed: ${asError(thrown).message}; restart the service`)
      return
    }
    await Promise.all([this.#startDuties(), this.#openDoor()])
  }

  /** Nobody can be asked what was signed since: each channel ends with what is known. Errors: what storing it throws. */
  async #closeOldCopy(): Promise<void> {
    const { store } = this.parts
    if (store.read((tx) => readNote(tx, OLD_COPY_V1_NOTE)) === null) return
    for (const { key, dispute } of this.node.channels()) if (dispute === null) await this.node.close(key.channel, 'this box runs on an old copy of the channel')
    await store.turn((tx) => dropNote(tx, OLD_COPY_V1_NOTE))
  }

  async #startDuties(): Promise<void> {
    try {
      this.#cancels.push(await this.duties.start())
    } catch (thrown) {
      this.#alarms.raise('duties', `transactions of v1 channels cannot be sent: ${asError(thrown).message}; restart the service`)
    }
  }

  /** The LAN's address may come up after us. */
  async #openDoor(): Promise<void> {
    if (this.#isStopped || this.#isShut) return
    try {
      await this.door.start()
      await this.#announce()
      this.#alarms.clear('v1-door')
      this.#changed()
    } catch (thrown) {
      await this.door.close()
      if (this.#isStopped) return
      this.#alarms.raise('v1-door', `nodes on the LAN cannot be reached: ${asError(thrown).message}; it is tried again`)
      this.#cancelDoor = this.parts.timers.after(DOOR_RETRY_MS, () => {
        this.#opening = this.#openDoor()
      })
    }
  }

  /** Without it nodes are known by the owner's word; the door stays open. */
  async #announce(): Promise<void> {
    const { mdns, signer, isNear } = this.legacy
    const { local } = this.door
    if (mdns === null || local === null || this.#isStopped || this.#isShut) return
    const { clock, timers } = this.parts
    const announcer = new Announcer({ self: signer.account, local, places: this.places, group: mdns.group, openGroup: mdns.openGroup, openAsker: mdns.openAsker, isNear, clock, timers })
    try {
      await announcer.start()
      this.#announcer = announcer
      this.#alarms.clear('v1-mdns')
    } catch (thrown) {
      await announcer.stop()
      this.#alarms.raise('v1-mdns', `nodes on the LAN are not found by mDNS: ${asError(thrown).message}; it is tried again. They can be named by updatenodes or photon.v1_nodes`)
      this.#cancelDoor = timers.after(DOOR_RETRY_MS, () => {
        this.#opening = this.#announce()
      })
    }
  }

  #onDuty(effect: ToldEffect): void {
    if (effect.kind === 'alarm') this.#alarms.raise(`v1-${effect.alarm}`, `a transaction of the v1 account (${effect.due?.duty.kind ?? 'any'}): ${effect.detail}`)
    this.#changed()
  }

  /** The scheduler takes back what does not hold any more. */
  #reviewAlarms(): void {
    const said = PASSING.filter((code) => this.#alarms.has(`v1-${code}`))
    if (said.length === 0) return
    const { alarms } = this.parts.store.read((tx) => this.duties.pending(tx))
    for (const code of said) if (!alarms.some((alarm) => alarm.startsWith(`${code} `))) this.#alarms.clear(`v1-${code}`)
  }

  async #lookAtGas(block: number): Promise<void> {
    if (block < this.#gasAt + GAS_LOOK_BLOCKS && block >= this.#gasAt) return
    this.#gasAt = block
    const { chain, log } = this.parts
    const safe = chain.safe()
    try {
      this.#gasWei = safe === null ? null : ((await chain.account(safe, this.legacy.signer.account))?.balanceWei ?? this.#gasWei)
    } catch (thrown) {
      log.debug('what the v1 account has for gas could not be read', { error: asError(thrown).message })
    }
  }
}
