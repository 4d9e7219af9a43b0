/** Following sources: catching up, forks, agreement, liars, slow and silent ones, pushes, time, telling others. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { Chain, ChainSource, NewBlock } from '../../../src/spectrum/ports.ts'
import { createSync } from '../../../src/spectrum/sync/index.ts'
import type { Sync, SyncParts } from '../../../src/spectrum/sync/index.ts'
import { native } from '../spectrum/curves.ts'
import { EVERYBODY, LEADERS, MINERS, STRANGER } from '../spectrum/village.ts'
import { MemoryChain } from './memory-chain.ts'
import { ScriptedSource, raw, silence } from './scripted-source.ts'
import type { Script } from './scripted-source.ts'
import { SimTime } from './sim-time.ts'
import { Valley, asChainBlock } from './valley.ts'
import type { Spot } from './valley.ts'

const START = 1_700_000_000
const valley = new Valley()
/** One long chain for all tests here: what they need of it they cut off. */
const LONG = [valley.genesis, ...valley.grow(valley.genesis, 420, EVERYBODY)]
const upTo = (number: number): Spot[] => LONG.slice(0, number + 1)
const spot = (number: number): Spot => LONG[number] ?? valley.genesis

interface Stage {
  readonly time: SimTime
  readonly chain: MemoryChain
  readonly sync: Sync
  open(id: string, blocks: readonly Spot[], script?: Script): ScriptedSource
}

async function stage(options: { have?: number; nowSeconds?: number; isTrusted?: boolean; parts?: Partial<SyncParts>; wrap?: (chain: Chain) => Chain } = {}): Promise<Stage> {
  const time = new SimTime(options.nowSeconds ?? START + 100_000)
  const chain = new MemoryChain(valley.network, asChainBlock(valley.genesis))
  const sync = createSync({
    curve: native,
    chain: options.wrap?.(chain) ?? chain,
    executor: null,
    nodes: null,
    clock: time.clock(0, () => options.isTrusted ?? true),
    timers: time,
    randomness: { bytes: (length) => new Uint8Array(length).fill(1) },
    breathe: () => Promise.resolve(),
    log: silentLog,
    mayBeAlone: () => false,
    ...options.parts,
  })
  await chain.insert(upTo(options.have ?? 0).slice(1).map(judged))
  sync.start()
  const open = (id: string, blocks: readonly Spot[], script: Script = {}): ScriptedSource => {
    const source = new ScriptedSource(id, blocks, valley.nodes, script)
    sync.listener.opened(source)
    return source
  }
  return { time, chain, sync, open }
}

const judged = ({ header, hash, body, round }: Spot): NewBlock => ({ verified: { ok: true, header, hash, sealHash: hash, signer: header.coinbase }, body, receipts: null, round, from: 'before' })
const push = (sync: Sync, source: ChainSource, block: Spot): void => sync.listener.blockPushed(source, raw(block).header, raw(block).body, block.totalDifficulty)

