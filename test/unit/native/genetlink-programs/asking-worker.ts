/** A thread that asks without end, says so, and waits to be ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadGenetlink } from '../../../../src/native/index.ts'

const netlink = await loadGenetlink(workerData as string).open()
const ask = (): void => void netlink.families().then(ask)
for (let i = 0; i < 50; i++) ask()
await netlink.families()
parentPort?.postMessage('asking')
