/**
 * Goes through all books page by page and names what does not fit. It reads only; between pages others have their turn, so what is compared
 * with each other is read in one look. No clock, no I/O: see docs/audit.md for what each check holds against what.
 */
import { chainCheck } from './checks/chain.ts'
import { channelChecks } from './checks/channels.ts'
import { hotspotChecks } from './checks/hotspot.ts'
import { iotChecks } from './checks/iot.ts'
import { ledgerChecks } from './checks/ledger.ts'
import { meshChecks } from './checks/mesh.ts'
import { payoutChecks } from './checks/payouts.ts'
import { settledCheck } from './checks/settled.ts'
import { receiptChecks } from './checks/receipts.ts'
import { streamChecks } from './checks/streams.ts'
import type { AuditPorts, AuditReport, Books, CheckName, ContractSum, Difference } from './types.ts'

export const PAGE_ROWS = 100
/** Named; the rest are only counted. */
const MAX_DIFFERENCES = 200
/** Reasons why something was not compared; what is more is said once for its check. */
const MAX_REASONS = 100

/** One page in one look. False: there is no more. */
export type Step = (books: Books) => boolean

export class Findings {
  readonly #differences: Difference[] = []
  readonly #looked: Partial<Record<CheckName, number>> = {}
  readonly #unchecked = new Map<string, { readonly check: CheckName; readonly why: string }>()
  readonly #contracts: ContractSum[] = []
  #unnamed = 0

  add(difference: Difference): void {
    if (this.#differences.length < MAX_DIFFERENCES) this.#differences.push(difference)
    else this.#unnamed++
  }

  looked(check: CheckName, rows = 1): void {
    this.#looked[check] = (this.#looked[check] ?? 0) + rows
  }

  unchecked(check: CheckName, why: string): void {
    const said = this.#unchecked.size < MAX_REASONS ? why : 'and more like these'
    this.#unchecked.set(`${check} ${said}`, { check, why: said })
  }

  contract(sum: ContractSum): void {
    this.#contracts.push(sum)
  }

  report(): AuditReport {
    return { differences: [...this.#differences], unnamed: this.#unnamed, looked: { ...this.#looked }, unchecked: [...this.#unchecked.values()], contracts: [...this.#contracts] }
  }
}

/** Errors: what `look` throws, when the book cannot be read. */
export async function audit(ports: AuditPorts): Promise<AuditReport> {
  const findings = new Findings()
  const { limits } = ports
  const steps: readonly Step[] = [
    ...ledgerChecks(findings),
    ...hotspotChecks(findings),
    ...streamChecks(findings, limits),
    ...channelChecks(findings, limits),
    settledCheck(findings),
    ...meshChecks(findings, limits),
    ...iotChecks(findings, ports.nextChainHash),
    ...receiptChecks(findings),
    ...payoutChecks(findings),
  ]
  for (const step of steps) {
    while (ports.look(step)) await ports.pause()
    await ports.pause()
  }
  await chainCheck(findings, ports)
  return findings.report()
}
