/** Whether the box's books fit each other: docs/audit.md. Amounts are whole numbers of smallest units, as text. */
export interface AuditDifferenceJson {
  /** Name of the check, e.g. `ledger-balance`. */
  check: string
  what: string
  where: string
  /** Null: it is no matter of how much. */
  amount: { expected: string; found: string; token: string } | null
  advice: string
}

export interface AuditJson {
  isSound: boolean
  differences: AuditDifferenceJson[]
  /** Differences beyond those that are named. */
  unnamed: number
  /** Rows looked at, by check. */
  looked: Record<string, number>
  /** What could not be looked at now. */
  unchecked: { check: string; why: string }[]
  /** What all channels of a token hold together by the contract's proved state at that block; only where all of them could be compared. */
  contracts: { contract: string; token: string; block: number; channels: number; pot: string }[]
}
