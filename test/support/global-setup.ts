/** Tests of the whole town run the bundle; make it when it is missing or older than what it is made of. */
import { globSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../../scripts/bundle.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')

export default async function setup(): Promise<void> {
  const made = statSync(join(ROOT, 'dist/meshboxd.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const newest = Math.max(...globSync('src/**/*', { cwd: ROOT }).map((file) => statSync(join(ROOT, file)).mtimeMs))
  if (made < newest) await bundle()
}
