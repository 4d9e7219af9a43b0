/** WebSocket frames and datagrams that nobody meant, at doors whose process has little memory. MESHBOX_DOORS_FUZZ=1000000 for the million of each. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runProgram } from '../native/run-node.ts'

const FRAMES = Number(process.env.MESHBOX_DOORS_FUZZ ?? 20_000)
const MIB = 1024 * 1024
/** Between a tenth of them and all: tables that fill up to their bounds, and no leak. */
const MOST_GROWTH = 4 * MIB

it.each(['station', 'gwmp'])(`${FRAMES} of them at the door of %s end nothing and leave nothing`, async (door) => {
  const { output } = await runProgram(process.execPath, ['--expose-gc', '--max-old-space-size=48', '--max-semi-space-size=2', join(import.meta.dirname, 'programs/hostile-doors.ts'), door, String(FRAMES)])
  const said = JSON.parse(output) as { received: number; stats: number; ends: number; earlyBytes: number; grownBytes: number }
  // Frames of sensors were among them, and, of Station, words for which a connection is closed.
  expect(said.received).toBeGreaterThan(FRAMES / 100)
  if (door === 'station') expect(said.ends).toBeGreaterThan(FRAMES / 20)
  expect(said.grownBytes).toBeLessThan(MOST_GROWTH)
})
