/**
 * Codes worth tokens, from the guest's hand to his channel. The rules are in top-up.ts; here they meet the reader of
 * codes, the disk, and whoever deposits. The lock of the code, the promise and the ledger's entry are one turn.
 */
import { MeshBoxError, inputError, momentOf } from '../../base/index.ts'
import type { BearerReader } from '../bearers.ts'
import { foreignTerms } from '../bearers.ts'
import { readMac } from '../gate/index.ts'
import type { MacAddress } from '../gate/types.ts'
import { findVoucher, insertVoucher, lockVoucher } from '../io/voucher-tables.ts'
import type { Lanes } from '../lanes.ts'
import { voucherLane } from '../lanes.ts'
import type { HotspotDeps } from '../ports.ts'
import type { ClientAddress } from '../types.ts'
import type { VoucherTerms } from '../voucher/index.ts'
import type { ChannelFunder, GuestConsent, OpeningTerms, TopUpAnswer } from './door.ts'
import { findTopUp, owedTopUps, saveTopUp } from './io/top-up-tables.ts'
import type { StoredTopUp } from './io/top-up-tables.ts'
import { promisedTo, stepTopUp, topUpEntry } from './top-up.ts'
import type { TokenCode, TopUp, TopUpInput } from './top-up.ts'

const DAY_MS = 86_400_000
const PAYER = /^0x[0-9a-f]{40}$/

export interface TopUpParts {
  readonly lanes: Lanes
  readonly bearers: BearerReader
}

export class TopUps {
  readonly #deps: HotspotDeps
  readonly #parts: TopUpParts
  /** Promised and not yet in the chain for good. */
  readonly #owed = new Map<string, StoredTopUp>()
  #funder: ChannelFunder | null = null

  constructor(deps: HotspotDeps, parts: TopUpParts) {
    this.#deps = deps
    this.#parts = parts
  }

