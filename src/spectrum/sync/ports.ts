/** What judging and following ask of the rest of the house, besides the room's own ports. */
import type { Address, Hash } from '../codec/fields.ts'
import type { ChainSource, Misdeed } from '../ports.ts'

/** Lets the event loop turn once: setImmediate in the service. */
export type Breathe = () => Promise<void>

/** Sources as those see them who ask: whom to ask now, and where to complain. */
export interface SourcePool {
  /** Neither banned nor resting, the most reliable first. */
  usable(): readonly ChainSource[]
  /** Null: it is not to blame, and nothing changes. */
  complain(source: ChainSource, misdeed: Misdeed | null): void
  /** It brought blocks that count: earlier slowness is forgotten. */
  thank(source: ChainSource): void
}

/** Whom to ask for somebody else; what this box itself needs is asked of all. */
export interface Circle {
  isAsked(source: ChainSource): boolean
  /** The most that are asked for one thing. */
  readonly most: number
}

export function within(circle: Circle | null, sources: readonly ChainSource[]): readonly ChainSource[] {
  return circle === null ? sources : sources.filter((source) => circle.isAsked(source)).slice(0, circle.most)
}

export interface RawBlock {
  /** RLP. */
  readonly header: Uint8Array
  /** RLP. */
  readonly body: Uint8Array
}

/** The chain's owner has changed who may lead: worth an alarm (spec 6.3). */
export interface LeaderChange {
  /** The first block it rules. */
  readonly number: number
  readonly added: readonly Address[]
  readonly removed: readonly Address[]
}

/** Why an import went no further. */
export type ImportStop =
  /** `isLie`: nobody who checks as we do could have taken it for good, so whoever serves it lies. */
  | { readonly kind: 'refused'; readonly number: number; readonly hash: Hash; readonly code: string; readonly reason: string; readonly isLie: boolean }
  /** Not the encoding of a block at all. */
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'orphan'; readonly number: number; readonly hash: Hash; readonly parentHash: Hash }
  /** It holds, but its time has not come: after so many seconds of the trusted clock. */
  | { readonly kind: 'future'; readonly hash: Hash; readonly waitSeconds: number }
  /** It could not be judged now: nobody has the state that would tell ('sources'), or this box cannot execute ('self'). */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly lacking: 'sources' | 'self' }
  /** The chain's reorg policy. `mayGrow`: the block is kept beside the chain, and those behind it are welcome. */
  | { readonly kind: 'too-deep' | 'needs-second-source'; readonly number: number; readonly hash: Hash; readonly mayGrow: boolean }
  /** Too much waits already. */
  | { readonly kind: 'busy' }

export interface ImportReport {
  /** Blocks that are now in the tree and were not before. */
  readonly added: number
  /** The last of the blocks given that is in the tree. */
  readonly last: Hash | null
  readonly stop: ImportStop | null
}

