/** Offers made and not yet taken: bounded, one for each device, forgotten after two minutes. */
import type { Address, Randomness } from '../../../base/index.ts'
import { hexText } from '../../hex-digits.ts'
import type { StreamTerms } from '../terms.ts'
import type { PayeeOffer } from './channel.ts'

const OFFER_MS = 120_000
const MAX_OFFERS = 2048

export interface Pending {
  readonly offer: PayeeOffer
  readonly payer: Address
  readonly atMs: number
}

export class Offers {
  readonly #randomness: Randomness
  readonly #byId = new Map<number, Pending>()
  readonly #ofDevice = new Map<string, number>()

  constructor(randomness: Randomness) {
    this.#randomness = randomness
  }

  make(device: string, payer: Address, terms: StreamTerms, nowMs: number, isTaken: (id: number) => boolean): PayeeOffer {
    this.drop(this.#ofDevice.get(device))
    const oldest = this.#byId.keys().next()
    if (this.#byId.size >= MAX_OFFERS && !oldest.done) this.drop(oldest.value)
    const offer = { id: this.#freeId(isTaken), challenge: hexText(this.#randomness.bytes(32)), device, terms }
    this.#byId.set(offer.id, { offer, payer, atMs: nowMs })
    this.#ofDevice.set(device, offer.id)
    return offer
  }

  /** Null: never made to this device, or too long ago. */
  find(id: number, device: string, nowMs: number): Pending | null {
    const pending = this.#byId.get(id)
    if (pending === undefined || pending.offer.device !== device || nowMs - pending.atMs > OFFER_MS) return null
    return pending
  }

  drop(id: number | undefined): void {
    const pending = id === undefined ? undefined : this.#byId.get(id)
    if (id === undefined || pending === undefined) return
    this.#byId.delete(id)
    if (this.#ofDevice.get(pending.offer.device) === id) this.#ofDevice.delete(pending.offer.device)
  }

  #freeId(isTaken: (id: number) => boolean): number {
    for (;;) {
      const [a = 0, b = 0, c = 0, d = 0] = this.#randomness.bytes(4)
      const id = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
      if (id !== 0 && !this.#byId.has(id) && !isTaken(id)) return id
    }
  }
}
