import { execFileSync } from 'node:child_process'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLog, silentLog } from '../../../src/base/index.ts'
import type { Log } from '../../../src/base/index.ts'
import { Connection } from '../../../src/store/connection.ts'
import type { TurnConnection } from '../../../src/store/connection.ts'
import { TurnQueue } from '../../../src/store/turn-queue.ts'
import { ROWS_MIGRATION, codeOf, ids, insert, openTestStore, temporaryFolder } from './open-test-store.ts'

const isRoot = process.getuid?.() === 0

/** A disk of 1 MiB. Needs root; `make test` runs as root. */
function smallDisk(): string {
  const folder = temporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'meshbox-test', folder])
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder])
  })
  return folder
}

function fill(folder: string): string {
  const filler = join(folder, 'filler')
  let bytes = Buffer.alloc(64 * 1024)
  for (;;) {
    try {
      writeFileSync(filler, bytes, { flag: 'a' })
    } catch (thrown) {
      if (bytes.length === 512) return filler
      bytes = bytes.subarray(0, bytes.length / 2)
      expect(thrown).toMatchObject({ code: 'ENOSPC' })
    }
  }
}

function collectingLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'info', style: 'syslog', now: () => 0, write: (line) => lines.push(line) }) }
}

describe.each(isRoot ? ['full device', 'size limit'] : ['size limit'])('no room left (%s)', (kind) => {
  /** A store that has just run full, how to make room, and how it said so. */
  async function fullStore(): Promise<{ store: ReturnType<typeof openTestStore>; acknowledged: number[]; makeRoom: () => Promise<unknown>; lines: string[] }> {
    const { log, lines } = collectingLog()
    const folder = kind === 'full device' ? smallDisk() : temporaryFolder()
    const store = openTestStore({ path: join(folder, 'box.db'), log, ...(kind === 'size limit' ? { maxBytes: 300_000 } : {}) })
    const acknowledged: number[] = []
    await insert(store, 0, 'ballast '.repeat(2000))
    const filler = kind === 'full device' ? fill(folder) : null
    for (let id = 1; ; id++) {
      const code = await codeOf(() => insert(store, id, 'x'.repeat(700)))
      if (code === 'none') acknowledged.push(id)
      else {
        expect(code).toBe('store-full')
        break
      }
    }
    const makeRoom = async (): Promise<unknown> => (filler === null ? store.turn((tx) => tx.run('DELETE FROM rows WHERE id = 0')) : rmSync(filler))
    return { store, acknowledged, makeRoom, lines }
  }

  it('rejects every turn that needs room, with a clear error, and keeps nothing of it', async () => {
    const { store, acknowledged } = await fullStore()
    const refused = await Promise.allSettled([1, 2, 3, 4].map((n) => insert(store, 100_000 + n, 'y'.repeat(5000))))
    for (const outcome of refused)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', code: 'store-full', message: expect.stringContaining(store.path) } })
    expect(ids(store)).toEqual([0, ...acknowledged])
  })

  it('goes on by itself when there is room again, and everything acknowledged is there after a restart', async () => {
    const { store, acknowledged, makeRoom } = await fullStore()
    await makeRoom()
    await Promise.all([insert(store, 200_001, 'z'.repeat(700)), insert(store, 200_002, 'z'.repeat(700))])
    const expected = [...ids(store).filter((id) => id === 0), ...acknowledged, 200_001, 200_002]
    expect(ids(store)).toEqual(expected)
    await store.close()
    expect(ids(openTestStore({ path: store.path }))).toEqual(expected)
  })

  it('fails the turn even if its body caught the error', async () => {
    const { store, acknowledged } = await fullStore()
    const code = await codeOf(() =>
      store.turn((tx) => {
        tx.run('INSERT INTO rows VALUES (300001, ?)', 'small')
        try {
          tx.run('INSERT INTO rows VALUES (300002, ?)', 'b'.repeat(900_000))
        } catch (thrown) {
          return `shrugged off ${String(thrown)}`
        }
        return 'fits'
      }),
    )
    expect(code).toBe('store-full')
    expect(ids(store)).toEqual([0, ...acknowledged])
  })

  it('still reads', async () => {
    const { store } = await fullStore()
    expect(store.read((tx) => tx.get<{ n: number }>('SELECT length(body) AS n FROM rows WHERE id = 0'))).toEqual({ n: 16_000 })
  })
})

describe('a turn that alone is too large', () => {
  it('fails with its group, wholly, and the next group is well', async () => {
    const store = openTestStore({ maxBytes: 200_000 })
    const outcomes = await Promise.allSettled([insert(store, 1), insert(store, 2, 'x'.repeat(400_000)), insert(store, 3)])
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store-full' } })
    expect(ids(store)).toEqual([])
    await insert(store, 4)
    expect(ids(store)).toEqual([4])
  })
})

describe('a full device', () => {
  it('is said once in the log, not once per turn', async () => {
    const { log, lines } = collectingLog()
    const disk = new FailingConnection(newDatabase())
    const queue = new TurnQueue(disk, 'box.db', log)
    disk.failCommits = 'SQLITE_FULL'
    for (let n = 0; n < 20; n++) {
      expect(await codeOf(() => queue.add((tx) => tx.run('INSERT INTO rows VALUES (?, ?)', n, 'x')))).toBe('store-full')
      // A turn that only reads succeeds, and says nothing about room.
      disk.failCommits = null
      await queue.add((tx) => tx.get('SELECT 1'))
      disk.failCommits = 'SQLITE_FULL'
    }
    disk.failCommits = null
    await queue.add((tx) => tx.run('INSERT INTO rows VALUES (1, ?)', 'x'))
    expect(lines.map((line) => line.replace(/ error=.*/, ''))).toEqual(['<3>error meshbox: the database does not store', '<6>info meshbox: the database stores again'])
    expect(queue.counts).toEqual({ turns: 21, commits: 1, failedCommits: 20 })
  })
})

