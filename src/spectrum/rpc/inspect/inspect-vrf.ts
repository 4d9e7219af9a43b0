/** The VRF by hand: a proof's verdict, or a proof made. */
import { inputError } from '../../../base/index.ts'
import type { Randomness } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import { hexOf } from '../../codec/fields.ts'
import type { Address, Hex } from '../../codec/fields.ts'
import { VRF_BYTES, addressOfKey } from '../../codec/header.ts'
import { proveVrf, verifyVrf } from '../../vrf.ts'

export interface VrfInspection {
  readonly ok: boolean
  readonly error: string | null
  readonly publicKey: Hex
  readonly address: Address
  readonly message: Hex
  readonly index: Hex
  readonly proof: Hex
}

const INDEX_BYTES = 32

/** `key`: a public key of 33 or 65 bytes, or a private one of 32. Errors: input `key`. */
export function inspectVrf(curve: Secp256k1, key: Uint8Array, message: Uint8Array, proof: Uint8Array): VrfInspection {
  const publicKey = publicKeyOf(curve, key)
  const isValid = verifyVrf(curve, publicKey, message, proof)
  const error = isValid ? null : proof.length === VRF_BYTES ? 'errInvalidVrf' : 'errMissingVanity'
  return { ok: isValid, error, ...shown(curve, publicKey, message, proof) }
}

/** `key`: 32 bytes. Errors: input `key`. */
export function makeVrf(curve: Secp256k1, key: Uint8Array, message: Uint8Array, randomness: Randomness): VrfInspection {
  if (key.length !== 32 || !curve.isPrivateKey(key)) throw inputError('key', `${key.length} bytes`, 'a private key: 32 bytes, neither zero nor beyond the group’s order')
  return { ok: true, error: null, ...shown(curve, publicKeyOf(curve, key), message, proveVrf(curve, key, message, randomness)) }
}

function publicKeyOf(curve: Secp256k1, key: Uint8Array): Uint8Array {
  const known = key.length === 32 ? (curve.isPrivateKey(key) ? curve.publicKeyOf(key) : null) : key.length === 33 || key.length === 65 ? curve.convertPublicKey(key) : null
  if (known === null) throw inputError('key', `${key.length} bytes`, 'a public key of 33 or 65 bytes, or a private key of 32')
  return known
}

function shown(curve: Secp256k1, publicKey: Uint8Array, message: Uint8Array, proof: Uint8Array): Omit<VrfInspection, 'ok' | 'error'> {
  return { publicKey: hexOf(publicKey), address: addressOfKey(curve, publicKey), message: hexOf(message), index: hexOf(proof.subarray(0, INDEX_BYTES)), proof: hexOf(proof) }
}
