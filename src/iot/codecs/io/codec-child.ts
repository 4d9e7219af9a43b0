/**
 * The codec's process. Entry file: bundled as codec.cjs beside the service; nothing is imported but Node's own, since the process may
 * read no other file. One job per line on its input, one answer per line on its output; it ends when its input does.
 *
 * Each call gets a new context: devices see nothing of each other, and what one call broke is gone with it.
 */
import { createInterface } from 'node:readline'
import { Script, createContext } from 'node:vm'
import type { Context } from 'node:vm'
import { PRELUDE, MAX_RESULT_LENGTH, callOf } from './sandbox-text.ts'
import type { CodecAnswer, CodecJob } from './sandbox-text.ts'

const output = process.stdout
const memoryUsage = process.memoryUsage
const nanoseconds = process.hrtime.bigint
/** Three quarters of the heap; what is behind typed arrays counts too. */
const TIRED_BYTES = 24 * 1024 * 1024
/** The watch that ends a call counts in whole milliseconds and may be early by a few. */
const EARLY_MS = 5
const prelude = new Script(PRELUDE, { filename: 'prelude' })
/** The last one compiled: most boxes have one kind of sensor. */
let compiled: { readonly source: string; readonly script: Script } | null = null

createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
  const answer = work(JSON.parse(line) as CodecJob)
  const { heapUsed, external } = memoryUsage()
  output.write(`${JSON.stringify(heapUsed + external > TIRED_BYTES ? { ...answer, isLast: true } : answer)}\n`)
})
closeRealm()
output.write('{"job":0,"made":""}\n')

function work(job: CodecJob): CodecAnswer {
  let beganNs = nanoseconds()
  try {
    const script = compiled?.source === job.source ? compiled.script : new Script(job.source, { filename: 'codec' })
    compiled = { source: job.source, script }
    const context: Context = createContext(Object.create(null) as Context, { codeGeneration: { strings: false, wasm: false }, microtaskMode: 'afterEvaluate' })
    prelude.runInContext(context)
    beganNs = nanoseconds()
    script.runInContext(context, { timeout: job.limitMs })
    if (job.call === 'check') return { job: job.job, made: '{"made":null}' }
    const call = new Script(callOf(job.call, job.input), { filename: 'call' })
    beganNs = nanoseconds()
    const made: unknown = call.runInContext(context, { timeout: job.limitMs })
    if (typeof made !== 'string') return { job: job.job, failed: 'the codec returned nothing that can be written as JSON' }
    if (made.length > MAX_RESULT_LENGTH) return { job: job.job, failed: `the codec returned ${made.length} characters; allowed: ${MAX_RESULT_LENGTH}` }
    return { job: job.job, made }
  } catch (thrown) {
    // Only errors of this realm are looked at: one from inside the context, as that of the time limit is, may run code when it is touched.
    if (thrown instanceof Error) return { job: job.job, failed: `${thrown.name}: ${thrown.message}`.slice(0, 200) }
    const isOver = nanoseconds() - beganNs >= BigInt(job.limitMs - EARLY_MS) * 1_000_000n
    return isOver ? { job: job.job, failed: `the codec took more than ${job.limitMs} ms`, isLast: true } : { job: job.job, failed: 'the codec threw while it was loaded' }
  }
}

/**
 * Second wall: whoever got hold of an object of this realm all the same finds no way to make code of text in it, and no Node. What
 * this file and Node itself need was fetched before.
 */
function closeRealm(): void {
  const functions: readonly object[] = [function () {}, async function () {}, function* () {}, async function* () {}]
  for (const one of functions) Object.defineProperty(Object.getPrototypeOf(one), 'constructor', { value: null })
  const language = new Set(['Object', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Promise', 'Proxy', 'Reflect', 'JSON', 'Math', 'Date', 'RegExp', 'Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'EvalError', 'URIError', 'AggregateError', 'ArrayBuffer', 'Uint8Array', 'DataView', 'undefined', 'NaN', 'Infinity', 'globalThis'])
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!language.has(name)) Reflect.deleteProperty(globalThis, name)
}
