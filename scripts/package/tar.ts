/**
 * A tar file in GNU format, as OpenWrt's build packs it: owner 0:0 without names, one modification time, entries
 * sorted folder by folder, names beginning with `./`. Layout of a header: GNU tar's manual, "Basic Tar Format".
 */
import { PackageError } from './places.ts'

export type TarEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly body: Buffer }
  | { readonly kind: 'dir'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

const BLOCK = 512
/** GNU tar fills up to whole records of twenty blocks. */
const RECORD = 20 * BLOCK
const NAME_BYTES = 100

/** `path` of an entry: without leading `./` and trailing `/`; the top folder is ''. */
export function tarFile(entries: readonly TarEntry[], epochSeconds: number): Buffer {
  const blocks: Buffer[] = []
  for (const entry of sorted(entries)) {
    const name = entry.path === '' ? './' : `./${entry.path}${entry.kind === 'dir' ? '/' : ''}`
    const link = entry.kind === 'link' ? entry.target : ''
    // A longer name goes before its entry, as a file of its own: type K for a link's target, L for the name.
    if (Buffer.byteLength(link) > NAME_BYTES) blocks.push(...longName('K', link))
    if (Buffer.byteLength(name) > NAME_BYTES) blocks.push(...longName('L', name))
    const size = entry.kind === 'file' ? entry.body.length : 0
    const mode = entry.kind === 'link' ? 0o777 : entry.mode
    blocks.push(header({ name, mode, size, time: epochSeconds, type: entry.kind === 'file' ? '0' : entry.kind === 'dir' ? '5' : '2', link }))
    if (entry.kind === 'file') blocks.push(entry.body, padding(entry.body.length, BLOCK))
  }
  blocks.push(Buffer.alloc(2 * BLOCK))
  const bytes = Buffer.concat(blocks)
  return Buffer.concat([bytes, padding(bytes.length, RECORD)])
}

/** A folder first, then what is in it; neighbours by the bytes of their names. */
function sorted(entries: readonly TarEntry[]): TarEntry[] {
  const keyed = entries.map((entry) => ({ entry, parts: entry.path === '' ? [] : entry.path.split('/') }))
  keyed.sort((a, b) => {
    for (let i = 0; i < Math.min(a.parts.length, b.parts.length); i++) {
      const order = Buffer.compare(Buffer.from(a.parts[i] ?? ''), Buffer.from(b.parts[i] ?? ''))
      if (order !== 0) return order
    }
    return a.parts.length - b.parts.length
  })
  return keyed.map(({ entry }) => entry)
}

interface Header {
  readonly name: string
  readonly mode: number
  readonly size: number
  readonly time: number
  readonly type: string
  readonly link: string
}

function header({ name, mode, size, time, type, link }: Header): Buffer {
  const block = Buffer.alloc(BLOCK)
  put(block, 0, name, NAME_BYTES)
  put(block, 100, octal(mode, 7), 8)
  put(block, 108, octal(0, 7), 8)
  put(block, 116, octal(0, 7), 8)
  put(block, 124, octal(size, 11), 12)
  put(block, 136, octal(time, 11), 12)
  block.fill(' ', 148, 156)
  put(block, 156, type, 1)
  put(block, 157, link, NAME_BYTES)
  put(block, 257, 'ustar  ', 8)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(block, 148, `${octal(sum, 6)}\0 `, 8)
  return block
}

function longName(type: 'K' | 'L', text: string): Buffer[] {
  const body = Buffer.from(`${text}\0`)
  return [header({ name: '././@LongLink', mode: 0o644, size: body.length, time: 0, type, link: '' }), body, padding(body.length, BLOCK)]
}

function put(block: Buffer, at: number, text: string, room: number): void {
  Buffer.from(text).copy(block, at, 0, room)
}

function octal(value: number, digits: number): string {
  const text = value.toString(8)
  if (!Number.isSafeInteger(value) || value < 0 || text.length > digits) throw new PackageError(`${value} does not fit into a tar header`)
  return text.padStart(digits, '0')
}

function padding(length: number, unit: number): Buffer {
  return Buffer.alloc((unit - (length % unit)) % unit)
}
