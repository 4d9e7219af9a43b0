/**
 * Packs the packages of the feed into build/packages/<architecture>/, byte for byte the same from the same commit:
 *
 *   node scripts/ipk.ts [--arch NAME]… [--target NAME] [--dist FOLDER] [--out FOLDER] [--version V] [--epoch SECONDS]
 *
 * Without --arch: all. `--target arm64-gnu` or `armv7-gnu` (with one --arch) packs native parts for glibc, for the
 * emulated machine of `make qemu`; those go to build/packages/emulation-<target>/ and say so in their description.
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeLuci, describeService, type Build } from './package/describe.ts'
import { buildIpk, ipkName, VERSION } from './package/ipk.ts'
import { ARCHITECTURES, EMULATION_TARGETS, PACKAGES, PackageError, ROOT } from './package/places.ts'

/** The gate of docs/packages.md. */
const MAX_PACKAGE_BYTES = 3_500_000

function main(): void {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', multiple: true },
      target: { type: 'string' },
      dist: { type: 'string' },
      out: { type: 'string' },
      version: { type: 'string' },
      epoch: { type: 'string' },
    },
  })
  const names = values.arch ?? Object.keys(ARCHITECTURES)
  if (values.version !== undefined && !VERSION.test(values.version)) throw new PackageError(`--version '${values.version}'; allowed: 1.2.3-r4`)
  const epoch = epochSeconds(values.epoch)
  const out = values.out ?? (values.target !== undefined && values.target in EMULATION_TARGETS ? join(PACKAGES, `emulation-${values.target}`) : PACKAGES)
  const luci = describeLuci(values.version)
  const luciBytes = buildIpk(luci.about, luci.contents, epoch)
  const dists = new Map<string, string>()
  for (const name of names) {
    const build = planBuild(name, values.target)
    const dist = values.dist ?? dists.get(build.target) ?? bundleFor(build.target)
    dists.set(build.target, dist)
    const service = describeService({ ...build, dist }, values.version)
    const folder = join(out, name)
    mkdirSync(folder, { recursive: true })
    // What was packed before with another version must not get into the feed's index.
    if (out === PACKAGES) for (const old of globSync('*.ipk', { cwd: folder })) rmSync(join(folder, old))
    put(folder, ipkName(service.about), buildIpk(service.about, service.contents, epoch))
    put(folder, ipkName(luci.about), luciBytes)
  }
}

function planBuild(architecture: string, target: string | undefined): Omit<Build, 'dist'> {
  const known = ARCHITECTURES[architecture]
  if (known === undefined) throw new PackageError(`--arch '${architecture}'; allowed: ${Object.keys(ARCHITECTURES).join(', ')}`)
  if (target === undefined || target === known.target) return { architecture, target: known.target, processor: known.processor }
  const processor = EMULATION_TARGETS[target]
  if (processor === undefined || processor.name !== known.processor.name) {
    const allowed = [known.target, ...Object.keys(EMULATION_TARGETS).filter((name) => EMULATION_TARGETS[name]?.name === known.processor.name)]
    throw new PackageError(`--target '${target}' does not go with --arch ${architecture}; allowed: ${allowed.join(', ')}`)
  }
  return { architecture, target, processor }
}

/** Bundles the service with its native parts for the target, in a folder of this process's own: two packers may run at once. */
function bundleFor(target: string): string {
  mkdirSync(join(ROOT, 'build'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, 'build/.ipk-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  execFileSync(process.execPath, ['scripts/bundle.ts', '--target', target, '--out', folder], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
  return folder
}

/** Of the last commit, unless given: then the same sources make the same bytes on any machine. */
function epochSeconds(given: string | undefined): number {
  const text = given ?? process.env['SOURCE_DATE_EPOCH'] ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }).trim()
  if (!/^\d{1,10}$/.test(text)) throw new PackageError(`SOURCE_DATE_EPOCH '${text}'; allowed: seconds since 1970`)
  return Number(text)
}

function put(folder: string, name: string, bytes: Buffer): void {
  if (bytes.length > MAX_PACKAGE_BYTES) throw new PackageError(`${name} has ${bytes.length} bytes; the limit is ${MAX_PACKAGE_BYTES}`)
  // Whole or not there: somebody may be reading the one of before.
  const draft = join(folder, `.${name}.${process.pid}`)
  writeFileSync(draft, bytes)
  renameSync(draft, join(folder, name))
  console.log(`[ipk] ${join(folder, name)} ${(bytes.length / 1024).toFixed(0)} KiB`)
}

try {
  main()
} catch (error) {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  if (!(error instanceof PackageError) && !isUsage) throw error
  console.error(`ipk: ${error.message}`)
  process.exitCode = 1
}
