/** What turn-writer.ts writes and its readers check. */
import type { Migration, ReadTx } from '../../../src/store/index.ts'

export const WRITER_MIGRATION: Migration = {
  id: 'writer-001',
  sql: `
CREATE TABLE acknowledged (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE parts (id INTEGER NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (id, part)) STRICT;
CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT;
INSERT INTO accounts VALUES (0,1000),(1,1000),(2,1000),(3,1000),(4,1000),(5,1000),(6,1000),(7,1000),(8,1000),(9,1000);
`,
}

/** Ids in the file; throws if a turn is there in part. */
export function wholeTurns(tx: ReadTx): Set<number> {
  const ids = tx.all<{ id: number; length: number }>('SELECT id, length(body) AS length FROM acknowledged ORDER BY id')
  for (const { id, length } of ids) if (length !== (id * 37) % 900) throw new Error(`turn ${id} has a body of ${length}`)
  const parts = tx.get<{ n: number }>('SELECT count(*) AS n FROM parts')?.n
  if (parts !== ids.length * 3) throw new Error(`${ids.length} turns, but ${parts} parts`)
  const sum = tx.get<{ sum: number }>('SELECT sum(balance) AS sum FROM accounts')?.sum
  if (sum !== 10_000) throw new Error(`the accounts hold ${sum}, not 10000`)
  return new Set(ids.map(({ id }) => id))
}
