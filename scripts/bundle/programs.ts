/**
 * How the programs are bundled. CJS, because a single ESM file needs a `require` shim and costs memory. What costs memory
 * and is never reached is left out; what must not get in (WebAssembly, fetch) fails the build. docs/memory.md has
 * the measurements.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions, Plugin, TransformOptions } from 'esbuild'
import { ROOT } from '../native/fetch.ts'

export const version = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version

const common: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
}

/**
 * Parts of Fastify for what our doors do not do. Our routes have no Fastify schemas (owner/request-schema.ts, hotspot/portal check
 * requests), no Fastify logger (logger: false), and nobody calls inject(). The two compilers' factories are called at
 * each start, so they stay callable; what they make, and the others, say that they are not there.
 */
const LEFT_OUT: Readonly<Record<string, string>> = {
  '@fastify/ajv-compiler': 'module.exports = () => () => { throw new Error("Fastify schemas are not in this bundle") }',
  '@fastify/fast-json-stringify-compiler': 'module.exports = () => () => { throw new Error("Fastify schemas are not in this bundle") }',
  pino: 'throw new Error("the Fastify logger is not in this bundle")',
  'light-my-request': 'throw new Error("Fastify.inject is not in this bundle")',
}

const leaveOut: Plugin = {
  name: 'leave-out',
  setup(build) {
    const filter = new RegExp(`^(${Object.keys(LEFT_OUT).join('|')})$`)
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'left-out' }))
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({ contents: LEFT_OUT[path] ?? '', loader: 'js' }))
  },
}

export const server: BuildOptions = {
  ...common,
  keepNames: true, // error and class names are part of what logs say
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  mainFields: ['module', 'main'],
  define: { __MESHBOX_VERSION__: JSON.stringify(version) },
  plugins: [leaveOut],
}

/** esbuild divides ES modules alone: the service is made as such, and each file of it then made CJS (`asCommonJs`). */
export const service = {
  ...server,
  format: 'esm',
  splitting: true,
  entryPoints: { service: 'src/main.ts' },
  outdir: 'dist', // for names and hashes; the caller writes the files
  outExtension: { '.js': '.cjs' },
  chunkNames: 'parts/[name]-[hash]',
  metafile: true,
} as const satisfies BuildOptions

export const asCommonJs: TransformOptions = {
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  minify: true,
  legalComments: 'none',
  supported: { 'dynamic-import': false }, // require: a file of CJS needs no loader of ES modules
}

/** Sources of ours that are a file of their own beside a bundle, and that file: loaded when they are reached, or shared by two bundles. */
function beside(files: Readonly<Record<string, string>>): Plugin {
  const byPath = new Map(Object.entries(files).map(([source, file]) => [join(ROOT, source), `./${file}`]))
  return {
    name: 'beside',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir, kind }) => {
        const file = kind === 'entry-point' ? undefined : byPath.get(join(resolveDir, path))
        return file === undefined ? undefined : { path: file, external: true }
      })
    },
  }
}

/** `instanceof MeshBoxError` holds across the files of the command line because there is one class. */
const ONE_ERROR_CLASS = { 'src/base/errors.ts': 'cli-errors.cjs' }

/** The command line: what most commands need, what commands about the chain and tools load when they run, and what all share. */
export const commandLine: Readonly<Record<string, BuildOptions>> = {
  'cli.cjs': {
    ...server,
    entryPoints: ['src/main/cli.ts'],
    supported: { 'dynamic-import': false }, // require: a file of CJS needs no loader of ES modules
    plugins: [leaveOut, beside({ ...ONE_ERROR_CLASS, 'src/cli/commands/chain-room.ts': 'cli-chain.cjs', 'src/cli/commands/tool-room.ts': 'cli-tools.cjs' })],
  },
  'cli-chain.cjs': { ...server, entryPoints: ['src/cli/commands/chain-room.ts'], plugins: [leaveOut, beside(ONE_ERROR_CLASS)] },
  'cli-tools.cjs': { ...server, entryPoints: ['src/cli/commands/tool-room.ts'], plugins: [leaveOut, beside(ONE_ERROR_CLASS)] },
  'cli-errors.cjs': { ...server, entryPoints: ['src/base/errors.ts'] },
}

/** noise's own choice for short messages, never reached: src/photon/node/io/noise-crypto.ts stands in for it. */
const withoutWebAssembly: Plugin = {
  name: 'without-webassembly',
  setup(build) {
    build.onResolve({ filter: /^@chainsafe\/as-(chacha20poly1305|sha256)$/ }, ({ path }) => ({ path, namespace: 'no-webassembly' }))
    build.onLoad({ filter: /^@chainsafe\//, namespace: 'no-webassembly' }, () => ({
      contents: 'module.exports = { newInstance() {}, ChaCha20Poly1305: function () {}, digest() { throw new Error("not in this bundle") } }',
    }))
  },
}

/** How boxes reach each other: libp2p, apart from the service, which loads it when it has somebody to reach. */
export const peer: BuildOptions = { ...server, plugins: [withoutWebAssembly, leaveOut] }

/** src/main/launch.ts for one program. Any Node must be able to read it. */
export function launcher(program: string, entry: string): BuildOptions {
  return {
    ...common,
    platform: 'node',
    target: 'node12',
    format: 'cjs',
    entryPoints: ['src/main/launch.ts'],
    external: [`./${entry}`],
    define: { __MESHBOX_PROGRAM__: JSON.stringify(program), __MESHBOX_ENTRY__: JSON.stringify(`./${entry}`) },
  }
}

/** Guests come with any phone; the owner with a browser of the last five years. */
export const browser: BuildOptions = {
  ...common,
  platform: 'browser',
  format: 'iife',
  jsx: 'automatic',
  jsxImportSource: 'preact',
}

/** What every visit loads, and the pages that most visits do not open; what both use lies in a third file. */
export const dashboard: BuildOptions = {
  ...browser,
  target: 'es2020',
  format: 'esm',
  splitting: true,
  chunkNames: 'dashboard-shared',
  entryPoints: { dashboard: 'src/web/owner/main.tsx', 'dashboard-seldom': 'src/web/owner/views/seldom-views.ts' },
}

/** What would cost memory, and is easily brought in by a new package. Measured: 5 MB each. */
const BANNED: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bWebAssembly\b/, what: 'WebAssembly; give the package another implementation, or leave that part of it out' },
  { pattern: /(?<![\w$.#]|async )fetch\(|\bglobalThis\.fetch\b/, what: 'fetch, which loads undici; use node:http' },
]

/** What is in the text of a server's bundle that must not be; null if nothing is. */
export function bannedIn(text: string): string | null {
  for (const { pattern, what } of BANNED) {
    const found = pattern.exec(text)
    if (found !== null) return `${what} (near: ${text.slice(Math.max(0, found.index - 60), found.index + 60)})`
  }
  return null
}
