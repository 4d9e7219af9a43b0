/**
 * Elements of nf_tables sets and maps, and named quotas, over the kernel's own netlink protocol: no process is
 * started and no text is parsed. Tables, chains and rules are not made here, that is nft's work. Source: the
 * kernel's <linux/netfilter/nf_tables.h>; traps and layouts: docs/nfnetlink.md.
 *
 * Keys and values are the bytes the kernel compares. Network order for addresses and ports, the machine's own
 * order for `meta priority`, marks and interface indexes; each field of a concatenation is padded to 4 bytes.
 * nfnetlink-keys.ts makes them.
 *
 * Numbers are whole. Counters and quotas above 2^53 - 1 come rounded.
 */
import { MeshBoxError } from '../base/index.ts'

export const NF_FAMILIES = ['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev'] as const
export type NfFamily = (typeof NF_FAMILIES)[number]

/** Longest key or value, in bytes (the kernel's NFT_DATA_VALUE_MAXLEN). */
export const MAX_NF_DATA_BYTES = 64
/** Longest name of a table, set, object or chain. */
export const MAX_NF_NAME_BYTES = 255
/** Elements and objects in one commit. */
export const MAX_NF_COMMIT_ITEMS = 262_144

export interface NfTable {
  readonly family: NfFamily
  readonly table: string
}

export interface NfSet extends NfTable {
  /** A set or a map. */
  readonly set: string
}

export interface NfCounter {
  readonly packets: number
  readonly bytes: number
}

export interface NfQuotaState {
  readonly bytes: number
  /** The kernel never shows more than `bytes`. */
  readonly usedBytes: number
  /** True: matches when more than `bytes` are used (`over`). False: matches until then. */
  readonly isOver: boolean
}

export interface NfQuota extends NfQuotaState {
  readonly name: string
}

/** An element to add. A set declared with `counter` gives each element one; `counter` here sets where it starts. */
export interface NfNewElement {
  readonly key: Uint8Array
  /** Maps of data: the bytes. */
  readonly value?: Uint8Array
  /** Maps of objects: the object's name. */
  readonly object?: string
  /**
   * Milliseconds, from 1; missing: the set's own. Below 10 it is set to 10: less than a tick of the kernel's
   * clock is "for ever" to some kernels.
   */
  readonly timeoutMs?: number
  readonly counter?: NfCounter
  readonly quota?: NfQuotaState
  /** Sets of intervals of concatenations: the last key of the range. */
  readonly keyEnd?: Uint8Array
  /** Sets of intervals of one field: this key is the first one outside. */
  readonly isIntervalEnd?: boolean
}

export interface NfDoomedElement {
  readonly key: Uint8Array
  readonly keyEnd?: Uint8Array
  readonly isIntervalEnd?: boolean
}

/**
 * What a commit does, in this order. `isExclusive`: what is there already is refused (EEXIST) instead of left
 * as it is. Adding an element that is there changes nothing of it (its timeout since Linux 6.12); a map's
 * element with another value is refused (EEXIST). Adding a quota that is there sets its limit and keeps its
 * count. Deleting what is not there is refused (ENOENT).
 */
export type NfChange =
  | ({ readonly op: 'add-elements'; readonly elements: readonly NfNewElement[]; readonly isExclusive?: boolean } & NfSet)
  | ({ readonly op: 'delete-elements'; readonly elements: readonly NfDoomedElement[] } & NfSet)
  | ({ readonly op: 'flush-set' } & NfSet)
  | ({ readonly op: 'add-quota'; readonly quota: NfQuota; readonly isExclusive?: boolean } & NfTable)
  | ({ readonly op: 'delete-quota'; readonly name: string } & NfTable)

export interface NfElement {
  readonly key: Uint8Array
  /** Last key of a range of concatenations, else null. */
  readonly keyEnd: Uint8Array | null
  /** Maps of data, else null. Verdicts are not told. */
  readonly value: Uint8Array | null
  /** Maps of objects: the object's name, else null. */
  readonly object: string | null
  /** Rounded down to the kernel's clock tick (4 to 10 ms). Null: none, or the set's own. */
  readonly timeoutMs: number | null
  /** Milliseconds left; null: it does not run out. */
  readonly expiresMs: number | null
  readonly counter: NfCounter | null
  readonly quota: NfQuotaState | null
  readonly isIntervalEnd: boolean
  /** The element that stands for every key not in the set; its key is empty. */
  readonly isCatchAll: boolean
}

