/** A channel as the contract's own storage has it, read by proof: to hold against what the logs told. */
import type { Address, Hash } from '../../base/index.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import { channelSlot, readChannelWord, readSideWords, sideSlots } from './storage.ts'
import type { Keccak, StoredChannel, StoredSide } from './storage.ts'

export interface ProvedChannel extends StoredChannel {
  readonly sides: readonly [StoredSide, StoredSide]
}

/** Null: not to be had now. */
export async function proveChannel(chain: Pick<ChainPort, 'storage'>, keccak: Keccak, point: ChainPoint, contract: Address, channel: Hash, participants: readonly [Address, Address]): Promise<ProvedChannel | null> {
  const slots = [channelSlot(keccak, channel), ...participants.flatMap((one) => sideSlots(keccak, channel, one))]
  const words = await Promise.all(slots.map((slot) => chain.storage(point, contract, slot)))
  if (!words.every((word) => word !== null)) return null
  const [head = 0n, a0 = 0n, a1 = 0n, a2 = 0n, b0 = 0n, b1 = 0n, b2 = 0n] = words
  return { ...readChannelWord(head), sides: [readSideWords([a0, a1, a2]), readSideWords([b0, b1, b2])] }
}
