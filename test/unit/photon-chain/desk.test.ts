/** The follower and the scheduler over a real SQLite file and a chain that reorganises, with restarts in the middle. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError, ZERO_HASH, bytesOf, fromUtf8, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Cancel, Hash } from '../../../src/base/index.ts'
import { DutyDesk, SCHEDULE_RULES, callsOf, channelFollower, loadPosition, savePosition, v2LogReader } from '../../../src/photon/chain/index.ts'
import { chainMigrations } from '../../../src/photon/chain/io/duty-tables.ts'
import type { DueBoxDuty, ToldEffect, ToldEvent } from '../../../src/photon/chain/index.ts'
import type { ChainLog, ChainPoint, DueDuty } from '../../../src/photon/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEPTH, GOING_PRICE, RoughChain } from './rough-chain.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
const CONTRACT: Address = `0x${'c1'.repeat(20)}`
const REGISTRY: Address = `0x${'c2'.repeat(20)}`
const SELF: Address = `0x${'5e'.repeat(20)}`
const site = { profile: 'v2', contract: CONTRACT, registry: REGISTRY, self: SELF } as const
const read = v2LogReader(keccak, CONTRACT, REGISTRY)
const CLAIMED = hexOf(keccak(new TextEncoder().encode('Claimed(bytes32,address,uint256)')))
const word = (value: bigint): string => value.toString(16).padStart(64, '0')

let folder: string
let store: Store
const open = (): Store => (store = openStore({ path: join(folder, 'box.db'), migrations: chainMigrations, log: silentLog }))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'photon-chain-'))
  open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** A chain of marks: each block has one log that says its own number and branch. */
class Marks {
  readonly blocks: { readonly point: ChainPoint; readonly logs: readonly ChainLog[] }[] = []
  #branch = 0
  readonly listeners = new Set<(head: ChainPoint, reorgFrom: number | null) => void>()
  isSilent = false

  grow(): void {
    const number = this.blocks.length
    const hash: Hash = hexOf(keccak(new TextEncoder().encode(`${number}/${this.#branch}`)))
    const log = { address: CONTRACT, topics: [CLAIMED, hash], data: bytesOf(`0x${word(1n)}${word(BigInt(number))}`), transactionHash: ZERO_HASH }
    const foreign = { ...log, address: SELF }
    // Not in order: the port does not promise it.
    this.blocks.push({ point: { number, hash, timeSeconds: number }, logs: [{ ...log, data: bytesOf(`0x${word(2n)}${word(BigInt(number))}`), logIndex: 2 }, { ...foreign, logIndex: 1 }, { ...log, logIndex: 0 }] })
  }

  undo(count: number): void {
    this.blocks.splice(this.blocks.length - count)
    this.#branch++
    for (let grown = 0; grown <= count; grown++) this.grow()
  }

  readonly head = (): ChainPoint | null => this.blocks.at(-1)?.point ?? null
  readonly safe = (): ChainPoint | null => this.at(this.blocks.length - 1 - DEPTH)
  readonly at = (number: number): ChainPoint | null => this.blocks[number]?.point ?? null
  readonly logs = (point: ChainPoint): Promise<readonly ChainLog[] | null> => Promise.resolve(this.isSilent ? null : (this.blocks[point.number]?.logs ?? null))
  readonly onHead = (listener: (head: ChainPoint, reorgFrom: number | null) => void): Cancel => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
}

