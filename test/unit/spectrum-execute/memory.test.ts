/** What the executor holds for good, in processes of their own: each block adds to its caches until they are full, on a box that seals for months. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { MALLOC_ENVIRONMENT, V8_FLAGS } from '../../../scripts/bundle/start-scripts.ts'

const MIB = 2 ** 20

/** As on a box, with a collector that can be called. Result: what it says. */
function said<T>(program: string, argument: string): T {
  const file = fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [...V8_FLAGS, '--expose-gc', file, argument], { encoding: 'utf8', env: { ...process.env, ...MALLOC_ENVIRONMENT } })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout) as T
}

it('pages of the state file are kept up to 2 MiB, however much is written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-pages-'))
  try {
    // The least of three: on a busy machine a process is now and then measured amid what its compiler and collector hold for a moment.
    const grown = [1, 2, 3].map((n) => said<{ grown: number }>('state-pages', join(folder, `chain-state-${n}.sqlite`)).grown)
    expect(Math.min(...grown)).toBeLessThan(5 * MIB)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
