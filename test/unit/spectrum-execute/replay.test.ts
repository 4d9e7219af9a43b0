/** The public test chain's blocks, run from its genesis: state roots, receipts, blooms and gas come out as in its headers. */
import { describe, expect, it } from 'vitest'
import { replayBlocks } from '../../../src/spectrum/execute/index.ts'
import { DEVNET as NETWORK } from '../../../src/spectrum/network/networks.ts'
import { BOTH } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_NODES } from '../spectrum/devnet.ts'

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

  it('starts at any block whose state is given, and says what is missing', async () => {
    const from = DEVNET.slice(20)
    const numbers: number[] = []
    for await (const { number, refusal } of replayBlocks(curve, NETWORK, DEVNET_NODES, from)) {
      expect(refusal).toBeNull()
      numbers.push(number)
    }
    expect(numbers).toEqual(from.slice(1).map((block) => block.number))
    const results = []
    for await (const { number, refusal } of replayBlocks(curve, NETWORK, new Map(), from)) results.push([number, refusal?.code])
    expect(results).toEqual([[21, 'state-unavailable']])
  })

  it('stops at the first block that is not so', async () => {
    const spoilt = DEVNET.map((block) => (block.number === 9 ? { ...block, body: { ...block.body, transactions: [...block.body.transactions, ...block.body.transactions] } } : block))
    const codes = []
    for await (const { refusal } of replayBlocks(curve, NETWORK, new Map(), spoilt)) codes.push(refusal?.code ?? null)
    expect(codes).toEqual([...new Array<null>(8).fill(null), 'errInvalidTransactionsRoot'])
  })
})
