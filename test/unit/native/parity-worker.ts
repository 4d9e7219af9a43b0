/**
 * One share of the random parity test, in a worker thread: the two backends side by side over inputs that
 * the seed names. Where noble's answers to them are recorded it is asked itself in every tenth batch, and in the others the addon's answers
 * must have the digest of the recorded ones. Tells its parent how many comparisons of each kind were made, and the digests; a difference is
 * thrown, with the seed and the number of the round.
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { concatBytes, toHex } from '../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { HighS, PointForm, Secp256k1 } from '../../../src/native/index.ts'
import { outcome } from './outcome.ts'
import { randomStream } from './random-stream.ts'
import { ORDER, bytes32, numberOf } from './scalars.ts'

export interface ParityShare {
  readonly addon: string
  readonly seed: string
  readonly rounds: number
  /** Of each batch of rounds: the digest of noble's answers. Null: nothing is recorded, or it shall be. */
  readonly recorded: readonly string[] | null
}
export type ParityCounts = Record<string, number>
export interface ParityResult {
  readonly counts: ParityCounts
  readonly digests: readonly string[]
}

const KEY_EVERY = 50
const VERIFY_EVERY = 20
const POINTS_EVERY = 50
const BATCH = 250
const NOBLE_EVERY = 10
/** Hex digits of a digest that are kept. */
const KEPT = 16

const { addon, seed, rounds, ...share } = workerData as ParityShare
/** Of whole batches alone. */
const recorded = rounds % BATCH === 0 ? share.recorded : null
const native = loadSecp256k1(addon)
const noble = loadSecp256k1(null)
const random = randomStream(seed)
const counts: ParityCounts = {}
let round = 0
let key: Uint8Array = new Uint8Array(32)
let publicKey: Uint8Array = new Uint8Array(65)
let digests: Uint8Array[] = []
let signatures: Uint8Array[] = []
let publicKeys: Uint8Array[] = []
let answers = createHash('sha256')
const made: string[] = []

for (; round < rounds; round++) {
  if (round % KEY_EVERY === 0) newKey()
  const digest = random.bytes(32)
  const signature = oracle().sign(digest, key)
  equal('sign', native.sign(digest, key), signature)
  // The key and signature are noble's, so these hold the addon to noble's answer at a fraction of its time.
  equal('recover, of a known key', native.recover(digest, signature), publicKey)
  if (!native.verify(digest, signature.subarray(0, 64), publicKey)) throw difference('verify, of a known key')
  count('verify, of a known key')
  same('keccak256', (x) => x.keccak256(signature.subarray(0, round % 66)))
  digests.push(digest)
  signatures.push(signature)
  publicKeys.push(publicKey)
  if (round % VERIFY_EVERY === 0) signatureChanged(digest, signature)
  if (round % POINTS_EVERY === 0) pointsAndKeys()
  if (digests.length === BATCH || round === rounds - 1) await batches()
}
parentPort?.postMessage({ counts, digests: made } satisfies ParityResult)

/** Where nothing is recorded of this batch, or every tenth time, noble; else the addon, whose answers the digest holds to noble's. */
function oracle(): Secp256k1 {
  return recorded === null || Math.floor(round / BATCH) % NOBLE_EVERY === 0 ? noble : native
}

function newKey(): void {
  if (digests.length > 0) equal('sign, batch of one key', native.signBatch(concatBytes(...digests.slice(-KEY_EVERY)), key), concatBytes(...signatures.slice(-KEY_EVERY)))
  do key = random.bytes(32)
  while (!oracle().isPrivateKey(key))
  publicKey = oracle().publicKeyOf(key)
  same('publicKeyOf', (x) => x.publicKeyOf(key))
}

/** Both backends, whatever comes out of it. */
function signatureChanged(digest: Uint8Array, signature: Uint8Array): void {
  const twin = concatBytes(signature.subarray(0, 32), bytes32(ORDER - numberOf(signature.subarray(32, 64))), Uint8Array.of(55 - (signature[64] ?? 0)))
  const flipped = random.pick([signature, twin]).slice()
  const at = random.below(64)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8))
  flipped[64] = random.pick([0, 1, 27, 28])
  const other = random.pick([signature, twin, flipped, random.bytes(65)])
  const highS = random.pick<HighS>(['refuse', 'accept'])
  same('recover, signature as made', (x) => x.recover(digest, signature))
  same('verify, signature as made', (x) => x.verify(digest, signature.subarray(0, 64), publicKey))
  same('recover, signature changed', (x) => x.recover(digest, other, highS))
  same('verify, signature changed', (x) => x.verify(digest, other.subarray(0, 64), publicKey, highS))
  same('recoverAddress', (x) => x.recoverAddress(digest, flipped, highS))
  const otherKey = with02(random.bytes(32))
  same('verify, other key', (x) => x.verify(digest, signature.subarray(0, 64), otherKey))
}

