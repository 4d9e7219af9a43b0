/**
 * Which guest's key holds which session. Only the address, the public half of the key, is ever here. A session has at
 * most one; the row goes when its session is forgotten.
 */
import { MeshBoxError } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'

/** Open sessions one key may hold: bounds what is looked through when it is shown. */
export const MAX_SESSIONS_PER_KEY = 4

/** After the tables of sessions, which it refers to. */
export const walletMigrations: readonly Migration[] = [
  {
    id: 'wallet-001',
    sql: `
      CREATE TABLE wallet_keys (
        session_id TEXT PRIMARY KEY REFERENCES hotspot_session (id) ON DELETE CASCADE,
        address TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX wallet_keys_address ON wallet_keys (address, session_id);
    `,
  },
]

/** EIP-55 address; null if nobody keeps this session. */
export function keyOf(tx: ReadTx, sessionId: string): string | null {
  return tx.get<{ address: string }>('SELECT address FROM wallet_keys WHERE session_id = ?', sessionId)?.address ?? null
}

/** Ids of the sessions of this key that are not over, newest first. */
export function keptSessions(tx: ReadTx, address: string): string[] {
  return tx
    .all<{ id: string }>(
      `SELECT k.session_id AS id FROM wallet_keys k JOIN hotspot_session s ON s.id = k.session_id
       WHERE k.address = ? AND s.state <> 'ended' ORDER BY k.session_id DESC`,
      address,
    )
    .map((row) => row.id)
}

/** Takes the place of the session's former key. Throws `conflict` code `key-full`; asking twice changes nothing. */
export function attachKey(tx: Tx, sessionId: string, address: string): void {
  const others = keptSessions(tx, address).filter((id) => id !== sessionId)
  if (others.length >= MAX_SESSIONS_PER_KEY)
    throw new MeshBoxError('conflict', `this key holds ${MAX_SESSIONS_PER_KEY} sessions already`, { code: 'key-full' })
  tx.run('INSERT INTO wallet_keys VALUES (?, ?) ON CONFLICT (session_id) DO UPDATE SET address = excluded.address', sessionId, address)
}
