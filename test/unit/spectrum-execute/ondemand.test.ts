/** A box without state, and pruned boxes, make the same blocks as one that keeps everything. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createInlineExecutor, memoryStateStore, openStateReader, openStateStore } from '../../../src/spectrum/execute/inline.ts'
import { Engine } from '../../../src/spectrum/execute/engine.ts'
import type { StateStore } from '../../../src/spectrum/execute/inline.ts'
import { EMPTY_CODE_HASH, decodeAccount } from '../../../src/spectrum/proof/account.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/proof/read-trie.ts'
import type { Hash, Header, Transaction } from '../../../src/spectrum/index.ts'
import type { Block } from '../../../src/spectrum/ports.ts'
import { decodeTrieNode, childOf } from '../../../src/spectrum/proof/trie-node.ts'
import type { TrieNode } from '../../../src/spectrum/proof/trie-node.ts'
import { native } from '../spectrum/curves.ts'
import { PEOPLE, TOKEN, randomAccounts, randomTransactions } from './random-town.ts'
import { draftOn, sealed, send, town, townOver } from './town.ts'
import type { Town } from './town.ts'
import { transferCall } from './token.ts'

const folders: string[] = []
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })))
const stateFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-state-'))
  folders.push(folder)
  return join(folder, 'chain-state.sqlite')
}

async function keptTown(store: StateStore = memoryStateStore()): Promise<Town> {
  return town({ people: PEOPLE, accounts: randomAccounts() }, { store })
}

async function blocks(place: Town, seed: string, count: number): Promise<Block[]> {
  const make = randomTransactions(seed)
  const made: Block[] = []
  let parent = place.genesis
  for (let number = 0; number < count; number++) {
    const block = await place.next(parent, make(place.network, 25))
    made.push(block)
    parent = block.header
  }
  return made
}

/** Walks a whole state and says how many nodes and codes it has. Throws where one is missing. */
function walk(root: Hash, nodeOf: (hash: Hash) => Uint8Array | undefined): number {
  const seen = new Set<Hash>()
  const visit = (hash: Hash, isAccounts: boolean): void => {
    if (seen.has(hash)) return
    const bytes = nodeOf(hash)
    if (bytes === undefined) throw new Error(`no ${hash}`)
    seen.add(hash)
    look(decodeTrieNode(bytes), isAccounts)
  }
  const look = (node: TrieNode, isAccounts: boolean): void => {
    if (node.kind === 'leaf') {
      if (!isAccounts) return
      const { storageRoot, codeHash } = decodeAccount(node.value)
      if (storageRoot !== EMPTY_TRIE_ROOT) visit(storageRoot, false)
      if (codeHash !== EMPTY_CODE_HASH && nodeOf(codeHash) === undefined) throw new Error(`no code ${codeHash}`)
      seen.add(codeHash)
      return
    }
    for (const item of node.kind === 'extension' ? [node.child] : node.children) {
      const child = childOf(item)
      if (child === null) continue
      if ('hash' in child) visit(`0x${Buffer.from(child.hash).toString('hex')}`, isAccounts)
      else look(child.node, isAccounts)
    }
  }
  visit(root, true)
  return seen.size
}

