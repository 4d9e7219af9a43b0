/**
 * What the gate needs of nf_tables over netlink. The native room's Nfnetlink fits it; main.ts hands it in. Bytes
 * of keys and values are as the kernel compares them (netlink-elements.ts).
 */
export interface NetlinkSet {
  readonly family: 'inet' | 'bridge'
  readonly table: string
  readonly set: string
}

export type NetlinkTable = Omit<NetlinkSet, 'set'>

export interface NetlinkNewElement {
  readonly key: Uint8Array
  readonly value?: Uint8Array
  /** Name of a quota, in maps that lead to objects. */
  readonly object?: string
  readonly timeoutMs?: number
  readonly counter?: { readonly packets: number; readonly bytes: number }
}

export type NetlinkChange =
  | ({ readonly op: 'add-elements'; readonly elements: readonly NetlinkNewElement[] } & NetlinkSet)
  | ({ readonly op: 'delete-elements'; readonly elements: readonly { readonly key: Uint8Array }[] } & NetlinkSet)
  | ({ readonly op: 'flush-set' } & NetlinkSet)
  | ({ readonly op: 'add-quota'; readonly quota: NetlinkQuota & { readonly isOver: boolean } } & NetlinkTable)
  | ({ readonly op: 'delete-quota'; readonly name: string } & NetlinkTable)

export interface NetlinkElement {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  readonly object: string | null
  readonly expiresMs: number | null
  readonly counter: { readonly packets: number; readonly bytes: number } | null
}

export interface NetlinkQuota {
  readonly name: string
  readonly bytes: number
  readonly usedBytes: number
}

/** Changes come before the `generation` that ends their transaction. */
export type NetlinkEvent =
  | {
      readonly kind: 'table' | 'chain' | 'rule' | 'set' | 'element' | 'object' | 'flowtable'
      readonly change: 'new' | 'deleted'
      readonly family: string | null
      readonly table: string
      readonly name: string
      readonly isOwn: boolean
    }
  /** The kernel says so by itself, without a transaction. */
  | { readonly kind: 'quota-used-up'; readonly table: string; readonly quota: NetlinkQuota }
  | { readonly kind: 'generation'; readonly pid: number; readonly isOwn: boolean }

export interface NetlinkWatcher {
  onEvents(events: readonly NetlinkEvent[]): void
  onLost(): void
}

export interface Netlink {
  /** One transaction, all or nothing; rejects with an error that may carry the kernel's `errno` (`ENOENT`). */
  commit(changes: readonly NetlinkChange[]): Promise<void>
  dumpElements(set: NetlinkSet): Promise<readonly NetlinkElement[]>
  dumpQuotas(table: NetlinkTable): Promise<readonly NetlinkQuota[]>
  /** Grows with every transaction of anybody, by one. */
  generation(): Promise<number>
  /** Listens from when this returns, until the function is called. */
  watch(watcher: NetlinkWatcher, options: { readonly skipOwn: boolean }): () => void
  close(): Promise<void>
}
