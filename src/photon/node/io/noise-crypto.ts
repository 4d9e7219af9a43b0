/**
 * Noise's primitives on node:crypto alone. The package's own choice for short messages is WebAssembly, which costs a
 * router 5 MB (docs/memory.md).
 */
import { createCipheriv, createDecipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'

/** Bytes in one piece or in several, as libp2p hands them on. */
type Bytes = Parameters<ICryptoInterface['hashSHA256']>[0]

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
/** DER of RFC 8410 before the 32 bytes of a private or public X25519 key. */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

export const noiseCrypto: ICryptoInterface = {
  hashSHA256: (data) => createHash('sha256').update(flat(data)).digest(),
  getHKDF(chainingKey, input) {
    const out = new Uint8Array(hkdfSync('sha256', input, chainingKey, new Uint8Array(0), 96))
    return [out.subarray(0, 32), out.subarray(32, 64), out.subarray(64, 96)]
  },
  generateX25519KeyPair() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519', { publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'der' } })
    return { publicKey: publicKey.subarray(PUBLIC_PREFIX.length), privateKey: privateKey.subarray(PRIVATE_PREFIX.length) }
  },
  generateX25519KeyPairFromSeed(seed) {
    const publicKey = createPublicKey(privateKeyOf(seed)).export({ type: 'spki', format: 'der' })
    return { publicKey: publicKey.subarray(PUBLIC_PREFIX.length), privateKey: seed }
  },
  generateX25519SharedKey: (privateKey, publicKey) =>
    diffieHellman({ privateKey: privateKeyOf(flat(privateKey)), publicKey: createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, flat(publicKey)]), type: 'spki', format: 'der' }) }),
  chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    const text = flat(plaintext)
    cipher.setAAD(ad, { plaintextLength: text.length })
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
  },
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key) {
    const sealed = flat(ciphertext)
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    const length = sealed.length - TAG_BYTES
    decipher.setAAD(ad, { plaintextLength: length })
    decipher.setAuthTag(sealed.subarray(length))
    const text = decipher.update(sealed.subarray(0, length))
    decipher.final()
    return text
  },
}

function flat(bytes: Bytes): Uint8Array {
  return bytes.subarray()
}

function privateKeyOf(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), type: 'pkcs8', format: 'der' })
}
