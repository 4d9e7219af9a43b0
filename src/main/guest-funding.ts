/**
 * Codes worth tokens, from the promise to the deposit: the hotspot's `ChannelFunder` over the channels. One deposit of a
 * guest at a time. What is about to be ordered is written down first, with the deposit the channel will then have; so
 * after a crash the channel itself says whether it happened, and nothing is paid twice.
 */
import { MeshBoxError, asError, fromHex } from '../base/index.ts'
import type { Address, Cancel, Hash, Log, Timers } from '../base/index.ts'
import type { ChannelFunder, FundingOrder, GuestConsent, OpeningTerms, TopUps } from '../hotspot/index.ts'
import type { GuestChannel, PhotonDesk, StreamSide } from '../photon/index.ts'
import { openConsentDigest } from '../photon/contracts/orders.ts'

export interface GuestFundingParts {
  readonly side: Pick<StreamSide, 'domain' | 'standing' | 'openFor' | 'fund' | 'recover' | 'onChannel'>
  readonly desk: Pick<PhotonDesk, 'status' | 'duties'>
  readonly keccak: (data: Uint8Array) => Uint8Array
  readonly news: Pick<TopUps, 'sent' | 'settled' | 'dropped'>
  readonly token: Address
  /** Of channels opened for guests. */
  readonly settleTimeout: number
  readonly timers: Timers
  readonly log: Log
}

const LOOK_MS = 5000
/** Blocks in which a consent may be used, and how many must be left when it is. */
const CONSENT_BLOCKS = 2000
const LEAST_BLOCKS_LEFT = 20
/** Looks in a row in which an order is neither on its way nor done: then it never was, or failed. */
const LOST_AFTER_LOOKS = 12
const DEPOSITS = ['deposit', 'open-for']

interface Work {
  order: FundingOrder
  lostLooks: number
  hasComplained: boolean
}

export class GuestFunding implements ChannelFunder {
  readonly #parts: GuestFundingParts
  /** In the order they came. */
  readonly #works = new Map<string, Work>()
  #looking: Promise<void> | null = null
  #cancels: Cancel[] = []

  constructor(parts: GuestFundingParts) {
    this.#parts = parts
  }

  start(): void {
    const { side, timers } = this.#parts
    this.#cancels = [timers.every(LOOK_MS, () => this.look()), side.onChannel(() => this.look())]
  }

