/** Secp256k1 on the native addon (native/secp256k1), and the choice between it and noble. */
import { fromHex, toHex } from '../../base/index.ts'
import * as check from '../arguments.ts'
import { nobleSecp256k1 } from '../noble-secp256k1.ts'
import { COMPACT_SIGNATURE_BYTES, DIGEST_BYTES, FRAME_BYTES, HASH_BYTES, SCALAR_BYTES, SIGNATURE_BYTES } from '../secp256k1.ts'
import type { HighS, PointForm, Secp256k1 } from '../secp256k1.ts'
import { loadAddon, unusable } from './load-addon.ts'

type Bytes = Uint8Array
type FrameBatch = (frames: Bytes, acceptHighS: boolean) => Bytes
type FrameBatchInPool = (frames: Bytes, acceptHighS: boolean) => Promise<Bytes>

/** What native/secp256k1/addon.cc exports. It checks every argument itself, with plainer errors. */
interface Addon {
  isPrivateKey(privateKey: Bytes): boolean
  publicKeyOf(privateKey: Bytes, compressed: boolean): Bytes | null
  sign(digest: Bytes, privateKey: Bytes): Bytes | null
  verify(digest: Bytes, signature: Bytes, publicKey: Bytes, acceptHighS: boolean): boolean
  recover(digest: Bytes, signature: Bytes, acceptHighS: boolean): Bytes | null
  recoverAddress(digest: Bytes, signature: Bytes, acceptHighS: boolean): Bytes | null
  sharedSecret(publicKey: Bytes, privateKey: Bytes): Bytes | null
  sharedX(publicKey: Bytes, privateKey: Bytes): Bytes | null
  multiplySecret(publicKey: Bytes, scalar: Bytes, compressed: boolean): Bytes | null
  addToPublicKey(publicKey: Bytes, scalar: Bytes, compressed: boolean): Bytes | null
  multiplyPublicKey(publicKey: Bytes, scalar: Bytes, compressed: boolean): Bytes | null
  addToPrivateKey(privateKey: Bytes, scalar: Bytes): Bytes | null
  multiplyPrivateKey(privateKey: Bytes, scalar: Bytes): Bytes | null
  negatePrivateKey(privateKey: Bytes): Bytes | null
  convertPublicKey(publicKey: Bytes, compressed: boolean): Bytes | null
  combinePublicKeys(points: Bytes, compressed: boolean): Bytes | null
  keccak256Into(data: Bytes, out: Bytes): void
  signBatch(digests: Bytes, privateKey: Bytes): Bytes
  verifyBatch: FrameBatch
  recoverBatch: FrameBatch
  recoverAddressBatch: FrameBatch
  recoverOneSignerBatch: FrameBatch
  keccak256Batch(frames: Bytes, stride: number): Bytes
  signBatchInPool(digests: Bytes, privateKey: Bytes): Promise<Bytes>
  verifyBatchInPool: FrameBatchInPool
  recoverBatchInPool: FrameBatchInPool
  recoverAddressBatchInPool: FrameBatchInPool
  recoverOneSignerBatchInPool: FrameBatchInPool
  keccak256BatchInPool(frames: Bytes, stride: number): Promise<Bytes>
}

const FUNCTIONS: Readonly<Record<keyof Addon, true>> = {
  isPrivateKey: true,
  publicKeyOf: true,
  sign: true,
  verify: true,
  recover: true,
  recoverAddress: true,
  sharedSecret: true,
  sharedX: true,
  multiplySecret: true,
  addToPublicKey: true,
  multiplyPublicKey: true,
  addToPrivateKey: true,
  multiplyPrivateKey: true,
  negatePrivateKey: true,
  convertPublicKey: true,
  combinePublicKeys: true,
  keccak256Into: true,
  signBatch: true,
  verifyBatch: true,
  recoverBatch: true,
  recoverAddressBatch: true,
  recoverOneSignerBatch: true,
  keccak256Batch: true,
  signBatchInPool: true,
  verifyBatchInPool: true,
  recoverBatchInPool: true,
  recoverAddressBatchInPool: true,
  recoverOneSignerBatchInPool: true,
  keccak256BatchInPool: true,
}

