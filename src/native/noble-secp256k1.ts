/**
 * Secp256k1 on @noble/curves: where no addon is installed, and the oracle the addon is tested against.
 * The first use computes its tables: some 100 ms and 13 MB. It runs on JavaScript's bigint, so it is not
 * constant time. Batches "in the pool" let the event loop run between any two frames.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import * as check from './arguments.ts'
import {
  ADDRESS_BYTES,
  COMPACT_SIGNATURE_BYTES,
  DIGEST_BYTES,
  FRAME_BYTES,
  HASH_BYTES,
  POINT_BYTES,
  SCALAR_BYTES,
  SIGNATURE_BYTES,
} from './secp256k1.ts'
import type { HighS, Secp256k1 } from './secp256k1.ts'

const { Point, utils } = secp256k1
const { Fn: scalars } = Point
const V_BASE = 27

type NoblePoint = typeof Point.BASE

/** `pause` resolves when the event loop has had its turn. */
export function nobleSecp256k1(pause: () => Promise<void>): Secp256k1 {
  const overFrames = (frames: Uint8Array, stride: number, width: number, one: FrameWork): Uint8Array => {
    const out = new Uint8Array((frames.length / stride) * width)
    for (let i = 0; i * stride < frames.length; i++) writeFrame(out, i * width, one(frames.subarray(i * stride, (i + 1) * stride)))
    return out
  }
  const overFramesInSteps = async (copy: Uint8Array, stride: number, width: number, one: FrameWork): Promise<Uint8Array> => {
    const out = new Uint8Array((copy.length / stride) * width)
    for (let i = 0; i * stride < copy.length; i++) {
      writeFrame(out, i * width, one(copy.subarray(i * stride, (i + 1) * stride)))
      await pause()
    }
    return out
  }
  const checkSigning = (digests: Uint8Array, privateKey: Uint8Array): void => {
    check.checkFrames('digests', digests, FRAME_BYTES.sign)
    check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
    if (!utils.isValidSecretKey(privateKey)) throw check.privateKeyError()
  }
  const checkedFrames = (frames: Uint8Array, stride: number, highS: HighS): boolean => {
    check.checkFrames('frames', frames, stride)
    return check.isHighSAccepted(highS)
  }
  const checkHashing = (frames: Uint8Array, stride: number): void => {
    check.checkStride(stride)
    check.checkFrames('frames', frames, stride)
  }

  const noble: Secp256k1 = {
    backend: 'noble',

    isPrivateKey(privateKey) {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      return utils.isValidSecretKey(privateKey)
    },

    publicKeyOf(privateKey, form = 'uncompressed') {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      const compressed = check.isCompressed(form)
      if (!utils.isValidSecretKey(privateKey)) throw check.privateKeyError()
      return secp256k1.getPublicKey(plain(privateKey), compressed)
    },

    sign(digest, privateKey) {
      check.checkBytes('digest', digest, DIGEST_BYTES)
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      if (!utils.isValidSecretKey(privateKey)) throw check.privateKeyError()
      const signature = signOne(digest, privateKey)
      if (signature === null) throw check.signatureFailed()
      return signature
    },

    verify(digest, signature, publicKey, highS = 'refuse') {
      check.checkBytes('digest', digest, DIGEST_BYTES)
      check.checkBytes('signature', signature, COMPACT_SIGNATURE_BYTES)
      check.checkPublicKey(publicKey)
      return verifyOne(digest, signature, publicKey, check.isHighSAccepted(highS))
    },

    recover(digest, signature, highS = 'refuse') {
      check.checkBytes('digest', digest, DIGEST_BYTES)
      check.checkBytes('signature', signature, SIGNATURE_BYTES)
      return recoverOne(digest, signature, check.isHighSAccepted(highS))
    },

    recoverAddress(digest, signature, highS = 'refuse') {
      const key = noble.recover(digest, signature, highS)
      return key === null ? null : addressOf(key)
    },

    sharedSecret(publicKey, privateKey) {
      const shared = noble.multiplySecret(publicKey, privateKey, 'compressed')
      return shared === null ? null : sha256(shared)
    },

    sharedX(publicKey, privateKey) {
      const shared = noble.multiplySecret(publicKey, privateKey, 'compressed')
      return shared === null ? null : shared.slice(1)
    },

    convertPublicKey(publicKey, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      return bytesOf(pointOf(publicKey), check.isCompressed(form))
    },

    multiplySecret(publicKey, scalar, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      check.checkBytes('privateKey', scalar, SCALAR_BYTES)
      const compressed = check.isCompressed(form)
      if (!utils.isValidSecretKey(scalar)) throw check.privateKeyError()
      return bytesOf(pointOf(publicKey)?.multiply(scalars.fromBytes(plain(scalar))) ?? null, compressed)
    },

    addToPublicKey(publicKey, scalar, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      check.checkBytes('scalar', scalar, SCALAR_BYTES)
      const compressed = check.isCompressed(form)
      const [point, number] = [pointOf(publicKey), scalarOf(scalar)]
      return point === null || number === null ? null : bytesOf(point.add(Point.BASE.multiplyUnsafe(number)), compressed)
    },

    multiplyPublicKey(publicKey, scalar, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      check.checkBytes('scalar', scalar, SCALAR_BYTES)
      const compressed = check.isCompressed(form)
      const [point, number] = [pointOf(publicKey), scalarOf(scalar)]
      return point === null || number === null ? null : bytesOf(point.multiplyUnsafe(number), compressed)
    },

    combinePublicKeys(points, form = 'uncompressed') {
      check.checkPoints(points)
      const compressed = check.isCompressed(form)
      let sum: NoblePoint = Point.ZERO
      for (let at = 0; at < points.length; at += POINT_BYTES) {
        const point = pointOf(points.subarray(at, at + POINT_BYTES))
        if (point === null) return null
        sum = sum.add(point)
      }
      return bytesOf(sum, compressed)
    },

    addToPrivateKey: (privateKey, scalar) => changePrivateKey(privateKey, scalar, (key, number) => scalars.add(key, number)),
    multiplyPrivateKey: (privateKey, scalar) => changePrivateKey(privateKey, scalar, (key, number) => scalars.mul(key, number)),

    negatePrivateKey(privateKey) {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      if (!utils.isValidSecretKey(privateKey)) throw check.privateKeyError()
      return scalars.toBytes(scalars.neg(scalars.fromBytes(plain(privateKey))))
    },

    keccak256(data) {
      check.checkAnyBytes('data', data)
      return keccak_256(plain(data))
    },

    signBatch(digests, privateKey) {
      checkSigning(digests, privateKey)
      return overFrames(digests, FRAME_BYTES.sign, SIGNATURE_BYTES, (digest) => signOne(digest, privateKey))
    },
    verifyBatch(frames, highS = 'refuse') {
      const accept = checkedFrames(frames, FRAME_BYTES.verify, highS)
      return overFrames(frames, FRAME_BYTES.verify, 1, verifyFrame(accept))
    },
    recoverBatch(frames, highS = 'refuse') {
      const accept = checkedFrames(frames, FRAME_BYTES.recover, highS)
      return overFrames(frames, FRAME_BYTES.recover, POINT_BYTES, recoverFrame(accept))
    },
    recoverAddressBatch(frames, highS = 'refuse') {
      const accept = checkedFrames(frames, FRAME_BYTES.recover, highS)
      return overFrames(frames, FRAME_BYTES.recover, ADDRESS_BYTES, recoverAddressFrame(accept))
    },
    recoverOneSignerBatch: (frames, highS) => noble.recoverAddressBatch(frames, highS),
    keccak256Batch(frames, stride) {
      checkHashing(frames, stride)
      return overFrames(frames, stride, HASH_BYTES, (frame) => keccak_256(plain(frame)))
    },

    signBatchInPool(digests, privateKey) {
      checkSigning(digests, privateKey)
      const key = Uint8Array.from(privateKey)
      return overFramesInSteps(Uint8Array.from(digests), FRAME_BYTES.sign, SIGNATURE_BYTES, (digest) => signOne(digest, key)).finally(() => key.fill(0))
    },
    verifyBatchInPool(frames, highS = 'refuse') {
      const accept = checkedFrames(frames, FRAME_BYTES.verify, highS)
      return overFramesInSteps(Uint8Array.from(frames), FRAME_BYTES.verify, 1, verifyFrame(accept))
    },
    recoverBatchInPool(frames, highS = 'refuse') {
      const accept = checkedFrames(frames, FRAME_BYTES.recover, highS)
      return overFramesInSteps(Uint8Array.from(frames), FRAME_BYTES.recover, POINT_BYTES, recoverFrame(accept))
    },
    recoverAddressBatchInPool(frames, highS = 'refuse') {
      const accept = checkedFrames(frames, FRAME_BYTES.recover, highS)
      return overFramesInSteps(Uint8Array.from(frames), FRAME_BYTES.recover, ADDRESS_BYTES, recoverAddressFrame(accept))
    },
    recoverOneSignerBatchInPool: (frames, highS) => noble.recoverAddressBatchInPool(frames, highS),
    keccak256BatchInPool(frames, stride) {
      checkHashing(frames, stride)
      return overFramesInSteps(Uint8Array.from(frames), stride, HASH_BYTES, (frame) => keccak_256(frame))
    },
  }
  return noble
}

