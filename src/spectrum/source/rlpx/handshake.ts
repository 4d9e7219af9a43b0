/**
 * RLPx handshake with EIP-8 messages: two boxes prove to each other that they hold the keys behind their node
 * ids, and agree on keys for this connection.
 *
 * | message | bytes |
 * |---|---|
 * | auth, ack | size (2, big-endian) ‖ ECIES(body ‖ random padding; the size is authenticated with it) |
 * | ECIES | 04 ‖ x ‖ y (65) ‖ iv (16) ‖ AES-128-CTR ‖ HMAC-SHA-256 (32) |
 * | auth body | RLP [signature 65, node id 64, nonce 32, 4, …] |
 * | ack body | RLP [ephemeral key 64, nonce 32, 4, …] |
 *
 * The signature is the ephemeral key's over nonce ⊕ ECDH of both node keys. Older messages of fixed length
 * are refused: the original has sent EIP-8 since before Spectrum began.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { concatBytes, decodeRlp, encodeRlp, equalBytesConstantTime, inputError } from '../../../base/index.ts'
import type { Randomness, RlpItem } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import { fixedField, listField } from '../../codec/fields.ts'
import { extentAt } from '../raw-rlp.ts'

export const NODE_ID_BYTES = 64
const NONCE_BYTES = 32
const SIGNATURE_BYTES = 65
const SIZE_BYTES = 2
const POINT_BYTES = 65
const IV_BYTES = 16
const TAG_BYTES = 32
const OVERHEAD_BYTES = POINT_BYTES + IV_BYTES + TAG_BYTES
/** More than any padding makes of it; the body itself has some 170 bytes. */
const MAX_MESSAGE_BYTES = 2048
const MIN_PADDING_BYTES = 100
const HANDSHAKE_VERSION = Uint8Array.of(4)
const UNCOMPRESSED = Uint8Array.of(4)

export interface Crypto {
  readonly curve: Secp256k1
  readonly randomness: Randomness
}

/** What both sides know after the handshake, seen from ours. */
export interface Secrets {
  /** 64 bytes: the other's public key, proved. */
  readonly remoteId: Uint8Array
  readonly aes: Uint8Array
  readonly mac: Uint8Array
  /** What the two MACs start with. */
  readonly egressSeed: Uint8Array
  readonly ingressSeed: Uint8Array
}

/** The public key without its first byte. */
export function nodeIdOf(curve: Secp256k1, nodeKey: Uint8Array): Uint8Array {
  return curve.publicKeyOf(nodeKey).slice(1)
}

/** The side that called. */
export class Initiator {
  readonly auth: Uint8Array
  readonly #crypto: Crypto
  readonly #nodeKey: Uint8Array
  readonly #remoteId: Uint8Array
  readonly #ephemeralKey: Uint8Array
  readonly #nonce: Uint8Array

