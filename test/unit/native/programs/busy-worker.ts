/** A thread that fills the pool with batches, says so, and waits to be ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { concatBytes } from '../../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../../src/native/index.ts'

const x = loadSecp256k1(workerData as string)
const key = new Uint8Array(32).fill(7)
const digest = new Uint8Array(32).fill(9)
const frames = concatBytes(...Array.from({ length: 50 }, () => concatBytes(digest, x.sign(digest, key))))
const fill = (): void => {
  for (let i = 0; i < 10; i++) {
    void x.recoverBatchInPool(frames).then(fill)
    void x.signBatchInPool(frames.subarray(0, 1600), key)
  }
}
fill()
parentPort?.postMessage('full')
for (;;) x.keccak256(frames)
