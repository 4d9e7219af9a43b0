/**
 * The care of core channels within the owner's cap for a day: what route/upkeep.ts orders is done, a top-up as a duty, a
 * circle as a payment of the box to itself. Days need a clock: without one that is trusted nothing is put in.
 */
import type { Address, Cancel } from '../../base/index.ts'
import type { DutyDesk } from '../chain/index.ts'
import type { PhotonNode } from '../node/index.ts'
import type { PhotonParts } from '../parts.ts'
import { upkeepOrders } from '../route/index.ts'
import type { LocalRouter, OwnChannels, UpkeepOrder } from '../route/index.ts'
import { putNote, readNote } from './note-table.ts'

export interface CoreUpkeepOptions {
  readonly parts: Pick<PhotonParts, 'settings' | 'store' | 'clock' | 'timers' | 'log'>
  readonly node: PhotonNode
  readonly duties: DutyDesk
  readonly router: LocalRouter
  readonly own: OwnChannels
}

const LOOK_EVERY_MS = 60_000
const DAY_MS = 86_400_000
/** A tenth of a percent for what is moved in circles. */
const MAX_FEE_PPM = 1000n
const MILLION = 1_000_000n
/** A top-up of less than this part of the day's cap is not worth its gas. */
const LEAST_PART = 20n

export class CoreUpkeep {
  readonly #options: CoreUpkeepOptions
  #cancel: Cancel = () => undefined
  #looking = false

  constructor(options: CoreUpkeepOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.parts.settings.topUpPerDay > 0n) this.#cancel = this.#options.parts.timers.every(LOOK_EVERY_MS, () => void this.look())
  }

  stop(): void {
    this.#cancel()
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { settings, clock, log } = this.#options.parts
    if (this.#looking || !clock.isWallTrusted()) return
    this.#looking = true
    try {
      for (const { address } of settings.tokens) await this.#careFor(address)
    } catch (error) {
      log.warn('core channels could not be looked after', { error })
    } finally {
      this.#looking = false
    }
  }

  async #careFor(token: Address): Promise<void> {
    const { parts, node, duties, router, own } = this.#options
    const { settings, store } = parts
    const isUnderWay = node.openPayments().some((payment) => payment.role === 'initiator' && payment.target === node.account)
    const waiting = new Set(store.read((tx) => duties.pending(tx)).jobs.flatMap(({ due }) => (due.duty.kind === 'deposit' ? [due.key?.channel] : [])))
    const channels = own.all().filter((channel) => channel.token === token && !waiting.has(channel.channel))
    const spent = this.#spent(token)
    const topUpLeft = settings.topUpPerDay > spent ? settings.topUpPerDay - spent : 0n
    const limits = { topUpLeft, feesLeft: isUnderWay ? 0n : (settings.topUpPerDay * MAX_FEE_PPM) / MILLION, maxFeePpm: MAX_FEE_PPM, minTopUp: settings.topUpPerDay / LEAST_PART + 1n }
    for (const order of upkeepOrders(channels, limits, (request) => (isUnderWay ? null : router.findCycle(request)))) await this.#carryOut(token, order)
  }

  async #carryOut(token: Address, order: UpkeepOrder): Promise<void> {
    const { parts, node, duties } = this.#options
    if (order.kind === 'rebalance') {
      const { path } = order.cycle
      await node.payLocked({ token, target: node.account, amount: path.amount, maxFee: path.fee, routes: [[path]] })
      parts.log.info('money is moved in a circle', { back: order.back, amount: path.amount.toString(), fee: path.fee.toString() })
      return
    }
    const settleTimeout = node.channel(order.channel)?.settleTimeout
    if (settleTimeout === undefined) return
    const { channel, epoch, partner, amount } = order
    const spent = this.#spent(token) + amount
    await parts.store.turn((tx) => {
      putNote(tx, this.#noteName(token), spent.toString())
      duties.put(tx, [{ duty: { kind: 'deposit', token, participant: node.account, partner, amount, settleTimeout, epoch }, key: { channel, epoch }, fromBlock: 0, deadlineBlock: null }])
    })
    parts.log.info('a core channel is topped up', { channel, amount: amount.toString() })
  }

  #spent(token: Address): bigint {
    return BigInt(this.#options.parts.store.read((tx) => readNote(tx, this.#noteName(token))) ?? '0')
  }

  /** A note per day; a token's old ones are few bytes. */
  #noteName(token: Address): string {
    return `topped-up/${token}/${Math.floor(this.#options.parts.clock.wallMs() / DAY_MS)}`
  }
}
