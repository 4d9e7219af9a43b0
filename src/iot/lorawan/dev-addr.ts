/**
 * DevAddr and NetID. LoRaWAN Backend Interfaces 1.0, chapter 13: a NetID (24 bits) says by its top three bits which prefix the addresses
 * of that network have: type t is t ones and a zero, then the low bits of the NetID as NwkID.
 */
import type { DevAddr } from '../ports.ts'
import { checkUnsigned } from './octets.ts'

/** NwkID bits by type; with the t + 1 bits before them they are the prefix. */
const NWK_ID_BITS: readonly number[] = [6, 6, 9, 11, 12, 13, 15, 17]

export interface AddressPrefix {
  readonly prefix: DevAddr
  readonly bits: number
}

/** Where a network's addresses lie. Errors: input `net-id`. */
export function prefixOfNetId(netId: number): AddressPrefix {
  checkUnsigned(netId, 24, 'net-id')
  const type = netId >>> 21
  const nwkIdBits = NWK_ID_BITS[type] ?? 0
  const bits = type + 1 + nwkIdBits
  const ones = (2 ** type - 1) * 2 // t ones and a zero
  const nwkId = netId % 2 ** nwkIdBits
  return { prefix: (ones * 2 ** nwkIdBits + nwkId) * 2 ** (32 - bits), bits }
}

export function hasPrefix(address: DevAddr, { prefix, bits }: AddressPrefix): boolean {
  return Math.floor(address / 2 ** (32 - bits)) === Math.floor(prefix / 2 ** (32 - bits))
}

/** An address of that network whose rest is `number`. Errors: input beyond what is left. */
export function devAddrIn(netId: number, number: number): DevAddr {
  const { prefix, bits } = prefixOfNetId(netId)
  return prefix + checkUnsigned(number, 32 - bits, 'dev-addr-number')
}
