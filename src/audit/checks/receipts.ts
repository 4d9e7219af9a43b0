/**
 * Entries that rest on what others signed, or on what this box signed for them, against that: tenants' receipts and payments, carrying that was
 * paid, guests who walk. Each entry is for what its evidence adds to the one before, and is posted to whom the evidence names.
 */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { Books, LedgerRow } from '../types.ts'

const ADVICE = 'compare with the other side (`meshbox lora receipt verify`, `meshbox mesh carriage`); nothing is corrected by itself'
/** Carriages whose payments are added up at a time; one that has not been paid for longer begins anew, which finds less and never too much. */
const CARRIAGES_REMEMBERED = 10_000
const PARTS_PER_UNIT = 1n << 20n

export function receiptChecks(findings: Findings): readonly Step[] {
  const walk = new ReceiptWalk(findings)
  return [(books) => walk.step(books)]
}

class ReceiptWalk {
  readonly #findings: Findings
  /** By tenant's account: what was earned by its newest receipt, and what that receipt is for. */
  readonly #bills = new Map<string, { seq: string; sum: bigint; cumAmount: bigint; entry: number; token: string }>()
  /** By whose account: what evidence said was paid in all, when it was booked last. */
  readonly #totals = new Map<string, bigint>()
  readonly #carriages = new Map<string, bigint>()
  #last = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  step(books: Books): boolean {
    const entries = books.entriesAfter(this.#last, PAGE_ROWS)
    for (const entry of entries) this.#entry(entry, books)
    this.#last = entries.at(-1)?.id ?? this.#last
    if (entries.length === PAGE_ROWS) return true
    for (const name of this.#bills.keys()) this.#billed(name)
    return false
  }

  #entry(entry: LedgerRow, books: Books): void {
    const { evidenceType, evidenceId, facts } = entry
    const name = evidenceId.slice(0, evidenceId.lastIndexOf(':'))
    switch (evidenceType) {
      case 'iot-receipt':
        return this.#receipt(entry, name, books)
      case 'iot-payment':
        this.#posted(entry, `due:iot-${tenantOf(name)}`, -1n)
        return this.#total(entry, `${evidenceType} ${name}`, facts['paid'])
      case 'roaming':
        this.#posted(entry, `photon:${String(facts['seller'])}`, 1n)
        return this.#total(entry, `${evidenceType} ${name}`, facts['total'])
      case 'roaming-paid':
        this.#posted(entry, `photon:${String(facts['holder'])}`, -1n)
        return this.#total(entry, `${evidenceType} ${name}`, facts['total'])
      case 'carriage-paid':
        return this.#carried(entry)
    }
  }

  /** The evidence says what there was in all: the entry is for what that adds. */
  #total(entry: LedgerRow, name: string, total: string | number | boolean | undefined): void {
    const { amount, token } = entry
    const said = amountIn(total)
    const before = this.#totals.get(name) ?? 0n
    if (said === null) return this.#add(entry, 'an entry rests on evidence that does not say how much', null)
    this.#totals.set(name, said)
    if (said - before !== amount) this.#add(entry, 'an entry is for another sum than its evidence adds', { expected: said - before, found: amount, token })
  }

  #receipt(entry: LedgerRow, name: string, books: Books): void {
    const { facts, amount, token, id } = entry
    const seq = entry.evidenceId.slice(name.length + 1)
    this.#posted(entry, `due:iot-${tenantOf(name)}`, 1n)
    const cumAmount = amountIn(facts['cumAmount'])
    if (cumAmount === null) return this.#add(entry, 'an entry rests on a receipt that does not say how much', null)
    const before = this.#bills.get(name)
    if (before !== undefined && before.seq !== seq) this.#billed(name)
    const bill = this.#bills.get(name)
    this.#bills.set(name, { seq, sum: (bill?.sum ?? 0n) + amount, cumAmount, entry: id, token })
    if (before?.seq === seq) return // of another kind, by the same receipt
    const kept = books.receiptAt(tenantOf(name), Number(name.slice(tenantOf(name).length + 1)), Number(seq))
    if (kept === null) return
    if (kept.cumAmount !== cumAmount) this.#add(entry, 'an entry names another sum than the receipt that it rests on', { expected: kept.cumAmount, found: cumAmount, token })
    if (kept.chainHash !== String(facts['chainHash']).replace(/^0x/, '')) this.#add(entry, 'an entry names another chain of deliveries than the receipt that it rests on', null)
  }

  /** All kinds of a receipt are booked in its turn. */
  #billed(name: string): void {
    const bill = this.#bills.get(name)
    if (bill === undefined || bill.sum === bill.cumAmount) return
    this.#findings.add({ check: 'receipt-postings', what: `what was earned up to receipt ${bill.seq} is not what it is for`, where: `tenant ${tenantOf(name)}, entry ${bill.entry}`, amount: { expected: bill.cumAmount, found: bill.sum, token: bill.token }, advice: ADVICE })
    bill.sum = bill.cumAmount // named once
  }

  #carried(entry: LedgerRow): void {
    const { facts, amount, token } = entry
    const epoch = String(facts['epoch'])
    const parts = amountIn(facts['owedParts'])
    this.#findings.looked('receipt-postings')
    const sum = (this.#carriages.get(epoch) ?? 0n) + amount
    this.#carriages.delete(epoch)
    this.#carriages.set(epoch, sum)
    if (this.#carriages.size > CARRIAGES_REMEMBERED) for (const oldest of this.#carriages.keys()) {
      this.#carriages.delete(oldest)
      break
    }
    const owed = (parts ?? 0n) / PARTS_PER_UNIT
    if (sum > owed) this.#add(entry, 'more was paid for being carried than the readings that it rests on', { expected: owed, found: sum, token })
  }

  /** The whole entry is on that account: a debit (1) or a credit (-1). */
  #posted(entry: LedgerRow, account: string, sign: 1n | -1n): void {
    const { postings, amount, token } = entry
    this.#findings.looked('receipt-postings')
    const found = sign * postings.reduce((sum, each) => (each.account === account ? sum + each.amount : sum), 0n)
    if (found !== amount) this.#add(entry, `an entry is not posted to ${account}, whom its evidence names`, { expected: amount, found, token })
  }

  #add({ id, source, evidenceType, evidenceId }: LedgerRow, what: string, amount: { readonly expected: bigint; readonly found: bigint; readonly token: string } | null): void {
    this.#findings.add({ check: 'receipt-postings', what, where: `entry ${id} (${source}, ${evidenceType} ${evidenceId})`, amount, advice: ADVICE })
  }
}

const tenantOf = (account: string): string => account.slice(0, account.lastIndexOf(':'))

function amountIn(fact: string | number | boolean | undefined): bigint | null {
  return typeof fact === 'string' && /^\d{1,78}$/.test(fact) ? BigInt(fact) : null
}
