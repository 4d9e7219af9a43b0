/** Payouts as the audit reads them: with the book's entry, the lines that they pay for, and whether this box has signed their statements. */
import type { Address } from '../base/index.ts'
import type { Books, PayoutRow } from '../audit/index.ts'
import { recoverTextSigner } from '../identity/index.ts'
import { bodyOf, linesUpTo } from '../payout/intents.ts'
import { routedOf } from '../payout/io/try-tables.ts'
import { paidSeries, payoutByReference, payoutsAfter } from '../payout/io/tables.ts'
import type { Payout } from '../payout/index.ts'
import { referenceOf, renderIntent } from '../payout/statement/index.ts'
import type { ReadTx } from '../store/index.ts'
import { postingsOf } from './audit-rows.ts'

export interface PayoutTools {
  /** As it stands on statements: EIP-55. */
  readonly signer: string
  readonly symbolOf: (token: Address) => string
}

type Pages = Pick<Books, 'payoutsAfter' | 'payoutOf'>

export function payoutPages(tx: ReadTx, { signer, symbolOf }: PayoutTools): Pages {
  return {
    payoutsAfter: (id, most) => payoutsAfter(tx, id, most).map((payout) => payoutRow(tx, payout, signer)),
    payoutOf(reference) {
      if (!/^0x[0-9a-f]{64}$/.test(reference)) return null
      const payout = payoutByReference(tx, reference)
      // The token as channels call it: the history has it so.
      return payout === null ? null : { id: payout.id, state: payout.state, amount: payout.amount, to: payout.to, token: symbolOf(payout.tokenAddress), entryId: payout.paid?.entryId ?? null, routed: routeOf(tx, payout) }
    },
  }
}

function payoutRow(tx: ReadTx, payout: Payout, signer: string): PayoutRow {
  const { id, account, token, number, previous, afterEntry, upToEntry, amount, reference, to, state, paid } = payout
  const lines = linesUpTo(tx, account, token, afterEntry, upToEntry)
  const [before] = paidSeries(tx, account, token, number - 1, 1)
  return {
    id, account, token, number, previous, afterEntry, upToEntry, amount, reference, to, state,
    before: before === undefined || before.number !== number - 1 ? null : { reference: before.reference, upToEntry: before.upToEntry },
    entry: paid === null ? null : entryOf(tx, paid.entryId),
    routed: routeOf(tx, payout),
    lines: lines.reduce((sum, { gained }) => sum + gained, 0n),
    isIntact: referenceOf(renderIntent(signer, payout, lines)) === reference,
    isSigned: paid === null ? null : recoverTextSigner(bodyOf(tx, signer, payout, paid), paid.signature) === signer,
  }
}

function routeOf(tx: ReadTx, { id, reference, paid }: Payout): PayoutRow['routed'] {
  const routed = paid === null ? null : routedOf(tx, id)
  if (routed === null) return null
  const entry = tx.get<{ id: number }>("SELECT id FROM ledger_entries WHERE source = 'payout:fee' AND evidence_type = 'payout-fee' AND evidence_id = ?", reference)
  return { lock: routed.secretHash, fee: routed.fee, entry: entry === undefined ? null : { id: entry.id, postings: postingsOf(tx, entry.id) } }
}

function entryOf(tx: ReadTx, id: number): PayoutRow['entry'] {
  const entry = tx.get<{ evidence_id: string }>("SELECT evidence_id FROM ledger_entries WHERE id = ? AND evidence_type = 'payout'", id)
  return entry === undefined ? null : { id, evidence: entry.evidence_id, postings: postingsOf(tx, id) }
}
