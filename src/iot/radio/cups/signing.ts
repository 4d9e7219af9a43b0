/** Signatures of Station software: ECDSA on P-256 over SHA-512, in DER; a key is known by the CRC-32 of its 64 bytes, x and y. */
import { createPublicKey, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { inputError } from '../../../base/index.ts'
import type { Software } from './update-info.ts'

/** Errors: input `key` when it is not a private key on P-256. */
export function signSoftware(bytes: Uint8Array, key: KeyObject): Software['signatures'][number] {
  if (key.type !== 'private' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw inputError('key', key.asymmetricKeyType ?? key.type, 'a private key on P-256')
  return { keyCrc: crc32(stationKeyOf(key)), signature: new Uint8Array(sign('sha512', bytes, key)) }
}

/** What lies on the gateway as its `sig.key`. */
export function stationKeyOf(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return new Uint8Array(Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]))
}
