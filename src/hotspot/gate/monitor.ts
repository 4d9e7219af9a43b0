/**
 * Reads what `nft monitor` prints, line by line: one line per change, then
 * `# new generation 917 by process 9927 (nft)` for the transaction as a whole. Tells which transactions of
 * strangers touched our tables, and which quotas the kernel reports as used up (those come without a
 * transaction, and nft 1.0.6 names their family wrongly).
 */
import type { KernelEvent } from './kernel-sets.ts'
import { GARDEN4, GARDEN6, TABLE } from './names.ts'

const CHANGE = /^(add|insert|replace|delete|flush|create|destroy|reset) (table|chain|rule|set|map|element|quota|counter|limit|flowtable|object) (?:inet|bridge|ip) (\S+)(?: (\S+))?/
const QUOTA = /^add quota \S+ (\S+) (\S+) \{ over (\d+)( \w+)? used (\d+)( \w+)? \}/
const GENERATION = /^# new generation \d+ by process (\d+)/
const LONGEST_SHOWN = 120

export class MonitorReader {
  /** First line of the running transaction that touched a table of ours. */
  #touched: string | null = null

  /** `ownPids`: processes whose transactions are ours. */
  read(line: string, ownPids: ReadonlySet<number>): KernelEvent | null {
    const generation = GENERATION.exec(line)
    if (generation) {
      const what = this.#touched
      this.#touched = null
      return what === null || ownPids.has(Number(generation[1])) ? null : { kind: 'tampered', what }
    }
    if (line.startsWith('# ERROR') || /lost/.test(line) && line.startsWith('#')) return { kind: 'overrun' }
    const quota = QUOTA.exec(line)
    if (quota && quota[1] === TABLE && quota[3] === quota[5] && quota[4] === quota[6]) {
      // Also printed when a quota is made with nothing left; the book knows the difference.
      return { kind: 'quota-used', quota: quota[2] ?? '', totalBytes: inBytes(quota[3], quota[4]) }
    }
    const change = CHANGE.exec(line)
    if (change && change[3] === TABLE && !isGardenElement(change)) this.#touched ??= line.slice(0, LONGEST_SHOWN)
    return null
  }
}

/** dnsmasq puts what it resolves into the garden. */
function isGardenElement(change: RegExpExecArray): boolean {
  return change[1] === 'add' && change[2] === 'element' && (change[4] === GARDEN4 || change[4] === GARDEN6)
}

/** nft shortens round numbers: `1 mbytes`. */
function inBytes(number: string | undefined, unit: string | undefined): number {
  const factor = { bytes: 1, kbytes: 1024, mbytes: 1024 ** 2, gbytes: 1024 ** 3 }[(unit ?? ' bytes').trim()] ?? 1
  return Number(number) * factor
}
