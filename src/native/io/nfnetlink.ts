/**
 * Nfnetlink on the native addon (native/nfnetlink). Small commits are done inside the call, which takes some
 * microseconds; large ones and all dumps beside the loop, on libuv's pool. Where there is no addon there is no
 * stand-in here: the gate then works through nft.
 */
import { isAbsolute } from 'node:path'
import { constants } from 'node:os'
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import { ChangeWriter, checkPlace, readElementFrames, readEventFrames, readQuotaFrames } from '../nfnetlink-frames.ts'
import { NfRefused } from '../nfnetlink.ts'
import type { NfChange, NfElement, NfQuota, NfSet, NfTable, NfWatchOptions, NfWatcher, Nfnetlink, NfnetlinkDoor } from '../nfnetlink.ts'
import { loadAddon } from './load-addon.ts'

interface Failure {
  /** False: nobody knows whether it was done. */
  readonly isKnown: boolean
  readonly errno: number
  /** -1: not told. */
  readonly change: number
  readonly element: number
  readonly text: string
}

/** What native/nfnetlink/addon.cc exports. It checks every argument itself, with plainer errors. */
interface Addon {
  open(namespacePath: string | null): number
  commit(session: number, changes: Uint8Array): Failure | null
  commitInPool(session: number, changes: Uint8Array): Promise<Failure | null>
  dumpElementsInPool(session: number, family: number, table: string, set: string): Promise<Uint8Array | Failure>
  dumpQuotasInPool(session: number, family: number, table: string): Promise<Uint8Array | Failure>
  generation(session: number): number | Failure
  watch(session: number, onFrames: (frames: Uint8Array, isLost: boolean) => void, skipsOwn: boolean, bufferBytes: number): number
  unwatch(session: number, watch: number): void
  close(session: number): void
}

const FUNCTIONS: Readonly<Record<keyof Addon, true>> = {
  open: true,
  commit: true,
  commitInPool: true,
  dumpElementsInPool: true,
  dumpQuotasInPool: true,
  generation: true,
  watch: true,
  unwatch: true,
  close: true,
}

/** More elements than these go through the pool: on a router they would hold up the loop for milliseconds. */
const MOST_IN_THE_CALL = 200
const EVENT_BUFFER_BYTES = 2 * 1024 * 1024
const MAX_EVENT_BUFFER_BYTES = 64 * 1024 * 1024
const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/**
 * The addon at this absolute path; null for null: there is no other way of doing this here.
 * Errors: input `path`; unavailable `addon-unusable`.
 */
export function loadNfnetlink(path: string | null): NfnetlinkDoor | null {
  if (path === null) return null
  const addon = loadAddon(path, Object.keys(FUNCTIONS)) as unknown as Addon
  return {
    open({ namespacePath = null } = {}) {
      if (namespacePath !== null && (!isAbsolute(namespacePath) || namespacePath.includes('\0') || namespacePath.length > 1024))
        throw inputError('namespacePath', namespacePath, 'an absolute path of at most 1024 characters, or null')
      return new AddonNfnetlink(addon, attempt(() => addon.open(namespacePath)))
    },
  }
}

class AddonNfnetlink implements Nfnetlink {
  readonly #addon: Addon
  readonly #session: number
  readonly #writer = new ChangeWriter()
  readonly #commits = new Lane()
  readonly #reads = new Lane()
  readonly #stops = new Set<() => void>()
  #closing: Promise<void> | null = null

  constructor(addon: Addon, session: number) {
    this.#addon = addon
    this.#session = session
  }

