import type { Migration, ReadTx, Tx } from '../../../../../src/store/index.ts'

export const letterMigrations: readonly Migration[] = [
  { id: 'letters-001', sql: 'CREATE TABLE letters (reference TEXT PRIMARY KEY, body BLOB NOT NULL, days INTEGER NOT NULL) WITHOUT ROWID' },
]

export function countLetters(tx: ReadTx): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM letters')?.n ?? 0
}

export function readLetter(tx: ReadTx, reference: string): Uint8Array | null {
  return tx.get<{ body: Uint8Array }>('SELECT body FROM letters WHERE reference = ?', reference)?.body ?? null
}

export function putLetter(tx: Tx, reference: string, body: Uint8Array, days: number): void {
  tx.run('INSERT INTO letters (reference, body, days) VALUES (?, ?, ?)', reference, body, days)
}
