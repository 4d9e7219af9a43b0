/** What a book's entries come to, and how the end of the story prints it. No box is asked here. */
import { formatUnits } from 'ethers'
import type { AuditJson, EntryJson, PhotonPaymentJson, SessionJson } from '../../src/owner/index.ts'

/** Numbers of the entries whose postings do not sum to zero. */
export function unbalancedIn(entries: readonly Pick<EntryJson, 'id' | 'postings'>[]): readonly number[] {
  return entries.filter(({ postings }) => postings.reduce((sum, { amount }) => sum + BigInt(amount.units), 0n) !== 0n).map(({ id }) => id)
}

/** In the box's own token, smallest units; what was taken back is taken off. */
export function earnedBySource(entries: readonly Pick<EntryJson, 'kind' | 'token' | 'source' | 'postings'>[], token: string): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const entry of entries) {
    if (entry.kind === 'post' || entry.token !== token) continue
    const size = entry.postings.reduce((sum, { amount }) => sum + (BigInt(amount.units) > 0n ? BigInt(amount.units) : 0n), 0n)
    sums.set(entry.source, (sums.get(entry.source) ?? 0n) + (entry.kind === 'earn' ? size : -size))
  }
  return sums
}

/** What sessions of that kind brought, refunds taken off; smallest units. */
export function soldBy(sessions: readonly Pick<SessionJson, 'source' | 'paid' | 'refunded'>[], kind: 'voucher' | 'stream'): bigint {
  return sessions.filter(({ source }) => source === kind).reduce((sum, { paid, refunded }) => sum + BigInt(paid.units) - BigInt(refunded.units), 0n)
}

/** What is over of the payments with that partner: a sum for each token, to the unit. */
export function movedBetween(payments: readonly Pick<PhotonPaymentJson, 'direction' | 'state' | 'peer' | 'token' | 'amount'>[], direction: 'sent' | 'received', partner: string): string {
  const sums = new Map<string, { readonly units: bigint; readonly decimals: number }>()
  for (const { direction: way, state, peer, token, amount } of payments)
    if (way === direction && state === 'done' && peer === partner) sums.set(token.symbol, { units: (sums.get(token.symbol)?.units ?? 0n) + BigInt(amount.units), decimals: token.decimals })
  const inOrder = [...sums].sort(([one], [other]) => (one < other ? -1 : 1))
  return inOrder.map(([symbol, { units, decimals }]) => `${formatUnits(units, decimals)} ${symbol}`).join(' and ') || 'nothing'
}

/** How many comparisons an audit made. */
export function comparisonsOf({ looked }: Pick<AuditJson, 'looked'>): number {
  return Object.values(looked).reduce((sum, count) => sum + count, 0)
}

/** In a line each: what, where, how much. */
export function differencesIn({ differences, unnamed }: Pick<AuditJson, 'differences' | 'unnamed'>): string {
  const named = differences.map(({ check, what, where, amount }) => `\n  ${check}: ${what} (${where}${amount === null ? '' : `; expected ${amount.expected}, found ${amount.found} ${amount.token}`.trimEnd()})`)
  return `${named.join('')}${unnamed === 0 ? '' : `\n  and ${unnamed} more`}`
}

/** Columns as wide as their widest cell; the last one is not filled up. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 3))).join('')).join('\n')
}

/** What `meshbox earnings` prints, without its row for each of the last days: on a first day all but one are nothing. */
export function withoutDays(earnings: string): string {
  return (earnings.split(/^DAY\b/m)[0] ?? '').trimEnd()
}
