/**
 * secp256k1 on @noble/curves: the fallback where no native signer is installed, and the oracle it is tested
 * against. The first use computes its tables: some 100 ms and 13 MB, so nothing here runs at start-up of a
 * box that has its key already.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { MeshBoxError } from '../base/index.ts'
import type { Signer } from './types.ts'

export const SIGNATURE_BYTES = 65
/** v of Ethereum signatures: 27 + the parity of the point R's y. */
const V_EVEN = 27

export const nobleSigner: Signer = {
  publicKeyOf: (privateKey) => secp256k1.getPublicKey(privateKey, false),

  sign(digest, privateKey) {
    const recovered = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true, format: 'recovered' })
    const recovery = recovered[0] ?? 0
    // x of R above the group order: one in 2^127 digests, and v 27/28 cannot say it.
    if (recovery > 1) throw new MeshBoxError('internal', 'this digest cannot be signed recoverably', { code: 'signature-failed' })
    const signature = new Uint8Array(SIGNATURE_BYTES)
    signature.set(recovered.subarray(1))
    signature[64] = V_EVEN + recovery
    return signature
  },

  recover(digest, signature) {
    const v = signature[64] ?? 0
    if (signature.length !== SIGNATURE_BYTES || (v !== V_EVEN && v !== V_EVEN + 1)) return null
    try {
      const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
      // A second valid signature of the same text must not exist.
      if (parsed.hasHighS()) return null
      return parsed.addRecoveryBit(v - V_EVEN).recoverPublicKey(digest).toBytes(false)
    } catch {
      return null // r or s out of range, or no point with that x: nobody's signature
    }
  },
}