  /** What earlier processes promised. */
  restore(): void {
    for (const topUp of this.#deps.store.read(owedTopUps)) this.#owed.set(topUp.code.id, topUp)
  }

  /** When the channels run: what is promised is begun, or gone on with. null: they stopped. */
  connect(funder: ChannelFunder | null): void {
    this.#funder = funder
    if (funder !== null) for (const topUp of this.#owed.values()) this.#fund(topUp)
  }

  /** What a payer was promised and does not have in his channel yet. */
  promisedTo(payer: string): bigint {
    return promisedTo(payer, this.#owed.values())
  }

  /** `GuestDesk.topUp` of types.ts. */
  async redeem(client: ClientAddress, text: string, payer: string, consent: GuestConsent | null): Promise<TopUpAnswer> {
    const { lanes, bearers } = this.#parts
    if (!PAYER.test(payer)) throw inputError('address', payer, '0x and 40 lower-case hex digits')
    const bearer = bearers.read(macOf(client), text, this.#deps.clock.boottimeMs())
    if (bearer.kind !== 'voucher') throw notTokens()
    return lanes.run([voucherLane(bearer.id)], async () => {
      const known = this.#deps.store.read((tx) => findVoucher(tx, bearer.id))
      const voucher = known ?? foreignTerms(this.#deps.config(), bearer)
      const { tokens, price } = voucher.terms
      if (tokens === null) throw notTokens()
      // What another box sold, that box owes: it holds the cash, and only its table knows whether it was used.
      if (bearer.number.box !== this.#deps.config().hotspot.voucherBox)
        throw new MeshBoxError('input', 'this code is worth tokens only at the box that printed it', { code: 'bad-code', field: 'code' })
      const code: TokenCode = { id: bearer.id, amount: tokens, price }
      const before = this.#deps.store.read((tx) => findTopUp(tx, bearer.id))
      if (before === null && known?.state === 'used') throw new MeshBoxError('conflict', 'this code is used', { code: 'voucher-used' })
      return this.#use(before, { type: 'redeem', code, payer, at: momentOf(this.#deps.clock), isRevoked: known?.state === 'revoked' }, voucher, consent)
    })
  }

  /** A transaction that deposits for this code is on its way. */
  sent(id: string, transaction: string): Promise<void> {
    return this.#news(id, { type: 'sent', transaction })
  }

  /** It is as deep in the chain as deposits must be before they count. */
  settled(id: string, transaction: string): Promise<void> {
    return this.#news(id, { type: 'settled', transaction })
  }

  /** It failed, or fell out of the chain: the deposit is begun again. */
  dropped(id: string, transaction: string): Promise<void> {
    return this.#news(id, { type: 'dropped', transaction })
  }

  /** The code's lane is held. */
  async #use(before: StoredTopUp | null, input: Extract<TopUpInput, { type: 'redeem' }>, voucher: { readonly terms: VoucherTerms; readonly label: string }, consent: GuestConsent | null): Promise<TopUpAnswer> {
    const { topUp, effects } = stepTopUp(before, input)
    const isWaiting = topUp.state === 'promised'
    const funder = this.#funder
    if (isWaiting && before === null && funder === null)
      throw new MeshBoxError('unavailable', 'this box cannot put tokens into channels now; the code stays good', { code: 'no-streams', retryAfterSeconds: 60 })
    const missing = isWaiting && funder !== null ? await missingConsent(funder, topUp, consent, before?.consent ?? null) : null
    if (missing !== null) return { state: 'unsigned', amount: topUp.code.amount, consent: missing }
    if (before === null) this.#checkDate(voucher.terms, input.at.wallTrusted)
    const stored: StoredTopUp = { ...topUp, consent: consent ?? before?.consent ?? null }
    const isNewConsent = before !== null && consent !== null && isWaiting
    if (effects.length > 0 || isNewConsent) {
      await this.#deps.store.turn((tx) => {
        if (before === null) this.#lock(tx, stored, voucher)
        saveTopUp(tx, stored)
      })
      this.#owed.set(stored.code.id, stored)
      this.#fund(stored)
    }
    return { state: stored.state, amount: stored.code.amount, consent: null }
  }

  /** The first-use lock and the entry, in the turn that makes the promise. */
  #lock(tx: Parameters<typeof saveTopUp>[0], topUp: StoredTopUp, { terms, label }: { readonly terms: VoucherTerms; readonly label: string }): void {
    const { clock, config, ledger } = this.#deps
    const { id } = topUp.code
    if (findVoucher(tx, id) === null) insertVoucher(tx, { id, batch: '', terms, label, state: 'unused', sessionId: null, createdWallMs: clock.wallMs() })
    const dateCheck = terms.validUntilDay === null ? 'none' : topUp.at.wallTrusted ? 'ok' : 'pending'
    if (!lockVoucher(tx, id, null, topUp.at, dateCheck)) throw new MeshBoxError('conflict', 'this code is used', { code: 'voucher-used' })
    ledger.post(tx, topUpEntry(topUp, config().token.symbol))
  }

  async #news(id: string, input: Exclude<TopUpInput, { type: 'redeem' }>): Promise<void> {
    await this.#parts.lanes.run([voucherLane(id)], async () => {
      const before = this.#deps.store.read((tx) => findTopUp(tx, id))
      const { topUp, effects } = stepTopUp(before, input)
      const stored: StoredTopUp = { ...topUp, consent: before?.consent ?? null }
      if (effects.some((effect) => effect.type === 'write')) await this.#deps.store.turn((tx) => saveTopUp(tx, stored))
      if (stored.state === 'funded') this.#owed.delete(id)
      else this.#owed.set(id, stored)
      if (effects.some((effect) => effect.type === 'fund')) this.#fund(stored)
    })
  }

  #fund({ code, payer, consent, transaction }: StoredTopUp): void {
    this.#funder?.fund({ id: code.id, payer, amount: code.amount, consent, transaction })
  }

  /** As for vouchers worth time: a date counts only while the clock is trusted. */
  #checkDate({ validUntilDay }: VoucherTerms, isTrusted: boolean): void {
    if (validUntilDay !== null && isTrusted && Math.floor(this.#deps.clock.wallMs() / DAY_MS) > validUntilDay)
      throw new MeshBoxError('conflict', 'the last day of this voucher is over', { code: 'voucher-expired' })
  }
}

/** What was signed before is tried first; a channel may have been opened since, or the signature may be too old. */
async function missingConsent(funder: ChannelFunder, { payer, code }: TopUp, given: GuestConsent | null, stored: GuestConsent | null): Promise<OpeningTerms | null> {
  if (given !== null || stored === null) return funder.consentFor(payer, code.amount, given)
  try {
    return await funder.consentFor(payer, code.amount, stored)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.code === 'offer-old') return funder.consentFor(payer, code.amount, null)
    throw thrown
  }
}

function macOf({ mac }: ClientAddress): MacAddress {
  const known = readMac(mac)
  if (known === null) throw inputError('mac', mac, 'the address of a device on the guest network')
  return known
}

function notTokens(): MeshBoxError {
  return new MeshBoxError('conflict', 'this code is for time and bytes, not for tokens', { code: 'not-tokens' })
}
