/**
 * Group commit. Turns that were queued in the same event-loop turn share one BEGIN IMMEDIATE … COMMIT, each
 * in its own savepoint: one fdatasync for all of them, and a body that throws takes nothing with it but its
 * own writes. While a group commits, the next one forms; no timer is needed.
 *
 * If a body meets a machine fault (see sqlite-error.ts), whether or not it catches it, or if the COMMIT
 * fails, every turn of the group rejects and nothing of it remains.
 */
import { MeshBoxError } from '../base/index.ts'
import type { Log } from '../base/index.ts'
import type { TurnConnection } from './connection.ts'
import { isMachineFault, ioError, translateSqliteError } from './sqlite-error.ts'
import { OpenTx } from './transaction.ts'
import type { Tx } from './types.ts'

/** Waiting turns are closures in memory: more than this means that the disk does not keep up. */
const MAX_QUEUED_TURNS = 10_000
/** What waited for a slow disk comes at once: a group ends where it has kept the event loop for this long, or a guest's page waits for all of it. */
const MAX_GROUP_TURNS = 256
const MAX_GROUP_CPU_MS = 20

interface Turn {
  readonly body: (tx: Tx) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

type Outcome =
  | { readonly turn: Turn; readonly ok: true; readonly result: unknown; readonly wrote: boolean }
  | { readonly turn: Turn; readonly ok: false; readonly error: unknown }

export interface TurnCounts {
  readonly turns: number
  readonly commits: number
  readonly failedCommits: number
}

export class TurnQueue {
  readonly #connection: TurnConnection
  readonly #path: string
  readonly #log: Log
  readonly #cpuMs: () => number
  #queue: Turn[] = []
  /** Of the group that runs. */
  readonly #group: OpenTx[] = []
  /** Of groups whose rollback failed: until the next one succeeds, readers see what they wrote. */
  readonly #left: OpenTx[] = []
  #scheduled = false
  #running = false
  #closed = false
  #turns = 0
  #commits = 0
  #failedCommits = 0
  /** After an I/O error in COMMIT, frames of the refused group may lie whole behind the end of the WAL. */
  #walTailUncertain = false
  #failing = false

  /** `cpuMs`: processor time used so far, in ms; of a machine that does other things the clock would make groups of one. */
  constructor(connection: TurnConnection, path: string, log: Log, cpuMs: () => number = ownCpuMs) {
    this.#connection = connection
    this.#path = path
    this.#log = log
    this.#cpuMs = cpuMs
  }

  /** True while a body runs: the only moment at which the connection shows uncommitted rows. */
  get isRunning(): boolean {
    return this.#running
  }