describe('the follower', () => {
  const told: { readonly point: ChainPoint; readonly events: readonly ToldEvent[] }[] = []
  let lost: number[] = []
  let failures = 0
  let chain: Marks
  /** Blocks whose storing fails, once. */
  const broken = new Set<number>()
  const start = (): ReturnType<typeof channelFollower> =>
    channelFollower({
      chain,
      read,
      firstBlock: 3,
      sink: {
        position: () => store.read((tx) => loadPosition(tx, CONTRACT)),
        take: (point, events) =>
          store.turn((tx) => {
            if (broken.delete(point.number)) throw new MeshBoxError('unavailable', 'the disk is full', { code: 'test' })
            savePosition(tx, CONTRACT, point)
            told.push({ point, events })
          }),
        lost: (number) => lost.push(number),
        failed: () => failures++,
      },
    })

  beforeEach(() => {
    told.length = 0
    lost = []
    failures = 0
    chain = new Marks()
  })

  it('tells each block once, in order, deep, whatever the top of the chain does', async () => {
    const random = randomStream('follow')
    let follower = start()
    for (let turn = 0; turn < 300; turn++) {
      chain.isSilent = random.below(5) === 0
      if (random.below(8) === 0) broken.add(told.length + 3)
      if (random.below(4) === 0 && chain.blocks.length > DEPTH) chain.undo(1 + random.below(DEPTH))
      else chain.grow()
      if (random.below(3) > 0) await Promise.all([follower.catchUp(), follower.catchUp()])
      if (random.below(15) === 0) {
        await store.close()
        open()
        follower = start()
      }
      const deepest = chain.blocks.length - 1 - DEPTH
      expect(told.every(({ point }) => point.number <= deepest)).toBe(true)
    }
    chain.isSilent = false
    broken.clear()
    await follower.catchUp()
    expect(failures).toBeGreaterThan(0)
    expect(lost).toEqual([])
    expect(told.map(({ point }) => point)).toEqual(chain.blocks.slice(3, chain.blocks.length - DEPTH).map(({ point }) => point))
    for (const { point, events } of told) expect(events.map((event) => event.kind === 'claimed' && [event.channel, event.payer, event.cumulative])).toEqual([1n, 2n].map((payer) => [point.hash, `0x${word(payer).slice(24)}`, BigInt(point.number)]))
  })

  it('stops where what it told is not in the chain any more, also after a restart', async () => {
    for (let number = 0; number < 60; number++) chain.grow()
    await start().catchUp()
    const before = told.length
    chain.undo(DEPTH + 5)
    for (let number = 0; number < 30; number++) chain.grow()
    const follower = start()
    await follower.catchUp()
    await follower.catchUp()
    await start().catchUp()
    expect([lost, told.length]).toEqual([[60 - 1 - DEPTH, 60 - 1 - DEPTH], before])
  })

  it('runs on each head until it is cancelled', async () => {
    const cancel = start().start()
    for (let number = 0; number < 40; number++) chain.grow()
    for (const listener of chain.listeners) listener({ number: 0, hash: ZERO_HASH, timeSeconds: 0 }, null)
    await expect.poll(() => told.length).toBe(40 - DEPTH - 3)
    cancel()
    expect(chain.listeners.size).toBe(0)
  })
})

