/**
 * What each measure against memory and for a quick start is worth, on the bundled service with its hotspot and nobody there: V8's
 * flags, the compile cache, native signatures. Private dirty is what the box really pays; the rest of RSS is mostly
 * the Node binary's pages, which the kernel can drop. No kernel gate, so that nothing but the service is measured.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MALLOC_ENVIRONMENT, V8_FLAGS } from '../../scripts/bundle/start-scripts.ts'
import { bundle } from '../../scripts/bundle.ts'
import { editUci } from '../../src/config/index.ts'
import { freePort } from '../support/free-port.ts'
import { boxText } from './box-text.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

const ROUNDS = 3
/** Start, first renewals and checkpoints are over by then. */
const SETTLE_MS = 12_000
const AIM_RSS_MIB = 80
const AIM_DIRTY_MIB = 32
const AIM_START_CPU_MS = 1500

export const memory: Bench = { name: 'memory', run }

interface Variant {
  readonly name: string
  readonly flags: readonly string[]
  readonly cache: 'none' | 'fresh' | 'warm'
  readonly isNative: boolean
  /** What ships, and has aims. */
  readonly isShipped: boolean
}

interface Measured {
  readonly startCpuMs: number
  readonly rssMib: number
  readonly dirtyMib: number
}

const VARIANTS: readonly Variant[] = [
  { name: "Node's own flags, no cache", flags: [], cache: 'none', isNative: true, isShipped: false },
  { name: 'our flags, no cache', flags: V8_FLAGS, cache: 'none', isNative: true, isShipped: false },
  { name: 'our flags, writing the cache', flags: V8_FLAGS, cache: 'fresh', isNative: true, isShipped: false },
  { name: 'our flags, warm cache', flags: V8_FLAGS, cache: 'warm', isNative: true, isShipped: true },
  { name: 'our flags, warm cache, signatures in JavaScript', flags: V8_FLAGS, cache: 'warm', isNative: false, isShipped: false },
]

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const native = join(place.dir, 'bundle')
  await bundle({ out: native, say: () => undefined })
  const noble = join(place.dir, 'bundle-noble')
  cpSync(native, noble, { recursive: true })
  rmSync(join(noble, 'native/secp256k1.node'))
  const measured = new Map(VARIANTS.map((variant) => [variant, [] as Measured[]]))
  for (let round = 0; round < ROUNDS; round++)
    // Side by side: all settle in the same minute, and the minute is not spent five times.
    await Promise.all(VARIANTS.map(async (variant, index) => measured.get(variant)?.push(await measure(variant, variant.isNative ? native : noble, join(place.dir, `box-${index}`), round))))
  return VARIANTS.flatMap((variant) => {
    const values = measured.get(variant) ?? []
    const row = (what: string, unit: string, pick: (one: Measured) => number, aim: number): BenchRow => {
      const ours = summary(values.map(pick))
      return { name: `${what}: ${variant.name}`, unit, ours, aim: variant.isShipped ? { text: `≤ ${aim}`, met: ours.p50 <= aim } : { text: '', met: null } }
    }
    return [
      row('CPU to ready', 'ms', (one) => one.startCpuMs, AIM_START_CPU_MS),
      row('RSS idle', 'MiB', (one) => one.rssMib, AIM_RSS_MIB),
      row('private dirty idle', 'MiB', (one) => one.dirtyMib, AIM_DIRTY_MIB),
    ]
  })
}

/** Starts a box with this variant, the second time on the same data: making keys and tables is no part of a start. */
async function measure(variant: Variant, folder: string, dir: string, round: number): Promise<Measured> {
  const cache = join(dir, 'cache')
  if (round === 0) {
    mkdirSync(join(dir, 'data'), { recursive: true, mode: 0o700 })
    await start(variant, folder, dir, cache, async () => undefined)
  }
  if (variant.cache === 'fresh') rmSync(cache, { recursive: true, force: true })
  let result: Measured = { startCpuMs: Number.NaN, rssMib: Number.NaN, dirtyMib: Number.NaN }
  await start(variant, folder, dir, cache, async (pid) => {
    const startCpuMs = cpuMs(pid)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    result = { startCpuMs, ...rollup(pid) }
  })
  return result
}

async function start(variant: Variant, folder: string, dir: string, cache: string, whenReady: (pid: number) => Promise<void>): Promise<void> {
  const config = join(dir, 'meshbox')
  writeFileSync(config, await configText(dir))
  const { NODE_COMPILE_CACHE: _own, ...inherited } = process.env
  const env = { ...inherited, ...MALLOC_ENVIRONMENT, UV_THREADPOOL_SIZE: '2', ...(variant.cache === 'none' ? {} : { NODE_COMPILE_CACHE: cache }) }
  const child = spawn(process.execPath, [...variant.flags, join(folder, 'meshboxd.cjs'), '--config', config], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  let looked: Promise<void> | null = null
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
      if (looked === null && /\bready sinceStartMs=/.test(log)) looked = whenReady(child.pid ?? 0).finally(() => child.kill('SIGTERM'))
    })
  const code = await new Promise((resolve) => child.on('close', resolve))
  await looked
  if (code !== 0 || looked === null) throw new Error(`the service ended with ${String(code)}: ${log.slice(-2000)}`)
}

/** The shipped configuration for developers, with its hotspot on loopback. */
export async function configText(dir: string): Promise<string> {
  const set = (section: string, option: string, value: string) => ({ do: 'set-option', section: { name: section }, option, value }) as const
  const text = boxText({ dataDir: join(dir, 'data'), gate: 'record', controlSocket: join(dir, 'control.sock') })
  return editUci(text, [set('hotspot', 'portal_address', '127.0.0.1'), set('hotspot', 'portal_port', String(await freePort())), set('owner', 'port', String(await freePort()))])
}

/** Of all threads, in nanoseconds of the scheduler. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
  return threads.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6
}

export function rollup(pid: number): Pick<Measured, 'rssMib' | 'dirtyMib'> {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024
  return { rssMib: mib('Rss'), dirtyMib: mib('Private_Dirty') }
}
