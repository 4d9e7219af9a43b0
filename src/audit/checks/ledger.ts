/** The book against itself: each entry balances, sums and days are those of the entries, and nobody is paid more than he earned. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { Books, DayKey, LedgerRow, TotalKey } from '../types.ts'

/** Accounts of what the box owes: what it paid them is at most what they earned. All others may be on either side. */
const OWED = /^(owner|(investor|relay|advertiser|community):.*)$/
const APPEND_ONLY = 'the book was changed by other hands or its file is damaged: put the newest sound backup in place (docs/storage.md)'
const START: TotalKey = { account: '', token: '', source: '' }
const TRIES = 3

const keyOf = ({ account, token, source }: TotalKey): string => `${account}\n${token}\n${source}`

export function ledgerChecks(findings: Findings): readonly Step[] {
  const walk = new LedgerWalk(findings)
  return [(books) => walk.step(books), dayStep(findings)]
}

class LedgerWalk {
  readonly #findings: Findings
  readonly #sums = new Map<string, bigint>()
  readonly #seen = new Set<string>()
  readonly #owed = new Map<string, bigint>()
  #last = 0
  #total = START

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Entries first; then sums, each page of them in a look that has taken in all entries. */
  step(books: Books): boolean {
    const entries = books.entriesAfter(this.#last, PAGE_ROWS)
    for (const entry of entries) this.#entry(entry, books)
    this.#last = entries.at(-1)?.id ?? this.#last
    if (entries.length === PAGE_ROWS) return true
    return this.#totals(books)
  }

  #entry(entry: LedgerRow, books: Books): void {
    const { postings, id, token, source } = entry
    this.#findings.looked('ledger-balance')
    let sum = 0n
    let debits = 0n
    for (const { account, amount } of postings) {
      sum += amount
      if (amount > 0n) debits += amount
      const key = keyOf({ account, token, source })
      this.#sums.set(key, (this.#sums.get(key) ?? 0n) + amount)
    }
    const where = `entry ${id} (${source}, ${entry.evidenceType} ${entry.evidenceId})`
    if (sum !== 0n) this.#findings.add({ check: 'ledger-balance', what: 'the debits of an entry are not its credits', where, amount: { expected: 0n, found: sum, token }, advice: APPEND_ONLY })
    if (debits !== entry.amount) this.#findings.add({ check: 'ledger-balance', what: 'an entry has another amount than its debits', where, amount: { expected: debits, found: entry.amount, token }, advice: APPEND_ONLY })
    if (entry.kind === 'earn') this.#earning(entry, where)
    if (entry.kind === 'reverse') this.#reversal(entry, where, books)
  }

  /** One pays, and the shares are all of it. */
  #earning({ postings, amount, token }: LedgerRow, where: string): void {
    this.#findings.looked('ledger-shares')
    const shares = postings.reduce((sum, each) => (each.amount < 0n ? sum - each.amount : sum), 0n)
    const payers = postings.filter((each) => each.amount > 0n)
    if (shares !== amount || payers.length > 1) this.#findings.add({ check: 'ledger-shares', what: 'the shares of an earning are not the earning', where, amount: { expected: amount, found: shares, token }, advice: APPEND_ONLY })
  }

  #reversal(entry: LedgerRow, where: string, books: Books): void {
    const [earning] = entry.reverses === null ? [] : books.entriesAfter(entry.reverses - 1, 1)
    const { token, taken } = entry
    if (earning === undefined || earning.id !== entry.reverses || earning.kind !== 'earn') {
      this.#findings.add({ check: 'ledger-shares', what: 'an entry takes back what is no earning', where, amount: null, advice: APPEND_ONLY })
      return
    }
    if ((taken ?? 0n) > earning.amount) this.#findings.add({ check: 'ledger-shares', what: 'more of an earning was taken back than was earned', where, amount: { expected: earning.amount, found: taken ?? 0n, token }, advice: APPEND_ONLY })
  }

  #totals(books: Books): boolean {
    const rows = books.totalsAfter(this.#total, PAGE_ROWS)
    for (const row of rows) {
      this.#findings.looked('ledger-totals')
      const key = keyOf(row)
      const expected = this.#sums.get(key) ?? 0n
      this.#seen.add(key) // what is posted to it from now on is not compared any more
      if (expected !== row.balance) this.#wrongTotal(row, expected, row.balance)
      const owed = `${row.account}\n${row.token}`
      if (OWED.test(row.account)) this.#owed.set(owed, (this.#owed.get(owed) ?? 0n) + expected)
    }
    this.#total = rows.at(-1) ?? this.#total
    if (rows.length === PAGE_ROWS) return true
    for (const [key, sum] of this.#sums) {
      const [account = '', token = '', source = ''] = key.split('\n')
      if (sum !== 0n && !this.#seen.has(key)) this.#wrongTotal({ account, token, source }, sum, 0n)
    }
    this.#overdrawn()
    return false
  }

  #wrongTotal({ account, token, source }: TotalKey, expected: bigint, found: bigint): void {
    this.#findings.add({ check: 'ledger-totals', what: 'a balance is not the sum of its postings', where: `${account}, ${source}`, amount: { expected, found, token }, advice: APPEND_ONLY })
  }

  /** Balances of who is owed are credits: negative. */
  #overdrawn(): void {
    for (const [key, balance] of this.#owed) {
      const [account = '', token = ''] = key.split('\n')
      this.#findings.looked('ledger-shares')
      if (balance > 0n) this.#findings.add({ check: 'ledger-shares', what: 'more was paid out than was earned', where: account, amount: { expected: 0n, found: balance, token }, advice: 'look at its payouts with `meshbox earnings entries`; what was paid too much is to be asked back' })
    }
  }
}

/** Days against balances: Σ of all days of an account is what it gained. Only while nothing is posted in between are they comparable. */
function dayStep(findings: Findings): Step {
  const first: DayKey = { day: '', token: '', source: '', account: '' }
  let key = first
  let began = -1
  let tries = 0
  let gained = new Map<string, bigint>()
  return (books) => {
    if (began < 0) began = books.newestEntry()
    const rows = books.daysAfter(key, PAGE_ROWS)
    for (const row of rows) gained.set(keyOf(row), (gained.get(keyOf(row)) ?? 0n) + row.gained)
    key = rows.at(-1) ?? key
    if (rows.length === PAGE_ROWS) return true
    if (books.newestEntry() !== began) {
      if (++tries === TRIES) {
        findings.unchecked('ledger-days', 'entries were posted all the while; audit again when less goes on')
        return false
      }
      ;[key, began, gained] = [first, -1, new Map()]
      return true
    }
    return compareDays(findings, books, gained)
  }
}

function compareDays(findings: Findings, books: Books, gained: Map<string, bigint>): false {
  let total = START
  for (;;) {
    const rows = books.totalsAfter(total, PAGE_ROWS)
    for (const row of rows) {
      findings.looked('ledger-days')
      const sum = gained.get(keyOf(row)) ?? 0n
      if (sum !== -row.balance) findings.add({ check: 'ledger-days', what: 'the days of an account do not add up to its balance', where: `${row.account}, ${row.source}`, amount: { expected: -row.balance, found: sum, token: row.token }, advice: APPEND_ONLY })
    }
    total = rows.at(-1) ?? total
    if (rows.length < PAGE_ROWS) return false
  }
}
