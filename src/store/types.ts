/**
 * The unit of work. One input is one turn: everything the turn wrote is on disk when its promise
 * resolves, or nothing of it ever was.
 */
export type SqlValue = string | number | bigint | Uint8Array | null

export interface ReadTx {
  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined
  all<Row>(sql: string, ...params: readonly SqlValue[]): Row[]
}

export interface Tx extends ReadTx {
  /** Number of rows changed. */
  run(sql: string, ...params: readonly SqlValue[]): number
  /** The new row's rowid. */
  insert(sql: string, ...params: readonly SqlValue[]): number
  /** Called when nothing of this turn remains: its body throws after all, or the commit fails. For who keeps in memory what the turn wrote. Must not throw. */
  onUndone(forget: () => void): void
}

/** Forward-only; applied once, in the order given, each in its own transaction. */
export interface Migration {
  /** Room and running number, e.g. `hotspot-001`. Never changed once released. */
  readonly id: string
  readonly sql: string
}

export interface StoreStats {
  readonly turns: number
  readonly commits: number
  readonly failedCommits: number
  readonly fileBytes: number
  readonly walBytes: number
}

export interface Store {
  /**
   * Runs `body` in the next group commit and resolves with its result after that commit is on disk
   * (WAL, synchronous=FULL). Turns that are ready together share one commit. A body that throws is rolled
   * back alone and rejects alone. If the commit fails, every turn of the group rejects with a
   * MeshBoxError `unavailable` and nothing of it remains. The body is synchronous, sees the writes of
   * the turns before it in the group, and must not keep `tx`. In-memory state may change only after the
   * promise resolves, but for copies of rows that `tx.onUndone` forgets.
   */
  turn<T>(body: (tx: Tx) => T): Promise<T>
  /** Reads committed rows now, outside any turn. */
  read<T>(body: (tx: ReadTx) => T): T
  /** Writes a consistent copy while running. Refuses an existing target. */
  backup(targetPath: string): Promise<{ bytes: number }>
  stats(): StoreStats
  /** Commits what is queued, checkpoints and closes. Turns after this reject. */
  close(): Promise<void>
}
