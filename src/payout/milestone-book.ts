/** Rewards: counted in pieces, booked once, out of the owner's part and only as far as that goes. */
import { momentOf } from '../base/index.ts'
import type { Clock, Log } from '../base/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Store } from '../store/index.ts'
import { milestoneState, putMilestone } from './io/tables.ts'
import { countOn, countedBy, goalOf } from './milestones.ts'
import type { Milestone, PayoutSettings } from './types.ts'

export interface MilestoneParts {
  readonly store: Store
  readonly ledger: Pick<Ledger, 'post' | 'balance' | 'entries'>
  readonly settings: () => PayoutSettings
  readonly clock: Clock
  readonly log: Log
}

const REWARD_SOURCE = 'milestone:reward'
const OWNER = 'owner'
/** Some milliseconds; what is more is counted in the next round. */
const ENTRIES_AT_ONCE = 1000

export async function bookMilestones(parts: MilestoneParts): Promise<void> {
  for (const milestone of parts.settings().milestones) await bookOne(parts, milestone)
}

async function bookOne({ store, ledger, settings, clock, log }: MilestoneParts, milestone: Milestone): Promise<void> {
  const { symbol, decimals } = settings().token
  const by = countedBy(milestone)
  const seen = store.read((tx) => {
    const state = milestoneState(tx, milestone.id, by)
    if (state.entryId !== null) return null
    const entries = ledger.entries(tx, { afterId: state.progress.toEntry, limit: ENTRIES_AT_ONCE })
    return { progress: countOn(state.progress, milestone, entries, symbol), isMoved: entries.length > 0, owners: -ledger.balance(tx, OWNER, symbol) }
  })
  if (seen === null) return
  const { progress, isMoved, owners } = seen
  const isCovered = progress.reached >= goalOf(milestone, decimals) && milestone.reward > 0n && owners >= milestone.reward
  if (!isMoved && !isCovered) return
  const entryId = await store.turn((tx) => {
    const booked = isCovered && -ledger.balance(tx, OWNER, symbol) >= milestone.reward ? ledger.entries(tx, { limit: 1, evidence: { type: 'milestone', id: milestone.id } })[0]?.id ?? post() : null
    putMilestone(tx, milestone.id, by, { progress, entryId: booked })
    return booked

    function post(): number {
      return ledger.post(tx, {
        source: REWARD_SOURCE,
        token: symbol,
        evidence: { type: 'milestone', id: milestone.id, facts: { measure: milestone.measure, count: milestone.count, reached: progress.reached.toString() } },
        postings: [
          { account: OWNER, amount: milestone.reward },
          { account: milestone.account, amount: -milestone.reward },
        ],
        at: momentOf(clock),
      })
    }
  })
  if (entryId !== null) log.info('a milestone is reached and its reward booked', { milestone: milestone.id, account: milestone.account, reward: milestone.reward })
}
