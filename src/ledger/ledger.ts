/**
 * The double-entry book. Everything happens inside the caller's turn, so an earning and what it was earned
 * for are on disk together or not at all. See docs/ledger.md for the accounts.
 */
import { MeshBoxError, inputError } from '../base/index.ts'
import type { Moment } from '../base/index.ts'
import type { ReadTx, Tx } from '../store/index.ts'
import { checkAccount, checkHead, checkPostings, factsText } from './entry-rules.ts'
import {
  accountBalance,
  addToDay,
  addToTotal,
  dayStatements,
  earnedAllTime,
  earnedSince,
  entriesAfter,
  entriesWithEvidence,
  entryByEvidence,
  entryById,
  insertEntry,
  newestDates,
  takenOf,
} from './io/tables.ts'
import type { AccountGain, BookedEntry, NewEntry } from './io/tables.ts'
import { partsFor, splitAmount, splitReversal } from './split.ts'
import { PLOT_DAYS, dayOf, earningTotals, monthOf } from './statements.ts'
import type { DayStatement, Earning, EarningTotals, Entry, Evidence, Ledger, Posting, ShareRule, StoredEntry } from './types.ts'

export interface LedgerOptions {
  /** Read at each earning, so a reload of the configuration applies to later earnings only. */
  readonly shares: () => readonly ShareRule[]
  /** Account of what is left over; default `owner`. */
  readonly ownerAccount?: string
}

const MAX_PAGE = 1000
const AUDIT_PAGE = 1000
/** Sorts after every day there is. */
const LAST_DAY = '\uffff'

export function createLedger(options: LedgerOptions): Ledger {
  return new BoundLedger(options.shares, options.ownerAccount ?? 'owner')
}

class BoundLedger implements Ledger {
  readonly #shares: () => readonly ShareRule[]
  readonly #owner: string

  constructor(shares: () => readonly ShareRule[], owner: string) {
    checkAccount(owner, 'ownerAccount')
    this.#shares = shares
    this.#owner = owner
  }

  /** Errors: input (a malformed part), internal `ledger-unbalanced`, conflict `evidence-reused`. */
  post(tx: Tx, entry: Entry): number {
    checkHead(entry.source, entry.token, entry.evidence, entry.at, entry.memo)
    checkPostings(entry.postings)
    const booked = entryByEvidence(tx, entry.source, entry.evidence.type, entry.evidence.id)
    if (booked) return sameOrConflict(booked, 'post', booked.token === entry.token && samePostings(booked.postings, entry.postings))
    return book(tx, {
      ...headOf(entry.source, entry.token, entry.evidence, entry.at, entry.memo),
      kind: 'post',
      amount: debitsOf(entry.postings),
      reverses: null,
      taken: null,
      postings: entry.postings,
    })
  }

