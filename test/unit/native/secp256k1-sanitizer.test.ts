/**
 * The addon compiled with AddressSanitizer and UndefinedBehaviorSanitizer, fuzzed twice: its core alone
 * (with leak check), and inside Node through its bare exports. MESHBOX_FUZZ_SECONDS makes it longer,
 * MESHBOX_FUZZ_SEED different.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { fuzzerPath } from '../../../scripts/native.ts'
import { builtAddon } from './built-addon.ts'
import { runNode, runProgram } from './run-node.ts'

const SECONDS = process.env.MESHBOX_FUZZ_SECONDS ?? '10'
const SEED = process.env.MESHBOX_FUZZ_SEED ?? '1'
const FAILED = /ERROR: (Address|Leak)Sanitizer|runtime error:/
let addon: string
let runtime: string
beforeAll(async () => {
  addon = await builtAddon('host-asan')
  runtime = (await runProgram('gcc', ['-print-file-name=libasan.so'])).output.trim()
})
/** Node's own memory at exit is not our leak; the core's is looked at in the first test. */
const insideNode = (): Record<string, string> => ({ LD_PRELOAD: runtime, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1' })

describe('under the sanitizers', () => {
  it('the core holds against random and edge values, and leaks nothing', { timeout: 3_600_000 }, async () => {
    const ended = await runProgram(fuzzerPath('secp256k1'), [SECONDS, SEED], { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' })
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    expect(Number(/^(\d+) rounds$/m.exec(ended.output)?.[1])).toBeGreaterThan(10)
  })

  it('the bare exports hold against any argument', { timeout: 3_600_000 }, async () => {
    const ended = await runNode('addon-fuzz.ts', [addon, SECONDS, SEED], { env: insideNode() })
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    expect(Number(/^(\d+) calls$/m.exec(ended.output)?.[1])).toBeGreaterThan(1000)
  })

  it('leaving and closing threads with a full pool', { timeout: 600_000 }, async () => {
    for (const [program, args] of [['exit-busy.ts', [addon, 'later']], ['threads-only.ts', [addon]]] as const) {
      const ended = await runNode(program, args, { env: insideNode() })
      expect(ended.output).not.toMatch(FAILED)
      expect(ended.signal, ended.output).toBeNull()
    }
  })
})
