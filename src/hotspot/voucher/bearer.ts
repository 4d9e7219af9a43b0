/** What a guest put into the one field of the page: a typed code, a scanned voucher, or a ticket. */
import { ticketText } from '../ticket/ticket.ts'
import { normaliseCode } from './code.ts'
import { qrPayload } from './qr-text.ts'
import type { VoucherId, VoucherTerms } from './types.ts'

export type BearerKind = 'code' | 'qr' | 'ticket'

/**
 * By form alone, nothing is verified: null means that no kind of bearer looks so. A text of a kind may
 * still be refused by `readCode`, `readQr` or `readTicket`.
 */
export function bearerKind(text: string): BearerKind | null {
  if (ticketText(text) !== null) return 'ticket'
  if (qrPayload(text) !== null) return 'qr'
  return normaliseCode(text) === null ? null : 'code'
}

/** `slot.box.serial`: the same for both forms of one voucher. */
export function voucherId(voucher: Pick<VoucherTerms, 'slot' | 'box' | 'serial'>): VoucherId {
  return `${voucher.slot}.${voucher.box}.${voucher.serial}`
}
