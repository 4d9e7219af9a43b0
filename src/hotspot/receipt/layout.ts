/**
 * The signed part of a receipt as text: one `Key: value` line each, always all of them, always in this
 * order, joined by one line feed, none at the end. Our own format; described in docs/vouchers.md.
 *
 * The reader takes the numbers out of the lines and then writes the receipt anew: only a text that comes
 * out the same, byte for byte, is one. So there is exactly one text for any facts, and what a person
 * reads (minutes, MiB) cannot differ from what a machine reads.
 */
import { MAX_AMOUNT, formatAmount, inputError, parseAmount } from '../../base/index.ts'
import type { ReceiptFacts } from './types.ts'

export interface SignedFacts {
  /** EIP-55 address of the box. */
  readonly address: string
  readonly facts: ReceiptFacts
}

const HEAD = 'MeshBox receipt 1'
const NOT_LIMITED = 'not limited'
const NOT_YET = 'not yet'
const UNTRUSTED = ' (clock not verified)'
const MAX_UNIX_SECONDS = 253_402_300_799 // the last second of the year 9999
const MAX_VENUE = 48
const MAX_LABEL = 64
const MAX_SYMBOL = 16

/** Throws `input` for facts out of range; names are cleaned, never refused. */
export function renderBody({ address, facts }: SignedFacts): string {
  checkText('address', address, /^0x[0-9a-fA-F]{40}$/, 'an address, 0x and 40 hex digits')
  checkText('receiptNumber', facts.receiptNumber, /^[0-9A-Za-z-]{1,32}$/, '1-32 letters, digits and dashes')
  checkText('sessionId', facts.sessionId, /^[0-9a-f]{16}$/, '16 lower-case hex digits')
  checkText('countersHash', facts.countersHash, /^[0-9a-f]{64}$/, '64 lower-case hex digits')
  const symbol = oneLine(facts.tokenSymbol, MAX_SYMBOL)
  return [
    HEAD,
    `Venue: ${oneLine(facts.venue, MAX_VENUE)}`,
    `Box: ${address}`,
    `Receipt: ${facts.receiptNumber}`,
    `Session: ${facts.sessionId}`,
    `Bought: ${oneLine(facts.label, MAX_LABEL)}`,
    `Time bought: ${facts.boughtSeconds === null ? NOT_LIMITED : time('boughtSeconds', facts.boughtSeconds)}`,
    `Data bought: ${facts.boughtBytes === null ? NOT_LIMITED : data('boughtBytes', facts.boughtBytes)}`,
    `Token: ${symbol}, ${count('tokenDecimals', facts.tokenDecimals, 36)} decimals`,
    `Price: ${amount('price', facts.price, facts.tokenDecimals)} ${symbol}`,
    `Refunded: ${amount('refunded', facts.refunded, facts.tokenDecimals)} ${symbol}`,
    `Time used: ${time('secondsUsed', facts.secondsUsed)}`,
    `Data sent: ${data('upBytes', facts.upBytes)}`,
    `Data received: ${data('downBytes', facts.downBytes)}`,
    `Started: ${moment('startedUnixSeconds', facts.startedUnixSeconds, facts.startedTrusted)}`,
    `Ended: ${facts.endedUnixSeconds === null ? NOT_YET : moment('endedUnixSeconds', facts.endedUnixSeconds, facts.endedTrusted)}`,
    `Counters: sha256 ${facts.countersHash}`,
  ].join('\n')
}

