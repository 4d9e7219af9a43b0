/** How far a milestone is, pure: counted over the book's entries in their order, each once. */
import type { StoredEntry } from '../ledger/index.ts'
import { dayOf } from '../ledger/index.ts'
import type { Milestone } from './types.ts'

export interface Progress {
  /** Entries up to this one are counted. */
  readonly toEntry: number
  /** Seconds, earnings, smallest units or days. */
  readonly reached: bigint
  /** Newest date that counted. */
  readonly lastDay: string
}

export const NO_PROGRESS: Progress = { toEntry: 0, reached: 0n, lastDay: '' }

/** What `reached` has to be. */
export function goalOf({ measure, count }: Milestone, decimals: number): bigint {
  if (measure === 'minutes') return BigInt(count) * 60n
  return measure === 'tokens' ? BigInt(count) * 10n ** BigInt(decimals) : BigInt(count)
}

/** `entries`: behind `toEntry`, oldest first. `token`: other tokens do not count. */
export function countOn(progress: Progress, milestone: Milestone, entries: readonly StoredEntry[], token: string): Progress {
  let { toEntry, reached, lastDay } = progress
  for (const entry of entries) {
    toEntry = entry.id
    if (entry.kind === 'post' || entry.token !== token || !isCounted(milestone, entry.source)) continue
    const amount = entry.postings.reduce((sum, posting) => (posting.amount > 0n ? sum + posting.amount : sum), 0n)
    if (milestone.measure === 'tokens') reached += entry.kind === 'earn' ? amount : -amount
    if (entry.kind !== 'earn') continue
    const day = dayOf(entry.at)
    if (milestone.measure === 'earnings') reached += 1n
    else if (milestone.measure === 'minutes') reached += secondsOf(entry)
    else if (milestone.measure === 'days' && /^\d/.test(day) && day > lastDay) {
      reached += 1n
      lastDay = day
    }
  }
  return { toEntry, reached, lastDay }
}

/** What makes it another milestone; its account and reward may be changed while it is not booked. */
export function countedBy({ measure, sources }: Milestone): string {
  return [measure, ...sources].join(' ')
}

function isCounted({ sources }: Milestone, source: string): boolean {
  return sources.length === 0 || sources.some((name) => source === name || source.startsWith(`${name}:`))
}

function secondsOf({ evidence }: StoredEntry): bigint {
  const seconds = evidence.facts?.['seconds']
  return typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0 ? BigInt(seconds) : 0n
}
