/**
 * Is a file that is about to be loaded whole? The system's loader maps what an ELF header promises and ends the process
 * (SIGBUS) when the file is shorter, as after a full flash or a power cut. Layout: System V ABI, chapter 4; the
 * table of sections lies at the file's end.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const MAX_TABLE_BYTES = 64 * 1024

/** What is wrong with it, as a part of a sentence; null if the file is whole. Throws what node:fs throws, e.g. ENOENT. */
export function wrongWithElfFile(path: string): string | null {
  const file = openSync(path, 'r')
  try {
    const bytes = fstatSync(file).size
    const header = readAt(file, 0, 64)
    const is64 = header[4] === 2
    const headerBytes = is64 ? 64 : 52
    if (header.length < headerBytes || header.toString('latin1', 0, 4) !== '\x7fELF') return 'it is no ELF file'
    if (header[5] !== 1) return 'it is for a big-endian machine'
    const word = (from: Buffer, at: number): number => (is64 ? Number(from.readBigUInt64LE(at)) : from.readUInt32LE(at))
    const half = (fromEnd: number): number => header.readUInt16LE(headerBytes - fromEnd)
    const segments = { at: word(header, is64 ? 32 : 28), bytes: half(10), count: half(8) }
    const sections = { at: word(header, is64 ? 40 : 32), bytes: half(6), count: half(4) }
    const ends = [segments, sections].map((table) => table.at + table.bytes * table.count)
    if (Math.max(...ends) > bytes || segments.bytes < (is64 ? 56 : 32)) return 'it is cut short'
    const size = segments.bytes * segments.count
    if (size > MAX_TABLE_BYTES) return 'it has too many segments'
    const table = readAt(file, segments.at, size)
    if (table.length < size) return 'it is cut short'
    for (let at = 0; at < size; at += segments.bytes) {
      const end = is64 ? word(table, at + 8) + word(table, at + 32) : word(table, at + 4) + word(table, at + 16)
      if (end > bytes) return 'it is cut short'
    }
    return null
  } finally {
    closeSync(file)
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const read = readSync(file, buffer, done, length - done, position + done)
    if (read === 0) break
    done += read
  }
  return buffer.subarray(0, done)
}
