import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLog, silentLog } from '../../../src/base/index.ts'
import { Connection } from '../../../src/store/connection.ts'
import { openStore } from '../../../src/store/index.ts'
import { ROWS_MIGRATION, codeOf, ids, insert, openTestStore, temporaryFolder } from './open-test-store.ts'
import { WRITER_MIGRATION, wholeTurns } from './writer-schema.ts'

const WRITER = join(import.meta.dirname, 'turn-writer.ts')

/** A closed database with 400 rows. */
async function filledDatabase(): Promise<string> {
  const store = openTestStore()
  await Promise.all(Array.from({ length: 400 }, (_, id) => insert(store, id, `row ${id} `.repeat(20))))
  await store.close()
  return store.path
}

/** A database whose service was killed: file and write-ahead log. */
async function killedDatabase(): Promise<{ path: string; acknowledged: number[] }> {
  const path = join(temporaryFolder(), 'box.db')
  const child = spawn(process.execPath, [WRITER, path, '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'open') continue
    acknowledged.push(Number(line))
    if (acknowledged.length === 60) child.kill('SIGKILL')
  }
  return { path, acknowledged }
}

function filesOf(path: string): Record<string, string> {
  const folder = dirname(path)
  return Object.fromEntries(readdirSync(folder).map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')]))
}

function open(path: string): Promise<string> {
  return codeOf(() => openTestStore({ path }))
}

describe('a new database', () => {
  it('is made with its folder, for its owner only', async () => {
    const path = join(temporaryFolder(), 'var', 'meshbox', 'box.db')
    const store = openTestStore({ path })
    await insert(store, 1)
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is durable by the book: WAL, FULL, small pages, and no shared-memory file', async () => {
    const store = openTestStore()
    await insert(store, 1)
    expect(readdirSync(dirname(store.path)).sort()).toEqual(['box.db', 'box.db-wal'])
    const header = readFileSync(store.path)
    expect(header.readUInt16BE(16)).toBe(1024)
    expect([header[18], header[19]]).toEqual([2, 2])
    await store.close()
    const connection = new Connection(store.path, {})
    onTestFinished(() => connection.close())
    const setting = (name: string): unknown => connection.prepare(`SELECT * FROM pragma_${name}`).all()
    expect(setting('synchronous')).toEqual([{ synchronous: 2 }])
    expect(setting('journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(setting('locking_mode')).toEqual([{ locking_mode: 'exclusive' }])
    expect(setting('recursive_triggers')).toEqual([{ recursive_triggers: 1 }])
    expect(setting('foreign_keys')).toEqual([{ foreign_keys: 1 }])
    expect(setting('secure_delete')).toEqual([{ secure_delete: 2 }])
  })

  it('starts over when an earlier first start was cut off', async () => {
    const path = join(temporaryFolder(), 'box.db')
    writeFileSync(`${path}.new`, 'half a database')
    await insert(openTestStore({ path }), 1)
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  it('needs an absolute path', async () => {
    expect(await open('box.db')).toBe('bad-input')
    expect(await open(join('/', 'x'.repeat(5000)))).toBe('bad-input')
  })

  it('says so when the folder cannot be made', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(await open(join(folder, 'file', 'box.db'))).toBe('store-io')
  })
})

describe('an existing database', () => {
  it('is found as it was left', async () => {
    const path = await filledDatabase()
    expect(ids(openTestStore({ path }))).toHaveLength(400)
  })

  it('that others could read is closed to them, with a warning', async () => {
    const path = await filledDatabase()
    chmodSync(path, 0o644)
    const lines: string[] = []
    openTestStore({ path, log: createLog({ level: 'warn', style: 'syslog', now: () => 0, write: (line) => lines.push(line) }) })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(lines).toEqual([expect.stringContaining('modeBefore=644')])
  })

  it('whose service was killed comes back with every acknowledged turn', async () => {
    const { path, acknowledged } = await killedDatabase()
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
    const store = openTestStore({ path, migrations: [WRITER_MIGRATION] })
    const found = store.read(wholeTurns)
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
    await store.close()
    expect(readdirSync(dirname(path))).toEqual(['box.db'])
  })
})

describe('a database in use', () => {
  it('by another process is refused, and free once that process dies', async () => {
    const path = join(temporaryFolder(), 'box.db')
    const child = spawn(process.execPath, [WRITER, path, 'hold'], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(async () => openStore({ path, migrations: [WRITER_MIGRATION], log: silentLog })).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'store-locked',
      message: expect.stringContaining('another process'),
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    openTestStore({ path, migrations: [WRITER_MIGRATION] })
  })

  it('by this process is refused without letting go of it', async () => {
    const store = openTestStore()
    expect(await open(store.path)).toBe('store-locked')
    await store.backup(`${store.path}.copy`)
    const child = spawn(process.execPath, [WRITER, store.path, 'hold'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said: Buffer[] = []
    child.stderr.on('data', (data: Buffer) => said.push(data))
    await once(child, 'exit')
    expect(Buffer.concat(said).toString()).toContain('store-locked')
  })
})

describe('a damaged database is refused, says what to do, and stays as it is:', () => {
  const damages: Record<string, (path: string) => void> = {
    'empty file': (path) => writeFileSync(path, ''),
    'header only': (path) => truncateSync(path, 100),
    'cut in half': (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
    'not a database': (path) => writeFileSync(path, 'this is not SQLite '.repeat(500)),
    'one page of zeros': (path) => overwrite(path, 1024 * 3, Buffer.alloc(1024)),
    'noise over the tree': (path) => {
      for (let page = 2; page * 1024 < statSync(path).size; page += 3) overwrite(path, page * 1024, Buffer.alloc(12, 0xa5))
    },
    'noise over the schema': (path) => overwrite(path, 100, Buffer.alloc(200, 0x5a)),
  }

  it.each(Object.keys(damages))('%s', async (name) => {
    const path = await filledDatabase()
    damages[name]?.(path)
    const before = filesOf(path)
    await expect(async () => openTestStore({ path })).rejects.toMatchObject({ kind: 'unavailable', code: 'store-damaged', message: expect.stringContaining(`move ${path}`) })
    expect(filesOf(path)).toEqual(before)
  })

  it('with the log of the killed service beside it', async () => {
    const { path } = await killedDatabase()
    overwrite(path, 0, Buffer.alloc(1024, 0xff))
    const before = filesOf(path)
    expect(Object.keys(before)).toContain('box.db-wal')
    expect(await codeOf(() => openTestStore({ path, migrations: [WRITER_MIGRATION] }))).toBe('store-damaged')
    expect(filesOf(path)).toEqual(before)
  })

  it('log without a database', async () => {
    const { path } = await killedDatabase()
    copyFileSync(`${path}-wal`, `${path}2-wal`)
    expect(await codeOf(() => openTestStore({ path: `${path}2`, migrations: [WRITER_MIGRATION] }))).toBe('store-damaged')
    expect(existsSync(`${path}2`)).toBe(false)
    expect(readFileSync(`${path}2-wal`).equals(readFileSync(`${path}-wal`))).toBe(true)
  })

  it('folder or link in its place', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'a.db'))
    symlinkSync(await filledDatabase(), join(folder, 'b.db'))
    expect(await open(join(folder, 'a.db'))).toBe('bad-input')
    expect(await open(join(folder, 'b.db'))).toBe('bad-input')
  })
})

describe('a file that is not for us', () => {
  it('another program\'s database is left alone', async () => {
    const path = join(temporaryFolder(), 'other.db')
    const other = new Database(path)
    other.exec('CREATE TABLE theirs (x)')
    other.close()
    const before = filesOf(path)
    expect(await open(path)).toBe('store-foreign')
    expect(filesOf(path)).toEqual(before)
  })

  it('a backup put beside the log of the old database is not mixed with it', async () => {
    const { path } = await killedDatabase()
    const backup = `${path}.backup`
    const other = openTestStore({ path: join(temporaryFolder(), 'other.db'), migrations: [WRITER_MIGRATION] })
    await other.backup(backup)
    copyFileSync(backup, path)
    expect(await codeOf(() => openTestStore({ path, migrations: [WRITER_MIGRATION] }))).toBe('store-foreign-log')
  })
})

describe('a backup put in place', () => {
  it('is as it was when the power went while it was being taken into use', async () => {
    const source = openTestStore()
    await Promise.all(Array.from({ length: 300 }, (_, id) => insert(source, id, 'original '.repeat(40))))
    const path = join(temporaryFolder(), 'box.db')
    await source.backup(path)
    // A transaction with a rollback journal that has reached the file in part, as a power cut would leave it.
    const cut = `
      const db = new (require('better-sqlite3'))(process.argv[1])
      db.pragma('cache_size = 5')
      db.exec("BEGIN; UPDATE rows SET body = 'torn'")
      process.kill(process.pid, 'SIGKILL')`
    const child = spawn(process.execPath, ['-e', cut, path], { stdio: 'inherit', cwd: import.meta.dirname })
    await once(child, 'exit')
    expect(statSync(`${path}-journal`).size).toBeGreaterThan(0)
    const store = openTestStore({ path })
    expect(store.read((tx) => tx.get<{ n: number }>("SELECT count(*) AS n FROM rows WHERE body LIKE 'original %'"))).toEqual({ n: 300 })
  })
})

function overwrite(path: string, at: number, bytes: Buffer): void {
  const whole = readFileSync(path)
  bytes.copy(whole, at)
  writeFileSync(path, whole)
}

describe('migrations', () => {
  const second = { id: 'test-002', sql: 'ALTER TABLE rows ADD COLUMN more TEXT;' }

  it('are applied once, in order, and later ones on the next start', async () => {
    const path = await filledDatabase()
    const store = openTestStore({ path, migrations: [ROWS_MIGRATION, second] })
    expect(store.read((tx) => tx.get<{ more: null }>('SELECT more FROM rows LIMIT 1'))).toEqual({ more: null })
    await store.close()
    openTestStore({ path, migrations: [ROWS_MIGRATION, second] })
  })

  it('of a newer version are not understood and not touched', async () => {
    const path = await filledDatabase()
    await openTestStore({ path, migrations: [ROWS_MIGRATION, second] }).close()
    const before = filesOf(path)
    await expect(async () => openTestStore({ path })).rejects.toMatchObject({ kind: 'conflict', code: 'store-newer', message: expect.stringContaining("'test-002'") })
    expect(filesOf(path)).toEqual(before)
  })

  it('must not be changed afterwards', async () => {
    const path = await filledDatabase()
    const changed = { ...ROWS_MIGRATION, sql: `${ROWS_MIGRATION.sql} -- tidied up` }
    expect(await codeOf(() => openTestStore({ path, migrations: [changed] }))).toBe('store-migration-changed')
  })

  it('must have different names', async () => {
    expect(await codeOf(() => openTestStore({ migrations: [ROWS_MIGRATION, ROWS_MIGRATION] }))).toBe('store-migration-changed')
  })

  it('that fail leave the file at the last good one', async () => {
    const path = await filledDatabase()
    const broken = { id: 'test-003', sql: 'CREATE TABLE third (x); INSERT INTO third VALUES (1); INSERT INTO nowhere VALUES (1);' }
    await expect(async () => openTestStore({ path, migrations: [ROWS_MIGRATION, second, broken] })).rejects.toMatchObject({
      code: 'store-migration-failed',
      message: expect.stringContaining('test-003'),
    })
    const store = openTestStore({ path, migrations: [ROWS_MIGRATION, second] })
    expect(store.read((tx) => tx.all("SELECT name FROM sqlite_schema WHERE name = 'third'"))).toEqual([])
    expect(ids(store)).toHaveLength(400)
  })
})

describe('the SQLite addon', () => {
  it('is named when it cannot be loaded', async () => {
    await expect(async () => openTestStore({ nativeBinding: join(temporaryFolder(), 'missing.node') })).rejects.toMatchObject({
      code: 'store-addon',
      message: expect.stringContaining('missing.node'),
    })
  })
})