describe('catching up', () => {
  it('a long chain comes in pieces, headers 192 and bodies 128 at a time', async () => {
    const { time, chain, open } = await stage()
    const source = open('a', LONG)
    await time.run(1)
    expect(chain.head().hash).toBe(spot(420).hash)
    expect(chain.head().round).toEqual(spot(420).round)
    expect(source.asked.filter((each) => each.startsWith('headers')).slice(0, 4)).toEqual(['headers 0 1', 'headers 1 192', 'headers 193 192', 'headers 385 192'])
    expect(source.asked.filter((each) => each.startsWith('bodies'))).toEqual(['bodies 128', 'bodies 64', 'bodies 128', 'bodies 64', 'bodies 36'])
  })

  it('no more than one piece is fetched ahead of the one that is judged', async () => {
    let isHeld = true
    const waiting: (() => void)[] = []
    const wrap = (chain: Chain): Chain => new Proxy(chain, {
      get: (target, name, receiver): unknown => {
        if (name === 'insert') return async (blocks: readonly NewBlock[]) => {
          if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve))
          return target.insert(blocks)
        }
        const value: unknown = Reflect.get(target, name, receiver)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { time, chain, open } = await stage({ wrap })
    const source = open('a', LONG)
    await time.run(5_000)
    expect(source.asked.filter((each) => each.startsWith('bodies'))).toEqual(['bodies 128', 'bodies 64'])
    isHeld = false
    for (const go of waiting) go()
    await time.run(1)
    expect(chain.head().header.number).toBe(420)
  })

  it('a source that sends less at a time is followed to its end all the same', async () => {
    const { time, chain, open } = await stage()
    open('few', upTo(60), { headers: (_from, _count, honest) => Promise.resolve(honest().slice(0, 7)), bodies: (_hashes, honest) => Promise.resolve(honest().map((body, index) => (index < 3 ? body : null))) })
    await time.run(1)
    expect(chain.head().hash).toBe(spot(60).hash)
  })

  it('without heights in heads, as eth/63 tells them', async () => {
    const { time, chain, open } = await stage()
    const head = (block: Spot): Script => ({ head: () => ({ hash: block.hash, number: null, totalDifficulty: block.totalDifficulty }) })
    const source = open('a', upTo(300), head(spot(300)))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(300).hash)
    expect(source.asked[0]).toBe('headers hash 1')
    // Only the last rounds' volunteers are proved: a state is not asked for with every block.
    const roots = new Set(LONG.map(({ header }) => header.stateRoot))
    expect(source.askedNodes.flat().filter((hash) => roots.has(hash)).length).toBeLessThanOrEqual(11)
  })

  it('a head whose header it has not, or another one’s', async () => {
    const claims = (headers: Script['headers']): Script => ({ head: () => ({ hash: spot(60).hash, number: null, totalDifficulty: spot(60).totalDifficulty }), ...(headers === undefined ? {} : { headers }) })
    const { time, chain, open, sync } = await stage({ have: 30 })
    const none = open('none', upTo(50), claims(undefined))
    open('other', upTo(50), claims(() => Promise.resolve([raw(spot(50)).header])))
    await time.run(1)
    expect([chain.head().header.number, sync.status().banned, none.closedFor.length]).toEqual([30, 1, 0])
  })

  it('the heaviest claim first, and whoever is not ahead is asked for no blocks', async () => {
    const { time, chain, open } = await stage({ have: 20 })
    const [high, low, same] = [open('high', upTo(40)), open('low', upTo(25)), open('same', upTo(20))]
    await time.run(1)
    expect(chain.head().hash).toBe(spot(40).hash)
    expect([low, same].flatMap(({ asked }) => asked).filter((each) => each.startsWith('bodies'))).toEqual([])
    expect(high.asked.filter((each) => each.startsWith('bodies'))).toEqual(['bodies 20'])
  })

  it('another source goes on where one fails', async () => {
    const { time, chain, open, sync } = await stage()
    open('breaks', upTo(300), { headers: (from, _count, honest) => (from === 193 ? Promise.reject(new Error('gone')) : Promise.resolve(honest())) })
    open('holds', upTo(290))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(290).hash)
    expect(sync.status().banned).toBe(0)
  })
})

describe('forks', () => {
  const ours = valley.grow(spot(30), 8, LEADERS)
  const theirs = valley.grow(spot(30), 9, EVERYBODY)

  it('the common ancestor is found, and a heavier branch is taken', async () => {
    const { time, chain, open } = await stage({ have: 30 })
    await chain.insert(ours.map(judged))
    const source = open('a', [...upTo(30), ...theirs])
    await time.run(1)
    expect(chain.head().hash).toBe(theirs.at(-1)?.hash)
    expect(source.asked.slice(0, 3)).toEqual(['headers 38 1', 'headers 0 38', 'headers 31 192'])
  })

  it('a shorter but heavier one too', async () => {
    const { time, chain, open } = await stage({ have: 30 })
    await chain.insert(ours.map(judged))
    const short = theirs.slice(0, 7)
    expect((short.at(-1)?.totalDifficulty ?? 0n) > chain.head().totalDifficulty).toBe(true)
    open('a', [...upTo(30), ...short], { head: () => ({ hash: short.at(-1)?.hash as Hash, number: null, totalDifficulty: short.at(-1)?.totalDifficulty ?? 0n }) })
    await time.run(1)
    expect(chain.head().hash).toBe(short.at(-1)?.hash)
  })

  it('more than 17 blocks are taken back when a second source shows the same branch', async () => {
    const weak = valley.grow(spot(30), 20, LEADERS)
    const strong = valley.grow(spot(30), 21, EVERYBODY)
    const { time, chain, open } = await stage({ have: 30 })
    await chain.insert(weak.map(judged))
    open('one', [...upTo(30), ...strong])
    await time.run(60_000)
    expect(chain.head().hash).toBe(weak.at(-1)?.hash)
    open('two', [...upTo(30), ...strong])
    await time.run(1)
    expect(chain.head().hash).toBe(strong.at(-1)?.hash)
  })

  it('a chain that leaves ours too deep is not fetched, and its source rests', async () => {
    const other = new Valley(undefined, [...MINERS.slice(1)].map(({ address }) => address))
    const strange = [other.genesis, ...other.grow(other.genesis, 120, EVERYBODY)]
    const { time, chain, open } = await stage({ have: 100 })
    const source = open('strange', strange)
    await time.run(1)
    expect(chain.head().hash).toBe(spot(100).hash)
    expect(source.asked).toEqual(['headers 100 1', 'headers 36 64'])
    await time.run(200_000)
    expect(source.closedFor).toHaveLength(1)
    expect(chain.alarm(), 'nothing was proved').toBeNull()
  })
})

