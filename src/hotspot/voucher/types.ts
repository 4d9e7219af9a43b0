/** What a voucher says. All of it is signed in the QR form; the typed form carries slot, box, serial. */
export interface VoucherTerms {
  /** 0–15: number of the package. */
  readonly slot: number
  /** 0–3: which of the owner's boxes printed it. */
  readonly box: number
  /** 0–32767, unique per slot and box. */
  readonly serial: number
  readonly seconds: number | null
  readonly bytes: number | null
  /** Smallest units it puts into the guest's channel; then it grants neither time nor bytes. */
  readonly tokens: bigint | null
  readonly devices: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  /** What it was sold for, smallest units. */
  readonly price: bigint
  /** Last day it may be first used, in days since 1970-01-01 UTC; checked only while the clock is trusted. */
  readonly validUntilDay: number | null
}

/** `slot.box.serial`, the same for both forms of one voucher: what the first-use lock is on. */
export type VoucherId = string