describe('state on demand', () => {
  it.each(['one', 'two'])('builds and executes the same blocks (%s)', async (seed) => {
    const keeper = await keptTown()
    const made = await blocks(keeper, seed, 12)
    let asks = 0
    let nodes = 0
    const light = createInlineExecutor({
      curve: native,
      store: memoryStateStore(),
      maxCacheBytes: 20_000, // smaller than a block's nodes: what is fetched must last for the job
      ancestorHash: () => Promise.resolve(null),
      fetchNodes: (hashes) => {
        asks++
        nodes += hashes.length
        return Promise.resolve(hashes.map((hash) => keeper.executor.node(hash) ?? new Uint8Array(0)).reverse())
      },
    })
    await light.begin({ ...keeper.network, genesis: { ...keeper.network.genesis } })
    let parent = keeper.genesis
    for (const block of made.slice(6)) {
      const before = made[block.header.number - 2] as Block
      const draft = draftOn(keeper.network, before.header, block.body.transactions.slice(1))
      const built = await light.build(draft)
      expect(sealed(draft, built).header.stateRoot).toBe(block.header.stateRoot)
      expect(built.transactions).toEqual(block.body.transactions)
      expect(await light.execute(before.header, block)).toMatchObject({ ok: true, receipts: built.receipts })
      expect(light.hasState(block.header.stateRoot)).toBe(false) // parts of it only
      parent = block.header
    }
    const call = { from: (PEOPLE[0] as (typeof PEOPLE)[number]).address, to: TOKEN, data: transferCall(TOKEN, 0n), valueWei: 0n, gas: 100_000n, gasPriceWei: 0n }
    expect(await light.call(parent, call)).toEqual(await keeper.executor.call(parent, call))
    expect(await light.estimateGas(parent, call)).toBe(await keeper.executor.estimateGas(parent, call))
    expect(asks).toBeLessThan(nodes) // several at once
  })

  it('believes no node by its sender, and says when none is to be had', async () => {
    const keeper = await keptTown()
    const [block] = (await blocks(keeper, 'liars', 1)) as [Block]
    const light = (fetchNodes: (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]>): ReturnType<typeof createInlineExecutor> =>
      createInlineExecutor({ curve: native, store: memoryStateStore(), maxCacheBytes: 1 << 20, ancestorHash: () => Promise.resolve(null), fetchNodes })
    const draft = draftOn(keeper.network, block.header, [])
    for (const answer of [
      () => Promise.resolve([]),
      () => Promise.resolve([new Uint8Array(40), Uint8Array.of(1), new Uint8Array(1 << 20)]),
      (hashes: readonly Hash[]) => Promise.resolve(hashes.map((hash) => { const node = Uint8Array.from(keeper.executor.node(hash) ?? []); node[node.length - 1] = (node.at(-1) ?? 0) ^ 1; return node })),
      () => Promise.reject(new Error('no route')),
    ]) {
      const executor = light(answer)
      await executor.begin(keeper.network)
      await expect(executor.build(draft)).rejects.toMatchObject({ kind: 'unavailable', code: 'state-unavailable', message: expect.stringMatching(/nobody has|no route/) as string })
    }
    const generous = light((hashes) => Promise.resolve([...hashes, ...hashes].map((hash) => keeper.executor.node(hash) ?? new Uint8Array(0)).concat(new Uint8Array(3))))
    await generous.begin(keeper.network)
    expect((await generous.build(draft)).stateRoot).toBe((await keeper.executor.build(draft)).stateRoot)
  })

  it('keeps a box that keeps state from running on states it has not', async () => {
    const keeper = await keptTown()
    const strange: Header = { ...keeper.genesis, stateRoot: `0x${'22'.repeat(32)}` }
    await expect(keeper.executor.build(draftOn(keeper.network, strange, []))).rejects.toMatchObject({ kind: 'unavailable', code: 'state-unavailable' })
    expect(keeper.executor.hasState(strange.stateRoot)).toBe(false)
  })
})