describe('when a head is live', () => {
  it('two sources that have our block at head - 2, without asking those whose head we know', async () => {
    const { time, open, sync } = await stage({ have: 40 })
    expect(sync.status()).toMatchObject({ state: 'offline', agreeing: 0, sources: [] })
    const one = open('one', upTo(40))
    await time.run(1)
    expect(sync.status()).toMatchObject({ state: 'syncing', agreeing: 1 })
    const two = open('two', upTo(39))
    await time.run(1)
    expect(sync.status()).toMatchObject({ state: 'live', agreeing: 2, banned: 0 })
    expect([...one.asked, ...two.asked]).toEqual([])
    expect(sync.status().sources).toEqual([
      { id: 'one', kind: 'eth63', headHash: spot(40).hash, headNumber: 40, agrees: true },
      { id: 'two', kind: 'eth63', headHash: spot(39).hash, headNumber: 39, agrees: true },
    ])
  })

  it('who is on another branch, behind, or says nothing, does not agree', async () => {
    const branch = valley.grow(spot(36), 4, LEADERS)
    const { time, open, sync } = await stage({ have: 40 })
    open('one', upTo(40))
    open('branch', [...upTo(36), ...branch])
    open('behind', upTo(20))
    open('quiet', upTo(40), { head: () => null })
    await time.run(1)
    expect(sync.status()).toMatchObject({ state: 'syncing', agreeing: 1 })
    expect(sync.status().sources.map(({ agrees }) => agrees)).toEqual([true, false, false, null])
  })

  it('whose last word is older than our head is asked, once for each head', async () => {
    const { time, open, sync } = await stage({ have: 40 })
    const stale = { head: () => ({ hash: spot(30).hash, number: 30, totalDifficulty: spot(30).totalDifficulty }) }
    const [one] = [open('one', upTo(40), stale), open('two', upTo(40), stale)]
    await time.run(30_000)
    expect(sync.status()).toMatchObject({ state: 'live', agreeing: 2 })
    expect(one.asked).toEqual(['headers 38 1'])
  })

  it('a block that a sealer put into the chain itself is compared at once', async () => {
    const { time, open, sync, chain } = await stage({ have: 40 })
    const stale = { head: () => ({ hash: spot(40).hash, number: 40, totalDifficulty: spot(40).totalDifficulty }) }
    open('one', upTo(44), stale)
    open('two', upTo(44), stale)
    await time.run(1)
    await chain.insert(LONG.slice(41, 45).map(judged))
    expect(sync.status().agreeing).toBe(0)
    await time.run(1)
    expect(sync.status()).toMatchObject({ state: 'live', agreeing: 2 })
  })

  it('who claims far more than we have does not agree before we have it', async () => {
    const { time, open, sync } = await stage({ have: 40 })
    const claims = (id: string): ScriptedSource => open(id, upTo(40), { head: () => ({ hash: spot(400).hash, number: 400, totalDifficulty: spot(400).totalDifficulty }) })
    claims('one')
    claims('two')
    await time.run(1)
    expect(sync.status()).toMatchObject({ state: 'syncing', agreeing: 0 })
  })

  it('a community’s only sealer is alone; everybody says how old the head is, where time is known', async () => {
    const { sync } = await stage({ have: 40, nowSeconds: spot(40).header.timeSeconds + 7, parts: { mayBeAlone: () => true } })
    expect(sync.status()).toMatchObject({ state: 'alone', headAgeSeconds: 7 })
    expect((await stage({ isTrusted: false })).sync.status()).toMatchObject({ headAgeSeconds: null })
  })

  it('fewer sources are enough where that is set', async () => {
    const { time, open, sync } = await stage({ have: 40, parts: { agreeing: 1 } })
    open('one', upTo(40))
    await time.run(1)
    expect(sync.status().state).toBe('live')
  })
})