  /** Errors: input `nodeId` where it is no key. */
  constructor(crypto: Crypto, nodeKey: Uint8Array, remoteId: Uint8Array) {
    this.#crypto = crypto
    this.#nodeKey = nodeKey
    this.#remoteId = remoteId
    this.#ephemeralKey = freshKey(crypto)
    this.#nonce = crypto.randomness.bytes(NONCE_BYTES)
    const shared = crypto.curve.sharedX(pointOf(remoteId), nodeKey)
    if (shared === null) throw inputError('nodeId', 'no point of the curve', 'the public key of a node')
    const signature = crypto.curve.sign(xor(shared, this.#nonce), this.#ephemeralKey)
    signature[SIGNATURE_BYTES - 1] = (signature[SIGNATURE_BYTES - 1] ?? 0) - 27 // on the wire v is 0 or 1
    this.auth = seal(crypto, remoteId, encodeRlp([signature, nodeIdOf(crypto.curve, nodeKey), this.#nonce, HANDSHAKE_VERSION]))
  }

  /** `ack`: with its size. Errors: input `ack`. */
  finish(ack: Uint8Array): Secrets {
    const { curve } = this.#crypto
    const fields = open(curve, this.#nodeKey, ack, 'ack', 3)
    const remoteEphemeral = pointOf(fixedField(fields[0], 'ack.ephemeralKey', NODE_ID_BYTES))
    const remoteNonce = fixedField(fields[1], 'ack.nonce', NONCE_BYTES)
    const shared = curve.sharedX(remoteEphemeral, this.#ephemeralKey)
    if (shared === null) throw inputError('ack.ephemeralKey', 'no point of the curve', 'a public key')
    return secretsOf(curve, this.#remoteId, shared, { own: this.#nonce, remote: remoteNonce, responder: remoteNonce, initiator: this.#nonce }, this.auth, ack)
  }
}

/** The side that was called. Errors: input `auth`. */
export function respond(crypto: Crypto, nodeKey: Uint8Array, auth: Uint8Array): { readonly ack: Uint8Array; readonly secrets: Secrets } {
  const { curve } = crypto
  const fields = open(curve, nodeKey, auth, 'auth', 4)
  const signature = fixedField(fields[0], 'auth.signature', SIGNATURE_BYTES)
  const remoteId = fixedField(fields[1], 'auth.nodeId', NODE_ID_BYTES).slice()
  const remoteNonce = fixedField(fields[2], 'auth.nonce', NONCE_BYTES)
  const staticShared = curve.sharedX(pointOf(remoteId), nodeKey)
  if (staticShared === null) throw inputError('auth.nodeId', 'no point of the curve', 'a public key')
  const remoteEphemeral = (signature[SIGNATURE_BYTES - 1] ?? 0) > 1 ? null : curve.recover(xor(staticShared, remoteNonce), signature, 'accept')
  if (remoteEphemeral === null) throw inputError('auth.signature', 'a signature of nobody', 'one by the ephemeral key')
  const ephemeralKey = freshKey(crypto)
  const nonce = crypto.randomness.bytes(NONCE_BYTES)
  const shared = curve.sharedX(remoteEphemeral, ephemeralKey)
  if (shared === null) throw inputError('auth.signature', 'no point of the curve', 'a public key')
  const ack = seal(crypto, remoteId, encodeRlp([nodeIdOf(curve, ephemeralKey), nonce, HANDSHAKE_VERSION]))
  return { ack, secrets: secretsOf(curve, remoteId, shared, { own: nonce, remote: remoteNonce, responder: nonce, initiator: remoteNonce }, ack, auth) }
}

/** How many bytes follow the size. Errors: input `handshake`: no EIP-8 message is so short or so long. */
export function bodyBytes(size: Uint8Array): number {
  const bytes = ((size[0] ?? 0) << 8) | (size[1] ?? 0)
  if (bytes <= OVERHEAD_BYTES || bytes > MAX_MESSAGE_BYTES) throw inputError('handshake', `a message of ${bytes} bytes`, `${OVERHEAD_BYTES + 1} to ${MAX_MESSAGE_BYTES} (EIP-8)`)
  return bytes
}

interface Nonces {
  readonly own: Uint8Array
  readonly remote: Uint8Array
  readonly responder: Uint8Array
  readonly initiator: Uint8Array
}

function secretsOf(curve: Secp256k1, remoteId: Uint8Array, ephemeral: Uint8Array, nonces: Nonces, sent: Uint8Array, received: Uint8Array): Secrets {
  const hash = (...parts: Uint8Array[]): Uint8Array => curve.keccak256(concatBytes(...parts))
  const shared = hash(ephemeral, hash(nonces.responder, nonces.initiator))
  const aes = hash(ephemeral, shared)
  const mac = hash(ephemeral, aes)
  return { remoteId, aes, mac, egressSeed: concatBytes(xor(mac, nonces.remote), sent), ingressSeed: concatBytes(xor(mac, nonces.own), received) }
}

function freshKey({ curve, randomness }: Crypto): Uint8Array {
  for (;;) {
    const key = randomness.bytes(32)
    if (curve.isPrivateKey(key)) return key
  }
}

function seal(crypto: Crypto, remoteId: Uint8Array, body: Uint8Array): Uint8Array {
  const { curve, randomness } = crypto
  const padding = randomness.bytes(MIN_PADDING_BYTES + ((randomness.bytes(1)[0] ?? 0) >> 1))
  const text = concatBytes(body, padding)
  const bytes = text.length + OVERHEAD_BYTES
  const size = Uint8Array.of(bytes >> 8, bytes & 0xff)
  const key = freshKey(crypto)
  const shared = curve.sharedX(pointOf(remoteId), key)
  if (shared === null) throw inputError('nodeId', 'no point of the curve', 'the public key of a node')
  const keys = eciesKeys(shared)
  const iv = randomness.bytes(IV_BYTES)
  const cipher = new Uint8Array(createCipheriv('aes-128-ctr', keys.cipher, iv).update(text))
  const tag = new Uint8Array(createHmac('sha256', keys.mac).update(iv).update(cipher).update(size).digest())
  return concatBytes(size, curve.publicKeyOf(key), iv, cipher, tag)
}

/** The fields of the body: `least` of them or more, and padding behind, as EIP-8 has it. */
function open(curve: Secp256k1, nodeKey: Uint8Array, message: Uint8Array, field: string, least: number): readonly RlpItem[] {
  const bytes = bodyBytes(message)
  if (message.length !== SIZE_BYTES + bytes) throw inputError(field, `${message.length} bytes`, `the ${bytes} it says`)
  const size = message.subarray(0, SIZE_BYTES)
  const point = message.subarray(SIZE_BYTES, SIZE_BYTES + POINT_BYTES)
  const iv = message.subarray(SIZE_BYTES + POINT_BYTES, SIZE_BYTES + POINT_BYTES + IV_BYTES)
  const cipher = message.subarray(SIZE_BYTES + POINT_BYTES + IV_BYTES, -TAG_BYTES)
  const shared = point[0] === 4 ? curve.sharedX(point, nodeKey) : null
  if (shared === null) throw inputError(field, 'no point of the curve', 'a message to our key')
  const keys = eciesKeys(shared)
  const tag = new Uint8Array(createHmac('sha256', keys.mac).update(iv).update(cipher).update(size).digest())
  if (!equalBytesConstantTime(tag, message.subarray(-TAG_BYTES))) throw inputError(field, 'a wrong tag', 'a message to our key')
  const text = new Uint8Array(createDecipheriv('aes-128-ctr', keys.cipher, iv).update(cipher))
  const extent = extentAt(text, 0, text.length, field)
  const fields = listField(decodeRlp(text.subarray(0, extent.end), { maxBytes: MAX_MESSAGE_BYTES, maxItems: 64, maxDepth: 4 }, field), field)
  if (fields.length < least) throw inputError(field, `${fields.length} items`, `${least} or more`)
  return fields
}

/** NIST SP 800-56A's concatenation KDF: one round of SHA-256 makes all 32 bytes. */
function eciesKeys(shared: Uint8Array): { readonly cipher: Uint8Array; readonly mac: Uint8Array } {
  const key = createHash('sha256').update(Uint8Array.of(0, 0, 0, 1)).update(shared).digest()
  return { cipher: key.subarray(0, 16), mac: createHash('sha256').update(key.subarray(16)).digest() }
}

function pointOf(nodeId: Uint8Array): Uint8Array {
  return concatBytes(UNCOMPRESSED, nodeId)
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0))
}
