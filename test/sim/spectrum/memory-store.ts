/** The port `Store` over a SQLite database in memory: for thousands of short lives whose disk is not what is tested. Turns are what they are on disk, one transaction each. */
import Database from 'better-sqlite3'
import type { Migration, ReadTx, SqlValue, Store, Tx } from '../../../src/store/index.ts'

export function memoryStore(migrations: readonly Migration[]): Store {
  const database = new Database(':memory:')
  for (const { sql } of migrations) database.exec(sql)
  const statements = new Map<string, Database.Statement<SqlValue[], unknown>>()
  const prepared = (sql: string): Database.Statement<SqlValue[], unknown> => {
    const statement = statements.get(sql) ?? database.prepare<SqlValue[], unknown>(sql)
    statements.set(sql, statement)
    return statement
  }
  let undone: (() => void)[] = []
  const tx: Tx & ReadTx = {
    get: <Row>(sql: string, ...params: readonly SqlValue[]) => prepared(sql).get(...params) as Row | undefined,
    all: <Row>(sql: string, ...params: readonly SqlValue[]) => prepared(sql).all(...params) as Row[],
    run: (sql, ...params) => prepared(sql).run(...params).changes,
    insert: (sql, ...params) => Number(prepared(sql).run(...params).lastInsertRowid),
    onUndone: (forget) => void undone.push(forget),
  }
  let turns = 0
  return {
    turn: async (body) => {
      await Promise.resolve()
      turns++
      undone = []
      try {
        return database.transaction(() => body(tx))()
      } catch (thrown) {
        for (const forget of undone) forget()
        throw thrown
      }
    },
    read: (body) => body(tx),
    backup: () => Promise.reject(new Error('there is no file to back up')),
    stats: () => ({ turns, commits: turns, failedCommits: 0, fileBytes: 0, walBytes: 0 }),
    close: () => {
      database.close()
      return Promise.resolve()
    },
  }
}
