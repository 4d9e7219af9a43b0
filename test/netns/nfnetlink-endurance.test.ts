/**
 * The addon over a long life, through sudden ends, and under AddressSanitizer with the kernel behind it.
 * MESHBOX_NFNETLINK_CALLS: calls of the memory test; a million take two to three minutes.
 */
import { Worker } from 'node:worker_threads'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { hostWord } from '../../src/native/index.ts'
import { runProgram } from '../unit/native/run-node.ts'
import type { Ended } from '../unit/native/run-node.ts'
import { NfPlace } from './nfnetlink-place.ts'

const CALLS = Number(process.env.MESHBOX_NFNETLINK_CALLS ?? 1_000_000)
const SECONDS = process.env.MESHBOX_FUZZ_SECONDS ?? '10'
const SEED = process.env.MESHBOX_FUZZ_SEED ?? '1'
const FAILED = /ERROR: (Address|Leak)Sanitizer|runtime error:/
const inet = { family: 'inet', table: 't' } as const

let place: NfPlace
beforeEach(async () => {
  place = await NfPlace.create()
  await place.nft('add table inet t', 'add set inet t paid { type classid; flags timeout; }', 'add set inet t few { type classid; elements = { 1, 2, 3 } }', 'add quota inet t pass { over 1000 bytes }')
})
afterEach(() => place.destroy())

const programPath = (name: string): string => new URL(`./nfnetlink-programs/${name}`, import.meta.url).pathname
const node = (flags: readonly string[], program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runProgram(process.execPath, [...flags, programPath(program), ...args], env)

it('the program for emulated routers finds nothing wrong here', async () => {
  const ended = await node([], 'guest.ts', [place.addon])
  expect(ended.code, ended.output).toBe(0)
  const { checks } = JSON.parse(ended.output) as { checks: { name: string; ok: boolean }[] }
  expect(checks.filter((check) => !check.ok)).toEqual([])
  expect(checks.length).toBeGreaterThan(10)
})

describe('memory', () => {
  it(`stays where it is over ${CALLS} calls`, { timeout: 1_800_000 }, async () => {
    const ended = await node(['--expose-gc', '--max-semi-space-size=1'], 'many-calls.ts', [place.addon, place.path, String(CALLS)], { MALLOC_ARENA_MAX: '1' })
    expect(ended, ended.output).toMatchObject({ code: 0 })
    const { answers, events, residents } = JSON.parse(ended.output) as { answers: number; events: number; residents: number[] }
    expect(answers).toBe(CALLS)
    expect(events).toBeGreaterThan(CALLS)
    // 64 bytes left behind per call would be 30 MiB over the second half.
    const half = residents.slice(residents.length / 2)
    expect(Math.max(...half) - Math.min(...half), residents.join(' ')).toBeLessThan(2048)
  })
})

describe('ends', () => {
  for (const [how, code] of [
    ['exit', 7],
    ['later', 7],
    ['throw', 1],
    ['end', 0],
  ] as const)
    it(`of a busy process: ${how}`, { timeout: 120_000 }, async () => {
      const ended = await node([], 'busy.ts', [place.addon, place.path, how])
      expect(ended.signal, ended.output).toBeNull()
      expect(ended.code, ended.output).toBe(code)
      if (how === 'throw') expect(ended.output).toContain('on purpose')
    })

  it('of threads in the middle of everything leave the others alone', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 6; round++) {
      const workers = [0, 1].map(() => new Worker(programPath('busy.ts'), { workerData: [place.addon, place.path, 'thread'] }))
      await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
      const mine = place.nf.commit([{ op: 'add-elements', ...inet, set: 'few', elements: [{ key: hostWord(77) }] }])
      await Promise.all(workers.map((worker) => worker.terminate()))
      await mine
    }
  })
})

describe('under the sanitizers, in a namespace of its own', () => {
  let addon: string
  let env: Record<string, string>
  beforeAll(async () => {
    await buildNative('host-asan', undefined, { only: ['nfnetlink'] })
    addon = addonPath('host-asan', 'nfnetlink')
    const runtime = (await runProgram('gcc', ['-print-file-name=libasan.so'])).output.trim()
    env = { LD_PRELOAD: runtime, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1' }
  }, 600_000)
  const inside = (program: string, args: readonly string[]): Promise<Ended> =>
    runProgram('ip', ['netns', 'exec', place.name, 'env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), process.execPath, programPath(program), ...args])

  it('the bare exports hold against any argument', { timeout: 3_600_000 }, async () => {
    await place.nft('add set inet t s { type classid; flags timeout; }')
    const ended = await inside('fuzz-exports.ts', [addon, SECONDS, SEED])
    expect(ended.output).not.toMatch(FAILED)
    expect(ended.code, ended.output).toBe(0)
    expect(Number(/^(\d+) calls$/m.exec(ended.output)?.[1])).toBeGreaterThan(1000)
  })

  it('every call, and every end of a busy process', { timeout: 600_000 }, async () => {
    const runs = [inside('many-calls.ts', [addon, place.path, '3000']), ...['exit', 'later', 'end'].map((how) => inside('busy.ts', [addon, place.path, how]))]
    for (const run of runs) {
      const ended = await run
      expect(ended.output).not.toMatch(FAILED)
      expect(ended.signal, ended.output).toBeNull()
    }
  })
})
