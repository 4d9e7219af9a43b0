/** Payouts: each is paid once, by the channels' history, by the ledger and by the box's own signed statement, and follows the one before. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { Books, HistoryRow, LedgerRow, PayoutRow } from '../types.ts'

const PAID = 'ask the recipient for his history (`meshbox payout verify --received`), and keep this book as it is (`meshbox backup`)'
const BOOK = 'the book was changed by other hands or its file is damaged: put the newest sound backup in place (docs/storage.md)'
/** The lines of one are read again and hashed: up to 20,000. */
const PAYOUT_ROWS = 1
const BITS = 8

export function payoutChecks(findings: Findings): readonly Step[] {
  const walk = new PayoutWalk(findings)
  return [(books) => walk.step(books)]
}

class PayoutWalk {
  readonly #findings: Findings
  /** One bit a payout whose payment was met in the history: numbers run from 1. */
  #sent = new Uint8Array(1024)
  #lastPayment = 0
  #lastEntry = 0
  #last = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** History and entries first; then payouts, each in a look that has taken in all of both. */
  step(books: Books): boolean {
    const payments = books.historyAfter(this.#lastPayment, PAGE_ROWS)
    for (const payment of payments) if (payment.isForPayout && !payment.isLost && (payment.kind === 'direct-sent' || payment.kind === 'sent')) this.#payment(payment, books)
    this.#lastPayment = payments.at(-1)?.id ?? this.#lastPayment
    const entries = books.entriesAfter(this.#lastEntry, PAGE_ROWS)
    for (const entry of entries)
      if (entry.source === 'payout:photon') this.#entry(entry, books)
      else if (entry.source === 'payout:fee') this.#feeEntry(entry, books)
    this.#lastEntry = entries.at(-1)?.id ?? this.#lastEntry
    if (payments.length === PAGE_ROWS || entries.length === PAGE_ROWS) return true
    const rows = books.payoutsAfter(this.#last, PAYOUT_ROWS)
    for (const row of rows) this.#payout(row)
    this.#last = rows.at(-1)?.id ?? this.#last
    return rows.length === PAYOUT_ROWS
  }

  #payment({ id, kind, reference, amount, token, fee, lock, payer: to }: HistoryRow, books: Books): void {
    const where = `payment ${reference} to ${to ?? 'nobody'}, row ${id} of the history`
    const payout = books.payoutOf(reference)
    if (payout === null) return this.#add('money was sent as a payout that the book does not know', where, 0n, amount, token)
    const name = `payout ${payout.id}, ${where}`
    if (payout.state === 'dropped') this.#add('a payout was given up, and its money has left', name, 0n, amount, token)
    if (this.#isSent(payout.id)) return this.#add('a payout was sent twice', name, payout.amount, 2n * amount, token)
    this.#mark(payout.id)
    // Of a channel that is not known any more only how much.
    const isToOther = to !== null && (to !== payout.to || token !== payout.token)
    if (payout.state === 'paid' && (kind === 'sent') !== (payout.routed !== null)) this.#add(kind === 'sent' ? 'a payout went over other boxes, and its statement says directly' : 'a payout went directly, and its statement says over other boxes', name, null, null, token)
    else if (payout.routed !== null && lock !== payout.routed.lock) this.#add('a payout went under another lock than its statement says', name, null, null, token)
    else if (payout.routed !== null && fee !== payout.routed.fee) this.#add('the boxes between got another fee for a payout than its statement says', name, payout.routed.fee, fee, token)
    if (amount !== payout.amount || isToOther) this.#add(`another payment was sent than the payout of ${payout.token} to ${payout.to}`, name, payout.amount, amount, token)
  }

  #entry({ id, evidenceId, amount, token }: LedgerRow, books: Books): void {
    this.#findings.looked('payout')
    const payout = books.payoutOf(evidenceId as PayoutRow['reference'])
    if (payout?.state === 'paid' && payout.entryId === id) return
    this.#add('the ledger has a payout that the list of payouts does not', `entry ${id}, payment ${evidenceId}`, 0n, amount, token, BOOK)
  }

  #feeEntry({ id, evidenceId, amount, token }: LedgerRow, books: Books): void {
    this.#findings.looked('payout')
    const payout = books.payoutOf(evidenceId as PayoutRow['reference'])
    if (payout?.state === 'paid' && payout.routed?.entry?.id === id) return
    this.#add('the ledger has the fee of a payout that did not go over other boxes', `entry ${id}, payment ${evidenceId}`, 0n, amount, token, BOOK)
  }

  #payout(row: PayoutRow): void {
    this.#findings.looked('payout')
    const { id, account, token, amount, lines, isIntact, isSigned, state } = row
    const where = `payout ${id} to ${account}`
    if (lines !== amount) this.#add('a payout is for another sum than the lines of the book that it pays for', where, lines, amount, token, BOOK)
    else if (!isIntact) this.#add('the lines of the book that a payout pays for are not those that its payment names', where, null, null, token, BOOK)
    if (state !== 'paid') return
    if (isSigned === false) this.#add('the statement of a payout is not signed by this box any more', where, null, null, token, BOOK)
    if (!this.#isSent(id)) this.#add("a payout is called paid, and the channels' history has no payment of it, or one that was lost with its channel", where, amount, 0n, token)
    this.#booked(row, where)
    this.#feeBooked(row, where)
    this.#series(row, where)
  }

  #booked({ account, token, amount, to, reference, entry }: PayoutRow, where: string): void {
    const of = (name: string): bigint => entry?.postings.reduce((sum, each) => (each.account === name ? sum + each.amount : sum), 0n) ?? 0n
    if (entry === null || entry.evidence !== reference || of(account) !== amount) this.#add('a payout is called paid, and the ledger has not paid that account so much by it', where, amount, entry?.evidence === reference ? of(account) : 0n, token, BOOK)
    else if (of(`photon:${to}`) !== -amount) this.#add(`a payout is posted to another than photon:${to}`, where, amount, -of(`photon:${to}`), token, BOOK)
  }