/**
 * The addon at this absolute path, or noble for null. A path that cannot be used is an error and not a
 * silent change to noble: the caller decides, and can tell the owner why the box is slow.
 * Errors: input `path`; unavailable `addon-unusable`.
 */
export function loadSecp256k1(path: string | null): Secp256k1 {
  if (path === null) return nobleSecp256k1(eventLoopTurn)
  const addon = loadAddon(path, Object.keys(FUNCTIONS)) as unknown as Addon
  if (!answersRight(addon)) throw unusable(path, 'it computes wrong answers')
  return nativeSecp256k1(addon)
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** One known answer through hash, curve and recovery: the Signer test of EIP-155's key, address included. */
function answersRight(addon: Addon): boolean {
  const key = new Uint8Array(SCALAR_BYTES).fill(0x46)
  const digest = fromHex('daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')
  const signature = addon.sign(digest, key)
  const address = signature === null ? null : addon.recoverAddress(digest, signature, false)
  return address !== null && toHex(address) === '9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'
}

function nativeSecp256k1(addon: Addon): Secp256k1 {
  const keyAndForm = (publicKey: Bytes, form: PointForm): boolean => {
    check.checkPublicKey(publicKey)
    return check.isCompressed(form)
  }
  const checkKeys = (publicKey: Bytes, privateKey: Bytes): void => {
    check.checkPublicKey(publicKey)
    check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
    if (!addon.isPrivateKey(privateKey)) throw check.privateKeyError()
  }
  const checkPrivate = (privateKey: Bytes): void => {
    check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
    if (!addon.isPrivateKey(privateKey)) throw check.privateKeyError()
  }
  const checkSigning = (digests: Bytes, privateKey: Bytes): void => {
    check.checkFrames('digests', digests, FRAME_BYTES.sign)
    checkPrivate(privateKey)
  }
  const framesAndHighS = (frames: Bytes, stride: number, highS: HighS): boolean => {
    check.checkFrames('frames', frames, stride)
    return check.isHighSAccepted(highS)
  }
  const checkHashing = (frames: Bytes, stride: number): void => {
    check.checkStride(stride)
    check.checkFrames('frames', frames, stride)
  }
  const checkSigned = (digest: Bytes, signature: Bytes): void => {
    check.checkBytes('digest', digest, DIGEST_BYTES)
    check.checkBytes('signature', signature, SIGNATURE_BYTES)
  }
  /** Memory outside V8's heap, which the addon reaches at once; the copies handed out are inside. */
  const hash = new Uint8Array(new ArrayBuffer(HASH_BYTES))
  const checkScalar = (scalar: Bytes): void => check.checkBytes('scalar', scalar, SCALAR_BYTES)

  return {
    backend: 'native',
    isPrivateKey(privateKey) {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      return addon.isPrivateKey(privateKey)
    },
    publicKeyOf(privateKey, form = 'uncompressed') {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      const key = addon.publicKeyOf(privateKey, check.isCompressed(form))
      if (key === null) throw check.privateKeyError()
      return key
    },
    sign(digest, privateKey) {
      check.checkBytes('digest', digest, DIGEST_BYTES)
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      const signature = addon.sign(digest, privateKey)
      if (signature === null) throw addon.isPrivateKey(privateKey) ? check.signatureFailed() : check.privateKeyError()
      return signature
    },
    verify(digest, signature, publicKey, highS = 'refuse') {
      check.checkBytes('digest', digest, DIGEST_BYTES)
      check.checkBytes('signature', signature, COMPACT_SIGNATURE_BYTES)
      check.checkPublicKey(publicKey)
      return addon.verify(digest, signature, publicKey, check.isHighSAccepted(highS))
    },
    recover(digest, signature, highS = 'refuse') {
      checkSigned(digest, signature)
      return addon.recover(digest, signature, check.isHighSAccepted(highS))
    },
    recoverAddress(digest, signature, highS = 'refuse') {
      checkSigned(digest, signature)
      return addon.recoverAddress(digest, signature, check.isHighSAccepted(highS))
    },
    sharedSecret(publicKey, privateKey) {
      checkKeys(publicKey, privateKey)
      return addon.sharedSecret(publicKey, privateKey)
    },
    sharedX(publicKey, privateKey) {
      checkKeys(publicKey, privateKey)
      return addon.sharedX(publicKey, privateKey)
    },
    convertPublicKey: (publicKey, form = 'uncompressed') => addon.convertPublicKey(publicKey, keyAndForm(publicKey, form)),
    multiplySecret(publicKey, scalar, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      check.checkBytes('privateKey', scalar, SCALAR_BYTES)
      const compressed = check.isCompressed(form)
      checkPrivate(scalar)
      return addon.multiplySecret(publicKey, scalar, compressed)
    },
    addToPublicKey(publicKey, scalar, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      checkScalar(scalar)
      return addon.addToPublicKey(publicKey, scalar, check.isCompressed(form))
    },
    multiplyPublicKey(publicKey, scalar, form = 'uncompressed') {
      check.checkPublicKey(publicKey)
      checkScalar(scalar)
      return addon.multiplyPublicKey(publicKey, scalar, check.isCompressed(form))
    },
    combinePublicKeys(points, form = 'uncompressed') {
      check.checkPoints(points)
      return addon.combinePublicKeys(points, check.isCompressed(form))
    },
    addToPrivateKey(privateKey, scalar) {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      checkScalar(scalar)
      checkPrivate(privateKey)
      return addon.addToPrivateKey(privateKey, scalar)
    },
    multiplyPrivateKey(privateKey, scalar) {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      checkScalar(scalar)
      checkPrivate(privateKey)
      return addon.multiplyPrivateKey(privateKey, scalar)
    },
    negatePrivateKey(privateKey) {
      check.checkBytes('privateKey', privateKey, SCALAR_BYTES)
      const negated = addon.negatePrivateKey(privateKey)
      if (negated === null) throw check.privateKeyError()
      return negated
    },
    keccak256(data) {
      check.checkAnyBytes('data', data)
      addon.keccak256Into(data, hash)
      return hash.slice()
    },

    signBatch(digests, privateKey) {
      checkSigning(digests, privateKey)
      return addon.signBatch(digests, privateKey)
    },
    verifyBatch: (frames, highS = 'refuse') => addon.verifyBatch(frames, framesAndHighS(frames, FRAME_BYTES.verify, highS)),
    recoverBatch: (frames, highS = 'refuse') => addon.recoverBatch(frames, framesAndHighS(frames, FRAME_BYTES.recover, highS)),
    recoverAddressBatch: (frames, highS = 'refuse') => addon.recoverAddressBatch(frames, framesAndHighS(frames, FRAME_BYTES.recover, highS)),
    recoverOneSignerBatch: (frames, highS = 'refuse') => addon.recoverOneSignerBatch(frames, framesAndHighS(frames, FRAME_BYTES.recover, highS)),
    keccak256Batch(frames, stride) {
      checkHashing(frames, stride)
      return addon.keccak256Batch(frames, stride)
    },
    signBatchInPool(digests, privateKey) {
      checkSigning(digests, privateKey)
      return addon.signBatchInPool(digests, privateKey)
    },
    verifyBatchInPool: (frames, highS = 'refuse') => addon.verifyBatchInPool(frames, framesAndHighS(frames, FRAME_BYTES.verify, highS)),
    recoverBatchInPool: (frames, highS = 'refuse') => addon.recoverBatchInPool(frames, framesAndHighS(frames, FRAME_BYTES.recover, highS)),
    recoverAddressBatchInPool: (frames, highS = 'refuse') => addon.recoverAddressBatchInPool(frames, framesAndHighS(frames, FRAME_BYTES.recover, highS)),
    recoverOneSignerBatchInPool: (frames, highS = 'refuse') => addon.recoverOneSignerBatchInPool(frames, framesAndHighS(frames, FRAME_BYTES.recover, highS)),
    keccak256BatchInPool(frames, stride) {
      checkHashing(frames, stride)
      return addon.keccak256BatchInPool(frames, stride)
    },
  }
}
