/** What several answers share: amounts, the token, and what a change of the configuration did. */
/** An amount: exact smallest units as decimal text (maybe with `-`), and the same in tokens, "1.5". */
export interface Money {
  readonly units: string
  readonly text: string
}

export interface TokenJson {
  readonly symbol: string
  readonly decimals: number
}

export interface ReloadReportJson {
  /** Options (`section.option`) in force now. */
  readonly applied: readonly string[]
  /** Options that are saved and need a restart of the service. */
  readonly needsRestart: readonly string[]
}
