/**
 * Uses the door in every way at once, for ever. As a thread it says so and waits to be ended; as a process it
 * ends as told: `exit` (at once), `later` (with work under way), `throw` (an error nobody catches, from an
 * event), `end` (its work done, watches open).
 * Usage: node busy.ts <addon> <namespace's path> <how>
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { hostWord, loadNfnetlink } from '../../../src/native/index.ts'
import type { NfChange } from '../../../src/native/index.ts'

const [addon = '', namespacePath = '', how = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[])
const nf = loadNfnetlink(addon)?.open({ namespacePath })
if (nf === undefined) throw new Error('no addon')
const inet = { family: 'inet', table: 't' } as const
let rounds = 0
let isOver = false

nf.watch({
  onEvents: () => {
    if (how === 'throw' && rounds > 3) throw new Error('on purpose')
  },
  onLost: () => undefined,
})

async function work(first: number): Promise<void> {
  const elements = Array.from({ length: 500 }, (_, index) => ({ key: hostWord(first + index) }))
  const changes: NfChange[] = [
    { op: 'add-elements', ...inet, set: 'paid', elements },
    { op: 'delete-elements', ...inet, set: 'paid', elements },
  ]
  while (!isOver) {
    await Promise.all([nf?.commit(changes), nf?.commit([{ op: 'flush-set', ...inet, set: 'few' }]), nf?.dumpElements({ ...inet, set: 'paid' }), nf?.generation()])
    rounds++
    if (rounds === 6 && !isMainThread) parentPort?.postMessage('busy')
    if (rounds > 5 && how === 'later') process.exit(7)
    if (rounds > 5 && how === 'end') isOver = true
  }
}
const all = [work(1000), work(2000)]
if (how === 'exit') process.exit(7)
await Promise.all(all)
console.log(`${rounds} rounds`)
