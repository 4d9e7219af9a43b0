/**
 * The chain of hashes that a receipt stands on, so that the box cannot tell two stories of what was delivered:
 *
 *   keccak256( previous 32 ‖ SHA-256 of the PHYPayload 32 ‖ tmst 4 ‖ units 4 ‖ amount 16 ), big-endian, from 32 zero bytes on
 */
import { HASH_BYTES, MAX_AMOUNT, fromHex, inputError } from '../../../base/index.ts'
import type { BillableUnit } from '../../ports.ts'

export type Keccak = (bytes: Uint8Array) => Uint8Array

const LINK_BYTES = 32 + 32 + 4 + 4 + 16
const MAX_U32 = 0xffff_ffff

/** Errors: input of the field that does not fit. */
export function nextChainHash(previous: Uint8Array, unit: Pick<BillableUnit, 'frame' | 'tmstUs' | 'units' | 'amount'>, keccak: Keccak): Uint8Array {
  const frame = fromHex(unit.frame, 'frame')
  if (frame.length !== HASH_BYTES) throw inputError('frame', unit.frame, '64 hex digits')
  if (previous.length !== HASH_BYTES) throw inputError('previous', `${previous.length} bytes`, '32 bytes')
  for (const field of ['tmstUs', 'units'] as const)
    if (!Number.isInteger(unit[field]) || unit[field] < 0 || unit[field] > MAX_U32) throw inputError(field, unit[field], `a whole number from 0 to ${MAX_U32}`)
  if (unit.amount < 0n || unit.amount > MAX_AMOUNT) throw inputError('amount', unit.amount, '0 to 2^128 - 1')
  const link = new Uint8Array(LINK_BYTES)
  const view = new DataView(link.buffer)
  link.set(previous)
  link.set(frame, 32)
  view.setUint32(64, unit.tmstUs)
  view.setUint32(68, unit.units)
  view.setBigUint64(72, unit.amount >> 64n)
  view.setBigUint64(80, unit.amount & 0xffff_ffff_ffff_ffffn)
  return keccak(link)
}