/** One frame's answer, or null for zeros. */
type FrameWork = (frame: Uint8Array) => Uint8Array | null

function writeFrame(out: Uint8Array, at: number, bytes: Uint8Array | null): void {
  if (bytes !== null) out.set(bytes, at)
}

function verifyFrame(acceptHighS: boolean): FrameWork {
  const keyAt = DIGEST_BYTES + COMPACT_SIGNATURE_BYTES
  return (frame) => Uint8Array.of(verifyOne(frame.subarray(0, DIGEST_BYTES), frame.subarray(DIGEST_BYTES, keyAt), frame.subarray(keyAt), acceptHighS) ? 1 : 0)
}

function recoverFrame(acceptHighS: boolean): FrameWork {
  return (frame) => recoverOne(frame.subarray(0, DIGEST_BYTES), frame.subarray(DIGEST_BYTES), acceptHighS)
}

function recoverAddressFrame(acceptHighS: boolean): FrameWork {
  const recover = recoverFrame(acceptHighS)
  return (frame) => {
    const key = recover(frame)
    return key === null ? null : addressOf(key)
  }
}

function signOne(digest: Uint8Array, privateKey: Uint8Array): Uint8Array | null {
  const recovered = secp256k1.sign(plain(digest), plain(privateKey), { prehash: false, lowS: true, format: 'recovered' })
  const recoveryId = recovered[0] ?? 0
  if (recoveryId > 1) return null
  const signature = new Uint8Array(SIGNATURE_BYTES)
  signature.set(recovered.subarray(1))
  signature[COMPACT_SIGNATURE_BYTES] = V_BASE + recoveryId
  return signature
}

