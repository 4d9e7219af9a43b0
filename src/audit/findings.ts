/** What the checks share: a step reads one page, and says here what it looked at and what does not fit. */
import type { AuditReport, Books, CheckName, ContractSum, Difference } from './types.ts'

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
