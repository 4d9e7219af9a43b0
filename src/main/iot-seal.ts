/** Keys of devices at rest: AES-256-GCM under a secret of the box, with a fresh nonce each; 12 bytes of nonce, the key, 16 of tag. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { MeshBoxError, concatBytes, type Randomness } from '../base/index.ts'
import type { KeySeal } from '../iot/index.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** `secret`: 32 bytes. What `open` cannot open: unavailable `key-sealed-elsewhere`. */
export function keySeal(secret: Uint8Array, randomness: Randomness): KeySeal {
  return {
    seal(key) {
      const nonce = randomness.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', secret, nonce)
      return concatBytes(nonce, cipher.update(key), cipher.final(), cipher.getAuthTag())
    },
    open(sealed) {
      const body = sealed.length - NONCE_BYTES - TAG_BYTES
      try {
        const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        decipher.setAuthTag(sealed.subarray(NONCE_BYTES + Math.max(0, body)))
        return concatBytes(decipher.update(sealed.subarray(NONCE_BYTES, NONCE_BYTES + Math.max(0, body))), decipher.final())
      } catch (error) {
        throw new MeshBoxError('unavailable', 'a key of a device was sealed by another box', { code: 'key-sealed-elsewhere', cause: error })
      }
    },
  }
}
