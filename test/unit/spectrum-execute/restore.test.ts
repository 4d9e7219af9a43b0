/** A whole state fetched by hash: the same afterwards, whatever came in between. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemTimers } from '../../../src/base/io/system.ts'
import { createWorkerExecutor } from '../../../src/spectrum/execute/index.ts'
import { createInlineExecutor, memoryStateStore, openStateStore } from '../../../src/spectrum/execute/inline.ts'
import type { StateStore } from '../../../src/spectrum/execute/inline.ts'
import { encodeAccount } from '../../../src/spectrum/proof/account.ts'
import { buildTrie } from '../../../src/spectrum/proof/build-trie.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/proof/read-trie.ts'
import { hexOf, keccakHex } from '../../../src/spectrum/codec/fields.ts'
import type { Hash, Header, TrieEntry } from '../../../src/spectrum/index.ts'
import type { Executor } from '../../../src/spectrum/ports.ts'
import { native } from '../spectrum/curves.ts'
import { PEOPLE, TOKEN, randomAccounts, randomTransactions } from './random-town.ts'
import { town } from './town.ts'
import type { Town } from './town.ts'
import { transferCall } from './token.ts'

const WORKER = new URL('../../../src/spectrum/execute/io/executor-worker.ts', import.meta.url)
type Fetch = (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]>

interface Keeper {
  readonly place: Town
  readonly head: Header
  readonly nodesOf: Fetch
}

/** Made once: nobody takes anything from it. */
let made: Promise<Keeper> | null = null
const keeper = (): Promise<Keeper> => (made ??= makeKeeper())

async function makeKeeper(): Promise<Keeper> {
  const place = await town({ people: PEOPLE, accounts: randomAccounts() })
  const make = randomTransactions('restore')
  let head = place.genesis
  for (let number = 0; number < 6; number++) head = (await place.next(head, make(place.network, 25))).header
  return { place, head, nodesOf: async (hashes) => hashes.flatMap((hash) => place.executor.node(hash) ?? []) }
}

function empty(store: StateStore = memoryStateStore()): Executor {
  const executor = createInlineExecutor({ curve: native, store, fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 1 << 20 })
  onTestFinished(() => executor.close())
  return executor
}

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-restore-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'chain-state.sqlite')
}

const CALL = { from: (PEOPLE[0] as (typeof PEOPLE)[number]).address, to: TOKEN, data: transferCall(TOKEN, 0n), valueWei: 0n, gas: 100_000n, gasPriceWei: 0n }

