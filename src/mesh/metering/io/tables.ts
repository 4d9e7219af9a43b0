/** Rows of settlement: one per carriage, the adverts that somebody may still have to count by, and how far payments were booked. */
import { bytesOf, hexOf } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { BoxId } from '../../ports.ts'
import type { AccountRow } from '../account.ts'

/** Of one box; an exchange that is shown after a break may name one of them. */
const ADVERTS_KEPT = 16
/** Ended and paid carriages that are kept for the owner to look at. */
const SETTLED_KEPT = 200

export const meteringMigrations: readonly Migration[] = [
  {
    id: 'mesh-metering-001',
    sql: `
      CREATE TABLE mesh_carriages (
        carrier BLOB NOT NULL,
        client BLOB NOT NULL,
        epoch BLOB NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('carrier', 'client')),
        token BLOB NOT NULL,
        stage TEXT NOT NULL,
        reason TEXT,
        owed_parts TEXT NOT NULL,
        paid TEXT NOT NULL,
        boot_id TEXT NOT NULL,
        is_settled INTEGER NOT NULL,
        snapshot BLOB NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (carrier, client, epoch)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX mesh_carriages_number ON mesh_carriages (is_settled, number);

      CREATE TABLE mesh_adverts (
        box BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        units TEXT NOT NULL,
        frame BLOB NOT NULL,
        PRIMARY KEY (box, sequence)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE mesh_relay_mark (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        mark TEXT NOT NULL
      ) STRICT;
    `,
  },
]

interface StoredCarriage {
  readonly carrier: Uint8Array
  readonly client: Uint8Array
  readonly epoch: Uint8Array
  readonly role: 'carrier' | 'client'
  readonly token: Uint8Array
  readonly stage: string
  readonly reason: string | null
  readonly owed_parts: string
  readonly paid: string
  readonly boot_id: string
  readonly snapshot: Uint8Array
}

/** `isSettled`: ended, and nothing is owed by it: not read at the next start. */
export function writeCarriage(tx: Tx, row: AccountRow, isSettled: boolean): void {
  const key = [bytesOf(row.carrier), bytesOf(row.client), bytesOf(row.epoch)] as const
  const values = [row.stage, row.reason, row.owedParts.toString(), row.paid.toString(), row.bootId, isSettled ? 1 : 0, row.snapshot] as const
  const changed = tx.run('UPDATE mesh_carriages SET stage = ?, reason = ?, owed_parts = ?, paid = ?, boot_id = ?, is_settled = ?, snapshot = ? WHERE carrier = ? AND client = ? AND epoch = ?', ...values, ...key)
  if (changed > 0) return
  const { number } = tx.get<{ number: number }>('SELECT coalesce(max(number), 0) + 1 AS number FROM mesh_carriages') ?? { number: 1 }
  tx.run('INSERT INTO mesh_carriages (carrier, client, epoch, role, token, stage, reason, owed_parts, paid, boot_id, is_settled, snapshot, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', ...key, row.role, bytesOf(row.token), ...values, number)
  tx.run('DELETE FROM mesh_carriages WHERE is_settled = 1 AND number <= (SELECT number FROM mesh_carriages WHERE is_settled = 1 ORDER BY number DESC LIMIT 1 OFFSET ?)', SETTLED_KEPT)
}

/** Settled ones too, as long as they are kept. */
export function hasCarriage(tx: ReadTx, carrier: BoxId, client: BoxId, epoch: Uint8Array): boolean {
  return tx.get('SELECT 1 FROM mesh_carriages WHERE carrier = ? AND client = ? AND epoch = ?', bytesOf(carrier), bytesOf(client), epoch) !== undefined
}

/** Those not settled, oldest first. */
export function readCarriages(tx: ReadTx): readonly AccountRow[] {
  return tx.all<StoredCarriage>('SELECT * FROM mesh_carriages WHERE is_settled = 0 ORDER BY number').map((row) => ({
    carrier: hexOf(row.carrier),
    client: hexOf(row.client),
    epoch: hexOf(row.epoch),
    role: row.role,
    token: hexOf(row.token),
    stage: row.stage,
    reason: row.reason,
    owedParts: BigInt(row.owed_parts),
    paid: BigInt(row.paid),
    bootId: row.boot_id,
    snapshot: row.snapshot,
  }))
}

export interface AdvertRow {
  readonly sequence: number
  readonly unitsPerMiB: bigint
  readonly frame: Uint8Array
}

export function writeAdvert(tx: Tx, box: BoxId, row: AdvertRow): void {
  const id = bytesOf(box)
  tx.run('INSERT INTO mesh_adverts (box, sequence, units, frame) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', id, row.sequence, row.unitsPerMiB.toString(), row.frame)
  tx.run('DELETE FROM mesh_adverts WHERE box = ? AND sequence <= (SELECT sequence FROM mesh_adverts WHERE box = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?)', id, id, ADVERTS_KEPT)
}

/** Oldest first. */
export function readAdverts(tx: ReadTx, box: BoxId): readonly AdvertRow[] {
  return tx
    .all<{ sequence: number; units: string; frame: Uint8Array }>('SELECT sequence, units, frame FROM mesh_adverts WHERE box = ? ORDER BY sequence', bytesOf(box))
    .map(({ sequence, units, frame }) => ({ sequence: Number(sequence), unitsPerMiB: BigInt(units), frame }))
}

export function readMark(tx: ReadTx): bigint {
  return BigInt(tx.get<{ mark: string }>('SELECT mark FROM mesh_relay_mark WHERE id = 1')?.mark ?? '0')
}

export function writeMark(tx: Tx, mark: bigint): void {
  tx.run('INSERT INTO mesh_relay_mark (id, mark) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark', mark.toString())
}

