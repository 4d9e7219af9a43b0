/** A running `nft monitor`, started again when it ends; each start counts as lost events. */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Cancel, Timers } from '../../../base/index.ts'
import type { KernelEvent, KernelEvents } from '../kernel-sets.ts'
import { MonitorReader } from '../monitor.ts'
import { eachLine } from './barrier-process.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** Having run so long, the next end is a first one. */
const STEADY_MS = 10_000
const LISTEN_TRIES = 200
const LISTEN_PAUSE_MS = 5

export interface NftMonitorOptions {
  readonly command: readonly string[]
  readonly timers: Timers
  readonly ownPids: ReadonlySet<number>
  readonly onEvent: (event: KernelEvent) => void
  /** Makes a transaction that changes nothing, to be heard: the monitor does not say when it has begun to listen. */
  readonly speak: () => Promise<void>
}

export class NftMonitor implements KernelEvents {
  readonly #options: NftMonitorOptions
  #child: ChildProcess | null = null
  #pauseMs = FIRST_PAUSE_MS
  #cancel: Cancel = () => undefined
  #isStopped = true
  #hasSpoken = false

  constructor(options: NftMonitorOptions) {
    this.#options = options
  }

  get isListening(): boolean {
    return this.#child !== null
  }

  /** It needs a while to begin; opened beside the installation it costs none. */
  open(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#spawn()
  }

  async start(): Promise<void> {
    this.open()
    for (let tries = 0; tries < LISTEN_TRIES && !(this.#child !== null && this.#hasSpoken); tries++) {
      await this.#options.speak()
      await new Promise<void>((resolve) => this.#options.timers.after(LISTEN_PAUSE_MS, resolve))
    }
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
