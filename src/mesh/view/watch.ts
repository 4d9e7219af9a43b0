/**
 * Keeps the picture of batman-adv fresh. The kernel tells only of changed settings, never of nodes and devices; so it is
 * asked, in one reading at a time: often while somebody needs to know soon (a map that is open, guests who walk), else
 * seldom. A mesh that is not there is a state with a reason, and is looked for again.
 */
import { asError, MeshBoxError } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { MeshChange, MeshCondition, MeshState, MeshView } from '../ports.ts'
import { emptyState, pictureOf, withoutMesh } from './picture.ts'
import type { Picture } from './picture.ts'
import type { MeshReader } from './kernel-reader.ts'

export const SELDOM_MS = 10_000
export const OFTEN_MS = 1000
/** A kernel that does not answer in this time is asked anew, and the mesh is `refused` meanwhile. */
const READING_TIMEOUT_MS = 5000
/** Settings come in bursts. */
const SETTLING_MS = 50
const CONDITION_OF_CODE: Readonly<Record<string, 'no-module' | 'no-interface' | 'idle'>> = {
  'no-batman-adv': 'no-module',
  'no-genetlink': 'no-module',
  'no-interface': 'no-interface',
  'no-mesh-interface': 'no-interface',
  'mesh-idle': 'idle',
}

export interface MeshWatchParts {
  readonly reader: MeshReader
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

export class MeshWatch implements MeshView {
  readonly #parts: MeshWatchParts
  readonly #listeners = new Set<(change: MeshChange) => void>()
  #state: MeshState
  #reading: Promise<void> | null = null
  #cancelNext: Cancel = () => undefined
  #unwatch: Cancel | null = null
  #hurries = 0
  #isRunning = false

  constructor(parts: MeshWatchParts) {
    this.#parts = parts
    this.#state = emptyState({ kind: 'idle', reason: 'batman-adv was not asked yet' }, parts.clock.boottimeMs())
  }

  /** Resolves when the first reading is done, whatever it said. */
  async start(): Promise<void> {
    this.#isRunning = true
    await this.refresh()
  }

  /** What is under way ends without being told. */
  stop(): void {
    this.#isRunning = false
    this.#cancelNext()
    this.#unwatch?.()
    this.#unwatch = null
    this.#listeners.clear()
  }

  state(): MeshState {
    return this.#state
  }

  on(listener: (change: MeshChange) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Readings every second until cancelled; any number may hurry. */
  hurry(): Cancel {
    this.#hurries += 1
    if (this.#hurries === 1) this.#plan(0)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#hurries -= 1
    }
  }

  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
      this.#plan(this.#hurries > 0 ? OFTEN_MS : SELDOM_MS)
    })
    return this.#reading
  }

  #plan(delayMs: number): void {
    this.#cancelNext()
    if (this.#isRunning) this.#cancelNext = this.#parts.timers.after(delayMs, () => void this.refresh())
  }

  async #read(): Promise<void> {
    const { reader, timers, clock } = this.#parts
    const abort = new AbortController()
    const cancel = timers.after(READING_TIMEOUT_MS, () => abort.abort())
    let picture: Picture
    try {
      // Watched before it is read: a change in between is heard.
      await this.#watchSettings(abort.signal)
      const reading = await reader.read({ signal: abort.signal })
      picture = pictureOf(this.#state, reading, clock.boottimeMs())
    } catch (thrown) {
      picture = withoutMesh(this.#state, conditionOf(thrown), clock.boottimeMs())
    } finally {
      cancel()
    }
    if (!this.#isRunning) return
    this.#state = picture.state
    for (const change of picture.changes) this.#tell(change)
  }

  async #watchSettings(signal: AbortSignal): Promise<void> {
    if (this.#unwatch !== null) return
    const unwatch = await this.#parts.reader.watchSettings(() => this.#plan(SETTLING_MS), { signal })
    if (this.#isRunning) this.#unwatch = unwatch
    else unwatch()
  }

  #tell(change: MeshChange): void {
    if (change.kind === 'condition' && change.condition.kind !== 'up') {
      // The module may have been taken out: its family gets another number when it comes back.
      this.#unwatch?.()
      this.#unwatch = null
    }
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (thrown) {
        this.#parts.log.error('mesh: a listener failed', { error: asError(thrown), change: change.kind })
      }
    }
  }
}

function conditionOf(thrown: unknown): MeshCondition {
  const error = asError(thrown)
  const kind = error instanceof MeshBoxError ? CONDITION_OF_CODE[error.code] : undefined
  return { kind: kind ?? 'refused', reason: error.message }
}
