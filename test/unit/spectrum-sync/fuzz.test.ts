/**
 * Sources that answer and push anything: honest bytes changed, cut, repeated, in another order, or noise. Nothing
 * is thrown, nothing that is not of the honest chain gets in, and an honest source is followed to its head afterwards.
 */
import { expect, it } from 'vitest'
import { concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import { createSync } from '../../../src/spectrum/sync/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { EVERYBODY } from '../spectrum/village.ts'
import { MemoryChain } from './memory-chain.ts'
import { ScriptedSource, raw } from './scripted-source.ts'
import { SimTime } from './sim-time.ts'
import { Valley, asChainBlock } from './valley.ts'
import type { Spot } from './valley.ts'

const RUNS = 150
const valley = new Valley()
const LONG: readonly Spot[] = [valley.genesis, ...valley.grow(valley.genesis, 40, EVERYBODY)]
const head = LONG.at(-1) ?? valley.genesis

type Dice = ReturnType<typeof seededRandom>
const below = (dice: Dice, limit: number): number => Math.floor(dice.next() * limit)

function spoilBytes(dice: Dice, bytes: Uint8Array): Uint8Array {
  switch (below(dice, 7)) {
    case 0:
      return bytes.length === 0 ? bytes : bytes.with(below(dice, bytes.length), below(dice, 256))
    case 1:
      return bytes.subarray(0, below(dice, bytes.length + 1))
    case 2:
      return concatBytes(bytes, dice.bytes(below(dice, 40)))
    case 3:
      return dice.bytes(below(dice, 900))
    case 4: {
      // A length that is not there.
      const long = bytes.slice(0, Math.max(9, bytes.length))
      long.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
      return long
    }
    case 5:
      return new Uint8Array(below(dice, 3_000)).fill(0xc1)
    default:
      return bytes
  }
}

function spoilList<T extends Uint8Array | null>(dice: Dice, items: readonly T[]): readonly T[] {
  const place = below(dice, Math.max(1, items.length))
  switch (below(dice, 8)) {
    case 0:
      return items.toReversed()
    case 1:
      return items.toSpliced(place, 1)
    case 2:
      return [...items, ...items]
    case 3:
      return []
    case 4:
      return items.map((item) => (item === null ? item : (spoilBytes(dice, item) as T)))
    case 5:
      return items
    default: {
      const item = items[place]
      return item === null || item === undefined ? items : items.with(place, spoilBytes(dice, item) as T)
    }
  }
}

it.each([1, 2, 3, 4])(`${RUNS} towns of fuzzers, seed %i`, async (seed) => {
  const dice = seededRandom(seed)
  for (let run = 0; run < RUNS; run++) {
    const errors: string[] = []
    const log = { ...silentLog, error: (message: string, fields: unknown) => errors.push(`${message} ${JSON.stringify(fields)}`) }
    const time = new SimTime(head.header.timeSeconds + 10)
    const chain = new MemoryChain(valley.network, asChainBlock(valley.genesis))
    const sync = createSync({
      curve: native,
      chain,
      executor: null,
      nodes: null,
      clock: time.clock(),
      timers: time,
      randomness: dice,
      breathe: () => Promise.resolve(),
      log,
      mayBeAlone: () => false,
    })
    sync.start()
    const upTo = below(dice, LONG.length)
    const claims = { hash: head.hash, number: dice.next() < 0.5 ? null : below(dice, 60), totalDifficulty: BigInt(below(dice, 400)) }
    const fuzzers = [0, 1, 2].map((index) =>
      new ScriptedSource(`fuzzer ${index}`, LONG.slice(0, upTo + 1), valley.nodes, {
        headers: (_from: Hash | number, _count, honest) => Promise.resolve(spoilList(dice, honest())),
        bodies: (_hashes, honest) => Promise.resolve(spoilList(dice, honest())),
        nodes: (_hashes, honest) => Promise.resolve(spoilList(dice, honest())),
        ...(index === 0 ? { head: () => claims } : {}),
      }),
    )
    for (const fuzzer of fuzzers) {
      sync.listener.opened(fuzzer)
      const pushed = raw(LONG[1 + below(dice, 6)] ?? head)
      sync.listener.blockPushed(fuzzer, spoilBytes(dice, pushed.header), spoilBytes(dice, pushed.body), 1n)
      sync.listener.headChanged(fuzzer)
    }
    await time.run(2_000)
    expect(valley.spots.get(chain.head().hash)?.totalDifficulty, `run ${run}`).toBe(chain.head().totalDifficulty)
    sync.listener.opened(new ScriptedSource('honest', LONG, valley.nodes))
    await time.run(60_000)
    expect([run, chain.head().hash, errors]).toEqual([run, head.hash, []])
    sync.stop()
  }
})
