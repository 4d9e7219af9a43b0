/**
 * The book and the key belong together: receipts and earnings in the book name the box's address. When the
 * key file was lost and a new key was made, going on would sign under a name nobody knows.
 */
import { MeshBoxError } from '../base/index.ts'
import type { Migration, Store } from '../store/index.ts'

export const boxMigrations: readonly Migration[] = [
  { id: 'box-001', sql: 'CREATE TABLE box (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), address TEXT NOT NULL) STRICT' },
]

/** Writes the address down the first time. Errors: conflict `other-identity`, with what to do. */
export async function checkSameBox(store: Store, address: string): Promise<void> {
  const known = store.read((tx) => tx.get<{ address: string }>('SELECT address FROM box'))?.address
  if (known === address) return
  if (known === undefined) {
    await store.turn((tx) => tx.run('INSERT INTO box (only_row, address) VALUES (1, ?)', address))
    return
  }
  throw new MeshBoxError(
    'conflict',
    `the book in this folder belongs to the box ${known}, but the key here is that of ${address}: the key file was lost or replaced. ` +
      'Move identity.key away and bring the right one back with `meshbox identity restore`, or start in an empty data folder',
    { code: 'other-identity' },
  )
}
