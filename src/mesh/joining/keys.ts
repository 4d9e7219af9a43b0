/** Keys of codes on the house's curve. */
import { hexOf } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { createDocuments } from '../documents/index.ts'
import type { InvitationKeys } from './invitation.ts'

type Curve = Pick<Secp256k1, 'keccak256' | 'sign' | 'recoverAddress' | 'publicKeyOf'>

export function invitationKeys(curve: Curve): InvitationKeys {
  return {
    keccak256: (bytes) => curve.keccak256(bytes),
    documentsOf(secret) {
      const point = curve.publicKeyOf(secret, 'uncompressed')
      const address = hexOf(curve.keccak256(point.subarray(1)).subarray(12))
      return createDocuments(address, {
        keccak256: (bytes) => curve.keccak256(bytes),
        sign: (digest) => curve.sign(digest, secret),
        recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature),
      })
    },
  }
}
