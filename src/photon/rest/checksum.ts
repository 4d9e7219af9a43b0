/** EIP-55: an address whose letters' cases are a checksum, as the original's answers show addresses. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { toHex, utf8 } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'

export function checksumAddress(address: Address): string {
  const digits = address.slice(2)
  const hash = toHex(keccak_256(utf8(digits)))
  return `0x${[...digits].map((digit, index) => (Number.parseInt(hash[index] ?? '0', 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`
}
