/** Voucher keys from fixed secrets, the ones of test/vectors/vouchers.json; and a box that signs receipts. */
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, fromHex, toHex, utf8 } from '../../../src/base/index.ts'
import type { ReceiptSigner } from '../../../src/hotspot/receipt/index.ts'
import type { VoucherKeys } from '../../../src/identity/index.ts'
import vectors from '../../vectors/vouchers.json' with { type: 'json' }

export function voucherKeysOf(ed25519SeedHex: string, macKeyHex: string): VoucherKeys {
  const pkcs8 = concatBytes(fromHex('302e020100300506032b657004220420'), fromHex(ed25519SeedHex)) // RFC 8410, section 7
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const macKey = fromHex(macKeyHex)
  return {
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    verify: (signature, message) => verify(null, message, publicKey, signature),
    mac: (message) => new Uint8Array(createHmac('sha256', macKey).update(message).digest()),
  }
}

export const KEYS = voucherKeysOf(vectors.keys.ed25519Seed, vectors.keys.macKey)
export const OTHER_KEYS = voucherKeysOf('11'.repeat(32), '22'.repeat(32))

/** EIP-191 by the book, with @noble alone: an oracle for the identity room as much as a signer. */
export function boxSigner(privateKeyHex: string): ReceiptSigner {
  const privateKey = fromHex(privateKeyHex)
  const point = secp256k1.getPublicKey(privateKey, false).slice(1)
  return {
    address: checksummed(toHex(keccak_256(point).slice(-20))),
    signText: (text) => {
      const bytes = utf8(text)
      const digest = keccak_256(concatBytes(utf8(`\u0019Ethereum Signed Message:\n${bytes.length}`), bytes))
      const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' })
      return concatBytes(recovered.slice(1), Uint8Array.of(27 + (recovered[0] ?? 0)))
    },
  }
}

/** EIP-55 */
function checksummed(hex: string): string {
  const hash = toHex(keccak_256(utf8(hex)))
  return `0x${[...hex].map((digit, at) => (Number.parseInt(hash.charAt(at), 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`
}
