/**
 * A payout's statement as text. Our own format; docs/payouts.md. ASCII, lines ended by one line feed:
 *
 *   MeshBox payout statement 1
 *   Box: <EIP-55 address>
 *   Payout: <number on the box>
 *   Account: investor:anna
 *   Number: <of the account and token, from 1>
 *   Previous: <Payment of the statement before, or none>
 *   Token: SMT, 18 decimals, <address>
 *   To: <Photon account>
 *   Share: <parts per million> of <sources, or all>[; ...] | none
 *   Entries: after <id> up to <id>
 *   Amount: <smallest units>
 *   Lines: <count>
 *   <id> <day> <earn|reverse|post> <source> <evidence> <whole entry> <the account's part>     as many as Lines says
 *   Payment: <SHA-256 of all lines above: the payment's identifier>
 *   Routed: <hash of the lock>, fee <smallest units>, over <account[ account...]> | none      only where it went over other boxes
 *   Paid: 2026-01-31 23:59:59 UTC[ (clock not verified)]
 *   Signature: <r s v over all lines above, EIP-191>
 *
 * All up to `Payment` is fixed before the money moves, and the payment itself carries its hash: whoever was paid has, in his own
 * book of payments, the box's word for these lines: a direct one by its identifier, a routed one by its data. What carriers got is on top
 * of the amount, and no part of it.
 */
import { createHash } from 'node:crypto'
import { inputError, utf8 } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'

export interface ShareTerm {
  readonly partsPerMillion: number
  /** Empty: all earnings. */
  readonly sources: readonly string[]
}

export interface StatementLine {
  readonly entryId: number
  /** `YYYY-MM-DD`, or `boot:` and 8 characters. */
  readonly day: string
  readonly kind: 'post' | 'earn' | 'reverse'
  readonly source: string
  /** Type and id. */
  readonly evidence: string
  readonly total: bigint
  /** What the account gained; below 0: lost. */
  readonly gained: bigint
}

export interface StatementFacts {
  /** The box's own running number. */
  readonly id: number
  readonly account: string
  readonly number: number
  readonly previous: Hash | null
  /** Symbol. */
  readonly token: string
  readonly decimals: number
  readonly tokenAddress: Address
  readonly to: Address
  readonly terms: readonly ShareTerm[]
  readonly afterEntry: number
  readonly upToEntry: number
  readonly amount: bigint
}

/** How it went over other boxes. */
export interface StatementRoute {
  /** SHA-256 of the secret: the recipient's history knows the payment by it. */
  readonly secretHash: Hash
  readonly fee: bigint
  /** Without the recipient. Empty: it is not known any more who. */
  readonly via: readonly Address[]
}

export interface Statement extends StatementFacts {
  /** EIP-55. */
  readonly box: string
  readonly lines: readonly StatementLine[]
  readonly reference: Hash
  /** Null: directly. */
  readonly routed: StatementRoute | null
  /** As it stands there. */
  readonly paidAt: string
}

/** Data of a direct payment of a payout; a routed one's names the reference. */
export const NOTE = 'payout'
export const routedNote = (reference: Hash): string => `${NOTE} ${reference}`

/** Null: it is not the data of a routed payment of a payout. */
export function referenceIn(data: Uint8Array): Hash | null {
  const match = data.length > ROUTED_BYTES ? null : /^payout (0x[0-9a-f]{64})$/.exec(Buffer.from(data).toString('latin1'))
  return match === null ? null : (match[1] as Hash)
}

const ROUTED_BYTES = 73
const HEAD = 'MeshBox payout statement 1'
const HEAD_LINES = 12
const LAST_WALL_MS = 253_402_300_799_000

/** What is fixed before the money moves; no line feed at the end. */
export function renderIntent(box: string, facts: StatementFacts, lines: readonly StatementLine[]): string {
  const { id, account, number, previous, token, decimals, tokenAddress, to, terms, afterEntry, upToEntry, amount } = facts
  return [
    HEAD,
    `Box: ${box}`,
    `Payout: ${id}`,
    `Account: ${word(account)}`,
    `Number: ${number}`,
    `Previous: ${previous ?? 'none'}`,
    `Token: ${word(token)}, ${decimals} decimals, ${tokenAddress}`,
    `To: ${to}`,
    `Share: ${terms.length === 0 ? 'none' : terms.map(({ partsPerMillion, sources }) => `${partsPerMillion} of ${sources.length === 0 ? 'all' : sources.join(',')}`).join('; ')}`,
    `Entries: after ${afterEntry} up to ${upToEntry}`,
    `Amount: ${amount}`,
    `Lines: ${lines.length}`,
    ...lines.map((line) => `${line.entryId} ${line.day} ${line.kind} ${line.source} ${word(line.evidence)} ${line.total} ${line.gained}`),
  ].join('\n')
}

/** The identifier of the payment for it. */
export function referenceOf(intent: string): Hash {
  return `0x${createHash('sha256').update(utf8(intent)).digest('hex')}`
}

