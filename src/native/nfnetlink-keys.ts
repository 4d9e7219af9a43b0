/**
 * Bytes of keys and values for nf_tables sets. Sources: the kernel's net/netfilter/nft_meta.c (priority, marks
 * and indexes in host order, names in 16 bytes) and nf_tables_api.c (concatenations: each field padded to a
 * multiple of 4 bytes).
 */
import { inputError } from '../base/index.ts'
import { MAX_NF_DATA_BYTES } from './nfnetlink.ts'

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
/** Linux: IFNAMSIZ. */
const INTERFACE_NAME_BYTES = 16
const REGISTER_BYTES = 4

/** `meta priority` (a class id), a mark or an interface index: 4 bytes in the machine's order. */
export function hostWord(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw inputError('value', value, 'a whole number from 0 to 4294967295')
  const bytes = new Uint8Array(REGISTER_BYTES)
  new DataView(bytes.buffer).setUint32(0, value, IS_LITTLE_ENDIAN)
  return bytes
}

/** Reads what `hostWord` made. Errors: input `bytes`. */
export function readHostWord(bytes: Uint8Array): number {
  if (bytes.length !== REGISTER_BYTES) throw inputError('bytes', `${bytes.length} bytes`, '4 bytes')
  return new DataView(bytes.buffer, bytes.byteOffset, REGISTER_BYTES).getUint32(0, IS_LITTLE_ENDIAN)
}

/** An `ifname`: 16 bytes, filled up with zeros. */
export function interfaceName(name: string): Uint8Array {
  if (!/^[\x21-\x7e]{1,15}$/.test(name)) throw inputError('name', name, 'an interface name of 1 to 15 visible ASCII characters')
  const bytes = new Uint8Array(INTERFACE_NAME_BYTES)
  for (let at = 0; at < name.length; at++) bytes[at] = name.charCodeAt(at)
  return bytes
}

/** Reads what `interfaceName` made: up to the first zero. */
export function readInterfaceName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return String.fromCharCode(...(end === -1 ? bytes : bytes.subarray(0, end)))
}

/** A key of several fields, such as a MAC (6 bytes) and an IPv4 address (4): 12 bytes. */
export function concatenation(...fields: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + padded(field.length), 0))
  if (bytes.length === 0 || bytes.length > MAX_NF_DATA_BYTES) throw inputError('fields', `${bytes.length} bytes`, `1 to ${MAX_NF_DATA_BYTES} bytes in all`)
  let at = 0
  for (const field of fields) {
    bytes.set(field, at)
    at += padded(field.length)
  }
  return bytes
}

/** The fields of a concatenation, by their lengths in bytes; views into `bytes`. Errors: input `bytes`. */
export function splitConcatenation(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const total = lengths.reduce((sum, length) => sum + padded(length), 0)
  if (total !== bytes.length) throw inputError('bytes', `${bytes.length} bytes`, `${total} bytes`)
  let at = 0
  return lengths.map((length) => {
    const field = bytes.subarray(at, at + length)
    at += padded(length)
    return field
  })
}

function padded(length: number): number {
  return Math.ceil(length / REGISTER_BYTES) * REGISTER_BYTES
}
