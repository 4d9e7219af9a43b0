/**
 * Lays out everything that runs on a box: `node scripts/bundle.ts [--target NAME] [--out FOLDER]`. The folder is made
 * beside and moved into place, so that a box that runs from it never sees half of it. Default: this machine, dist/;
 * another target: build/dist/<target>. What is in it, with modes: docs/native.md.
 */
import { chmodSync, copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build, transform, type BuildOptions, type Metafile } from 'esbuild'
import { licences } from './bundle/licences.ts'
import { asCommonJs, bannedIn, browser, commandLine, dashboard, launcher, peer, server, service } from './bundle/programs.ts'
import { BOUNDS, EVERY_BOX, EVERY_ROLE, sizeProblem } from './bundle/sizes.ts'
import { startScript } from './bundle/start-scripts.ts'
import { ADDON_NAMES, addonPath, buildNative } from './native.ts'
import { ROOT } from './native/fetch.ts'
import { BuildError } from './native/run.ts'
import { SQLITE_ADDON } from './native/sqlite.ts'
import { TARGETS } from './native/targets.ts'
import type { Target } from './native/targets.ts'

const HOST = 'host'
/** Shell scripts, and what each starts. */
const START_SCRIPTS: Readonly<Record<string, string>> = { meshboxd: 'meshboxd.cjs', meshbox: 'meshbox-cli.cjs' }

export interface BundleOptions {
  /** Name of a row of TARGETS. */
  readonly target?: string
  readonly out?: string
  readonly say?: (line: string) => void
}

/** Errors: BuildError. For this machine an addon that cannot be built is left out, and said; for others it is an error. */
export async function bundle(options: BundleOptions = {}): Promise<void> {
  const { target: name = HOST, say = console.log } = options
  const target = TARGETS.find((row) => row.name === name && !row.fuzzers)
  if (target === undefined) throw new BuildError(`unknown target '${name}'; known: ${TARGETS.filter((row) => !row.fuzzers).map((row) => row.name).join(', ')}`)
  const out = resolve(options.out ?? join(ROOT, name === HOST ? 'dist' : `build/dist/${name}`))
  if (!mayBeReplaced(out)) throw new BuildError(`${out} is there and is no bundle; name a new or an empty folder`)
  const place = out.startsWith(`${ROOT}/`) ? join(ROOT, 'build') : dirname(out) // on the same disk, for the rename
  for (const folder of [place, dirname(out)]) mkdirSync(folder, { recursive: true })
  const draft = mkdtempSync(join(place, `.${basename(out)}-`))
  try {
    const { metafiles, sizes } = await writePrograms(draft)
    const addons = await copyAddons(draft, target, say)
    writeFileSync(join(draft, 'licences.txt'), await licences(metafiles, addons, target))
    // mqtt.cjs: a cache in it has a method called fetch.
    for (const file of ['service.cjs', ...globSync('parts/*', { cwd: draft }), 'executor.cjs', 'peer.cjs', ...Object.keys(commandLine)]) {
      const text = readFileSync(join(draft, file), 'utf8')
      const banned = bannedIn(text)
      if (banned !== null) throw new BuildError(`${file} uses ${banned}`)
      const wide = firstWide(text)
      if (wide !== null) throw new BuildError(`${file} has ${wide}: its text would take two bytes a character for as long as it runs; in a tagged template write \${…}`)
    }
    const bytesOf = new Map([...globSync('**/*', { cwd: draft }).filter((file) => statSync(join(draft, file)).isFile()).map((file) => [file, statSync(join(draft, file)).size] as const), ...Object.entries(sizes)])
    const problem = sizeProblem(bytesOf)
    if (problem !== null) throw new BuildError(problem)
    for (const file of Object.keys(BOUNDS)) say(`[bundle] ${file} ${((bytesOf.get(file) ?? 0) / 1024).toFixed(0)} KiB`)
    setModes(draft)
    rmSync(out, { recursive: true, force: true })
    renameSync(draft, out)
    say(`[bundle] ${out} for ${name}`)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** A folder given by mistake must not be emptied. */
function mayBeReplaced(folder: string): boolean {
  return !existsSync(folder) || existsSync(join(folder, 'meshboxd.cjs')) || (statSync(folder).isDirectory() && readdirSync(folder).length === 0)
}

/** JavaScript, pages and the scripts that start them; the same on every machine. */
async function writePrograms(folder: string): Promise<{ readonly metafiles: Metafile[]; readonly sizes: Readonly<Record<string, number>> }> {
  const made = (options: BuildOptions, outfile: string): Promise<Metafile> => build({ ...options, outfile: join(folder, outfile) }).then((result) => result.metafile as Metafile)
  const [service, ...metafiles] = await Promise.all([
    writeInParts(folder),
    made({ ...server, entryPoints: ['src/spectrum/execute/io/executor-worker.ts'] }, 'executor.cjs'),
    made({ ...peer, entryPoints: ['src/main/peer-file.ts'] }, 'peer.cjs'),
    made({ ...server, entryPoints: ['src/main/mqtt-file.ts'] }, 'mqtt.cjs'),
    made({ ...server, entryPoints: ['src/iot/codecs/io/codec-child.ts'] }, 'codec.cjs'),
    ...Object.entries(commandLine).map(([file, options]) => made(options, file)),
    made(launcher('meshboxd', 'service.cjs'), 'meshboxd.cjs'),
    made(launcher('meshbox', 'cli.cjs'), 'meshbox-cli.cjs'),
    made({ ...browser, target: 'es2018', entryPoints: ['src/web/guest/main.ts'] }, 'web/guest.js'),
    made({ ...browser, target: 'es2020', entryPoints: ['src/web/wallet/main.ts'] }, 'web/wallet.js'),
    build({ ...dashboard, outdir: join(folder, 'web') }).then((result) => result.metafile as Metafile),
    made({ ...browser, entryPoints: ['src/web/owner/style.css'] }, 'web/dashboard.css'),
  ])
  for (const file of ['index.html', 'dashboard.svg']) copyFileSync(join(ROOT, 'src/web/owner', file), join(folder, 'web', file))
  for (const [program, entry] of Object.entries(START_SCRIPTS)) writeFileSync(join(folder, program), startScript(program, entry))
  return { metafiles: [service.metafile, ...metafiles], sizes: { [EVERY_BOX]: service.eagerBytes, [EVERY_ROLE]: service.bytes } }
}

/**
 * service.cjs, and parts/ for what it loads when it is reached (the rooms of roles that this box may not have) and what these share with
 * it: one build, so that nothing is there twice and a class is the same class everywhere.
 */
async function writeInParts(folder: string): Promise<{ readonly metafile: Metafile; readonly eagerBytes: number; readonly bytes: number }> {
  const { metafile, outputFiles } = await build({ ...service, write: false })
  const outputs = new Map(Object.entries(metafile.outputs).map(([file, output]) => [resolve(ROOT, file), output]))
  const root = resolve(ROOT, service.outdir)
  const sizes = new Map<string, number>()
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, asCommonJs)
    const to = join(folder, relative(root, path))
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, code)
    sizes.set(path, Buffer.byteLength(code))
  }
  const eager = new Set([join(root, 'service.cjs')])
  for (const path of eager) for (const { path: next, kind } of outputs.get(path)?.imports ?? []) if (kind === 'import-statement' && sizes.has(resolve(ROOT, next))) eager.add(resolve(ROOT, next))
  const sum = (paths: Iterable<string>): number => [...paths].reduce((bytes, path) => bytes + (sizes.get(path) ?? 0), 0)
  return { metafile, eagerBytes: sum(eager), bytes: sum(sizes.keys()) }
}

