/**
 * The box's own keys and the owner's password. Private keys are never returned by anything here; what
 * `deriveSecret` gives cannot be led back to them.
 */
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
  /**
   * 32 bytes, a valid secp256k1 key, the same for the same box and purpose for ever: also after a restore by
   * words. HMAC-SHA-256 under the box's key. For this process only: never sent, shown or logged.
   */
  deriveSecret(purpose: SecretPurpose): Uint8Array
  /** EIP-55 address of that secret's key. */
  addressFor(purpose: SecretPurpose): string
  /** Who computes its signatures. */
  readonly backend: CurveBackend
}

/**
 * `chain-miner` signs blocks; `chain-node` is who the box is among chain nodes (its traffic is encrypted with it).
 * `photon-account` holds payment channels and pays their gas; `photon-v1-account` the same with nodes of the original; `photon-peer` is the seed of its key among libp2p's peers;
 * `photon-backup` encrypts what neighbours keep of its channels. `mesh-peer` is the seed of its key among the boxes of a mesh. `iot-keys` seals the keys of LoRa devices at rest.
 * `payout-locks` makes the secrets of payouts over other boxes.
 */
export type SecretPurpose = 'chain-miner' | 'chain-node' | 'photon-account' | 'photon-v1-account' | 'photon-peer' | 'photon-backup' | 'mesh-peer' | 'guest-peer' | 'iot-keys' | 'payout-locks'

/** Native code, or @noble/curves in JavaScript: the same answers, 20 to 35 times slower. */
export type CurveBackend = 'native' | 'noble'

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

/** The voucher keys with what only the owner may do to them. */
export interface VoucherKeyring extends VoucherKeys {
  /** BIP-39 words of the 16-byte seed, any time: made to be typed into the owner's other boxes. */
  revealVoucherWords(): string[]
  /**
   * Takes over another box's voucher keys; sign, verify and mac use them from then on, and every voucher
   * printed under the old keys is void. Words that are already in use change nothing.
   * Errors: input (words), conflict `voucher-keys-in-use` when `mayReplace` is false.
   */
  adoptVoucherWords(words: string | readonly string[], mayReplace: boolean): Promise<void>
}

export interface OwnerPassword {
  readonly isSet: boolean
  /** scrypt, salted, 0600; 10 to 256 characters. Errors: input `password`, limit `password-busy`. */
  set(password: string): Promise<void>
  /** False for a wrong one and while none is set. Errors: limit `password-busy` (too many at once). */
  verify(password: string): Promise<boolean>
}

/** The secp256k1 arithmetic behind an identity. Keys are 32 bytes, digests 32 bytes. */
export interface Signer {
  readonly backend: CurveBackend
  /** 65-byte uncompressed public key. */
  publicKeyOf(privateKey: Uint8Array): Uint8Array
  /** r‖s‖v, low-s, deterministic (RFC 6979), v 27/28. */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /**
   * 65-byte uncompressed public key of the signer; null if the signature is not one: wrong length, v other than
   * 27 or 28, high s, out of range.
   */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
}

/**
 * What a signer is made of: the curve's arithmetic wherever it comes from, such as src/native, handed in by main.
 * It may take more than a Signer does (v of 0 and 1); what this room refuses stays refused.
 */
export interface Curve {
  readonly backend: CurveBackend
  /** 65 bytes without a second argument. */
  publicKeyOf(privateKey: Uint8Array): Uint8Array
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** 65-byte signature; high s is refused without a third argument. */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
}