describe('what a sealer waits for', () => {
  it('blocks that come, until they are there', async () => {
    const { time, open, sync, chain } = await stage({ have: 5 })
    expect(sync.isBehind()).toBe(false)
    open('a', LONG, { bodies: (_hashes, honest) => new Promise((resolve) => time.after(3_000, () => resolve(honest()))) })
    for (let seconds = 0; chain.head().header.number < 300; seconds++) {
      expect([seconds, sync.isBehind()]).toEqual([seconds, true])
      await time.run(1_000)
    }
    await time.run(20_000)
    expect([chain.head().hash, sync.isBehind()]).toEqual([spot(420).hash, false])
  })

  it('not one block more or less, not a branch of the same weight, and not long for a claim', async () => {
    const { time, open, sync } = await stage({ have: 40 })
    const branch = valley.grow(spot(36), 4, EVERYBODY)
    open('near', upTo(42), { headers: silence })
    open('branch', [...upTo(36), ...branch])
    await time.run(1)
    expect([sync.isBehind(), sync.status().state]).toEqual([false, 'syncing'])
    open('boaster', upTo(40), { head: () => ({ hash: `0x${'ab'.repeat(32)}`, number: null, totalDifficulty: 10n ** 30n }), headers: silence })
    await time.run(15_001)
    expect(sync.isBehind(), 'asked now').toBe(true)
    await time.run(5_000)
    expect(sync.isBehind()).toBe(false)
  })
})

describe('sources that lie', () => {
  const bad = valley.seal(spot(20), STRANGER)
  const lies: [string, (honest: () => Uint8Array[]) => Uint8Array[]][] = [
    ['bytes that are no header', () => [new Uint8Array(50)]],
    ['a header of another height', (honest) => honest().slice(1)],
    ['more headers than asked for', (honest) => [...honest(), ...honest(), ...Array.from({ length: 200 }, () => new Uint8Array(10))]],
  ]

  it.each(lies)('%s: banned, and not let in again', async (_, spoil) => {
    const { time, chain, sync, open } = await stage({ have: 5 })
    const liar = open('liar', upTo(90), { headers: (from, _count, honest) => Promise.resolve(from === 6 ? spoil(honest) : honest()) })
    await time.run(1)
    expect(sync.status()).toMatchObject({ banned: 1, sources: [] })
    expect(liar.closedFor).toHaveLength(1)
    expect(chain.head().hash).toBe(spot(5).hash)
    open('liar', upTo(90))
    await time.run(60_000)
    expect(chain.head().hash).toBe(spot(5).hash)
    open('honest', upTo(50))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(50).hash)
  })

  it.each<[string, (honest: (Uint8Array | null)[]) => (Uint8Array | null)[]]>([
    ['bodies in another order', (honest) => honest.toReversed()],
    ['bytes that are no body', (honest) => honest.map(() => Uint8Array.of(1))],
    ['more bodies than asked for', (honest) => [...honest, ...honest]],
  ])('%s: banned, the good headers are taken from others', async (_, spoil) => {
    const { time, chain, sync, open } = await stage()
    open('liar', upTo(60), { bodies: (_hashes, honest) => Promise.resolve(spoil(honest())) })
    open('honest', upTo(59))
    await time.run(1)
    expect([chain.head().hash, sync.status().banned]).toEqual([spot(59).hash, 1])
  })

  it('a block that is not valid: its source is banned, what was good before it stays', async () => {
    const { time, chain, sync, open } = await stage()
    open('liar', [...upTo(20), bad])
    await time.run(1)
    expect([chain.head().hash, sync.status().banned]).toEqual([spot(20).hash, 1])
    const second = open('second', [...upTo(20), bad, valley.seal(bad, LEADERS[0] ?? STRANGER)])
    await time.run(1)
    expect([chain.head().hash, sync.status().banned, second.closedFor.length]).toEqual([spot(20).hash, 2, 1])
  })

  it('whoever keeps the sources punishes them, and may let one in again', async () => {
    const punished: string[] = []
    const { time, chain, sync, open } = await stage({ parts: { punish: (source, { kind }) => punished.push(`${source.id} ${kind}`) } })
    const liar = open('liar', [...upTo(20), bad])
    await time.run(1)
    expect([punished, liar.closedFor, sync.status().banned]).toEqual([['liar lie'], [], 1])
    open('liar', upTo(30))
    await time.run(1)
    expect([chain.head().hash, sync.status().banned]).toEqual([spot(30).hash, 0])
  })

  it('a wrong volunteer bans nobody, and is not taken', async () => {
    const wrong = valley.seal(spot(20), valley.dueSealer(spot(20), EVERYBODY), { volunteer: STRANGER.address })
    const { time, chain, sync, open } = await stage({ nowSeconds: wrong.header.timeSeconds + 5 })
    open('misled', [...upTo(20), wrong])
    await time.run(1)
    expect([chain.head().hash, sync.status().banned]).toEqual([spot(20).hash, 0])
  })

  it('a claim with nothing behind it: its source rests and is dropped in the end, others are followed meanwhile', async () => {
    const { time, chain, sync, open } = await stage({ have: 10 })
    const boaster = open('boaster', upTo(10), { head: () => ({ hash: `0x${'ab'.repeat(32)}`, number: null, totalDifficulty: 10n ** 30n }) })
    open('honest', upTo(40))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(40).hash)
    await time.run(200_000)
    expect([boaster.closedFor.length, sync.status().banned]).toEqual([1, 0])
  })
})

