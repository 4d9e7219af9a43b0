/**
 * Curve operations and hashes per CPU second: the native addon call by call, in batches, and noble, in
 * turns. The batch is also the C loop that single calls are compared with. The aims are ratios: this
 * machine's speed changes by a factor of two, theirs does not.
 */
import { addonPath, buildNative } from '../../scripts/native.ts'
import { concatBytes } from '../../src/base/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import type { Secp256k1 } from '../../src/native/index.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { costOf, inTurns, pairs, summary } from './measure.ts'

const ROUNDS = 7
const BATCH = 256
const HASHED_BYTES = 600
/** Single calls at least this good against the C loop. */
const AIM_OF_LOOP = 0.85

export const nativeSecp256k1: Bench = { name: 'native-secp256k1', run }

interface Operation {
  readonly name: string
  /** Native is to be this many times noble's speed. */
  readonly aim: number
  /** Operations per slice; a slice takes about a tenth of a second. */
  readonly native: number
  readonly noble: number
  /** The index chooses among the inputs of the batch. */
  one(x: Secp256k1, index: number): unknown
  batch(x: Secp256k1): unknown
  inPool(x: Secp256k1): Promise<unknown>
}

async function run(place: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', place.say)
  const native = loadSecp256k1(addonPath('host', 'secp256k1'))
  const noble = loadSecp256k1(null)
  const rows: BenchRow[] = []
  for (const operation of operations(native)) {
    operation.one(noble, 0) // its tables
    operation.batch(native)
    const times = Math.ceil(operation.native / BATCH)
    const rates = await inTurns(ROUNDS, {
      single: () => perCpuSecond(operation.native, async () => repeat(operation.native, (i) => operation.one(native, i))),
      noble: () => perCpuSecond(operation.noble, async () => repeat(operation.noble, (i) => operation.one(noble, i))),
      batch: () => perCpuSecond(times * BATCH, async () => repeat(times, () => operation.batch(native))),
      pool: () =>
        perCpuSecond(times * BATCH, async () => {
          await Promise.all(Array.from({ length: times }, () => operation.inPool(native)))
        }),
    })
    const against = (ours: readonly number[], theirs: readonly number[]): number => summary(pairs(ours, theirs, (a, b) => a / b)).p50
    const unit = '/CPU s'
    const peer = { name: 'noble', value: summary(rates.noble) }
    const ratio = against(rates.single, rates.noble)
    rows.push({ name: `${operation.name}, call by call`, unit, ours: summary(rates.single), peer, ratio, aim: { text: `≥ ${operation.aim} × noble`, met: ratio >= operation.aim } })
    rows.push({ name: `${operation.name}, batch of ${BATCH}`, unit, ours: summary(rates.batch), peer, ratio: against(rates.batch, rates.noble), aim: { text: '', met: null } })
    rows.push({ name: `${operation.name}, batch in the pool`, unit, ours: summary(rates.pool), peer, ratio: against(rates.pool, rates.noble), aim: { text: '', met: null } })
    const ofLoop = against(rates.single, rates.batch)
    const loop = { name: 'C loop', value: summary(rates.batch) }
    rows.push({ name: `${operation.name}, call against loop`, unit, ours: summary(rates.single), peer: loop, ratio: ofLoop, aim: { text: `≥ ${AIM_OF_LOOP}`, met: ofLoop >= AIM_OF_LOOP } })
  }
  return rows
}

function operations(x: Secp256k1): Operation[] {
  const key = new Uint8Array(32).fill(7)
  const digests = Array.from({ length: BATCH }, (_, index) => x.keccak256(Uint8Array.of(index)))
  const signatures = digests.map((digest) => x.sign(digest, key))
  const publicKey = x.publicKeyOf(key)
  const at = (list: readonly Uint8Array[], index: number): Uint8Array => list[index] ?? key
  const compacts = signatures.map((signature) => signature.slice(0, 64))
  const toSign = concatBytes(...digests)
  const toRecover = concatBytes(...digests.flatMap((each, index) => [each, at(signatures, index)]))
  const toVerify = concatBytes(...digests.flatMap((each, index) => [each, at(compacts, index), publicKey]))
  const toHash = new Uint8Array(HASHED_BYTES * BATCH).fill(5)
  const hashed = Array.from({ length: BATCH }, (_, index) => toHash.slice(HASHED_BYTES * index, HASHED_BYTES * (index + 1)))
  return [
    { name: 'sign', aim: 15, native: 5120, noble: 180, one: (s, i) => s.sign(at(digests, i), key), batch: (s) => s.signBatch(toSign, key), inPool: (s) => s.signBatchInPool(toSign, key) },
    { name: 'verify', aim: 35, native: 3328, noble: 90, one: (s, i) => s.verify(at(digests, i), at(compacts, i), publicKey), batch: (s) => s.verifyBatch(toVerify), inPool: (s) => s.verifyBatchInPool(toVerify) },
    { name: 'recover', aim: 20, native: 3072, noble: 90, one: (s, i) => s.recover(at(digests, i), at(signatures, i)), batch: (s) => s.recoverBatch(toRecover), inPool: (s) => s.recoverBatchInPool(toRecover) },
    {
      name: `keccak-256 of ${HASHED_BYTES} bytes`,
      aim: 8,
      native: 51_200,
      noble: 4000,
      one: (s, i) => s.keccak256(at(hashed, i)),
      batch: (s) => s.keccak256Batch(toHash, HASHED_BYTES),
      inPool: (s) => s.keccak256BatchInPool(toHash, HASHED_BYTES),
    },
  ]
}

function repeat(times: number, work: (index: number) => unknown): void {
  for (let i = 0; i < times; i++) work(i % BATCH)
}

async function perCpuSecond(operations: number, work: () => Promise<void>): Promise<number> {
  return operations / ((await costOf(work)).cpuMs / 1000)
}
