/**
 * The core of the nfnetlink addon under AddressSanitizer and UndefinedBehaviorSanitizer, with leak check: known
 * answers, then whatever bytes a fuzzer thinks of. No kernel is asked. MESHBOX_FUZZ_SECONDS makes it longer,
 * MESHBOX_FUZZ_SEED different.
 */
import { beforeAll, expect, it } from 'vitest'
import { buildNative, fuzzerPath } from '../../../scripts/native.ts'
import { runProgram } from './run-node.ts'

const SECONDS = process.env.MESHBOX_FUZZ_SECONDS ?? '10'
const SEED = process.env.MESHBOX_FUZZ_SEED ?? '1'

beforeAll(() => buildNative('host-asan', undefined, { only: ['nfnetlink'] }), 600_000)

it('what the kernel and JavaScript may send is parsed, or left, and nothing leaks', { timeout: 3_600_000 }, async () => {
  const ended = await runProgram(fuzzerPath('nfnetlink'), [SECONDS, SEED], { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' })
  expect(ended.output).not.toMatch(/ERROR: (Address|Leak)Sanitizer|runtime error:/)
  expect(ended.code, ended.output).toBe(0)
  expect(Number(/^(\d+) rounds$/m.exec(ended.output)?.[1])).toBeGreaterThan(100)
})
