/** EIP-191 version 0x45, "personal_sign": what wallets sign when they sign a text, and what receipts use. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '../base/index.ts'
import { addressOf } from './address.ts'
import { nobleSigner } from './signer.ts'
import type { Signer } from './types.ts'

/** keccak-256 of 0x19, "Ethereum Signed Message:\n", the length in bytes in decimal, and the text. */
export function textDigest(text: string): Uint8Array {
  const bytes = utf8(text)
  return keccak_256(concatBytes(utf8(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes))
}

/**
 * EIP-55 address of who signed `text`; null if the 65 bytes r‖s‖v are no signature (wrong length, v other
 * than 27 or 28, high s, out of range). A wrong text gives another address, not null.
 */
export function recoverTextSigner(text: string, signature: Uint8Array, signer: Pick<Signer, 'recover'> = nobleSigner): string | null {
  const publicKey = signer.recover(textDigest(text), signature)
  return publicKey && addressOf(publicKey)
}