  #feeBooked({ routed, token }: PayoutRow, where: string): void {
    if (routed === null) return
    const cost = routed.entry?.postings.reduce((sum, each) => (each.account === 'cost:payout' ? sum + each.amount : sum), 0n) ?? 0n
    if (cost !== routed.fee) this.#add("the fee of a payout over other boxes is not in the ledger as the owner's cost", where, routed.fee, cost, token, BOOK)
  }

  /** Each begins where the paid one before it ended: no line is paid twice, none is left out. */
  #series({ number, previous, afterEntry, token, before }: PayoutRow, where: string): void {
    if (number === 1 && previous === null && afterEntry === 0) return
    if (before === null || before.reference !== previous) return this.#add(`payout number ${number} of an account does not follow the one before it`, where, null, null, token, BOOK)
    if (before.upToEntry !== afterEntry) this.#add(`a payout begins behind entry ${afterEntry} of the book, and the one before it ended with ${before.upToEntry}`, where, null, null, token, BOOK)
  }

  #isSent(id: number): boolean {
    return ((this.#sent[Math.floor(id / BITS)] ?? 0) & (1 << (id % BITS))) !== 0
  }

  #mark(id: number): void {
    const at = Math.floor(id / BITS)
    if (at >= this.#sent.length) {
      const longer = new Uint8Array(Math.max(at + 1, 2 * this.#sent.length))
      longer.set(this.#sent)
      this.#sent = longer
    }
    this.#sent[at] = (this.#sent[at] ?? 0) | (1 << (id % BITS))
  }

  #add(what: string, where: string, expected: bigint | null, found: bigint | null, token: string, advice = PAID): void {
    this.#findings.add({ check: 'payout', what, where, amount: expected === null || found === null ? null : { expected, found, token }, advice })
  }
}
