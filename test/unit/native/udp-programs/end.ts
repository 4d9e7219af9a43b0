/**
 * Ends while datagrams come. Usage: node end.ts <addon> <how>, how: `exit`, `throw` (out of the listener), `end` (the socket is closed, and nothing else keeps
 * the process), `threads` (that are ended in the middle of it).
 */
import { createSocket } from 'node:dgram'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { loadUdp } from '../../../../src/native/index.ts'

const [path, how] = isMainThread ? process.argv.slice(2) : (workerData as readonly string[])

function busy(onBatch: (close: () => void) => void): void {
  const sender = createSocket('udp4')
  const socket = loadUdp(path ?? '')?.({ address: '127.0.0.1', port: 0, receiveBytes: 1 << 20, closeMs: 5, gatherMs: 1 }, (from, count) => {
    for (let slot = 0; slot < count; slot++) {
      sender.send(from.bytes(slot), from.port, '127.0.0.1') // it never ends by itself
      from.mark(slot, Uint8Array.of(1))
    }
    from.answer()
    onBatch(() => {
      from.close()
      sender.close()
    })
  })
  const port = socket?.port ?? 0
  for (let n = 0; n < 50; n++) sender.send(new Uint8Array(100), port, '127.0.0.1')
}

if (!isMainThread) {
  busy(() => parentPort?.postMessage('busy'))
} else if (how === 'threads') {
  for (let round = 0; round < 6; round++) {
    const workers = [0, 1].map(() => new Worker(new URL(import.meta.url), { workerData: [path, how] }))
    await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
} else {
  let batches = 0
  busy((close) => {
    if (++batches < 20) return
    if (how === 'exit') process.exit(7)
    if (how === 'throw') throw new Error('on purpose')
    close()
  })
}
