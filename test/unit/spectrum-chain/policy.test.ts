/** Which branch becomes the chain, and when it does not: every case of the policy by name. */
import { describe, expect, it } from 'vitest'
import type { NewBlock } from '../../../src/spectrum/ports.ts'
import type { KeptChain } from '../../../src/spectrum/chain/index.ts'
import { DRAWN_NETWORK, DRAWN_OPTIONS, DRAWN_ROUND, DRAWN_START, SIGNERS, addressOf, drawn, drawnBranch, hashesOf } from './drawn-blocks.ts'
import { eventsOf, openTestChain, openTestStore } from './kept-chain.ts'

/** A chain of `length` blocks, and a branch `depth` below its head that outweighs it with its last block. */
async function forkedChain(length: number, depth: number, difficulty = 5n): Promise<{ chain: KeptChain; ours: NewBlock[]; fork: NewBlock[] }> {
  const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
  const ours = drawnBranch(DRAWN_START.known, length, { difficulty, from: 'ours' })
  await chain.insert(ours)
  const parent = ours[length - depth - 1]?.verified ?? DRAWN_START.known
  const light = drawnBranch(parent, depth - 1, { difficulty, salt: 'fork', from: 'a' })
  return { chain, ours, fork: [...light, drawn(light.at(-1)?.verified ?? parent, { difficulty: difficulty + 1n, salt: 'fork', from: 'a' })] }
}

const last = (blocks: readonly NewBlock[]): NewBlock => {
  const block = blocks.at(-1)
  if (block === undefined) throw new Error('no blocks')
  return block
}

describe('fork choice', () => {
  it('a tie keeps the head', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const [one, other] = [drawn(DRAWN_START.known), drawn(DRAWN_START.known, { salt: 'other' })]
    expect(await chain.insert([one])).toEqual(['head'])
    expect(await chain.insert([other])).toEqual(['side'])
    expect(chain.head().hash).toBe(one.verified.hash)
    expect(chain.block(other.verified.hash)?.totalDifficulty).toBe(12n)
  })

  it('more total difficulty wins, also with fewer blocks', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const events = eventsOf(chain)
    const light = drawnBranch(DRAWN_START.known, 3, { difficulty: 1n })
    const heavy = drawnBranch(DRAWN_START.known, 2, { difficulty: 6n, salt: 'heavy' })
    expect(await chain.insert(light)).toEqual(['head', 'head', 'head'])
    expect(await chain.insert(heavy)).toEqual(['head', 'head'])
    expect(chain.head().hash).toBe(last(heavy).verified.hash)
    expect(chain.head().totalDifficulty).toBe(18n)
    const change = events.filter((event) => event.kind === 'head')[1]
    expect(change?.removed.map(({ hash }) => hash)).toEqual(hashesOf(light).reverse())
    expect(change?.added.map(({ hash }) => hash)).toEqual(hashesOf(heavy))
    expect([1, 2, 3].map((number) => chain.headerAt(number)?.hash)).toEqual([...hashesOf(heavy), undefined])
  })

  it('a known block is known, an orphan is an orphan, and neither changes anything', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const blocks = drawnBranch(DRAWN_START.known, 4)
    await chain.insert(blocks.slice(0, 1))
    const events = eventsOf(chain)
    expect(await chain.insert([...blocks.slice(0, 1), ...blocks.slice(2)])).toEqual(['known', 'orphan', 'orphan'])
    expect(events).toEqual([])
    expect(await chain.insert(blocks)).toEqual(['known', 'head', 'head', 'head'])
    expect(events.map(({ kind }) => kind)).toEqual(['head'])
  })

  it('a block with another height than its parent’s and one is refused, and nothing of its batch is kept', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const [first, wrong] = [drawn(DRAWN_START.known), drawn(DRAWN_START.known, { salt: 'wrong' })]
    const lying: NewBlock = { ...wrong, verified: { ...wrong.verified, header: { ...wrong.verified.header, number: 7 } } }
    await expect(chain.insert([first, lying])).rejects.toMatchObject({ kind: 'input', field: 'blocks' })
    expect(chain.head().header.number).toBe(0)
    expect(await chain.insert([first])).toEqual(['head'])
  })

  it('more than 512 blocks at once are refused', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    await expect(chain.insert(drawnBranch(DRAWN_START.known, 513))).rejects.toMatchObject({ kind: 'input', field: 'blocks' })
  })
})

