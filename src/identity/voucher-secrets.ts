/**
 * What the owner's 16-byte voucher seed stands for. HKDF-SHA-256 (RFC 5869) with different info texts makes
 * two independent keys of it: an Ed25519 key (RFC 8032) for printed vouchers, an HMAC key for typed codes.
 */
import { createHmac, createPrivateKey, createPublicKey, hkdfSync, sign, verify } from 'node:crypto'
import { concatBytes, fromBase64Url, fromHex } from '../base/index.ts'

export const SEED_BYTES = 16
const SIGNATURE_BYTES = 64
const KEY_BYTES = 32
const SIGN_INFO = 'meshbox voucher signing key, version 1'
const CODE_INFO = 'meshbox voucher code key, version 1'
/** PKCS #8 around a raw Ed25519 seed (RFC 8410, section 7). */
const PKCS8_HEAD = fromHex('302e020100300506032b657004220420')

export interface VoucherSecrets {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
  verify(signature: Uint8Array, message: Uint8Array): boolean
  mac(message: Uint8Array): Uint8Array
}

/** node:crypto, because verification is in the paying path: some twenty times the speed of the same in JavaScript. */
export function voucherSecrets(seed: Uint8Array): VoucherSecrets {
  const derive = (info: string): Uint8Array => new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), info, KEY_BYTES))
  const privateKey = createPrivateKey({ key: Buffer.from(concatBytes(PKCS8_HEAD, derive(SIGN_INFO))), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const codeKey = derive(CODE_INFO)
  return {
    publicKey: fromBase64Url(publicKey.export({ format: 'jwk' }).x ?? '', 'publicKey'),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    verify: (signature, message) => signature.length === SIGNATURE_BYTES && verify(null, message, publicKey, signature),
    mac: (message) => new Uint8Array(createHmac('sha256', codeKey).update(message).digest()),
  }
}
