/** Threads load the addon, fill the pool and are ended, one after the other; this thread never loads it. */
import { Worker } from 'node:worker_threads'

const [addon = ''] = process.argv.slice(2)
let ended = 0
for (let round = 0; round < 8; round++) {
  const worker = new Worker(new URL('./busy-worker.ts', import.meta.url), { workerData: addon })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
  ended++
}
console.log(`${ended} threads ended`)
