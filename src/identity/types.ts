/** The box's own keys and the owner's password. Private keys are never returned by anything here. */
export interface Identity {
  /** EIP-55 address of the box's secp256k1 key. */
  readonly address: string
  /** 33-byte compressed public key. */
  readonly publicKey: Uint8Array
  /** Recoverable signature r‖s‖v (65 bytes, low-s, v 27/28) over a 32-byte digest. */
  signDigest(digest: Uint8Array): Uint8Array
  /** EIP-191 personal_sign over UTF-8 text; what receipts use. */
  signText(text: string): Uint8Array
  /**
   * BIP-39 words of the key, once: the second call fails with `conflict` code `words-already-shown`.
   * The entropy is erased from disk before the words are returned.
   */
  revealRecoveryWords(): Promise<string[]>
  readonly recoveryWordsShown: boolean
}

/**
 * The owner's voucher keys: shared by all boxes of one owner (entered as 12 words on the second box), so
 * that each verifies the others' vouchers. They can make vouchers and nothing else.
 */
export interface VoucherKeys {
  /** Ed25519 public key of the printed vouchers, 32 bytes. */
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
  verify(signature: Uint8Array, message: Uint8Array): boolean
  /** HMAC-SHA-256 under the code key, 32 bytes; typed codes carry the first bits. */
  mac(message: Uint8Array): Uint8Array
}

export interface OwnerPassword {
  readonly isSet: boolean
  /** scrypt, salted, 0600; at least 10 characters. */
  set(password: string): Promise<void>
  verify(password: string): Promise<boolean>
}
