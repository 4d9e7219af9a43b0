/**
 * What of one gateway was handed to a server, so that its order, which names only a moment on the counter, becomes an answer to one of
 * them. Pure. A class A window opens whole seconds after its uplink, so the reception that makes whole seconds is the one; otherwise any
 * recent one will do, since all share the counter.
 */
import type { Copy, TxWindow } from '../../ports.ts'
import { counterOf } from './write-push.ts'

const MAX_KEPT = 256
/** RX1 may be 15 s after the uplink, RX2 one more. */
const LONGEST_DELAY_US = 16_000_000
const SECOND_US = 1_000_000
const ROUND_US = 2 ** 32

type After = Extract<TxWindow['timing'], { kind: 'after' }>

export class Receptions {
  /** Newest last. */
  readonly #kept: { readonly tmstUs: number; readonly copy: Copy }[] = []

  get size(): number {
    return this.#kept.length
  }

  note(copy: Copy): void {
    const tmstUs = counterOf(copy.time)
    if (tmstUs === null) return
    this.#kept.push({ tmstUs, copy })
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
  }

  /** Null: no reception that this could be an answer to. */
  answerAt(slotUs: number): After | null {
    let found: After | null = null
    for (const { tmstUs, copy } of this.#kept.toReversed()) {
      const delayUs = (slotUs - tmstUs + ROUND_US) % ROUND_US
      if (delayUs === 0 || delayUs > LONGEST_DELAY_US) continue
      const answer: After = { kind: 'after', time: copy.time, arrivedMs: copy.arrivedMs, delayUs }
      if (delayUs % SECOND_US === 0) return answer
      found ??= answer
    }
    return found
  }
}
