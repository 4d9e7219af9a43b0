/** Receipts of others, held against the header: the public test chain's, and those of a block that is being imported. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { receiptsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { bloomOfLogs } from '../../../src/spectrum/codec/receipt.ts'
import type { Network, Receipt } from '../../../src/spectrum/index.ts'
import { createSync } from '../../../src/spectrum/sync/index.ts'
import { ReceiptReader } from '../../../src/spectrum/sync/receipts.ts'
import { Roster } from '../../../src/spectrum/sync/roster.ts'
import { native } from '../spectrum/curves.ts'
import { devnetBlock } from '../spectrum/devnet.ts'
import { EVERYBODY } from '../spectrum/village.ts'
import { MemoryChain } from './memory-chain.ts'
import { ScriptedSource, receiptsRlp, silence } from './scripted-source.ts'
import type { Script } from './scripted-source.ts'
import { SimTime } from './sim-time.ts'
import { Valley, asChainBlock } from './valley.ts'

const OLD_DEVNET: Network = { ...DEVNET_NETWORK, forks: { ...DEVNET_NETWORK.forks, sip004: null }, uncheckedGasLimit: null }
const { header, hash, receipts } = devnetBlock(8)

function reader(...answers: NonNullable<Script['receipts']>[]): { reader: ReceiptReader; roster: Roster; time: SimTime } {
  const time = new SimTime(1_700_000_000)
  const roster = new Roster(time.clock(), silentLog)
  answers.forEach((receiptsOf, index) => roster.open(new ScriptedSource(`source ${index}`, [], new Map(), { receipts: receiptsOf })))
  return { reader: new ReceiptReader({ curve: native, network: OLD_DEVNET, sources: roster, timers: time }), roster, time }
}

const answer = (list: readonly Receipt[]) => () => Promise.resolve([receiptsRlp(list)])

describe('receipts on demand', () => {
  it('that are the header’s are given, from the first who has them', async () => {
    const { reader: own, roster } = reader(() => Promise.resolve([null]), () => Promise.resolve([]), answer(receipts))
    expect(await own.of({ header, hash })).toEqual(receipts)
    expect(roster.bannedCount()).toBe(0)
  })

  it('for somebody else are asked of some, and of few of them', async () => {
    const asked: number[] = []
    const noting = (index: number) => () => (asked.push(index), Promise.resolve([null]))
    const { reader: own } = reader(noting(0), noting(1), noting(2), answer(receipts))
    const circle = (most: number) => ({ isAsked: ({ id }: { readonly id: string }) => id !== 'source 0', most })
    expect([await own.of({ header, hash }, circle(2)), asked]).toEqual([null, [1, 2]])
    expect(await own.of({ header, hash }, circle(3))).toEqual(receipts)
  })

  it.each<[string, NonNullable<Script['receipts']>]>([
    ['one left out', answer(receipts.slice(1))],
    ['a changed log', answer(receipts.map((receipt) => ({ ...receipt, logs: [{ address: `0x${'aa'.repeat(20)}`, topics: [], data: new Uint8Array(0) }] })))],
    ['none at all', answer([])],
    ['noise', () => Promise.resolve([Uint8Array.of(0xff, 1, 2)])],
    ['more than asked for', () => Promise.resolve([receiptsRlp(receipts), receiptsRlp(receipts)])],
  ])('%s: a lie, and the next source is asked', async (_, lies) => {
    const { reader: own, roster } = reader(lies, answer(receipts))
    expect(await own.of({ header, hash })).toEqual(receipts)
    expect(roster.bannedCount()).toBe(1)
  })

  it('nobody has them, or nobody answers: null', async () => {
    expect(await reader().reader.of({ header, hash })).toBeNull()
    const { reader: own, time, roster } = reader(silence)
    const asked = own.of({ header, hash })
    await time.run(15_000)
    expect([await asked, roster.bannedCount()]).toEqual([null, 0])
  })
})

describe('receipts that are wanted with a block', () => {
  const valley = new Valley()
  const list: readonly Receipt[] = [{ succeeded: true, cumulativeGasUsed: 0n, bloom: bloomOfLogs(native, []), logs: [] }]
  const spot = valley.grow(valley.genesis, 1, EVERYBODY, { header: { receiptsRoot: receiptsRootOf(native, list) } })[0] ?? valley.genesis

  it.each<[string, Script, readonly Receipt[] | null]>([
    ['are kept with it', { receipts: answer(list) }, list],
    ['are not waited for where nobody has them', {}, null],
  ])('%s', async (_, script, kept) => {
    const time = new SimTime(spot.header.timeSeconds + 5)
    const chain = new MemoryChain(valley.network, asChainBlock(valley.genesis))
    const sync = createSync({
      curve: native,
      chain,
      executor: null,
      nodes: null,
      clock: time.clock(),
      timers: time,
      randomness: { bytes: (length) => new Uint8Array(length) },
      breathe: () => Promise.resolve(),
      log: silentLog,
      mayBeAlone: () => false,
      wantsReceipts: (each) => each.number === 1,
    })
    sync.start()
    sync.listener.opened(new ScriptedSource('a', [valley.genesis, spot], valley.nodes, script))
    await time.run(1)
    expect([chain.head().hash, chain.receipts(spot.hash)]).toEqual([spot.hash, kept])
    expect(await sync.receipts(spot)).toEqual(kept)
  })
})
