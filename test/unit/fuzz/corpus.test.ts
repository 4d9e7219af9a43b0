/**
 * The corpus of test/fuzz: for each decoder of bytes from outside the inputs that are kept for good, and inputs near to them for a bounded
 * time. A decoder takes bytes or refuses them; it throws nothing but a MeshBoxError that blames the input, and leaves the bytes as they were.
 *
 * A line of a file is `ok HEX` (taken), `no HEX` (refused) or `any HEX`; `#` begins a comment. What is found goes into the decoder's
 * file, with the word for what should have become of it. MESHBOX_FUZZ_MS: of all decoders together, default 8,000; MESHBOX_FUZZ_SEED.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex, toHex } from '../../../src/base/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { DECODERS } from './decoders.ts'
import type { Decoder } from './decoders.ts'

const FOLDER = join(import.meta.dirname, '../../fuzz')
const BUDGET_MS = Number(process.env.MESHBOX_FUZZ_MS ?? 8_000)
const SEED = Number(process.env.MESHBOX_FUZZ_SEED ?? 20_261_122)
const MOST_BYTES = 4_096
/** Bytes at which lengths, kinds and signs turn. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xc1, 0xf7, 0xf8, 0xff, 0x22, 0x5b, 0x7b]

type Word = 'ok' | 'no' | 'any'
type Dice = ReturnType<typeof seededRandom>

interface Seed {
  readonly word: Word
  readonly bytes: Uint8Array
}

function seedsOf(name: string): readonly Seed[] {
  return readFileSync(join(FOLDER, `${name}.txt`), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, word, hex] = /^(ok|no|any)(?: ([0-9a-f]*))?$/i.exec(line) ?? []
      if (word === undefined) throw new Error(`${name}.txt: ${line.slice(0, 40)} is no line of a corpus`)
      return { word: word as Word, bytes: fromHex(hex ?? '') }
    })
}

const ANYTHING = seedsOf('anything')

/** True: one of them took it. Throws for what a peer's bytes must never do. */
function isTaken({ decode, others = [] }: Decoder, bytes: Uint8Array): boolean {
  const before = Buffer.from(bytes)
  let taken = false
  for (const each of [decode, ...others]) {
    try {
      const made = each(bytes)
      taken ||= made !== null && !(typeof made === 'object' && 'refused' in made && typeof made.refused === 'string')
    } catch (thrown) {
      const isRefusal = thrown instanceof MeshBoxError && (thrown.kind === 'input' || thrown.kind === 'limit')
      if (!isRefusal) throw new Error(`thrown for ${toHex(bytes)}`, { cause: thrown })
    }
    if (Buffer.compare(before, bytes) !== 0) throw new Error(`changed by who reads it: ${before.toString('hex')}`)
  }
  return taken
}

const below = (dice: Dice, limit: number): number => Math.floor(dice.next() * limit)

function near(dice: Dice, seeds: readonly Seed[]): Uint8Array {
  const pick = (): Uint8Array => seeds[below(dice, seeds.length)]?.bytes ?? new Uint8Array()
  let bytes = Buffer.from(pick())
  for (let changes = 1 + below(dice, 4); changes > 0; changes--) {
    const at = below(dice, bytes.length + 1)
    const end = Math.min(bytes.length, at + 1 + below(dice, 16))
    const edge = EDGES[below(dice, EDGES.length)] ?? 0
    switch (below(dice, 7)) {
      case 0:
        if (at < bytes.length) bytes[at] = below(dice, 256)
        break
      case 1:
        if (at < bytes.length) bytes[at] = edge
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
        break
      case 3:
        bytes = bytes.subarray(0, at)
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
        break
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + below(dice, 9), edge), bytes.subarray(at)])
        break
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), pick().subarray(below(dice, 32))])
    }
    bytes = Buffer.from(bytes.subarray(0, MOST_BYTES))
  }
  return new Uint8Array(bytes)
}

describe('the corpus', () => {
  const names = Object.keys(DECODERS)

  it('has a file for each decoder, and none for no decoder', () => {
    expect(readdirSync(FOLDER).map((file) => file.replace(/\.txt$/, '')).toSorted()).toEqual([...names, 'anything'].toSorted())
  })

  it.each(names)('%s', (name) => {
    const decoder = DECODERS[name]
    if (decoder === undefined) throw new Error(name)
    const own = seedsOf(name)
    for (const { word, bytes } of own) if (word !== 'any') expect([toHex(bytes), isTaken(decoder, bytes)]).toEqual([toHex(bytes), word === 'ok'])
    for (const { bytes } of [...own, ...ANYTHING]) isTaken(decoder, bytes)
    const seeds = [...own, ...own, ...own, ...ANYTHING]
    const dice = seededRandom(SEED)
    const untilMs = performance.now() + BUDGET_MS / names.length
    for (let run = 0; run === 0 || performance.now() < untilMs; run++) isTaken(decoder, near(dice, seeds))
  })
})
