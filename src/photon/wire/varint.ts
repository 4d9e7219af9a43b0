/** Bitcoin's CompactSize, little-endian: below 0xfd one byte; 0xfd and two; 0xfe and four. One form per number: the shortest. */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

const ONE_BYTE = 0xfd
const MAX_TWO_BYTES = 0xffff

/** `value` to 65,535: nothing here is longer. */
export function writeVarint(out: ByteWriter, value: number, field: string): void {
  if (value < ONE_BYTE) out.u8(value, field)
  else out.u8(ONE_BYTE, field).u8(value & 0xff, field).u8(value >> 8, field)
}

/** Refuses the wider forms, which could only hold what no packet has room for, and a form longer than needed. */
export function readVarint(from: ByteReader, field: string): number {
  const first = from.u8()
  if (first < ONE_BYTE) return first
  if (first > ONE_BYTE) {
    from.refuse(`${field}: longer than ${MAX_TWO_BYTES}`)
    return 0
  }
  const value = from.u16LittleEndian()
  if (value < ONE_BYTE) from.refuse(`${field}: length written longer than needed`)
  return value
}
