/**
 * Where the original TokensNetwork keeps a channel, so that it can be read by proof (photon.md 1.2; the order of its
 * state variables, which the compiler fixes):
 *
 * | slot | what |
 * |---|---|
 * | 0 | secret registry |
 * | 1 | chain id |
 * | keccak(id ‖ 2) | settle timeout u64, settle block u64, open block u64, state u8, from the right |
 * | keccak(participant ‖ that + 1) and the one after it | deposit; balance hash 24 bytes, nonce u64, from the right |
 */
import { concatBytes, fromHex, hexOf } from '../../base/index.ts'
import type { Address, Hash, Hex } from '../../base/index.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import type { Keccak } from '../wire/index.ts'

const CHANNELS_SLOT = 2n
const U64 = (1n << 64n) - 1n
const U192 = (1n << 192n) - 1n
const U256 = (1n << 256n) - 1n

export interface LegacySide {
  readonly deposit: bigint
  /** 24 bytes. */
  readonly balanceHash: Hex
  readonly nonce: bigint
}

export interface LegacyChannel {
  readonly state: 'none' | 'open' | 'closed'
  readonly settleTimeout: number
  readonly settleBlock: number
  /** The block in which this life began: the epoch. */
  readonly openBlock: number
}

export interface ProvedLegacyChannel extends LegacyChannel {
  readonly sides: readonly [LegacySide, LegacySide]
}

type Storage = Pick<ChainPort, 'storage'>

/** The contract's state at the end of the block. Null: not to be had now. */
export async function proveLegacyChannel(chain: Storage, keccak: Keccak, point: ChainPoint, contract: Address, channel: Hash, participants: readonly [Address, Address]): Promise<ProvedLegacyChannel | null> {
  const slot = mappingSlot(keccak, BigInt(channel), CHANNELS_SLOT)
  const slots = [slot, ...participants.flatMap((one) => sideSlots(keccak, slot, one))]
  const words = await Promise.all(slots.map((one) => chain.storage(point, contract, one)))
  if (!words.every((word) => word !== null)) return null
  const [head = 0n, a0 = 0n, a1 = 0n, b0 = 0n, b1 = 0n] = words
  return { ...readHead(head), sides: [readSide(a0, a1), readSide(b0, b1)] }
}

function sideSlots(keccak: Keccak, channelSlot: bigint, participant: Address): readonly [bigint, bigint] {
  const first = mappingSlot(keccak, BigInt(participant), channelSlot + 1n)
  return [first, (first + 1n) & U256]
}

function readHead(word: bigint): LegacyChannel {
  const state = Number((word >> 192n) & 0xffn)
  return {
    state: state === 1 ? 'open' : state === 2 ? 'closed' : 'none',
    settleTimeout: Number(word & U64),
    settleBlock: Number((word >> 64n) & U64),
    openBlock: Number((word >> 128n) & U64),
  }
}

function readSide(deposit: bigint, proof: bigint): LegacySide {
  return { deposit, balanceHash: hexOf(wordBytes(proof & U192).subarray(8)), nonce: proof >> 192n }
}

function mappingSlot(keccak: Keccak, key: bigint, slot: bigint): bigint {
  return BigInt(hexOf(keccak(concatBytes(wordBytes(key), wordBytes(slot & U256)))))
}

function wordBytes(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}
