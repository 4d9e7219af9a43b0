/** Noise's primitives on node:crypto alone: the package's own choice for short messages is WebAssembly, which costs a router 5 MB (docs/memory.md). */
import { createCipheriv, createDecipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'

const CIPHER = 'chacha20-poly1305'
const TAG = { authTagLength: 16 }
const HASH_BYTES = 32
/** DER of RFC 8410 before the 32 bytes of an X25519 key. */
const PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex')

export const noiseCrypto: ICryptoInterface = {
  hashSHA256: (data) => createHash('sha256').update(data.subarray()).digest(),
  getHKDF(chainingKey, input) {
    const out = new Uint8Array(hkdfSync('sha256', input, chainingKey, new Uint8Array(0), 3 * HASH_BYTES))
    return [out.subarray(0, HASH_BYTES), out.subarray(HASH_BYTES, 2 * HASH_BYTES), out.subarray(2 * HASH_BYTES)]
  },
  generateX25519KeyPair() {
    const pair = generateKeyPairSync('x25519')
    const privateDer = pair.privateKey.export({ type: 'pkcs8', format: 'der' })
    return { publicKey: rawPublic(pair.publicKey), privateKey: privateDer.subarray(PRIVATE_DER.length) }
  },
  generateX25519KeyPairFromSeed: (seed) => ({ publicKey: rawPublic(createPublicKey(privateKeyOf(seed))), privateKey: seed }),
  generateX25519SharedKey: (privateKey, publicKey) => diffieHellman({ privateKey: privateKeyOf(privateKey.subarray()), publicKey: createPublicKey({ key: Buffer.concat([PUBLIC_DER, publicKey.subarray()]), type: 'spki', format: 'der' }) }),
  chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
    const text = plaintext.subarray()
    const cipher = createCipheriv(CIPHER, key, nonce, TAG)
    cipher.setAAD(ad, { plaintextLength: text.length })
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
  },
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key) {
    const sealed = ciphertext.subarray()
    const plaintextLength = sealed.length - TAG.authTagLength
    const decipher = createDecipheriv(CIPHER, key, nonce, TAG)
    decipher.setAAD(ad, { plaintextLength })
    decipher.setAuthTag(sealed.subarray(plaintextLength))
    const text = decipher.update(sealed.subarray(0, plaintextLength))
    decipher.final()
    return text
  },
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), type: 'pkcs8', format: 'der' })
}

function rawPublic(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' }).subarray(PUBLIC_DER.length)
}