  /** Errors: input (a malformed part, shares of more than everything), conflict `evidence-reused`. */
  earn(tx: Tx, earning: Earning): number {
    checkHead(earning.source, earning.token, earning.evidence, earning.at)
    checkAccount(earning.from, 'from')
    const booked = entryByEvidence(tx, earning.source, earning.evidence.type, earning.evidence.id)
    if (booked) {
      // Only what was earned is compared: the shares may have been changed by a reload in between.
      const from = booked.postings[0]?.account ?? earning.from
      return sameOrConflict(booked, 'earn', booked.token === earning.token && booked.amount === earning.amount && from === earning.from)
    }
    const shares = splitAmount(earning.amount, partsFor(earning.source, this.#shares(), this.#owner))
    const credits = shares.filter((share) => share.amount > 0n).map(({ account, amount }) => ({ account, amount: -amount }))
    for (const { account } of credits) {
      checkAccount(account, 'shares')
      if (account === earning.from) throw inputError('from', earning.from, 'an account that gets no share of the earning')
    }
    return book(tx, {
      ...headOf(earning.source, earning.token, earning.evidence, earning.at),
      kind: 'earn',
      amount: earning.amount,
      reverses: null,
      taken: null,
      // A gift of nothing is an entry without postings: its evidence still counts.
      postings: earning.amount === 0n ? [] : [{ account: earning.from, amount: earning.amount }, ...credits],
    })
  }

  /** Errors: not-found `ledger-no-entry`, conflict `ledger-not-an-earning`, `ledger-overdrawn`, `evidence-reused`, input `amount`. */
  reverse(tx: Tx, entryId: number, amount: bigint, evidence: Evidence, at: Moment): number {
    const earning = entryById(tx, entryId)
    if (!earning) throw new MeshBoxError('not-found', `the ledger has no entry ${entryId}`, { code: 'ledger-no-entry', value: entryId })
    if (earning.kind !== 'earn')
      throw new MeshBoxError('conflict', `entry ${entryId} is no earning; only an earning is taken back`, { code: 'ledger-not-an-earning', value: entryId })
    checkHead(earning.source, earning.token, evidence, at)
    const booked = entryByEvidence(tx, earning.source, evidence.type, evidence.id)
    if (booked) return sameOrConflict(booked, 'reverse', booked.reverses === entryId && booked.amount === amount)
    if (amount <= 0n) throw inputError('amount', amount, 'at least one smallest unit')
    const taken = takenOf(tx, entryId)
    if (taken + amount > earning.amount)
      throw new MeshBoxError('conflict', `${amount} cannot be taken back of entry ${entryId}; ${earning.amount - taken} is left of it`, {
        code: 'ledger-overdrawn',
        field: 'amount',
        value: amount,
        allowed: `1..${earning.amount - taken}`,
      })
    const [from, ...credits] = earning.postings
    if (!from) throw new MeshBoxError('internal', `entry ${entryId} has no postings`, { code: 'ledger-unbalanced', value: entryId })
    const shares = splitReversal(credits.map(({ account, amount: credit }) => ({ account, amount: -credit })), taken, amount)
    return book(tx, {
      ...headOf(earning.source, earning.token, evidence, at),
      kind: 'reverse',
      amount,
      reverses: entryId,
      taken: taken + amount,
      postings: [{ account: from.account, amount: -amount }, ...shares.filter((share) => share.amount > 0n)],
    })
  }

  balance(tx: ReadTx, account: string, token: string): bigint {
    return accountBalance(tx, account, token)
  }

  totals(tx: ReadTx, now: Moment): EarningTotals[] {
    const today = dayOf(now)
    const month = monthOf(today)
    const plotFrom = newestDates(tx, PLOT_DAYS)
    const from = [today, plotFrom, ...(month === null ? [] : [`${month}-01`])].toSorted()[0] ?? plotFrom
    return earningTotals({ allTime: earnedAllTime(tx), byDay: earnedSince(tx, from) }, today, this.#owner)
  }

  /** Bounds are included; `boot:…` days sort after every date, so a dated `toDay` leaves them out. */
  statements(tx: ReadTx, range: { fromDay?: string; toDay?: string } = {}): DayStatement[] {
    return dayStatements(tx, range.fromDay ?? '', range.toDay ?? LAST_DAY)
  }

  entries(tx: ReadTx, page: { afterId?: number; limit: number; evidence?: { type: string; id: string } }): StoredEntry[] {
    if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE) throw inputError('limit', page.limit, `1..${MAX_PAGE}`)
    const afterId = page.afterId ?? 0
    if (!Number.isSafeInteger(afterId) || afterId < 0) throw inputError('afterId', afterId, 'the id of an entry, or 0')
    const found = page.evidence ? entriesWithEvidence(tx, afterId, page.limit, page.evidence.type, page.evidence.id) : entriesAfter(tx, afterId, page.limit)
    return found.map(({ amount: _amount, ...entry }) => entry)
  }

  audit(tx: ReadTx): { token: string; sum: bigint; unbalancedEntries: number[] }[] {
    const tokens = new Map<string, { token: string; sum: bigint; unbalancedEntries: number[] }>()
    let page = entriesAfter(tx, 0, AUDIT_PAGE)
    while (page.length > 0) {
      for (const entry of page) {
        const found = tokens.get(entry.token) ?? { token: entry.token, sum: 0n, unbalancedEntries: [] }
        tokens.set(entry.token, found)
        const sum = entry.postings.reduce((total, posting) => total + posting.amount, 0n)
        found.sum += sum
        if (sum !== 0n || debitsOf(entry.postings) !== entry.amount) found.unbalancedEntries.push(entry.id)
      }
      page = entriesAfter(tx, page.at(-1)?.id ?? 0, AUDIT_PAGE)
    }
    return [...tokens.values()].sort((a, b) => (a.token < b.token ? -1 : 1))
  }
}

type Head = Pick<NewEntry, 'source' | 'token' | 'evidenceType' | 'evidenceId' | 'facts' | 'memo' | 'day' | 'at'>

function headOf(source: string, token: string, evidence: Evidence, at: Moment, memo?: string): Head {
  return { source, token, evidenceType: evidence.type, evidenceId: evidence.id, facts: factsText(evidence.facts), memo: memo ?? null, day: dayOf(at), at }
}

function book(tx: Tx, entry: NewEntry): number {
  const id = insertEntry(tx, entry)
  for (const gain of gainsOf(entry)) {
    addToDay(tx, entry.day, entry.token, entry.source, gain)
    addToTotal(tx, entry.token, entry.source, gain)
  }
  return id
}

/** One gain per account. The first line of an earning or a reversal is where the money came from; it earns nothing. */
function gainsOf({ kind, postings }: NewEntry): AccountGain[] {
  const gains = new Map<string, AccountGain>()
  postings.forEach(({ account, amount }, line) => {
    const earned = kind === 'post' || line === 0 ? 0n : -amount
    const before = gains.get(account)
    gains.set(account, { account, gained: (before?.gained ?? 0n) - amount, earned: (before?.earned ?? 0n) + earned })
  })
  return [...gains.values()]
}

function debitsOf(postings: readonly Posting[]): bigint {
  return postings.reduce((sum, { amount }) => (amount > 0n ? sum + amount : sum), 0n)
}

function samePostings(a: readonly Posting[], b: readonly Posting[]): boolean {
  return a.length === b.length && a.every((posting, line) => posting.account === b[line]?.account && posting.amount === b[line]?.amount)
}

/** The same evidence for something else would hide one of the two; that is a bug or a fraud, never a repetition. */
function sameOrConflict(booked: BookedEntry, kind: StoredEntry['kind'], isSame: boolean): number {
  if (booked.kind === kind && isSame) return booked.id
  throw new MeshBoxError('conflict', `${booked.evidence.type} ${booked.evidence.id} is evidence of entry ${booked.id} already, which is about something else`, {
    code: 'evidence-reused',
    field: 'evidence',
    value: `${booked.source} ${booked.evidence.type} ${booked.evidence.id}`,
  })
}
