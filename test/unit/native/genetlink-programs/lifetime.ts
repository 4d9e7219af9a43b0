/**
 * Shows what keeps a process alive. Usage: node lifetime.ts <addon> <how>, how: `idle` (an open door, nothing
 * asked), `asked` (one request, nobody awaits it), `unwatched` (a watch that has ended), `thrown` (an answer's
 * handler throws), `exit` (with requests under way), `worker` (threads that are ended while they ask).
 */
import { Worker } from 'node:worker_threads'
import { loadGenetlink } from '../../../../src/native/index.ts'

const [path = '', how = ''] = process.argv.slice(2)

async function endWorkers(): Promise<void> {
  let ended = 0
  for (let round = 0; round < 12; round++) {
    const worker = new Worker(new URL('./asking-worker.ts', import.meta.url), { workerData: path })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
    ended++
  }
  console.log(`${ended} threads ended`)
}

if (how === 'worker') await endWorkers()
else {
  const netlink = await loadGenetlink(path).open()
  const nothing = { onMessage: () => undefined, onLost: () => undefined }
  if (how === 'asked') void netlink.families().then(() => console.log('answered'))
  if (how === 'unwatched') (await netlink.watch(await netlink.family('nlctrl'), 'notify', nothing))()
  if (how === 'thrown')
    void netlink.families().then(() => {
      throw new Error('on purpose')
    })
  if (how === 'exit') {
    for (let i = 0; i < 100; i++) void netlink.families().catch(() => undefined)
    process.exit(7)
  }
}
