/**
 * `make test`: types, the plan of the house, native parts for this machine and for routers, the bundle, then
 * every test. The last line is `N passed, N failed`; a step that fails counts as a failed test, and in CI a
 * skipped one does too. `--only qemu` runs one of the test projects; other words are handed to vitest.
 *
 * The emulated machines take one processor, one after the other, and then the simulations; everything else takes the second: no test has a
 * bound in time that a busy machine would break.
 *
 * Where at most three files failed, each is run once more by itself at the end: what is then whole has failed beside the others only, and is
 * named as such, loudly. What fails by itself has failed.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name)
let passed = 0
let failed = 0
let skipped = 0
/** What failed, told once more at the end: who reads only the end of a long log must find it there. */
const failures: string[] = []
const MOST_AGAIN = 3

interface FailedFile {
  readonly project: string
  /** Relative to the root. */
  readonly file: string
  readonly failedTests: number
  readonly told: readonly string[]
}

const failedFiles: FailedFile[] = []

interface VitestResult {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numFailedTestSuites: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] }[]
  }[]
}

/** @param logFile where its words go instead of to the terminal. */
function run(command: string, args: readonly string[], logFile?: string): Promise<number> {
  return new Promise((resolve) => {
    const log = logFile === undefined ? 'inherit' : openSync(logFile, 'w')
    const child = spawn(command, args, { cwd: ROOT, stdio: ['inherit', log, log], env: { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` } })
    child.on('error', (error) => {
      console.error(`[test] ${command}: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code) => resolve(code ?? 1))
    if (typeof log === 'number') closeSync(log) // the child has its own
  })
}

async function step(name: string, command: string, args: readonly string[]): Promise<void> {
  console.log(`[test] ${name}`)
  if ((await run(command, args)) === 0) passed++
  else {
    failed++
    failures.push(name)
    console.log(`[test] FAILED: ${name}`)
  }
}

/** Vitest's own JSON tells the counts; a run that wrote none has failed. `aside`: its words are shown when it has ended. */
async function vitest(project: string, extra: readonly string[], aside = false): Promise<void> {
  console.log(`[test] tests: ${project}${aside ? ', aside: shown when they have ended' : ''}`)
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-test-'))
  const file = join(folder, 'result.json')
  try {
    const log = aside ? join(folder, 'words.log') : undefined
    const code = await run(bin('vitest'), ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...extra], log)
    if (log !== undefined) process.stdout.write(`[test] ended: ${project}\n${readFileSync(log, 'utf8')}`)
    const result = JSON.parse(readFileSync(file, 'utf8')) as VitestResult
    passed += result.numPassedTests
    failed += result.numFailedTests
    skipped += result.numPendingTests
    if (code !== 0 && result.numFailedTests === 0) failed += Math.max(1, result.numFailedTestSuites)
    const files = failedFilesOf(project, result)
    failedFiles.push(...files)
    failures.push(...files.flatMap(({ told }) => told))
    if (code !== 0 && result.success && result.numFailedTests === 0) failures.push(`${project}: an error outside of any test (above)`)
  } catch (error) {
    failed++
    failures.push(`${project}: no result`)
    console.log(`[test] FAILED: ${project} gave no result: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function failedFilesOf(project: string, result: VitestResult): FailedFile[] {
  return result.testResults.flatMap((one) => {
    const file = relative(ROOT, one.name)
    const tests = one.assertionResults.filter((test) => test.status === 'failed')
    if (tests.length === 0 && one.status !== 'failed') return []
    const told = tests.length === 0 ? [firstLines(one.message)] : tests.map((test) => `${test.fullName}: ${firstLines(test.failureMessages.join(' | '))}`)
    return [{ project, file, failedTests: tests.length, told: told.map((text) => `${project}: ${file}: ${text}`) }]
  })
}

/** Whole by itself? Then its failures are taken back, and told as what fails only beside others. */
async function again({ project, file, failedTests, told }: FailedFile): Promise<void> {
  console.log(`[test] once more, by itself: ${project}: ${file}`)
  const isWhole = (await run(bin('vitest'), ['run', '--project', project, file])) === 0
  if (!isWhole || failedTests === 0) return
  failed -= failedTests
  passed += failedTests
  for (const text of told) {
    failures.splice(failures.indexOf(text), 1)
    console.log(`[test] UNSTEADY, failed beside other tests and passed by itself: ${text}`)
  }
}

const firstLines = (text: string): string => text.split('\n').slice(0, 3).join(' ').slice(0, 500)

/** Everything that begins as a shell script, wherever it lies. */
function shellScripts(): string[] {
  return ['.ci', 'scripts', 'openwrt-feed', 'firmware', 'qemu', 'test']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => /^#!\/bin\/sh|^# shellcheck shell=/.test(readFileSync(file, 'latin1').slice(0, 200)))
    .map((file) => relative(ROOT, file))
}

const PROJECTS = ['unit', 'sim', 'real', 'qemu']
const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true, strict: true })
if (values.only !== undefined && !PROJECTS.includes(values.only)) {
  console.error(`test: --only '${values.only}'; allowed: ${PROJECTS.join(', ')}`)
  process.exit(2)
}
if (values.only === undefined) {
  await step('types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json'])
  await step('plan of the house', bin('node'), ['scripts/lint.ts'])
  await step('shell scripts', 'shellcheck', ['--shell=dash', '--severity=warning', '--external-sources', ...shellScripts()])
}
await step('native addons, for this machine and for routers', bin('node'), ['scripts/native.ts', 'host', 'host-asan', 'arm64-musl', 'armv7-musl', 'arm64-gnu', 'armv7-gnu'])
await step('bundle', bin('node'), ['scripts/bundle.ts'])
if (values.only !== undefined) await vitest(values.only, positionals)
else {
  const aside = vitest('qemu', positionals, true).then(() => vitest('sim', positionals, true))
  for (const project of ['unit', 'real']) await vitest(project, positionals)
  await aside
}

if (failedFiles.length <= MOST_AGAIN) for (const file of failedFiles) await again(file)

if (skipped > 0) {
  console.log(`[test] ${skipped} skipped: they could not run on this machine (their names and reasons are above)`)
  if (process.env.CI === 'true') failed += skipped
}
for (const failure of failures) console.log(`[test] failed: ${failure}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
