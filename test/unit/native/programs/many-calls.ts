/**
 * A million calls of all kinds, then as many again: what memory they leave behind. Prints one line of JSON
 * with the resident memory, in KiB, after each tenth. Run with --expose-gc.
 * Usage: node --expose-gc many-calls.ts <addon> <calls>
 */
import { readFileSync } from 'node:fs'
import { concatBytes } from '../../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../../src/native/index.ts'

const [path = '', calls = '1000000'] = process.argv.slice(2)
const STEPS = 10
const x = loadSecp256k1(path)
const key = new Uint8Array(32).fill(7)
const digest = new Uint8Array(32).fill(9)
const signature = x.sign(digest, key)
const publicKey = x.publicKeyOf(key)
const frame = concatBytes(digest, signature)
const wrong = new Uint8Array(31)
let answers = 0

/** Most are cheap ones; every kind is among them, wrong arguments and failures too. */
const work: readonly (() => unknown)[] = [
  () => x.sign(digest, key),
  () => x.recover(digest, signature),
  () => x.recoverAddress(digest, wrong.length === 31 ? signature.with(64, 9) : signature),
  () => x.verify(digest, signature.subarray(0, 64), publicKey),
  () => x.convertPublicKey(publicKey, 'compressed'),
  () => x.addToPrivateKey(key, digest),
  () => x.recoverBatch(frame),
  () => x.isPrivateKey(key),
  () => refused(() => x.keccak256Batch(wrong, 2)),
  () => refused(() => x.sign(wrong, key)),
  ...Array.from({ length: 30 }, (_, length) => () => x.keccak256(frame.subarray(length))),
]

function refused(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('a wrong argument was taken')
}

function residentKib(): number {
  globalThis.gc?.()
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

const residents: number[] = []
for (let step = 0; step < STEPS; step++) {
  for (let i = 0; i < Number(calls) / STEPS; i++) if (work[i % work.length]?.() !== undefined) answers++
  for (let i = 0; i < 200; i++) await Promise.all([x.recoverAddressBatchInPool(frame), x.signBatchInPool(digest, key), x.keccak256BatchInPool(frame, 1)])
  residents.push(residentKib())
}
console.log(JSON.stringify({ answers, residents }))
