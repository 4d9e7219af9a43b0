/** Vouchers, sessions, streams and top-ups against the ledger: nothing paid and not served, nothing served and not paid, nothing booked twice. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { AllotmentRow, SessionRow, StreamRow, TopUpRow, VoucherRow } from '../types.ts'

const SUPPORT = 'make a support bundle (`meshbox support-bundle`) before anything else, and refund the guest if he complains'
/** Took the rest from a guest without being asked by him; what he paid for it is to be given back. */
const FORCED: ReadonlySet<string | null> = new Set(['refunded'])

export function hotspotChecks(findings: Findings): readonly Step[] {
  return [voucherStep(findings), bookedVoucherStep(findings), sessionStep(findings), streamStep(findings), topUpStep(findings)]
}

function voucherStep(findings: Findings): Step {
  let last = 0
  return (books) => {
    const rows = books.vouchersAfter(last, PAGE_ROWS)
    for (const row of rows) voucher(findings, row)
    last = rows.at(-1)?.n ?? last
    return rows.length === PAGE_ROWS
  }
}

function voucher(findings: Findings, { id, state, price, tokens, sessionId, entry, isInSession }: VoucherRow): void {
  findings.looked('voucher')
  const where = `voucher ${id}`
  const token = entry?.token ?? ''
  const add = (what: string, expected: bigint, found: bigint): void => findings.add({ check: 'voucher', what, where, amount: { expected, found, token }, advice: SUPPORT })
  if (tokens !== null) return // what went into a channel is the top-ups' matter
  if (state === 'used') {
    if (price > 0n && entry === null) add('a used voucher is not in the ledger', price, 0n)
    if (entry !== null && entry.amount !== price) add('the ledger has another price for a voucher than it was sold for', price, entry.amount)
    if (sessionId !== null && isInSession === false) findings.add({ check: 'session-unserved', what: 'a voucher was used, and its session does not have what it is worth', where: `${where}, session ${sessionId}`, amount: { expected: price, found: 0n, token }, advice: SUPPORT })
  } else if (entry !== null) add(`a voucher that is ${state} has earned something`, 0n, entry.amount)
}

/** From the ledger's side: what it earned by vouchers is of vouchers that are known. */
function bookedVoucherStep(findings: Findings): Step {
  let last = 0
  return (books) => {
    const rows = books.entriesAfter(last, PAGE_ROWS)
    for (const { id, source, evidenceType, evidenceId, amount, token, kind } of rows)
      if (kind === 'earn' && source === 'hotspot:voucher' && evidenceType === 'voucher' && !books.hasVoucher(evidenceId))
        findings.add({ check: 'voucher', what: 'the ledger has earned by a voucher that is not known', where: `voucher ${evidenceId}, entry ${id}`, amount: { expected: 0n, found: amount, token }, advice: SUPPORT })
    last = rows.at(-1)?.id ?? last
    return rows.length === PAGE_ROWS
  }
}

function sessionStep(findings: Findings): Step {
  let last = ''
  return (books) => {
    const rows = books.sessionsAfter(last, PAGE_ROWS)
    for (const row of rows) session(findings, row)
    last = rows.at(-1)?.id ?? last
    return rows.length === PAGE_ROWS
  }
}

function session(findings: Findings, row: SessionRow): void {
  findings.looked('session-unserved')
  findings.looked('session-unpaid')
  for (const allotment of row.allotments) {
    paidAndServed(findings, row, allotment)
    servedAndPaid(findings, row, allotment)
  }
}

