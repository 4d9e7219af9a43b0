/**
 * Codes worth tokens, from the promise to the deposit: the hotspot's `ChannelFunder` over the channels. One deposit of a
 * guest at a time. What is about to be ordered is written down first, under a name that the chain's scheduler knows it by;
 * so after a crash it is ordered again under the same name, which is the same order, and its outcome is its own: what the
 * guest, or anybody, puts into the channel meanwhile counts for nothing.
 */
import { MeshBoxError, asError, fromHex } from '../base/index.ts'
import type { Address, Cancel, Hash, Log, Timers } from '../base/index.ts'
import type { ChannelFunder, FundingOrder, GuestConsent, OpeningTerms, TopUps } from '../hotspot/index.ts'
import type { GuestChannel, PhotonDesk, StreamSide } from '../photon/index.ts'
import { openConsentDigest } from '../photon/contracts/orders.ts'

export interface GuestFundingParts {
  readonly side: Pick<StreamSide, 'domain' | 'standing' | 'openFor' | 'fund' | 'orderState' | 'recover' | 'onChannel'>
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
/** Blocks in which an order that ended is surely remembered: fewer than the scheduler does. */
const REMEMBERED_BLOCKS = 900
const DEPOSITS = ['deposit', 'open-for', 'purse']

interface Work {
  order: FundingOrder
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
    if (known === undefined) this.#works.set(order.id, { order, hasComplained: false })
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
    // What is written down comes first: it may have to be placed still.
    const works = [...this.#works.values()].sort((a, b) => Number(a.order.transaction === null) - Number(b.order.transaction === null))
    for (const work of works) {
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
      const { head } = desk.status()
      if (head === null || isOnItsWay || !this.#mayOrder(work, standing)) return
      const placed: Placed = { epoch: standing.epoch, total: standing.deposit + amount, isOpening: standing.state === 'none', head }
      await news.sent(id, textOf(placed))
      work.order = { ...work.order, transaction: textOf(placed) }
      return this.#place(work.order, standing, placed)
    }
    const placed = placedOf(transaction)
    if (!this.#isFresh(placed)) return this.#judgeOld(work.order, standing, placed)
    switch (side.orderState(payer as Address, token, placed.epoch, referenceOf(id, placed))) {
      case 'waiting':
        return
      case 'done':
        return this.#finish(id, () => news.settled(id, transaction))
      case 'failed':
        // Comes back as a new order.
        return this.#finish(id, () => news.dropped(id, transaction))
      case 'unseen':
        return this.#judgeOld(work.order, standing, placed)
      case 'unknown':
        // The process died before it was placed: now it is, unless the channel has gone on without it.
        if (standing.epoch === placed.epoch && standing.state === (placed.isOpening ? 'none' : 'open') && this.#mayOrder(work, standing)) return this.#place(work.order, standing, placed)
        return this.#finish(id, () => news.dropped(id, transaction))
    }
  }

  /** Nobody remembers the order any more, or saw its receipt: the channel says what is in it. It is ordered anew only where it surely is not. */
  async #judgeOld({ id, payer, transaction }: FundingOrder, standing: GuestChannel, { epoch, total }: Placed): Promise<void> {
    const { desk, log, news, side, token } = this.#parts
    const state = transaction === null ? 'unknown' : side.orderState(payer as Address, token, epoch, referenceOf(id, placedOf(transaction)))
    if (transaction === null || state === 'waiting' || desk.status().state !== 'ready') return
    if (state === 'done') return this.#finish(id, () => news.settled(id, transaction))
    if (state === 'failed') return this.#finish(id, () => news.dropped(id, transaction))
    if (standing.epoch > epoch || (standing.deposit >= total && standing.state !== 'opening')) {
      log.error('nobody can say any more how the deposit for a code ended; look whether the guest got it', { code: id, payer, channel: standing.channel })
      return this.#finish(id, () => news.settled(id, transaction))
    }
    if (state !== 'unseen' && standing.state !== 'opening') return this.#finish(id, () => news.dropped(id, transaction))
  }

  /** What the disk does not take is told again with the next look. */
  async #finish(id: string, tell: () => Promise<void>): Promise<void> {
    const work = this.#works.get(id)
    this.#works.delete(id)
    try {
      await tell()
    } catch (thrown) {
      if (work !== undefined && !this.#works.has(id)) this.#works.set(id, work)
      throw thrown
    }
  }

  async #place({ id, payer, amount, consent }: FundingOrder, standing: GuestChannel, placed: Placed): Promise<void> {
    const { side, token } = this.#parts
    if (!placed.isOpening) return side.fund(payer as Address, token, amount, referenceOf(id, placed))
    if (consent === null) return
    const { settleTimeout, validUntil, signature } = consent
    await side.openFor({ payer: payer as Address, token, amount, settleTimeout, epoch: standing.epoch, validUntil, signature: fromHex(signature), reference: referenceOf(id, placed) })
  }

  #isFresh({ head }: Placed): boolean {
    const now = this.#parts.desk.status().head
    return now === null || now - head < REMEMBERED_BLOCKS
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

/** What was ordered, as the hotspot keeps it: epoch, the deposit there will then be, the way, and the head it was ordered at. */
interface Placed {
  readonly epoch: bigint
  readonly total: bigint
  readonly isOpening: boolean
  readonly head: number
}

function textOf({ epoch, total, isOpening, head }: Placed): string {
  return `${epoch}:${total}:${isOpening ? 'open' : 'deposit'}:${head}`
}

function placedOf(text: string): Placed {
  const [epoch = '0', total = '0', way, head = '0'] = text.split(':')
  return { epoch: BigInt(epoch), total: BigInt(total), isOpening: way === 'open', head: Number(head) }
}

/** Another order for the same code, after one that failed, has another name. */
function referenceOf(id: string, { head }: Placed): string {
  return `${id}@${head}`
}
