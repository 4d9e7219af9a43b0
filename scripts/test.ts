/**
 * `make test`: types, the plan of the house, native parts for this machine and for routers, the bundle, then
 * every test. The last line is `N passed, N failed`; a step that fails counts as a failed test, and in CI a
 * skipped one does too. `--only qemu` runs one of the test projects. Other words: those that are part of a test file's path
 * choose files, the others are handed to vitest.
 *
 * All files are shared out into runs of vitest (scripts/test/projects.ts, scripts/test/plan.ts, docs/testing.md), several of which run at once: no test
 * has a bound in time that a busy machine would break.
 *
 * Where at most three files failed, each is run once more by itself at the end: what is then whole has failed beside the others only, and is
 * named as such, loudly. What fails by itself has failed.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { DURATIONS } from './test/durations.ts'
import { lotsOf, runAll } from './test/plan.ts'
import type { Lot } from './test/plan.ts'
import { ROOT, bin, run } from './test/programs.ts'
import { PROJECTS, PROJECT_NAMES, filesOf, isProjectName } from './test/projects.ts'
import { runLot } from './test/run-lot.ts'
import type { FileResult } from './test/run-lot.ts'

const MOST_AGAIN = 3
const SLOWEST = 10

let passed = 0
let failed = 0
/** What failed, told once more at the end: who reads only the end of a long log must find it there. */
const failures: string[] = []
const results: { readonly lot: Lot; readonly result: FileResult }[] = []

async function step(name: string, command: string, args: readonly string[]): Promise<void> {
  console.log(`[test] ${name}`)
  if ((await run(command, args)) === 0) passed++
  else fails(name)
}

function fails(name: string): void {
  failed++
  failures.push(name)
  console.log(`[test] FAILED: ${name}`)
}

/** Of all projects or the one of `only`; those that a word is part of, if there is such a word. */
function plan(only: string | undefined, words: readonly string[]): { readonly lots: readonly Lot[]; readonly extra: readonly string[] } {
  const projects = PROJECTS.filter(({ name }) => only === undefined || name === only)
  const all = projects.map((project) => ({ project, files: filesOf(project, ROOT) }))
  const choosing = words.filter((word) => all.some(({ files }) => files.some((file) => file.includes(word))))
  const isChosen = (file: string): boolean => choosing.length === 0 || choosing.some((word) => file.includes(word))
  return { lots: all.flatMap(({ project, files }) => lotsOf(project, files.filter(isChosen), DURATIONS)), extra: words.filter((word) => !choosing.includes(word)) }
}

async function testAll(lots: readonly Lot[], extra: readonly string[]): Promise<void> {
  const isLive = lots.length === 1
  let begun = 0
  const startedAt = performance.now()
  await runAll(lots, availableParallelism(), {
    prepare: async (project) => step(`preparation of ${project.name}`, bin('node'), [project.preparation ?? '']),
    async run(lot) {
      const title = `${++begun} of ${lots.length}: ${lot.project.name}: ${lot.files.length === 1 ? lot.files[0] : `${lot.files[0]} and ${lot.files.length - 1} more`}`
      console.log(`[test] begun after ${minutes(secondsSince(startedAt))}: ${title}`)
      const { files, failure } = await runLot(lot, extra, { isLive, title })
      for (const result of files) {
        results.push({ lot, result })
        passed += result.passed
        failed += result.failed
        failures.push(...result.failures)
      }
      if (failure !== null) fails(failure)
    },
  })
}

/** Whole by itself? Then its failures are taken back, and told as what fails only beside others. */
async function again(lot: Lot, result: FileResult): Promise<void> {
  console.log(`[test] once more, by itself: ${lot.project.name}: ${result.file}`)
  const alone = await runLot({ ...lot, files: [result.file] }, [], { isLive: true, title: result.file })
  const now = alone.files[0]
  if (alone.failure !== null || now === undefined || now.failures.length > 0) return
  results.splice(results.findIndex((one) => one.result === result), 1, { lot, result: now })
  failed -= result.failed
  passed += now.passed - result.passed
  for (const text of result.failures) {
    failures.splice(failures.indexOf(text), 1)
    console.log(`[test] UNSTEADY, failed beside other tests and passed by itself: ${text}`)
  }
}

function tellTimes(wholeSeconds: number): void {
  for (const { name } of PROJECTS) {
    const own = results.filter(({ lot }) => lot.project.name === name)
    if (own.length === 0) continue
    const runs = new Set(own.map(({ lot }) => lot)).size
    console.log(`[test] time: ${name}: ${minutes(own.reduce((sum, { result }) => sum + result.seconds, 0))} in ${own.length} files, ${runs} runs`)
  }
  console.log(`[test] time: the whole: ${minutes(wholeSeconds)}, several runs at once`)
  for (const { result } of results.toSorted((one, other) => other.result.seconds - one.result.seconds).slice(0, SLOWEST)) console.log(`[test] slowest: ${result.seconds.toFixed(0)} s ${result.file}`)
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000
const minutes = (seconds: number): string => `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`

/** Everything that begins as a shell script, wherever it lies. */
function shellScripts(): string[] {
  return ['.ci', 'scripts', 'openwrt-feed', 'firmware', 'qemu', 'test']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => /^#!\/bin\/sh|^# shellcheck shell=/.test(readFileSync(file, 'latin1').slice(0, 200)))
    .map((file) => relative(ROOT, file))
}

async function check(): Promise<void> {
  await step('types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json'])
  await step('plan of the house', bin('node'), ['scripts/lint.ts'])
  await step('shell scripts', 'shellcheck', ['--shell=dash', '--severity=warning', '--external-sources', ...shellScripts()])
}

/** For this machine. What routers need is built by its users (the packages, the emulated machines), beside the other tests. */
async function build(): Promise<void> {
  await step('native addons for this machine', bin('node'), ['scripts/native.ts', 'host', 'host-asan'])
  await step('bundle', bin('node'), ['scripts/bundle.ts'])
}

const startedAt = performance.now()
const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true, strict: true })
if (values.only !== undefined && !isProjectName(values.only)) {
  console.error(`test: --only '${values.only}'; allowed: ${PROJECT_NAMES.join(', ')}`)
  process.exit(2)
}
// What is looked at and what is built are two: one beside the other.
await Promise.all([values.only === undefined ? check() : undefined, build()])
const { lots, extra } = plan(values.only, positionals)
await testAll(lots, extra)

const broken = results.filter(({ result }) => result.failures.length > 0)
if (broken.length <= MOST_AGAIN) for (const { lot, result } of broken) await again(lot, result)

const skipped = results.reduce((sum, { result }) => sum + result.skipped, 0)
tellTimes(secondsSince(startedAt))
if (skipped > 0) {
  console.log(`[test] ${skipped} skipped: they could not run on this machine (their names and reasons are above)`)
  if (process.env['CI'] === 'true') failed += skipped
}
for (const failure of failures) console.log(`[test] failed: ${failure}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
