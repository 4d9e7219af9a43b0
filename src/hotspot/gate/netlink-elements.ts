/**
 * Changes of sets in the kernel's own bytes, and dumped elements back in nft's spelling, in which the book is compared.
 * Layout of keys: addresses in network order, handles (`meta priority`) in the machine's, interface names in 16 bytes, each
 * field of a concatenation filled up to a multiple of 4 (the kernel's nf_tables_api.c and nft_meta.c).
 */
import { ip6Hex, readIp } from './address.ts'
import type { DumpedElement } from './dump.ts'
import { TABLE, shownClassid } from './names.ts'
import type { NetlinkChange, NetlinkElement, NetlinkNewElement, NetlinkSet } from './netlink.ts'
import { shapeOf, type Field, type FieldKind, type SetChange, type SetElement, type SetName, type SetShape } from './set-changes.ts'

const FIELD_BYTES: Readonly<Record<FieldKind, number>> = { mac: 6, ip4: 4, ip6: 16, raw6: 16, handle: 4, port: 16 }
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

export function netlinkSet(set: SetName): NetlinkSet {
  return { family: shapeOf(set).family, table: TABLE, set }
}

export function netlinkChanges(changes: readonly SetChange[]): NetlinkChange[] {
  // A lease is set by the same change twice.
  const made = new Map<SetChange, NetlinkChange>()
  return changes.map((change) => {
    const bytes = made.get(change) ?? netlinkChange(change)
    made.set(change, bytes)
    return bytes
  })
}

function netlinkChange(change: SetChange): NetlinkChange {
  switch (change.do) {
    case 'add-quota':
      return { op: 'add-quota', family: 'inet', table: TABLE, quota: { name: change.quota, bytes: change.totalBytes, usedBytes: change.usedBytes, isOver: true } }
    case 'delete-quota':
      return { op: 'delete-quota', family: 'inet', table: TABLE, name: change.quota }
    case 'flush':
      return { op: 'flush-set', ...netlinkSet(change.set) }
    case 'delete': {
      const shape = shapeOf(change.set)
      return { op: 'delete-elements', ...netlinkSet(change.set), elements: change.elements.map((element) => ({ key: keyBytes(shape, element.key) })) }
    }
    case 'add': {
      const shape = shapeOf(change.set)
      return { op: 'add-elements', ...netlinkSet(change.set), elements: change.elements.map((element) => newElement(shape, element)) }
    }
  }
}

/** One of these per element of a thousand guests: no more objects than it takes. */
function newElement(shape: SetShape, { key, value, timeoutMs, count }: SetElement): NetlinkNewElement {
  const bytes = keyBytes(shape, key)
  if (value !== undefined) return shape.value === 'quota' ? { key: bytes, object: String(value) } : { key: bytes, value: handleBytes(Number(value)) }
  if (timeoutMs !== undefined) return { key: bytes, timeoutMs }
  return count === undefined ? { key: bytes } : { key: bytes, counter: count }
}

/** What `meta priority` is compared with. */
function handleBytes(handle: number): Uint8Array {
  const bytes = new Uint8Array(FIELD_BYTES.handle)
  writeHandle(bytes, 0, handle)
  return bytes
}

export function readHandle(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, IS_LITTLE_ENDIAN)
}

export function keyBytes(shape: SetShape, key: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(keyLength(shape))
  let at = 0
  for (let index = 0; index < shape.key.length; index++) {
    const kind = shape.key[index] ?? 'handle'
    writeField(bytes, at, kind, key[index] ?? '')
    at += padded(FIELD_BYTES[kind])
  }
  return bytes
}

/** Throws Error when the kernel's element does not have the set's shape: then the table is not ours. */
export function dumpedElement(set: SetName, element: NetlinkElement): DumpedElement {
  const shape = shapeOf(set)
  return {
    key: keyText(set, element.key),
    value: element.object ?? (element.value === null || shape.value !== 'handle' ? null : readField(element.value, 0, 'handle')),
    expiresSeconds: element.expiresMs === null ? null : Math.floor(element.expiresMs / 1000),
    packets: element.counter?.packets ?? 0,
    bytes: element.counter?.bytes ?? 0,
  }
}

/** As nft writes it, fields joined with ` . `. */
export function keyText(set: SetName, key: Uint8Array): string {
  const shape = shapeOf(set)
  if (key.length !== keyLength(shape)) throw new Error(`an element of ${set} has a key of ${key.length} bytes, not ${keyLength(shape)}`)
  let at = 0
  return shape.key
    .map((kind) => {
      const text = readField(key, at, kind)
      at += padded(FIELD_BYTES[kind])
      return text
    })
    .join(' . ')
}

/** A key of one field is not filled up. */
function keyLength(shape: SetShape): number {
  const [only] = shape.key
  return shape.key.length === 1 && only !== undefined ? FIELD_BYTES[only] : shape.key.reduce((sum, kind) => sum + padded(FIELD_BYTES[kind]), 0)
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4
}

function writeField(into: Uint8Array, at: number, kind: FieldKind, field: Field): void {
  if (kind === 'handle') return writeHandle(into, at, Number(field))
  const text = String(field)
  if (kind === 'mac') writeMac(into, at, text)
  else if (kind === 'ip4') text.split('.').forEach((part, i) => { into[at + i] = Number(part) })
  else if (kind === 'port') for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i)
  else {
    const hex = ip6Hex(text) ?? ''
    for (let i = 0; i < 16; i++) into[at + i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  }
}

/** In one reading: three of a guest's elements have its MAC. */
function writeMac(into: Uint8Array, at: number, mac: string): void {
  const number = Number.parseInt(mac.replaceAll(':', ''), 16)
  const [high, low] = [Math.floor(number / 0x1_0000_0000), number % 0x1_0000_0000]
  into[at] = high >>> 8
  into[at + 1] = high & 0xff
  for (let i = 0; i < 4; i++) into[at + 2 + i] = (low >>> (24 - 8 * i)) & 0xff
}

function writeHandle(into: Uint8Array, at: number, handle: number): void {
  for (let i = 0; i < 4; i++) into[at + (IS_LITTLE_ENDIAN ? i : 3 - i)] = (handle >>> (8 * i)) & 0xff
}

function readField(from: Uint8Array, at: number, kind: FieldKind): string {
  const bytes = from.subarray(at, at + FIELD_BYTES[kind])
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
  if (kind === 'handle') return shownClassid(readHandle(bytes))
  if (kind === 'mac') return Array.from(bytes, hex).join(':')
  if (kind === 'ip4') return bytes.join('.')
  if (kind === 'port') return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)))
  const groups = Array.from({ length: 8 }, (_, i) => hex(bytes[2 * i] ?? 0) + hex(bytes[2 * i + 1] ?? 0)).join(':')
  return readIp(groups) ?? groups
}
