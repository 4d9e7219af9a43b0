/** The sealer's secret behind the two things it is used for (spec 2.1, 2.2). */
import type { Randomness } from '../base/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import { SEAL_BYTES, addressOfKey } from './codec/header.ts'
import type { MinerKey } from './ports.ts'
import { proveVrf } from './vrf.ts'

/** `secret`: 32 bytes; kept in this closure and nowhere else. */
export function minerKeyOf(curve: Secp256k1, secret: Uint8Array, randomness: Randomness): MinerKey {
  return {
    address: addressOfKey(curve, curve.publicKeyOf(secret)),
    sign(digest) {
      const seal = curve.sign(digest, secret)
      seal[SEAL_BYTES - 1] = (seal[SEAL_BYTES - 1] ?? 0) - 27 // the curve's v is 27 or 28, a seal's 0 or 1
      return seal
    },
    proveVrf: (message) => proveVrf(curve, secret, message, randomness),
  }
}