function paidAndServed(findings: Findings, { id, state, endReason }: SessionRow, allotment: AllotmentRow): void {
  const { seq, price, refunded, entry, isVoid, bearer } = allotment
  const where = `session ${id}, part ${seq}${bearer === null ? '' : ` (${bearer})`}`
  const token = entry?.token ?? ''
  const taken = entry?.taken ?? 0n
  if (refunded !== taken) findings.add({ check: 'session-unserved', what: 'a refund is not what the ledger took back', where, amount: { expected: refunded, found: taken, token }, advice: SUPPORT })
  const hasLeft = (allotment.grantedMs ?? 1) > allotment.usedMs && (allotment.grantedBytes ?? 1) > allotment.usedBytes
  const isLost = state === 'ended' && hasLeft && price > 0n && refunded === 0n && !isVoid && allotment.source === 'voucher'
  if (isLost && (FORCED.has(endReason) || endReason === 'time-used' || endReason === 'bytes-used'))
    findings.add({ check: 'session-unserved', what: `a session that ended (${endReason ?? 'without a reason'}) had something left that was paid`, where, amount: { expected: price, found: refunded, token }, advice: `give the guest what is left: \`meshbox sessions refund ${id}\`` })
}

function servedAndPaid(findings: Findings, { id }: SessionRow, { seq, bearer, source, price, entry, grantedMs, usedMs, grantedBytes, usedBytes }: AllotmentRow): void {
  const where = `session ${id}, part ${seq}${bearer === null ? '' : ` (${bearer})`}`
  if (source === 'voucher' && price > 0n && (entry === null || entry.amount !== price))
    findings.add({ check: 'session-unpaid', what: 'what a session was given for a voucher is not what the ledger earned by it', where, amount: { expected: price, found: entry?.amount ?? 0n, token: entry?.token ?? '' }, advice: SUPPORT })
  // A stream's grant is written less often than its use; healing it is the next start's work.
  if (source === 'stream') return
  for (const [what, granted, used] of [['milliseconds', grantedMs, usedMs], ['bytes', grantedBytes, usedBytes]] as const)
    if (granted !== null && used > granted) findings.add({ check: 'session-unpaid', what: `more ${what} were used than were bought`, where, amount: { expected: BigInt(granted), found: BigInt(used), token: what }, advice: SUPPORT })
}

function streamStep(findings: Findings): Step {
  let last = ''
  return (books) => {
    const rows = books.streamsAfter(last, PAGE_ROWS)
    for (const row of rows) stream(findings, row)
    last = rows.at(-1)?.stream ?? last
    return rows.length === PAGE_ROWS
  }
}

function stream(findings: Findings, { stream: name, sessionId, posted, entryValue, token, proved }: StreamRow): void {
  findings.looked('stream')
  const where = `stream ${name}${sessionId === null ? '' : `, session ${sessionId}`}`
  if (entryValue !== posted) findings.add({ check: 'stream', what: "the ledger's newest entry of a stream is not for the value that was noted as posted", where, amount: { expected: posted, found: entryValue ?? 0n, token }, advice: SUPPORT })
  if (proved !== null && posted > proved) findings.add({ check: 'stream', what: "the ledger has earned more of a stream than the channel's newest voucher proves", where, amount: { expected: proved, found: posted, token }, advice: 'close the channel with `meshbox channel close` while the partner is reachable, and compare what the chain pays' })
}

function topUpStep(findings: Findings): Step {
  let last = ''
  return (books) => {
    const rows = books.topUpsAfter(last, PAGE_ROWS)
    for (const row of rows) topUp(findings, row)
    last = rows.at(-1)?.code ?? last
    return rows.length === PAGE_ROWS
  }
}

function topUp(findings: Findings, { code, amount, price, entry, voucherState }: TopUpRow): void {
  findings.looked('top-up')
  const where = `code ${code}`
  const token = entry?.token ?? ''
  if (entry === null || entry.purse !== amount) findings.add({ check: 'top-up', what: 'what a code put into a channel is not what left the purse', where, amount: { expected: amount, found: entry?.purse ?? 0n, token }, advice: SUPPORT })
  if (entry !== null && entry.till !== price) findings.add({ check: 'top-up', what: 'the till has another price for a code than it was sold for', where, amount: { expected: price, found: entry.till, token }, advice: SUPPORT })
  if (voucherState !== 'used') findings.add({ check: 'top-up', what: 'a code was put into a channel and can be used once more', where, amount: { expected: amount, found: 2n * amount, token }, advice: `take it back: \`meshbox voucher revoke ${code}\`` })
}

