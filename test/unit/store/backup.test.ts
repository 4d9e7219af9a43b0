import { execFileSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { backupDatabase } from '../../../src/store/backup.ts'
import { Connection } from '../../../src/store/connection.ts'
import type { Store } from '../../../src/store/index.ts'
import { codeOf, ids, insert, openTestStore, temporaryFolder } from './open-test-store.ts'
import { WRITER_MIGRATION, wholeTurns } from './writer-schema.ts'

/** One turn of turn-writer.ts: shows if it was copied by halves. */
function writeTurn(store: Store, id: number): Promise<void> {
  return store.turn((tx) => {
    tx.run('INSERT INTO acknowledged VALUES (?, ?)', id, 'm'.repeat((id * 37) % 900))
    tx.run('UPDATE accounts SET balance = balance - ? WHERE id = ?', id % 13, id % 10)
    tx.run('UPDATE accounts SET balance = balance + ? WHERE id = ?', id % 13, (id * 7 + 3) % 10)
    tx.run('INSERT INTO parts VALUES (?, 1), (?, 2), (?, 3)', id, id, id)
  })
}

describe('a backup', () => {
  it('taken under write load is whole, holds everything acknowledged before it, and opens as a store', async () => {
    const store = openTestStore({ migrations: [WRITER_MIGRATION] })
    let next = 1
    for (; next <= 2000; next += 100) await Promise.all(Array.from({ length: 100 }, (_, n) => writeTurn(store, next + n)))
    const before = next - 1
    const target = join(temporaryFolder(), 'copy.db')
    let running = true
    const copying = store.backup(target).finally(() => (running = false))
    while (running) {
      await Promise.all([writeTurn(store, next), writeTurn(store, next + 1)])
      next += 2
    }
    const { bytes } = await copying
    expect(next).toBeGreaterThan(before + 3)
    expect(statSync(target).size).toBe(bytes)

    const plain = new Database(target, { readonly: true })
    expect(plain.pragma('integrity_check', { simple: true })).toBe('ok')
    plain.close()
    const copied = openTestStore({ path: target, migrations: [WRITER_MIGRATION] }).read(wholeTurns)
    expect(Math.max(...copied)).toBe(copied.size)
    expect(copied.size).toBeGreaterThanOrEqual(before)
    expect(store.read(wholeTurns).size).toBe(next - 1)
  })

  it('holds one moment, although every page of the file changes many times while it is copied', async () => {
    const store = openTestStore()
    const rewrite = (generation: number): Promise<number> => store.turn((tx) => tx.run("UPDATE rows SET body = ? || substr(body, 5)", String(generation).padStart(4, '0')))
    await store.turn((tx) => {
      for (let id = 0; id < 3000; id++) tx.run('INSERT INTO rows VALUES (?, ?)', id, `0000${'p'.repeat(900)}`)
    })
    const target = join(temporaryFolder(), 'copy.db')
    let running = true
    const copying = store.backup(target).finally(() => (running = false))
    let generation = 0
    while (running) await rewrite(++generation)
    await copying
    expect(generation).toBeGreaterThan(2)
    const generations = openTestStore({ path: target }).read((tx) => tx.all<{ generation: string }>('SELECT DISTINCT substr(body, 1, 4) AS generation FROM rows'))
    expect(generations).toHaveLength(1)
  })

  it('is given up when the log had to be emptied into the file meanwhile', async () => {
    const store = openTestStore()
    await insert(store, 1, 'x'.repeat(2_000_000))
    await store.close()
    const connection = new Connection(store.path, {})
    const source = openSync(store.path, 'r')
    onTestFinished(() => {
      connection.close()
      closeSync(source)
    })
    const target = join(temporaryFolder(), 'copy.db')
    const copying = backupDatabase(connection, source, target)
    while (readdirSync(dirname(target)).length === 0) await new Promise((next) => setImmediate(next))
    connection.truncateWal()
    await expect(copying).rejects.toMatchObject({ kind: 'unavailable', code: 'backup-disturbed' })
    expect(readdirSync(dirname(target))).toEqual([])
  })

  it('is one file for its owner only, without a log and without leftovers', async () => {
    const store = openTestStore()
    await insert(store, 1)
    const target = join(temporaryFolder(), 'copy.db')
    await store.backup(target)
    expect(readdirSync(dirname(target))).toEqual(['copy.db'])
    expect(statSync(target).mode & 0o777).toBe(0o600)
    expect(readFileSync(target).subarray(18, 20)).toEqual(Buffer.from([1, 1]))
  })

  it('put in the place of the database is the database', async () => {
    const store = openTestStore()
    await insert(store, 1)
    await store.backup(`${store.path}.backup`)
    await insert(store, 2)
    await store.close()
    copyFileSync(`${store.path}.backup`, store.path)
    const restored = openTestStore({ path: store.path })
    expect(ids(restored)).toEqual([1])
    await insert(restored, 3)
    expect(ids(restored)).toEqual([1, 3])
  })

  it('leaves the log bounded again afterwards', async () => {
    const store = openTestStore()
    await store.backup(`${store.path}.backup`)
    for (let id = 0; id < 6000; id += 200) await Promise.all(Array.from({ length: 200 }, (_, n) => insert(store, id + n, 'w'.repeat(600))))
    expect(store.stats().fileBytes).toBeGreaterThan(3_000_000)
    expect(store.stats().walBytes).toBeLessThan(2_200_000)
  })

  it('never replaces anything', async () => {
    const store = openTestStore()
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'taken'), 'precious')
    mkdirSync(join(folder, 'folder'))
    expect(await codeOf(() => store.backup(join(folder, 'taken')))).toBe('backup-exists')
    expect(await codeOf(() => store.backup(join(folder, 'folder')))).toBe('backup-exists')
    expect(await codeOf(() => store.backup(store.path))).toBe('backup-exists')
    expect(readFileSync(join(folder, 'taken'), 'utf8')).toBe('precious')
  })

  it.each(['copy.db', './copy.db', '', '/nowhere/at/all/copy.db', '/dev/null/copy.db', '/tmp/', `/${'x'.repeat(5000)}`, '/tmp/a\0b'])('refuses the target %j', async (target) => {
    const store = openTestStore()
    await expect(store.backup(target)).rejects.toMatchObject({ kind: 'input', code: 'bad-input', field: 'target' })
  })

  it('runs one at a time, and a closing store waits for it', async () => {
    const store = openTestStore()
    await insert(store, 1, 'x'.repeat(500_000))
    const target = join(temporaryFolder(), 'copy.db')
    const first = store.backup(target)
    expect(await codeOf(() => store.backup(`${target}2`))).toBe('backup-running')
    await store.close()
    await first
    expect(ids(openTestStore({ path: target }))).toEqual([1])
  })

  it('that cannot be written says why and can be tried again elsewhere', async () => {
    const store = openTestStore()
    await insert(store, 1)
    expect(await codeOf(() => store.backup('/proc/copy.db'))).toBe('backup-failed')
    await store.backup(join(temporaryFolder(), 'copy.db'))
  })

  // A small disk of its own needs root; `make test` runs as root.
  if (process.getuid?.() === 0)
    it('to a full device leaves nothing there', async () => {
      const store = openTestStore()
      await insert(store, 1, 'x'.repeat(500_000))
      const disk = smallDisk()
      expect(await codeOf(() => store.backup(join(disk, 'copy.db')))).toBe('backup-full')
      expect(readdirSync(disk)).toEqual([])
    })
})

function smallDisk(): string {
  const folder = temporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=0700', 'meshbox-test', folder])
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder])
  })
  return folder
}
