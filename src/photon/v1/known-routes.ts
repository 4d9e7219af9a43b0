/**
 * Ways to nodes with whom the box has no channel itself, as the owner or the chain named them, for as long as the service runs: a payment
 * that is tried again, and a swap's leg that begins later, take them as well.
 */
import type { Address } from '../../base/index.ts'
import type { Path, PathRequest } from '../ports.ts'

const MOST_GOALS = 64

export class KnownRoutes {
  /** By token and target; the one named last is the last. */
  readonly #byGoal = new Map<string, readonly Path[]>()

  put(token: Address, target: Address, paths: readonly Path[]): void {
    const goal = `${token}/${target}`
    this.#byGoal.delete(goal)
    if (paths.length === 0) return
    if (this.#byGoal.size >= MOST_GOALS) this.#byGoal.delete(this.#byGoal.keys().next().value ?? goal)
    this.#byGoal.set(goal, paths)
  }

  /** Those for exactly this amount: the original's messages know no parts. */
  of({ token, target, amount, maxFee }: PathRequest): readonly Path[] {
    return (this.#byGoal.get(`${token}/${target}`) ?? []).filter((path) => path.amount === amount && path.fee <= maxFee)
  }
}
