/**
 * Pages that nothing uses any more keep what lay in them: after passwords of an older version were sealed, zeros are written over all of them, once. Pieces that a
 * small box can take; the table that holds the zeros says after a power cut that there is some left to do.
 */
import type { ReadTx, Store, Tx } from '../../../store/index.ts'

/** Pages of a turn. */
const PIECE = 512
const PAGE_BYTES = 1_024

/** In the turn that frees them. */
export function markFreePages(tx: Tx): void {
  tx.run('CREATE TABLE IF NOT EXISTS iot_tenant_zeros (zeros BLOB NOT NULL) STRICT')
}

/** Errors: the store's. The pages can be used again then, and the mark stays for the next start. */
export async function overwriteFreePages(store: Pick<Store, 'turn' | 'read'>): Promise<void> {
  if (!store.read(isMarked)) return
  try {
    while (await store.turn(overwritePiece));
  } catch (thrown) {
    await store.turn((tx) => tx.run('DELETE FROM iot_tenant_zeros'))
    throw thrown
  }
  await store.turn((tx) => tx.run('DROP TABLE iot_tenant_zeros'))
}

function isMarked(tx: ReadTx): boolean {
  return tx.get("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'iot_tenant_zeros'") !== undefined
}

/** False: none was left. */
function overwritePiece(tx: Tx): boolean {
  const free = tx.get<{ pages: number }>('SELECT freelist_count AS pages FROM pragma_freelist_count')?.pages ?? 0
  if (free > 0) tx.run('INSERT INTO iot_tenant_zeros (zeros) VALUES (zeroblob(?))', Math.min(free, PIECE) * PAGE_BYTES)
  return free > 0
}
