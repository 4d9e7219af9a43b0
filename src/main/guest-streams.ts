/**
 * Minutes paid by the second: the payee's desk of photon, the hotspot's till behind it, and the portal's door before it.
 * It begins when the channels run, which is after the hotspot, and can wait for the chain's first word.
 */
import { MeshBoxError, asError } from '../base/index.ts'
import type { Address, Cancel, Clock, Log, Randomness, Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { Hotspot, StreamBalance, StreamBoard, StreamDoor, StreamMailbox } from '../hotspot/index.ts'
import type { Photon, PhotonDesk, StreamSide } from '../photon/index.ts'
import { FlashJournal, PayeeDesk, PollingPeer, faultOfTerms } from '../photon/stream/index.ts'
import type { StreamTerms } from '../photon/stream/index.ts'
import type { Store } from '../store/index.ts'
import { GuestFunding } from './guest-funding.ts'
import { GuestOrderDoor } from './guest-orders.ts'
import { FLUSH_TICKS, GRACE_TICKS } from './stream-limits.ts'

/** Of the running room of channels. */
export interface Channels extends Pick<Photon, 'streams'> {
  readonly desk: Pick<PhotonDesk, 'status' | 'duties'>
}

export interface GuestStreamsParts {
  readonly config: () => Config
  readonly hotspot: Pick<Hotspot, 'streams' | 'topUps'>
  /** Null while there are none. */
  readonly channels: () => Channels | null
  readonly keccak: (data: Uint8Array) => Uint8Array
  readonly store: Store
  /** On tmpfs: what a kill of the service, but no power cut, leaves. */
  readonly journalPath: string
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
}

/** Until the channels run: the first guest's page has its card within a second of that. */
const LOOK_MS = 250
const REACH_MS = 5000
const TICK_SECONDS = 1
const STEPS = 60
const HOUR_SECONDS = 3600
const MINUTE_SECONDS = 60n
/** Signatures of liars that are looked at: with noble on a small router each costs tens of milliseconds. */
const WRONG_SIGNATURES = { burst: 60, perSecond: 6 }
const FLUSH_MS = 60_000
const IDLE_MS = 600_000
/** So little left in a channel that the guest may be about to go. */
const LOW_TICKS = 60n
const NEVER = 1n << 127n

interface Running {
  readonly side: StreamSide
  readonly desk: PayeeDesk
  readonly funding: GuestFunding
  readonly orders: GuestOrderDoor
  readonly cancel: Cancel
}

export class GuestStreams {
  readonly #parts: GuestStreamsParts
  #running: Running | null = null
  #cancel: Cancel = () => undefined
  #hasComplained = false
  #reach: { readonly isReady: boolean; readonly atMs: number } | null = null
  readonly #door: StreamDoor

  constructor(parts: GuestStreamsParts) {
    this.#parts = parts
    this.#door = {
      receive: (peer, frames) => this.#running?.desk.receive(peer, frames),
      quiet: async () => this.#running?.desk.quiet(),
      mailbox: (device): StreamMailbox => new PollingPeer(device),
      board: () => this.#board(),
      balance: (payer) => this.#balance(payer as Address),
      purse: (device, payer) => this.#orders().purse(device, payer),
      order: (device, payer, order) => this.#orders().order(device, payer, order),
      takeOut: (device, payer, signed) => this.#orders().takeOut(device, payer, signed),
    }
  }

  /** For the portal; null: not sold, or not yet. */
  door(): StreamDoor | null {
    return this.#running === null || this.#isHeldBack() || this.#terms() === null ? null : this.#door
  }

  start(): void {
    this.#cancel = this.#parts.timers.every(LOOK_MS, () => this.#look())
    this.#look()
  }

  /** Before the hotspot stops. */
  async stop(): Promise<void> {
    this.#cancel()
    const running = this.#running
    this.#running = null
    if (running === null) return
    running.cancel()
    this.#parts.hotspot.topUps.connect(null)
    await running.funding.stop()
    await running.desk.stop()
  }

  #look(): void {
    if (this.#running !== null) return this.#cancel()
    const channels = this.#parts.channels()
    const side = channels?.streams() ?? null
    const token = this.#token()
    if (channels === null || side === null || token === null) return
    try {
      this.#running = this.#begin(channels, side, token)
      this.#cancel()
    } catch (thrown) {
      // Vouchers, and everybody who is online, must not suffer from it.
      if (!this.#hasComplained) this.#parts.log.error('minutes cannot be sold by the second; trying again', { error: asError(thrown) })
      this.#hasComplained = true
    }
  }

  #begin(channels: Channels, side: StreamSide, token: Address): Running {
    const { clock, config, hotspot, keccak, log, randomness, journalPath, store, timers } = this.#parts
    const desk = new PayeeDesk({
      sha256: side.sha256,
      recover: (digest, signature) => side.recover(digest, signature),
      sign: (digest) => side.sign(digest),
      account: (payer, terms) => side.account(payer, terms),
      claimFacts: (key) => side.claimFacts(key),
      paid: (key) => side.paid(key),
      note: (account, point) => side.note(account, point),
      claim: (duty, key, reason) => side.claim(duty, key, reason),
      clock,
      timers,
      randomness,
      log: log.room('streams'),
      terms: () => this.#terms(),
      wrongSignatures: WRONG_SIGNATURES,
      service: hotspot.streams,
      journal: new FlashJournal(store, journalPath),
      policy: () => {
        const unit = this.#terms()?.unit ?? 1n
        const { streamClaimThreshold } = config().photon
        return { flush: { everyMs: FLUSH_MS, value: unit * FLUSH_TICKS }, claim: { threshold: streamClaimThreshold > 0n ? streamClaimThreshold : NEVER, lowDeposit: unit * LOW_TICKS }, idleMs: IDLE_MS }
      },
    })
    desk.start()
    const funding = new GuestFunding({
      side,
      desk: channels.desk,
      keccak,
      news: hotspot.topUps,
      token,
      settleTimeout: config().photon.settleTimeout,
      timers,
      log: log.room('streams'),
    })
    funding.start()
    hotspot.topUps.connect(funding)
    if (this.#isOwnToken(token)) log.info('minutes are sold by the second', { token, payee: side.self })
    else log.error('minutes are not sold by the second: stream_token has other decimals than the token of section token', { token })
    const orders = new GuestOrderDoor({ side, desk, token, least: () => config().photon.streamMinDeposit, promisedTo: (payer) => hotspot.topUps.promisedTo(payer), clock })
    return { side, desk, funding, orders, cancel: side.onChannel((key) => desk.chainChanged(key)) }
  }

  #token(): Address | null {
    return (this.#parts.config().photon.streamToken?.toLowerCase() ?? null) as Address | null
  }

  /** Null: nothing is sold by the second, or for nothing. */
  #terms(): StreamTerms | null {
    const { photon, tariff } = this.#parts.config()
    const perMinute = photon.streamPricePerMinute > 0n ? photon.streamPricePerMinute : tariff.pricePerMinute
    const token = this.#token()
    const side = this.#running?.side
    if (token === null || side === undefined || perMinute === 0n || !this.#isOwnToken(token)) return null
    const nowSeconds = Math.floor(this.#parts.clock.wallMs() / 1000)
    const terms: StreamTerms = {
      chainId: side.domain.chainId,
      contract: side.domain.contract,
      token,
      unit: (perMinute * BigInt(TICK_SECONDS) + MINUTE_SECONDS - 1n) / MINUTE_SECONDS,
      tickSeconds: TICK_SECONDS,
      steps: STEPS,
      graceTicks: GRACE_TICKS,
      minDeposit: photon.streamMinDeposit,
      settleTimeout: photon.minSettleTimeout,
      // The same for an hour, so that it is signed once.
      validUntilSeconds: (Math.floor(nowSeconds / HOUR_SECONDS) + 2) * HOUR_SECONDS,
    }
    return faultOfTerms(terms) === null ? terms : null
  }

  /** A program has stopped all payments (docs/photon-rest.md): what runs ends with what is paid. */
  #isHeldBack(): boolean {
    return (this.#parts.channels()?.streams() ?? null) === null
  }

  /** Prices and the ledger are in the box's token: one with other decimals would be sold at another price. */
  #isOwnToken(token: Address): boolean {
    const { photon, token: main } = this.#parts.config()
    const named = photon.tokens.find(({ address }) => address.toLowerCase() === token)
    return named === undefined || named.decimals === main.decimals
  }

  #orders(): GuestOrderDoor {
    if (this.#running === null) throw new MeshBoxError('unavailable', 'the channels do not run now', { code: 'no-streams', retryAfterSeconds: 60 })
    return this.#running.orders
  }

  #board(): StreamBoard | null {
    const terms = this.#terms()
    const running = this.#running
    if (terms === null || running === null) return null
    const { symbol, decimals } = this.#parts.config().token
    return {
      chainId: terms.chainId,
      contract: terms.contract,
      token: terms.token,
      symbol,
      decimals,
      payee: running.side.self,
      unit: terms.unit,
      tickSeconds: terms.tickSeconds,
      purse: running.orders.board(),
      isChainReachable: this.#isChainReachable(),
    }
  }

  /** Asked anew each few seconds: the whole status is more than a guest's question is worth. */
  #isChainReachable(): boolean {
    const nowMs = this.#parts.clock.boottimeMs()
    if (this.#reach === null || nowMs - this.#reach.atMs >= REACH_MS) this.#reach = { isReady: this.#parts.channels()?.desk.status().state === 'ready', atMs: nowMs }
    return this.#reach.isReady
  }

  async #balance(payer: Address): Promise<StreamBalance> {
    const terms = this.#terms()
    const running = this.#running
    const pending = this.#parts.hotspot.topUps.promisedTo(payer)
    const account = terms === null || running === null ? null : running.side.account(payer, terms)
    if (account === null || running === null) return { hasChannel: false, spendable: 0n, pending }
    const earned = running.desk.earnedOf(account.channel) ?? 0n
    const given = earned > account.proved ? earned : account.proved
    return { hasChannel: true, spendable: account.ceiling > given ? account.ceiling - given : 0n, pending }
  }
}
