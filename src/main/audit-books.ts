/** The rooms' tables as the audit reads them: pages in the order of their keys, all of one look. Reads only. */
import type { Hash } from '../base/index.ts'
import type { Books, DayRow, LedgerRow, StreamRow, TotalRow, TopUpRow, VoucherRow } from '../audit/index.ts'
import type { ReadTx } from '../store/index.ts'
import { channelPages, type ChannelTools } from './audit-channels.ts'
import { iotPages, type IotTools } from './audit-iot.ts'
import { meshPages, type MeshTools } from './audit-mesh.ts'
import { payoutPages, type PayoutTools } from './audit-payouts.ts'
import { postingsOf } from './audit-rows.ts'
import { sessionsAfter } from './audit-sessions.ts'
import { servedAfter, streamClaimsAfter } from './audit-streams.ts'

export type BookTools = ChannelTools & IotTools & MeshTools & PayoutTools

export function booksOf(tx: ReadTx, tools: BookTools): Books {
  return {
    newestEntry: () => tx.get<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM ledger_entries')?.id ?? 0,
    entriesAfter: (id, most) => entriesAfter(tx, id, most),
    totalsAfter: ({ account, token, source }, most) =>
      tx
        .all<Omit<TotalRow, 'balance'> & { balance: string }>('SELECT account, token, source, balance FROM ledger_totals WHERE (account, token, source) > (?, ?, ?) ORDER BY account, token, source LIMIT ?', account, token, source, most)
        .map((row) => ({ ...row, balance: BigInt(row.balance) })),
    daysAfter: ({ day, token, source, account }, most) =>
      tx
        .all<Omit<DayRow, 'gained'> & { gained: string }>('SELECT day, token, source, account, gained FROM ledger_days WHERE (day, token, source, account) > (?, ?, ?, ?) ORDER BY day, token, source, account LIMIT ?', day, token, source, account, most)
        .map((row) => ({ ...row, gained: BigInt(row.gained) })),
    vouchersAfter: (n, most) => vouchersAfter(tx, n, most),
    hasVoucher: (id) => tx.get('SELECT 1 FROM hotspot_voucher WHERE id = ?', id) !== undefined,
    sessionsAfter: (id, most) => sessionsAfter(tx, id, most),
    streamsAfter: (stream, most) => streamsAfter(tx, stream, most),
    streamClaimsAfter: (channel, most) => streamClaimsAfter(tx, channel, most, tools.symbolOf),
    servedAfter: (stream, most) => servedAfter(tx, stream, most),
    topUpsAfter: (code, most) => topUpsAfter(tx, code, most),
    ...channelPages(tx, tools),
    ...meshPages(tx, tools),
    ...iotPages(tx, tools),
    ...payoutPages(tx, tools),
  }
}

interface EntryRow {
  id: number
  kind: LedgerRow['kind']
  source: string
  token: string
  evidence_type: string
  evidence_id: string
  facts: string | null
  amount: string
  reverses: number | null
  taken: string | null
}

function entriesAfter(tx: ReadTx, id: number, most: number): LedgerRow[] {
  return tx.all<EntryRow>('SELECT id, kind, source, token, evidence_type, evidence_id, facts, amount, reverses, taken FROM ledger_entries WHERE id > ? ORDER BY id LIMIT ?', id, most).map((row) => ({
    id: row.id,
    kind: row.kind,
    source: row.source,
    token: row.token,
    evidenceType: row.evidence_type,
    evidenceId: row.evidence_id,
    facts: row.facts === null ? {} : (JSON.parse(row.facts) as LedgerRow['facts']),
    amount: BigInt(row.amount),
    reverses: row.reverses,
    taken: row.taken === null ? null : BigInt(row.taken),
    postings: postingsOf(tx, row.id),
  }))
}

interface BookedRow {
  id: number
  token: string
  amount: string
}

const booked = (row: BookedRow | undefined): { readonly id: number; readonly token: string; readonly amount: bigint } | null => (row === undefined ? null : { ...row, amount: BigInt(row.amount) })

