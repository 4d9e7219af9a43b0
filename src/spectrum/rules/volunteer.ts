/** Which miner a block's VRF picks for the next round (spec 2.8). */
import { ZERO_ADDRESS, bytesOf, hexOf } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import type { Header } from '../codec/header.ts'
import type { Round } from './round.ts'

const INDEX_BYTES = 32

/**
 * `miners`: POC's normal list, in its order; `excluded`: who is in this round or the next. Both after the
 * parent. The zero address where nobody is left.
 */
export function pickVolunteer(header: Pick<Header, 'extra'>, miners: readonly Address[], excluded: ReadonlySet<Address>): Address {
  return pickByIndex(BigInt(hexOf(header.extra.subarray(0, INDEX_BYTES))), miners, excluded)
}

/** `index`: the VRF's, as a number. */
export function pickByIndex(index: bigint, miners: readonly Address[], excluded: ReadonlySet<Address>): Address {
  if (miners.length === 0) return ZERO_ADDRESS
  const start = Number(index % BigInt(miners.length))
  for (let x = 0; x < miners.length; x++) {
    const miner = miners[(start + x) % miners.length]
    if (miner !== undefined && !excluded.has(miner)) return miner
  }
  return ZERO_ADDRESS
}

/** Who cannot be picked again: everybody of this round and, so far, the next. */
export function excludedFrom(round: Pick<Round, 'signers' | 'next'>): ReadonlySet<Address> {
  return new Set([...round.signers, ...round.next])
}

const UPDATE_SELECTOR = '0x1c1b8772'
const SELECTOR_BYTES = 4
const ADDRESS_BYTES = 20
const WORD_BYTES = 32

/** The call `update(volunteer)`, 36 bytes. */
export function updateCall(volunteer: Address): Uint8Array {
  const data = new Uint8Array(SELECTOR_BYTES + WORD_BYTES)
  data.set(bytesOf(UPDATE_SELECTOR))
  data.set(bytesOf(volunteer), data.length - ADDRESS_BYTES)
  return data
}

/**
 * The volunteer in a call of `update`, null for another call. As the original reads it: the last 20 bytes
 * behind the selector, whatever their number; missing ones are zeros in front.
 */
export function volunteerOf(data: Uint8Array): Address | null {
  if (data.length < SELECTOR_BYTES || hexOf(data.subarray(0, SELECTOR_BYTES)) !== UPDATE_SELECTOR) return null
  const last = data.subarray(SELECTOR_BYTES).slice(-ADDRESS_BYTES)
  const address = new Uint8Array(ADDRESS_BYTES)
  address.set(last, ADDRESS_BYTES - last.length)
  return hexOf(address)
}
