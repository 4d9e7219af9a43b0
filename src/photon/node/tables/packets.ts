/** Rows of packets by side and nonce. The key makes a second packet for a nonce impossible: INSERT fails, and the turn with it. */
import { MeshBoxError } from '../../../base/index.ts'
import type { ReadTx, SqlValue, Tx } from '../../../store/index.ts'

export type Who = 'own' | 'partner'

export interface PacketRow {
  readonly channelNumber: number
  readonly who: Who
  readonly nonce: bigint
  readonly packet: Uint8Array
}

/** Newest packets kept of each side: what a partner that was restored from an old copy can be given back. */
export const KEPT_PACKETS = 1024n
/** Older ones go so many at a time: taking one out of a page for each that is added writes two or three pages more each time. */
const PURGED_AT_ONCE = 64n
const NONCE_BITS = 40n
const MAX_SIDES = 1n << 23n
const ROWS_AT_ONCE = 16

/** Errors: internal `photon-nonce`, far beyond what a channel ever sees. */
export function packetId(channelNumber: number, who: Who, nonce: bigint): bigint {
  const side = 2n * BigInt(channelNumber) + (who === 'own' ? 0n : 1n)
  if (nonce < 0n || nonce >> NONCE_BITS !== 0n || side >= MAX_SIDES)
    throw new MeshBoxError('internal', `no room for nonce ${nonce} of channel ${channelNumber}`, { code: 'photon-nonce' })
  return (side << NONCE_BITS) | nonce
}

const inserts = new Map<number, string>()

export function insertPackets(tx: Tx, rows: readonly PacketRow[]): void {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = rows.slice(at, at + ROWS_AT_ONCE)
    const params: SqlValue[] = []
    for (const row of some) params.push(packetId(row.channelNumber, row.who, row.nonce), row.packet)
    tx.run(insertOf(some.length), ...params)
  }
}

/** Purges what is no longer needed of one side. `newest`: its nonce; `needed`: the oldest that must stay for another reason. */
export function purgePackets(tx: Tx, channelNumber: number, who: Who, newest: bigint, needed: bigint): void {
  const oldest = newest - KEPT_PACKETS < needed ? newest - KEPT_PACKETS : needed
  const whole = oldest - (oldest % PURGED_AT_ONCE)
  if (whole > 0n) tx.run('DELETE FROM photon_packet WHERE id >= ? AND id < ?', packetId(channelNumber, who, 0n), packetId(channelNumber, who, whole))
}

/** In the order of the nonces, both ends included, at most `most`. */
export function readPackets(tx: ReadTx, channelNumber: number, who: Who, from: bigint, to: bigint, most: number): readonly Uint8Array[] {
  return tx
    .all<{ packet: Uint8Array }>('SELECT packet FROM photon_packet WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?', packetId(channelNumber, who, from), packetId(channelNumber, who, to), most)
    .map((row) => row.packet)
}

function insertOf(rows: number): string {
  let sql = inserts.get(rows)
  if (sql === undefined) inserts.set(rows, (sql = `INSERT INTO photon_packet (id, packet) VALUES ${Array.from({ length: rows }, () => '(?, ?)').join(', ')}`))
  return sql
}
