/**
 * The codec's process. Entry file: bundled as codec.cjs beside the service; nothing is imported but Node's own, since the process may
 * read no other file. One job per line on its input, one answer per line on its output; it ends when its input does.
 *
 * Each call gets a new context: devices see nothing of each other, and what one call broke is gone with it.
 */
import { createInterface } from 'node:readline'
import { Script, createContext } from 'node:vm'
import type { Context } from 'node:vm'
import { MAX_RESULT_LENGTH, PATIENCE, PRELUDE, callOf } from './sandbox-text.ts'
import type { CodecAnswer, CodecJob } from './sandbox-text.ts'

const output = process.stdout
const memoryUsage = process.memoryUsage
const cpuUsage = process.cpuUsage
const nanoseconds = process.hrtime.bigint
/** Three quarters of the heap; what is behind typed arrays counts too. */
const TIRED_BYTES = 24 * 1024 * 1024
/** The kernel counts CPU time in ticks, and the watch that ends a call is early by a few milliseconds. */
const EARLY_MS = 10
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

/** The limit is CPU time, the watch counts wall time: a call that was ended while others had the processor is made again, with more of it. */
function work(job: CodecJob): CodecAnswer {
  for (const times of PATIENCE) {
    const answer = attempt(job, job.limitMs * times)
    if (answer !== null) return answer
  }
  return { job: job.job, failed: `the codec took more than ${job.limitMs} ms, or the machine is too busy for it`, isLast: true }
}

/** Null: ended by the watch before it had used its CPU time. */
function attempt(job: CodecJob, wallMs: number): CodecAnswer | null {
  let beganMs = usedMs()
  let watchedFromMs = hrMs()
  try {
    const script = compiled?.source === job.source ? compiled.script : new Script(job.source, { filename: 'codec' })
    compiled = { source: job.source, script }
    const context: Context = createContext(Object.create(null) as Context, { codeGeneration: { strings: false, wasm: false }, microtaskMode: 'afterEvaluate' })
    prelude.runInContext(context)
    beganMs = usedMs()
    watchedFromMs = hrMs()
    script.runInContext(context, { timeout: wallMs })
    if (job.call === 'check') return { job: job.job, made: '{"made":null}' }
    const call = new Script(callOf(job.call, job.input), { filename: 'call' })
    beganMs = usedMs()
    watchedFromMs = hrMs()
    const made: unknown = call.runInContext(context, { timeout: wallMs })
    if (typeof made !== 'string') return { job: job.job, failed: 'the codec returned nothing that can be written as JSON' }
    if (made.length > MAX_RESULT_LENGTH) return { job: job.job, failed: `the codec returned ${made.length} characters; allowed: ${MAX_RESULT_LENGTH}` }
    return { job: job.job, made }
  } catch (thrown) {
    // Only errors of this realm are looked at: one from inside the context, as that of the time limit is, may run code when it is touched.
    if (thrown instanceof Error) return { job: job.job, failed: `${thrown.name}: ${thrown.message}`.slice(0, 200) }
    if (hrMs() - watchedFromMs < wallMs - EARLY_MS) return { job: job.job, failed: 'the codec threw while it was loaded' }
    return usedMs() - beganMs < job.limitMs - EARLY_MS ? null : { job: job.job, failed: `the codec took more than ${job.limitMs} ms`, isLast: true }
  }
}

/** CPU time of this process. */
function usedMs(): number {
  const { user, system } = cpuUsage()
  return (user + system) / 1_000
}

function hrMs(): number {
  return Number(nanoseconds() / 1_000n) / 1_000
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
