/** What a receipt says. */
import type { Identity } from '../../identity/index.ts'

export interface ReceiptFacts {
  /** Shown to guests; one line, cut to 48 characters. */
  readonly venue: string
  /** The box's own running number, 1–32 letters, digits and dashes. */
  readonly receiptNumber: string
  /** 16 lower-case hex digits. */
  readonly sessionId: string
  /** What was bought, as it was offered; one line, cut to 64 characters. */
  readonly label: string
  /** null = not limited. */
  readonly boughtSeconds: number | null
  readonly boughtBytes: number | null
  /** 1–12 letters and digits, and the places after the point of its amounts. */
  readonly tokenSymbol: string
  readonly tokenDecimals: number
  /** Smallest units. */
  readonly price: bigint
  readonly refunded: bigint
  readonly secondsUsed: number
  readonly upBytes: number
  readonly downBytes: number
  /** Seconds since 1970 by the box's wall clock, and whether that clock was trusted then. */
  readonly startedUnixSeconds: number
  readonly startedTrusted: boolean
  /** null while the session is open. */
  readonly endedUnixSeconds: number | null
  readonly endedTrusted: boolean
  /** From `hashCounters`: 64 lower-case hex digits. */
  readonly countersHash: string
}

/** What one device of the session used, as the kernel counted. */
export interface DeviceUse {
  /** Lower-case `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string
  readonly upBytes: number
  readonly downBytes: number
  readonly upPackets: number
  readonly downPackets: number
}

export type ReceiptSigner = Pick<Identity, 'address' | 'signText'>
