/** Random trees in random order: the head is where it should be, no reorganisation is deeper than allowed, and a restart finds what was there. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inputError } from '../../../src/base/index.ts'
import type { Store, Tx } from '../../../src/store/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Hash, KnownHeader } from '../../../src/spectrum/index.ts'
import type { ChainEvent, NewBlock } from '../../../src/spectrum/ports.ts'
import type { KeptChain } from '../../../src/spectrum/chain/index.ts'
import { native } from '../spectrum/curves.ts'
import { DRAWN_OPTIONS, DRAWN_ROUND, DRAWN_START, SIGNERS, addressOf, drawn } from './drawn-blocks.ts'
import { eventsOf, openTestChain, openTestStore } from './kept-chain.ts'

const SMALL = { ...DRAWN_OPTIONS, limits: { windowBlocks: 64, segmentBlocks: 8 }, keep: { bodyBlocks: 120, headerBlocks: 150, roundHeaderBlocks: 260 } } as const

/** All that anybody can ask of a chain about these blocks. */
function picture(chain: KeptChain, blocks: readonly NewBlock[], top: number): unknown {
  return {
    head: chain.head(),
    safe: chain.safe(),
    final: chain.final(),
    alarm: chain.alarm(),
    stats: chain.stats(),
    equivocations: chain.equivocations(0),
    canonical: Array.from({ length: top + 1 }, (_, number) => chain.headerAt(number)?.hash),
    blocks: blocks.map(({ verified, body }) => ({
      block: chain.block(verified.hash),
      header: chain.header(verified.hash),
      totalDifficulty: chain.totalDifficulty(verified.hash),
      body: chain.body(verified.hash),
      transactions: body.transactions.map((transaction) => chain.transaction(hashTransaction(native, transaction))),
    })),
  }
}

/** Rounds go on by the rules; bodies have a transaction of their own. */
function chained(rounds: Map<Hash, NewBlock['round']>, parent: KnownHeader, seed: number, from: string): NewBlock {
  const before = rounds.get(parent.hash) ?? DRAWN_ROUND
  const place = (parent.header.number + 1) % 17
  const signers = [before.signers[place], before.signers[0], ...before.leaders].filter((one) => one !== undefined && one !== ZERO_ADDRESS)
  const signer = signers[seed % signers.length] ?? SIGNERS[0] ?? ZERO_ADDRESS
  const volunteer = seed % 5 === 0 ? ZERO_ADDRESS : addressOf(0xc00 + (seed % 40))
  const { round } = applyBlock(before, parent.header.number + 1, signer, volunteer)
  const changed = seed % 23 === 0 ? { ...round, leaders: [...round.leaders, addressOf(0xd00 + seed)].slice(-5) } : round
  const body = { transactions: [{ nonce: BigInt(seed), gasPriceWei: 1n, gas: 21_000n, to: signer, valueWei: BigInt(parent.header.number), data: new Uint8Array(seed % 90), v: 37n, r: 1n, s: 1n }], uncles: [] }
  const block = drawn(parent, { signer, difficulty: BigInt(1 + (seed % 6)), salt: `${seed}`, from, body, round: changed, isTwin: seed % 41 === 0 })
  rounds.set(block.verified.hash, changed)
  return block
}

const move = fc.record({ kind: fc.constantFrom('extend', 'extend', 'extend', 'fork', 'overtake', 'again', 'agree', 'clear'), back: fc.nat(45), length: fc.integer({ min: 1, max: 24 }), seed: fc.nat(1_000_000), from: fc.constantFrom('a', 'b', 'self') })

function movesOf(blocks: NewBlock[], rounds: Map<Hash, NewBlock['round']>, chain: KeptChain, { kind, back, length, seed, from }: { kind: string; back: number; length: number; seed: number; from: string }): NewBlock[] {
  if (kind === 'again') return blocks.slice(-2 * length).map((block) => ({ ...block, from }))
  if (kind === 'agree') return ['a', 'b'].flatMap((source) => blocks.slice(-2 * length).map((block) => ({ ...block, from: source })))
  const start = kind === 'extend' ? chain.head().header.number : Math.max(0, chain.head().header.number - back)
  let at: KnownHeader = chain.headerAt(start) ?? DRAWN_START.known
  const branch = Array.from({ length: kind === 'overtake' ? chain.head().header.number - start + 4 : length }, (_, index) => {
    const block = chained(rounds, at, seed + index * 7919, from)
    at = block.verified
    return block
  })
  blocks.push(...branch)
  return branch
}

