/** A bundle folder as scripts/bundle.ts leaves it, small: contents do not matter to the packer, kinds and processors do. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Build } from '../../../scripts/package/describe.ts'
import { ARCHITECTURES } from '../../../scripts/package/places.ts'

export const EPOCH = 1_700_000_000

export function sampleDist(folder: string, machine: number, bits: 32 | 64): string {
  for (const below of ['web', 'native', 'parts']) mkdirSync(join(folder, below), { recursive: true })
  for (const script of ['meshboxd', 'meshbox']) {
    writeFileSync(join(folder, script), `#!/bin/sh\nexec node "$(dirname "$(readlink -f "$0")")/${script}.cjs" "$@"\n`)
    chmodSync(join(folder, script), 0o755)
  }
  for (const file of ['meshboxd.cjs', 'service.cjs', 'parts/room-1.cjs', 'executor.cjs', 'peer.cjs', 'mqtt.cjs', 'codec.cjs', 'meshbox-cli.cjs', 'cli.cjs', 'cli-chain.cjs', 'cli-tools.cjs', 'cli-errors.cjs', 'licences.txt', 'web/index.html', 'web/guest.js']) writeFileSync(join(folder, file), `// ${file}\n`)
  for (const addon of ['better_sqlite3', 'secp256k1']) writeFileSync(join(folder, 'native', `${addon}.node`), elfHeader(machine, bits))
  return folder
}

/** The first bytes of an ELF shared object for a processor. */
export function elfHeader(machine: number, bits: 32 | 64): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.write('\x7fELF', 0, 'latin1')
  bytes[4] = bits === 64 ? 2 : 1
  bytes[5] = 1
  bytes.writeUInt16LE(3, 16)
  bytes.writeUInt16LE(machine, 18)
  return bytes
}

export function sampleBuild(folder: string, architecture: string): Build {
  const known = ARCHITECTURES[architecture]
  if (known === undefined) throw new Error(architecture)
  return { architecture, target: known.target, processor: known.processor, dist: sampleDist(folder, known.processor.elfMachine, known.processor.bits) }
}
