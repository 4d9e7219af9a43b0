/** The public test chain's blocks, run from its genesis: state roots, receipts, blooms and gas come out as in its headers. */
import { describe, expect, it } from 'vitest'
import { replayBlocks } from '../../../src/spectrum/execute/index.ts'
import { DEVNET as NETWORK } from '../../../src/spectrum/index.ts'
import { BOTH } from '../spectrum/curves.ts'
import { DEVNET } from '../spectrum/devnet.ts'

describe.each(BOTH)('replay with %s', (_, curve) => {
  it('makes every root of the vectors from the genesis alone', async () => {
    const seen: number[] = []
    for await (const replayed of replayBlocks(curve, NETWORK, new Map(), DEVNET)) {
      expect(replayed).toMatchObject({ refusal: null, hash: DEVNET[replayed.number]?.hash, stateRoot: DEVNET[replayed.number]?.header.stateRoot })
      seen.push(replayed.number)
    }
    expect(seen).toEqual(DEVNET.slice(1).map((block) => block.number))
    expect(seen.length).toBeGreaterThanOrEqual(30)
  })
})
