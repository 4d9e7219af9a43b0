/**
 * The kernel's sets over netlink: the gate's first driver. No process, no text; what others change is heard as
 * events. It keeps account of transactions: when the kernel's count is the sum of our own and those heard of,
 * nothing was missed and nobody has to look at the rules.
 */
import { asError, type Log } from '../../../base/index.ts'
import type { Count, Counts } from '../counts.ts'
import type { Contents, DumpedElement, DumpedQuota } from '../dump.ts'
import type { FindingSet, KernelEvent, KernelEvents, KernelSets } from '../kernel-sets.ts'
import { BOOK_SETS, GARDEN4, GARDEN6, PAID, TABLE } from '../names.ts'
import { NetlinkEventReader } from '../netlink-events.ts'
import { dumpedElement, keyText, netlinkChanges, netlinkSet, readHandle } from '../netlink-elements.ts'
import type { Netlink, NetlinkElement, NetlinkEvent } from '../netlink.ts'
import type { SetChange, SetName } from '../set-changes.ts'

/** The kernel or the addon did not do what was asked; a refused transaction changed nothing. */
export class NetlinkFailed extends Error {
  override readonly name = 'NetlinkFailed'
  /** The kernel's own name, such as ENOENT; null when it did not speak. */
  readonly errno: string | null

  constructor(what: string, cause: unknown) {
    super(`${what}: ${asError(cause).message}`, { cause })
    const errno: unknown = typeof cause === 'object' && cause !== null && 'errno' in cause ? cause.errno : null
    this.errno = typeof errno === 'string' ? errno : null
  }
}

/** What the book is compared with, and what is carried over to new tables. */
export const CONTENT_SETS: readonly SetName[] = [...BOOK_SETS, PAID, 'owner6', GARDEN4, GARDEN6]
/** A reading that others' transactions cut through is made again. */
const MOST_READINGS = 4

export class NetlinkSets implements KernelSets {
  readonly driver = 'netlink'
  readonly #netlink: Netlink
  readonly #log: Log
  readonly #reader = new NetlinkEventReader()
  #unwatch: (() => void) | null = null
  #commits = 0
  /** The kernel's generation at the look that found all in order, and how many transactions were ours and heard of by then. */
  #account: { readonly generation: number; readonly known: number } | null = null
  #looks = 0

  constructor(netlink: Netlink, log: Log) {
    this.#netlink = netlink
    this.#log = log
  }

  async commit(changes: readonly SetChange[]): Promise<void> {
    if (changes.length === 0) return
    try {
      await this.#netlink.commit(netlinkChanges(changes))
      this.#commits++
    } catch (error) {
      throw new NetlinkFailed('netlink', error)
    }
  }

  counts(withQuotas: boolean): Promise<Counts> {
    return this.#steady(async () => {
      const [up, down, quotas] = await Promise.all([this.#dump('bytes_up'), this.#dump('bytes_down'), withQuotas ? this.#quotas() : null])
      return { up: countsOf(up), down: countsOf(down), quotaUsed: new Map([...(quotas ?? [])].map(([name, quota]) => [name, quota.usedBytes])) }
    })
  }

  async findings(set: FindingSet): Promise<readonly string[]> {
    return (await this.#dump(set)).map((element) => keyText(set, element.key))
  }

  /** Without the sets that are not there. */
  contents(): Promise<Contents> {
    return this.#steady(async () => {
      const sets = new Map<string, readonly DumpedElement[]>()
      for (const set of CONTENT_SETS) {
        const elements = await this.#dumpIfThere(set)
        if (elements !== null) sets.set(`inet ${set}`, elements.map((element) => dumpedElement(set, element)))
      }
      return { sets, quotas: await this.#quotas() }
    })
  }

  async ping(): Promise<void> {
    await this.#generation()
  }

  async close(): Promise<void> {
    this.#unwatch?.()
    this.#unwatch = null
    await this.#netlink.close()
  }

  async beginLook(): Promise<() => void> {
    this.#account = null
    const look = ++this.#looks
    const account = { generation: await this.#generation(), known: this.#known() }
    return () => {
      // Events lost, or another look begun meanwhile: this one says nothing any more.
      if (look === this.#looks && this.#unwatch !== null) this.#account = account
    }
  }

  /** Was any transaction not heard of since the last look? */
  async mayHaveMissed(): Promise<boolean> {
    const account = this.#account
    if (account === null) return true
    const generation = await this.#generation()
    return ((generation - account.generation) >>> 0) !== this.#known() - account.known
  }

  events(ownPids: ReadonlySet<number>, onEvent: (event: KernelEvent) => void): KernelEvents {
    const isListening = (): boolean => this.#unwatch !== null
    return {
      get isListening() {
        return isListening()
      },
      open: () => undefined,
      start: () => this.#listen(ownPids, onEvent),
      stop: () => {
        this.#unwatch?.()
        this.#unwatch = null
        this.#disown()
      },
    }
  }

  #listen(ownPids: ReadonlySet<number>, onEvent: (event: KernelEvent) => void): Promise<void> {
    const onEvents = (events: readonly NetlinkEvent[]): void => {
      for (const event of events) {
        const told = this.#reader.read(event, ownPids)
        if (told !== null) onEvent(told)
      }
    }
    const onLost = (): void => {
      this.#disown()
      onEvent({ kind: 'overrun' })
    }
    try {
      this.#unwatch ??= this.#netlink.watch({ onEvents, onLost }, { skipOwn: true })
    } catch (error) {
      this.#log.warn('netlink does not tell of changes', { error: asError(error) })
    }
    return Promise.resolve()
  }

  #known(): number {
    return this.#commits + this.#reader.transactions
  }

  /** Nothing is sure until the next look. */
  #disown(): void {
    this.#account = null
    this.#looks++
  }

  /** The same reading again while transactions cut through it: the kernel's dump may then miss elements. */
  async #steady<T>(read: () => Promise<T>): Promise<T> {
    for (let reading = 1; ; reading++) {
      const before = await this.#generation()
      const result = await read()
      if (reading === MOST_READINGS || (await this.#generation()) === before) return result
    }
  }

  async #quotas(): Promise<Map<string, DumpedQuota>> {
    try {
      const quotas = await this.#netlink.dumpQuotas({ family: 'inet', table: TABLE })
      return new Map(quotas.map((quota) => [quota.name, { totalBytes: quota.bytes, usedBytes: quota.usedBytes }]))
    } catch (error) {
      throw new NetlinkFailed('quotas', error)
    }
  }

  async #dump(set: SetName): Promise<readonly NetlinkElement[]> {
    try {
      return await this.#netlink.dumpElements(netlinkSet(set))
    } catch (error) {
      throw new NetlinkFailed(`elements of ${set}`, error)
    }
  }

  async #dumpIfThere(set: SetName): Promise<readonly NetlinkElement[] | null> {
    try {
      return await this.#dump(set)
    } catch (error) {
      if (error instanceof NetlinkFailed && error.errno === 'ENOENT') return null
      throw error
    }
  }

  async #generation(): Promise<number> {
    try {
      return await this.#netlink.generation()
    } catch (error) {
      throw new NetlinkFailed('netlink does not answer', error)
    }
  }
}

function countsOf(elements: readonly NetlinkElement[]): Map<number, Count> {
  return new Map(elements.map((element) => [readHandle(element.key), element.counter ?? { packets: 0, bytes: 0 }]))
}
