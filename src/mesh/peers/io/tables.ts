/** Boxes and bans on disk (docs/mesh.md, storage): one row per box, written when its address changes or it is banned. */
import { ADDRESS_BYTES, bytesOf, hexOf } from '../../../base/index.ts'
import type { Migration, Store } from '../../../store/index.ts'
import type { PeerShelf, StoredPeer } from '../peer-book.ts'

export const peerMigrations: readonly Migration[] = [
  {
    id: 'mesh-peers-001',
    sql: `
      CREATE TABLE mesh_peers (
        box BLOB PRIMARY KEY CHECK (length(box) = ${ADDRESS_BYTES}),
        name TEXT NOT NULL,
        peer_id TEXT NOT NULL,
        -- Where it was reached; NULL: it always came.
        address TEXT,
        side TEXT NOT NULL CHECK (side IN ('mesh', 'internet')),
        bans INTEGER NOT NULL,
        -- All NULL: not banned. Only ban_until and ban_ms NULL: by the owner, until it is taken back.
        ban_boot TEXT,
        ban_until REAL,
        ban_ms INTEGER,
        ban_reason TEXT,
        CHECK ((ban_boot IS NULL) = (ban_reason IS NULL) AND (ban_until IS NULL) = (ban_ms IS NULL))
      ) STRICT, WITHOUT ROWID;
    `,
  },
]

interface Row {
  readonly box: Uint8Array
  readonly name: string
  readonly peer_id: string
  readonly address: string | null
  readonly side: 'mesh' | 'internet'
  readonly bans: number
  readonly ban_boot: string | null
  readonly ban_until: number | null
  readonly ban_ms: number | null
  readonly ban_reason: string | null
}

/** Errors of its verbs: unavailable, what the disk says. */
export function createPeerShelf(store: Pick<Store, 'turn' | 'read'>): PeerShelf {
  return {
    load: () => store.read((tx) => tx.all<Row>('SELECT box, name, peer_id, address, side, bans, ban_boot, ban_until, ban_ms, ban_reason FROM mesh_peers')).map(peerOf),
    save: ({ box, name, peerId, address, side, bans, ban }) =>
      store.turn((tx) => {
        tx.run(
          'INSERT OR REPLACE INTO mesh_peers (box, name, peer_id, address, side, bans, ban_boot, ban_until, ban_ms, ban_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
          bytesOf(box), name, peerId, address, side, bans, ban?.bootId ?? null, ban?.untilMs ?? null, ban?.durationMs ?? null, ban?.reason ?? null,
        )
      }),
    remove: (boxes) =>
      store.turn((tx) => {
        for (const box of boxes) tx.run('DELETE FROM mesh_peers WHERE box = ?', bytesOf(box))
      }),
  }
}

function peerOf(row: Row): StoredPeer {
  const ban = row.ban_boot === null || row.ban_reason === null ? null : { bootId: row.ban_boot, untilMs: row.ban_until, durationMs: row.ban_ms, reason: row.ban_reason }
  return { box: hexOf(row.box), name: row.name, peerId: row.peer_id, address: row.address, side: row.side, bans: row.bans, ban }
}
