/** What streams were served, by the hotspot's tables, and what pays for it, by the channels' newest record or, of older ones, by the ledger. */
import type { LedgerRow, ServedRow, StreamClaimRow } from '../audit/index.ts'
import type { Address } from '../base/index.ts'
import { streamAccount } from '../photon/channel/index.ts'
import { readLife } from '../photon/node/index.ts'
import { channelOf, paidTicks } from '../photon/stream/index.ts'
import type { PayeeChannel } from '../photon/stream/index.ts'
import type { ReadTx } from '../store/index.ts'

interface StoredStream {
  readonly stream: string
  readonly session_id: string
  readonly used_before_ms: number
  /** As told at its end. */
  readonly used_ms: number | null
  readonly seq: number | null
  readonly used: string | null
}

/** A stream is named after its channel, that channel's life and the session in it. */
const NAME = /^(.+)\.(\d+)\.([0-9a-f]{8})$/

export function servedAfter(tx: ReadTx, stream: string, most: number): ServedRow[] {
  return tx
    .all<StoredStream>(
      `SELECT s.stream, s.session_id, s.used_before_ms, s.used_ms, a.seq, p.used FROM hotspot_stream s
       LEFT JOIN hotspot_allotment a ON a.session_id = s.session_id AND a.bearer = s.stream
       LEFT JOIN hotspot_progress p ON p.session_id = s.session_id WHERE s.stream > ? ORDER BY s.stream LIMIT ?`, stream, most,
    )
    .map((row) => {
      const used = row.used === null ? [] : (JSON.parse(row.used) as { readonly allotments: readonly (readonly [number, number])[] }).allotments
      const head = { stream: row.stream, sessionId: row.session_id, servedMs: row.used_ms ?? row.used_before_ms + (used[row.seq ?? -1]?.[0] ?? 0) }
      return { ...head, ...proofOf(tx, row.stream) }
    })
}

type Proof = Pick<ServedRow, 'paid' | 'isUnpriced' | 'debt'>

function proofOf(tx: ReadTx, stream: string): Proof {
  const entry = tx.get<{ token: string; facts: string | null; value: string }>('SELECT e.token, e.facts, p.value FROM hotspot_stream_posted p JOIN ledger_entries e ON e.id = p.entry_id WHERE p.stream = ?', stream)
  const held = recordOf(tx, stream)
  if (held !== null) return ofRecord(held, entry?.token ?? '')
  const facts = entry?.facts == null ? {} : (JSON.parse(entry.facts) as LedgerRow['facts'])
  const { base, unit, tickSeconds } = facts
  if (entry === undefined) return { paid: null, isUnpriced: false, debt: null }
  if (base === undefined || unit === undefined || BigInt(unit) <= 0n) return { paid: null, isUnpriced: true, debt: null }
  return { paid: { ticks: (BigInt(entry.value) - BigInt(base)) / BigInt(unit), tickMs: Number(tickSeconds) * 1000, unit: BigInt(unit), token: entry.token }, isUnpriced: false, debt: null }
}

/** The channel's, while this stream is its newest. */
function recordOf(tx: ReadTx, stream: string): PayeeChannel | null {
  const [, channel = '', epoch = '', session = ''] = NAME.exec(stream) ?? []
  const row = tx.get<{ record: string }>('SELECT record FROM photon_stream WHERE channel = ?', channel)
  if (row === undefined) return null
  const held = channelOf(row.record)
  return held.account.epoch.toString() === epoch && held.session?.id === Number.parseInt(session, 16) ? held : null
}

/** What was paid first was the debt of a session before. */
function ofRecord({ session, final, owed }: PayeeChannel, token: string): Proof {
  if (session === null) return { paid: null, isUnpriced: false, debt: null }
  const { unit, tickSeconds, graceTicks } = session.terms
  const isOver = session.phase === 'over'
  const ticks = (isOver ? (final - session.base) / unit : BigInt(paidTicks(session))) - BigInt(session.debtTicks)
  return { paid: { ticks, tickMs: tickSeconds * 1000, unit, token }, isUnpriced: false, debt: isOver ? { owed, grace: unit * BigInt(graceTicks) } : null }
}

/** One row for each channel with streams: the life that its newest record is of. */
export function streamClaimsAfter(tx: ReadTx, channel: string, most: number, symbolOf: (token: Address) => string): StreamClaimRow[] {
  return tx.all<{ channel: string; record: string }>('SELECT channel, record FROM photon_stream WHERE channel > ? ORDER BY channel LIMIT ?', channel, most).map((row) => {
    const { account, final, session } = channelOf(row.record)
    const { epoch, domain, payer, token } = account
    const noted = tx.get<{ value: string; facts: string | null }>('SELECT c.value, e.facts FROM hotspot_stream_claimed c LEFT JOIN ledger_entries e ON e.id = c.entry_id WHERE c.channel = ? AND c.epoch = ?', row.channel, epoch.toString())
    const facts = noted?.facts == null ? {} : (JSON.parse(noted.facts) as LedgerRow['facts'])
    const life = readLife(tx, domain.contract, account)
    const proved = (life === null ? null : streamAccount(life, payer)?.proved) ?? 0n
    return {
      channel: row.channel,
      epoch: epoch.toString(),
      posted: noted === undefined ? null : BigInt(noted.value),
      entryValue: facts['value'] === undefined ? null : BigInt(facts['value']),
      token: symbolOf(token),
      paid: life === null ? null : (life.partner.address === payer ? life.partner.claimed : null),
      earned: session?.phase === 'open' ? null : proved > final ? proved : final,
    }
  })
}
