/** What letters want of payments, in their own words; main/ makes it of a channel. */
export interface LetterPayments {
  /** What came under this reference and is on disk, in smallest units of `token`; 0n: nothing. */
  paid(reference: string, token: string): bigint
}
