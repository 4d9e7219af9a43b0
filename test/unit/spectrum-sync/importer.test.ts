/** Blocks as bytes into the tree: every refusal by name, what proves a lie, leaders that change, time, orphans, execution. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError, concatBytes, silentLog } from '../../../src/base/index.ts'
import { EVERYBODY, GENESIS_ROUND, LEADERS, MINERS, STRANGER, person } from '../spectrum/village.ts'
import { encodeBody } from '../../../src/spectrum/codec/body.ts'
import { encodeHeader, hashHeader, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Receipt } from '../../../src/spectrum/index.ts'
import type { Block, Executor } from '../../../src/spectrum/ports.ts'
import { createSync } from '../../../src/spectrum/sync/index.ts'
import { BlockImporter } from '../../../src/spectrum/sync/block-importer.ts'
import type { ImporterParts, ImportReport, LeaderChange } from '../../../src/spectrum/sync/index.ts'
import { Roster } from '../../../src/spectrum/sync/roster.ts'
import { StateReader } from '../../../src/spectrum/sync/proved-state.ts'
import { native } from '../spectrum/curves.ts'
import { ORDER, bytes32 } from '../native/scalars.ts'
import { seededRandom } from '../../support/fakes.ts'
import { MemoryChain } from './memory-chain.ts'
import { ScriptedSource, raw, silence } from './scripted-source.ts'
import type { Script } from './scripted-source.ts'
import { SimTime } from './sim-time.ts'
import { Valley, asChainBlock } from './valley.ts'
import type { Spot, ValleySpoil } from './valley.ts'

const [LEADER = STRANGER, SECOND = STRANGER, THIRD = STRANGER] = LEADERS
const [MINER = STRANGER, OTHER = STRANGER] = MINERS
const START = 1_700_000_000

interface Stage {
  readonly valley: Valley
  readonly time: SimTime
  readonly chain: MemoryChain
  readonly roster: Roster
  readonly importer: BlockImporter
  readonly breaths: { count: number }
  readonly announced: string[]
  readonly changes: LeaderChange[]
  take(...spots: readonly Spot[]): Promise<ImportReport>
}

interface StageOptions {
  readonly nodes?: Script['nodes'] | null
  readonly executor?: Executor
  readonly nowSeconds?: number
  readonly isTrusted?: boolean
  readonly parts?: Partial<ImporterParts>
}

function stage(options: StageOptions = {}): Stage {
  const valley = new Valley()
  const time = new SimTime(options.nowSeconds ?? START + 100_000)
  const clock = time.clock(0, () => options.isTrusted ?? true)
  const chain = new MemoryChain(valley.network, asChainBlock(valley.genesis))
  const roster = new Roster(clock, silentLog)
  if (options.nodes !== null) roster.open(new ScriptedSource('nodes', [], valley.nodes, options.nodes === undefined ? {} : { nodes: options.nodes }))
  const state = new StateReader({ keccak: native, network: valley.network, kept: options.executor ?? null, sources: roster, clock, timers: time })
  const breaths = { count: 0 }
  const announced: string[] = []
  const changes: LeaderChange[] = []
  const importer = new BlockImporter({
    curve: native,
    network: valley.network,
    chain,
    state,
    executor: options.executor ?? null,
    clock,
    randomness: { bytes: (length) => new Uint8Array(length).fill(1) },
    breathe: () => {
      breaths.count++
      return Promise.resolve()
    },
    announce: (_block, hash, _weight, from) => announced.push(`${hash} from ${from}`),
    leadersChanged: (change) => changes.push(change),
    ...options.parts,
  })
  return { valley, time, chain, roster, importer, breaths, announced, changes, take: (...spots) => importer.import(spots.map(raw), 'peer') }
}

/** As a box sees it that has not heard of any change of leaders. */
const asBefore = (spot: Spot): Spot => ({ ...spot, round: { ...spot.round, leaders: GENESIS_ROUND.leaders } })
const grow = (valley: Valley, count: number, from: Spot = valley.genesis): Spot[] => valley.grow(from, count, EVERYBODY)

