/**
 * Spectrum's verifiable random function on secp256k1 (spec 2.2): only the holder of a key can compute the
 * index that belongs to a message, everybody can check it, and there is one index per key and message.
 *
 * | output | bytes |
 * |---|---|
 * | index = SHA-256(U(V)) | 0..31 |
 * | s, a number in 1..N-1 | 32..63 |
 * | t, a number in 1..N-1 | 64..95 |
 * | U(V) = 04 ‖ x ‖ y | 96..160 |
 *
 * with H = H1(message), V = key · H, and s = H2(U(G) ‖ U(H) ‖ U(public key) ‖ U(V) ‖ U(tG + s·public key) ‖ U(tH + sV)).
 * The output comes from strangers: whatever is wrong with it is the answer "no", never an error.
 */
import { createHash, createHmac } from 'node:crypto'
import { MeshBoxError, concatBytes, fromHex, integerBytes } from '../base/index.ts'
import type { Randomness } from '../base/index.ts'
import { COMPRESSED_POINT_BYTES, SCALAR_BYTES } from '../native/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import { VANITY_BYTES, VRF_BYTES } from './codec/header.ts'
import type { Header } from './codec/header.ts'

const UNCOMPRESSED = 4
const EVEN = 2
/** A try succeeds with one in two: 100 failing is the original's limit, and happens once in 2^100. */
const MAX_TRIES = 100
/** The group's order (SEC 2, 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
/** U(G) (SEC 2, 2.4.1). */
const GENERATOR = fromHex('0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8')

/** What the sealer of the block after `parent` proves: the parent's height and the first 32 bytes of its extra. */
export function vrfMessage(parent: Pick<Header, 'number' | 'extra'>): Uint8Array {
  return concatBytes(integerBytes(parent.number), parent.extra.subarray(0, VANITY_BYTES))
}

/** `publicKey`: 33 or 65 bytes. `output`: whatever was sent. */
export function verifyVrf(curve: Secp256k1, publicKey: Uint8Array, message: Uint8Array, output: Uint8Array): boolean {
  if (output.length !== VRF_BYTES) return false
  const [index, s, t, v] = [output.subarray(0, 32), output.subarray(32, 64), output.subarray(64, 96), output.subarray(96)]
  if (v[0] !== UNCOMPRESSED || !curve.isPrivateKey(s) || !curve.isPrivateKey(t)) return false
  if (Buffer.compare(sha256(v), index) !== 0) return false
  const key = curve.convertPublicKey(publicKey)
  const h = pointOfMessage(curve, message)
  if (key === null || h === null) return false
  const sKey = curve.multiplyPublicKey(key, s)
  const a = sKey === null ? null : curve.addToPublicKey(sKey, t)
  const tH = curve.multiplyPublicKey(h, t)
  const sV = curve.multiplyPublicKey(v, s)
  const b = tH === null || sV === null ? null : curve.combinePublicKeys(concatBytes(tH, sV))
  if (a === null || b === null) return false
  return Buffer.compare(challenge(concatBytes(GENERATOR, h, key, v, a, b)), s) === 0
}

/**
 * 161 bytes. The nonce is drawn from the key, the message and fresh randomness together, so that a box whose
 * generator repeats itself after a start does not give its key away. Errors: input `privateKey`.
 */
export function proveVrf(curve: Secp256k1, privateKey: Uint8Array, message: Uint8Array, randomness: Randomness): Uint8Array {
  for (;;) {
    const nonce = createHmac('sha512', privateKey).update(randomness.bytes(SCALAR_BYTES)).update(message).digest().subarray(0, SCALAR_BYTES)
    const output = curve.isPrivateKey(nonce) ? proveVrfWith(curve, privateKey, message, new Uint8Array(nonce)) : null
    if (output !== null) return output
  }
}

/** For known answers: a nonce used for two messages gives the key away. Null: this nonce will not do. Errors: input `privateKey`. */
export function proveVrfWith(curve: Secp256k1, privateKey: Uint8Array, message: Uint8Array, nonce: Uint8Array): Uint8Array | null {
  const h = pointOfMessage(curve, message)
  const v = h === null ? null : curve.multiplySecret(h, privateKey)
  const nonceH = h === null ? null : curve.multiplySecret(h, nonce)
  if (h === null || v === null || nonceH === null) throw new MeshBoxError('internal', 'no point belongs to this message', { code: 'vrf-no-point' })
  const s = challenge(concatBytes(GENERATOR, h, curve.publicKeyOf(privateKey), v, curve.publicKeyOf(nonce), nonceH))
  const product = curve.multiplyPrivateKey(privateKey, s)
  const t = product === null ? null : curve.addToPrivateKey(nonce, curve.negatePrivateKey(product))
  return t === null ? null : concatBytes(sha256(v), s, t, v)
}

/** H1: the first of SHA-512(be32(i) ‖ message) whose first half is the x of a point; of its two points the even one. */
function pointOfMessage(curve: Secp256k1, message: Uint8Array): Uint8Array | null {
  const compressed = new Uint8Array(COMPRESSED_POINT_BYTES)
  compressed[0] = EVEN
  for (let i = 0; i < MAX_TRIES; i++) {
    compressed.set(half(i, message), 1)
    const point = curve.convertPublicKey(compressed)
    if (point !== null) return point
  }
  return null
}

/** H2: the first of SHA-512(be32(i) ‖ data) whose first half is below N - 1, plus 1. It is one at once but for one in 2^128. */
function challenge(data: Uint8Array): Uint8Array {
  for (let i = 0; ; i++) {
    const number = BigInt(`0x${Buffer.from(half(i, data)).toString('hex')}`)
    if (number < ORDER - 1n) return scalarOf(number + 1n)
  }
}

function scalarOf(number: bigint): Uint8Array {
  const out = new Uint8Array(SCALAR_BYTES)
  const bytes = integerBytes(number)
  out.set(bytes, SCALAR_BYTES - bytes.length)
  return out
}

function half(index: number, data: Uint8Array): Uint8Array {
  const counter = new Uint8Array(4)
  new DataView(counter.buffer).setUint32(0, index)
  return createHash('sha512').update(counter).update(data).digest().subarray(0, SCALAR_BYTES)
}

function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(data).digest())
}
