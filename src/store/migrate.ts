/**
 * Forward-only migrations. What was applied is recorded with the SHA-256 of its SQL, so that a file from a
 * newer version, or one whose history was rewritten, is refused instead of misread.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError } from '../base/index.ts'
import type { Connection } from './connection.ts'
import { isMachineFault, translateSqliteError } from './sqlite-error.ts'
import type { Migration } from './types.ts'

export const MIGRATIONS_TABLE_SQL = `
CREATE TABLE store_migrations (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  sql_sha256 TEXT NOT NULL
) STRICT;
`

export interface AppliedMigration {
  readonly id: string
  readonly sql_sha256: string
}

export const APPLIED_MIGRATIONS_SQL = 'SELECT id, sql_sha256 FROM store_migrations ORDER BY position'

/** Pure: the migrations still to apply, in order. Throws `store-newer` or `store-migration-changed`. */
export function pendingMigrations(migrations: readonly Migration[], applied: readonly AppliedMigration[], path: string): Migration[] {
  const known = new Map<string, string>()
  for (const migration of migrations) {
    if (known.has(migration.id))
      throw new MeshBoxError('internal', `two migrations are called ${migration.id}`, { code: 'store-migration-changed', value: migration.id })
    known.set(migration.id, sha256(migration.sql))
  }
  for (const { id, sql_sha256 } of applied) {
    const expected = known.get(id)
    if (expected === undefined)
      throw new MeshBoxError(
        'conflict',
        `${path} was written by a newer MeshBox (it has '${id}', which this version does not know). ` +
          'Install that version again, or put a backup from before the upgrade in its place',
        { code: 'store-newer', value: id },
      )
    if (expected !== sql_sha256)
      throw new MeshBoxError('internal', `migration ${id} is not the one that was applied to ${path}; a released migration must never change`, {
        code: 'store-migration-changed',
        value: id,
      })
  }
  const done = new Set(applied.map(({ id }) => id))
  return migrations.filter(({ id }) => !done.has(id))
}

/** Each in its own transaction; the first that fails stops, and what was before it stays applied. */
export function applyMigrations(connection: Connection, migrations: readonly Migration[]): number {
  const applied = connection.prepare(APPLIED_MIGRATIONS_SQL).all() as AppliedMigration[]
  const pending = pendingMigrations(migrations, applied, connection.path)
  for (const migration of pending) {
    connection.begin()
    try {
      connection.exec(migration.sql)
      connection.prepare('INSERT INTO store_migrations (id, sql_sha256) VALUES (?, ?)').run(migration.id, sha256(migration.sql))
      connection.commit()
    } catch (thrown) {
      if (connection.inTransaction) connection.rollback()
      const error = translateSqliteError(thrown, connection.path)
      if (isMachineFault(error)) throw error
      throw new MeshBoxError('internal', `migration ${migration.id} failed and was rolled back: ${error.message}`, {
        code: 'store-migration-failed',
        value: migration.id,
        cause: error,
      })
    }
  }
  return pending.length
}

function sha256(sql: string): string {
  return createHash('sha256').update(sql).digest('hex')
}
