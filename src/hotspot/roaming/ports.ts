/**
 * Sessions that go with their guests to another box, and others' guests here: what the hotspot offers to whoever talks with the other
 * boxes, and what it asks of him. Main joins it with mesh/roaming, whose `RoamingPlace` has the same shape; the rooms do not
 * know each other. docs/hotspot.md
 */
import type { Address, Cancel, Hash } from '../../base/index.ts'
import type { MacAddress } from '../gate/types.ts'
import type { KeptWalk, RoamState } from '../types.ts'

/** Seconds and bytes. */
export interface UsedAway {
  readonly seconds: number
  readonly bytes: bigint
}

/** What is said of a session between boxes. */
export interface WalkingSession {
  /** Address of the box that sold it. */
  readonly seller: Address
  readonly sessionId: string
  readonly mac: MacAddress
  readonly bearerHash: Hash
  readonly leftSeconds: number
  /** Null: not limited. */
  readonly leftBytes: bigint | null
  /** The most that a minute of it is worth, in smallest units of `token`. */
  readonly unitsPerMinute: bigint
  readonly token: Address | null
  /** Rises with each move. */
  readonly counter: number
  readonly holder: Address
  /** So many seconds elsewhere are charged before the guest's key is shown; null: no key holds it. */
  readonly proofAfterSeconds: number | null
}

export type WalkingGuest = { readonly mac: MacAddress } | { readonly sessionId: string; readonly isByKey: boolean } | { readonly key: Address }

/** What changes it is on disk when it resolves, and may be asked again after a crash with the same effect. */
export interface WalkingGuests {
  /** Of this box's own; null: none, or none that walks. With the guest's key also one that he paused by hand walks. */
  find(guest: WalkingGuest): WalkingSession | null
  /** It ended, or its price was given back. */
  isOver(sessionId: string): boolean
  /** It is this device's from now on, and no other's. Errors: conflict `session-running`: the device has another one here. */
  rebind(sessionId: string, mac: MacAddress): Promise<void>
  /** Our gate closes, our clock for it stops. */
  handOver(sessionId: string, to: Address, counter: number): Promise<WalkingSession>
  /** It runs here again, less what was used elsewhere in all. Errors: conflict `old-move`. */
  takeBack(sessionId: string, counter: number, spent: UsedAway): Promise<void>
  setSpentElsewhere(sessionId: string, spent: UsedAway): Promise<void>
  /** Another box's guest is let in for so long at most. The same counter again renews it. Errors: limit `no-room`; unavailable `gate-failed`. */
  admit(session: WalkingSession, leaseSeconds: number): Promise<void>
  release(seller: Address, sessionId: string, reason: string): Promise<void>
  /** Used here, cumulative for this counter. */
  used(seller: Address, sessionId: string, counter: number): UsedAway
  /** Since the gate counted a packet of this device; of one it does not let through: since it was heard at all. */
  idleMs(mac: MacAddress): number
  onUnknownGuest(listener: (mac: MacAddress) => void): Cancel
}

/** Who asks the other boxes. */
export interface RoamGuide {
  /** Looks for the guest's session at once. True: he is in. `code`: as he typed it. */
  seek(mac: MacAddress, code: string | null): Promise<boolean>
  /** For his page; null: nothing is known of him. */
  sight(mac: MacAddress): Exclude<RoamState, 'visiting' | 'visiting-key'> | null
  /** Sessions of this key that could go on at this device, when it signs for them. */
  kept(mac: MacAddress, key: Address): Promise<readonly KeptWalk[]>
  /** It has signed for one of them. True: it goes on here. */
  showKey(mac: MacAddress, sessionId: string, signature: Uint8Array): Promise<boolean>
  /** The name of a box, for the page. */
  nameOf(box: Address): string | null
}

/** What was counted of visits, for the next process of the same boot: in a folder that a reboot empties. */
export interface VisitJournal {
  read(): string | null
  /** Whole or not at all; need not be on flash. */
  write(text: string): void
}
