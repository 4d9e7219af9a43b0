/**
 * Signatures and hashes of the page's own: pages that came by plain HTTP have no `crypto.subtle`. The key is the page
 * wallet's (wallet/key.ts), in memory only.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

export interface StreamSigner {
  /** 0x and 40 lower-case digits. */
  readonly address: `0x${string}`
  /** Secret of the hash chains: of the key, and of nothing else. */
  readonly master: Uint8Array
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /** r ‖ s ‖ v, low s, v 27 or 28. */
  sign(digest: Uint8Array): Uint8Array
  /** Null: nobody's, or high s. */
  recover(digest: Uint8Array, signature: Uint8Array): `0x${string}` | null
}

/** `secret`: the wallet's 32-byte private key. */
export function streamSigner(secret: Uint8Array): StreamSigner {
  return {
    address: addressOf(secp256k1.getPublicKey(secret, false)),
    master: hmac(sha256, secret, new TextEncoder().encode('meshbox stream master v1')),
    sha256,
    sign(digest) {
      const recovered = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' })
      const signature = new Uint8Array(65)
      signature.set(recovered.subarray(1))
      signature[64] = 27 + (recovered[0] ?? 0)
      return signature
    },
    recover(digest, signature) {
      const v = signature[64] ?? 0
      if (signature.length !== 65 || (v !== 27 && v !== 28)) return null
      try {
        const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64))
        if (parsed.hasHighS()) return null
        return addressOf(parsed.addRecoveryBit(v - 27).recoverPublicKey(digest).toBytes(false))
      } catch {
        return null // no point of the curve: then nobody signed it
      }
    },
  }
}

/** Number of the first chain on a page that remembers nothing: never the same twice. Throws where there is no randomness. */
export function firstCounter(): bigint {
  let counter = 0n
  for (const byte of crypto.getRandomValues(new Uint8Array(8))) counter = (counter << 8n) | BigInt(byte)
  return counter << 64n
}

function addressOf(publicKey: Uint8Array): `0x${string}` {
  const hash = keccak_256(publicKey.subarray(1)).subarray(12)
  return `0x${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
