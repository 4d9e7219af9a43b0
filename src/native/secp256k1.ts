/**
 * secp256k1 and keccak-256, whoever computes them: the native addon or @noble/curves. Both are held to the
 * same answers and the same errors by test/unit/native. Standards: SEC 1 and 2, RFC 6979, EIP-2 (low s),
 * FIPS 202 with Keccak's original padding.
 *
 * Shapes: digests, private keys and scalars are 32 bytes, big-endian. A public key is 33 bytes (02/03 ‖ x)
 * or 65 bytes (04 ‖ x ‖ y); the hybrid form (06/07) is no key here. Signatures are r ‖ s, 64 bytes, and
 * r ‖ s ‖ v, 65 bytes, where v says which of the points with that x was meant.
 *
 * Errors: a wrong type or length is `input` and names the argument; a private key outside 1..N-1 is `input`
 * `privateKey`, without its value. What comes from outside and is no key, point or signature is no error
 * but null, or false, or (in a batch) a frame of zeros.
 */
export const DIGEST_BYTES = 32
export const SCALAR_BYTES = 32
export const COMPACT_SIGNATURE_BYTES = 64
export const SIGNATURE_BYTES = 65
export const POINT_BYTES = 65
export const COMPRESSED_POINT_BYTES = 33
export const ADDRESS_BYTES = 20
export const HASH_BYTES = 32

/** Strides of batch frames. Bytes lie without gaps, frame after frame. */
export const FRAME_BYTES = {
  /** digest 32 → r ‖ s ‖ v 65 */
  sign: DIGEST_BYTES,
  /** digest 32 ‖ r ‖ s 64 ‖ public key 65 → 1 or 0 */
  verify: DIGEST_BYTES + COMPACT_SIGNATURE_BYTES + POINT_BYTES,
  /** digest 32 ‖ r ‖ s ‖ v 65 → public key 65, or address 20; zeros where nobody signed */
  recover: DIGEST_BYTES + SIGNATURE_BYTES,
} as const
export const MAX_BATCH_FRAMES = 65_536
export const MAX_BATCH_BYTES = 16 * 1024 * 1024
/** Points that `combinePublicKeys` adds at once. */
export const MAX_COMBINED_POINTS = 64

export type PointForm = 'compressed' | 'uncompressed'
/**
 * A signature has a twin with N - s that is valid too. `refuse` takes the low one only, so that nobody can
 * change a signed message's bytes; `accept` takes both, where an older protocol does.
 */
export type HighS = 'refuse' | 'accept'

export interface Secp256k1 {
  /** Who computes. */
  readonly backend: 'native' | 'noble'

  /** In 1..N-1? */
  isPrivateKey(privateKey: Uint8Array): boolean
  /** Default: uncompressed. */
  publicKeyOf(privateKey: Uint8Array, form?: PointForm): Uint8Array
  /**
   * r ‖ s ‖ v, deterministic (RFC 6979), low s, v 27 or 28. Errors: input `privateKey`; internal
   * `signature-failed` for a digest whose R has x ≥ N (one in 2^127), which v cannot say.
   */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** `signature`: r ‖ s, 64 bytes. Default: high s is refused. */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array, highS?: HighS): boolean
  /** 65-byte public key of the signer. v is 0, 1, 27 or 28. Default: high s is refused. */
  recover(digest: Uint8Array, signature: Uint8Array, highS?: HighS): Uint8Array | null
  /** 20-byte address of the signer. */
  recoverAddress(digest: Uint8Array, signature: Uint8Array, highS?: HighS): Uint8Array | null
  /** ECDH: SHA-256 of the compressed shared point, 32 bytes. Null: not a public key. */
  sharedSecret(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array | null
  /** ECDH: the shared point's x, 32 bytes, unhashed. Null: not a public key. */
  sharedX(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array | null

  /** The point in the form asked for (default: uncompressed), or null if it is none. */
  convertPublicKey(publicKey: Uint8Array, form?: PointForm): Uint8Array | null
  /** scalar · P for a **secret** scalar in 1..N-1 (native: constant time). Errors: input `privateKey`. */
  multiplySecret(publicKey: Uint8Array, scalar: Uint8Array, form?: PointForm): Uint8Array | null
  /** P + scalar · G for a **public** scalar below N. Null at infinity. */
  addToPublicKey(publicKey: Uint8Array, scalar: Uint8Array, form?: PointForm): Uint8Array | null
  /** scalar · P for a **public** scalar in 1..N-1: takes a time that depends on it. */
  multiplyPublicKey(publicKey: Uint8Array, scalar: Uint8Array, form?: PointForm): Uint8Array | null
  /** Sum of 1 to 64 uncompressed points, 65 bytes each without gaps. Null at infinity. */
  combinePublicKeys(points: Uint8Array, form?: PointForm): Uint8Array | null
  /** (key + scalar) mod N for a scalar below N. Null at zero. */
  addToPrivateKey(privateKey: Uint8Array, scalar: Uint8Array): Uint8Array | null
  /** (key · scalar) mod N for a scalar in 1..N-1. */
  multiplyPrivateKey(privateKey: Uint8Array, scalar: Uint8Array): Uint8Array | null
  /** N - key. */
  negatePrivateKey(privateKey: Uint8Array): Uint8Array

  /** 32 bytes. */
  keccak256(data: Uint8Array): Uint8Array

  /** Batches compute on the calling thread: worth it for a few frames. Limits: MAX_BATCH_FRAMES, MAX_BATCH_BYTES. */
  signBatch(digests: Uint8Array, privateKey: Uint8Array): Uint8Array
  verifyBatch(frames: Uint8Array, highS?: HighS): Uint8Array
  recoverBatch(frames: Uint8Array, highS?: HighS): Uint8Array
  recoverAddressBatch(frames: Uint8Array, highS?: HighS): Uint8Array
  /** The same answer; native: in about 40 % of the time where up to 65 neighbours have one signer, a third longer where not. */
  recoverOneSignerBatch(frames: Uint8Array, highS?: HighS): Uint8Array
  /** `stride` bytes are hashed at a time: hashes of 32 bytes. */
  keccak256Batch(frames: Uint8Array, stride: number): Uint8Array

  /**
   * The same beside the event loop: native on libuv's thread pool, noble in small steps on the loop. The
   * arguments are copied and may be changed at once. Worth it from some eight curve operations up. Wrong
   * arguments throw; they do not reject.
   */
  signBatchInPool(digests: Uint8Array, privateKey: Uint8Array): Promise<Uint8Array>
  verifyBatchInPool(frames: Uint8Array, highS?: HighS): Promise<Uint8Array>
  recoverBatchInPool(frames: Uint8Array, highS?: HighS): Promise<Uint8Array>
  recoverAddressBatchInPool(frames: Uint8Array, highS?: HighS): Promise<Uint8Array>
  recoverOneSignerBatchInPool(frames: Uint8Array, highS?: HighS): Promise<Uint8Array>
  keccak256BatchInPool(frames: Uint8Array, stride: number): Promise<Uint8Array>
}
