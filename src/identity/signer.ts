/**
 * The two signers. On @noble/curves: where no native code is installed, and the oracle the other is tested against. On a
 * curve that is handed in: the native addon. noble's first use computes its tables: some 100 ms and 13 MB, so nothing here runs at start-up of a
 * box that has its key already.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { MeshBoxError } from '../base/index.ts'
import type { Curve, Signer } from './types.ts'

const SIGNATURE_BYTES = 65
/** v of Ethereum signatures: 27 + the parity of the point R's y. */
const V_EVEN = 27

/** A signer on this curve. It answers as noble's does. */
export function signerOn(curve: Curve): Signer {
  return {
    backend: curve.backend,
    publicKeyOf: (privateKey) => curve.publicKeyOf(privateKey),
    sign: (digest, privateKey) => curve.sign(digest, privateKey),
    recover: (digest, signature) => (hasForm(signature) ? curve.recover(digest, signature) : null),
  }
}

/** r‖s‖v with v 27 or 28: of a text there is one signature, not also the one with v of 0 or 1. */
function hasForm(signature: Uint8Array): boolean {
  const v = signature[64]
  return signature.length === SIGNATURE_BYTES && (v === V_EVEN || v === V_EVEN + 1)
}

export const nobleSigner: Signer = {
  backend: 'noble',
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
    if (!hasForm(signature)) return null
    try {
      const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
      // A second valid signature of the same text must not exist.
      if (parsed.hasHighS()) return null
      return parsed.addRecoveryBit((signature[64] ?? 0) - V_EVEN).recoverPublicKey(digest).toBytes(false)
    } catch {
      return null // r or s out of range, or no point with that x: nobody's signature
    }
  },
}