function vouchersAfter(tx: ReadTx, n: number, most: number): VoucherRow[] {
  return tx
    .all<{ n: number; id: string; state: string; price: string; tokens: string | null; session_id: string | null }>('SELECT n, id, state, price, tokens, session_id FROM hotspot_voucher WHERE n > ? ORDER BY n LIMIT ?', n, most)
    .map(({ session_id, ...row }) => ({
      ...row,
      price: BigInt(row.price),
      tokens: row.tokens === null ? null : BigInt(row.tokens),
      sessionId: session_id,
      entry: booked(tx.get<BookedRow>("SELECT id, token, amount FROM ledger_entries WHERE evidence_type = 'voucher' AND evidence_id = ? AND source = 'hotspot:voucher'", row.id)),
      isInSession: session_id === null || tx.get('SELECT 1 FROM hotspot_session WHERE id = ?', session_id) === undefined ? null : tx.get('SELECT 1 FROM hotspot_allotment WHERE session_id = ? AND bearer = ?', session_id, row.id) !== undefined,
    }))
}

function streamsAfter(tx: ReadTx, stream: string, most: number): StreamRow[] {
  return tx
    .all<{ stream: string; value: string; entry_id: number; session_id: string | null }>(
      'SELECT p.stream, p.value, p.entry_id, s.session_id FROM hotspot_stream_posted p LEFT JOIN hotspot_stream s ON s.stream = p.stream WHERE p.stream > ? ORDER BY p.stream LIMIT ?', stream, most,
    )
    .map((row) => {
      const entry = tx.get<{ token: string; facts: string | null }>('SELECT token, facts FROM ledger_entries WHERE id = ?', row.entry_id)
      const facts = entry?.facts == null ? {} : (JSON.parse(entry.facts) as LedgerRow['facts'])
      const from = postingsOf(tx, row.entry_id).find(({ account }) => account.startsWith('channel:'))?.account.slice('channel:'.length)
      return {
        stream: row.stream,
        sessionId: row.session_id,
        posted: BigInt(row.value),
        entryValue: facts['value'] === undefined ? null : BigInt(facts['value']),
        token: entry?.token ?? '',
        proved: from === undefined ? null : provedOf(tx, from as Hash, String(facts['epoch'])),
      }
    })
}

interface Promised {
  readonly cumulative: string
  readonly steps: number
  readonly unit: string
}

/** The most that the partner has signed for in this life of the channel. */
function provedOf(tx: ReadTx, channel: Hash, epoch: string): bigint | null {
  const row = tx.get<{ record: string }>('SELECT record FROM photon_stream WHERE channel = ?', channel)
  if (row === undefined) return null
  const record = JSON.parse(row.record) as { readonly account: { readonly epoch: string; readonly transferred: string }; readonly final: string; readonly claim: Promised | null; readonly session: { readonly vouchers: readonly Promised[] } | null }
  if (record.account.epoch !== epoch) return null
  const promised = [record.claim, ...(record.session?.vouchers ?? [])].flatMap((each) => (each === null ? [] : [BigInt(each.cumulative) + BigInt(each.unit) * BigInt(each.steps)]))
  return [BigInt(record.final), BigInt(record.account.transferred), ...promised].reduce((most, each) => (each > most ? each : most), 0n)
}

function topUpsAfter(tx: ReadTx, code: string, most: number): TopUpRow[] {
  return tx.all<{ code: string; amount: string; price: string; state: string }>('SELECT code, amount, price, state FROM hotspot_top_up WHERE code > ? ORDER BY code LIMIT ?', code, most).map((row) => {
    const entry = booked(tx.get<BookedRow>("SELECT id, token, amount FROM ledger_entries WHERE evidence_type = 'token-voucher' AND evidence_id = ? AND source = 'hotspot:top-up'", row.code))
    const of = (account: string): bigint => postingsOf(tx, entry?.id ?? 0).reduce((sum, each) => (each.account === account ? sum + each.amount : sum), 0n)
    return {
      code: row.code,
      amount: BigInt(row.amount),
      price: BigInt(row.price),
      state: row.state,
      entry: entry === null ? null : { purse: -of('purse:channels'), till: of('cash:vouchers'), token: entry.token },
      voucherState: tx.get<{ state: string }>('SELECT state FROM hotspot_voucher WHERE id = ?', row.code)?.state ?? null,
    }
  })
}
