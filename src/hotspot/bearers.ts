/** What a guest typed, scanned or followed, as the voucher or session it stands for. */
import { MeshBoxError } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { VoucherKeys } from '../identity/index.ts'
import type { MacAddress } from './gate/types.ts'
import type { GuessLimits } from './guess-limits.ts'
import { packageTerms } from './tariff/index.ts'
import { readTicket } from './ticket/index.ts'
import type { TicketFacts } from './ticket/index.ts'
import { bearerKind, readCode, readQr, voucherId } from './voucher/index.ts'
import type { VoucherId, VoucherNumber, VoucherTerms } from './voucher/index.ts'

const MAX_TEXT = 512

export type Bearer =
  | { readonly kind: 'ticket'; readonly ticket: TicketFacts }
  | ({ readonly kind: 'voucher' } & VoucherBearer)

export interface VoucherBearer {
  readonly id: VoucherId
  readonly number: VoucherNumber
  /** What the QR says; a typed code says only which voucher it is. */
  readonly terms: VoucherTerms | null
}

export class BearerReader {
  readonly #keys: VoucherKeys
  readonly #limits: GuessLimits
  readonly #isTaken: (bearer: VoucherBearer) => boolean

  /** `isTaken`: may a voucher with this number, and these terms if its QR said them, be used on this box? */
  constructor(keys: VoucherKeys, limits: GuessLimits, isTaken: (bearer: VoucherBearer) => boolean) {
    this.#keys = keys
    this.#limits = limits
    this.#isTaken = isTaken
  }

  /** A QR text or a ticket, which cannot be guessed. Throws `input` code `bad-code` for anything else. */
  readSigned(mac: MacAddress, text: string, nowMs: number): Bearer {
    if (text.length <= MAX_TEXT && bearerKind(text) !== 'code') return this.read(mac, text, nowMs)
    throw new MeshBoxError('input', 'only a scanned voucher or a link can be looked at beforehand', { code: 'bad-code', field: 'code' })
  }

  /** Throws `input` code `code-typo` or `bad-code`, `limit` code `too-many-guesses`. */
  read(mac: MacAddress, text: string, nowMs: number): Bearer {
    const kind = text.length > MAX_TEXT ? null : bearerKind(text)
    // A text of no kind is read as a typed code: that names what is wrong with it.
    this.#limits.admit(mac, kind === 'code', nowMs)
    try {
      if (kind === 'ticket') return { kind, ticket: readTicket(text, this.#keys) }
      if (kind === 'qr') {
        const terms = readQr(text, this.#keys)
        return this.#taken({ id: voucherId(terms), number: terms, terms })
      }
      const number = readCode(text, this.#keys)
      return this.#taken({ id: voucherId(number), number, terms: null })
    } catch (thrown) {
      const isGuess = kind === 'code' && thrown instanceof MeshBoxError && thrown.code !== 'code-typo'
      if (isGuess) this.#limits.wrongGuess(mac, nowMs)
      else this.#limits.typo(mac, nowMs)
      throw thrown
    }
  }

  /** Which voucher a code or QR text stands for; nothing is counted as a guess. Throws `input` for what is none of this box's keys. */
  voucherOf(text: string): VoucherId {
    const kind = text.length > MAX_TEXT ? null : bearerKind(text)
    return voucherId(kind === 'qr' ? readQr(text, this.#keys) : readCode(text, this.#keys))
  }

  #taken(bearer: VoucherBearer): Bearer {
    if (this.#isTaken(bearer)) return { kind: 'voucher', ...bearer }
    throw new MeshBoxError('input', 'there is no voucher with this code', { code: 'bad-code', field: 'code' })
  }
}

/**
 * Vouchers that are in the table, those of our own box whose signature shows that it printed them (the table may
 * be from an older backup), and those of the owner's other boxes that the configuration lists. A typed code says
 * nothing but a number, and a number of ours that is not in the table was never printed: whoever hits its tag guessed.
 */
export function isVoucherTaken({ number, terms }: VoucherBearer, isKnown: boolean, hotspot: Pick<Config['hotspot'], 'voucherBox' | 'voucherSiblings'>): boolean {
  if (isKnown) return true
  return number.box === hotspot.voucherBox ? terms !== null : hotspot.voucherSiblings.includes(number.box)
}

/**
 * What a voucher that this box did not print is worth: its own terms if the QR said them, else those of the
 * package with its slot in this box's configuration.
 */
export function foreignTerms(config: Config, bearer: { readonly number: VoucherNumber; readonly terms: VoucherTerms | null }): { terms: VoucherTerms; label: string } {
  const pack = config.packages.find((each) => each.slot === bearer.number.slot)
  if (bearer.terms !== null) return { terms: bearer.terms, label: pack?.label ?? 'Voucher' }
  if (pack === undefined)
    throw new MeshBoxError('input', `this code is for package number ${bearer.number.slot}, which this box does not sell; scan its QR instead`, {
      code: 'package-unknown',
      field: 'code',
    })
  const { slot: _, ...number } = bearer.number
  return { terms: packageTerms(pack, number, null), label: pack.label }
}
