/** What a payout is made of, in one turn: the lines of the book that nobody was paid for yet, their sum, and the hash that pays them. */
import { momentOf } from '../base/index.ts'
import type { Clock } from '../base/index.ts'
import { accountBalances, accountLines, dayOf } from '../ledger/index.ts'
import type { ReadTx, Tx } from '../store/index.ts'
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

/** Null: less than dust is there to be paid. */
export function makeIntent(tx: Tx, box: string, settings: PayoutSettings, debt: PartyDebt, to: Exclude<Destination, { waitsFor: string }>, reason: PayoutReason, clock: Clock): Payout | null {
  const { account, token } = debt
  const before = lastPaid(tx, account, token)
  const afterEntry = before?.upToEntry ?? 0
  const lines = linesOf(tx, account, token, afterEntry, dustOf(settings, to.decimals))
  const amount = lines.reduce((sum, { gained }) => sum + gained, 0n)
  const upToEntry = lines.at(-1)?.entryId ?? afterEntry
  if (amount < dustOf(settings, to.decimals)) return null
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

/** As many as make a sum worth paying, by pages. */
function linesOf(tx: ReadTx, account: string, token: string, afterEntry: number, dust: bigint): StatementLine[] {
  const lines: StatementLine[] = []
  let sum = 0n
  for (let afterId = afterEntry; lines.length < MAX_LINES; ) {
    const page = accountLines(tx, { account, token, afterId, limit: LINES_AT_ONCE })
    for (const line of page.map(toLine).filter(isPaidFor)) {
      lines.push(line)
      sum += line.gained
    }
    afterId = page.at(-1)?.entryId ?? afterId
    if (page.length < LINES_AT_ONCE || sum >= dust) break
  }
  return lines
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