export type NfEventKind = 'table' | 'chain' | 'rule' | 'set' | 'element' | 'object' | 'flowtable'

/**
 * Changes come in the order they were committed, and behind those of one transaction its `generation`. An
 * element that runs out makes no event.
 */
export type NfEvent =
  | {
      readonly kind: NfEventKind
      readonly change: 'new' | 'deleted'
      /** Null: a family this file does not know. */
      readonly family: NfFamily | null
      readonly table: string
      /** Of the chain, set, object or flow table; of a rule, its chain; of a table, empty. */
      readonly name: string
      /** For `element`: with what it had counted last, when deleted. */
      readonly element: NfElement | null
      /** For an `object` that is a quota. */
      readonly quota: NfQuota | null
      /** Made by a commit of this very Nfnetlink. */
      readonly isOwn: boolean
    }
  /** The kernel says by itself that a quota is used up. `family` is that of the packet, not of the table. */
  | { readonly kind: 'quota-used-up'; readonly family: NfFamily | null; readonly table: string; readonly quota: NfQuota }
  /**
   * End of a transaction. `pid` and `processName`: the thread that made it, as the kernel saw it (0 and empty: not
   * told). For a program of one thread, such as nft, that is its process id; for ourselves look at `isOwn`.
   */
  | { readonly kind: 'generation'; readonly id: number; readonly pid: number; readonly processName: string; readonly isOwn: boolean }

export interface NfWatcher {
  onEvents(events: readonly NfEvent[]): void
  /** Events were lost: anything may have happened. The watch goes on. */
  onLost(): void
}

export interface NfWatchOptions {
  /** Leave out what this Nfnetlink commits itself; saves their decoding. Default: false. */
  readonly skipOwn?: boolean
  /** How much the kernel keeps for us until we read it; beyond, events are lost. Default: 2 MiB. */
  readonly bufferBytes?: number
}

/**
 * One network namespace's nf_tables. Needs CAP_NET_ADMIN there.
 *
 * Errors of all: NfRefused when the kernel says no (nothing was changed); `unavailable` `nft-unknown` when it
 * cannot be told whether a commit was done; `unavailable` `nfnetlink-closed` after close. Wrong arguments are
 * `input` and name the field. All of them reject; only `watch` throws.
 */
export interface Nfnetlink {
  /** One transaction: all of it or nothing. Commits are done in the order they were asked for. No changes: nothing is done. */
  commit(changes: readonly NfChange[]): Promise<void>
  /** All elements of a set or map. While others change the set, an element may come twice or be missed. */
  dumpElements(set: NfSet): Promise<NfElement[]>
  /** All named quotas of a table; none when the table is missing. */
  dumpQuotas(table: NfTable): Promise<NfQuota[]>
  /** Number of the current generation: it grows with every transaction of anybody. */
  generation(): Promise<number>
  /**
   * Listens from when this returns. The function ends it: nothing is told after. Several watches may be open; none
   * keeps the process alive. What the watcher throws is an uncaught exception. Errors: `nfnetlink-unusable`.
   */
  watch(watcher: NfWatcher, options?: NfWatchOptions): () => void
  /** Ends all watches; what was asked for before is still answered, what comes after is refused. */
  close(): Promise<void>
}

export interface NfnetlinkOptions {
  /** Path of the network namespace to work in, such as /run/netns/x; null or missing: the process's own. */
  readonly namespacePath?: string | null
}

export interface NfnetlinkDoor {
  /** Errors: `unavailable` `nfnetlink-unusable` (no such namespace, no netfilter netlink in this kernel). */
  open(options?: NfnetlinkOptions): Nfnetlink
}

/** The kernel refused: nothing of it was done. */
export class NfRefused extends MeshBoxError {
  /** Such as ENOENT; `E` and the number for one without a name here. */
  readonly errno: string
  /** Index in the commit's changes of the first that was refused; null for a dump, or if the whole was. */
  readonly changeIndex: number | null
  /** Index in that change's elements, where the kernel tells. */
  readonly elementIndex: number | null

  /** `what` was to be done, as in `the kernel refused to …`; `words`: what the kernel said itself, if anything. */
  constructor(what: string, errno: string, changeIndex: number | null, elementIndex: number | null, words = '') {
    super('unavailable', `the kernel refused to ${what}: ${errno}${words === '' ? '' : ` (${words})`}`, { code: 'nft-refused', value: errno })
    this.errno = errno
    this.changeIndex = changeIndex
    this.elementIndex = elementIndex
  }
}
