/**
 * From which block on the chain's news are told, and what is to be looked at before: nothing, as a rule. After a loss of
 * the book the channels have to be found again (rebuild.ts); after blocks that are not kept any more, or a chain that took
 * back what money rests on, every channel is read from the contract's storage first (recheck.ts).
 */
import { MeshBoxError, RateLimit, asError } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import { savePosition } from '../chain/index.ts'
import type { Follower, RewardedEvent } from '../chain/index.ts'
import type { PhotonParts } from '../parts.ts'
import type { ChannelEvent, ChannelKey } from '../ports.ts'
import { channelIdOf } from '../route/index.ts'
import type { Alarms } from './alarms.ts'
import { followNews } from './chain-news.ts'
import type { ChainNewsOptions } from './chain-news.ts'
import { Rebuild } from './rebuild.ts'
import { Recheck } from './recheck.ts'
import type { RecheckOptions } from './recheck.ts'
import type { Watching } from './watching.ts'

export interface ChainRecoveryOptions extends Omit<RecheckOptions, 'recheckWatched' | 'chain' | 'store' | 'log'> {
  readonly parts: PhotonParts
  readonly contract: Address
  readonly alarms: Alarms
  readonly watching: Watching
  /** Boxes known by address, and those connected now. */
  readonly partners: () => readonly Address[]
  readonly rewarded: (event: RewardedEvent) => Promise<void>
  readonly isStopped: () => boolean
  /** After the chain has been lost or found. */
  readonly changed: () => void
}

/** What a peer says of channels that are not known here costs reads from the chain. */
const CLAIMS = { burst: 4, perSecond: 1 / 60 }
const ALL_CLAIMS = { burst: 32, perSecond: 1 }

export class ChainRecovery {
  readonly #options: ChainRecoveryOptions
  readonly #recheck: Recheck
  readonly #rebuild: Rebuild
  readonly #claims = new RateLimit(CLAIMS)
  readonly #allClaims = new RateLimit(ALL_CLAIMS, 1)
  readonly #cancels: Cancel[] = []
  /** Null: the chain has no block yet that is deep enough, or something has to be looked at first. */
  #follower: Follower | null = null
  #isLost = false
  #working: Promise<void> | null = null

