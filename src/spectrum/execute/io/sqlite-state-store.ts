/**
 * Trie nodes in a SQLite file of their own. A block's nodes are one commit, on disk when it returns
 * (synchronous=FULL over a write-ahead log): a crash leaves the state before the block or after it. Pruning marks
 * in memory, one bit per node, and deletes in small commits; a crash leaves garbage for the next time, never a hole.
 */
import Database from 'better-sqlite3'
import { existsSync, renameSync } from 'node:fs'
import { MeshBoxError, asError } from '../../../base/index.ts'
import { HASH_BYTES, bytesOf, hexOf } from '../../codec/fields.ts'
import type { Hash } from '../../codec/fields.ts'
import type { PruneWork, Pruned, StateStore } from '../state-store.ts'

export interface StateFileOptions {
  readonly path: string
  /** Of better-sqlite3's addon; undefined: where npm put it. */
  readonly nativeBinding?: string | undefined
  /**
   * States written last that pruning keeps whoever forgets to name them: of blocks that were run, but not yet taken into
   * the chain by the time it was asked. Default 256.
   */
  readonly keepYoungest?: number | undefined
}

/** Of a SQLite file in WAL mode. */
const FILE_ENDINGS = ['', '-wal', '-shm']
const SCHEMA_VERSION = 1
const PAGE_BYTES = 4096
/** Nodes are kept decoded above it; this is for the index and for pruning. Pages that came in stay until it is full. */
const WRITER_CACHE_KIB = 2048
const READER_CACHE_KIB = 1024
const LOCK_WAIT_MS = 5000
const CHECKPOINT_PAGES = 1000
/** What one step of pruning looks at: a few milliseconds on a small board. */
const MARK_NODES = 500
const SWEEP_NODES = 1000
const KEEP_YOUNGEST = 256
/** A row is never used twice, so that nodes written while pruning runs are never among those looked at before. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS nodes (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, data BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS states (seq INTEGER PRIMARY KEY AUTOINCREMENT, root BLOB NOT NULL UNIQUE) STRICT;
`

interface NodeRow {
  readonly id: number
  readonly data: Buffer
}

class SqliteStateStore implements StateStore {
  readonly #db: Database.Database
  readonly #selectNode: Database.Statement<[Uint8Array], NodeRow>
  readonly #selectState: Database.Statement<[Uint8Array], unknown>
  readonly #insertNode: Database.Statement<[Uint8Array, Uint8Array], unknown>
  readonly #insertState: Database.Statement<[Uint8Array], unknown>
  readonly #keepYoungest: number
  #marks: Marks | null = null

  constructor(db: Database.Database, keepYoungest: number) {
    this.#db = db
    this.#keepYoungest = keepYoungest
    this.#selectNode = db.prepare('SELECT id, data FROM nodes WHERE hash = ?')
    this.#selectState = db.prepare('SELECT 1 FROM states WHERE root = ?')
    this.#insertNode = db.prepare('INSERT INTO nodes (hash, data) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING')
    this.#insertState = db.prepare('INSERT OR REPLACE INTO states (root) VALUES (?)')
  }

  node(hash: Hash): Uint8Array | undefined {
    return translated(() => plain(this.#selectNode.get(bytesOf(hash))?.data))
  }

  hasState(root: Hash): boolean {
    return translated(() => this.#selectState.get(bytesOf(root)) !== undefined)
  }

  write(nodes: ReadonlyMap<Hash, Uint8Array>, state: Hash | null): void {
    translated(() =>
      this.#db
        .transaction(() => {
          for (const [hash, data] of nodes) {
            const key = bytesOf(hash)
            // A node that is there already may be one that pruning is about to delete.
            if (this.#insertNode.run(key, data).changes === 0) this.#marks?.add(this.#selectNode.get(key)?.id ?? 0)
          }
          if (state !== null) this.#insertState.run(bytesOf(state))
        })
        .immediate(),
    )
  }

  startPruning(keep: readonly Hash[], children: (node: Uint8Array) => readonly Hash[]): PruneWork {
    // First of all no doomed state can be built on: all that is written from now on stands on a kept one.
    const roots = translated(() => this.#forgetStates(keep))
    const { last } = this.#db.prepare<[], { last: number | null }>('SELECT max(id) AS last FROM nodes').get() ?? { last: null }
    const marks = new Marks(last ?? 0)
    this.#marks = marks
    const waiting = [...roots]
    let swept = 0
    let isDone = false
    const mark = (): void => {
      for (let looked = 0; looked < MARK_NODES; looked++) {
        const hash = waiting.pop()
        if (hash === undefined) return
        const row = this.#selectNode.get(hash)
        if (row === undefined || marks.has(row.id)) continue // not kept here, or seen already
        marks.add(row.id)
        for (const child of children(row.data)) waiting.push(bytesOf(child))
      }
    }
    const sweep = this.#db.transaction((): Pruned => {
      const rows = this.#db.prepare<[number, number, number], { id: number; bytes: number }>('SELECT id, length(data) + ? AS bytes FROM nodes WHERE id > ? ORDER BY id LIMIT ?').all(HASH_BYTES, swept, SWEEP_NODES)
      const doomed = rows.filter(({ id }) => id <= marks.last && !marks.has(id))
      const remove = this.#db.prepare<[number]>('DELETE FROM nodes WHERE id = ?')
      for (const { id } of doomed) remove.run(id)
      swept = rows.at(-1)?.id ?? marks.last
      return { nodes: doomed.length, bytes: doomed.reduce((sum, { bytes }) => sum + bytes, 0) }
    })
    return {
      step: () => {
        if (isDone) return null
        if (this.#marks !== marks) throw new MeshBoxError('conflict', 'another pruning has begun', { code: 'prune-superseded' })
        if (waiting.length > 0) {
          translated(mark)
          return { nodes: 0, bytes: 0 }
        }
        if (swept < marks.last) return translated(() => sweep.immediate())
        isDone = true
        this.#marks = null
        return null
      },
    }
  }

  /** The roots that stay. */
  #forgetStates(keep: readonly Hash[]): Uint8Array[] {
    const names = new Set(keep)
    this.#db
      .transaction(() => {
        const all = this.#db.prepare<[], { root: Buffer }>('SELECT root FROM states ORDER BY seq DESC').all()
        for (const { root } of all.splice(0, this.#keepYoungest)) names.add(hexOf(root))
        const remove = this.#db.prepare<[Uint8Array]>('DELETE FROM states WHERE root = ?')
        for (const { root } of all) if (!names.has(hexOf(root))) remove.run(root)
      })
      .immediate()
    return [...names].map(bytesOf)
  }

  close(): void {
    this.#db.close()
  }
}