describe('good blocks', () => {
  it('many rounds go in, and the round that is followed is the state’s', async () => {
    const { valley, chain, take, announced } = stage()
    const spots = grow(valley, 60)
    const last = spots.at(-1)
    expect(await take(...spots)).toEqual({ added: 60, last: last?.hash, stop: null })
    expect(chain.head()).toMatchObject({ hash: last?.hash, totalDifficulty: last?.totalDifficulty, round: last?.round })
    expect(announced).toEqual([])
    expect(await take(...spots), 'once more').toEqual({ added: 0, last: last?.hash, stop: null })
  })

  it('a young head is told to others, an old one is not', async () => {
    const { valley, take, announced, importer } = stage({ nowSeconds: START + 20 })
    const [one, two, three] = grow(valley, 3)
    if (one === undefined || two === undefined || three === undefined) throw new Error('no blocks')
    await take(one, two)
    expect(announced).toEqual([`${two.hash} from peer`])
    await importer.importOwn(three)
    expect(announced.at(-1)).toBe(`${three.hash} from self`)
  })

  it('imports wait for each other, and too many are turned away', async () => {
    const { valley, importer, chain } = stage()
    const spots = grow(valley, 100)
    const reports = await Promise.all(spots.map((spot) => importer.import([raw(spot)], 'peer')))
    expect(reports.filter(({ stop }) => stop?.kind === 'busy')).toHaveLength(100 - 64)
    expect(chain.head().header.number).toBe(64)
  })

  it('what waits is bounded in bytes too, but one import is always taken', async () => {
    const { valley, importer, take } = stage()
    const [one] = grow(valley, 1)
    if (one === undefined) throw new Error('no block')
    const large = { header: raw(one).header, body: new Uint8Array(20 << 20) }
    const reports = await Promise.all([importer.import([large, large], 'peer'), importer.import([raw(one)], 'peer')])
    expect(reports.map(({ stop }) => stop?.kind)).toEqual(['malformed', 'busy'])
    expect(await take(one)).toMatchObject({ added: 1 })
  })

  it('the event loop turns while many blocks are judged', async () => {
    const time = { now: 0 }
    const { valley, take, breaths } = stage({ parts: { clock: { boottimeMs: () => (time.now += 1), bootId: 'b', wallMs: () => (START + 1_000) * 1000, isWallTrusted: () => true } } })
    await take(...grow(valley, 60))
    expect(breaths.count).toBeGreaterThanOrEqual(5)
  })

  it('side branches go in, the heavier one wins, and what is taken back is the chain’s to say', async () => {
    const { valley, take, chain } = stage()
    const [one] = grow(valley, 1)
    if (one === undefined) throw new Error('no block')
    const light = valley.seal(one, SECOND)
    const heavy = valley.seal(one, OTHER)
    await take(one, light)
    expect(chain.head().hash).toBe(light.hash)
    await take(heavy)
    expect(chain.head().hash).toBe(heavy.hash)
  })
})

type Case = [name: string, code: string, spoil: (valley: Valley) => Spot]
const sealed = (sealer: typeof MINER, spoil: ValleySpoil = {}) => (valley: Valley): Spot => valley.seal(valley.genesis, sealer, spoil)