describe('pruning', () => {
  it('keeps every node of what is kept, and nothing else', async () => {
    const path = stateFile()
    const place = await keptTown(openStateStore({ path, keepYoungest: 0 }))
    const made = await blocks(place, 'prune', 16)
    const roots = made.map((block) => block.header.stateRoot)
    const [kept, older] = [roots.at(-1) as Hash, roots[7] as Hash]
    const freed = await place.executor.prune([kept, older])
    expect(freed.nodes).toBeGreaterThan(20)
    expect(freed.bytes).toBeGreaterThan(freed.nodes * 32)
    const reader = openStateReader({ path })
    const nodeOf = (hash: Hash): Uint8Array | undefined => reader.node(hash)
    const needed = walk(kept, nodeOf)
    expect(walk(older, nodeOf)).toBeGreaterThan(3)
    for (const root of roots) expect(reader.hasState(root)).toBe(root === kept || root === older)
    await place.executor.prune([kept])
    expect(() => walk(older, nodeOf)).toThrow('no 0x')
    expect(walk(kept, nodeOf)).toBe(needed)
    await expect(place.executor.execute((made[6] as Block).header, made[7] as Block)).rejects.toMatchObject({ kind: 'unavailable' })
    // And the chain goes on.
    const next = await place.next((made.at(-1) as Block).header, [])
    expect(walk(next.header.stateRoot, nodeOf)).toBeGreaterThan(3)
    reader.close()
    await place.executor.close()
  })

  it('never takes the states written last, which the chain may not know of yet', async () => {
    const store = openStateStore({ path: stateFile(), keepYoungest: 3 })
    const place = await keptTown(store)
    const made = await blocks(place, 'young', 6)
    await place.executor.prune([(made[0] as Block).header.stateRoot])
    expect([place.genesis, ...made.map((block) => block.header)].map(({ stateRoot }) => store.hasState(stateRoot))).toEqual([false, true, false, false, true, true, true])
    for (const block of made.slice(3)) expect(walk(block.header.stateRoot, (hash) => store.node(hash))).toBeGreaterThan(10)
    await place.executor.close()
  })

  it('does not take away what blocks write while it runs', async () => {
    const store = openStateStore({ path: stateFile(), keepYoungest: 0 })
    const place = await keptTown(store)
    const toggle = (value: number) => (nonce: number): Promise<Block> => place.next(parent, [writing(place, nonce, value)])
    const writing = (where: Town, nonce: number, value: number): Transaction =>
      send(where.network, PEOPLE[0] as (typeof PEOPLE)[number], nonce, { to: `0x${'b0'.repeat(20)}`, gas: 100_000n, gasPriceWei: 0n, data: Buffer.from('1'.padStart(64, '0') + value.toString(16).padStart(64, '0'), 'hex') })
    let parent = place.genesis
    let nonce = 0
    for (const value of [0x11111111, 0x22222222, 0x11111111, 0x22222222]) parent = (await toggle(value)(nonce++)).header
    const engine = new Engine({ curve: native, store, fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 1 << 20 })
    const work = engine.prune([parent.stateRoot])
    expect(work.step()).toMatchObject({ nodes: 0 }) // it marks
    // The box's word goes back to what it was: its nodes are doomed, and wanted again, before they are swept.
    parent = (await toggle(0x11111111)(nonce++)).header
    expect(work.step()?.nodes).toBeGreaterThan(0)
    expect(work.step()).toBeNull()
    expect(walk(parent.stateRoot, (hash) => store.node(hash))).toBeGreaterThan(10)
    expect((await place.next(parent, [])).header.number).toBe(parent.number + 1)
    await place.executor.close()
  })

  it('notices a node that the disk has changed', async () => {
    const nodes = new Map<Hash, Uint8Array>()
    const store = memoryStateStore()
    const place = await keptTown({ ...store, node: (hash) => nodes.get(hash) ?? store.node(hash) })
    const [block] = (await blocks(place, 'rot', 1)) as [Block]
    const bytes = Uint8Array.from(store.node(block.header.stateRoot) ?? [])
    bytes[40] = (bytes[40] ?? 0) ^ 1
    nodes.set(block.header.stateRoot, bytes)
    const fresh = createInlineExecutor({ curve: native, store: { ...store, node: (hash) => nodes.get(hash) ?? store.node(hash) }, fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 1 << 20 })
    const reopened = await townOver(place.network, fresh)
    await expect(reopened.block(block.header, [])).rejects.toMatchObject({ code: 'state-damaged' })
  })
})