describe('sources that are slow', () => {
  it.each<[string, Script]>([
    ['headers', { headers: silence }],
    ['bodies', { bodies: silence }],
    ['headers, and throws', { headers: () => { throw new Error('not even a promise') } }],
    ['bodies it has not', { bodies: (hashes) => Promise.resolve(hashes.map(() => null)) }],
  ])('no %s: the next source is asked, the slow one rests', async (_, script) => {
    const { time, chain, open, sync } = await stage()
    open('slow', upTo(61), script)
    await time.run(10)
    expect(chain.head().header.number).toBe(0)
    open('quick', upTo(60))
    await time.run(15_000)
    expect([chain.head().hash, sync.status().banned]).toEqual([spot(60).hash, 0])
  })

  it('one that is quick again is followed again', async () => {
    let isSlow = true
    const { time, chain, open } = await stage()
    open('sometimes', upTo(30), { headers: (_from, _count, honest) => (isSlow ? silence() : Promise.resolve(honest())) })
    await time.run(15_000)
    isSlow = false
    await time.run(30_000)
    expect(chain.head().hash).toBe(spot(30).hash)
  })

  it('a source that closes while it is asked is not held to be slow', async () => {
    const { time, open, sync, chain } = await stage()
    const source = open('gone', upTo(30), { headers: silence })
    await time.run(100)
    sync.listener.closed(source, 'went away')
    await time.run(15_000)
    open('gone', upTo(30))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(30).hash)
  })
})