describe('a chain of random trees', () => {
  it('has the heaviest block as head, whatever order the blocks come in', async () => {
    const shape = fc.array(fc.record({ parent: fc.nat(), difficulty: fc.integer({ min: 1, max: 6 }) }), { minLength: 1, maxLength: 15 })
    await fc.assert(
      fc.asyncProperty(shape, fc.infiniteStream(fc.nat()), async (nodes, dice) => {
        const blocks: { block: NewBlock; total: bigint }[] = []
        for (const [index, { parent, difficulty }] of nodes.entries()) {
          const under = parent % (blocks.length + 1) === 0 ? undefined : blocks[(parent % (blocks.length + 1)) - 1]
          const block = drawn(under?.block.verified ?? DRAWN_START.known, { signer: SIGNERS[index] ?? addressOf(index), difficulty: BigInt(difficulty) })
          blocks.push({ block, total: (under?.total ?? 6n) + BigInt(difficulty) })
        }
        const best = blocks.reduce((most, { total }) => (total > most ? total : most), 0n)
        const heaviest = blocks.filter(({ total }) => total === best)
        fc.pre(heaviest.length === 1)
        const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
        const waiting = blocks.map(({ block }) => block)
        while (waiting.length > 0) {
          const [block] = waiting.splice((dice.next().value ?? 0) % waiting.length, 1)
          if (block === undefined) break
          // An orphan comes again, as it would from a peer.
          if ((await chain.insert([block]))[0] === 'orphan') waiting.push(block)
        }
        expect(chain.head().hash).toBe(heaviest[0]?.block.verified.hash)
        expect(chain.head().totalDifficulty).toBe(best)
      }),
      { numRuns: 40, seed: 41 },
    )
  })

  it('never takes back more than 34 blocks, or more than 17 without two sources that outweigh it, and tells every change', async () => {
    const seen = { short: 0, agreed: 0, alarms: 0, waiting: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 10, maxLength: 40 }), async (moves) => {
        const chain = await openTestChain(openTestStore(), SMALL)
        const [blocks, rounds] = [[] as NewBlock[], new Map<Hash, NewBlock['round']>()]
        const delivered = new Map<Hash, Set<string>>()
        const told: Hash[] = [DRAWN_START.known.hash]
        let before = chain.head()
        chain.on((event) => {
          if (event.kind === 'alarm') seen.alarms++
          if (event.kind !== 'head') return
          expect(event.removed.length).toBeLessThanOrEqual(34)
          if (event.removed.length > 0 && event.removed.length <= 17) seen.short++
          expect(told.splice(told.length - event.removed.length).reverse()).toEqual(event.removed.map(({ hash }) => hash))
          expect(event.added[0]?.header.parentHash).toBe(told.at(-1))
          told.push(...event.added.map(({ hash }) => hash))
          expect(event.head.totalDifficulty).toBeGreaterThan(before.totalDifficulty)
          if (event.removed.length > 17) {
            seen.agreed++
            const agreeing = new Set(event.added.filter(({ totalDifficulty }) => totalDifficulty > before.totalDifficulty).flatMap(({ hash }) => [...(delivered.get(hash) ?? [])]))
            agreeing.delete('self')
            expect(agreeing.size).toBeGreaterThanOrEqual(2)
          }
          before = event.head
        })
        for (const one of moves) {
          if (one.kind === 'clear') await chain.clearAlarm()
          const batch = movesOf(blocks, rounds, chain, one)
          for (const { verified, from } of batch) delivered.set(verified.hash, (delivered.get(verified.hash) ?? new Set()).add(from))
          if ((await chain.insert(batch)).includes('needs-second-source')) seen.waiting++
          expect(told.at(-1)).toBe(chain.head().hash)
        }
      }),
      { numRuns: 25, seed: 42 },
    )
    // All four happen, or the seed says nothing.
    expect(Object.values(seen).every((count) => count > 0), JSON.stringify(seen)).toBe(true)
  })

  it('is after a restart what it was before, whatever came, also where turns failed in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(move, fc.nat(3)), { minLength: 4, maxLength: 30 }), async (moves) => {
        const store = openTestStore()
        const failing = failingStore(store)
        let chain = await openTestChain(failing.store, SMALL)
        const [blocks, rounds] = [[] as NewBlock[], new Map<Hash, NewBlock['round']>()]
        for (const [one, luck] of moves) {
          const batch = movesOf(blocks, rounds, chain, one)
          const top = chain.head().header.number + 50
          if (luck === 0) {
            const earlier = picture(chain, blocks, top)
            const events = eventsOf(chain)
            failing.failNext()
            const outcome = await chain.insert(batch).then(() => 'stored', () => 'failed')
            if (outcome === 'failed') {
              expect(picture(chain, blocks, top)).toEqual(earlier)
              expect(events).toEqual([])
            }
            failing.heal()
          }
          await chain.insert(batch)
          if (one.kind === 'clear') await chain.clearAlarm()
          const restarted = await openTestChain(failing.store, SMALL)
          expect(picture(restarted, blocks, top)).toEqual(picture(chain, blocks, top))
          if (luck === 1) chain = restarted
        }
      }),
      { numRuns: 14, seed: 43 },
    )
  })
})