/** One per line of the body, in order; what is in the first (and second) bracket is read. */
const PATTERNS = [
  /^MeshBox receipt 1$/,
  /^Venue: (.+)$/u,
  /^Box: (0x[0-9a-fA-F]{40})$/,
  /^Receipt: ([0-9A-Za-z-]{1,32})$/,
  /^Session: ([0-9a-f]{16})$/,
  /^Bought: (.+)$/u,
  /^Time bought: (?:not limited|(\d{1,16}) s .+)$/,
  /^Data bought: (?:not limited|(\d{1,16}) bytes .+)$/,
  /^Token: (.+), (\d{1,2}) decimals$/u,
  /^Price: ([0-9.]{1,80}) .+$/u,
  /^Refunded: ([0-9.]{1,80}) .+$/u,
  /^Time used: (\d{1,16}) s .+$/,
  /^Data sent: (\d{1,16}) bytes .+$/,
  /^Data received: (\d{1,16}) bytes .+$/,
  /^Started: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC(?: \(clock not verified\))?$/,
  /^Ended: (?:not yet|(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC(?: \(clock not verified\))?)$/,
  /^Counters: sha256 ([0-9a-f]{64})$/,
] as const

/** The facts of a body that `renderBody` could have written. Throws MeshBoxError `input` naming the line. */
export function parseBody(body: string): SignedFacts {
  const lines = body.split('\n')
  if (lines.length !== PATTERNS.length) throw inputError('receipt', `${lines.length} lines`, `${PATTERNS.length} lines and a signature`)
  const found = PATTERNS.map((pattern, index) => {
    const line = lines[index] ?? ''
    const match = pattern.exec(line)
    if (match === null) throw inputError(`line ${index + 1}`, line, 'what the box wrote')
    return match
  })
  const text = (line: number, bracket = 1): string => found[line]?.[bracket] ?? ''
  const number = (line: number): number | null => (text(line) === '' ? null : Number(text(line)))
  const unixSeconds = (line: number): number | null =>
    text(line) === '' ? null : Date.parse(`${text(line)}T${text(line, 2)}Z`) / 1000
  const isTrusted = (line: number): boolean => text(line) !== '' && !text(line, 0).endsWith(UNTRUSTED)
  const decimals = Number(text(8, 2))
  const signed: SignedFacts = {
    address: text(2),
    facts: {
      venue: text(1),
      receiptNumber: text(3),
      sessionId: text(4),
      label: text(5),
      boughtSeconds: number(6),
      boughtBytes: number(7),
      tokenSymbol: text(8),
      tokenDecimals: decimals,
      price: parseAmount(text(9), decimals, 'Price'),
      refunded: parseAmount(text(10), decimals, 'Refunded'),
      secondsUsed: number(11) ?? 0,
      upBytes: number(12) ?? 0,
      downBytes: number(13) ?? 0,
      startedUnixSeconds: unixSeconds(14) ?? 0,
      startedTrusted: isTrusted(14),
      endedUnixSeconds: unixSeconds(15),
      endedTrusted: isTrusted(15),
      countersHash: text(16),
    },
  }
  if (renderBody(signed) !== body) throw inputError('receipt', body, 'exactly what the box wrote')
  return signed
}

/**
 * A name on one line: line breaks, control and text-direction override characters become spaces, spaces
 * are joined, the rest is cut to `max` characters. Never empty.
 */
function oneLine(name: string, max: number): string {
  const clean = name
    .replace(/[\ud800-\udfff]/gu, '\ufffd') // halves of a character, which UTF-8 cannot carry
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim()
  return [...clean].slice(0, max).join('').trim() || '-'
}

/** `600 s (0:10:00)` */
function time(field: string, seconds: number): string {
  count(field, seconds)
  const twoDigits = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  return `${seconds} s (${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)})`
}

/** `1572864 bytes (1.50 MiB)`, cut, not rounded up. */
function data(field: string, bytes: number): string {
  count(field, bytes)
  return `${bytes} bytes (${formatAmount((BigInt(bytes) * 100n) / 1_048_576n, 2)} MiB)`
}

/** `2026-01-31 23:59:59 UTC` */
function moment(field: string, unixSeconds: number, trusted: boolean): string {
  count(field, unixSeconds, MAX_UNIX_SECONDS)
  const [day = '', timeOfDay = ''] = new Date(unixSeconds * 1000).toISOString().split(/[T.]/)
  return `${day} ${timeOfDay} UTC${trusted ? '' : UNTRUSTED}`
}

function amount(field: string, value: bigint, decimals: number): string {
  if (value < 0n || value > MAX_AMOUNT) throw inputError(field, value, '0..2^128-1')
  return formatAmount(value, decimals)
}

function count(field: string, value: number, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) throw inputError(field, value, `a whole number, 0..${max}`)
  return value
}

function checkText(field: string, text: string, pattern: RegExp, allowed: string): void {
  if (!pattern.test(text)) throw inputError(field, text, allowed)
}
