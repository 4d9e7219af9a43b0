/** Minutes paid by the second: what was served is proved by vouchers and words on this disk, but for what a power cut may cost and the grace. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { AuditLimits, Books, ServedRow, StreamClaimRow } from '../types.ts'

const SUPPORT = 'make a support bundle (`meshbox support-bundle`) before anything else'
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

export function streamClaimCheck(findings: Findings): Step {
  let last = ''
  return (books) => {
    const rows = books.streamClaimsAfter(last, PAGE_ROWS)
    for (const row of rows) claimed(findings, row)
    last = rows.at(-1)?.channel ?? last
    return rows.length === PAGE_ROWS
  }
}

/** What somebody else has claimed for the box is in the ledger, once, and is on the chain. */
function claimed(findings: Findings, { channel, epoch, posted, entryValue, token, paid, earned }: StreamClaimRow): void {
  findings.looked('stream-claimed')
  const where = `channel ${channel}, life ${epoch}`
  const add = (what: string, expected: bigint, found: bigint, advice: string): void => findings.add({ check: 'stream-claimed', what, where, amount: { expected, found, token }, advice })
  if (posted !== null && entryValue !== posted) add("the ledger's entry of a claim that was not the box's own is not for the value that was noted as posted", posted, entryValue ?? 0n, SUPPORT)
  if (posted !== null && paid !== null && posted > paid) add('the ledger has earned more by claims of others than the chain has paid', paid, posted, SUPPORT)
  const had = earned === null || (posted ?? 0n) > earned ? posted : earned
  if (earned !== null && paid !== null && had !== null && paid > had) add('the chain has paid more of a stream than the ledger has', paid, had, 'wait a minute, while the box may be booking it; then restart the service, which books it')
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
