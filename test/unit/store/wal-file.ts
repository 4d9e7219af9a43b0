/**
 * Reads a SQLite write-ahead log as the recovery after a crash would (sqlite.org/fileformat2.html, section
 * 4): 32-byte header, then frames of 24 bytes + page, valid while salts and the running checksum fit.
 */
export interface WalFrame {
  readonly offset: number
  readonly page: number
  /** Last frame of a transaction. */
  readonly isCommit: boolean
}

export interface WalView {
  readonly pageBytes: number
  readonly frames: readonly WalFrame[]
  /** End of the last valid frame. */
  readonly endOffset: number
}

export const WAL_HEADER_BYTES = 32
export const FRAME_HEADER_BYTES = 24

export function readWal(wal: Buffer): WalView {
  const frames: WalFrame[] = []
  if (wal.length < WAL_HEADER_BYTES) return { pageBytes: 0, frames, endOffset: 0 }
  const magic = wal.readUInt32BE(0)
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return { pageBytes: 0, frames, endOffset: 0 }
  const bigEndian = magic === 0x377f0683
  const pageBytes = wal.readUInt32BE(8)
  let sums = checksum(wal, 0, 24, [0, 0], bigEndian)
  let offset = WAL_HEADER_BYTES
  while (offset + FRAME_HEADER_BYTES + pageBytes <= wal.length) {
    if (wal.compare(wal, 16, 24, offset + 8, offset + 16) !== 0) break
    sums = checksum(wal, offset, offset + 8, sums, bigEndian)
    sums = checksum(wal, offset + FRAME_HEADER_BYTES, offset + FRAME_HEADER_BYTES + pageBytes, sums, bigEndian)
    if (sums[0] !== wal.readUInt32BE(offset + 16) || sums[1] !== wal.readUInt32BE(offset + 20)) break
    frames.push({ offset, page: wal.readUInt32BE(offset), isCommit: wal.readUInt32BE(offset + 4) !== 0 })
    offset += FRAME_HEADER_BYTES + pageBytes
  }
  return { pageBytes, frames, endOffset: offset }
}

function checksum(bytes: Buffer, from: number, to: number, [a, b]: readonly [number, number], bigEndian: boolean): [number, number] {
  let s0 = a
  let s1 = b
  for (let at = from; at < to; at += 8) {
    s0 = (s0 + (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + s1) >>> 0
    s1 = (s1 + (bigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + s0) >>> 0
  }
  return [s0, s1]
}
