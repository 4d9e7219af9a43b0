/**
 * Photon's decoders over lengths that lie and inputs near to real ones, in a process of its own with little memory. Argument: `ours`, or
 * `trusting` for a decoder that makes room for what a length promises. Says at the end, as JSON, what a single input has cost at most.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import fc from 'fast-check'
import { MeshBoxError, fromHex } from '../../../src/base/index.ts'
import { FrameReader } from '../../../src/photon/node/framing.ts'
import { decodeAsk, decodeGossip } from '../../../src/photon/route/announce.ts'
import { decodeFrames } from '../../../src/photon/stream/frames.ts'
import { decodeMdns } from '../../../src/photon/v1/mdns-codec.ts'
import { decodeWatchFrame } from '../../../src/photon/watch/frames.ts'
import { seededRandom } from '../../support/fakes.ts'
import { messagesOf } from '../photon-wire/arbitrary.ts'
import { KEY1, sealed, wire1, wire2 } from '../photon-wire/parties.ts'

type Decode = (bytes: Uint8Array) => unknown

/** By the file of its seeds; `v2`: of each kind of frame one. */
const OURS: Readonly<Record<string, readonly Decode[]>> = {
  'photon-v1-packet': [(bytes) => wire1.decode(bytes)],
  v2: [(bytes) => wire2.decode(bytes), (bytes) => new FrameReader().push(bytes)],
  'photon-ask': [decodeAsk],
  'photon-gossip': [decodeGossip],
  'photon-stream': [decodeFrames],
  'photon-watch': [decodeWatchFrame],
  'photon-mdns': [decodeMdns],
}
/** F7: room for as many hops as the packet says it has. */
const TRUSTING: typeof OURS = {
  'photon-v1-packet': [(bytes) => (bytes[0] === 11 && bytes.length > 152 ? new Array<number>(Math.min(Buffer.from(bytes).readUInt32BE(148), 1_000_000)).fill(0) : null)],
}
/** As a count of 20,000,000, as the largest ones, and as lengths of the original's and of our own varints; in both orders of bytes. */
const LIES = ['01312d00', '002d3101', '7fffffff', 'ffffffff', 'ffffff7f', 'fe002d3101', 'feffffffff', 'fdffff', 'ffff', '00000000'].map((hex) => fromHex(hex))
const NEAR = 4_000
const MOST_BYTES = 4_096

function seedsOf(name: string): readonly Uint8Array[] {
  if (name === 'v2') return Object.values(messagesOf('v2')).flatMap((kind) => fc.sample(kind, { numRuns: 1, seed: 20_261_123 }).map((message) => sealed(wire2, message, KEY1)))
  const lines = readFileSync(join(import.meta.dirname, `../../fuzz/${name}.txt`), 'utf8').split('\n')
  return lines.flatMap((line) => {
    const hex = /^(?:ok|no|any) ([0-9a-f]+)/i.exec(line)?.[1]
    return hex === undefined ? [] : [fromHex(hex)]
  })
}

function inUse(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

let runs = 0
let mostBytes = 0
function give(decode: Decode, bytes: Uint8Array): void {
  const before = inUse()
  try {
    decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError)) throw thrown
  }
  runs++
  mostBytes = Math.max(mostBytes, inUse() - before)
}

function* lying(seed: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < seed.length; at++)
    for (const lie of LIES) {
      const bytes = seed.slice()
      bytes.set(lie.subarray(0, seed.length - at), at)
      yield bytes
    }
}

function* near(seeds: readonly Uint8Array[]): Generator<Uint8Array> {
  const dice = seededRandom(20_261_123)
  const below = (limit: number): number => Math.floor(dice.next() * limit)
  for (let run = 0; run < NEAR; run++) {
    const bytes = Buffer.from(seeds[below(seeds.length)] ?? new Uint8Array())
    for (let changes = 1 + below(4); changes > 0; changes--) bytes[below(bytes.length)] = below(256)
    const [from, to] = [below(bytes.length), below(bytes.length)]
    const changed = below(3) === 0 ? Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]) : bytes
    yield new Uint8Array(changed.subarray(0, MOST_BYTES))
  }
}

const decoders = process.argv[2] === 'trusting' ? TRUSTING : OURS
// Once, so that what loading costs is not counted to the first packet.
for (const [name, all] of Object.entries(decoders)) for (const decode of all) for (const seed of seedsOf(name)) give(decode, seed)
const rssBefore = process.memoryUsage.rss()
runs = mostBytes = 0
for (const [name, all] of Object.entries(decoders)) {
  const seeds = seedsOf(name)
  for (const decode of all) {
    for (const seed of seeds) for (const bytes of lying(seed)) give(decode, bytes)
    for (const bytes of near(seeds)) give(decode, bytes)
  }
}
console.log(JSON.stringify({ runs, mostBytes, grownBytes: process.memoryUsage.rss() - rssBefore }))