describe('reorganisation', () => {
  it('of 17 blocks: automatic', async () => {
    const { chain, fork } = await forkedChain(40, 17)
    expect((await chain.insert(fork)).at(-1)).toBe('head')
    expect(chain.head().hash).toBe(last(fork).verified.hash)
    expect(chain.alarm()).toBeNull()
  })

  it.each([18, 34])('of %i blocks: only if two sources show the blocks that outweigh ours', async (depth) => {
    const { chain, ours, fork } = await forkedChain(60, depth)
    const outcomes = await chain.insert(fork)
    expect(outcomes.slice(0, -1)).toEqual(Array.from({ length: depth - 1 }, () => 'side'))
    expect(outcomes.at(-1)).toBe('needs-second-source')
    expect(chain.head().hash).toBe(last(ours).verified.hash)
    // The same source again, and our own word, are no second source.
    expect(await chain.insert([last(fork), { ...last(fork), from: 'self' }])).toEqual(['needs-second-source', 'needs-second-source'])
    // A second source that knows only the branch's light beginning says nothing about its end.
    expect(await chain.insert(fork.slice(0, 1).map((block) => ({ ...block, from: 'b' })))).toEqual(['known'])
    expect(chain.head().hash).toBe(last(ours).verified.hash)
    expect(await chain.insert([{ ...last(fork), from: 'b' }])).toEqual(['head'])
    expect(chain.head().hash).toBe(last(fork).verified.hash)
    expect(chain.alarm()).toBeNull()
  })

  it('of 18 blocks: a second source that goes on with the branch agrees with what it builds on', async () => {
    const { chain, fork } = await forkedChain(60, 18)
    await chain.insert(fork)
    const next = drawn(last(fork).verified, { from: 'b' })
    expect(await chain.insert([next])).toEqual(['head'])
    expect(chain.head().hash).toBe(next.verified.hash)
  })

  it('of 35 blocks: never; the alarm rises once, is kept over a restart, and the chain stays as it is', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 60, { difficulty: 5n })
    await chain.insert(ours)
    const events = eventsOf(chain)
    const fork = drawnBranch(ours[24]?.verified ?? DRAWN_START.known, 40, { salt: 'fork', from: 'a' })
    const outcomes = await chain.insert(fork)
    expect(new Set(outcomes)).toEqual(new Set(['too-deep']))
    expect(await chain.insert(fork.map((block) => ({ ...block, from: 'b' })))).toEqual(outcomes)
    expect(chain.head().hash).toBe(last(ours).verified.hash)
    expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'equivocation')).toEqual(['alarm'])
    expect(chain.alarm()).toMatchObject({ code: 'deep-reorg', atSeconds: 1_800_000_000 })
    expect(chain.alarm()?.reason).toContain('35 blocks')
    const again = await openTestChain(store, DRAWN_OPTIONS)
    expect(again.alarm()).toEqual(chain.alarm())
  })

  it('the owner clears the alarm: the same branch raises none again, also after a restart; another one does', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 60, { difficulty: 5n })
    await chain.insert(ours)
    const fork = drawnBranch(ours[24]?.verified ?? DRAWN_START.known, 40, { salt: 'fork' })
    await chain.insert(fork)
    await chain.clearAlarm()
    expect(chain.alarm()).toBeNull()
    const restarted = await openTestChain(store, DRAWN_OPTIONS)
    for (const more of drawnBranch(last(fork).verified, 3, { salt: 'fork' })) await restarted.insert([more])
    expect(restarted.alarm()).toBeNull()
    await restarted.insert(drawnBranch(ours[24]?.verified ?? DRAWN_START.known, 42, { salt: 'another' }))
    expect(restarted.alarm()?.code).toBe('deep-reorg')
  })

  it('the owner takes the deep branch: it becomes the chain, with its bodies, and the alarm is over', async () => {
    const { chain, fork } = await forkedChain(60, 35)
    await chain.insert(fork)
    expect(chain.alarm()?.code).toBe('deep-reorg')
    await expect(chain.adopt(fork[0]?.verified.hash ?? '0x')).rejects.toMatchObject({ kind: 'input', field: 'hash' })
    const events = eventsOf(chain)
    await chain.adopt(last(fork).verified.hash)
    expect(chain.head().hash).toBe(last(fork).verified.hash)
    expect(chain.alarm()).toBeNull()
    expect(events.filter(({ kind }) => kind === 'alarm')).toEqual([])
    expect(chain.body(last(fork).verified.hash)).toEqual({ transactions: [], uncles: [] })
  })

  it('our own chain growing past a waiting branch that is still heavier raises the alarm', async () => {
    const { chain, ours, fork } = await forkedChain(60, 34, 1n)
    expect((await chain.insert([...fork, drawn(last(fork).verified, { from: 'a' })])).at(-1)).toBe('needs-second-source')
    await chain.insert([drawn(last(ours).verified, { difficulty: 1n })])
    expect(chain.alarm()?.code).toBe('deep-reorg')
  })

  it('a branch below the tree is too deep, a block below it that is ours is known', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 400)
    await chain.insert(ours)
    expect(chain.stats().baseNumber).toBeGreaterThan(200)
    expect(await chain.insert([drawn(ours[9]?.verified ?? DRAWN_START.known, { salt: 'late' }), ...ours.slice(9, 10)])).toEqual(['too-deep', 'known'])
  })
})