  /** Orders that were placed go on by themselves. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#works.clear()
    await this.#looking
  }

  async consentFor(payer: string, amount: bigint, consent: GuestConsent | null): Promise<OpeningTerms | null> {
    const { side, desk, settleTimeout, token } = this.#parts
    const standing = await side.standing(payer as Address, token)
    if (standing.state === 'closing') throw new MeshBoxError('unavailable', 'this channel is being closed; the code stays good', { code: 'channel-closing', retryAfterSeconds: 600 })
    if (standing.state !== 'none') return null
    const { head } = desk.status()
    if (head === null) throw new MeshBoxError('unavailable', 'the chain is not in reach; the code stays good', { code: 'chain-offline', retryAfterSeconds: 60 })
    const { channel, epoch } = standing
    if (consent === null) return { channel, amount, settleTimeout, epoch, validUntil: head + CONSENT_BLOCKS }
    if (!this.#isUsable(consent, standing, amount, head)) throw new MeshBoxError('conflict', 'what was signed is out of date', { code: 'offer-old' })
    const signer = side.recover(this.#digestOf(payer as Address, consent), fromHex(consent.signature))
    if (signer !== payer) throw new MeshBoxError('input', 'signature: not of this key', { code: 'bad-signature', field: 'consent' })
    return null
  }

  fund(order: FundingOrder): void {
    const known = this.#works.get(order.id)
    if (known === undefined) this.#works.set(order.id, { order, lostLooks: 0, hasComplained: false })
    else {
      // The same work, for it may just be writing down what it orders: told again with a newer consent it is ordered once.
      known.order = { ...order, transaction: order.transaction ?? known.order.transaction }
      known.hasComplained = false
    }
    this.look()
  }

  /** Brings everything one step on. Does not throw. */
  look(): void {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = null
    })
  }

  /** Resolves when no look is going on. */
  async quiet(): Promise<void> {
    while (this.#looking !== null) await this.#looking
  }

  async #lookAtAll(): Promise<void> {
    const seen = new Set<string>()
    for (const work of [...this.#works.values()]) {
      // One at a time of each guest: else nobody could say whose deposit it was.
      if (seen.has(work.order.payer)) continue
      seen.add(work.order.payer)
      try {
        await this.#lookAt(work)
      } catch (thrown) {
        // Of this guest; the others' go on. Said once: while the chain is out of view it is so at each look.
        if (!work.hasComplained) this.#parts.log.warn('a deposit for a guest has to wait', { code: work.order.id, error: asError(thrown).message })
        work.hasComplained = true
      }
    }
  }

  async #lookAt(work: Work): Promise<void> {
    const { side, desk, news, token } = this.#parts
    const { id, payer, amount, transaction } = work.order
    const standing = await side.standing(payer as Address, token)
    const isOnItsWay = desk.duties().some(({ kind, channel }) => channel === standing.channel && DEPOSITS.includes(kind))
    if (transaction === null) {
      if (isOnItsWay || !this.#mayOrder(work, standing)) return
      const expected = `${standing.epoch}:${standing.deposit + amount}`
      await news.sent(id, expected)
      work.order = { ...work.order, transaction: expected }
      return this.#place(work.order, standing)
    }
    const [epoch = 0n, total = 0n] = transaction.split(':').map(BigInt)
    if (standing.epoch > epoch) this.#parts.log.error('a channel ended before the deposit for a code was seen in it; look whether the guest got it', { code: id, payer, channel: standing.channel })
    if (standing.epoch > epoch || (standing.deposit >= total && standing.state !== 'opening')) {
      this.#works.delete(id)
      return news.settled(id, transaction)
    }
    work.lostLooks = isOnItsWay || standing.state === 'opening' || desk.status().state !== 'ready' ? 0 : work.lostLooks + 1
    if (work.lostLooks < LOST_AFTER_LOOKS) return
    this.#works.delete(id)
    // Comes back as a new order.
    await news.dropped(id, transaction)
  }

  async #place({ payer, amount, consent }: FundingOrder, standing: GuestChannel): Promise<void> {
    const { side, token } = this.#parts
    if (standing.state === 'open') return side.fund(payer as Address, token, amount)
    if (consent === null) return
    const { settleTimeout, validUntil, signature } = consent
    await side.openFor({ payer: payer as Address, token, amount, settleTimeout, epoch: standing.epoch, validUntil, signature: fromHex(signature) })
  }

  #mayOrder(work: Work, standing: GuestChannel): boolean {
    if (standing.state === 'open') return true
    if (standing.state !== 'none') return false
    const { head } = this.#parts.desk.status()
    const { consent, amount } = work.order
    if (head !== null && consent !== null && this.#isUsable(consent, standing, amount, head)) return true
    if (head !== null && !work.hasComplained) this.#parts.log.warn('a guest has to sign once more before his channel can be opened: he types his code in again', { code: work.order.id })
    work.hasComplained ||= head !== null
    return false
  }

  #isUsable(consent: GuestConsent, { channel, epoch }: GuestChannel, amount: bigint, head: number): boolean {
    const isSame = consent.channel === channel && BigInt(consent.epoch) === epoch && BigInt(consent.amount) === amount && consent.settleTimeout === this.#parts.settleTimeout
    return isSame && consent.validUntil >= head + LEAST_BLOCKS_LEFT && consent.validUntil <= head + CONSENT_BLOCKS
  }

  #digestOf(participant: Address, { channel, epoch, amount, settleTimeout, validUntil }: GuestConsent): Uint8Array {
    const { keccak, side } = this.#parts
    return openConsentDigest(keccak, side.domain, { channel: channel as Hash, epoch: BigInt(epoch), participant, amount: BigInt(amount), settleTimeout, validUntil })
  }
}