describe('refusals that prove a lie', () => {
  it.each<Case>([
    ['a stranger', 'errUnauthorized', sealed(STRANGER)],
    ['a stranger with the signer’s difficulty', 'errInvalidDifficulty', sealed(STRANGER, { header: { difficulty: 6n } })],
    ['a miner of another place', 'errUnauthorized', sealed(OTHER)],
    ['a leader too early', 'errUnauthorized', sealed(SECOND, { header: { timeSeconds: START + 3 } })],
    ['no step in time', 'ErrInvalidTimestampSIP002', sealed(MINER, { header: { timeSeconds: START } })],
    ['a difficulty that nobody has', 'errInvalidDifficulty', sealed(MINER, { header: { difficulty: 9n } })],
    ['zeros for a VRF', 'errInvalidVrf', sealed(MINER, { vrf: (proof) => new Uint8Array(proof.length) })],
    ['a VRF of another key', 'errInvalidVrf', (valley) => sealed(MINER, { vrf: () => valley.seal(valley.genesis, OTHER).header.extra.slice(0, 161) })(valley)],
    ['no coinbase', 'errUnauthorized', sealed(MINER, { header: { coinbase: ZERO_ADDRESS } })],
    ['gas above the limit', 'errInvalidGasUsed', sealed(MINER, { header: { gasUsed: 2n ** 60n } })],
    ['no transactions', 'ErrTribeNotAllowEmptyTxList', sealed(MINER, { transactions: () => [] })],
    ['the chief transaction twice', 'ErrTribeChiefTxMustAtPositionZero', sealed(MINER, { transactions: (chief) => [chief, chief] })],
    ['another’s transactions root', 'errInvalidTransactionsRoot', sealed(MINER, { header: { transactionsRoot: `0x${'11'.repeat(32)}` } })],
  ])('%s: %s', async (_, code, make) => {
    const { valley, chain, take } = stage()
    const bad = make(valley)
    const report = await take(bad)
    expect(report).toMatchObject({ added: 0, last: null, stop: { kind: 'refused', code, isLie: true, number: 1 } })
    expect(chain.head().hash).toBe(valley.genesis.hash)
    expect(chain.block(bad.hash)).toBeNull()
  })

  it('a signature of nobody, and every other last byte', async () => {
    const { valley, importer } = stage()
    const { header, body } = valley.seal(valley.genesis, MINER)
    for (const v of [2, 3, 27, 28, 255]) {
      const extra = header.extra.slice()
      extra[extra.length - 1] = v
      expect(await importer.import([{ header: encodeHeader({ ...header, extra }), body: encodeBody(body) }], 'peer')).toMatchObject({ stop: { code: 'errInvalidSignature', isLie: true } })
    }
  })

  it('bytes that are no block', async () => {
    const { valley, importer } = stage()
    const good = raw(valley.seal(valley.genesis, MINER))
    for (const bad of [new Uint8Array(0), Uint8Array.of(0xf8), new Uint8Array(5_000), good.header.subarray(1), concatBytes(good.header, Uint8Array.of(0))]) {
      expect(await importer.import([{ header: bad, body: good.body }], 'peer')).toMatchObject({ added: 0, stop: { kind: 'malformed' } })
      expect(await importer.import([{ header: good.header, body: bad }], 'peer')).toMatchObject({ added: 0, stop: { kind: 'malformed' } })
    }
    expect(await importer.import([good], 'peer')).toMatchObject({ added: 1, stop: null })
  })

  it('what was good before the fault is in; what stands behind it is refused for it, unseen', async () => {
    const { valley, chain, take } = stage()
    const [one, two] = grow(valley, 2)
    if (one === undefined || two === undefined) throw new Error('no blocks')
    const bad = valley.seal(two, STRANGER)
    const behind = valley.seal(bad, valley.dueSealer(bad, EVERYBODY))
    expect(await take(one, two, bad, behind)).toMatchObject({ added: 2, last: two.hash, stop: { kind: 'refused', hash: bad.hash } })
    expect(await take(behind)).toMatchObject({ stop: { kind: 'refused', hash: behind.hash, isLie: true } })
    expect(await take(valley.seal(behind, LEADER))).toMatchObject({ stop: { kind: 'refused', isLie: true } })
    expect(chain.head().hash).toBe(two.hash)
  })

  it('trap: a foreign body does not condemn a good header', async () => {
    const { valley, importer, chain } = stage()
    const good = valley.seal(valley.genesis, MINER)
    const other = valley.seal(valley.genesis, SECOND)
    const uncles = { ...good.body, uncles: [other.header] }
    for (const body of [other.body, { transactions: [], uncles: [] }, uncles]) expect(await importer.import([{ header: encodeHeader(good.header), body: encodeBody(body) }], 'peer')).toMatchObject({ stop: { kind: 'refused', isLie: true } })
    expect(await importer.import([raw(good)], 'peer')).toMatchObject({ added: 1, stop: null })
    expect(chain.head().hash).toBe(good.hash)
  })

  it('the twin of a block, made by a relay, holds like the block', async () => {
    const { valley, take, importer } = stage()
    const { header, body, hash } = valley.seal(valley.genesis, MINER)
    const seal = header.extra.slice(-65)
    const s = bytes32(ORDER - BigInt(`0x${Buffer.from(seal.subarray(32, 64)).toString('hex')}`))
    const twin = { ...header, extra: concatBytes(header.extra.subarray(0, -65), seal.subarray(0, 32), s, Uint8Array.of((seal[64] ?? 0) ^ 1)) }
    expect(hashHeader(native, twin)).not.toBe(hash)
    expect(await importer.import([{ header: encodeHeader(twin), body: encodeBody(body) }], 'peer')).toMatchObject({ added: 1, stop: null })
    expect(await take(...[...valley.spots.values()].filter((spot) => spot.hash === hash))).toMatchObject({ stop: null })
  })
})

