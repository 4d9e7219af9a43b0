/** The genetlink addon over a long life. A million requests take about a minute; MESHBOX_GENETLINK_REQUESTS and MESHBOX_GENETLINK_SECONDS change the bounds. */
import { expect, it } from 'vitest'
import { builtGenetlink, runGenetlinkProgram } from './genetlink-built.ts'

const REQUESTS = process.env.MESHBOX_GENETLINK_REQUESTS ?? '1000000'
const SECONDS = process.env.MESHBOX_GENETLINK_SECONDS ?? '1800'

it(`memory stays where it is over ${REQUESTS} requests`, { timeout: 3_600_000 }, async () => {
  const addon = await builtGenetlink()
  const ended = await runGenetlinkProgram('many-requests.ts', [addon, REQUESTS, SECONDS], { flags: ['--expose-gc', '--max-semi-space-size=1'], env: { MALLOC_ARENA_MAX: '1' } })
  expect(ended, ended.output).toMatchObject({ code: 0 })
  const { done, answers, residents } = JSON.parse(ended.output) as { done: number; answers: number; residents: number[] }
  expect(done).toBeGreaterThanOrEqual(Number(REQUESTS))
  // Five of 32 are refused or given up, and were.
  expect(answers).toBe((done * 5) / 32)
  // A delivery or a job left behind, some 500 bytes each time, would be 15 MiB and more over the second half.
  const half = residents.slice(residents.length / 2)
  expect(Math.max(...half) - Math.min(...half), residents.join(' ')).toBeLessThan(6144)
})
