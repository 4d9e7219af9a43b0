/** What the roaming of a box is made of. */
import type { Address, Clock, Hash, Log, Timers } from '../../base/index.ts'
import type { BoxId, Documents } from '../ports.ts'
import type { RoamBook, RoamPayer, RoamTerms, RoamingPlace } from './ports.ts'

export interface RoamHashes {
  keccak256(bytes: Uint8Array): Uint8Array
  /** The bearer hash of a session whose key has this address, and of one whose code this is: as the hotspot makes them. */
  ofKey(address: Address): Hash
  ofCode(code: Uint8Array): Hash
}

export interface RoamParts {
  readonly self: BoxId
  readonly documents: Documents
  readonly hashes: RoamHashes
  readonly place: RoamingPlace
  readonly book: RoamBook
  /** Null: nothing is paid or asked for between boxes. */
  readonly payer: RoamPayer | null
  readonly terms: RoamTerms
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

/** One thing after the other. The caller has the rejection; the lane goes on. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  idle(): Promise<void> {
    return this.#last.then(() => undefined)
  }
}
