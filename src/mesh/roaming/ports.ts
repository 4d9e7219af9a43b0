/** What roaming asks of the rest of the box. Wider than src/mesh/ports.ts where two boxes have to agree on what was used. */
import type { Address, Hash } from '../../base/index.ts'
import type { BoxId, Mac, RoamTicket } from '../ports.ts'
import type { RoamAccount } from './account.ts'
import type { HeldRoam } from './held.ts'
import type { SoldRoam } from './sold.ts'

export interface Used {
  readonly seconds: number
  readonly bytes: bigint
}

/** The hotspot. All that changes it is on disk when it resolves, and may be asked again after a crash with the same effect. */
export interface RoamingPlace {
  /**
   * A session that this box sold, wherever it is; what is left is without `spentElsewhere`. Null: none with time left. By the guest's
   * key, and with `isByKey`: also one that he paused by hand.
   */
  find(guest: { readonly mac: Mac } | { readonly sessionId: string; readonly isByKey: boolean } | { readonly key: Address }): RoamTicket | null
  /** Seller's: it ended, or its price was given back: whatever is left of it, nobody may use that, here or elsewhere. */
  isOver(sessionId: string): boolean
  /** Seller's: it is this device's from now on, and of no other any more. */
  rebind(sessionId: string, mac: Mac): Promise<void>
  /** Seller's: our gate closes, our clock for it stops. `counter`: that of the move. */
  handOver(sessionId: string, to: BoxId, counter: number): Promise<RoamTicket>
  /** Seller's: it runs here again, less what was used elsewhere in all, cumulative over the session's life. */
  takeBack(sessionId: string, counter: number, spentElsewhere: Used): Promise<void>
  /** Seller's: a later figure of it, more or less than the one before. */
  setSpentElsewhere(sessionId: string, spentElsewhere: Used): Promise<void>
  /**
   * Holder's: in by this ticket for `leaseSeconds` at most, unless asked again. The same counter again renews it, each 4 s, with what
   * is left by then: that need not be on disk, a start asks anew.
   */
  admit(ticket: RoamTicket, leaseSeconds: number): Promise<void>
  /** Holder's: out, with a reason that the guest is shown. */
  release(seller: BoxId, sessionId: string, reason: string): Promise<void>
  /** Holder's: used here by this ticket, cumulative for its counter; after a restart what is known to have been. */
  used(seller: BoxId, sessionId: string, counter: number): Used
  /** Since a packet of the guest's device was seen here. */
  idleMs(mac: Mac): number
  /** A packet of a device that may not pass. */
  onUnknownGuest(listener: (mac: Mac) => void): () => void
}

/** What a guest shows to have a session moved to him. */
export type GuestProof =
  /** r ‖ s ‖ v over a roam-claim of form 1 (documents/roam-claim.ts) by the session's key. */
  | { readonly kind: 'key'; readonly claim: Uint8Array; readonly signature: Uint8Array }
  /** The code that was bought, as it was typed. */
  | { readonly kind: 'code'; readonly code: Uint8Array }

export interface RoamTerms {
  /** What this box asks for a minute of another's guest; 0: nothing, as between boxes of one owner. */
  readonly unitsPerMinute: bigint
  /** A seller that owes more is not served. */
  readonly maxDebt: bigint
  readonly settleAmount: bigint
}

/** Photon. Cumulative under one reference: the receiver books what is new. Resolves when it is on both disks. */
export interface RoamPayer {
  /** Whom to pay for a box; null: not known now. */
  payeeOf(box: BoxId): Address | null
  pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly reference: Hash }): Promise<void>
  /** Something new came under a reference, and is on disk. */
  onPaid(listener: (payment: { readonly reference: Hash }) => void): () => void
  /** All that ever came under it in this token, by the disk. */
  received(reference: Hash, token: Address): bigint
}

export interface RoamRecords {
  readonly sold: readonly SoldRoam[]
  readonly held: readonly HeldRoam[]
  readonly accounts: readonly RoamAccount[]
}

export interface RoamChange {
  readonly sold?: readonly SoldRoam[]
  readonly held?: readonly HeldRoam[]
  readonly accounts?: readonly RoamAccount[]
  readonly forgottenSold?: readonly string[]
  readonly forgottenHeld?: readonly { readonly seller: BoxId; readonly sessionId: string }[]
  /** Paid by a seller: to be posted in the ledger in the same turn, with the seller's signed tickets of the stays. `total`: ever, this included. */
  readonly earned?: { readonly seller: BoxId; readonly token: Address; readonly amount: bigint; readonly total: bigint; readonly reference: Hash; readonly evidence: readonly Uint8Array[] }
  /** Given up by a holder's owner, or less than nothing: paid all the same. Posted in the same turn. `total`: what is given up now. */
  readonly writtenOff?: { readonly seller: BoxId; readonly token: Address; readonly amount: bigint; readonly total: bigint; readonly owed: bigint; readonly reference: Hash }
  /** Paid to a holder: posted in the same turn. `total`: ever, this included. */
  readonly spent?: { readonly holder: BoxId; readonly token: Address; readonly amount: bigint; readonly total: bigint; readonly reference: Hash }
}

export interface RoamBook {
  /** Once, at the start. Readings of the boot clock are as they would be had this boot followed the last without a pause. */
  read(): Promise<RoamRecords>
  /** All of it on disk when it resolves, or nothing. */
  write(change: RoamChange): Promise<void>
}
