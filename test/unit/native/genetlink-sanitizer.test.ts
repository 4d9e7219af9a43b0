/**
 * The genetlink addon compiled with AddressSanitizer and UndefinedBehaviorSanitizer, fuzzed twice: its core alone
 * against the real kernel (with leak check), and inside Node through its bare exports. MESHBOX_FUZZ_SECONDS
 * makes it longer, MESHBOX_FUZZ_SEED different.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { fuzzerPath } from '../../../scripts/native.ts'
import { builtGenetlink, runGenetlinkProgram } from './genetlink-built.ts'
import { runProgram } from './run-node.ts'

const SECONDS = process.env.MESHBOX_FUZZ_SECONDS ?? '10'
const SEED = process.env.MESHBOX_FUZZ_SEED ?? '1'
const FAILED = /ERROR: (Address|Leak)Sanitizer|runtime error:/
let addon: string
let runtime: string
beforeAll(async () => {
  addon = await builtGenetlink('host-asan')
  runtime = (await runProgram('gcc', ['-print-file-name=libasan.so'])).output.trim()
})
/** Node's own memory at exit is not our leak; the core's is looked at in the first test. */
const insideNode = (): Record<string, string> => ({ LD_PRELOAD: runtime, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1' })

describe('under the sanitizers', () => {
  it('readers, exchanges and couriers hold against any bytes and any moment, and leak nothing', { timeout: 3_600_000 }, async () => {
    const ended = await runProgram(fuzzerPath('genetlink'), [SECONDS, SEED], { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' })
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    expect(Number(/^(\d+) rounds$/m.exec(ended.output)?.[1])).toBeGreaterThan(1000)
  })

  it('the bare exports hold against any argument', { timeout: 3_600_000 }, async () => {
    const ended = await runGenetlinkProgram('door-fuzz.ts', [addon, SECONDS, SEED], { env: insideNode() })
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    const [, calls, heard] = /^(\d+) calls, (\d+) heard$/m.exec(ended.output) ?? []
    expect(Number(calls)).toBeGreaterThan(1000)
    expect(Number(heard)).toBeGreaterThan(100)
  })

  it('processes and threads that end in the middle of it', { timeout: 600_000 }, async () => {
    for (const how of ['exit', 'worker', 'asked']) {
      const ended = await runGenetlinkProgram('lifetime.ts', [addon, how], { env: insideNode() })
      expect(ended.output, how).not.toMatch(FAILED)
      expect(ended.signal, ended.output).toBeNull()
      expect(ended.code, ended.output).toBe(how === 'exit' ? 7 : 0)
    }
    const ended = await runGenetlinkProgram('open-close.ts', [addon, '100'], { env: insideNode() })
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
  })
})
