/** What the portal needs so that another box can buy minutes ahead, and what main makes of the channels for it. Plain words and numbers: rooms do not know each other. */
import type { Hash } from '../../base/index.ts'

/** Addresses: 0x and 40 lower-case digits. */
export interface AheadPrice {
  readonly payee: string
  readonly token: string
  readonly unitsPerMinute: bigint
}

export interface AheadTerms extends AheadPrice {
  readonly minSeconds: number
  readonly maxSeconds: number
  /** That the device still has here. */
  readonly leftSeconds: number
  /** Where this box talks with boxes on the guests' side; null: nowhere. */
  readonly boxesPort: number | null
}

/** `leftSeconds`: while it is on line. */
export type AheadState =
  /** Nothing was paid under this reference yet; the price holds for as long as this process remembers the order. */
  | ({ readonly state: 'ordered' } & AheadPrice)
  | { readonly state: 'paid'; readonly leftSeconds: number }

/** For the portal. Devices are MAC addresses, as the door saw them. */
export interface AheadDoor {
  /** Errors: conflict `paused-by-owner`. */
  terms(device: string): AheadTerms
  /**
   * Lays an order, or takes what was paid for it: any number of times, with one outcome. Errors: input; conflict `ahead-other-device`, where the
   * reference is another device's, and what opening a session says; limit `no-room`.
   */
  order(device: string, reference: string): Promise<AheadState>
}

/** A direct payment that came for minutes. */
export interface AheadPayment {
  readonly payer: string
  readonly token: string
  readonly amount: bigint
  readonly reference: Hash
}
