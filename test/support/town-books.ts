/** What a box of town-box.ts says of itself. Amounts are text. */

export interface BoxKeys {
  readonly box: string
  readonly account: string
}

export interface CarriageFacts {
  readonly carrier: string
  readonly client: string
  readonly isOurs: 'carrier' | 'client'
  readonly state: string
  readonly reason: string | null
  readonly bytes: { readonly up: string; readonly down: string }
  readonly lastBytes: { readonly up: string; readonly down: string }
  readonly owed: string
  readonly paid: string
  readonly unpaidOrder: { readonly amount: string; readonly problem: string | null } | null
}

export interface BoxFacts {
  readonly carriages: readonly CarriageFacts[]
  readonly own: { readonly unitsPerMiB: string | null; readonly hops: number; readonly via: readonly string[] } | null
  readonly entries: readonly { readonly source: string; readonly evidence: { readonly facts?: Readonly<Record<string, string>> }; readonly postings: readonly { readonly account: string; readonly amount: string }[] }[]
  readonly audit: readonly { readonly sum: string; readonly unbalancedEntries: readonly number[] }[]
  readonly channels: readonly { readonly partner: string; readonly sent: string; readonly got: string; readonly isReady: boolean; readonly inFlight: number }[]
  readonly spending: { readonly spent: string }
  /** Locked payments that are over: of those who paid and who were paid. */
  readonly locked: readonly { readonly kind: 'sent' | 'received'; readonly peer: string; readonly amount: string }[]
}

/** What a box has booked with `other` for carrying: as earned, and as spent. */
export function bookedWith({ entries }: Pick<BoxFacts, 'entries'>, { account: other }: BoxKeys): { readonly earned: bigint; readonly spent: bigint } {
  const amounts = entries.filter(({ source }) => source === 'mesh:relay').flatMap(({ postings }) => postings).filter(({ account }) => account.includes(other)).map(({ amount }) => BigInt(amount))
  const sum = (sign: bigint): bigint => amounts.filter((amount) => amount * sign > 0n).reduce((all, amount) => all + amount * sign, 0n)
  return { earned: sum(1n), spent: sum(-1n) }
}
