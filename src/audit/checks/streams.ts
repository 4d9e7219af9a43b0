/** Minutes paid by the second: what was served is proved by vouchers and words on this disk, but for what a power cut may cost and the grace. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings } from '../findings.ts'
import type { AuditLimits, Books, ServedRow } from '../types.ts'

const UNPAID = 'nothing is to be got back of it; if it grows, sell no minutes by the second (take photon.stream_token away) and make a support bundle (`meshbox support-bundle`)'

/** One step. */
export function streamChecks(findings: Findings, limits: Pick<AuditLimits, 'streamTicks'>): readonly ((books: Pick<Books, 'servedAfter'>) => boolean)[] {
  let last = ''
  let unpriced = 0
  return [
    (books) => {
      const rows = books.servedAfter(last, PAGE_ROWS)
      for (const row of rows) {
        if (row.isUnpriced) unpriced++
        else served(findings, row, limits)
      }
      last = rows.at(-1)?.stream ?? last
      if (rows.length === PAGE_ROWS) return true
      if (unpriced > 0) findings.unchecked('stream-unpaid', `streams that an earlier version booked, without the price of a second: ${unpriced}`)
      return false
    },
  ]
}

/** Without any proof the price is not known: then it is a matter of seconds. */
function served(findings: Findings, { stream, sessionId, servedMs, paid, debt }: ServedRow, { streamTicks }: Pick<AuditLimits, 'streamTicks'>): void {
  findings.looked('stream-unpaid')
  const where = `stream ${stream}, session ${sessionId}`
  const tickMs = paid?.tickMs ?? 1000
  const ticks = BigInt(Math.ceil(servedMs / tickMs))
  const proved = paid?.ticks ?? 0n
  if (ticks > proved + streamTicks) {
    const [unit, token] = paid === null ? [1n, 'seconds'] : [paid.unit, paid.token]
    findings.add({ check: 'stream-unpaid', what: `${ticks} ticks of a stream were served, and the proofs that are held pay for ${proved}: more is open than the ${streamTicks} that a power cut and the grace may cost`, where, amount: { expected: proved * unit, found: ticks * unit, token }, advice: UNPAID })
  }
  if (debt !== null && debt.owed > debt.grace) findings.add({ check: 'stream-unpaid', what: 'a stream ended with more unpaid than its grace', where, amount: { expected: debt.grace, found: debt.owed, token: paid?.token ?? '' }, advice: UNPAID })
}
