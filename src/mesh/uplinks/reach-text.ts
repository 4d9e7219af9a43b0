/**
 * What guests are told of the way out. No Internet and a bad one are normal states of a mesh on roofs: the page says which it is,
 * since when, and what works all the same; it never says that the guest did something wrong. The portal translates by `code`.
 */
import type { Reach } from '../ports.ts'

export interface ReachNotice {
  readonly code: 'reach-internet' | 'reach-intermittent' | 'reach-none'
  readonly title: string
  readonly text: string
  /** Whole minutes since it is so. */
  readonly minutes: number
  /** Whether time may be sold without a warning, with one, or only for what is here. */
  readonly selling: 'open' | 'warned' | 'local-only'
}

/** Times in ms of one clock. */
export function reachNotice(reach: Reach, sinceMs: number, nowMs: number): ReachNotice {
  const minutes = Math.max(0, Math.floor((nowMs - sinceMs) / 60_000))
  switch (reach) {
    case 'internet':
      return { code: 'reach-internet', title: 'Connected', text: 'The Internet works.', minutes, selling: 'open' }
    case 'intermittent':
      return {
        code: 'reach-intermittent',
        title: 'The Internet comes and goes',
        text: 'The way out of this place is unsteady at the moment. Messages will get through; calls and films may stop. You can pay and see what is left of your time as always.',
        minutes,
        selling: 'warned',
      }
    case 'none':
      return {
        code: 'reach-none',
        title: 'No Internet at the moment',
        text: 'This place has no way out now and goes on trying by itself. This page, payments and what is in the neighbourhood work without it. Pause your time if you only need the Internet.',
        minutes,
        selling: 'local-only',
      }
  }
}
