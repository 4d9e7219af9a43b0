/**
 * What is in our sets in the kernel, whoever speaks to it: a driver changes and reads them, and hears of what
 * others change. Two drivers, one behaviour: netlink (io/netlink-sets.ts) and `nft` (io/nft-sets.ts). Whole tables
 * are put in and recognised by io/kernel-tables.ts, with either.
 */
import type { Counts } from './counts.ts'
import type { Contents } from './dump.ts'
import type { SetChange } from './set-changes.ts'

/** Sets that only rules fill, for the service to read. */
export type FindingSet = 'forged' | 'doubled' | 'borrowed6'

export interface KernelSets {
  readonly driver: 'netlink' | 'nft'
  /** One transaction: all of it or, when it throws, nothing; with a process lost on the way that is not known. */
  commit(changes: readonly SetChange[]): Promise<void>
  /** Counters of devices and, if asked for, what each quota has counted. */
  counts(withQuotas: boolean): Promise<Counts>
  /** Keys of a set, their fields joined as nft writes them, `a . b`. */
  findings(set: FindingSet): Promise<readonly string[]>
  /** Elements and quotas of the `inet` table; null where only a dump of the whole table has them. */
  contents(): Promise<Contents | null>
  /** Does the kernel answer? Changes nothing. */
  ping(): Promise<void>
  /** Could somebody have changed the kernel's rules since they were last found in order, without our hearing of it? */
  mayHaveMissed(): Promise<boolean>
  /** Whoever looks at the rules calls this before, and what it gives if they are in order. Until then nothing is sure. */
  beginLook(): Promise<() => void>
  /** What others do. `ownPids`: processes whose transactions are ours. */
  events(ownPids: ReadonlySet<number>, onEvent: (event: KernelEvent) => void): KernelEvents
  close(): Promise<void>
}

/** What others did to our tables, and what the kernel says by itself. */
export type KernelEvent =
  /** Somebody else changed one of our tables; `what` is the first of it in words. */
  | { readonly kind: 'tampered'; readonly what: string }
  | { readonly kind: 'quota-used'; readonly quota: string; readonly totalBytes: number }
  /** A flow table came or went, anybody's. */
  | { readonly kind: 'flowtable' }
  /** Events were lost: anything may have happened. */
  | { readonly kind: 'overrun' }

export interface KernelEvents {
  readonly isListening: boolean
  /** Begins to listen, if that takes time; before the tables are there. */
  open(): void
  /** Resolves when nothing that happens from now on is missed (or it cannot be had: the regular looks go on without it). */
  start(): Promise<void>
  stop(): void
}