describe('the duty desk', () => {
  const register = (number: number, deadlineBlock: number | null = null): DueDuty => ({ duty: { kind: 'register-secret', secret: `0x${word(BigInt(number))}` }, key: null, fromBlock: 0, deadlineBlock })
  const update: DueDuty = { duty: { kind: 'update', token: SELF, partner: CONTRACT, proof: { channel: ZERO_HASH, epoch: 7n, nonce: 2n ** 63n, transferred: 5n, locksroot: ZERO_HASH, extra: ZERO_HASH, signature: Uint8Array.of(1, 2, 3) } }, key: { channel: ZERO_HASH, epoch: 7n }, fromBlock: 3, deadlineBlock: 400 }

  it('carries duties through restarts, lost transactions and reorganisations, each to its end', async () => {
    const random = randomStream('desk')
    const rough = new RoughChain(random)
    const told: ToldEffect[] = []
    let refusals = 0
    const tools = { keccak, account: SELF, seal: rough.seal, callsOf: (due: DueBoxDuty) => callsOf(keccak, site, due.duty), rules: { ...SCHEDULE_RULES, depth: DEPTH } }
    const point = (number: number): ChainPoint => ({ number, hash: hexOf(keccak(new TextEncoder().encode(`${number}:${rough.blocks.slice(0, number + 1).map((block) => block.map((one) => one.hash).join()).join('|')}`))), timeSeconds: number })
    const desk = (): DutyDesk =>
      new DutyDesk({
        store,
        tools,
        gasPriceWei: () => GOING_PRICE,
        told: (effect) => told.push(effect),
        failed: () => refusals++,
        chain: {
          head: () => point(rough.head),
          at: point,
          safe: () => (rough.head < DEPTH ? null : point(rough.head - DEPTH)),
          account: (at) => Promise.resolve({ nonce: rough.accountNonce(at.number), balanceWei: 10n ** 18n }),
          storage: () => Promise.resolve(null),
          receipt: (hash) => {
            const number = rough.blocks.findIndex((block) => block.some((one) => one.hash === hash))
            const known = rough.blocks[number]?.find((one) => one.hash === hash)
            return Promise.resolve(known === undefined ? null : { point: point(number), succeeded: known.succeeded, logs: [] })
          },
          send: (raw) => {
            if (random.below(6) === 0) return Promise.reject(new MeshBoxError('conflict', 'the pool is full', { code: 'test' }))
            expect(fromUtf8(raw)).toContain('0x')
            const hash = hexOf(keccak(raw))
            rough.send(hash)
            return Promise.resolve(hash)
          },
          onHead: () => () => undefined,
        },
      })
    let current = desk()
    let cancel = await current.start()
    for (let block = 0; block < 120; block++) {
      if (block % 9 === 0 && block < 90) await store.turn((tx) => current.put(tx, [register(block)]))
      if (block === 20) await store.turn((tx) => current.put(tx, [update]))
      if (random.below(8) === 0) rough.reorganise(DEPTH - 1)
      else rough.mine()
      await current.look()
      if (random.below(10) === 0) {
        cancel()
        await store.close()
        open()
        if (random.below(2) === 0) rough.forgetPool()
        current = desk()
        cancel = await current.start()
      }
    }
    rough.isCalm = true
    for (let block = 0; block < 120; block++) {
      rough.mine()
      await current.look()
    }
    expect(store.read((tx) => current.pending(tx))).toMatchObject({ jobs: [], slots: [] })
    expect(refusals).toBeGreaterThan(0)
    expect(told.map((effect) => (effect.kind === 'ended' ? effect.outcome : effect.alarm)).sort()).toEqual(Array.from({ length: 11 }, () => 'done'))
    const happened = rough.blocks.flat().filter((one) => one.data.length > 0).map((one) => hexOf(one.data))
    for (const due of [...Array.from({ length: 10 }, (_, number) => register(number * 9)), update]) expect(happened.filter((data) => data === hexOf(callsOf(keccak, site, due.duty)[0]?.data ?? new Uint8Array())).length).toBe(1)
    cancel()
  })

  it('an end and what is booked for it are on disk together, wherever the power goes', async () => {
    const rough = new RoughChain(randomStream('booking'))
    rough.isCalm = true
    const tools = { keccak, account: SELF, seal: rough.seal, callsOf: (due: DueBoxDuty) => callsOf(keccak, site, due.duty), rules: { ...SCHEDULE_RULES, depth: DEPTH } }
    const point = (number: number): ChainPoint => ({ number, hash: `0x${number.toString(16).padStart(64, '0')}`, timeSeconds: number })
    const faults: unknown[] = []
    /** Where the power goes. */
    let dies: 'while it is booked' | 'when it is booked' | 'before it is told' | null = 'while it is booked'
    let told = 0
    const desk = (): DutyDesk =>
      new DutyDesk({
        store,
        tools,
        gasPriceWei: () => GOING_PRICE,
        ending: (tx, _, outcome) => {
          if (dies === 'while it is booked') throw new Error(dies)
          tx.run('CREATE TABLE IF NOT EXISTS booked (outcome TEXT NOT NULL) STRICT')
          tx.run('INSERT INTO booked (outcome) VALUES (?)', outcome)
          if (dies === 'when it is booked') throw new Error(dies)
        },
        told: ({ kind }) => {
          if (dies === 'before it is told') throw new Error(dies)
          if (kind === 'ended') told++
        },
        failed: (thrown) => faults.push(thrown),
        chain: {
          head: () => point(rough.head),
          at: point,
          safe: () => (rough.head < DEPTH ? null : point(rough.head - DEPTH)),
          account: (at) => Promise.resolve({ nonce: rough.accountNonce(at.number), balanceWei: 10n ** 18n }),
          storage: () => Promise.resolve(null),
          receipt: (hash) => {
            const known = rough.sight([hash]).receipts.get(hash)
            return Promise.resolve(known === undefined ? null : { ...known, logs: [] })
          },
          send: (raw) => {
            const hash = hexOf(keccak(raw))
            rough.send(hash)
            return Promise.resolve(hash)
          },
          onHead: () => () => undefined,
        },
      })
    const booked = (): readonly string[] => store.read((tx) => (tx.get<{ name: string }>("SELECT name FROM sqlite_master WHERE name = 'booked'") === undefined ? [] : tx.all<{ outcome: string }>('SELECT outcome FROM booked').map(({ outcome }) => outcome)))
    const pending = (): number => store.read((tx) => desk().pending(tx)).jobs.length
    await store.turn((tx) => desk().put(tx, [register(1)]))
    await desk().look()
    for (let block = 0; block <= DEPTH; block++) rough.mine()
    for (const way of ['while it is booked', 'when it is booked', 'before it is told'] as const) {
      dies = way
      await desk().look()
      expect([way, booked(), pending()]).toEqual(way === 'before it is told' ? [way, ['done'], 0] : [way, [], 1])
      await store.close()
      open()
    }
    dies = null
    rough.mine()
    await desk().look()
    expect([booked(), pending(), told, faults.length]).toEqual([['done'], 0, 0, 3])
    // On the record once, though its turn failed twice.
    expect(store.read((tx) => desk().transactions(tx))).toMatchObject([{ account: SELF, due: register(1), step: 0, steps: 1, gasPriceWei: GOING_PRICE, mined: { block: 1, succeeded: true } }])
  })

  it('a turn that is rolled back leaves no duty, and an event drops what it makes pointless', async () => {
    const rough = new RoughChain(randomStream('rollback'))
    const tools = { keccak, account: SELF, seal: rough.seal, callsOf: (due: DueBoxDuty) => callsOf(keccak, site, due.duty), rules: SCHEDULE_RULES }
    const nothing = (): never => {
      throw new Error('not asked here')
    }
    const desk = new DutyDesk({ store, tools, gasPriceWei: () => 1n, told: nothing, failed: nothing, chain: { head: () => null, at: nothing, safe: nothing, account: nothing, storage: nothing, receipt: nothing, send: nothing, onHead: nothing } })
    await expect(
      store.turn((tx) => {
        desk.put(tx, [register(1)])
        throw new MeshBoxError('conflict', 'no', { code: 'test' })
      }),
    ).rejects.toThrow('no')
    expect(store.read((tx) => desk.pending(tx)).jobs).toEqual([])
    await store.turn((tx) => desk.put(tx, [register(1), update]))
    const { jobs } = store.read((tx) => desk.pending(tx))
    expect(jobs.map((job) => job.due)).toEqual([register(1), update])
    await store.turn((tx) => desk.noteEvents(tx, [{ kind: 'secret', secret: `0x${word(1n)}`, secretHash: ZERO_HASH, block: 4 }]))
    expect(store.read((tx) => desk.pending(tx)).jobs.map((job) => job.due)).toEqual([update])
  })
})