describe('turns that take long', () => {
  it('are put into several groups, in their order, and the failure of one group is not that of the next', async () => {
    const disk = new FailingConnection(newDatabase())
    let cpuMs = 0
    const queue = new TurnQueue(disk, 'box.db', silentLog, () => cpuMs)
    const seen: number[] = []
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) =>
        queue.add((tx) => {
          seen.push(n)
          cpuMs += 8
          disk.failCommits = n === 5 ? 'SQLITE_FULL' : null // the last of the second group: 3, 4, 5
          tx.run('INSERT INTO rows VALUES (?, ?)', n, 'x')
          return n
        }),
      ),
    )
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, false, false, true, true, true, true])
    expect(queue.counts).toEqual({ turns: 7, commits: 3, failedCommits: 1 })
  })
})

/** A real database whose COMMIT, ROLLBACK or checkpoint fails as a dying flash chip would make them fail. */
class FailingConnection implements TurnConnection {
  failCommits: string | null = null
  failRollbacks = false
  failTruncation = false
  truncations = 0
  readonly #real: Connection

  constructor(real: Connection) {
    this.#real = real
  }
  get inTransaction(): boolean {
    return this.#real.inTransaction
  }
  begin(): void {
    this.#real.begin()
  }
  commit(): void {
    if (this.failCommits) throw new Database.SqliteError('injected', this.failCommits)
    this.#real.commit()
  }
  rollback(): void {
    if (this.failRollbacks) throw new Database.SqliteError('injected', 'SQLITE_IOERR_READ')
    this.#real.rollback()
  }
  openSavepoint(): void {
    this.#real.openSavepoint()
  }
  releaseSavepoint(): void {
    this.#real.releaseSavepoint()
  }
  rollbackSavepoint(): void {
    this.#real.rollbackSavepoint()
  }
  prepare(sql: string): ReturnType<Connection['prepare']> {
    return this.#real.prepare(sql)
  }
  truncateWal(): void {
    if (this.failTruncation) throw new Database.SqliteError('injected', 'SQLITE_IOERR_WRITE')
    this.truncations++
    this.#real.truncateWal()
  }
}

function newDatabase(): Connection {
  const path = join(temporaryFolder(), 'box.db')
  writeFileSync(path, '')
  const connection = new Connection(path, {})
  onTestFinished(() => connection.close())
  connection.exec(ROWS_MIGRATION.sql)
  return connection
}

function failingQueue(): { disk: FailingConnection; real: Connection; add: (id: number) => Promise<number>; count: () => number; undone: number[] } {
  const real = newDatabase()
  const undone: number[] = []
  const disk = new FailingConnection(real)
  const queue = new TurnQueue(disk, real.path, silentLog)
  return {
    disk,
    real,
    undone,
    add: (id) =>
      queue.add((tx) => {
        tx.onUndone(() => undone.push(id))
        return tx.run('INSERT INTO rows VALUES (?, ?)', id, 'x')
      }),
    count: () => (real.prepare('SELECT count(*) AS n FROM rows').get() as { n: number }).n,
  }
}

describe('a COMMIT that fails', () => {
  it.each([
    ['SQLITE_FULL', 'store-full'],
    ['SQLITE_IOERR_FSYNC', 'store-io'],
    ['SQLITE_IOERR_WRITE', 'store-io'],
    ['SQLITE_BUSY', 'store-locked'],
    ['SQLITE_CORRUPT', 'store-damaged'],
    ['SQLITE_NOMEM', 'store-io'],
    ['SQLITE_READONLY_DBMOVED', 'store-io'],
  ])('with %s rejects the whole group as %s and keeps nothing', async (fault, code) => {
    const { disk, add, count } = failingQueue()
    await add(1)
    disk.failCommits = fault
    const outcomes = await Promise.allSettled([add(2), add(3)])
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', code } })
    expect(count()).toBe(1)
    disk.failCommits = null
    await add(4)
    expect(count()).toBe(2)
  })

  it('at the fdatasync is made final: the log that may hold the refused group is emptied', async () => {
    const { disk, real, add } = failingQueue()
    await add(1)
    expect(statSync(`${real.path}-wal`).size).toBeGreaterThan(0)
    disk.failCommits = 'SQLITE_IOERR_FSYNC'
    expect(await codeOf(() => add(2))).toBe('store-io')
    expect(disk.truncations).toBe(1)
    expect(statSync(`${real.path}-wal`).size).toBe(0)
  })

  it('stays refused until the log could be emptied', async () => {
    const { disk, add, count } = failingQueue()
    disk.failCommits = 'SQLITE_IOERR_FSYNC'
    disk.failTruncation = true
    expect(await codeOf(() => add(1))).toBe('store-io')
    disk.failCommits = null
    expect(await codeOf(() => add(2))).toBe('store-io')
    disk.failTruncation = false
    await add(3)
    expect(count()).toBe(1)
  })

  it('with a ROLLBACK that fails too is rolled back before the next group', async () => {
    const { disk, add, count, undone } = failingQueue()
    disk.failCommits = 'SQLITE_FULL'
    disk.failRollbacks = true
    expect(await codeOf(() => add(1))).toBe('store-full')
    expect(undone).toEqual([1])
    disk.failCommits = null
    expect(await codeOf(() => add(2))).toBe('store-io')
    disk.failRollbacks = false
    await add(3)
    expect(count()).toBe(1)
    // Readers saw the row of the first until now.
    expect(undone).toEqual([1, 1])
  })
})
