/** A running `nft monitor`, started again when it ends; each start counts as lost events. */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Cancel, Timers } from '../../../base/index.ts'
import { MonitorReader, type MonitorEvent } from '../monitor.ts'
import { eachLine } from './barrier-process.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** Having run so long, the next end is a first one. */
const STEADY_MS = 10_000

export interface NftMonitorOptions {
  readonly command: readonly string[]
  readonly timers: Timers
  readonly ownPids: ReadonlySet<number>
  readonly onEvent: (event: MonitorEvent) => void
}

export class NftMonitor {
  readonly #options: NftMonitorOptions
  #child: ChildProcess | null = null
  #pauseMs = FIRST_PAUSE_MS
  #cancel: Cancel = () => undefined
  #isStopped = true
  #hasSpoken = false

  constructor(options: NftMonitorOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#child !== null
  }

  start(): void {
    this.#isStopped = false
    this.#spawn()
  }

  /** Has the running monitor told of anything yet? It does not say when it has begun to listen. */
  get hasSpoken(): boolean {
    return this.#child !== null && this.#hasSpoken
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
    this.#child?.kill('SIGTERM')
    this.#child = null
  }

  #spawn(): void {
    const [program = '', ...args] = this.#options.command
    const reader = new MonitorReader()
    const child = spawn(program, [...args, 'monitor'], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C' } })
    this.#child = child
    this.#hasSpoken = false
    const cancelSteady = this.#options.timers.after(STEADY_MS, () => { this.#pauseMs = FIRST_PAUSE_MS })
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      cancelSteady()
      if (this.#child === child) this.#child = null
      if (this.#isStopped) return
      this.#cancel = this.#options.timers.after(this.#pauseMs, () => {
        this.#spawn()
        this.#options.onEvent({ kind: 'overrun' })
      })
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    }
    child.once('error', over)
    child.once('close', over)
    eachLine(child.stdout, (line) => {
      if (this.#child === child) this.#hasSpoken = true
      const event = reader.read(line, this.#options.ownPids)
      if (event !== null && !this.#isStopped) this.#options.onEvent(event)
    })
  }
}
