/** How a stream's record looks on disk: amounts as decimal text, bytes as hex. */
export const FORMAT = 1

export interface VoucherShape {
  readonly cumulative: string
  readonly tip: string
  readonly steps: number
  readonly unit: string
  readonly signature: string
  readonly index: number
  readonly preimage: string
}

export interface RecordShape {
  readonly format: number
  readonly account: {
    readonly channel: string
    readonly epoch: string
    readonly domain: { readonly profile: 'v1' | 'v2'; readonly chainId: string; readonly contract: string }
    readonly token: string
    readonly payer: string
    readonly payee: string
    readonly transferred: string
    /** Left out by earlier versions. */
    readonly proved?: string
    readonly ceiling: string
  }
  readonly final: string
  readonly owed: string
  readonly claim: VoucherShape | null
  readonly session: {
    readonly id: number
    readonly challenge: string
    readonly device: string
    readonly phase: 'open' | 'over'
    readonly base: string
    readonly debtTicks: number
    readonly servedTicks: number
    readonly terms: {
      readonly chainId: string
      readonly contract: string
      readonly token: string
      readonly unit: string
      readonly tickSeconds: number
      readonly steps: number
      readonly graceTicks: number
      readonly minDeposit: string
      readonly settleTimeout: number
      readonly validUntilSeconds: number
    }
    readonly vouchers: readonly VoucherShape[]
  } | null
}

/** Our own file, so only what a cut-off write or another version could do is looked at. */
export function stillFits(value: unknown): value is RecordShape {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === FORMAT && 'account' in value && 'final' in value && 'session' in value
}
