/** What `build` answers, with the draft's own transactions in their places: they need not come back through a wall. */
import type { Transaction } from '../codec/transaction.ts'
import type { Built, Draft } from '../ports.ts'
import type { Drafted } from './block.ts'

export function builtOf(draft: Draft, { taken, ...rest }: Drafted): Built {
  return { ...rest, transactions: [draft.chief, ...taken.map((index) => draft.candidates[index] as Transaction)] }
}
