/** The addon over a long life and through sudden ends: memory, closing threads, leaving processes. */
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { builtAddon } from './built-addon.ts'
import { runNode } from './run-node.ts'

const CALLS = Number(process.env.MESHBOX_NATIVE_CALLS ?? 1_000_000)
let addon: string
beforeAll(async () => {
  addon = await builtAddon()
})

describe('memory', () => {
  it(`stays where it is over ${CALLS} calls`, { timeout: 300_000 }, async () => {
    const ended = await runNode('many-calls.ts', [addon, String(CALLS)], { flags: ['--expose-gc', '--max-semi-space-size=1'], env: { MALLOC_ARENA_MAX: '1' } })
    expect(ended, ended.output).toMatchObject({ code: 0 })
    const { answers, residents } = JSON.parse(ended.output) as { answers: number; residents: number[] }
    expect(answers).toBe(CALLS)
    // A single 32-byte block left behind per call would be 16 MiB over the second half.
    const half = residents.slice(residents.length / 2)
    expect(Math.max(...half) - Math.min(...half), residents.join(' ')).toBeLessThan(2048)
  })
})

describe('leaving with a full pool', () => {
  for (const [how, code] of [
    ['exit', 7],
    ['later', 7],
    ['throw', 1],
    ['end', 0],
  ] as const)
    it(how, { timeout: 120_000 }, async () => {
      const ended = await runNode('exit-busy.ts', [addon, how])
      expect(ended.signal, ended.output).toBeNull()
      expect(ended.code, ended.output).toBe(code)
      if (how === 'end') expect(ended.output.trim()).toBe('40 done')
    })
})

describe('threads', () => {
  it('that are ended in the middle of their batches leave the others alone', { timeout: 120_000 }, async () => {
    const x = loadSecp256k1(addon)
    const key = new Uint8Array(32).fill(7)
    const digests = new Uint8Array(32 * 20).fill(9)
    const expected = toHex(x.signBatch(digests, key))
    for (let round = 0; round < 10; round++) {
      const workers = [0, 1].map(() => new Worker(new URL('./programs/busy-worker.ts', import.meta.url), { workerData: addon }))
      await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
      const mine = x.signBatchInPool(digests, key)
      await Promise.all(workers.map((worker) => worker.terminate()))
      expect(toHex(await mine)).toBe(expected)
    }
  })

  it('may come and go as the only users of the addon', { timeout: 120_000 }, async () => {
    const ended = await runNode('threads-only.ts', [addon])
    expect(ended.signal, ended.output).toBeNull()
    expect(ended.output.trim()).toBe('8 threads ended')
  })
})
