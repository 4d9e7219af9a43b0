/**
 * Runs inside an emulated ARM router, as root: holds the genetlink addon and the doors of batman-adv and Wi-Fi
 * against the real kernel. Bundled into one file by whoever runs it:
 *
 *   esbuild test/qemu/genetlink-guest.ts --bundle --platform=node --format=cjs --outfile=genetlink-guest.cjs
 *   node genetlink-guest.cjs <genetlink.node> [captured.json]
 *
 * Prints one line of JSON: { checks: [{ name, ok, detail }], notes }. Exit code 1 if a check failed. The second
 * argument is a file that the kernel's raw answers are written to, as vectors for the unit tests.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { asError } from '../../src/base/index.ts'
import { loadGenetlink } from '../../src/native/index.ts'
import { Checks } from './genetlink-guest/checks.ts'
import { checkBatadv } from './genetlink-guest/mesh.ts'
import { Recorder } from './genetlink-guest/recorder.ts'
import { checkWifi } from './genetlink-guest/wifi.ts'

async function main([addon = '', capturedFile]: readonly string[]): Promise<void> {
  const checks = new Checks()
  const recorder = new Recorder()
  try {
    mkdirSync('/run/netns', { recursive: true })
    const door = loadGenetlink(addon)
    await checkBatadv(door, checks, recorder)
    await checkWifi(door, checks, recorder)
  } catch (error) {
    checks.add('the program ran to its end', false, asError(error).stack)
  }
  if (capturedFile !== undefined) writeFileSync(capturedFile, `${JSON.stringify(recorder.captured, null, 1)}\n`)
  console.log(JSON.stringify({ checks: checks.list, notes: checks.notes }))
  process.exitCode = checks.list.every((check) => check.ok) ? 0 : 1
}

void main(process.argv.slice(2))
