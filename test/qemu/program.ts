/** A TypeScript program of the tests as one file that Node runs in the guest. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from '../../qemu/image/places.ts'
import type { Machine } from '../../qemu/runner/machine.ts'
import { peer } from '../../scripts/bundle/programs.ts'

/** Puts it into the shared folder; gives its path in the guest. `source` is relative to the repository. `cjs`: loads addons. */
export async function putProgram(machine: Machine, source: string, format: 'esm' | 'cjs' = 'esm'): Promise<string> {
  const name = `${(source.split('/').at(-1) as string).replace(/\.ts$/, '')}.${format === 'esm' ? 'mjs' : 'cjs'}`
  await build({
    absWorkingDir: ROOT,
    entryPoints: [source],
    outfile: join(machine.share, name),
    bundle: true,
    platform: 'node',
    target: 'node20', // of the armhf image
    format,
    minify: true, // read over a slow shared folder
    ...(format === 'cjs' ? { plugins: peer.plugins ?? [], mainFields: ['module', 'main'] } : {}), // as the service's own programs
    logLevel: 'warning',
  })
  return `/host/${name}`
}
