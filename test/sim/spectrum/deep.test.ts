/** Attempts to take back more than a reorg may: the real chain with its store, behind the real follower and several sources. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { openChain, startFromGenesis } from '../../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/chain/io/migrations.ts'
import type { Chain } from '../../../src/spectrum/ports.ts'
import { createSync } from '../../../src/spectrum/sync/index.ts'
import type { Sync } from '../../../src/spectrum/sync/index.ts'
import { native } from '../../unit/spectrum/curves.ts'
import { EVERYBODY, LEADERS } from '../../unit/spectrum/village.ts'
import { ScriptedSource } from '../../unit/spectrum-sync/scripted-source.ts'
import { SimTime } from '../../unit/spectrum-sync/sim-time.ts'
import { Valley } from '../../unit/spectrum-sync/valley.ts'
import type { Spot } from '../../unit/spectrum-sync/valley.ts'
import { memoryStore } from './memory-store.ts'

const valley = new Valley()
const common = [valley.genesis, ...valley.grow(valley.genesis, 10, EVERYBODY)]
const forked = common.at(-1) ?? valley.genesis
/** Leaders alone make light blocks. */
const weak = valley.grow(forked, 60, LEADERS)
const strong = valley.grow(forked, 90, EVERYBODY)
const chainOf = (branch: readonly Spot[], blocks: number): Spot[] => [...common, ...branch.slice(0, blocks)]
const hashAt = (branch: readonly Spot[], blocks: number): string | undefined => branch[blocks - 1]?.hash

interface Stage {
  readonly time: SimTime
  readonly chain: Chain
  readonly sync: Sync
  open(id: string, blocks: readonly Spot[]): ScriptedSource
}

/** A box that has followed the weak branch for so many blocks. */
async function stage(weakBlocks: number): Promise<Stage> {
  const time = new SimTime(1_700_000_000 + 100_000)
  const store = memoryStore(spectrumMigrations)
  const chain = await openChain({ store, curve: native, network: valley.network, clock: time.clock(), log: silentLog, start: startFromGenesis(native, valley.network) })
  const sync = createSync({
    curve: native,
    chain,
    executor: null,
    nodes: null,
    clock: time.clock(),
    timers: time,
    randomness: { bytes: (length) => new Uint8Array(length).fill(1) },
    breathe: () => Promise.resolve(),
    log: silentLog,
    mayBeAlone: () => false,
  })
  sync.start()
  const open = (id: string, blocks: readonly Spot[]): ScriptedSource => {
    const source = new ScriptedSource(id, blocks, valley.nodes)
    sync.listener.opened(source)
    return source
  }
  const first = open('first', chainOf(weak, weakBlocks))
  await time.run(1)
  sync.listener.closed(first, 'gone')
  expect(chain.head().hash).toBe(hashAt(weak, weakBlocks))
  return { time, chain, sync, open }
}

describe('reorganisations', () => {
  it('17 blocks back: taken from one source', async () => {
    const { time, chain, open } = await stage(17)
    open('one', chainOf(strong, 17))
    await time.run(1)
    expect([chain.head().hash, chain.alarm()]).toEqual([hashAt(strong, 17), null])
  })

  it('18 to 34 back: not from one source, however long it insists; from two', async () => {
    for (const blocks of [18, 34]) {
      const { time, chain, open } = await stage(blocks)
      open('one', chainOf(strong, blocks))
      await time.run(100_000)
      expect([chain.head().hash, chain.alarm()]).toEqual([hashAt(weak, blocks), null])
      open('two', chainOf(strong, blocks))
      await time.run(1)
      expect([chain.head().hash, chain.alarm()]).toEqual([hashAt(strong, blocks), null])
    }
  })

  it('35 back: never, and the alarm is raised, also when the branch outweighs ours far above the fork', async () => {
    for (const [ours, theirs] of [[35, 35], [60, 60]] as const) {
      const { time, chain, open } = await stage(ours)
      open('one', chainOf(strong, theirs))
      open('two', chainOf(strong, theirs))
      await time.run(60_000)
      expect([chain.head().hash, chain.alarm()?.code]).toEqual([hashAt(weak, ours), 'deep-reorg'])
    }
  })

  it('35 back and lighter: no alarm', async () => {
    const { time, chain, open } = await stage(50)
    const claims = chainOf(strong, 40)
    const liar = open('one', claims)
    expect((claims.at(-1)?.totalDifficulty ?? 0n) < chain.head().totalDifficulty).toBe(true)
    await time.run(60_000)
    expect([chain.head().hash, chain.alarm(), liar.asked.filter((each) => each.startsWith('bodies'))]).toEqual([hashAt(weak, 50), null, []])
  })
})