describe('safe and final', () => {
  it('are 17 and 34 below the head, null while the chain is shorter', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 40)
    await chain.insert(ours.slice(0, 16))
    expect([chain.safe(), chain.final()]).toEqual([null, null])
    await chain.insert(ours.slice(16, 17))
    expect(chain.safe()?.header.number).toBe(0)
    await chain.insert(ours.slice(17))
    expect([chain.safe()?.header.number, chain.final()?.header.number]).toEqual([23, 6])
  })

  it('are told of every block once, in order, however the batches fall', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const events = eventsOf(chain)
    const ours = drawnBranch(DRAWN_START.known, 300)
    for (let at = 0, size = 1; at < ours.length; at += size, size = (size * 7) % 60) await chain.insert(ours.slice(at, at + size))
    const told = (kind: 'safe' | 'final'): number[] => events.flatMap((event) => (event.kind === kind ? [event.block.header.number] : []))
    const to = (number: number): number[] => Array.from({ length: number + 1 }, (_, index) => index)
    expect(told('safe')).toEqual(to(283))
    expect(told('final')).toEqual(to(266))
  })

  it('a reorganisation of 20 blocks tells the safe blocks of the new branch; no final block is taken back', async () => {
    const { chain, fork } = await forkedChain(60, 20)
    await chain.insert(fork)
    const events = eventsOf(chain)
    await chain.insert([{ ...last(fork), from: 'b' }])
    const safe = events.flatMap((event) => (event.kind === 'safe' ? [event.block.hash] : []))
    expect(safe).toEqual(hashesOf(fork.slice(0, 3)))
    expect(events.filter(({ kind }) => kind === 'final')).toEqual([])
  })
})

describe('equivocation', () => {
  it('one signer, one height, two seals: told and kept over a restart', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    const events = eventsOf(chain)
    const [one, two, three] = ['', 'two', 'three'].map((salt) => drawn(DRAWN_START.known, { salt })) as [NewBlock, NewBlock, NewBlock]
    await chain.insert([one, two])
    await chain.insert([three])
    const seals = [one, two, three].map(({ verified }) => verified.sealHash)
    expect(events.filter(({ kind }) => kind === 'equivocation')).toEqual([
      { kind: 'equivocation', signer: SIGNERS[1], number: 1, sealHashes: seals.slice(0, 2) },
      { kind: 'equivocation', signer: SIGNERS[1], number: 1, sealHashes: seals },
    ])
    const again = await openTestChain(store, DRAWN_OPTIONS)
    expect(again.equivocations(0)).toEqual([{ signer: SIGNERS[1], number: 1, sealHashes: seals }])
    expect(again.equivocations(2)).toEqual([])
    const later = eventsOf(again)
    await again.insert([one, two, three])
    expect(later).toEqual([])
  })

  it('a twin, the same seal under another block hash, is none; the one seen first stays head, and what is built on the twin counts', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const events = eventsOf(chain)
    const [first, twin] = [drawn(DRAWN_START.known), drawn(DRAWN_START.known, { isTwin: true })]
    expect(twin.verified.sealHash).toBe(first.verified.sealHash)
    expect(twin.verified.hash).not.toBe(first.verified.hash)
    expect(await chain.insert([first, twin])).toEqual(['head', 'side'])
    expect(chain.head().hash).toBe(first.verified.hash)
    const child = drawn(twin.verified)
    expect(await chain.insert([child])).toEqual(['head'])
    expect(events.filter(({ kind }) => kind === 'equivocation')).toEqual([])
  })

  it('two signers at one height, and one signer at two heights, are none', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const events = eventsOf(chain)
    await chain.insert([...drawnBranch(DRAWN_START.known, 5, { signer: SIGNERS[0] ?? addressOf(0) }), drawn(DRAWN_START.known, { signer: SIGNERS[2] ?? addressOf(0) })])
    expect(events.filter(({ kind }) => kind === 'equivocation')).toEqual([])
  })
})

