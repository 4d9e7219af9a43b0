/**
 * One payout on its way, pure: `(state, input) -> {state, effects}`. Its intent is on disk before the machine begins, and paying is by
 * reference, so any effect may come twice: after a crash the machine begins anew at `waiting`, and a payment that was made is found.
 */
export interface Way {
  readonly stage: 'waiting' | 'paying' | 'booking' | 'over'
  /** Failed ones in a row. */
  readonly attempts: number
  /** On the running clock; 0: at once. */
  readonly retryAtMs: number
  readonly problem: string | null
}

export type WayInput =
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** `isEarly`: the channels are not up; asking them costs nothing. */
  | { readonly kind: 'failed'; readonly nowMs: number; readonly problem: string; readonly isEarly: boolean }
  | { readonly kind: 'paid' }
  | { readonly kind: 'booked' }
  | { readonly kind: 'not-booked'; readonly nowMs: number; readonly problem: string }
  | { readonly kind: 'resume' }

/** `pay`: order it by its reference. `book`: posting, signature and end in one turn. `note`: tries and problem to disk. `alarm`: tell the owner. */
export type WayEffect = 'pay' | 'book' | 'note' | 'alarm'

export interface WayStep {
  readonly way: Way
  readonly effects: readonly WayEffect[]
}

const FIRST_RETRY_MS = 30_000
const LAST_RETRY_MS = 3_600_000

/** 30 s, doubled with each try, at most an hour. */
export function backoffMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, attempts - 1), LAST_RETRY_MS)
}

/** As it is after a start: at once. */
export function beginWay(attempts: number, problem: string | null): Way {
  return { stage: 'waiting', attempts, retryAtMs: 0, problem }
}

/** An input that does not fit the stage changes nothing. */
export function stepWay(way: Way, input: WayInput, alarmAfter: number): WayStep {
  const stay: WayStep = { way, effects: [] }
  switch (input.kind) {
    case 'tick':
      return way.stage === 'waiting' && input.nowMs >= way.retryAtMs ? { way: { ...way, stage: 'paying' }, effects: ['pay'] } : stay
    case 'failed': {
      if (way.stage !== 'paying') return stay
      if (input.isEarly) return { way: { ...way, stage: 'waiting', retryAtMs: 0, problem: input.problem }, effects: [] }
      const attempts = way.attempts + 1
      return {
        way: { stage: 'waiting', attempts, retryAtMs: input.nowMs + backoffMs(attempts), problem: input.problem },
        effects: attempts === alarmAfter ? ['note', 'alarm'] : ['note'],
      }
    }
    case 'paid':
      return way.stage === 'paying' ? { way: { ...way, stage: 'booking', problem: null }, effects: ['book'] } : stay
    case 'booked':
      return way.stage === 'booking' ? { way: { ...way, stage: 'over' }, effects: [] } : stay
    case 'not-booked':
      // Asked for again under the same reference, found, and booked then.
      return way.stage === 'booking' ? { way: { ...way, stage: 'waiting', retryAtMs: input.nowMs + FIRST_RETRY_MS, problem: input.problem }, effects: [] } : stay
    case 'resume':
      return way.stage === 'waiting' ? { way: { ...way, attempts: 0, retryAtMs: 0 }, effects: ['note'] } : stay
  }
}
