/** The kernel's sets through `nft`: the driver where the netlink addon is missing or does not work. */
import { NO_COUNTS, readCounts, type Counts } from '../counts.ts'
import { readDump, readElements } from '../dump.ts'
import type { Log, Timers } from '../../../base/index.ts'
import { asError } from '../../../base/index.ts'
import type { FindingSet, KernelEvent, KernelEvents, KernelSets } from '../kernel-sets.ts'
import { PAID, TABLE } from '../names.ts'
import { nftCommands } from '../nft-text.ts'
import { shapeOf, type SetChange } from '../set-changes.ts'
import { NftMonitor } from './nft-monitor.ts'
import type { NftRunner } from './nft-runner.ts'

/** A handle that no device has comes and goes. */
export const NOTHING: readonly SetChange[] = [
  { do: 'add', set: PAID, elements: [{ key: [1], timeoutMs: 1000 }] },
  { do: 'delete', set: PAID, elements: [{ key: [1] }] },
]

export interface NftSetsOptions {
  readonly nft: NftRunner
  /** For the monitor. */
  readonly command: readonly string[]
  readonly timers: Timers
  readonly log: Log
}

export class NftSets implements KernelSets {
  readonly driver = 'nft'
  readonly #options: NftSetsOptions
  readonly #nft: NftRunner

  constructor(options: NftSetsOptions) {
    this.#options = options
    this.#nft = options.nft
  }

  commit(changes: readonly SetChange[]): Promise<void> {
    return this.#nft.run(nftCommands(changes))
  }

  async counts(withQuotas: boolean): Promise<Counts> {
    const [up, down, quotas] = await Promise.all([
      this.#nft.list(`set inet ${TABLE} bytes_up`),
      this.#nft.list(`set inet ${TABLE} bytes_down`),
      withQuotas ? this.#nft.list(`quotas table inet ${TABLE}`) : null,
    ])
    const quotaUsed = quotas === null ? NO_COUNTS.quotaUsed : new Map([...readDump([quotas]).quotas].map(([key, quota]) => [key, quota.usedBytes]))
    return { up: readCounts(readElements(up)), down: readCounts(readElements(down)), quotaUsed }
  }

  async findings(set: FindingSet): Promise<readonly string[]> {
    return readElements(await this.#nft.list(`set ${shapeOf(set).family} ${TABLE} ${set}`)).map((element) => element.key)
  }

  contents(): Promise<null> {
    return Promise.resolve(null)
  }

  ping(): Promise<void> {
    return this.#nft.ping()
  }

  /** The monitor may be between two lives. */
  mayHaveMissed(): Promise<boolean> {
    return Promise.resolve(true)
  }

  beginLook(): Promise<() => void> {
    return Promise.resolve(() => undefined)
  }

  events(ownPids: ReadonlySet<number>, onEvent: (event: KernelEvent) => void): KernelEvents {
    const { command, timers, log } = this.#options
    const speak = (): Promise<void> => this.commit(NOTHING).catch((error: unknown) => log.warn('nft refused to do nothing', { error: asError(error) }))
    return new NftMonitor({ command, timers, ownPids, onEvent, speak })
  }

  close(): Promise<void> {
    return Promise.resolve() // its nft is the driver's
  }
}
