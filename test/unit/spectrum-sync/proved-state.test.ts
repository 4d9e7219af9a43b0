/** State proved from nodes of others: who has them, who lies, who is silent, and what bounds a read. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import { excludedFrom, pickVolunteer } from '../../../src/spectrum/rules/volunteer.ts'
import { EMPTY_CODE_HASH, readAccount, readSlot } from '../../../src/spectrum/proof/account.ts'
import { nodeSet } from '../../../src/spectrum/proof/read-trie.ts'
import { keccakHex } from '../../../src/spectrum/codec/fields.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { StateNodes } from '../../../src/spectrum/ports.ts'
import { NodeCache } from '../../../src/spectrum/sync/node-cache.ts'
import { StateReader } from '../../../src/spectrum/sync/proved-state.ts'
import type { StateLimits } from '../../../src/spectrum/sync/proved-state.ts'
import { Roster } from '../../../src/spectrum/sync/roster.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_NODES, HEAD_STATE_ROOT } from '../spectrum/devnet.ts'
import { EVERYBODY, GENESIS_ROUND, MINER_ADDRESSES } from '../spectrum/village.ts'
import { DEVNET } from '../../../src/spectrum/network/networks.ts'
import { ScriptedSource, silence } from './scripted-source.ts'
import { SimTime } from './sim-time.ts'
import { Valley } from './valley.ts'

const valley = new Valley()
const [first] = valley.grow(valley.genesis, 1, EVERYBODY)
if (first === undefined) throw new Error('no block')
const at = first.header

interface Stage {
  readonly time: SimTime
  readonly roster: Roster
  readonly state: StateReader
}

function stage(sources: readonly ScriptedSource[], options: { kept?: StateNodes; limits?: Partial<StateLimits>; network?: typeof valley.network } = {}): Stage {
  const time = new SimTime(1_700_000_000)
  const roster = new Roster(time.clock(), silentLog)
  for (const source of sources) roster.open(source)
  const state = new StateReader({ keccak: native, network: options.network ?? valley.network, kept: options.kept ?? null, sources: roster, clock: time.clock(), timers: time, ...(options.limits === undefined ? {} : { limits: options.limits }) })
  return { time, roster, state }
}

const honest = (id = 'honest'): ScriptedSource => new ScriptedSource(id, [], valley.nodes)
const empty = (id = 'empty'): ScriptedSource => new ScriptedSource(id, [], new Map())

describe('reads', () => {
  it('rounds, volunteers, accounts, storage and code come out as the state has them', async () => {
    const { state } = stage([honest()])
    expect(await state.round(at)).toEqual(first.round)
    expect(await state.round(valley.genesis.header)).toEqual(GENESIS_ROUND)
    expect(await state.volunteer(valley.genesis.header, at, GENESIS_ROUND)).toBe(pickVolunteer(at, MINER_ADDRESSES, excludedFrom(GENESIS_ROUND)))
    expect(await state.account(at, valley.network.poc)).toMatchObject({ nonce: 1n, codeHash: EMPTY_CODE_HASH })
    expect(await state.storage(at, valley.network.chiefBase, 6n)).toBe(5n)
    expect(await state.storage(at, valley.network.chiefBase, 99n)).toBe(0n)
    expect(await state.code(at, valley.network.chiefBase)).toEqual(new Uint8Array(0))
    expect(await state.account(at, `0x${'77'.repeat(20)}`)).toMatchObject({ nonce: 0n, balanceWei: 0n })
  })

  it('the public test chain’s state, code of its contracts included', async () => {
    const head = { ...at, stateRoot: HEAD_STATE_ROOT }
    const { state } = stage([new ScriptedSource('devnet', [], DEVNET_NODES)], { network: DEVNET })
    expect(await state.storage(head, DEVNET.chiefBase, 6n)).toBe(5n)
    const { codeHash } = await state.account(head, DEVNET.chiefBase)
    if (DEVNET_NODES.has(codeHash)) expect(keccakHex(native, await state.code(head, DEVNET.chiefBase))).toBe(codeHash)
    else await expect(state.code(head, DEVNET.chiefBase)).rejects.toMatchObject({ code: 'state-unavailable' })
  })

  it('a proof shows the nodes of each path, and reads back without us', async () => {
    const { state } = stage([honest()])
    const { account, storage } = await state.proof(at, valley.network.chiefBase, [6n, 7n, 99n])
    const read = readAccount(native, at.stateRoot, valley.network.chiefBase, nodeSet(native, account))
    if (read.kind !== 'read') throw new Error(read.kind)
    expect(keccakHex(native, account[0] ?? new Uint8Array(0))).toBe(at.stateRoot)
    expect([6n, 7n, 99n].map((slot, index) => readSlot(native, read.value.storageRoot, slot, nodeSet(native, storage[index] ?? [])))).toEqual([5n, 25n, 0n].map((value) => ({ kind: 'read', value })))
  })

  it('what this box keeps is not asked for; what rotted on its disk is', async () => {
    const source = honest()
    const { state } = stage([source], { kept: { node: (hash) => valley.nodes.get(hash) } })
    expect(await state.round(at)).toEqual(first.round)
    expect(source.askedNodes).toEqual([])
    const rotten: StateNodes = { node: (hash) => (hash === at.stateRoot ? new Uint8Array(40) : valley.nodes.get(hash)) }
    const again = stage([source], { kept: rotten })
    expect(await again.state.round(at)).toEqual(first.round)
    expect(source.askedNodes).toEqual([[at.stateRoot]])
  })

  it('nodes are asked for once, missing ones of one step together', async () => {
    const source = honest()
    const { state } = stage([source])
    await state.round(at)
    const asked = source.askedNodes.flat()
    expect(new Set(asked).size).toBe(asked.length)
    expect(source.askedNodes.some((batch) => batch.length > 1)).toBe(true)
    const before = source.askedNodes.length
    await state.round(at)
    expect(source.askedNodes.length).toBe(before)
  })
})

describe('nodes for somebody else', () => {
  it('are asked of some, of few of them, and what is nowhere is held against nobody', async () => {
    const sources = ['neighbour', 'one', 'two', 'three', 'four'].map((id) => honest(id))
    const { state } = stage(sources)
    const circle = { isAsked: ({ id }: { readonly id: string }) => id !== 'neighbour', most: 3 }
    const nowhere: Hash = `0x${'99'.repeat(32)}`
    expect(await state.nodes([nowhere], circle)).toEqual([])
    expect(sources.map(({ askedNodes }) => askedNodes.length)).toEqual([0, 1, 1, 1, 0])
    expect(await state.nodes([at.stateRoot, nowhere], circle)).toEqual([valley.nodes.get(at.stateRoot)])
    expect(sources.map(({ askedNodes }) => askedNodes.length)).toEqual([0, 3, 2, 2, 0])
    // The read of this box itself: in the order that they had before.
    await state.round(valley.genesis.header)
    expect((sources[0]?.askedNodes.length ?? 0) > 0).toBe(true)
    expect(sources.slice(1).map(({ askedNodes }) => askedNodes.length)).toEqual([3, 2, 2, 0])
  })
})

describe('sources that have nothing, lie or are silent', () => {
  it('the next one is asked; with none left the state is unavailable', async () => {
    expect(await stage([empty(), honest()]).state.round(at)).toEqual(first.round)
    for (const sources of [[], [empty()]]) {
      const { state, roster } = stage(sources)
      expect(await state.round(at)).toBeNull()
      expect(await state.volunteer(at, at, first.round)).toBeNull()
      await expect(state.account(at, valley.network.poc)).rejects.toMatchObject({ kind: 'unavailable', code: 'state-unavailable' })
      expect(roster.usable().length).toBe(sources.length)
    }
  })

  it('an answer that comes in parts is asked for until nothing more comes', async () => {
    const source = new ScriptedSource('few', [], valley.nodes, { nodes: (_, all) => Promise.resolve(all().slice(0, 1)) })
    expect(await stage([source]).state.round(at)).toEqual(first.round)
  })

  it.each<[string, (all: Uint8Array[]) => Uint8Array[]]>([
    ['a changed node', (all) => all.map((node) => node.map((byte, index) => (index === node.length - 1 ? byte ^ 1 : byte)))],
    ['a node of its own', () => [new Uint8Array(64)]],
    ['an empty node', () => [new Uint8Array(0)]],
    ['more than was asked for', (all) => [...all, ...all]],
  ])('%s is a lie; the read goes on with others', async (_, spoil) => {
    const liar = new ScriptedSource('liar', [], valley.nodes, { nodes: (_hashes, all) => Promise.resolve(spoil(all())) })
    const { state, roster } = stage([liar, honest()])
    expect(await state.round(at)).toEqual(first.round)
    expect(roster.bannedCount()).toBe(1)
    expect(liar.closedFor).toHaveLength(1)
    expect(roster.open(liar), 'it does not come in again').toBe(false)
  })

  it('a silent one rests, each time longer, and is dropped in the end', async () => {
    const mute = new ScriptedSource('mute', [], valley.nodes, { nodes: silence })
    const { state, roster, time } = stage([mute])
    for (const restMs of [5_000, 10_000, 20_000]) {
      const round = state.round(at)
      await time.run(10_000)
      expect(await round).toBeNull()
      expect(roster.usable()).toEqual([])
      await time.run(restMs - 1)
      expect(roster.usable()).toEqual([])
      await time.run(1)
      expect(roster.usable()).toEqual([mute])
    }
    const last = state.round(at)
    await time.run(10_000)
    expect(await last).toBeNull()
    expect([roster.all(), mute.closedFor.length, roster.bannedCount()]).toEqual([[], 1, 0])
  })

  it('one that throws is slow, whatever it throws', async () => {
    const broken = new ScriptedSource('broken', [], valley.nodes, { nodes: () => Promise.reject(new Error('connection reset')) })
    const { state, roster } = stage([broken, honest()])
    expect(await state.round(at)).toEqual(first.round)
    expect(roster.usable().map(({ id }) => id)).toEqual(['honest'])
  })
})

it('one that hesitates, or has nothing, is asked after those that answer quickly', async () => {
  const late = stage([], { limits: { answerMs: 10_000 } })
  const hesitant = new ScriptedSource('hesitant', [], valley.nodes, { nodes: (_, all) => new Promise((resolve) => late.time.after(9_000, () => resolve(all()))) })
  const [none, quick] = [empty(), honest()]
  for (const source of [hesitant, none, quick]) late.roster.open(source)
  const round = late.state.round(at)
  await late.time.run(30_000)
  expect(await round).toEqual(first.round)
  expect([hesitant.askedNodes.length, none.askedNodes.length, late.roster.usable().length]).toEqual([1, 1, 3])
})

it('a source that takes no more questions now is not slow', async () => {
  const busy = new ScriptedSource('busy', [], valley.nodes, { nodes: () => Promise.reject(new MeshBoxError('limit', 'eight wait already', { code: 'source-busy' })) })
  const { state, roster } = stage([busy, honest()])
  expect(await state.round(at)).toEqual(first.round)
  expect(roster.usable()).toHaveLength(2)
})

it('nodes by hash: those that there are, checked', async () => {
  const known = [...valley.nodes.keys()].slice(0, 3)
  const liar = new ScriptedSource('liar', [], valley.nodes, { nodes: () => Promise.resolve([new Uint8Array(40)]) })
  const { state, roster } = stage([liar, honest()])
  expect(await state.nodes([...known, `0x${'99'.repeat(32)}`])).toEqual(known.map((hash) => valley.nodes.get(hash)))
  expect(roster.bannedCount()).toBe(1)
})

describe('bounds', () => {
  it('a read that takes too many bytes, rounds or seconds ends as unavailable', async () => {
    expect(await stage([honest()], { limits: { readBytes: 500 } }).state.round(at)).toBeNull()
    expect(await stage([honest()], { limits: { rounds: 3 } }).state.round(at)).toBeNull()
    const late = stage([], { limits: { readMs: 20, answerMs: 1_000 } })
    late.roster.open(new ScriptedSource('late', [], valley.nodes, { nodes: (_, all) => new Promise((resolve) => late.time.after(15, () => resolve(all()))) }))
    const round = late.state.round(at)
    await late.time.run(1_000)
    expect(await round).toBeNull()
  })

  it('a cache smaller than one read does not stop it', async () => {
    const { state } = stage([honest()], { limits: { cacheBytes: 1_000 } })
    expect(await state.round(at)).toEqual(first.round)
    expect(state.cachedBytes).toBeLessThanOrEqual(1_000)
  })

  it('a state that no honest chain has is told as such', async () => {
    const node = Uint8Array.from({ length: 40 }, () => 0xff)
    const hash = keccakHex(native, node)
    const { state, roster } = stage([new ScriptedSource('odd', [], new Map([[hash, node]]))])
    await expect(state.account({ ...at, stateRoot: hash }, valley.network.poc)).rejects.toMatchObject({ code: 'state-invalid' })
    expect(roster.bannedCount(), 'it gave what was asked for').toBe(0)
  })

  it('the cache forgets the least lately used', () => {
    const cache = new NodeCache(3 * 300)
    const name = (index: number): Hash => `0x${index}`
    for (const index of [1, 2, 3]) cache.put(name(index), new Uint8Array(100))
    cache.get(name(1))
    cache.put(name(4), new Uint8Array(100))
    expect([1, 2, 3, 4].map((index) => cache.get(name(index)) !== undefined)).toEqual([true, false, true, true])
    cache.put(name(5), new Uint8Array(5_000))
    expect(cache.bytes).toBe(900)
  })
})