describe('pushed blocks', () => {
  it('go in, and are told to all but who told us', async () => {
    const { time, chain, open, sync } = await stage({ have: 40, nowSeconds: spot(41).header.timeSeconds })
    const [one, two, ahead] = [open('one', upTo(40)), open('two', upTo(40)), open('ahead', upTo(41), { headers: silence })]
    push(sync, one, spot(41))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(41).hash)
    expect([one, two, ahead].map(({ told }) => told.map(({ header }) => header.number))).toEqual([[], [41], []])
    push(sync, two, spot(41))
    await time.run(1)
    expect(one.told, 'not twice').toEqual([])
  })

  it('an orphan’s ancestors are fetched from who pushed it', async () => {
    const { time, chain, open, sync } = await stage({ have: 30 })
    const source = open('one', upTo(30))
    source.blocks = upTo(40)
    push(sync, source, spot(40))
    await time.run(1)
    expect(chain.head().hash).toBe(spot(40).hash)
  })

  it('an invalid one bans, bytes of any kind too', async () => {
    const { time, open, sync, chain } = await stage({ have: 30 })
    push(sync, open('stranger', upTo(30)), valley.seal(spot(30), STRANGER))
    sync.listener.blockPushed(open('noise', upTo(30)), new Uint8Array(3), new Uint8Array(0), 1n)
    await time.run(1)
    expect([sync.status().banned, chain.head().hash]).toEqual([2, spot(30).hash])
  })

  it('one of the future waits for its time, within 30 s; what is further ahead does not', async () => {
    const early = spot(41).header.timeSeconds - 20
    const { time, chain, open, sync } = await stage({ have: 40, nowSeconds: early })
    const source = open('one', upTo(40))
    push(sync, source, spot(41))
    await time.run(19_999)
    expect(chain.head().hash).toBe(spot(40).hash)
    await time.run(1)
    expect(chain.head().hash).toBe(spot(41).hash)
    const farther = await stage({ have: 40, nowSeconds: early - 20 })
    push(farther.sync, farther.open('one', upTo(40)), spot(41))
    await farther.time.run(60_000)
    expect(farther.chain.head().hash).toBe(spot(40).hash)
    expect(farther.sync.status().banned).toBe(0)
  })

  it('more at once than can be judged are not kept in memory; nothing is lost by it', async () => {
    const { time, chain, open, sync } = await stage({ have: 10 })
    const source = open('hasty', upTo(10))
    source.blocks = upTo(60)
    for (const block of LONG.slice(11, 61)) push(sync, source, block)
    await time.run(20_000)
    expect(chain.head().hash).toBe(spot(60).hash)
  })

  it('from a source that rests are not judged, so that it cannot keep us busy with what nobody can judge', async () => {
    const { time, chain, open, sync } = await stage({ have: 40 })
    const source = open('restless', upTo(40), { nodes: () => Promise.resolve([]) })
    await time.run(1)
    push(sync, source, valley.seal(spot(40), STRANGER))
    await time.run(1)
    source.blocks = upTo(41)
    push(sync, source, spot(41))
    await time.run(4_000)
    expect([chain.head().hash, sync.status().banned]).toEqual([spot(40).hash, 0])
    await time.run(20_000)
    expect(chain.head().hash).toBe(spot(41).hash)
  })

  it('from a source that is gone or was never there are not heard', async () => {
    const { time, chain, sync } = await stage({ have: 10 })
    push(sync, new ScriptedSource('nobody', upTo(11)), spot(11))
    await time.run(1)
    expect(chain.head().header.number).toBe(10)
  })
})

it('own blocks are judged like others and told to all', async () => {
  const { time, chain, open, sync } = await stage({ have: 40, nowSeconds: spot(41).header.timeSeconds })
  const source = open('one', upTo(40))
  expect(await sync.importOwn(spot(41))).toMatchObject({ added: 1, stop: null })
  expect(await sync.importOwn(valley.seal(spot(41), STRANGER))).toMatchObject({ added: 0, stop: { kind: 'refused' } })
  await time.run(1)
  expect([chain.head().hash, source.told.length]).toEqual([spot(41).hash, 1])
})

it('a store that fails is told in the log, blames nobody, and following goes on', async () => {
  let isBroken = true
  const errors: string[] = []
  const log = { ...silentLog, error: (message: string) => errors.push(message), room: () => silentLog }
  const wrap = (chain: Chain): Chain => new Proxy(chain, {
    get: (target, name, receiver): unknown => {
      if (name === 'insert' && isBroken) return () => Promise.reject(new Error('disk full'))
      const value: unknown = Reflect.get(target, name, receiver)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const { time, chain, open, sync } = await stage({ wrap, parts: { log } })
  open('one', upTo(30))
  await time.run(1)
  expect([chain.head().header.number, errors.length, sync.status().banned]).toEqual([0, 1, 0])
  isBroken = false
  await time.run(20_000)
  expect(chain.head().hash).toBe(spot(30).hash)
})

it('after stop nothing is asked or taken any more', async () => {
  const { time, chain, sync } = await stage({ have: 10 })
  sync.stop()
  const source = new ScriptedSource('late', upTo(30))
  sync.listener.opened(source)
  push(sync, source, spot(11))
  await time.run(60_000)
  expect([source.asked, chain.head().header.number]).toEqual([[], 10])
})
