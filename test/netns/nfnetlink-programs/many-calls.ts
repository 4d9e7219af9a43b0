/**
 * Calls of all kinds, refusals and wrong arguments among them, and what memory they leave behind. Prints one
 * line of JSON with the resident memory, in KiB, after each tenth.
 * Usage: node --expose-gc many-calls.ts <addon> <namespace's path> <calls>
 */
import { readFileSync } from 'node:fs'
import { hostWord, loadNfnetlink } from '../../../src/native/index.ts'
import type { NfChange } from '../../../src/native/index.ts'

const [addon = '', namespacePath = '', calls = '0'] = process.argv.slice(2)
const STEPS = 10
const door = loadNfnetlink(addon)
if (door === null) throw new Error('no addon')
const nf = door.open({ namespacePath })
const inet = { family: 'inet', table: 't' } as const
let [answers, events] = [0, 0]

const change = (key: number): NfChange[] => [
  { op: 'add-elements', ...inet, set: 'paid', elements: [{ key: hostWord(key), timeoutMs: 60_000 }] },
  { op: 'delete-elements', ...inet, set: 'paid', elements: [{ key: hostWord(key) }] },
]
const refused = async (work: () => Promise<unknown>): Promise<void> => {
  const outcome = await work().then(
    () => 'done',
    () => 'refused',
  )
  if (outcome !== 'refused') throw new Error('it was done')
}
const bulk = Array.from({ length: 300 }, (_, index) => ({ key: hostWord(index + 1000) }))

/** The first is the common one; the others come in turns. */
const others: readonly (() => Promise<unknown>)[] = [
  () => refused(() => nf.commit([...change(1), { op: 'delete-elements', ...inet, set: 'paid', elements: [{ key: hostWord(9) }] }])),
  () => refused(() => nf.commit([{ op: 'add-elements', ...inet, set: '', elements: [] }])),
  () => nf.dumpElements({ ...inet, set: 'few' }),
  () => nf.dumpQuotas(inet),
  () => refused(() => nf.dumpElements({ ...inet, set: 'nothing' })),
  () => nf.generation(),
  () => nf.commit([{ op: 'add-elements', ...inet, set: 'paid', elements: bulk }, { op: 'delete-elements', ...inet, set: 'paid', elements: bulk }]),
  async () => nf.watch({ onEvents: () => undefined, onLost: () => undefined })(),
  async () => door.open({ namespacePath }).close(),
]

function residentKib(): number {
  globalThis.gc?.()
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

const count = (told: readonly unknown[]): void => {
  events += told.length
}
nf.watch({ onEvents: count, onLost: () => (events += 1) })
const residents: number[] = []
for (let step = 0; step < STEPS; step++) {
  for (let i = 0; i < Number(calls) / STEPS; i++) {
    if (i % 50 === 0) await others[(i / 50) % others.length]?.()
    else await nf.commit(change(i % 100))
    answers++
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve)) // events are heard between turns of the loop
  }
  residents.push(residentKib())
}
await nf.close()
console.log(JSON.stringify({ answers, events, residents, descriptors: readFileSync('/proc/self/status', 'utf8').match(/FDSize:\s+(\d+)/)?.[1] }))
