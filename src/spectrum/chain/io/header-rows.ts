/** The archive: canonical headers below the tree, all of the last days and then one per round. */
import { MeshBoxError, concatBytes } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import { bytesOf, hexOf } from '../../codec/fields.ts'
import type { Hash } from '../../codec/fields.ts'
import { decodeEntries, encodeEntry, headerOfEntry } from '../compact-header.ts'
import type { HeaderEntry, StoredEntry } from '../compact-header.ts'
import { damagedError } from './block-rows.ts'

interface SegmentRow {
  readonly first: number
  readonly last: number
  readonly entries: Uint8Array
}

/** Segments that one turn thins or deletes at most: what a change of the settings leaves behind goes little by little. */
const SEGMENTS_PER_TURN = 8

/** `entries` ascending; a gap may be between them. */
export function writeSegment(tx: Tx, curve: Secp256k1, entries: readonly HeaderEntry[]): void {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) return
  const blob = concatBytes(...entries.map((entry, index) => encodeEntry(curve, entry, entries[index - 1] ?? null)))
  tx.run('INSERT INTO spectrum_segment (first, last, entries) VALUES (?, ?, ?)', first.header.number, last.header.number, blob)
  // Two hashes with the same first 8 bytes: the older header is then found by its number only.
  for (const { hash, header } of entries) tx.run('INSERT OR REPLACE INTO spectrum_hash (prefix, number) VALUES (?, ?)', prefixOf(bytesOf(hash)), header.number)
}

/** The archive as it is read: neighbours are asked for together, so the last segment stays at hand. */
export class HeaderArchive {
  #last: { readonly first: number; readonly last: number; readonly entries: readonly StoredEntry[] } | null = null

  /** Errors: unavailable `chain-damaged`. */
  at(tx: ReadTx, number: number): StoredEntry | null {
    if (this.#last === null || number < this.#last.first || number > this.#last.last) {
      const row = tx.get<SegmentRow>('SELECT first, last, entries FROM spectrum_segment WHERE first <= ? ORDER BY first DESC LIMIT 1', number)
      if (row === undefined || row.last < number) return null
      this.#last = { first: row.first, last: row.last, entries: readSegment(row) }
    }
    return this.#last.entries.find((entry) => entry.number === number) ?? null
  }

  of(tx: ReadTx, hash: Hash): StoredEntry | null {
    const row = tx.get<{ number: number }>('SELECT number FROM spectrum_hash WHERE prefix = ?', prefixOf(bytesOf(hash)))
    const entry = row === undefined ? null : this.at(tx, row.number)
    return entry !== null && hexOf(entry.hash) === hash ? entry : null
  }

  /** After a turn that may have changed segments. */
  forget(): void {
    this.#last = null
  }
}

/** Errors: unavailable `chain-damaged`. */
export function headerOfStored(curve: Secp256k1, entry: StoredEntry): HeaderEntry {
  const header = asDamage(entry.number, () => headerOfEntry(curve, entry))
  return { header, hash: hexOf(entry.hash), totalDifficulty: entry.totalDifficulty }
}

/** The last header of each round; where rounds are shorter than a public chain's, of every few. */
const STRIDE_BLOCKS = 17

/** Leaves one header per round in segments that end below `limit`, from `from` on. Returns from where to go on. */
export function thinSegments(tx: Tx, curve: Secp256k1, from: number, limit: number, roundBlocks: number): number {
  const stride = roundBlocks * Math.ceil(STRIDE_BLOCKS / roundBlocks)
  const rows = segmentsBetween(tx, from, limit)
  for (const row of rows) {
    const entries = deleteSegment(tx, row)
    writeSegment(tx, curve, entries.filter(({ number }) => number % stride === stride - 1).map((entry) => headerOfStored(curve, entry)))
  }
  const last = rows.at(-1)
  return last === undefined ? from : last.last + 1
}

export function deleteSegmentsBelow(tx: Tx, limit: number): void {
  for (const row of segmentsBetween(tx, 0, limit)) deleteSegment(tx, row)
}

/** Wholly from `from` on and below `limit`. */
function segmentsBetween(tx: Tx, from: number, limit: number): SegmentRow[] {
  const rows = tx.all<SegmentRow>('SELECT first, last, entries FROM spectrum_segment WHERE first >= ? AND first < ? ORDER BY first LIMIT ?', from, limit, SEGMENTS_PER_TURN)
  return rows.filter(({ last }) => last < limit)
}

function deleteSegment(tx: Tx, row: SegmentRow): StoredEntry[] {
  const entries = readSegment(row)
  tx.run('DELETE FROM spectrum_segment WHERE first = ?', row.first)
  for (const { hash, number } of entries) tx.run('DELETE FROM spectrum_hash WHERE prefix = ? AND number = ?', prefixOf(hash), number)
  return entries
}

function readSegment(row: SegmentRow): StoredEntry[] {
  return asDamage(row.first, () => decodeEntries(row.entries))
}

function asDamage<T>(number: number, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') throw damagedError(number, thrown.message)
    throw thrown
  }
}

function prefixOf(hash: Uint8Array): bigint {
  return new DataView(hash.buffer, hash.byteOffset).getBigInt64(0)
}