const MARKS_BITS = 15
const MARKS_BYTES = 1 << (MARKS_BITS - 3)

/** Which of the nodes that were there at the start are needed: a bit for each row, in pieces, for most old rows are gone. */
class Marks {
  readonly last: number
  readonly #pieces = new Map<number, Uint8Array>()

  constructor(last: number) {
    this.last = last
  }

  add(id: number): void {
    if (id > this.last) return
    const place = Math.floor(id / 2 ** MARKS_BITS)
    const piece = this.#pieces.get(place) ?? new Uint8Array(MARKS_BYTES)
    this.#pieces.set(place, piece)
    const bit = id % 2 ** MARKS_BITS
    piece[bit >> 3] = (piece[bit >> 3] ?? 0) | (1 << (bit & 7))
  }

  has(id: number): boolean {
    const bit = id % 2 ** MARKS_BITS
    return ((this.#pieces.get(Math.floor(id / 2 ** MARKS_BITS))?.[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }
}

/**
 * The one writer of the file. One that SQLite cannot read is set aside as `….damaged`, and a new one begun: all that was
 * in it can be got back (recovery.ts). Errors: unavailable `state-io`; input `path` for a file of another kind.
 */
export function openStateStore(options: StateFileOptions): StateStore {
  try {
    return openWriter(options)
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
    for (const ending of FILE_ENDINGS) if (existsSync(options.path + ending)) renameSync(options.path + ending, `${options.path}.damaged${ending}`)
    return openWriter(options)
  }
}

function isDamage(thrown: unknown): boolean {
  const cause = thrown instanceof MeshBoxError ? thrown.cause : thrown
  return cause instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(cause.code)
}

function openWriter(options: StateFileOptions): StateStore {
  return translated(() => {
    const db = open(options, false)
    try {
      db.pragma(`page_size = ${PAGE_BYTES}`)
      db.pragma('journal_mode = WAL')
      db.pragma('synchronous = FULL')
      db.pragma(`cache_size = -${WRITER_CACHE_KIB}`)
      db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
      db.pragma(`journal_size_limit = ${2 * CHECKPOINT_PAGES * PAGE_BYTES}`)
      const version = db.pragma('user_version', { simple: true })
      if (version !== 0 && version !== SCHEMA_VERSION) throw new MeshBoxError('input', `${options.path} is of version ${String(version)}`, { code: 'state-version', field: 'path', value: options.path, allowed: `a state file of version ${SCHEMA_VERSION}` })
      db.exec(SCHEMA)
      db.pragma(`user_version = ${SCHEMA_VERSION}`)
      return new SqliteStateStore(db, options.keepYoungest ?? KEEP_YOUNGEST)
    } catch (thrown) {
      db.close()
      throw thrown
    }
  })
}

export interface StateReader {
  node(hash: Hash): Uint8Array | undefined
  hasState(root: Hash): boolean
  close(): void
}

/** Reads beside the writer, from another thread or process. The file must be there. */
export function openStateReader(options: StateFileOptions): StateReader {
  return translated(() => {
    const db = open(options, true)
    db.pragma(`cache_size = -${READER_CACHE_KIB}`)
    const node = db.prepare<[Uint8Array], { data: Buffer }>('SELECT data FROM nodes WHERE hash = ?')
    const state = db.prepare<[Uint8Array], unknown>('SELECT 1 FROM states WHERE root = ?')
    return {
      node: (hash) => translated(() => plain(node.get(bytesOf(hash))?.data)),
      hasState: (root) => translated(() => state.get(bytesOf(root)) !== undefined),
      close: () => db.close(),
    }
  })
}

function open({ path, nativeBinding }: StateFileOptions, readonly: boolean): Database.Database {
  return new Database(path, { readonly, fileMustExist: readonly, timeout: LOCK_WAIT_MS, ...(nativeBinding === undefined ? {} : { nativeBinding }) })
}

/** Not a Buffer: others compare what they get. */
function plain(data: Buffer | undefined): Uint8Array | undefined {
  return data === undefined ? undefined : new Uint8Array(data.buffer, data.byteOffset, data.length)
}

function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (!(thrown instanceof Database.SqliteError)) throw thrown
    throw new MeshBoxError('unavailable', `the state file: ${asError(thrown).message}`, { code: 'state-io', cause: thrown })
  }
}