/** A store whose next turn does all its work and then fails. */
function failingStore(store: Store): { store: Store; failNext: () => void; heal: () => void } {
  let isFailing = false
  const turn = <T>(body: (tx: Tx) => T): Promise<T> =>
    store.turn((tx) => {
      const result = body(tx)
      if (isFailing) throw inputError('turn', 'power cut', 'power')
      return result
    })
  return {
    store: { turn, read: (body) => store.read(body), backup: (path) => store.backup(path), stats: () => store.stats(), close: () => store.close() },
    failNext: () => void (isFailing = true),
    heal: () => void (isFailing = false),
  }
}

it('is what was committed last, where the box goes out between two batches, or in the middle of one', async () => {
  const store = openTestStore()
  const chain = await openTestChain(store, SMALL)
  const [blocks, rounds] = [[] as NewBlock[], new Map<Hash, NewBlock['round']>()]
  const dice = fc.sample(move, { numRuns: 14, seed: 44 })
  for (const [index, one] of dice.entries()) {
    const batch = movesOf(blocks, rounds, chain, one)
    await chain.insert(batch)
    const top = chain.head().header.number + 50
    const committed = picture(chain, blocks, top)
    // Written, but its commit is still to come: what is on the disk now is all there would be.
    const next = movesOf(blocks, rounds, chain, { ...one, kind: 'extend', seed: one.seed + 1 })
    const pending = chain.insert(next)
    const path = join(mkdtempSync(join(tmpdir(), 'meshbox-chain-')), 'box.db')
    onTestFinished(() => rmSync(dirname(path), { recursive: true, force: true }))
    for (const suffix of ['', '-wal']) copyFileSync(store.path + suffix, path + suffix)
    const found = await openTestChain(openTestStore({ path }), SMALL)
    expect(picture(found, blocks.slice(0, -next.length), top)).toEqual(committed)
    expect((await found.insert(next)).at(-1), `${index}`).toBe((await pending).at(-1))
    expect(found.head()).toEqual(chain.head())
  }
})

it('a listener that throws keeps nobody else from the news, and the block is on disk', async () => {
  const store = openTestStore()
  const chain = await openTestChain(store, DRAWN_OPTIONS)
  chain.on(() => {
    throw new Error('a listener of the test')
  })
  const events: ChainEvent[] = eventsOf(chain)
  const stop = chain.on(() => expect.unreachable('it was cancelled'))
  stop()
  const block = drawn(DRAWN_START.known)
  expect(await chain.insert([block])).toEqual(['head'])
  expect(events.map(({ kind }) => kind)).toEqual(['head'])
  expect((await openTestChain(store, DRAWN_OPTIONS)).head().hash).toBe(block.verified.hash)
})

it('batches that are asked for at once follow each other', async () => {
  const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
  const first = drawn(DRAWN_START.known)
  const second = drawn(first.verified)
  const third = drawn(second.verified)
  const outcomes = await Promise.all([chain.insert([first]), chain.insert([second, third]), chain.insert([third])])
  expect(outcomes).toEqual([['head'], ['head', 'head'], ['known']])
})
