/**
 * How many of the lines that nobody was paid for the next payout is for, pure: from the oldest on, and never for more than is owed, since
 * what was given back or paid by hand may stand behind them. All of them together make what is owed, so in the end there is such a sum.
 */
export interface Cut {
  /** 0: no beginning of them can be paid. */
  readonly count: number
  readonly amount: bigint
}

export interface CutTerms {
  /** All that the account is owed. */
  readonly owed: bigint
  /** Less is not worth a payment. */
  readonly dust: bigint
  /** That one statement should have. */
  readonly lines: number
  /** That it may have, where fewer make nothing that can be paid. */
  readonly mostLines: number
}

/**
 * `pages`: what each line gained, oldest first, read as far as it takes: as few pages as make a sum worth paying. Where `lines` of them make
 * none, the longest beginning that pays anything, dust or not: else what stands behind could never be paid.
 */
export function cutOf(pages: Iterable<readonly bigint[]>, { owed, dust, lines, mostLines }: CutTerms): Cut {
  let [count, sum] = [0, 0n]
  let cut: Cut = { count: 0, amount: 0n }
  for (const page of pages) {
    for (const gained of page) {
      count += 1
      sum += gained
      if (sum > 0n && sum <= owed) cut = { count, amount: sum }
    }
    if ((sum >= dust && sum <= owed) || (count >= lines && cut.count > 0) || count >= mostLines) break
  }
  return cut
}
