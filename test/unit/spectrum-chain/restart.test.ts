/** What an owner is shown and may do after an alarm; a checkpoint proved late; a chain that was left for weeks. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { isStale } from '../../../src/spectrum/chain/index.ts'
import { MAX_CHECKPOINT_AGE_SECONDS } from '../../../src/spectrum/chain/verify-checkpoint.ts'
import type { ChainStart, KeptChain } from '../../../src/spectrum/chain/index.ts'
import { proveStart } from '../../../src/spectrum/prove-start.ts'
import type { Header, Round } from '../../../src/spectrum/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { DRAWN_NETWORK, DRAWN_OPTIONS, DRAWN_ROUND, DRAWN_START, SIGNERS, drawnBranch } from './drawn-blocks.ts'
import { eventsOf, openTestChain, openTestStore } from './kept-chain.ts'

const ours = drawnBranch(DRAWN_START.known, 60, { difficulty: 5n })
const hashAt = (blocks: typeof ours, index: number): string => blocks.at(index)?.verified.hash ?? 'none'

describe('branches that were not taken', () => {
  it('are shown with what they would take back, heaviest first, and with who sealed which side', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    await chain.insert(ours)
    expect(chain.branches()).toEqual([])
    const light = drawnBranch(ours[24]?.verified ?? DRAWN_START.known, 31, { salt: 'light', signer: SIGNERS[2] ?? '0x' })
    const heavy = drawnBranch(ours[19]?.verified ?? DRAWN_START.known, 41, { salt: 'heavy', signer: SIGNERS[1] ?? '0x' })
    await chain.insert([...light, ...heavy])
    expect(chain.alarm()?.code).toBe('deep-reorg')
    expect(chain.branches().map(({ tip, fork, blocks, takesBack, signers }) => [tip.hash, fork.header.number, blocks, takesBack, signers])).toEqual([
      [hashAt(heavy, -1), 20, 41, 40, [SIGNERS[1]]],
      [hashAt(light, -1), 25, 31, 35, [SIGNERS[2]]],
    ])
    expect(chain.branches()[0]?.ourSigners).toHaveLength(17)
    await chain.adopt(heavy.at(-1)?.verified.hash ?? '0x')
    expect([chain.branches(), chain.alarm()]).toEqual([[], null])
  })
})

describe('a checkpoint that is proved after the start', () => {
  const start: ChainStart = { ...DRAWN_START, known: ours[16]?.verified ?? DRAWN_START.known }

  async function proving(answers: readonly (Round | null)[], from = start): Promise<{ chain: KeptChain; time: FakeTime; asked: Header[]; stop: () => void; pass: (ms: number) => Promise<void> }> {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const time = new FakeTime()
    const asked: Header[] = []
    const state = { round: async (at: Header) => answers[asked.push(at) - 1] ?? null }
    const stop = proveStart({ chain, start: from, state, timers: time, log: silentLog })
    onTestFinished(stop)
    const pass = async (ms: number): Promise<void> => {
      time.advance(ms)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { chain, time, asked, stop, pass }
  }

  it('raises the alarm where its state says something else, and keeps it over a restart', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    const events = eventsOf(chain)
    await chain.disputeCheckpoint('the state of block 17 names other signers')
    await chain.disputeCheckpoint('once more')
    expect(chain.alarm()).toMatchObject({ code: 'checkpoint-conflict', reason: 'the state of block 17 names other signers' })
    expect(events.map(({ kind }) => kind)).toEqual(['alarm'])
    expect((await openTestChain(store, DRAWN_OPTIONS)).alarm()).toEqual(chain.alarm())
  })

  it('is asked for until somebody has its state, and no longer', async () => {
    const { chain, time, asked, pass } = await proving([null, null, DRAWN_ROUND])
    for (let tries = 0; tries < 6; tries++) await pass(60_000)
    expect(asked.map(({ number }) => number)).toEqual([17, 17, 17])
    expect([chain.alarm(), time.pendingTimers]).toEqual([null, 0])
  })

  it('is disputed where the proved round is another one', async () => {
    const { chain, time, pass } = await proving([{ ...DRAWN_ROUND, leaders: SIGNERS.slice(1, 4) }])
    await pass(60_000)
    await chain.insert([]) // after the alarm's own turn
    expect(chain.alarm()?.code).toBe('checkpoint-conflict')
    expect(time.pendingTimers).toBe(0)
  })

  it('stands by its signatures where nobody has the state for half a day', async () => {
    const { chain, time, asked, pass } = await proving([])
    for (let hours = 0; hours < 60; hours++) await pass(3_600_000)
    expect(asked.length).toBe(20)
    expect([chain.alarm(), time.pendingTimers]).toEqual([null, 0])
  })

  it('is left alone once the box stops, and for a genesis, which its hash proves', async () => {
    const { time, asked, stop } = await proving([])
    stop()
    expect(time.pendingTimers).toBe(0)
    expect((await proving([], DRAWN_START)).time.pendingTimers).toBe(0)
    expect(asked).toEqual([])
  })
})

describe('a chain that was left for weeks', () => {
  const atDay = (days: number, number = 500): ChainStart => {
    const { header } = DRAWN_START.known
    return { ...DRAWN_START, totalDifficulty: 3000n, known: { hash: `0x${'77'.repeat(32)}`, header: { ...header, number, timeSeconds: (ours.at(-1)?.verified.header.timeSeconds ?? 0) + days * 86_400 } } }
  }

  it('gives way to a checkpoint more than two weeks newer, and to none that is younger, lower, lighter, or comes while an alarm waits', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    await chain.insert(ours)
    expect(MAX_CHECKPOINT_AGE_SECONDS).toBe(14 * 86_400)
    expect([13, 14, 15].map((days) => isStale(chain, atDay(days)))).toEqual([false, false, true])
    expect(isStale(chain, atDay(15, 60))).toBe(false)
    expect(isStale(chain, { ...atDay(15), totalDifficulty: chain.head().totalDifficulty })).toBe(false)
    await chain.disputeCheckpoint('to be looked at')
    expect(isStale(chain, atDay(15))).toBe(false)
  })

  it('begins anew there, without what it kept; a jump that cannot be written leaves everything as it was', async () => {
    const store = openTestStore()
    const first = await openTestChain(store, DRAWN_OPTIONS)
    await first.insert(ours)
    const start: ChainStart = { ...DRAWN_START, known: ours[50]?.verified ?? DRAWN_START.known, totalDifficulty: 261n }
    const broken = { ...store, read: store.read.bind(store), turn: () => Promise.reject(new Error('disk full')) } as unknown as typeof store
    await expect(openTestChain(broken, { ...DRAWN_OPTIONS, start, isRestart: true })).rejects.toThrow('disk full')
    expect((await openTestChain(store, DRAWN_OPTIONS)).head().hash).toBe(hashAt(ours, -1))

    const anew = await openTestChain(store, { ...DRAWN_OPTIONS, start, isRestart: true })
    expect(anew.stats()).toMatchObject({ treeBlocks: 1, startNumber: 51 })
    expect(anew.headerAt(50)).toBeNull()
    expect(await anew.insert(ours.slice(51))).toEqual(ours.slice(51).map(() => 'head'))
    const again = await openTestChain(store, { network: DRAWN_NETWORK, start: null })
    expect(again.head().hash).toBe(hashAt(ours, -1))
  })

  it('cannot begin anew at nothing', async () => {
    const store = openTestStore()
    await (await openTestChain(store, DRAWN_OPTIONS)).insert(ours)
    await expect(openTestChain(store, { network: DRAWN_NETWORK, start: null, isRestart: true })).rejects.toMatchObject({ code: 'chain-not-started' })
    expect((await openTestChain(store, DRAWN_OPTIONS)).head().header.number).toBe(60)
  })
})
