/**
 * The ticket of a running session: whoever shows it may move the session to his device ("use on another
 * device"). Our own format; described in docs/vouchers.md.
 *
 *   text     `U` ‖ 36 symbols of voucher/symbols.ts (U is not one of them: no code or voucher looks so)
 *   bytes    session id 8 · counter 4, big-endian · first 10 bytes of HMAC(DOMAIN ‖ the 12 bytes before)
 *
 * The counter goes up each time the session changes hands, so that older tickets of it are stale; that
 * is for the caller to compare. A ticket says nothing of what is left in the session.
 */
import { MeshBoxError, concatBytes, equalBytesConstantTime, fromHex, inputError, toHex, utf8 } from '../../base/index.ts'
import type { VoucherKeys } from '../../identity/index.ts'
import { bytesToSymbols, symbolsToBytes } from '../voucher/symbols.ts'

export interface TicketFacts {
  /** 16 lower-case hex digits. */
  readonly sessionId: string
  /** 0–4294967295 */
  readonly counter: number
}

const PREFIX = 'U'
const SYMBOLS_AFTER_PREFIX = 36
const BODY_BYTES = 12
const TAG_BYTES = 10
const DOMAIN = utf8('meshbox session ticket 1\0')
const TICKET_URL = /^https?:\/\/[^\s/?#@\\]{1,255}\/[tT]\/([0-9A-Z]{37})$/i

/** 37 characters for `/t/<ticket>`. Throws `input` for a malformed session id or counter. */
export function issueTicket(facts: TicketFacts, keys: Pick<VoucherKeys, 'mac'>): string {
  if (!/^[0-9a-f]{16}$/.test(facts.sessionId)) throw inputError('sessionId', facts.sessionId, '16 lower-case hex digits')
  if (!Number.isInteger(facts.counter) || facts.counter < 0 || facts.counter > 0xffff_ffff)
    throw inputError('counter', facts.counter, '0..4294967295')
  const body = new Uint8Array(BODY_BYTES)
  body.set(fromHex(facts.sessionId))
  new DataView(body.buffer).setUint32(8, facts.counter)
  return PREFIX + bytesToSymbols(concatBytes(body, tagOf(body, keys)))
}

/** The ticket itself or its URL on any host. Throws MeshBoxError `input`, code `bad-code`. */
export function readTicket(textOrUrl: string, keys: Pick<VoucherKeys, 'mac'>): TicketFacts {
  const text = ticketText(textOrUrl)
  const bytes = text === null ? null : symbolsToBytes(text.slice(PREFIX.length))
  if (bytes === null || bytes.length !== BODY_BYTES + TAG_BYTES) throw badTicket()
  const body = bytes.slice(0, BODY_BYTES)
  if (!equalBytesConstantTime(tagOf(body, keys), bytes.slice(BODY_BYTES))) throw badTicket()
  return { sessionId: toHex(body.slice(0, 8)), counter: new DataView(body.buffer).getUint32(8) }
}

/** The bare ticket in a text that has the form of one (nothing is verified), else null. */
export function ticketText(textOrUrl: string): string | null {
  if (textOrUrl.length > 512) return null
  const text = TICKET_URL.exec(textOrUrl.trim())?.[1] ?? textOrUrl.trim()
  return text.length === PREFIX.length + SYMBOLS_AFTER_PREFIX && text.startsWith(PREFIX) ? text : null
}

function tagOf(body: Uint8Array, keys: Pick<VoucherKeys, 'mac'>): Uint8Array {
  return keys.mac(concatBytes(DOMAIN, body)).slice(0, TAG_BYTES)
}

function badTicket(): MeshBoxError {
  return new MeshBoxError('input', 'this link is not a ticket of this box', { code: 'bad-code', field: 'ticket' })
}
