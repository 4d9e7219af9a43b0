/**
 * How the benchmarks measure. Wall times of one run on a shared machine say little: medians with their
 * spread are shown, peers are measured interleaved in the same run and compared by the ratio of the pairs,
 * work is counted in CPU seconds, and each table tells the load and the disk of the same minute.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'

export interface Summary {
  readonly count: number
  readonly min: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** One line of the table. Numbers are for --json, texts for people. */
export interface BenchRow {
  readonly name: string
  /** e.g. `ms`, `µs/packet`, `/s`, `MiB`. */
  readonly unit: string
  readonly ours: Summary
  /** What it is compared with: another program, or a known limit. */
  readonly peer?: { readonly name: string; readonly value: Summary }
  /** ours / peer, median of the pairs measured side by side. */
  readonly ratio?: number
  /** `met` is null when there is nothing to meet. */
  readonly aim: { readonly text: string; readonly met: boolean | null }
  readonly note?: string
}

/** What one bench needs: a folder of its own on the disk that is measured. */
export interface BenchPlace {
  readonly dir: string
  readonly say: (line: string) => void
}

export interface Bench {
  readonly name: string
  run(place: BenchPlace): Promise<BenchRow[]>
}

/** Order statistics; `values` must not be empty. */
export function summary(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('no values were measured')
  const sorted = [...values].sort((a, b) => a - b)
  return { count: sorted.length, min: quantile(sorted, 0), p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) }
}

/** `sorted` ascending; linear between neighbours. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * Measures variants in turns, so that a slow minute of the machine is everybody's: round by round, every
 * second round in the opposite order. Gives the values of each variant, in the order of the rounds.
 */
export async function inTurns<Name extends string>(rounds: number, variants: Readonly<Record<Name, () => Promise<number>>>): Promise<Record<Name, number[]>> {
  const names = Object.keys(variants) as Name[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : [...names].reverse()) values[name].push(await variants[name]())
  return values
}

/** Pair by pair; the machine's speed cancels out. */
export function pairs(ours: readonly number[], theirs: readonly number[], join: (a: number, b: number) => number): number[] {
  return ours.map((value, index) => join(value, theirs[index] ?? Number.NaN))
}

export interface Cost {
  readonly wallMs: number
  /** User and system time of this process, its threads included. */
  readonly cpuMs: number
  /** The same of its children that live on, such as `nft -i`; in steps of 10 ms. */
  readonly childrenCpuMs: number
}

export async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [cpu, children, wall] = [process.cpuUsage(), childrenCpuMs(), performance.now()]
  await work()
  const [wallMs, used] = [performance.now() - wall, process.cpuUsage(cpu)]
  return { wallMs, cpuMs: (used.user + used.system) / 1000, childrenCpuMs: childrenCpuMs() - children }
}

function childrenCpuMs(): number {
  let sum = 0
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const [, parent] = statFields(Number(entry))
      if (Number(parent) === process.pid) sum += cpuMsOf(Number(entry))
    } catch {
      continue // it ended while we looked
    }
  }
  return sum
}

/** /proc/<pid>/stat behind the name: state, parent, … */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Resident memory of a process in KiB, as the kernel counts it. */
export function memoryOf(pid: number): { rssKib: number; rssAnonKib: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN)
  return { rssKib: field('VmRSS'), rssAnonKib: field('RssAnon') }
}

/** User and system time a process has used so far, in the kernel's steps of 10 ms. */
export function cpuMsOf(pid: number): number {
  const fields = statFields(pid)
  return (Number(fields[11]) + Number(fields[12])) * 10
}

export interface Circumstances {
  readonly load1: number
  readonly load5: number
  /** fdatasync of an appended 4 KiB block, ms: what a durable commit costs at least. */
  readonly fdatasyncMs: Summary
}

/** The load and the disk, now. */
export function circumstances(dir: string): Circumstances {
  const [load1 = 0, load5 = 0] = loadavg()
  return { load1, load5, fdatasyncMs: fdatasyncCost(dir, 60) }
}

function fdatasyncCost(dir: string, times: number): Summary {
  const path = join(dir, 'fdatasync-probe')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 0x5a)
  const values: number[] = []
  try {
    for (let i = 0; i < times; i++) {
      writeSync(file, block)
      const start = performance.now()
      fdatasyncSync(file)
      values.push(performance.now() - start)
    }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
  return summary(values)
}

/** Three significant digits, no exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  if (size >= 1) return value.toFixed(2)
  return value === 0 ? '0' : value.toFixed(3)
}

/** The table people read: name, this build, peer or limit, ratio, spread, aim. */
export function table(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${figure(row.ours.p50)} ${row.unit}`,
    row.peer === undefined ? '' : `${figure(row.peer.value.p50)} ${row.unit} ${row.peer.name}`,
    row.ratio === undefined ? '' : figure(row.ratio),
    row.ours.count === 1 ? 'one value' : `p99 ${figure(row.ours.p99)}, ${figure(row.ours.min)}–${figure(row.ours.max)}, n=${row.ours.count}`,
    `${row.aim.text}${row.aim.met === null ? '' : row.aim.met ? ' ✓' : ' ✗'}`,
  ])
  const head = ['name', 'this build', 'peer or limit', 'ratio', 'spread', 'aim']
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => [...(row[column] ?? '')].length)))
  const line = (row: readonly string[]): string => row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ').trimEnd()
  const notes = rows.flatMap((row) => (row.note === undefined ? [] : [`  ${row.name}: ${row.note}`]))
  return [line(head), widths.map((width) => '-'.repeat(width)).join('-|-'), ...cells.map(line), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}
