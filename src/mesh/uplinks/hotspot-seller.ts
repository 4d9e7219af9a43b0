/**
 * Minutes at the paid hotspot behind a way out (docs/portal.md "Minutes for boxes"). The order is laid at the hotspot first, which binds
 * it to this box's device and fixes its price; then it is paid over a channel under the same reference, once however often it is
 * tried; then the hotspot is asked until it has let us in. What a hotspot says is believed as far as it costs nothing: price, payee and
 * token are those of the order, and whether it was paid is known from this box's own channels.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, Clock, Hash, Log, Timers } from '../../base/index.ts'
import type { UpstreamOrder, UpstreamSeller, UpstreamTerms } from './reseller.ts'

/** What a hotspot answers to an order. */
export type AheadAnswer =
  | { readonly state: 'ordered'; readonly payee: Address; readonly token: Address; readonly unitsPerMinute: bigint }
  | { readonly state: 'paid'; readonly leftSeconds: number }
  /** It gave the time of this reference to another device. */
  | { readonly state: 'elsewhere' }

/** The portal of the hotspot behind an interface, asked over exactly this one. */
export interface AheadPortal {
  /** Null: what is there sells no minutes to boxes. Errors: unavailable. */
  terms(interfaceName: string): Promise<UpstreamTerms | null>
  /** Errors: unavailable; conflict where it refuses; input for an answer of another form. */
  order(interfaceName: string, reference: Hash): Promise<AheadAnswer>
}

interface PaymentTerms {
  readonly to: Address
  readonly token: Address
  readonly amount: bigint
  readonly reference: Hash
}

/** This box's channels. */
export interface UpstreamPayments {
  /** In an open channel with `to` in this token; null: there is none. Errors: unavailable while there are no channels. */
  spendable(to: Address, token: Address): bigint | null
  /** Once for a reference. Resolves when it is on both disks. Errors: what the channels say. */
  pay(terms: PaymentTerms): Promise<void>
  /** Whether it was paid, or may be just now. Errors: as `pay`. */
  hasLeft(terms: PaymentTerms): Promise<boolean>
}

export interface HotspotSellerParts {
  readonly portal: AheadPortal
  readonly payments: UpstreamPayments
  /** That this box's money for ways out is in; null: in none. */
  readonly token: () => Address | null
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

const PAYING_MS = 20_000
const LOOKS = 10
const LOOK_EVERY_MS = 1000
/** A hotspot that has the money for so long and lets nobody in is asked no more. */
const LOST_AFTER_MS = 300_000
/** Refusals before anything was signed. */
const REFUSALS = new Set(['not-found', 'conflict', 'limit', 'unavailable', 'input'])

export class HotspotSeller implements UpstreamSeller {
  readonly #parts: HotspotSellerParts
  /** Of orders that are paid: since when that is known. */
  #paid: { readonly reference: Hash; readonly sinceMs: number } | null = null

  constructor(parts: HotspotSellerParts) {
    this.#parts = parts
  }

  async offer(interfaceName: string): Promise<UpstreamTerms | null> {
    const { portal, payments, token } = this.#parts
    const terms = await portal.terms(interfaceName)
    if (terms === null) return null
    if (terms.token !== token()) throw new MeshBoxError('conflict', `the hotspot takes the token ${terms.token}, and mesh.token is ${token() ?? 'none'}`, { code: 'other-token' })
    if (terms.leftSeconds === 0 && payments.spendable(terms.payee, terms.token) === null)
      throw new MeshBoxError('conflict', `there is no open channel with the hotspot: open one with \`meshbox channel open ${terms.payee} AMOUNT --core\``, { code: 'no-channel' })
    return terms
  }

  async buy(interfaceName: string, order: UpstreamOrder): Promise<{ readonly leftSeconds: number }> {
    const { payments, clock } = this.#parts
    const payment: PaymentTerms = { to: order.offer.payee, token: order.offer.token, amount: order.amount, reference: order.reference }
    if (await payments.hasLeft(payment)) await this.#lookAgain(interfaceName)
    else await this.#lay(interfaceName, order)
    await this.#pay(payment)
    if (this.#paid?.reference !== order.reference) this.#paid = { reference: order.reference, sinceMs: clock.boottimeMs() }
    const leftSeconds = await this.#letIn(interfaceName, order)
    if (leftSeconds !== null) return { leftSeconds }
    if (clock.boottimeMs() - this.#paid.sinceMs < LOST_AFTER_MS) throw new MeshBoxError('unavailable', 'the hotspot is paid and has not let this box in yet', { code: 'not-let-in', retryAfterSeconds: 2 })
    this.#parts.log.error('uplinks: a hotspot was paid and gave no time for it', { payee: order.offer.payee, amount: order.amount.toString(), reference: order.reference })
    return { leftSeconds: 0 }
  }

  /** An order of an earlier run: where the hotspot talks with boxes is not known yet, and its payment may wait for that. */
  async #lookAgain(interfaceName: string): Promise<void> {
    try {
      await this.#parts.portal.terms(interfaceName)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown // what it says of prices does not matter now
    }
  }

  /** Nothing was paid yet: whatever goes wrong here is certain. */
  async #lay(interfaceName: string, { reference, offer }: UpstreamOrder): Promise<void> {
    let answer: AheadAnswer
    try {
      answer = await this.#parts.portal.order(interfaceName, reference)
    } catch (thrown) {
      throw notPaid(thrown instanceof Error ? thrown.message : String(thrown))
    }
    if (answer.state !== 'ordered') throw notPaid('the hotspot says that this was paid before')
    if (answer.payee !== offer.payee || answer.token !== offer.token) throw notPaid('the hotspot wants to be paid in another way than it said')
    if (answer.unitsPerMinute > offer.unitsPerMinute) throw notPaid('the hotspot asks more than it said')
  }

  /** Errors: `not-paid` where for certain nothing was taken; else unavailable. */
  async #pay(payment: PaymentTerms): Promise<void> {
    const { payments, timers } = this.#parts
    try {
      await new Promise<void>((resolve, reject) => {
        const cancel = timers.after(PAYING_MS, () => reject(new MeshBoxError('unavailable', 'the hotspot has not taken the payment yet', { code: 'not-delivered', retryAfterSeconds: 2 })))
        payments.pay(payment).then(resolve, reject).finally(cancel)
      })
    } catch (thrown) {
      // Its channel is over, and nothing shows whether the hotspot had it: it is not sent twice, and whether we are let in says the rest.
      if (thrown instanceof MeshBoxError && thrown.code === 'mesh-unknown') return
      if (thrown instanceof MeshBoxError && REFUSALS.has(thrown.kind) && !(await payments.hasLeft(payment))) throw notPaid(thrown.message)
      throw thrown
    }
  }

  /** Null: not yet, or nobody knows. */
  async #letIn(interfaceName: string, { reference }: UpstreamOrder): Promise<number | null> {
    const { portal, timers } = this.#parts
    for (let look = 0; look < LOOKS; look++) {
      if (look > 0) await new Promise<void>((resolve) => void timers.after(LOOK_EVERY_MS, resolve))
      try {
        const answer = await portal.order(interfaceName, reference)
        if (answer.state === 'paid') return answer.leftSeconds
        if (answer.state === 'elsewhere') return 0
      } catch (thrown) {
        if (!(thrown instanceof MeshBoxError)) throw thrown
        return null // it is asked again with the order
      }
    }
    return null
  }
}

function notPaid(reason: string): MeshBoxError {
  return new MeshBoxError('conflict', reason, { code: 'not-paid' })
}