  constructor(options: ChainRecoveryOptions) {
    this.#options = options
    const { chain, store, clock, timers, log, settings } = options.parts
    this.#recheck = new Recheck({ ...options, chain, store, log, recheckWatched: () => options.watching.recheck() })
    this.#rebuild = new Rebuild({
      chain,
      store,
      node: options.node,
      recheck: this.#recheck,
      copies: options.watching.copies,
      partners: options.partners,
      tokens: settings.tokens.map(({ address }) => address),
      alarms: options.alarms,
      clock,
      timers,
      log,
      done: () => void this.#begin(),
    })
  }

  /** What was told of the chain is not so any more: nothing rests on it. */
  get isLost(): boolean {
    return this.#isLost
  }

  start(): void {
    this.#rebuild.start()
    this.#cancels.push(this.#options.parts.chain.onHead(() => void this.#begin()))
    void this.#begin()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0).reverse()) cancel()
    this.#rebuild.stop()
    await this.#working
    await this.#follower?.catchUp()
  }

  /** A peer speaks of a channel that is not known here; most likely the chain's news have not come so far. */
  claimed(from: Address, { channel }: ChannelKey): void {
    const { parts, contract, node } = this.#options
    const nowMs = parts.clock.boottimeMs()
    if (this.#rebuild.isFinding || this.#claims.take(from, nowMs) > 0 || this.#allClaims.take('all', nowMs) > 0) return
    const token = parts.settings.tokens.find(({ address }) => channelIdOf(contract, address, node.account, from) === channel)
    if (token !== undefined) void this.look(token.address, from)
  }

  /** A guest asks for a channel that is not known here. As `claimed`. */
  asked(token: Address, partner: Address): void {
    const nowMs = this.#options.parts.clock.boottimeMs()
    if (!this.#rebuild.isFinding && this.#claims.take(partner, nowMs) === 0 && this.#allClaims.take('all', nowMs) === 0) void this.look(token, partner)
  }

  /** Takes in the channel with `partner` if the chain has one that no news told of. Never rejects. */
  async look(token: Address, partner: Address): Promise<void> {
    const { parts } = this.#options
    try {
      await this.#follower?.catchUp()
      // One that is young will be told; until then it must not be taken for one that was forgotten.
      if (this.#follower === null || this.#follower.position < (parts.chain.safe()?.number ?? Infinity)) return
      if (this.#rebuild.mayHaveUsed(0)) await this.#rebuild.found(token, partner)
      else await this.#recheck.learn(token, partner)
    } catch (thrown) {
      parts.log.debug('a channel that a peer speaks of could not be looked up', { partner, error: asError(thrown).message })
    }
  }

  /** The owner wants an alarm of the chain gone: see `PhotonDesk.clearAlarm`. */
  async clear(code: 'chain-gap' | 'chain-lost'): Promise<void> {
    const { parts, alarms } = this.#options
    if (parts.chain.isFrozen()) throw new MeshBoxError('conflict', 'the chain is out of view or has an alarm of its own: that comes first', { code: 'photon-alarm-stands' })
    await this.#working
    const point = await this.#recheck.all()
    if (code === 'chain-gap') {
      alarms.clear(code)
      return this.#begin()
    }
    await parts.store.turn((tx) => savePosition(tx, this.#options.contract, point))
    this.#follower = null
    this.#isLost = false
    alarms.clear(code)
    parts.log.warn('the chain is followed anew', { block: point.number })
    this.#options.changed()
    return this.#begin()
  }

  /** Never rejects: with the next head again. */
  #begin(): Promise<void> {
    this.#working ??= this.#tryToBegin()
      .catch((thrown: unknown) => this.#options.parts.log.debug('the chain’s news wait', { error: asError(thrown).message }))
      .finally(() => (this.#working = null))
    return this.#working
  }

  async #tryToBegin(): Promise<void> {
    const { parts, alarms, isStopped } = this.#options
    const point = parts.chain.safe()
    if (this.#follower !== null || this.#isLost || this.#rebuild.isFinding || point === null || isStopped()) return
    const news = followNews(this.#newsOptions())
    if (news.gap !== null) {
      alarms.raise('chain-gap', `blocks ${news.gap.from} to ${news.gap.to} are not kept any more: every channel is read from the contract's storage before the chain is followed on`)
      if (parts.chain.isFrozen()) return
      await this.#recheck.all()
      alarms.clear('chain-gap')
    }
    if (isStopped()) return
    this.#follower = news.follower
    this.#cancels.push(news.follower.start())
    await news.follower.catchUp()
    if (news.isLate) await this.#sweep()
  }

  /** The contract is older than all that can be read: partners that are known may have channels with this box. */
  async #sweep(): Promise<void> {
    for (const partner of this.#options.partners()) for (const { address } of this.#options.parts.settings.tokens) await this.look(address, partner)
  }

  #newsOptions(): ChainNewsOptions {
    const { parts, contract, registry, keccak, node, duties, heard, rewarded, alarms, isStopped, changed } = this.#options
    const { chain, store, settings, log } = parts
    return {
      chain,
      keccak,
      contract,
      registry,
      firstBlock: settings.firstBlock,
      store,
      node,
      duties,
      opened: (event) => this.#opened(event),
      heard,
      rewarded,
      lost: (number) => {
        this.#isLost = true
        alarms.raise('chain-lost', `block ${number}, which money rests on, is not in the chain any more: channels stand still. Look at the chain's alarm, then clear this one: every channel is compared with the chain as it is`)
        changed()
      },
      failed: (thrown) => log.warn('the chain’s news are read again with the next block', { error: asError(thrown).message }),
      isStopped,
    }
  }

  /** News of an opening from before the loss of the book: what was signed since is to be asked for. */
  async #opened(event: Extract<ChannelEvent, { kind: 'opened' }>): Promise<void> {
    const { node } = this.#options
    const isOurs = event.a === node.account || event.b === node.account
    if (!isOurs || !this.#rebuild.mayHaveUsed(event.block)) return node.onChannelEvent(event)
    await this.#rebuild.found(event.token, event.a === node.account ? event.b : event.a)
  }
}
