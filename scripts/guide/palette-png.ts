/**
 * A browser's PNG made small: decoded, its colours brought down to a palette, encoded again. Source: PNG specification (W3C, third edition),
 * 8 bits a sample, truecolour with or without alpha, not interlaced, as Chromium writes it; what comes out is colour type 3.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 }

interface Pixels {
  readonly width: number
  readonly height: number
  /** 0xrrggbb, row by row. */
  readonly colours: Uint32Array
}

/** `most`: colours in the palette, 2 to 256. Errors: a PNG of another kind. */
export function withPalette(png: Buffer, most: number): Buffer {
  const { width, height, colours } = decode(png)
  const palette = paletteOf(colours, most)
  const nearest = new Map<number, number>()
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = colours[y * width + x] ?? 0
      let index = nearest.get(colour)
      if (index === undefined) nearest.set(colour, (index = nearestOf(palette, colour)))
      rows[y * (width + 1) + 1 + x] = index
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 3, 0, 0, 0], 8)
  const colourBytes = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('PLTE', colourBytes), chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

function decode(png: Buffer): Pixels {
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error('no PNG')
  const parts: Buffer[] = []
  let [width, height, type] = [0, 0, 0]
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const name = png.toString('latin1', at + 4, at + 8)
    const data = png.subarray(at + 8, at + 8 + length)
    if (name === 'IHDR') {
      ;[width, height, type] = [data.readUInt32BE(0), data.readUInt32BE(4), data[9] ?? 0]
      if (data[8] !== 8 || CHANNELS[type] === undefined || data[12] !== 0) throw new Error(`a PNG of ${data[8]} bits, colour type ${type}: 8 bits, type 2 or 6 expected`)
    } else if (name === 'IDAT') parts.push(data)
    at += 12 + length
  }
  const channels = CHANNELS[type] ?? 3
  const bytes = unfiltered(inflateSync(Buffer.concat(parts)), width * channels, height, channels)
  const colours = new Uint32Array(width * height)
  for (let index = 0; index < colours.length; index++) {
    const at = index * channels
    colours[index] = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  }
  return { width, height, colours }
}

/** Each row begins with the number of its filter (none, sub, up, average, Paeth). */
function unfiltered(raw: Buffer, rowBytes: number, height: number, step: number): Buffer {
  const out = Buffer.alloc(rowBytes * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (rowBytes + 1)] ?? 0
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x
      const left = x >= step ? (out[at - step] ?? 0) : 0
      const up = y > 0 ? (out[at - rowBytes] ?? 0) : 0
      const corner = y > 0 && x >= step ? (out[at - rowBytes - step] ?? 0) : 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0
      out[at] = ((raw[y * (rowBytes + 1) + 1 + x] ?? 0) + guess) & 255
    }
  }
  return out
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}

/** Median cut: the box of colours with the widest side is cut where half of its pixels are, until there are enough. */
function paletteOf(colours: Uint32Array, most: number): readonly number[] {
  const counts = new Map<number, number>()
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1)
  const boxes = [[...counts]]
  while (boxes.length < most) {
    const widest = boxes.map((box) => ({ box, ...widestSide(box) })).toSorted((one, other) => other.width * Math.log2(other.box.length + 1) - one.width * Math.log2(one.box.length + 1))[0]
    if (widest === undefined || widest.width === 0) break
    const sorted = widest.box.toSorted(([one], [other]) => channelOf(one, widest.side) - channelOf(other, widest.side))
    const half = sorted.reduce((sum, [, count]) => sum + count, 0) / 2
    let [seen, cut] = [0, 0]
    while (cut < sorted.length - 1 && seen + (sorted[cut]?.[1] ?? 0) <= half) seen += sorted[cut++]?.[1] ?? 0
    boxes.splice(boxes.indexOf(widest.box), 1, sorted.slice(0, Math.max(1, cut)), sorted.slice(Math.max(1, cut)))
  }
  // The commonest colour of each box as it is: plain areas keep theirs.
  return boxes.map((box) => box.reduce((best, one) => (one[1] > best[1] ? one : best))[0])
}

const channelOf = (colour: number, side: number): number => (colour >> (16 - side * 8)) & 255

function widestSide(box: readonly (readonly [number, number])[]): { readonly side: number; readonly width: number } {
  const sides = [0, 1, 2].map((side) => {
    let [low, high] = [255, 0]
    for (const [colour] of box) {
      const value = channelOf(colour, side)
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    return { side, width: high - low }
  })
  return sides.reduce((best, one) => (one.width > best.width ? one : best))
}

function nearestOf(palette: readonly number[], colour: number): number {
  let [best, least] = [0, Infinity]
  for (const [index, one] of palette.entries()) {
    const distance = [0, 1, 2].reduce((sum, side) => sum + (channelOf(one, side) - channelOf(colour, side)) ** 2, 0)
    if (distance < least) [best, least] = [index, distance]
  }
  return best
}
