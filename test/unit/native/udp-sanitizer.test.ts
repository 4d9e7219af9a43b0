/**
 * The udp addon compiled with AddressSanitizer and UndefinedBehaviorSanitizer, fuzzed twice: its core alone on loopback (with leak check), and
 * inside Node through its bare exports. MESHBOX_FUZZ_SECONDS makes it longer, MESHBOX_FUZZ_SEED different.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { fuzzerPath } from '../../../scripts/native.ts'
import { builtAddon } from './built-addon.ts'
import { runProgram } from './run-node.ts'

const SECONDS = process.env.MESHBOX_FUZZ_SECONDS ?? '10'
const SEED = process.env.MESHBOX_FUZZ_SEED ?? '1'
const FAILED = /ERROR: (Address|Leak)Sanitizer|runtime error:/
const program = (name: string): string => new URL(`./udp-programs/${name}`, import.meta.url).pathname
let addon: string
let runtime: string
beforeAll(async () => {
  addon = await builtAddon('host-asan', 'udp')
  runtime = (await runProgram('gcc', ['-print-file-name=libasan.so'])).output.trim()
}, 600_000)
/** Node's own memory at exit is not our leak; the core's is looked at in the first test. */
const insideNode = (): Record<string, string> => ({ LD_PRELOAD: runtime, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1' })

describe('under the sanitizers', () => {
  it('what goes over a socket comes as it was sent, whatever its rows say, and nothing leaks', { timeout: 3_600_000 }, async () => {
    const ended = await runProgram(fuzzerPath('udp'), [SECONDS, SEED], { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' })
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    expect(Number(/^(\d+) rounds$/m.exec(ended.output)?.[1])).toBeGreaterThan(100)
  })

  it('the bare exports hold against any argument', { timeout: 3_600_000 }, async () => {
    const ended = await runProgram(process.execPath, [program('bare-fuzz.ts'), addon, SECONDS, SEED], insideNode())
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    const [, calls, heard] = /^(\d+) calls, (\d+) heard$/m.exec(ended.output) ?? []
    expect(Number(calls)).toBeGreaterThan(1000)
    expect(Number(heard)).toBeGreaterThan(10)
  })

  it('processes and threads that end in the middle of it', { timeout: 600_000 }, async () => {
    for (const [how, code] of [['exit', 7], ['end', 0], ['threads', 0]] as const) {
      const ended = await runProgram(process.execPath, [program('end.ts'), addon, how], insideNode())
      expect(ended.output, how).not.toMatch(FAILED)
      expect(ended.signal, ended.output).toBeNull()
      expect(ended.code, ended.output).toBe(code)
    }
  })
})
