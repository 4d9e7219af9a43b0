/** The name of a channel (photon.md 1.2). Runs in a browser too. */
import { concatBytes } from '../base/bytes.ts'
import { inputError } from '../base/errors.ts'
import type { Address, Hash } from '../base/hex.ts'
import { hexText, writeHex } from './hex-digits.ts'
import type { Keccak } from './typed-hasher.ts'

const ADDRESS_BYTES = 20

/** keccak(lower address ‖ higher ‖ token ‖ contract): of `a` and `b` in either order, and the same for every life of it: see `epoch`. Errors: input. */
export function channelId(keccak: Keccak, a: Address, b: Address, token: Address, contract: Address): Hash {
  const [low, high] = a < b ? [a, b] : [b, a]
  return hexText(keccak(concatBytes(addressBytes(low, 'participant'), addressBytes(high, 'participant'), addressBytes(token, 'token'), addressBytes(contract, 'contract'))))
}

function addressBytes(address: Address, field: string): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_BYTES)
  if (!writeHex(address, bytes, 0, ADDRESS_BYTES)) throw inputError(field, address, '0x and 40 lower-case hex digits')
  return bytes
}