  get counts(): TurnCounts {
    return { turns: this.#turns, commits: this.#commits, failedCommits: this.#failedCommits }
  }

  add<T>(body: (tx: Tx) => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError())
    if (this.#queue.length >= MAX_QUEUED_TURNS)
      return Promise.reject(
        new MeshBoxError('limit', `${MAX_QUEUED_TURNS} actions wait to be stored; try again in a moment`, { code: 'store-busy', retryAfterSeconds: 1 }),
      )
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ body, resolve: (result) => resolve(result as T), reject })
      this.#schedule()
    })
  }

  /** Refuses new turns and commits the waiting ones. */
  async drain(): Promise<void> {
    this.#closed = true
    while (this.#queue.length > 0 || this.#running) {
      await new Promise((next) => setImmediate(next))
      if (!this.#running) this.#runGroup()
    }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#runGroup()
      if (this.#queue.length > 0) this.#schedule()
    })
  }

  #runGroup(): void {
    const group = this.#queue.splice(0, MAX_GROUP_TURNS)
    if (group.length === 0) return
    this.#running = true
    let outcomes: Outcome[]
    try {
      outcomes = this.#commitGroup(group)
    } catch (thrown) {
      const error = translateSqliteError(thrown, this.#path)
      this.#giveUp(error)
      for (const tx of this.#group) tx.undo()
      if (this.#connection.inTransaction) this.#left.push(...this.#group)
      outcomes = group.map((turn) => ({ turn, ok: false, error }))
    } finally {
      this.#running = false
      this.#group.length = 0
    }
    for (const outcome of outcomes) {
      if (outcome.ok) outcome.turn.resolve(outcome.result)
      else outcome.turn.reject(outcome.error)
    }
  }

  /** Throws when the group as a whole failed. */
  #commitGroup(group: Turn[]): Outcome[] {
    this.#settleWalTail()
    // Left open only if an earlier rollback failed too.
    if (this.#connection.inTransaction) this.#connection.rollback()
    for (const tx of this.#left.splice(0)) tx.undo()
    this.#connection.begin()
    const outcomes = this.#runTurns(group)
    try {
      this.#connection.commit()
    } catch (thrown) {
      const error = translateSqliteError(thrown, this.#path)
      this.#walTailUncertain = isMachineFault(error) && error.code !== 'store-full' && error.code !== 'store-locked'
      throw error
    }
    this.#turns += outcomes.filter((outcome) => outcome.ok).length
    // A group that only read committed nothing, and proves nothing about the disk.
    if (!outcomes.some((outcome) => outcome.ok && outcome.wrote)) return outcomes
    this.#commits++
    if (this.#failing) {
      this.#failing = false
      this.#log.info('the database stores again')
    }
    return outcomes
  }

  /** As many as there is time for; the rest is the next group's beginning. */
  #runTurns(group: Turn[]): Outcome[] {
    const outcomes: Outcome[] = []
    const end = this.#cpuMs() + MAX_GROUP_CPU_MS
    for (const turn of group) {
      outcomes.push(this.#runTurn(turn))
      if (outcomes.length < group.length && this.#cpuMs() >= end) {
        this.#queue.unshift(...group.splice(outcomes.length))
        break
      }
    }
    return outcomes
  }

  #runTurn(turn: Turn): Outcome {
    const tx = new OpenTx(this.#connection, this.#path)
    this.#group.push(tx)
    this.#connection.openSavepoint()
    let error: unknown
    try {
      const result = turn.body(tx)
      tx.end()
      if (isThenable(result)) throw asyncBodyError(result)
      if (tx.fault === null) {
        this.#connection.releaseSavepoint()
        return { turn, ok: true, result, wrote: tx.wrote }
      }
      error = tx.fault
    } catch (thrown) {
      error = tx.fault ?? thrown
    }
    tx.end()
    // SQLite has ended the whole transaction by now, or nobody knows what of it is still true.
    if (tx.fault !== null) throw tx.fault
    this.#connection.rollbackSavepoint()
    tx.undo()
    return { turn, ok: false, error }
  }

  #giveUp(error: Error): void {
    this.#failedCommits++
    const firstOfSpell = !this.#failing
    this.#failing = true
    let cleanUp: unknown
    try {
      if (this.#connection.inTransaction) this.#connection.rollback()
      this.#settleWalTail()
    } catch (thrown) {
      // Both are tried again before the next group; until they succeed every group is refused.
      cleanUp = translateSqliteError(thrown, this.#path)
    }
    // A full disk under load fails many groups a second: one line says it.
    if (firstOfSpell) this.#log.error('the database does not store', { error, cleanUp })
  }

  /**
   * If fdatasync failed, the refused group's frames may nevertheless reach the disk, and a crash right now
   * would bring them back to life. Copying what is committed into the file and cutting the WAL to nothing
   * makes "rejected" final.
   */
  #settleWalTail(): void {
    if (!this.#walTailUncertain) return
    try {
      this.#connection.truncateWal()
    } catch (thrown) {
      throw ioError(this.#path, 'after an earlier failure the write-ahead log still cannot be settled', thrown)
    }
    this.#walTailUncertain = false
  }
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

export function closedError(): MeshBoxError {
  return new MeshBoxError('unavailable', 'the database is closed; the service is stopping', { code: 'store-closed' })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

function asyncBodyError(result: PromiseLike<unknown>): MeshBoxError {
  // The body's own promise is abandoned; the turn's rejection is what the caller sees.
  result.then(undefined, () => undefined)
  return new MeshBoxError('internal', 'the body of a turn returned a promise; it must do its work before it returns', { code: 'turn-async' })
}
