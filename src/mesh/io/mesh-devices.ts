/** Devices behind the IPv6 addresses on one interface, as `ip -6 neigh show` tells them: `fd00::7 lladdr 02:00:00:00:00:01 REACHABLE`. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { MeshBoxError, asError } from '../../base/index.ts'
import { ip6Text, ipBytes } from '../peers/index.ts'
import type { Mac } from '../ports.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 5000
const MAX_BYTES = 1024 * 1024
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

/** `command`: `['ip']`, or with what goes before it. By address, all eight groups written. Errors: unavailable `no-neighbour-table` in ip's words. */
export async function readMeshDevices(command: readonly string[], interfaceName: string): Promise<ReadonlyMap<string, Mac>> {
  const [program = 'ip', ...words] = command
  try {
    const { stdout } = await run(program, [...words, '-6', 'neigh', 'show', 'dev', interfaceName], { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES })
    return devicesOf(stdout)
  } catch (thrown) {
    const cause = asError(thrown)
    throw new MeshBoxError('unavailable', `the devices behind ${interfaceName} cannot be read: ${cause.message.trim().slice(0, 500)}`, { code: 'no-neighbour-table', cause })
  }
}

/** Entries that the kernel does not vouch for are left out. */
export function devicesOf(text: string): ReadonlyMap<string, Mac> {
  const devices = new Map<string, Mac>()
  for (const line of text.split('\n')) {
    const words = line.trim().toLowerCase().split(/\s+/)
    const bytes = ipBytes(words[0] ?? '')
    const mac = words[words.indexOf('lladdr') + 1] ?? ''
    if (bytes?.length === 16 && words.includes('lladdr') && MAC.test(mac) && !words.includes('failed')) devices.set(ip6Text(bytes), mac)
  }
  return devices
}
