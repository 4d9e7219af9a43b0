/**
 * What the machine says about itself: /proc (proc(5)), the free space where the books are, how late the
 * event loop is, whether dnsmasq lives. Read when asked; nothing is kept but the loop's histogram.
 */
import { readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, freemem, loadavg, release, totalmem } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { asError } from '../../base/index.ts'
import type { Timers } from '../../base/index.ts'
import type { SystemFacts } from '../api.ts'

/** Coarse on purpose: a finer clock would wake the processor of an idle router for nothing. */
const LAG_RESOLUTION_MS = 100
const LAG_WINDOW_MS = 60_000
const NS_PER_MS = 1e6

type Lag = SystemFacts['eventLoopLag']

export interface SystemFactsOptions {
  readonly dataDir: string
  /** config.hotspot.dnsmasqPidFile, asked each time; null when dnsmasq is not ours to watch. */
  readonly dnsmasqPidFile: () => string | null
  readonly timers: Timers
}

export class SystemFactsReader {
  readonly #options: SystemFactsOptions
  readonly #histogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  readonly #stopWindow: () => void
  #lastWindow: Lag = { meanMs: 0, p99Ms: 0, maxMs: 0 }
  readonly #cpus = cpus().length

  constructor(options: SystemFactsOptions) {
    this.#options = options
    this.#histogram.enable()
    this.#stopWindow = options.timers.every(LAG_WINDOW_MS, () => {
      this.#lastWindow = this.#lag()
      this.#histogram.reset()
    })
  }

  stop(): void {
    this.#stopWindow()
    this.#histogram.disable()
  }

  read(): SystemFacts {
    const memory = process.memoryUsage()
    const [one = 0, five = 0, fifteen = 0] = loadavg()
    const now = this.#lag()
    return {
      disk: diskOf(this.#options.dataDir),
      memory: {
        rssBytes: memory.rss,
        rssAnonBytes: kibibytesOf('/proc/self/status', 'RssAnon'),
        heapUsedBytes: memory.heapUsed,
        machineTotalBytes: totalmem(),
        machineFreeBytes: kibibytesOf('/proc/meminfo', 'MemAvailable') ?? freemem(),
      },
      load: [one, five, fifteen],
      cpus: this.#cpus,
      eventLoopLag: { meanMs: now.meanMs, p99Ms: Math.max(now.p99Ms, this.#lastWindow.p99Ms), maxMs: Math.max(now.maxMs, this.#lastWindow.maxMs) },
      dnsmasq: dnsmasqOf(this.#options.dnsmasqPidFile()),
      runtime: `node ${process.version}`,
      kernel: `Linux ${release()}`,
      architecture: arch(),
    }
  }

  /** The histogram counts whole intervals: what is over the interval is lag. */
  #lag(): Lag {
    if (this.#histogram.count === 0) return { meanMs: 0, p99Ms: 0, maxMs: 0 }
    const over = (nanoseconds: number): number => Math.max(0, Math.round((nanoseconds / NS_PER_MS - LAG_RESOLUTION_MS) * 10) / 10)
    return { meanMs: over(this.#histogram.mean), p99Ms: over(this.#histogram.percentile(99)), maxMs: over(this.#histogram.max) }
  }
}

function diskOf(path: string): SystemFacts['disk'] {
  try {
    const { bavail, blocks, bsize } = statfsSync(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    return null // a file system that does not tell, or a folder that went away: shown as "not known"
  }
}

/** A line `Name:   123 kB` of a file in /proc, in bytes; null when it is not there. */
function kibibytesOf(path: string, name: string): number | null {
  const text = textOf(path)
  const match = text === null ? null : new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)
  return match?.[1] === undefined ? null : Number(match[1]) * 1024
}

function dnsmasqOf(pidFile: string | null): SystemFacts['dnsmasq'] {
  if (pidFile === null) return { state: 'not-used', detail: 'no dnsmasq_pid_file is configured' }
  let pid: string
  try {
    pid = readFileSync(pidFile, 'utf8').trim()
  } catch (thrown) {
    return { state: 'missing', detail: asError(thrown).message }
  }
  if (!/^[1-9]\d{0,9}$/.test(pid)) return { state: 'missing', detail: `${pidFile} holds no process number` }
  const command = textOf(`/proc/${pid}/comm`)
  if (command === null) return { state: 'missing', detail: `process ${pid} is gone` }
  if (command.trim() !== 'dnsmasq') return { state: 'missing', detail: `process ${pid} is ${command.trim()}` }
  return { state: 'running', detail: `process ${pid}` }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // the callers say what its absence means
  }
}
