/** Tenants: each uplink billed once, the chain of receipts whole, sums those of the rows and of the ledger, credit within its window. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { AuditPorts, Books, ReceiptRow, TenantRow, UnitRow } from '../types.ts'

const BILL = 'do not send this tenant another bill before it is understood: compare with his copy (`meshbox lora receipt verify`)'
/** A frame that comes again so many units later has another counter by then. */
const FRAMES_REMEMBERED = 100_000
const RECEIPTS_AT_ONCE = 4
const GENESIS = '00'.repeat(32)
const NONE: Pick<TenantRow, 'tenant' | 'epoch'> = { tenant: '', epoch: 0 }

export function iotChecks(findings: Findings, nextChainHash: AuditPorts['nextChainHash']): readonly Step[] {
  return [tenantStep(findings), billStep(findings, nextChainHash)]
}

function tenantStep(findings: Findings): Step {
  let last = NONE
  let lastEntry = 0
  /** What the ledger has of each account: earned by kind, and paid. */
  const booked = new Map<string, bigint>()
  return (books) => {
    const entries = books.entriesAfter(lastEntry, PAGE_ROWS)
    lastEntry = entries.at(-1)?.id ?? lastEntry
    for (const { evidenceType, evidenceId, source, amount } of entries) {
      if (evidenceType !== 'iot-receipt' && evidenceType !== 'iot-payment') continue
      const name = `${evidenceId.slice(0, evidenceId.lastIndexOf(':'))} ${source}`
      booked.set(name, (booked.get(name) ?? 0n) + amount)
    }
    if (entries.length === PAGE_ROWS) return true
    const rows = books.tenantsAfter(last.tenant, last.epoch, PAGE_ROWS)
    for (const row of rows) tenant(findings, row, booked)
    last = rows.at(-1) ?? last
    return rows.length === PAGE_ROWS
  }
}

function tenant(findings: Findings, row: TenantRow, booked: ReadonlyMap<string, bigint>): void {
  findings.looked('tenant-sums')
  const { token, tenant: id, epoch } = row
  const where = `tenant ${id}, account ${epoch}`
  const add = (what: string, expected: bigint, found: bigint): void => findings.add({ check: 'tenant-sums', what, where, amount: { expected, found, token }, advice: BILL })
  const billed = row.sums.reduce((sum, { amount }) => sum + amount, 0n)
  if (billed !== row.cumAmount) add('the bill is not the sum of what was delivered', billed, row.cumAmount)
  for (const { kind, booked: noted } of row.sums) {
    const has = booked.get(`${id}:${epoch} iot:${kind}`) ?? 0n
    if (has !== noted) add(`what is noted as booked for ${kind} is not what the ledger has`, noted, has)
  }
  const settled = booked.get(`${id}:${epoch} iot:payment`) ?? 0n
  if (settled !== row.settled) add('what is noted as paid is not what the ledger has', row.settled, settled)
  if (row.settled > row.paid) add('the ledger has more paid by a tenant than the channels do', row.paid, row.settled)
  if (row.held.amount !== row.heldAmount || row.held.count !== row.heldCount) add('what is held is not the sum of what is being delivered', row.held.amount, row.heldAmount)
  if (row.creditWindow === null || row.isBehind) return
  findings.looked('tenant-credit')
  const owed = row.cumAmount + row.heldAmount - row.paid
  if (owed > row.creditWindow) findings.add({ check: 'tenant-credit', what: 'a tenant owes more than his credit window', where, amount: { expected: row.creditWindow, found: owed, token }, advice: 'right after his window was made smaller this is as it should be; otherwise pause him (`meshbox tenant`) and ask him to pay' })
}

/** One account after the other, unit by unit, with the receipts as they come. */
function billStep(findings: Findings, nextChainHash: AuditPorts['nextChainHash']): Step {
  let now: Bill | null = null
  let place = NONE
  return (books) => {
    if (now === null) {
      const [row] = books.tenantsAfter(place.tenant, place.epoch, 1)
      if (row === undefined) return false
      place = row
      now = new Bill(row, findings, nextChainHash)
    }
    if (!now.step(books)) now = null
    return true
  }
}

class Bill {
  readonly #row: TenantRow
  readonly #findings: Findings
  readonly #next: AuditPorts['nextChainHash']
  readonly #frames = new Map<string, bigint>()
  #seq = 0n
  #sum = 0n
  #hash = GENESIS
  readonly #receipts: ReceiptRow[] = []
  #read = 0n