/** All that is signed. */
export function renderBody(intent: string, paid: { readonly wallMs: number; readonly isTrusted: boolean }, routed: StatementRoute | null = null): string {
  if (!Number.isFinite(paid.wallMs) || paid.wallMs < 0 || paid.wallMs > LAST_WALL_MS) throw inputError('paid', paid.wallMs, 'milliseconds since 1970')
  const [day = '', time = ''] = new Date(paid.wallMs).toISOString().split(/[T.]/)
  const way = routed === null ? '' : `\nRouted: ${routed.secretHash}, fee ${routed.fee}, over ${routed.via.length === 0 ? 'none' : routed.via.join(' ')}`
  return `${intent}\nPayment: ${referenceOf(intent)}${way}\nPaid: ${day} ${time} UTC${paid.isTrusted ? '' : ' (clock not verified)'}`
}

const FIELDS = [
  /^MeshBox payout statement 1$/,
  /^Box: (0x[0-9a-fA-F]{40})$/,
  /^Payout: ([1-9]\d{0,14})$/,
  /^Account: ([\x21-\x7e]{1,400})$/,
  /^Number: ([1-9]\d{0,14})$/,
  /^Previous: (none|0x[0-9a-f]{64})$/,
  /^Token: ([\x21-\x7e]{1,200}), (\d{1,2}) decimals, (0x[0-9a-f]{40})$/,
  /^To: (0x[0-9a-f]{40})$/,
  /^Share: (none|\d{1,7} of [a-z0-9:,-]+(?:; \d{1,7} of [a-z0-9:,-]+)*)$/,
  /^Entries: after (0|[1-9]\d{0,14}) up to ([1-9]\d{0,14})$/,
  /^Amount: ([1-9]\d{0,38})$/,
  /^Lines: ([1-9]\d{0,5})$/,
] as const
const LINE = /^([1-9]\d{0,14}) (\d{4}-\d\d-\d\d|boot:[\x21-\x7e]{1,8}) (post|earn|reverse) ([a-z0-9:-]{1,64}) ([\x21-\x7e]{1,800}) (0|[1-9]\d{0,38}) (-?[1-9]\d{0,38})$/
const ROUTED = /^Routed: (0x[0-9a-f]{64}), fee (0|[1-9]\d{0,38}), over (none|0x[0-9a-f]{40}(?: 0x[0-9a-f]{40}){0,19})$/
const PAID = /^Paid: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC(?: \(clock not verified\))?)$/

/** The facts of a body that `renderBody` could have written. Errors: input naming the line. */
export function parseBody(body: string): Statement {
  const rows = body.split('\n')
  const found = FIELDS.map((pattern, index) => matchOf(rows, index, pattern))
  const text = (row: number, bracket = 1): string => found[row]?.[bracket] ?? ''
  const count = Number(text(11))
  const isRouted = rows.length === HEAD_LINES + count + 3
  if (!isRouted && rows.length !== HEAD_LINES + count + 2) throw inputError('statement', `${rows.length} lines`, `${HEAD_LINES + count + 2} lines, or one more of a routed payment, and a signature, as Lines: ${count} says`)
  const lines = Array.from({ length: count }, (_unused, index): StatementLine => {
    const [, id = '', day = '', kind = '', source = '', evidence = '', total = '', gained = ''] = matchOf(rows, HEAD_LINES + index, LINE)
    return { entryId: Number(id), day, kind: kind as StatementLine['kind'], source, evidence: plainWord(evidence), total: BigInt(total), gained: BigInt(gained) }
  })
  const [, reference = ''] = matchOf(rows, HEAD_LINES + count, /^Payment: (0x[0-9a-f]{64})$/)
  const routed = isRouted ? routeOf(matchOf(rows, HEAD_LINES + count + 1, ROUTED)) : null
  const [, paidAt = ''] = matchOf(rows, rows.length - 1, PAID)
  return {
    box: text(1),
    id: Number(text(2)),
    account: plainWord(text(3)),
    number: Number(text(4)),
    previous: text(5) === 'none' ? null : (text(5) as Hash),
    token: plainWord(text(6)),
    decimals: Number(text(6, 2)),
    tokenAddress: text(6, 3) as Address,
    to: text(7) as Address,
    terms: termsOf(text(8)),
    afterEntry: Number(text(9)),
    upToEntry: Number(text(9, 2)),
    amount: BigInt(text(10)),
    lines,
    reference: reference as Hash,
    routed,
    paidAt,
  }
}

function matchOf(rows: readonly string[], index: number, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(rows[index] ?? '')
  if (match === null) throw inputError(`line ${index + 1}`, (rows[index] ?? '').slice(0, 80), 'what the box wrote')
  return match
}

function routeOf([, secretHash = '', fee = '', via = '']: RegExpExecArray): StatementRoute {
  return { secretHash: secretHash as Hash, fee: BigInt(fee), via: via === 'none' ? [] : (via.split(' ') as Address[]) }
}

function termsOf(text: string): ShareTerm[] {
  if (text === 'none') return []
  return text.split('; ').map((term) => {
    const [parts = '', sources = ''] = term.split(' of ')
    return { partsPerMillion: Number(parts), sources: sources === 'all' ? [] : sources.split(',') }
  })
}

/** Visible ASCII without blanks and commas, all else as % and hex digits: a line has one way to be read. */
function word(text: string): string {
  return [...utf8(text)].map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x2c ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`)).join('')
}

function plainWord(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text.match(/%[0-9a-f]{2}|[^%]/g) ?? [], (part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0))))
}
