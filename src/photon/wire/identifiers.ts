/**
 * Names made by hashing (all packed, big-endian, keccak-256), the same in both profiles (the channel's: ../channel-id.ts):
 *
 * | name | preimage |
 * |---|---|
 * | lock hash | expiration 32 ‖ amount 32 ‖ secret hash 32 |
 * | balance hash | locksroot 32 ‖ transferred 32, first 24 bytes; zeros when both are zero |
 * | echo hash | packet ‖ receiver 20 |
 */
import { ZERO_HASH, hexOf } from '../../base/index.ts'
import type { Address, Hash, Hex } from '../../base/index.ts'
import type { Lock } from '../ports.ts'
import { MAX_PACKET_BYTES } from './bounds.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Keccak } from '../typed-hasher.ts'

const BALANCE_HASH_BYTES = 24

/** Errors: input. */
export function lockHash(keccak: Keccak, lock: Lock): Hash {
  return hexOf(keccak(new ByteWriter(96).u256(BigInt(lock.expiration), 'expiration').u256(lock.amount, 'amount').hash(lock.secretHash, 'secretHash').written()))
}

/** What the contract keeps of one side's proof: 24 bytes. Errors: input. */
export function balanceHash(keccak: Keccak, transferred: bigint, locksroot: Hash): Hex {
  if (transferred === 0n && locksroot === ZERO_HASH) return hexOf(new Uint8Array(BALANCE_HASH_BYTES))
  return hexOf(keccak(new ByteWriter(64).hash(locksroot, 'locksroot').u256(transferred, 'transferred').written()).subarray(0, BALANCE_HASH_BYTES))
}

/** What an ack for `packet` from `receiver` carries. Errors: input. */
export function echoHash(keccak: Keccak, packet: Uint8Array, receiver: Address): Hash {
  return hexOf(keccak(new ByteWriter(MAX_PACKET_BYTES + 20).bytes(packet).address(receiver, 'receiver').written()))
}
