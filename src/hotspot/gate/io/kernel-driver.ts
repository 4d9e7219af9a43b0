/**
 * Who speaks to the kernel for the gate: netlink if it is there and works, else `nft`. Whole tables go through nft
 * either way; beside netlink it is a process for each, so that none is kept in memory. Netlink that cannot do
 * what nft can is given up until the next start, and the reason is told.
 */
import { asError, type Log, type Timers } from '../../../base/index.ts'
import type { Dump } from '../dump.ts'
import type { KernelSets } from '../kernel-sets.ts'
import type { Netlink } from '../netlink.ts'
import { nftCommands } from '../nft-text.ts'
import type { GateRules } from '../rules.ts'
import type { SetChange } from '../set-changes.ts'
import { KernelTables } from './kernel-tables.ts'
import { CONTENT_SETS, NetlinkFailed, NetlinkSets } from './netlink-sets.ts'
import { nftOneShot, startNft, type NftRunner } from './nft-runner.ts'
import { NOTHING, NftSets } from './nft-sets.ts'

const MOST_READINGS = 2

export interface DriverOptions {
  readonly rules: GateRules
  /** Null: there is no addon. */
  readonly openNetlink: (() => Netlink) | null
  /** `['nft']`, or with what goes before it. */
  readonly command: readonly string[]
  readonly runtimeDir: string
  readonly timers: Timers
  readonly log: Log
  /** Why it is not as good as it could be. */
  readonly onTrouble: (part: 'netlink' | 'nft', reason: string) => void
  /** `sets` and `nft` are others now. */
  readonly onChange: () => Promise<void>
}

export class KernelDriver {
  readonly tables: KernelTables
  readonly #options: DriverOptions
  #sets: KernelSets
  #nft: NftRunner

  private constructor(options: DriverOptions, sets: KernelSets, nft: NftRunner) {
    this.#options = options
    this.#sets = sets
    this.#nft = nft
    this.tables = new KernelTables(nft, options.rules, options.log)
  }

  /** Throws ProcessGone when there is no working nft either. */
  static async open(options: DriverOptions): Promise<KernelDriver> {
    const netlink = await openNetlink(options)
    if (netlink !== null) return new KernelDriver(options, netlink, await nftOneShot(options))
    const nft = await interactiveNft(options)
    return new KernelDriver(options, nftSets(options, nft), nft)
  }

  get sets(): KernelSets {
    return this.#sets
  }

  get nft(): NftRunner {
    return this.#nft
  }

  /** With our tables in the kernel: does the driver work? Throws when not even nft does. */
  async prove(): Promise<void> {
    if (this.#sets.driver === 'nft') return
    await this.commitSomehow(NOTHING)
    try {
      await this.#sets.counts(true)
    } catch (error) {
      await this.#leaveNetlink(asError(error).message)
    }
  }

  /** The last try. Throws NftRefused when the kernel wants it from nobody. */
  async commitSomehow(changes: readonly SetChange[]): Promise<void> {
    try {
      await this.#sets.commit(changes)
    } catch (error) {
      if (this.#sets.driver === 'nft') throw error
      await this.#nft.run(nftCommands(changes))
      await this.#leaveNetlink(asError(error).message)
    }
  }

  /** What a former life left; null when there is nothing. A box that was just switched on need not ask nft. */
  async readFormerLife(): Promise<Dump | null> {
    const contents = await this.#sets.contents().catch(() => null) // what is wrong with it, readTables finds out
    return contents !== null && contents.sets.size === 0 ? null : this.readTables()
  }

  /** Everything in our tables. Throws NftRefused or ProcessGone. */
  async readTables(): Promise<Dump> {
    let why = ''
    for (let tries = 0; this.#sets.driver !== 'nft' && tries < MOST_READINGS; tries++) {
      try {
        const contents = await this.#sets.contents()
        const structure = await this.tables.read(true)
        // A stranger may have put something in between; not every time.
        const unseen = CONTENT_SETS.find((set) => structure.sets.has(`inet ${set}`) && contents?.sets.has(`inet ${set}`) !== true)
        if (contents !== null && unseen === undefined) return { ...structure, ...contents }
        why = `it does not see ${String(unseen)}`
      } catch (error) {
        if (!(error instanceof NetlinkFailed)) throw error
        why = error.message
      }
    }
    const dump = await this.tables.read(false)
    if (this.#sets.driver !== 'nft') await this.#leaveNetlink(why)
    return dump
  }

  /** Is it sure that nobody touched the rules since the last look? */
  async isUntouched(): Promise<boolean> {
    try {
      return !(await this.#sets.mayHaveMissed())
    } catch {
      return false // it does not answer: the look itself finds out why
    }
  }

  async close(): Promise<void> {
    await this.#sets.close()
    await this.#nft.close()
  }

  async #leaveNetlink(why: string): Promise<void> {
    const old = this.#sets
    const nft = await interactiveNft(this.#options).catch((error: unknown) => {
      this.#options.log.warn('nft does not stay; each change starts a process', { error: asError(error) })
      return this.#nft
    })
    this.#options.onTrouble('netlink', withoutNetlink(why))
    this.#nft = nft
    this.#sets = nftSets(this.#options, nft)
    this.tables.use(nft)
    await this.#options.onChange()
    await old.close()
  }
}

async function openNetlink(options: DriverOptions): Promise<NetlinkSets | null> {
  if (options.openNetlink === null) {
    options.log.warn('the native nfnetlink addon is not installed; changes go through nft')
    return null
  }
  try {
    const sets = new NetlinkSets(options.openNetlink(), options.log)
    try {
      await sets.ping()
      return sets
    } catch (error) {
      await sets.close()
      throw error
    }
  } catch (error) {
    options.onTrouble('netlink', withoutNetlink(asError(error).message))
    return null
  }
}

async function interactiveNft(options: DriverOptions): Promise<NftRunner> {
  const nft = await startNft(options)
  if (nft.mode === 'one-shot') options.onTrouble('nft', 'nft has no interactive mode: each change starts a process')
  return nft
}

function nftSets({ command, timers, log }: DriverOptions, nft: NftRunner): NftSets {
  return new NftSets({ nft, command, timers, log })
}

function withoutNetlink(why: string): string {
  return `changes go through nft, because netlink cannot be used: ${why}`
}
