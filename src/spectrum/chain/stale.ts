/**
 * A chain that was left for more than two weeks proves nothing by going on: deposits of that time are withdrawn, and
 * old keys may seal a history of their own (spec 6). A signed checkpoint that is so much newer takes its place.
 */
import { MAX_CHECKPOINT_AGE_SECONDS } from './verify-checkpoint.ts'
import type { ChainView } from '../ports.ts'
import type { ChainStart } from './start.ts'

/** `start`: of a checkpoint that was verified. An alarm waits for its owner and is not forgotten with the chain. */
export function isStale(chain: Pick<ChainView, 'head' | 'alarm'>, start: ChainStart): boolean {
  const { header, totalDifficulty } = chain.head()
  const { header: newer } = start.known
  return chain.alarm() === null && newer.number > header.number && start.totalDifficulty > totalDifficulty && newer.timeSeconds - header.timeSeconds > MAX_CHECKPOINT_AGE_SECONDS
}