describe('spam', () => {
  it('one signer that seals a height a hundred times has four blocks in the tree, and the one that is built on comes through', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 3)
    await chain.insert(ours)
    const many = Array.from({ length: 100 }, (_, index) => drawn(DRAWN_START.known, { salt: `spam ${index}` }))
    for (let at = 0; at < many.length; at += 9) await chain.insert(many.slice(at, at + 9))
    expect(chain.stats().sideBlocks).toBe(3)
    expect(chain.equivocations(0)[0]?.sealHashes).toHaveLength(8)
    const chosen = many[77] as NewBlock
    const branch = drawnBranch(chosen.verified, 3, { salt: 'on it' })
    expect(await chain.insert([branch[0] as NewBlock])).toEqual(['orphan'])
    expect((await chain.insert([chosen, ...branch])).at(-1)).toBe('head')
  })

  it('a thousand strangers do not push out a branch that signers take turns on', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 60, { difficulty: 5n })
    await chain.insert(ours)
    const fork = drawnBranch(ours[35]?.verified ?? DRAWN_START.known, 24, { salt: 'fork', from: 'a' })
    await chain.insert(fork.slice(0, 12))
    const strangers = Array.from({ length: 1000 }, (_, index) => drawn(ours[20 + (index % 38)]?.verified ?? DRAWN_START.known, { signer: addressOf(0xbad0000 + index), difficulty: 1n, salt: `${index}` }))
    for (let at = 0; at < strangers.length; at += 100) await chain.insert(strangers.slice(at, at + 100))
    expect(chain.stats().sideBlocks).toBeLessThanOrEqual(512)
    expect(hashesOf(fork.slice(0, 12)).map((hash) => chain.block(hash)?.hash)).toEqual(hashesOf(fork.slice(0, 12)))
    expect(chain.equivocations(0).filter(({ signer }) => !SIGNERS.includes(signer))).toEqual([])
    await chain.insert(fork.slice(12))
    expect((await chain.insert([{ ...last(fork), from: 'b' }]))[0]).toBe('head')
  })

  it('three signers that fill the tree lose their own blocks, not those of others', async () => {
    const chain = await openTestChain(openTestStore(), { ...DRAWN_OPTIONS, limits: { sideBlocks: 60 } })
    const ours = drawnBranch(DRAWN_START.known, 40, { difficulty: 5n })
    await chain.insert(ours)
    const fork = drawnBranch(ours[25]?.verified ?? DRAWN_START.known, 10, { salt: 'fork' })
    await chain.insert(fork)
    for (let round = 0; round < 30; round++) {
      const spam = [3, 4, 5].flatMap((signer) => [1, 2, 3, 4].map((copy) => drawn(ours[9 + round]?.verified ?? DRAWN_START.known, { signer: SIGNERS[signer] ?? addressOf(0), salt: `${round} ${copy}`, difficulty: 1n })))
      await chain.insert(spam)
    }
    expect(chain.stats().sideBlocks).toBe(60)
    expect(fork.every(({ verified }) => chain.block(verified.hash) !== null)).toBe(true)
  })

  it('blocks beside the chain have room for so many bytes', async () => {
    const chain = await openTestChain(openTestStore(), { ...DRAWN_OPTIONS, limits: { sideBytes: 100_000 } })
    const data = new Uint8Array(20_000)
    const body = { transactions: [{ nonce: 0n, gasPriceWei: 0n, gas: 0n, to: null, valueWei: 0n, data, v: 27n, r: 1n, s: 1n }], uncles: [] }
    await chain.insert(drawnBranch(DRAWN_START.known, 12))
    await chain.insert(Array.from({ length: 16 }, (_, index) => drawn(DRAWN_START.known, { body, salt: `${index}`, signer: SIGNERS[index] ?? addressOf(0) })))
    expect(chain.stats().sideBlocks).toBe(4)
  })
})

it('the network’s own genesis hash is that of the drawn genesis', () => {
  expect(DRAWN_START.known.hash).toBe(DRAWN_NETWORK.genesisHash)
  expect(DRAWN_START.round).toBe(DRAWN_ROUND)
})