describe('the volunteer', () => {
  const wrong = (valley: Valley): Spot => valley.seal(valley.genesis, MINER, { volunteer: person(42).address })

  it('not the VRF’s choice: refused, but who passes it on may not have been able to tell', async () => {
    const { valley, take } = stage()
    expect(await take(wrong(valley))).toMatchObject({ added: 0, stop: { code: 'verify_volunteer_fail', isLie: false } })
  })

  it('is not judged where nobody has the state', async () => {
    const { valley, take } = stage({ nodes: null })
    expect(await take(wrong(valley))).toMatchObject({ added: 1, stop: null })
  })

  it('of old blocks is judged now and then', async () => {
    for (const [byte, added] of [[1, 1], [0, 0]] as const) {
      const { valley, importer } = stage({ parts: { randomness: { bytes: (length) => new Uint8Array(length).fill(byte) } } })
      expect(await importer.import([raw(wrong(valley))], 'peer', { targetNumber: 1_000 })).toMatchObject({ added })
    }
  })
})

describe('leaders that change in the middle of a round', () => {
  const added = person(50)
  const removedSecond = [LEADER.address, THIRD.address]

  it('trap: a new leader’s block is not refused before its parent’s state was read', async () => {
    const { valley, take, chain, changes } = stage()
    const one = valley.seal(valley.genesis, MINER, { leaders: [...GENESIS_ROUND.leaders, added.address] })
    const two = valley.seal(one, added)
    expect(await take(one, two)).toMatchObject({ added: 2, stop: null })
    expect(chain.head().round.leaders).toContain(added.address)
    expect(changes).toEqual([{ number: 2, added: [added.address], removed: [] }])
  })

  it('without the state it is neither taken nor refused', async () => {
    const { valley, take } = stage({ nodes: null })
    const one = valley.seal(valley.genesis, MINER, { leaders: [...GENESIS_ROUND.leaders, added.address] })
    expect(await take(one, valley.seal(one, added))).toMatchObject({ added: 1, stop: { kind: 'unavailable', lacking: 'sources' } })
  })

  it('with silent sources it ends all the same', async () => {
    const { valley, take, time } = stage({ nodes: silence })
    const report = take(valley.seal(valley.genesis, STRANGER))
    await time.run(60_000)
    expect(await report).toMatchObject({ added: 0, stop: { kind: 'unavailable' } })
  })

  it('the end of a round reads them: the next round’s leader is the right one', async () => {
    const { valley, take, chain } = stage()
    const [one, two] = grow(valley, 2)
    if (one === undefined || two === undefined) throw new Error('no blocks')
    const three = valley.seal(two, valley.dueSealer(two, EVERYBODY), { leaders: removedSecond })
    const rest = grow(valley, 4, three)
    expect(await take(one, two, three, ...rest)).toMatchObject({ added: 7, stop: null })
    expect(chain.head().round).toEqual(rest.at(-1)?.round)
    expect(chain.head().round.signers[0], 'not SECOND').toBe(THIRD.address)
  })

  it('a round whose leader was missed long ago is mended before its blocks are refused', async () => {
    // Old blocks: nothing was read at the end of the round.
    const { valley, importer, chain } = stage()
    const [one, two] = grow(valley, 2)
    if (one === undefined || two === undefined) throw new Error('no blocks')
    const three = valley.seal(two, valley.dueSealer(two, EVERYBODY), { leaders: removedSecond })
    const four = valley.seal(three, valley.dueSealer(three, EVERYBODY))
    const five = valley.seal(four, THIRD)
    const report = await importer.import([one, two, three, four, five].map(raw), 'peer', { targetNumber: 1_000 })
    expect(report).toMatchObject({ added: 5, stop: null })
    expect(chain.head().round).toEqual(five.round)
  })

  it('a leader that was just removed is refused, but who still follows it does not lie', async () => {
    const { valley, take } = stage()
    const one = valley.seal(valley.genesis, MINER, { leaders: removedSecond })
    const two = valley.seal(one, valley.dueSealer(one, EVERYBODY))
    await take(one, two, ...grow(valley, 3, two))
    const head = [...valley.spots.values()].at(-1)
    if (head === undefined) throw new Error('no head')
    expect(await take(valley.seal(asBefore(head), SECOND))).toMatchObject({ added: 0, stop: { kind: 'refused', code: 'errInvalidDifficulty', isLie: false } })
    expect(await take(valley.seal(head, SECOND)), 'with the rank of nobody').toMatchObject({ added: 0, stop: { kind: 'refused', code: 'errUnauthorized', isLie: true } })
  })
})

