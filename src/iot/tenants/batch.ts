/**
 * Turns that may wait a moment are asked for together, so that they share one commit (store/turn-queue.ts): at 100 frames a second 20
 * commits, not 100. Each is a turn by itself: one that fails takes no other with it.
 */
import type { Cancel, Timers } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'

const MAX_WAIT_MS = 50
const MAX_WAITING = 100

export class TurnBatch {
  readonly #store: Pick<Store, 'turn'>
  readonly #timers: Timers
  #waiting: (() => void)[] = []
  #timer: Cancel | null = null
  #isClosed = false

  constructor(store: Pick<Store, 'turn'>, timers: Timers) {
    this.#store = store
    this.#timers = timers
  }

  /** As Store.turn, at most 50 ms later. */
  turn<T>(body: (tx: Tx) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => void this.#store.turn(body).then(resolve, reject))
      if (this.#isClosed || this.#waiting.length >= MAX_WAITING) this.flush()
      else this.#timer ??= this.#timers.after(MAX_WAIT_MS, () => this.flush())
    })
  }

  flush(): void {
    this.#timer?.()
    this.#timer = null
    for (const ask of this.#waiting.splice(0)) ask()
  }

  /** Nothing waits from now on. */
  close(): void {
    this.#isClosed = true
    this.flush()
  }
}