  async commit(changes: readonly NfChange[]): Promise<void> {
    this.#checkOpen()
    const bytes = this.#writer.write(changes)
    const items = this.#writer.items
    if (items === 0) return
    const isLarge = items > MOST_IN_THE_CALL
    if (this.#commits.isIdle && !isLarge) return settle(this.#addon.commit(this.#session, bytes), changes)
    const copy = bytes.slice() // the writer's memory is used again, and what is asked for must not change while it waits
    const commit = (): Promise<Failure | null> | Failure | null => (isLarge ? this.#inPool(copy) : this.#addon.commit(this.#session, copy))
    settle(await this.#commits.run(commit), changes)
  }

  #inPool(changes: Uint8Array): Promise<Failure | null> {
    try {
      return this.#addon.commitInPool(this.#session, changes)
    } catch (error) {
      // The writer makes nothing that is malformed.
      if (error instanceof RangeError) throw inputError('changes', `${changes.length} bytes of them`, 'what fits into 32 MiB of messages')
      throw error
    }
  }

  async dumpElements(set: NfSet): Promise<NfElement[]> {
    this.#checkOpen()
    const family = checkPlace(set)
    const frames = await this.#reads.run(() => this.#addon.dumpElementsInPool(this.#session, family, set.table, set.set))
    return readElementFrames(framesOr(frames, `list ${set.family} ${set.table} ${set.set}`))
  }

  async dumpQuotas(table: NfTable): Promise<NfQuota[]> {
    this.#checkOpen()
    const family = checkPlace({ family: table.family, table: table.table })
    const frames = await this.#reads.run(() => this.#addon.dumpQuotasInPool(this.#session, family, table.table))
    return readQuotaFrames(framesOr(frames, `list the quotas of ${table.family} ${table.table}`))
  }

  async generation(): Promise<number> {
    this.#checkOpen()
    const answer = await this.#reads.run(() => this.#addon.generation(this.#session))
    if (typeof answer !== 'number') throw refusal(answer, 'tell its generation')
    return answer
  }

  watch(watcher: NfWatcher, { skipOwn = false, bufferBytes = EVENT_BUFFER_BYTES }: NfWatchOptions = {}): () => void {
    this.#checkOpen()
    if (!Number.isInteger(bufferBytes) || bufferBytes < 1 || bufferBytes > MAX_EVENT_BUFFER_BYTES) throw inputError('bufferBytes', bufferBytes, `a whole number from 1 to ${MAX_EVENT_BUFFER_BYTES}`)
    let isOn = true
    const onFrames = (frames: Uint8Array, isLost: boolean): void => {
      if (frames.length > 0) watcher.onEvents(readEventFrames(frames))
      if (isLost && isOn) watcher.onLost() // what is told may have ended the watch
    }
    const watch = attempt(() => this.#addon.watch(this.#session, onFrames, skipOwn, bufferBytes))
    const stop = (): void => {
      if (!isOn) return
      isOn = false
      this.#stops.delete(stop)
      this.#addon.unwatch(this.#session, watch)
    }
    this.#stops.add(stop)
    return stop
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const stop of this.#stops) stop()
    await Promise.all([this.#commits.whenIdle(), this.#reads.whenIdle()])
    this.#addon.close(this.#session)
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new MeshBoxError('unavailable', 'this door to nf_tables is closed', { code: 'nfnetlink-closed' })
  }
}

/** One after the other, in the order they came. */
class Lane {
  #last: Promise<unknown> | null = null

  get isIdle(): boolean {
    return this.#last === null
  }

  async run<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const before = this.#last
    const mine = before === null ? Promise.resolve(work()) : before.then(work)
    const over = mine.then(
      () => undefined,
      () => undefined, // whoever asked has the rejection; the lane goes on
    )
    this.#last = over
    void over.then(() => {
      if (this.#last === over) this.#last = null
    })
    return mine
  }

  async whenIdle(): Promise<void> {
    while (this.#last !== null) await this.#last
  }
}

/** Errors: unavailable `nfnetlink-unusable`. */
function attempt<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new MeshBoxError('unavailable', `nf_tables cannot be reached: ${asError(error).message}`, { code: 'nfnetlink-unusable', cause: error })
  }
}

function framesOr(answer: Uint8Array | Failure, what: string): Uint8Array {
  if (answer instanceof Uint8Array) return answer
  throw refusal(answer, what)
}

function settle(failure: Failure | null, changes: readonly NfChange[]): void {
  if (failure === null) return
  if (!failure.isKnown) throw new MeshBoxError('unavailable', 'the kernel did not say whether it did the changes', { code: 'nft-unknown' })
  throw refusal(failure, describe(changes[failure.change]))
}

function refusal({ errno, change, element, text }: Failure, what: string): NfRefused {
  return new NfRefused(what, ERRNO_NAMES.get(errno) ?? `E${errno}`, change < 0 ? null : change, element < 0 ? null : element, text)
}

function describe(change: NfChange | undefined): string {
  if (change === undefined) return 'do the changes'
  const table = `${change.family} ${change.table}`
  switch (change.op) {
    case 'add-elements':
      return `add elements to ${table} ${change.set}`
    case 'delete-elements':
      return `delete elements of ${table} ${change.set}`
    case 'flush-set':
      return `flush ${table} ${change.set}`
    case 'add-quota':
      return `add quota ${table} ${change.quota.name}`
    case 'delete-quota':
      return `delete quota ${table} ${change.name}`
  }
}
