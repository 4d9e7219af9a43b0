/** Stores in temporary folders that are closed and removed when the test is over. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Migration, Store, StoreOptions } from '../../../src/store/index.ts'

export const ROWS_MIGRATION: Migration = {
  id: 'test-001',
  sql: 'CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;',
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** `path` defaults to a new file; with the same path given again it is a restart. */
export function openTestStore(options: Partial<StoreOptions> = {}): Store & { readonly path: string } {
  const path = options.path ?? join(temporaryFolder(), 'box.db')
  const store = openStore({ migrations: [ROWS_MIGRATION], log: silentLog, ...options, path })
  onTestFinished(() => store.close())
  return Object.assign(store, { path })
}

export function insert(store: Store, id: number, body = 'x'): Promise<number> {
  return store.turn((tx) => tx.run('INSERT INTO rows VALUES (?, ?)', id, body))
}

export function ids(store: Store): number[] {
  return store.read((tx) => tx.all<{ id: number }>('SELECT id FROM rows ORDER BY id')).map((row) => row.id)
}

/** The `code` a call fails with; `'none'` if it does not fail. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action()
    return 'none'
  } catch (thrown) {
    const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
    return typeof code === 'string' ? code : `no code: ${String(thrown)}`
  }
}
