/**
 * Where trie nodes and contract code lie, under their keccak-256. The executor reads one node at a time and
 * writes a whole block at once. A root is remembered as a *state* only where everything below it is here.
 */
import type { Hash } from '../codec/fields.ts'

export interface StateStore {
  node(hash: Hash): Uint8Array | undefined
  /** Is everything below this root here? */
  hasState(root: Hash): boolean
  /** On disk when it returns, all or nothing. `state`: a root that is whole from now on; null: parts of one. */
  write(nodes: ReadonlyMap<Hash, Uint8Array>, state: Hash | null): void
  /**
   * Forgets states that `keep` does not name and that are not among the last written, then what only they needed, a step at
   * a time: call until it returns null.
   */
  startPruning(keep: readonly Hash[], children: (node: Uint8Array) => readonly Hash[]): PruneWork
  close(): void
}

export interface PruneWork {
  /** A bounded piece of work; not null: all is done. */
  step(): Pruned | null
}

export interface Pruned {
  readonly nodes: number
  readonly bytes: number
}