/** The first character that is not ASCII, with what stands before it; esbuild writes all others as escapes. */
function firstWide(text: string): string | null {
  const at = text.search(/[^\x00-\x7f]/)
  return at < 0 ? null : `'${text.slice(Math.max(0, at - 40), at + 1)}'`
}

/** The same whatever the umask and the sources' modes: the package takes them over. */
function setModes(folder: string): void {
  for (const entry of ['.', ...globSync('**/*', { cwd: folder })]) {
    const path = join(folder, entry)
    chmodSync(path, statSync(path).isDirectory() || Object.hasOwn(START_SCRIPTS, entry) ? 0o755 : 0o644)
  }
}

/** Names of what is there. */
async function copyAddons(folder: string, target: Target, say: (line: string) => void): Promise<string[]> {
  mkdirSync(join(folder, 'native'))
  const copied: string[] = []
  for (const name of ADDON_NAMES) {
    try {
      await buildNative(target.name, say, { only: [name] })
      copyFileSync(addonPath(target.name, name), join(folder, 'native', `${name}.node`))
      copied.push(name)
    } catch (error) {
      // Without a compiler a developer's box runs all the same, in JavaScript; without SQLite nothing does.
      if (!(error instanceof BuildError) || target.name !== HOST || name === SQLITE_ADDON) throw error
      say(`[bundle] left out: native/${name}.node: ${error.message.split('\n')[0]}`)
    }
  }
  return copied
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({ options: { target: { type: 'string' }, out: { type: 'string' } } })
    await bundle({ ...(values.target === undefined ? {} : { target: values.target }), ...(values.out === undefined ? {} : { out: values.out }) })
  } catch (error) {
    if (!(error instanceof BuildError) && !(error instanceof TypeError)) throw error
    console.error(`bundle: ${error.message}`)
    process.exitCode = 1
  }
}
