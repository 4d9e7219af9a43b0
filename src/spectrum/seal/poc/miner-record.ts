/**
 * What the contracts say about a miner, proved slot by slot (spec 2.10):
 *
 * | contract | slot | what |
 * |---|---|---|
 * | POC | 0 | map miner → owner, amount, stopBlock |
 * | POC | 5, 7 | black list, lock list |
 * | POC | 10 to 13 | least deposit, first block, blocks to a halving, blocks to wait before a withdrawal |
 * | Anmap | 1 | map miner → wallet |
 */
import { MeshBoxError } from '../../../base/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, ZERO_ADDRESS, hexOf } from '../../codec/fields.ts'
import type { Address, Keccak } from '../../codec/fields.ts'
import type { Header } from '../../codec/header.ts'
import type { Network } from '../../network/network.ts'
import type { ProvedState } from '../../ports.ts'
import { elementSlot, mapSlot, wordOf } from '../../proof/account.ts'

const POC = { miners: 0n, black: 5n, lock: 7n, minDeposit: 10n, firstBlock: 11n, halvingBlocks: 12n, waitBlocks: 13n } as const
const ANMAP_WALLETS = 1n
/** A list longer than this is not read: nobody's is, an epoch's misses are in it at most. */
const MAX_LISTED = 8192
const AT_A_TIME = 16
const MAX_HALVINGS = 3n

export interface MinerRecord {
  /** The zero address: no deposit. */
  readonly owner: Address
  readonly amountWei: bigint
  /** 0: not stopped. */
  readonly stopBlock: bigint
  readonly isBlack: boolean
  readonly isLocked: boolean
}

export interface PocTerms {
  /** For a deposit in the next block. */
  readonly minDepositWei: bigint
  readonly withdrawWaitBlocks: bigint
}

interface Reading {
  readonly keccak: Keccak
  readonly state: Pick<ProvedState, 'storage'>
  readonly network: Network
  readonly at: Header
}

/** Errors: those of the proved state. */
export async function readMinerRecord(reading: Reading, miner: Address): Promise<MinerRecord> {
  const { keccak, state, network, at } = reading
  const slot = mapSlot(keccak, POC.miners, miner)
  const [owner = 0n, amountWei = 0n, stopBlock = 0n] = await Promise.all([0n, 1n, 2n].map((offset) => state.storage(at, network.poc, slot + offset)))
  // Only who is stopped can be on the lists.
  const [isBlack = false, isLocked = false] = stopBlock === 0n ? [] : [await isListed(reading, POC.black, miner), await isListed(reading, POC.lock, miner)]
  return { owner: addressOf(owner), amountWei, stopBlock, isBlack, isLocked }
}

export async function readPocTerms({ state, network, at }: Reading): Promise<PocTerms> {
  const [least = 0n, firstBlock = 0n, halvingBlocks = 0n, withdrawWaitBlocks = 0n] = await Promise.all(
    [POC.minDeposit, POC.firstBlock, POC.halvingBlocks, POC.waitBlocks].map((slot) => state.storage(at, network.poc, slot)),
  )
  const age = BigInt(at.number + 1) - firstBlock
  const halvings = halvingBlocks === 0n || age < 0n ? 0n : age / halvingBlocks
  return { minDepositWei: least >> (halvings > MAX_HALVINGS ? MAX_HALVINGS : halvings), withdrawWaitBlocks }
}

/** The wallet that the miner is bound to; null where the chain binds nobody (yet). */
export async function readBinding({ keccak, state, network, at }: Reading, miner: Address): Promise<Address | null> {
  const { anmap } = network
  if (anmap === null || at.number < anmap.startBlock) return null
  return addressOf(await state.storage(at, anmap.address, mapSlot(keccak, ANMAP_WALLETS, miner)))
}

async function isListed({ keccak, state, network, at }: Reading, slot: bigint, miner: Address): Promise<boolean> {
  const length = await state.storage(at, network.poc, slot)
  if (length > BigInt(MAX_LISTED)) throw new MeshBoxError('limit', `POC's list in slot ${slot} has ${length} entries; at most ${MAX_LISTED} are read`, { code: 'poc-list-long' })
  for (let from = 0; from < Number(length); from += AT_A_TIME) {
    const places = Array.from({ length: Math.min(AT_A_TIME, Number(length) - from) }, (_, index) => elementSlot(keccak, slot, from + index))
    const words = await Promise.all(places.map((place) => state.storage(at, network.poc, place)))
    if (words.some((word) => addressOf(word) === miner)) return true
  }
  return false
}

function addressOf(word: bigint): Address {
  return word === 0n ? ZERO_ADDRESS : hexOf(wordOf(word).subarray(HASH_BYTES - ADDRESS_BYTES))
}
