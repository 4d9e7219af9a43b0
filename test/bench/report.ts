/** What a whole run of the benchmarks leaves in docs/benchmarks.md: the machine, and one table of all rows. */
import { cpus, release, totalmem } from 'node:os'
import { figure, type BenchRow, type Circumstances } from './measure.ts'

export interface Outcome {
  readonly bench: string
  readonly seconds: number
  readonly before: Circumstances
  readonly rows: readonly BenchRow[]
  readonly failure?: string
}

const BEGIN = '<!-- begin: written by make bench -->'
const END = '<!-- end: written by make bench -->'

/** Processor, memory, kernel and Node: one line. */
export function machine(): string {
  const all = cpus()
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version.slice(1)}`
}

/** @param date of the run, YYYY-MM-DD. */
export function report(outcomes: readonly Outcome[], date: string, on: string): string {
  const loads = outcomes.map(({ before }) => before.load1)
  const syncs = outcomes.map(({ before }) => before.fdatasyncMs.p50)
  const range = (values: readonly number[]): string => `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`
  const seconds = outcomes.reduce((sum, one) => sum + one.seconds, 0)
  const failed = outcomes.filter(({ failure }) => failure !== undefined)
  return [
    `${date}, ${on}; load ${range(loads)} and fdatasync p50 ${range(syncs)} ms before each benchmark; ${(seconds / 60).toFixed(1)} minutes in all.`,
    ...failed.map(({ bench, failure }) => `**${bench} could not run:** ${oneLine(failure ?? '')}`),
    ['| benchmark | what | this build | peer or limit | ratio | spread | aim |', '| --- | --- | --- | --- | --- | --- | --- |', ...outcomes.flatMap(({ bench, rows }) => rows.map((row) => line(bench, row)))].join('\n'),
  ].join('\n\n')
}

/** @throws Error when the page has no place for it */
export function inserted(page: string, text: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`the page has no lines '${BEGIN}' and '${END}'`)
  return `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`
}

function line(bench: string, { name, unit, ours, peer, ratio, aim }: BenchRow): string {
  const spread = ours.count === 1 ? 'one value' : `${figure(ours.min)}–${figure(ours.max)}, p99 ${figure(ours.p99)}, n ${ours.count}`
  const met = aim.met === null ? '' : aim.met ? ' ✓' : ' **missed**'
  const cells = [bench, name, `${figure(ours.p50)} ${unit}`, peer === undefined ? '' : `${figure(peer.value.p50)} ${unit}, ${peer.name}`, ratio === undefined ? '' : figure(ratio), spread, `${aim.text}${met}`]
  return `| ${cells.map((cell) => oneLine(cell).replaceAll('|', '\\|')).join(' | ')} |`
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
