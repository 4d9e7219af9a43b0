/**
 * The times of one gateway's receptions as its server northbound was told them, so that an order, which names only such a time, becomes an answer to
 * one of them. Pure. What a Station said goes through as it is; the counter of a packet forwarder, which wraps every 71.6 minutes, is continued
 * into xtime's 48 bits of microseconds, with a number of this run above them as Station has it.
 */
import type { Copy, TxWindow } from '../../../ports.ts'

const MAX_KEPT = 256
/** RX1 may be 15 s after the uplink, RX2 one more. */
const LONGEST_DELAY_US = 16_000_000n
const SECOND_US = 1_000_000
const RUN_BITS = 48n

type After = Extract<TxWindow['timing'], { kind: 'after' }>

export interface ToldTime {
  /** 0: it cannot be answered. */
  readonly xtime: bigint
  readonly rctx: bigint
}

export class ToldTimes {
  /** Newest last. */
  readonly #kept: { readonly told: ToldTime; readonly copy: Copy }[] = []
  readonly #base: bigint
  #last: { readonly tmstUs: number; readonly xtime: bigint } | null = null

  /** `run`: 1 to 127, another one for each connection. */
  constructor(run: number) {
    this.#base = BigInt(run) << RUN_BITS
  }

  get size(): number {
    return this.#kept.length
  }

  /** What its server is told of a reception, which it may answer from now on. */
  tell(copy: Copy): ToldTime {
    const told = this.#timeOf(copy)
    if (told.xtime === 0n) return told
    this.#kept.push({ told, copy })
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
    return told
  }

  /**
   * A window of class A opens whole seconds after its uplink, so the reception that makes whole seconds is the one; otherwise any recent one will
   * do, since all share the clock. Null: no reception that this could be an answer to.
   */
  answerAt(slot: bigint): { readonly timing: After; readonly rctx: bigint } | null {
    let found: { readonly timing: After; readonly rctx: bigint } | null = null
    for (const { told, copy } of this.#kept.toReversed()) {
      const delay = slot - told.xtime
      if (delay <= 0n || delay > LONGEST_DELAY_US) continue
      const delayUs = Number(delay)
      const answer = { timing: { kind: 'after', time: copy.time, arrivedMs: copy.arrivedMs, delayUs }, rctx: told.rctx } as const
      if (delayUs % SECOND_US === 0) return answer
      found ??= answer
    }
    return found
  }

  #timeOf({ time }: Copy): ToldTime {
    if (time.kind === 'station') return { xtime: time.xtime, rctx: time.rctx }
    if (time.kind === 'foreign') return { xtime: 0n, rctx: 0n }
    const before = this.#last
    // The shorter way round: copies may come out of order, and the counter wraps.
    const xtime = before === null ? this.#base + BigInt(time.tmstUs) : before.xtime + BigInt((time.tmstUs - before.tmstUs) | 0)
    this.#last = { tmstUs: time.tmstUs, xtime }
    return { xtime, rctx: 0n }
  }
}