describe('time and order', () => {
  it('a block of the future waits if it holds, and is refused if it does not', async () => {
    const { valley, take } = stage({ nowSeconds: START })
    expect(await take(valley.seal(valley.genesis, MINER))).toMatchObject({ added: 0, stop: { kind: 'future', waitSeconds: 1 } })
    expect(await take(valley.seal(valley.genesis, STRANGER))).toMatchObject({ stop: { kind: 'refused', code: 'errUnauthorized', isLie: true } })
  })

  it('with an unset clock nothing is of the future', async () => {
    const { valley, take } = stage({ nowSeconds: 60, isTrusted: false })
    expect(await take(...grow(valley, 3))).toMatchObject({ added: 3, stop: null })
  })

  it('an orphan names its parent, and is not judged', async () => {
    const { valley, take } = stage()
    const [one, two] = grow(valley, 2)
    if (one === undefined || two === undefined) throw new Error('no blocks')
    expect(await take(two)).toEqual({ added: 0, last: null, stop: { kind: 'orphan', number: 2, hash: two.hash, parentHash: one.hash } })
  })

  it('a reorg of more than 17 blocks needs another source, which may bring the same blocks again', async () => {
    const { valley, importer, chain, take } = stage({ nowSeconds: START + 10_000 })
    const weak = valley.grow(valley.genesis, 20, LEADERS)
    const strong = grow(valley, 20)
    await take(...weak)
    expect(await importer.import(strong.map(raw), 'one')).toMatchObject({ stop: { kind: 'needs-second-source' } })
    expect(chain.head().hash).toBe(weak.at(-1)?.hash)
    expect(await importer.import(strong.map(raw), 'one')).toMatchObject({ stop: { kind: 'needs-second-source' } })
    expect(await importer.import(strong.map(raw), 'two')).toMatchObject({ stop: null })
    expect(chain.head().hash).toBe(strong.at(-1)?.hash)
  })

  it('a reorg of more than 34 is not taken, and the alarm is raised', async () => {
    const { valley, importer, chain, take } = stage({ nowSeconds: START + 10_000 })
    await take(...valley.grow(valley.genesis, 36, LEADERS))
    const before = chain.head().hash
    expect(await importer.import(grow(valley, 36).map(raw), 'one')).toMatchObject({ stop: { kind: 'too-deep' } })
    expect([chain.head().hash, chain.alarm()?.code]).toEqual([before, 'deep-reorg'])
  })
})

describe('how many blocks go into the tree together', () => {
  it.each<[string, number, readonly number[]]>([
    ['a fast box', 0.1, [16, 32, 64, 64]],
    ['a board that takes a millisecond for each', 1, [16, 20, 20, 20]],
    ['one that takes ten', 10, [16, 4, 4, 4]],
  ])('%s', async (_, msPerBlock, expected) => {
    let nowMs = 0
    const clock = { bootId: 'x', boottimeMs: () => nowMs, wallMs: () => (START + 100_000) * 1000, isWallTrusted: () => true }
    const { valley, chain, take } = stage({ parts: { clock } })
    const sizes: number[] = []
    const insert = chain.insert.bind(chain)
    chain.insert = async (blocks) => {
      sizes.push(blocks.length)
      nowMs += msPerBlock * blocks.length
      return insert(blocks)
    }
    await take(...grow(valley, 180))
    expect(sizes.slice(0, 4)).toEqual(expected)
    expect(chain.head().header.number).toBe(180)
  })
})

