/**
 * Reads netlink's events: which transactions of strangers touched our tables, and which quotas are used up. The
 * counterpart of monitor.ts. Our own commits are not among the events; `ownPids` are processes that work for us.
 */
import type { KernelEvent } from './kernel-sets.ts'
import { GARDEN4, GARDEN6, TABLE } from './names.ts'
import type { NetlinkEvent } from './netlink.ts'

export class NetlinkEventReader {
  /** First change of the running transaction that touched a table of ours. */
  #touched: string | null = null
  #transactions = 0

  /** Transactions seen since the start, our own commits not counted. */
  get transactions(): number {
    return this.#transactions
  }

  read(event: NetlinkEvent, ownPids: ReadonlySet<number>): KernelEvent | null {
    if (event.kind === 'quota-used-up') {
      return event.table === TABLE ? { kind: 'quota-used', quota: event.quota.name, totalBytes: event.quota.bytes } : null
    }
    if (event.kind === 'generation') {
      if (event.isOwn) return null
      this.#transactions++
      const what = this.#touched
      this.#touched = null
      return what === null || ownPids.has(event.pid) ? null : { kind: 'tampered', what }
    }
    if (event.isOwn) return null
    if (event.kind === 'flowtable') return { kind: 'flowtable' }
    const isOurTable = event.table === TABLE && (event.family === 'inet' || event.family === 'bridge')
    // dnsmasq puts what it resolves into the garden.
    const isGarden = event.kind === 'element' && event.change === 'new' && (event.name === GARDEN4 || event.name === GARDEN6)
    if (isOurTable && !isGarden) this.#touched ??= `${event.change} ${event.kind} in ${event.family} ${TABLE} ${event.name}`.trimEnd()
    return null
  }
}
