/** What a peer's bytes cost in memory: Photon's decoders, both profiles, in a process whose heap is capped (photon.md F7, 9.11). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const CHILD = join(import.meta.dirname, 'capped-child.ts')
const MIB = 1024 * 1024
/** Of one input, garbage included. */
const MOST_BYTES = 2 * MIB
/** Of all of them together: what a collector lets lie about, and no leak. */
const MOST_GROWTH = 32 * MIB

async function run(decoders: 'ours' | 'trusting'): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly said: { readonly runs: number; readonly mostBytes: number; readonly grownBytes: number } | null }> {
  const child = spawn(process.execPath, ['--max-old-space-size=48', '--max-semi-space-size=2', CHILD, decoders], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, said: text === '' ? null : (JSON.parse(text) as { runs: number; mostBytes: number; grownBytes: number }) }
}

it('no packet, frame or name costs two MiB, whatever its lengths say, and all of them leave nothing', async () => {
  const { code, said } = await run('ours')
  expect(code).toBe(0)
  expect(said?.runs).toBeGreaterThan(100_000)
  expect(said?.mostBytes).toBeLessThan(MOST_BYTES)
  expect(said?.grownBytes).toBeLessThan(MOST_GROWTH)
})

it('a decoder that makes room for what a length promises is found out', async () => {
  const { code, said } = await run('trusting')
  expect(code).toBe(0)
  expect(said?.mostBytes).toBeGreaterThan(MOST_BYTES)
})