describe('with an executor', () => {
  class Runs implements Executor {
    readonly ran: number[] = []
    readonly valley: () => Valley
    readonly answer: (block: Block) => ReturnType<Executor['execute']>
    constructor(valley: () => Valley, answer: (block: Block) => ReturnType<Executor['execute']>) {
      this.valley = valley
      this.answer = answer
    }
    node(hash: `0x${string}`): Uint8Array | undefined {
      return this.valley().nodes.get(hash)
    }
    execute(_parent: unknown, block: Block): ReturnType<Executor['execute']> {
      this.ran.push(block.header.number)
      return this.answer(block)
    }
    hasState(): boolean {
      return true
    }
    begin(): Promise<void> {
      return Promise.resolve()
    }
    close(): Promise<void> {
      return Promise.resolve()
    }
    build(): never {
      throw new Error('nothing is built here')
    }
    call(): never {
      throw new Error('nothing is called here')
    }
    estimateGas(): never {
      throw new Error('nothing is called here')
    }
    restore(): never {
      throw new Error('nothing is restored here')
    }
    prune(): never {
      throw new Error('nothing is pruned here')
    }
  }
  const receipts: readonly Receipt[] = [{ succeeded: true, cumulativeGasUsed: 0n, bloom: new Uint8Array(256), logs: [] }]

  function run(answer: (block: Block) => ReturnType<Executor['execute']>): Stage & { runs: Runs } {
    const runs: Runs = new Runs(() => staged.valley, answer)
    const staged = stage({ executor: runs, nodes: null })
    return { ...staged, runs }
  }

  it('every block is executed, its receipts are kept, and its volunteer judged from the kept state', async () => {
    const { valley, take, chain, runs } = run(() => Promise.resolve({ ok: true, receipts }))
    await take(...grow(valley, 3))
    expect([runs.ran, chain.receipts(chain.head().hash)]).toEqual([[1, 2, 3], receipts])
    const volunteer: Address = person(42).address
    const head = valley.spots.get(chain.head().hash)
    if (head === undefined) throw new Error('no head')
    expect(await take(valley.seal(head, valley.dueSealer(head, EVERYBODY), { volunteer }))).toMatchObject({ stop: { code: 'verify_volunteer_fail' } })
  })

  it('no block is executed while the state is lost, and every one as soon as it is back', async () => {
    const time = new SimTime(START + 100)
    const staged = stage()
    const runs = new Runs(() => staged.valley, () => Promise.resolve({ ok: true, receipts }))
    let isBack = false
    const sync = createSync({
      curve: native, chain: staged.chain, executor: runs, nodes: null, clock: time.clock(), timers: time, randomness: seededRandom(5), log: silentLog,
      canExecute: () => isBack, breathe: () => Promise.resolve(), mayBeAlone: () => true,
    })
    const [first, second, third] = grow(staged.valley, 3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no blocks')
    await sync.importOwn(first)
    await sync.importOwn(second)
    expect([runs.ran, staged.chain.head().header.number]).toEqual([[], 2])
    isBack = true
    await sync.importOwn(third)
    expect([runs.ran, staged.chain.receipts(staged.chain.head().hash)]).toEqual([[3], receipts])
  })

  it('a leader that was removed is refused at once', async () => {
    const { valley, take } = run(() => Promise.resolve({ ok: true, receipts }))
    const one = valley.seal(valley.genesis, MINER, { leaders: [LEADER.address, THIRD.address] })
    expect(await take(one, valley.seal(asBefore(one), SECOND))).toMatchObject({ added: 1, stop: { kind: 'refused', isLie: false } })
  })

  it('what the execution refuses is refused; no lie of whoever passes it on without executing', async () => {
    const { valley, take } = run(() => Promise.resolve({ ok: false, code: 'errInvalidReceiptsRoot', reason: 'another root' }))
    const [one] = grow(valley, 1)
    if (one === undefined) throw new Error('no block')
    for (let times = 0; times < 2; times++) expect(await take(one)).toMatchObject({ added: 0, stop: { code: 'errInvalidReceiptsRoot', isLie: false } })
  })

  it('a state that this box lacks is nobody else’s fault; a broken executor is heard of', async () => {
    const lacking = run(() => Promise.reject(new MeshBoxError('unavailable', 'no such state', { code: 'state-missing' })))
    expect(await lacking.take(...grow(lacking.valley, 1))).toMatchObject({ added: 0, stop: { kind: 'unavailable', lacking: 'self' } })
    const broken = run(() => Promise.reject(new Error('the disk is gone')))
    await expect(broken.take(...grow(broken.valley, 1))).rejects.toThrow('the disk is gone')
    await expect(broken.take(...grow(broken.valley, 1)), 'and the next import runs').rejects.toThrow('the disk is gone')
  })
})

it('a block sealed again by the same signer is another block of that height, told by its seal', async () => {
  const { valley, chain, take } = stage()
  const one = valley.seal(valley.genesis, MINER)
  const other = { ...one.header, coinbase: person(70).address }
  const sealedAgain = sealHeader(native, other, MINER.key)
  expect(await take(one, { ...one, header: sealedAgain, hash: hashHeader(native, sealedAgain) })).toMatchObject({ added: 2, stop: null })
  expect(chain.head().hash).toBe(one.hash)
})
