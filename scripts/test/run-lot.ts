/** One run of vitest over the files of a lot, and what came of each file. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Lot } from './plan.ts'
import { ROOT, bin, run } from './programs.ts'

export interface FileResult {
  /** Relative to the root. */
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** A line for each failure; a file may fail before any test of it. */
  readonly failures: readonly string[]
  /** With imports and hooks. */
  readonly seconds: number
}

export interface LotResult {
  readonly files: readonly FileResult[]
  /** What failed and belongs to no file; null: nothing. */
  readonly failure: string | null
}

interface VitestResult {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] }[]
  }[]
}

const REPORTER = join(import.meta.dirname, 'times-reporter.ts')

/** `extra`: words for vitest. `isLive`: its words go to the terminal as they come, else all at once when it has ended, under `title`. */
export async function runLot({ project, files }: Lot, extra: readonly string[], { isLive, title }: { readonly isLive: boolean; readonly title: string }): Promise<LotResult> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-test-'))
  const [results, times, words] = ['results.json', 'times.json', 'words.log'].map((name) => join(folder, name)) as [string, string, string]
  try {
    const args = ['run', '--project', project.name, '--reporter=default', `--reporter=${REPORTER}`, '--reporter=json', `--outputFile.json=${results}`, ...extra, ...files]
    const code = await run(bin('vitest'), args, { logFile: isLive ? undefined : words, env: { MESHBOX_TEST_TIMES: times } })
    if (!isLive) process.stdout.write(`[test] ended: ${title}\n${readFileSync(words, 'utf8')}`)
    if (!existsSync(results)) return { files: [], failure: `${title}: vitest ended with ${code} and gave no result` }
    const took = existsSync(times) ? (JSON.parse(readFileSync(times, 'utf8')) as Readonly<Record<string, number>>) : {}
    const told = (JSON.parse(readFileSync(results, 'utf8')) as VitestResult).testResults.map((one) => resultOf(project.name, one, took))
    const missing = files.filter((file) => !told.some((one) => one.file === file))
    const failure = missing.length > 0 ? `${title}: no result of ${missing.join(' ')}` : code !== 0 && told.every(({ failures }) => failures.length === 0) ? `${title}: an error outside of any test (above)` : null
    return { files: told, failure }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function resultOf(project: string, one: VitestResult['testResults'][number], took: Readonly<Record<string, number>>): FileResult {
  const file = relative(ROOT, one.name)
  const count = (...statuses: readonly string[]): number => one.assertionResults.filter(({ status }) => statuses.includes(status)).length
  const tests = one.assertionResults.filter(({ status }) => status === 'failed')
  const words = tests.length === 0 && one.status === 'failed' ? [firstLines(one.message)] : tests.map((test) => `${test.fullName}: ${firstLines(test.failureMessages.join(' | '))}`)
  return {
    file,
    passed: count('passed'),
    failed: tests.length === 0 && words.length > 0 ? 1 : tests.length,
    skipped: count('pending', 'skipped', 'todo', 'disabled'),
    failures: words.map((text) => `${project}: ${file}: ${text}`),
    seconds: (took[file] ?? 0) / 1000,
  }
}

const firstLines = (text: string): string => text.split('\n').slice(0, 3).join(' ').slice(0, 500)