function verifyOne(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array, acceptHighS: boolean): boolean {
  if (parseSignature(signature) === null || pointOf(publicKey) === null) return false
  return secp256k1.verify(plain(signature), plain(digest), plain(publicKey), { prehash: false, lowS: !acceptHighS })
}

function recoverOne(digest: Uint8Array, signature: Uint8Array, acceptHighS: boolean): Uint8Array | null {
  const v = signature[COMPACT_SIGNATURE_BYTES] ?? 0
  const recoveryId = v >= V_BASE ? v - V_BASE : v
  if (recoveryId > 1) return null
  const parsed = parseSignature(signature.subarray(0, COMPACT_SIGNATURE_BYTES))
  if (parsed === null || (!acceptHighS && parsed.hasHighS())) return null
  try {
    return parsed.addRecoveryBit(recoveryId).recoverPublicKey(plain(digest)).toBytes(false)
  } catch {
    return null // no point has that x, or the key would be infinity: nobody's signature
  }
}

function parseSignature(signature: Uint8Array): InstanceType<typeof secp256k1.Signature> | null {
  try {
    return secp256k1.Signature.fromBytes(plain(signature), 'compact')
  } catch {
    return null // r or s is zero or not below the order
  }
}

function pointOf(publicKey: Uint8Array): NoblePoint | null {
  try {
    return Point.fromBytes(plain(publicKey))
  } catch {
    return null // not on the curve, or not in a form we take
  }
}

/** Null for infinity, which has no bytes here. */
function bytesOf(point: NoblePoint | null, compressed: boolean): Uint8Array | null {
  return point === null || point.is0() ? null : point.toBytes(compressed)
}

/** Null at or above the order. */
function scalarOf(bytes: Uint8Array): bigint | null {
  const number = BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`)
  return number < scalars.ORDER ? number : null
}

function changePrivateKey(privateKey: Uint8Array, scalar: Uint8Array, change: (key: bigint, scalar: bigint) => bigint): Uint8Array | null {
  check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
  check.checkBytes('scalar', scalar, SCALAR_BYTES)
  if (!utils.isValidSecretKey(privateKey)) throw check.privateKeyError()
  const number = scalarOf(scalar)
  if (number === null) return null
  const changed = change(scalars.fromBytes(plain(privateKey)), number)
  return changed === 0n ? null : scalars.toBytes(changed)
}

function addressOf(publicKey: Uint8Array): Uint8Array {
  return keccak_256(publicKey.subarray(1)).slice(-ADDRESS_BYTES)
}

/** The bytes without what a subclass (Buffer) does differently. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
