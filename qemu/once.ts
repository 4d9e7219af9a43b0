/**
 * Boots an image, runs one command in it, and ends with its exit code:
 *   node qemu/once.ts arm64 [--seconds N] [FILE ...] -- COMMAND
 * The files are copied into the shared folder; the command is a shell line that runs there (/host) as root.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { BuildError } from '../scripts/native/run.ts'
import { imageOf } from './image.ts'
import { architectureNamed } from './image/architectures.ts'
import { say } from './image/places.ts'
import { GuestError, Machine } from './runner/machine.ts'

const USAGE = 'usage: node qemu/once.ts arm64|armhf [--seconds N] [FILE ...] -- COMMAND'

async function main(args: readonly string[]): Promise<number> {
  const split = args.indexOf('--')
  const [name, ...files] = args.slice(0, split)
  const command = args.slice(split + 1).join(' ')
  if (split < 1 || name === undefined || command === '') throw new BuildError(USAGE)
  const seconds = files[0] === '--seconds' ? Number(files.splice(0, 2)[1]) : 300
  if (!Number.isInteger(seconds) || seconds < 1) throw new BuildError(`--seconds: a whole number of at least 1 is expected\n${USAGE}`)
  const image = await imageOf(architectureNamed(name))
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
  const startedAt = performance.now()
  const machine = await Machine.boot({ image, folder })
  try {
    say(`${name}: booted in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    for (const file of files) cpSync(file, join(machine.share, basename(file)), { recursive: true })
    const { code, stdout, stderr } = await machine.exec(`cd /host\n${command}`, seconds)
    process.stdout.write(stdout)
    process.stderr.write(stderr)
    return code
  } finally {
    await machine.cut()
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof BuildError || error instanceof GuestError)) throw error
  console.error(`[qemu] ${error.message}`)
  process.exitCode = 1
}
