/**
 * The lab behind `make run` (run.ts). As root: a small town in network namespaces, the story of a box's first day, and then the
 * town stays up for the developer. Without root: two boxes on loopback addresses, with a gate that only records.
 *   make run ARGS=--once      ends after the story; further options: options.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot } from '../../test/support/netns.ts'
import { runTown } from './in-town.ts'
import { parseOptions, type LabOptions } from './options.ts'
import { fail } from './say.ts'
import { readState } from './town.ts'
import { runOnThisMachine } from './without-root.ts'

const options = optionsOrEnd()
if (readState()) {
  console.error('run: a town is running already; stop it with Ctrl-C in its terminal, or act in it with `make guest`')
  process.exit(1)
}
const dir = mkdtempSync(join(tmpdir(), 'meshbox-lab-'))
const stopped = new Promise<void>((resolve) => {
  // A second one, by a hurried hand or by a launcher that hands on what it also gets, must not end this before the town is taken away.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve())
  process.once('disconnect', () => resolve()) // whoever started this is gone
})
/** The first Ctrl-C ends the story too, and takes the town away. */
const untilStopped = <T>(work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    stopped.then(() => {
      throw new Error('stopped')
    }),
  ])
const finished = await (isRoot() ? runTown : runOnThisMachine)(dir, options, stopped, untilStopped).then(
  () => true,
  (error: unknown) => {
    fail(error instanceof Error ? error.message : String(error))
    return false
  },
)
rmSync(dir, { recursive: true, force: true })
process.exit(finished ? 0 : 1)

function optionsOrEnd(): LabOptions {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`run: ${error instanceof Error ? error.message : String(error)}`)
    return process.exit(2)
  }
}
