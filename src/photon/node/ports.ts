/**
 * What the node needs from outside besides ../ports.ts. Everything that is slow, random or a clock comes in from here,
 * so that a test can run a week in a second and break each part when it likes.
 */
import type { Address, Cancel } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import type { ChainMoment, DueDuty, PeerTransport } from '../ports.ts'

/** A transport that can hold one peer back without holding memory for it. */
export interface PacedTransport extends PeerTransport {
  /** The peer's frames stay in the network, until `resume`; a few that were read already may still come. */
  pause(peer: Address): void
  resume(peer: Address): void
  /** Ends the connection: what the peer sends is not worth reading. */
  disconnect(peer: Address, reason: string): void
}

/** The account's key, which stays where it is: digests of 32 bytes without gaps in, signatures of 65 bytes out. */
export interface AccountSigner {
  readonly account: Address
  /** On the loop: for a few. */
  sign(digests: Uint8Array): Uint8Array
  /** Beside the loop: from some eight up. */
  signInPool(digests: Uint8Array): Promise<Uint8Array>
}

/** Who signed: frames of digest 32 ‖ signature 65 in, addresses of 20 bytes out, zeros where nobody did (src/native). */
export interface SignerRecovery {
  recoverAddressBatch(frames: Uint8Array): Uint8Array
  recoverAddressBatchInPool(frames: Uint8Array): Promise<Uint8Array>
  /** The same answers, for signatures that most likely are all of one account. */
  recoverOneSignerBatch(frames: Uint8Array): Uint8Array
  recoverOneSignerBatchInPool(frames: Uint8Array): Promise<Uint8Array>
}

/** Runs `work` after the I/O that is ready now has been read: what makes frames of one loop turn go together. */
export type Soon = (work: () => void) => void

/** A routing fee that was earned, posted in the turn that earned it. */
export interface FeeEarning {
  readonly paymentKey: string
  readonly token: Address
  readonly amount: bigint
  readonly from: Address
  readonly to: Address
}

export interface FeeBook {
  post(tx: Tx, earning: FeeEarning): void
}

/** Where duties go: stored in the same turn as the state that calls for them. */
export interface DutySink {
  put(tx: Tx, duties: readonly DueDuty[]): void
}

export interface MomentSource {
  now(): ChainMoment
  /** After each change of `now`. */
  onChange(listener: (moment: ChainMoment) => void): Cancel
}
