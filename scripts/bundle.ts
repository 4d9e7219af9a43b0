/**
 * dist/: one CJS file for the service, one for the command line, one page for the owner, one inline script
 * for the guest page, and the native parts beside them. CJS because a single ESM file needs a `require`
 * shim and costs memory.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const DIST = join(ROOT, 'dist')
/** Built beside and moved into place, so that a box that runs from dist/ never sees half of it. */
const DRAFT = join(ROOT, `build/dist-${process.pid}`)
const SERVICE_LIMIT_BYTES = 1_900_000
const GUEST_SCRIPT_LIMIT_BYTES = 8_000
const WALLET_SCRIPT_LIMIT_BYTES = 150_000 // 60 kB compressed, which the service checks
const OWNER_PAGE_LIMIT_BYTES = 140_000

const version = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version

const server: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  keepNames: true, // error and class names are part of what logs say
  legalComments: 'none',
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  mainFields: ['module', 'main'],
  define: { __MESHBOX_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
}
/** Guests come with any phone; the owner with a browser of the last five years. */
const browser: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  legalComments: 'none',
  platform: 'browser',
  format: 'iife',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
}

export async function bundle(): Promise<void> {
  mkdirSync(join(DRAFT, 'web'), { recursive: true })
  mkdirSync(join(DRAFT, 'native'), { recursive: true })
  await Promise.all([
    build({ ...server, entryPoints: ['src/main.ts'], outfile: join(DRAFT, 'meshboxd.cjs') }),
    build({ ...server, entryPoints: ['src/main/cli.ts'], outfile: join(DRAFT, 'meshbox-cli.cjs') }),
    build({ ...browser, target: 'es2018', entryPoints: ['src/web/guest/main.ts'], outfile: join(DRAFT, 'web/guest.js') }),
    build({ ...browser, target: 'es2020', entryPoints: ['src/web/wallet/main.ts'], outfile: join(DRAFT, 'web/wallet.js') }),
    build({ ...browser, target: 'es2020', entryPoints: ['src/web/owner/main.tsx'], outfile: join(DRAFT, 'web/dashboard.js') }),
    build({ ...browser, entryPoints: ['src/web/owner/style.css'], outfile: join(DRAFT, 'web/dashboard.css') }),
  ])
  for (const file of ['index.html', 'dashboard.svg']) copyFileSync(join(ROOT, 'src/web/owner', file), join(DRAFT, 'web', file))
  const sqlite = join(ROOT, `node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`)
  if (!existsSync(sqlite)) throw new Error(`bundle: no better-sqlite3 binary for this machine (${process.arch}); x64 and arm64 have one`)
  copyFileSync(sqlite, join(DRAFT, 'native/better_sqlite3.node'))
  writeLauncher('meshboxd', 'meshboxd.cjs')
  writeLauncher('meshbox', 'meshbox-cli.cjs')
  report('meshboxd.cjs', SERVICE_LIMIT_BYTES)
  report('meshbox-cli.cjs', SERVICE_LIMIT_BYTES)
  report('web/guest.js', GUEST_SCRIPT_LIMIT_BYTES)
  report('web/wallet.js', WALLET_SCRIPT_LIMIT_BYTES)
  report('web/dashboard.js', OWNER_PAGE_LIMIT_BYTES)
  rmSync(DIST, { recursive: true, force: true })
  renameSync(DRAFT, DIST)
}

/** V8 flags in one place: less memory on a small board, measured in docs/memory.md. */
const V8_FLAGS = '--v8-pool-size=1 --max-semi-space-size=1 --optimize-for-size --max-old-space-size=128'

function writeLauncher(name: string, entry: string): void {
  const text = `#!/bin/sh
# Starts ${entry} with the Node that MESHBOX_NODE names, or the system's.
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
export MALLOC_ARENA_MAX=1 UV_THREADPOOL_SIZE=\${UV_THREADPOOL_SIZE:-2}
export NODE_COMPILE_CACHE=\${NODE_COMPILE_CACHE:-}
exec "\${MESHBOX_NODE:-node}" ${V8_FLAGS} "$here/${entry}" "$@"
`
  writeFileSync(join(DRAFT, name), text)
  chmodSync(join(DRAFT, name), 0o755)
}

function report(file: string, limit: number): void {
  const bytes = statSync(join(DRAFT, file)).size
  if (bytes > limit) throw new Error(`bundle: dist/${file} has ${bytes} bytes; the limit is ${limit}`)
  console.log(`[bundle] dist/${file} ${(bytes / 1024).toFixed(0)} KiB`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle()