describe('a state that is restored', () => {
  it.each<[string, () => Executor]>([
    ['in memory', empty],
    ['on disk', () => empty(openStateStore({ path: stateFile() }))],
    ['in the thread', () => {
      const executor = createWorkerExecutor({ workerFile: WORKER, statePath: stateFile(), secp256k1Path: null, timers: systemTimers, fetchNodes: null, ancestorHash: () => null })
      onTestFinished(() => executor.close())
      return executor
    }],
  ])('is whole, and is run on as if it had always been there (%s)', async (_, open) => {
    const { place, head, nodesOf } = await keeper()
    const executor = open()
    await executor.begin(place.network)
    let most = 0
    const report = await executor.restore(head.stateRoot, (hashes) => {
      most = Math.max(most, hashes.length)
      return nodesOf(hashes)
    })
    expect([executor.hasState(head.stateRoot), report.nodes > 20, most > 5, most <= 384]).toEqual([true, true, true, true])
    expect(await executor.call(head, CALL)).toEqual(await place.executor.call(head, CALL))
    const next = await place.next(head, randomTransactions('after')(place.network, 25))
    expect(await executor.execute(head, next)).toMatchObject({ ok: true })
    expect(executor.hasState(next.header.stateRoot)).toBe(true)
    // What is there costs no question.
    expect(await executor.restore(head.stateRoot, () => Promise.reject(new Error('asked again')))).toEqual({ nodes: 0, bytes: 0 })
  })

  it('that is broken off is not whole, and goes on from what came', async () => {
    const { place, head, nodesOf } = await keeper()
    const executor = empty(openStateStore({ path: stateFile() }))
    await executor.begin(place.network)
    let left = 3
    let came = 0
    const breaking: Fetch = async (hashes) => {
      if (left-- === 0) throw new Error('no route')
      const part = await nodesOf(hashes.slice(0, 5))
      came += part.length
      return part
    }
    await expect(executor.restore(head.stateRoot, breaking)).rejects.toThrow('no route')
    expect(executor.hasState(head.stateRoot)).toBe(false)
    await expect(executor.execute(head, await place.next(head, []))).rejects.toMatchObject({ kind: 'unavailable' })
    const full = empty()
    await full.begin(place.network)
    const whole = await full.restore(head.stateRoot, nodesOf)
    const rest = await executor.restore(head.stateRoot, nodesOf)
    expect([executor.hasState(head.stateRoot), rest.nodes]).toEqual([true, whole.nodes - came])
    expect(came).toBeGreaterThan(5)
  })

  it.each<[string, Fetch]>([
    ['nothing', async () => []],
    ['other nodes', async () => [Uint8Array.of(1, 2, 3), new Uint8Array(500)]],
  ])('of which a source has %s is not to be had', async (_, fetch) => {
    const { place, head } = await keeper()
    const executor = empty()
    await executor.begin(place.network)
    await expect(executor.restore(head.stateRoot, fetch)).rejects.toMatchObject({ kind: 'unavailable', code: 'state-unavailable' })
    expect(executor.hasState(head.stateRoot)).toBe(false)
  })

  it('takes code for code, also where it looks like a node that leads somewhere', async () => {
    const nodes = new Map<Hash, Uint8Array>()
    const keep = (hash: Hash, node: Uint8Array): void => void nodes.set(hash, node)
    // A branch of a trie whose children nobody has, as a contract's code.
    const lost = new Map<Hash, Uint8Array>()
    const lostRoot = buildTrie(native, Array.from({ length: 40 }, (_, index): TrieEntry => [native.keccak256(Uint8Array.of(index)), new Uint8Array(60).fill(index + 1)]), (hash, node) => void lost.set(hash, node))
    const code = lost.get(lostRoot) ?? new Uint8Array(0)
    nodes.set(lostRoot, code)
    const account = encodeAccount({ nonce: 1n, balanceWei: 5n, storageRoot: EMPTY_TRIE_ROOT, codeHash: keccakHex(native, code) })
    const root = buildTrie(native, [[native.keccak256(Uint8Array.of(99)), account]], keep)
    const { place } = await keeper()
    const executor = empty()
    await executor.begin(place.network)
    await executor.restore(root, async (hashes) => hashes.flatMap((hash) => nodes.get(hash) ?? []))
    expect([executor.hasState(root), hexOf(executor.node(lostRoot) ?? new Uint8Array(0))]).toEqual([true, hexOf(code)])
  })

  it.each<[string, (path: string) => void]>([
    ['noise', (path) => writeFileSync(path, Buffer.alloc(9000, 0x5a))],
    ['a file with its head lost', (path) => writeFileSync(path, Buffer.concat([Buffer.alloc(100), readFileSync(path).subarray(100)]))],
    ['a page of noise in its tables', (path) => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 100), Buffer.alloc(8092, 0x5a), readFileSync(path).subarray(8192)]))],
  ])('in place of %s: the old file is set aside, and a new one begun', async (_, damage) => {
    const { place, head, nodesOf } = await keeper()
    const path = stateFile()
    const first = openStateStore({ path })
    first.write(new Map(), head.stateRoot)
    first.close()
    damage(path)
    const executor = empty(openStateStore({ path }))
    await executor.begin(place.network)
    expect([executor.hasState(head.stateRoot), existsSync(`${path}.damaged`)]).toEqual([false, true])
    await executor.restore(head.stateRoot, nodesOf)
    expect(await executor.call(head, CALL)).toEqual(await place.executor.call(head, CALL))
  })

  it('that is none is refused', async () => {
    const { place } = await keeper()
    const executor = empty()
    await executor.begin(place.network)
    const junk = Uint8Array.of(0xc3, 1, 2, 3)
    await expect(executor.restore(keccakHex(native, junk), async () => [junk])).rejects.toMatchObject({ kind: 'unavailable', code: 'state-damaged' })
  })

  it('is not forgotten while it comes, and does not begin while others are forgotten', async () => {
    const { place, head, nodesOf } = await keeper()
    const executor = empty()
    await executor.begin(place.network)
    let refused: unknown = null
    await executor.restore(head.stateRoot, async (hashes) => {
      refused ??= await executor.prune([head.stateRoot]).catch((error: unknown) => error)
      return nodesOf(hashes)
    })
    expect(refused).toMatchObject({ kind: 'conflict', code: 'restoring' })
    // Whoever gave up holds nobody back.
    await expect(executor.restore(`0x${'33'.repeat(32)}`, async () => [])).rejects.toMatchObject({ kind: 'unavailable' })
    expect((await executor.prune([head.stateRoot])).nodes).toBeGreaterThanOrEqual(0)
    expect(executor.hasState(head.stateRoot)).toBe(true)
    expect(await executor.call(head, CALL)).toEqual(await place.executor.call(head, CALL))
  })
})