function pointsAndKeys(): void {
  const scalar = random.bytes(32)
  const point = random.pick([publicKey, oracle().convertPublicKey(publicKey, 'compressed') ?? publicKey, with02(random.bytes(32))])
  const long = oracle().convertPublicKey(point) ?? publicKey
  const form = random.pick<PointForm>(['compressed', 'uncompressed'])
  same('convertPublicKey', (x) => x.convertPublicKey(point, form))
  same('sharedX', (x) => x.sharedX(point, key))
  same('sharedSecret', (x) => x.sharedSecret(point, key))
  same('multiplySecret', (x) => x.multiplySecret(point, scalar))
  same('multiplyPublicKey', (x) => x.multiplyPublicKey(point, scalar, 'compressed'))
  same('addToPublicKey', (x) => x.addToPublicKey(point, scalar))
  same('combinePublicKeys', (x) => x.combinePublicKeys(concatBytes(long, publicKey), 'compressed'))
  same('addToPrivateKey', (x) => x.addToPrivateKey(key, scalar))
  same('multiplyPrivateKey', (x) => x.multiplyPrivateKey(key, scalar))
  same('negatePrivateKey', (x) => x.negatePrivateKey(key))
  const long600 = random.bytes(random.below(1200))
  same('keccak256, long', (x) => x.keccak256(long600))
}

/** The batches hold to what the single calls gave, and the pool to the batches. */
async function batches(): Promise<void> {
  const recover = concatBytes(...digests.map((digest, i) => concatBytes(digest, signatures[i] ?? digest)))
  const verify = concatBytes(...digests.map((digest, i) => concatBytes(digest, (signatures[i] ?? digest).subarray(0, 64), publicKeys[i] ?? digest)))
  const addresses = concatBytes(...publicKeys.map((each) => oracle().keccak256(each.subarray(1)).slice(-20)))
  equal('recover, batch', native.recoverBatch(recover), concatBytes(...publicKeys), digests.length)
  equal('recoverAddress, batch', native.recoverAddressBatch(recover), addresses, digests.length)
  equal('recover, of one signer', native.recoverOneSignerBatch(recover), addresses, digests.length)
  const changed = recover.slice()
  const at = random.below(changed.length)
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  const highS = random.pick<HighS>(['refuse', 'accept'])
  equal('recover, of one signer, one changed', native.recoverOneSignerBatch(changed, highS), native.recoverAddressBatch(changed, highS), digests.length)
  equal('verify, batch', native.verifyBatch(verify), new Uint8Array(digests.length).fill(1), digests.length)
  equal('keccak256, batch', native.keccak256Batch(recover, 97), oracle().keccak256Batch(recover, 97), digests.length)
  equal('recoverAddress, pool', await native.recoverAddressBatchInPool(recover), addresses, digests.length)
  equal('recover, of one signer, pool', await native.recoverOneSignerBatchInPool(recover), addresses, digests.length)
  equal('keccak256, pool', await native.keccak256BatchInPool(verify, 161), oracle().keccak256Batch(verify, 161), digests.length)
  ;[digests, signatures, publicKeys] = [[], [], []]
  const digest = answers.digest('hex').slice(0, KEPT)
  const expected = recorded?.[made.length] ?? digest
  if (digest !== expected) throw difference(`one of the ${BATCH} rounds up to here (MESHBOX_PARITY_RECORD=1 asks noble in all)`, digest, expected)
  if (oracle() === noble) count('rounds that noble was asked in', BATCH)
  made.push(digest)
  answers = createHash('sha256')
}

function with02(x: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(2), x)
}

function same(name: string, call: (x: Secp256k1) => unknown): void {
  const ours = JSON.stringify(outcome(() => call(native)))
  const theirs = oracle() === native ? ours : JSON.stringify(outcome(() => call(noble)))
  if (ours !== theirs) throw difference(name, ours, theirs)
  answers.update(`${name} ${theirs}\n`)
  count(name)
}

function equal(name: string, ours: Uint8Array | null, expected: Uint8Array, comparisons = 1): void {
  if (ours === null || Buffer.compare(ours, expected) !== 0) throw difference(name, ours === null ? 'null' : toHex(ours), toHex(expected))
  answers.update(`${name} `).update(expected)
  count(name, comparisons)
}

function count(name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by
}

function difference(name: string, ours = '', theirs = ''): Error {
  return new Error(`${name}: the addon and noble differ in round ${round} of seed ${seed}\nnative ${ours.slice(0, 400)}\nnoble  ${theirs.slice(0, 400)}`)
}
