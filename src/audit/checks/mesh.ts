/** Carriages and guests who walk: what was booked is what was paid, both boxes have signed for it, and nobody owes more than is said. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { AuditLimits, CarriageRow, LedgerRow, RoamRow } from '../types.ts'

const SIGNED = 'the payment stays; keep this book as it is (`meshbox backup`), for without both signatures it proves nothing to the other box'
const BOOKED = 'compare with the other box (`meshbox mesh carriage`), and with `meshbox earnings entries`'

/** What the ledger has of carriages that are kept and of roaming, by whose and which: of the others there is nothing to hold it against. */
class MeshWalk {
  readonly carriages = new Map<string, bigint>()
  readonly roams = new Map<string, bigint>()
  #last = 0

  /** False: all that is there was taken in. */
  take(entries: readonly LedgerRow[], books: Parameters<Step>[0]): void {
    for (const entry of entries) {
      const { evidenceType, facts, evidenceId, amount } = entry
      if ((evidenceType === 'carriage' || evidenceType === 'carriage-paid') && books.hasCarriage(facts)) add(this.carriages, `${evidenceType} ${String(facts['epoch'])}`, amount)
      if (evidenceType === 'roaming' || evidenceType === 'roaming-paid') add(this.roams, `${evidenceType} ${evidenceId.split(':')[0] ?? ''}`, amount)
    }
    this.#last = entries.at(-1)?.id ?? this.#last
  }

  get last(): number {
    return this.#last
  }
}

export function meshChecks(findings: Findings, limits: AuditLimits): readonly Step[] {
  const walk = new MeshWalk()
  const catchUp = (books: Parameters<Step>[0], signatures: boolean): boolean => {
    const entries = books.entriesAfter(walk.last, PAGE_ROWS)
    walk.take(entries, books)
    if (signatures) for (const entry of entries) signed(findings, entry, books)
    return entries.length === PAGE_ROWS
  }
  let carriage = 0
  let roam = 0
  return [
    (books) => {
      if (catchUp(books, true)) return true
      const rows = books.carriagesAfter(carriage, PAGE_ROWS)
      for (const row of rows) carried(findings, row, walk, limits)
      carriage = rows.at(-1)?.number ?? carriage
      return rows.length === PAGE_ROWS
    },
    (books) => {
      if (catchUp(books, true)) return true
      const rows = books.roamsAfter(roam, PAGE_ROWS)
      for (const row of rows) roamed(findings, row, walk, limits)
      roam += rows.length
      return rows.length === PAGE_ROWS
    },
  ]
}

function signed(findings: Findings, { id, evidenceType, facts, amount, token }: LedgerRow, books: Parameters<Step>[0]): void {
  const where = `entry ${id}`
  if (evidenceType === 'carriage' || evidenceType === 'carriage-paid') {
    findings.looked('carriage')
    if (!books.isCarriageSigned(facts)) findings.add({ check: 'carriage', what: 'carrying was booked without the signatures of both boxes', where, amount: { expected: 0n, found: amount, token }, advice: SIGNED })
  }
  if (evidenceType === 'roaming') {
    findings.looked('roaming')
    const isSigned = books.isRoamingSigned(facts)
    if (isSigned === null) findings.unchecked('roaming', `${where} rests on tickets that were forgotten before it was paid`)
    else if (!isSigned) findings.add({ check: 'roaming', what: "minutes of another's guest were booked on tickets that the box which sold them has not signed", where, amount: { expected: 0n, found: amount, token }, advice: SIGNED })
  }
}

function carried(findings: Findings, row: CarriageRow, { carriages }: MeshWalk, limits: AuditLimits): void {
  findings.looked('carriage')
  const { carrier, client, epoch, role, token, owed, paid, ordered } = row
  const where = `carriage ${epoch}, ${client} by ${carrier}`
  const booked = carriages.get(`${role === 'carrier' ? 'carriage' : 'carriage-paid'} ${epoch}`) ?? 0n
  // A client's `paid` counts what is ordered; the ledger has it when it is known to be paid.
  const expected = role === 'carrier' ? paid : paid - ordered
  if (booked !== expected) findings.add({ check: 'carriage', what: 'what was paid for carrying is not what the ledger has', where, amount: { expected, found: booked, token }, advice: BOOKED })
  // A client that ends pays for its own last answer, which the carrier may never have heard.
  if (paid > owed && !(role === 'carrier' && row.isEnded)) findings.add({ check: 'carriage', what: 'more was paid for carrying than both boxes signed', where, amount: { expected: owed, found: paid, token }, advice: BOOKED })
  if (row.isSigned === false) findings.add({ check: 'carriage', what: 'a carriage stands on readings that not both boxes signed', where, amount: { expected: 0n, found: owed, token }, advice: SIGNED })
  const { carriage } = limits
  if (role !== 'carrier' || row.isSettled || carriage === null) return
  findings.looked('exposure')
  // One reading may go beyond the limit before the gate is shut; twice the limit says that it was not.
  if (owed - paid > 2n * carriage) findings.add({ check: 'exposure', what: 'a box owes more for being carried than mesh.max_debt allows', where, amount: { expected: carriage, found: owed - paid, token }, advice: '`meshbox mesh carriage end` ends it; it is carried again when it has paid' })
}

function roamed(findings: Findings, { role, partner, token, owed, paid, open, beyond, reference }: RoamRow, { roams }: MeshWalk, limits: AuditLimits): void {
  findings.looked('roaming')
  const where = `${role === 'holder' ? 'guests of' : 'own guests at'} ${partner}`
  const booked = roams.get(`${role === 'holder' ? 'roaming' : 'roaming-paid'} ${reference}`) ?? 0n
  if (booked !== paid) findings.add({ check: 'roaming', what: "what was paid for guests elsewhere is not what the ledger has", where, amount: { expected: paid, found: booked, token }, advice: BOOKED })
  if (role === 'seller' && paid > owed) findings.add({ check: 'roaming', what: 'more was paid for own guests elsewhere than this box signed', where, amount: { expected: owed, found: paid, token }, advice: BOOKED })
  if (role !== 'holder' || limits.roaming === null) return
  findings.looked('exposure')
  // The last word of each guest who was in when the limit was passed may go beyond it: more says that others were let in.
  if (open > limits.roaming + (beyond ?? limits.roaming)) findings.add({ check: 'exposure', what: 'a box owes more for its guests here than mesh.max_debt allows', where, amount: { expected: limits.roaming, found: open, token }, advice: 'its guests are let in again when it has paid; `meshbox mesh guests` shows them' })
}

function add(sums: Map<string, bigint>, name: string, amount: bigint): void {
  sums.set(name, (sums.get(name) ?? 0n) + amount)
}
