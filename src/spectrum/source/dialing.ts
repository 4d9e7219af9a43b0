/**
 * Whom to call next. Static peers are called for ever, at growing intervals; nodes that discovery found are
 * called while there is room, and forgotten after a few failures. Pure: times and dice are arguments.
 */
import type { Enode } from './enode.ts'
import { identityOf } from './eth63-peer.ts'

const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 5 * 60_000
/** After this many failures in a row a found node is forgotten. */
const FOUND_TRIES = 3
const MAX_FOUND = 128

interface Target {
  readonly enode: Enode
  readonly isStatic: boolean
  failures: number
  /** Not before. */
  atMs: number
  isBusy: boolean
}

export class Dialing {
  readonly #targets = new Map<string, Target>()

  get size(): number {
    return this.#targets.size
  }

  addStatic(enode: Enode, nowMs: number): void {
    this.#targets.set(identityOf(enode.nodeId), { enode, isStatic: true, failures: 0, atMs: nowMs, isBusy: false })
  }

  /** A node of discovery; left out where there are enough. */
  addFound(enode: Enode, nowMs: number): void {
    const identity = identityOf(enode.nodeId)
    if (this.#targets.has(identity) || this.#targets.size >= MAX_FOUND) return
    this.#targets.set(identity, { enode, isStatic: false, failures: 0, atMs: nowMs, isBusy: false })
  }

  /** This box has another address: what could not be reached before may be now. */
  again(nowMs: number): void {
    for (const target of this.#targets.values()) {
      target.failures = 0
      target.atMs = Math.min(target.atMs, nowMs)
    }
  }

  isStatic(identity: string): boolean {
    return this.#targets.get(identity)?.isStatic === true
  }

  /** Due now, at most `room` of them and static ones first; each is busy until `ended`. `skips`: connected or banned. */
  due(nowMs: number, room: number, skips: (identity: string) => boolean): readonly Enode[] {
    const due = [...this.#targets].filter(([identity, target]) => !target.isBusy && target.atMs <= nowMs && !skips(identity))
    const chosen = due.sort(([, a], [, b]) => Number(b.isStatic) - Number(a.isStatic) || a.atMs - b.atMs).slice(0, Math.max(0, room))
    for (const [, target] of chosen) target.isBusy = true
    return chosen.map(([, target]) => target.enode)
  }

  /** The call, or the connection after it, is over. `wasUseful`: it had been a peer. `dice`: 0 to 1. */
  ended(identity: string, wasUseful: boolean, nowMs: number, dice: number): void {
    const target = this.#targets.get(identity)
    if (target === undefined) return
    target.isBusy = false
    target.failures = wasUseful ? 0 : target.failures + 1
    if (!target.isStatic && target.failures >= FOUND_TRIES) {
      this.#targets.delete(identity)
      return
    }
    // Half of it by dice: two boxes that call each other at the same moment must not do so again.
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** target.failures)
    target.atMs = nowMs + delayMs * (0.5 + dice / 2)
  }
}