  constructor(row: TenantRow, findings: Findings, next: AuditPorts['nextChainHash']) {
    this.#row = row
    this.#findings = findings
    this.#next = next
  }

  step(books: Books): boolean {
    const { tenant: id, epoch } = this.#row
    const units = books.unitsAfter(id, epoch, this.#seq, PAGE_ROWS)
    for (const unit of units) {
      if (unit.seq !== this.#seq + 1n) this.#gap(books, unit.seq)
      this.#unit(unit)
      for (let next = this.#oldest(books); next !== undefined && next.seq <= this.#seq; next = this.#oldest(books)) {
        this.#receipts.shift()
        this.#receipt(next)
      }
    }
    if (units.length === PAGE_ROWS) return true
    this.#end(books)
    return false
  }

  /** The oldest that was not compared yet. */
  #oldest(books: Books): ReceiptRow | undefined {
    const { tenant: id, epoch } = this.#row
    if (this.#receipts.length === 0) {
      this.#receipts.push(...books.receiptsAfter(id, epoch, this.#read, RECEIPTS_AT_ONCE))
      this.#read = this.#receipts.at(-1)?.seq ?? this.#read
    }
    return this.#receipts[0]
  }

  /** The chain goes on at the receipt that the payer showed, where an old copy was put in place. */
  #gap(books: Books, seq: bigint): void {
    const { tenant: id, epoch } = this.#row
    const [shown] = books.receiptsAfter(id, epoch, seq - 2n, 1)
    if (shown !== undefined && shown.seq === seq - 1n) [this.#sum, this.#hash] = [shown.cumAmount, shown.chainHash]
    else this.#add('receipts', `units ${this.#seq + 1n} to ${seq - 1n} are missing in the bill`, null)
  }

  #receipt({ seq, isSigned, chainHash, cumAmount }: ReceiptRow): void {
    this.#findings.looked('receipts')
    if (!isSigned) this.#add('receipts', `receipt ${seq} is not signed by this box`, null)
    if (seq < this.#seq) return // of what is not kept here
    if (chainHash !== this.#hash) this.#add('receipts', `receipt ${seq} stands on another chain of deliveries than the one that is kept`, null)
    if (cumAmount !== this.#sum) this.#add('receipts', `receipt ${seq} is for another sum than what was delivered`, { expected: this.#sum, found: cumAmount })
  }

  #unit(unit: UnitRow): void {
    this.#findings.looked('uplink-twice')
    this.#seq = unit.seq
    this.#sum += unit.amount
    this.#hash = this.#next(this.#hash, unit)
    if (unit.kind === 'downlink') return
    const name = unit.frame.slice(0, 32)
    const before = this.#frames.get(name)
    if (before !== undefined) this.#add('uplink-twice', `one frame was billed twice: as units ${before} and ${unit.seq}`, { expected: 0n, found: unit.amount })
    else this.#frames.set(name, unit.seq)
    if (this.#frames.size > FRAMES_REMEMBERED) for (const oldest of this.#frames.keys()) {
      this.#frames.delete(oldest)
      break
    }
  }

  /** Against the account as it is in this look. */
  #end(books: Books): void {
    const { tenant: id, epoch } = this.#row
    const [row] = books.tenantsAfter(id, epoch - 1, 1)
    if (row === undefined || row.isBehind || row.seq === 0n) return
    const shown = row.seq > this.#seq ? books.receiptsAfter(id, epoch, row.seq - 1n, 1)[0] : undefined
    if (shown !== undefined && shown.seq === row.seq && shown.chainHash === row.chainHash) return
    if (row.seq !== this.#seq || row.chainHash !== this.#hash) this.#add('receipts', `the account stands at unit ${row.seq} of another chain of deliveries than the one that is kept`, { expected: this.#sum, found: row.cumAmount })
  }

  #add(check: 'receipts' | 'uplink-twice', what: string, amount: { readonly expected: bigint; readonly found: bigint } | null): void {
    const { tenant: id, epoch, token } = this.#row
    this.#findings.add({ check, what, where: `tenant ${id}, account ${epoch}`, amount: amount === null ? null : { ...amount, token }, advice: BILL })
  }
}
