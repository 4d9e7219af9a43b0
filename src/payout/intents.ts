/** What a payout is made of, in one turn: the lines of the book that nobody was paid for yet, their sum, and the hash that pays them. */
import { MeshBoxError, momentOf } from '../base/index.ts'
import type { Clock } from '../base/index.ts'
import { accountBalances, accountLines, dayOf } from '../ledger/index.ts'
import type { ReadTx, Tx } from '../store/index.ts'
import { cutOf } from './cut.ts'
import type { CutTerms } from './cut.ts'
import { insertPayout, lastPaid, nextId } from './io/tables.ts'
import { routedOf } from './io/try-tables.ts'
import { dustOf } from './rules.ts'
import type { Destination } from './rules.ts'
import { referenceOf, renderBody, renderIntent } from './statement/index.ts'
import type { StatementFacts, StatementLine } from './statement/index.ts'
import type { Payout, PayoutReason, PayoutSettings } from './types.ts'

/** Of a payout's own entry: not among the lines, it is what they are paid with. */
export const PAYOUT_SOURCE = 'payout:photon'
/** Of what carriers got, on top and at the owner's cost. */
export const FEE_SOURCE = 'payout:fee'
export const FEE_ACCOUNT = 'cost:payout'
export const PARTY_CLASSES: readonly string[] = ['investor', 'relay', 'advertiser', 'community']
const LINES_AT_ONCE = 2000
/** Statements stay small enough to be kept and checked; what is more is the next payout's. */
const MAX_LINES = 20_000
/** Where those make nothing that can be paid; a reader still takes them (MAX_STATEMENTS_BYTES). */
const MOST_LINES = 60_000

export interface PartyDebt {
  readonly account: string
  readonly token: string
  readonly owed: bigint
}

/** Everybody with a share, a payee, a milestone or a balance; `ownToken`: of the box. */
export function debtsOf(tx: ReadTx, { shares, payees, milestones, token }: PayoutSettings): PartyDebt[] {
  const debts = new Map<string, PartyDebt>()
  for (const { account, token: name, balance } of accountBalances(tx, PARTY_CLASSES)) debts.set(`${account} ${name}`, { account, token: name, owed: -balance })
  const known = new Set([...debts.values()].map(({ account }) => account))
  for (const { account } of [...shares, ...payees, ...milestones]) if (!known.has(account)) debts.set(`${account} ${token.symbol}`, { account, token: token.symbol, owed: 0n })
  return [...debts.values()]
}

/**
 * `debt`: as it is in this turn, and the amount is never more. Null: less than dust is owed. Errors: conflict `payout-lines`, where what one
 * statement takes makes nothing, or more than is owed.
 */
export function makeIntent(tx: Tx, box: string, settings: PayoutSettings, debt: PartyDebt, to: Exclude<Destination, { waitsFor: string }>, reason: PayoutReason, clock: Clock): Payout | null {
  const { account, token, owed } = debt
  const dust = dustOf(settings, to.decimals)
  if (owed < dust) return null
  const before = lastPaid(tx, account, token)
  const afterEntry = before?.upToEntry ?? 0
  const { lines, amount } = linesDue(tx, debt, afterEntry, { owed, dust })
  const last = lines.at(-1)
  if (last === undefined) throw new MeshBoxError('conflict', `the first ${MOST_LINES} lines of the book that ${account} was not paid for make nothing, or more than the ${owed} smallest units of ${token} that are owed: too much was given back or paid by hand before or behind them`, { code: 'payout-lines', field: 'account', value: account })
  const upToEntry = last.entryId
  const terms = settings.shares.filter((share) => share.account === account).map(({ partsPerMillion, sources }) => ({ partsPerMillion, sources }))
  const facts: StatementFacts = { id: nextId(tx), account, token, number: (before?.number ?? 0) + 1, previous: before?.reference ?? null, decimals: to.decimals, tokenAddress: to.tokenAddress, to: to.to, terms, afterEntry, upToEntry, amount }
  const at = momentOf(clock)
  const payout: Payout = { ...facts, reference: referenceOf(renderIntent(box, facts, lines)), reason, day: dayOf(at), state: 'open', attempts: 0, problem: null, madeWallMs: at.wallMs, paid: null }
  insertPayout(tx, payout)
  return payout
}

/** All that is signed for a payout that is paid at `paid`. */
export function bodyOf(tx: ReadTx, box: string, payout: Payout, paid: { readonly wallMs: number; readonly isTrusted: boolean }): string {
  const { account, token, afterEntry, upToEntry } = payout
  return renderBody(renderIntent(box, payout, linesUpTo(tx, account, token, afterEntry, upToEntry)), paid, routedOf(tx, payout.id))
}

function linesDue(tx: ReadTx, { account, token }: PartyDebt, afterEntry: number, terms: Pick<CutTerms, 'owed' | 'dust'>): { readonly lines: readonly StatementLine[]; readonly amount: bigint } {
  const lines: StatementLine[] = []
  const pages = function* (): Iterable<readonly bigint[]> {
    for (let afterId = afterEntry; ; ) {
      const page = accountLines(tx, { account, token, afterId, limit: LINES_AT_ONCE })
      const some = page.map(toLine).filter(isPaidFor)
      lines.push(...some)
      yield some.map(({ gained }) => gained)
      const last = page.at(-1)
      if (last === undefined || page.length < LINES_AT_ONCE) return
      afterId = last.entryId
    }
  }
  const { count, amount } = cutOf(pages(), { ...terms, lines: MAX_LINES, mostLines: MOST_LINES })
  return { lines: lines.slice(0, count), amount }
}

/** Those that a payout is for. */
export function linesUpTo(tx: ReadTx, account: string, token: string, afterEntry: number, upToEntry: number): StatementLine[] {
  const lines: StatementLine[] = []
  for (let afterId = afterEntry; afterId < upToEntry; ) {
    const page = accountLines(tx, { account, token, afterId, limit: LINES_AT_ONCE })
    lines.push(...page.map(toLine).filter((line) => line.entryId <= upToEntry && isPaidFor(line)))
    const last = page.at(-1)
    if (last === undefined) break
    afterId = last.entryId
  }
  return lines
}

function isPaidFor({ source }: StatementLine): boolean {
  return source !== PAYOUT_SOURCE
}

function toLine({ entryId, day, kind, source, evidenceType, evidenceId, total, gained }: ReturnType<typeof accountLines>[number]): StatementLine {
  return { entryId, day, kind, source, evidence: `${evidenceType}:${evidenceId}`, total, gained }
}
