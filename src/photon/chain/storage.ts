/**
 * Where PhotonV2 keeps a channel (contracts/solidity/PhotonV2.sol, slots 1 to 6), so that it can be read by proof:
 *
 * | slot | what |
 * |---|---|
 * | 1 | chain id |
 * | 2 | secret registry |
 * | keccak(id ‖ 3) | epoch u64, settle block u64, settle timeout u32, state u8, from the right |
 * | keccak(participant ‖ that + 1) and the two after it | deposit u128, claimed u128; balance hash 24 bytes, nonce u64; withdrawn u128, rewards u8, voided bool |
 *
 * and SecretRegistry: keccak(secret hash ‖ 0) → block.
 */
import { concatBytes, fromHex, hexOf } from '../../base/index.ts'
import type { Address, Hash, Hex } from '../../base/index.ts'

export type Keccak = (data: Uint8Array) => Uint8Array
export const CHAIN_ID_SLOT = 1n
export const SECRET_REGISTRY_SLOT = 2n
const CHANNELS_SLOT = 3n
const U64 = (1n << 64n) - 1n
const U128 = (1n << 128n) - 1n
/** Slots are counted round 2^256. */
const U256 = (1n << 256n) - 1n

export type OnChainState = 'none' | 'open' | 'closed'

export interface StoredChannel {
  readonly epoch: bigint
  readonly settleBlock: number
  readonly settleTimeout: number
  readonly state: OnChainState
}

export interface StoredSide {
  readonly deposit: bigint
  readonly claimed: bigint
  readonly withdrawn: bigint
  readonly nonce: bigint
  /** 24 bytes. */
  readonly balanceHash: Hex
  readonly isVoided: boolean
}

export function channelSlot(keccak: Keccak, id: Hash): bigint {
  return mappingSlot(keccak, BigInt(id), CHANNELS_SLOT)
}

export function sideSlots(keccak: Keccak, id: Hash, participant: Address): readonly [bigint, bigint, bigint] {
  const first = mappingSlot(keccak, BigInt(participant), channelSlot(keccak, id) + 1n)
  return [first, (first + 1n) & U256, (first + 2n) & U256]
}

/** In the registry's storage. */
export function secretSlot(keccak: Keccak, secretHash: Hash): bigint {
  return mappingSlot(keccak, BigInt(secretHash), 0n)
}

export function readChannelWord(word: bigint): StoredChannel {
  const state = Number((word >> 160n) & 0xffn)
  return {
    epoch: word & U64,
    settleBlock: Number((word >> 64n) & U64),
    settleTimeout: Number((word >> 128n) & 0xffff_ffffn),
    state: state === 1 ? 'open' : state === 2 ? 'closed' : 'none',
  }
}

export function readSideWords(words: readonly [bigint, bigint, bigint]): StoredSide {
  const [money, proof, rest] = words
  return {
    deposit: money & U128,
    claimed: money >> 128n,
    withdrawn: rest & U128,
    nonce: proof >> 192n,
    balanceHash: hexOf(wordBytes(proof & ((1n << 192n) - 1n)).subarray(8)),
    isVoided: ((rest >> 136n) & 0xffn) !== 0n,
  }
}

function mappingSlot(keccak: Keccak, key: bigint, slot: bigint): bigint {
  return BigInt(hexOf(keccak(concatBytes(wordBytes(key), wordBytes(slot & U256)))))
}

function wordBytes(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}
