/** The executor in its thread: the same answers as beside the caller, and what happens when the thread is lost, slow or flooded. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../../../src/base/io/system.ts'
import type { Timers } from '../../../src/base/index.ts'
import { TrieEdit } from '../../../src/spectrum/execute/edit-trie.ts'
import { NodeSource } from '../../../src/spectrum/execute/node-source.ts'
import { createWorkerExecutor } from '../../../src/spectrum/execute/index.ts'
import { memoryStateStore, openStateReader, openStateStore } from '../../../src/spectrum/execute/inline.ts'
import type { WorkerExecutorOptions } from '../../../src/spectrum/execute/index.ts'
import { readAccount, readSlot } from '../../../src/spectrum/proof/account.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/index.ts'
import type { Hash, Header } from '../../../src/spectrum/index.ts'
import type { Executor } from '../../../src/spectrum/ports.ts'
import { builtAddon } from '../native/built-addon.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { assemble } from './assembly.ts'
import { PEOPLE, TOKEN, randomAccounts, randomTransactions } from './random-town.ts'
import { CHIEF, address, draftOn, send, town, townNetwork, townOver } from './town.ts'
import { transferCall } from './token.ts'

const NODE_CACHE_BYTES = 4 * 2 ** 20
const WORKER = new URL('../../../src/spectrum/execute/io/executor-worker.ts', import.meta.url)
const ADDON = await builtAddon()
const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'meshbox-executor-'))
  closers.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function threaded(change: Partial<WorkerExecutorOptions> = {}): Executor {
  const executor = createWorkerExecutor({
    workerFile: WORKER,
    statePath: join(folder(), 'chain-state.sqlite'),
    secp256k1Path: ADDON,
    timers: systemTimers,
    fetchNodes: null,
    ancestorHash: () => null,
    ...change,
  })
  closers.push(() => executor.close())
  return executor
}

/** Deadlines that pass when the test says so. */
function handTimers(): Timers & { pass(): void } {
  const waiting = new Set<() => void>()
  const after = (_: number, run: () => void): (() => void) => {
    waiting.add(run)
    return () => void waiting.delete(run)
  }
  return { after, every: after, pass: () => [...waiting].forEach((run) => (waiting.delete(run), run())) }
}

const [ALICE, BOB] = [person(201), person(202)]
const people = [ALICE]
const HASH: Hash = `0x${'ab'.repeat(32)}`

describe('the thread', () => {
  it('is told to keep 4 MiB of decoded nodes where nobody says otherwise', async () => {
    const said = async (change: Partial<WorkerExecutorOptions>): Promise<unknown> => {
      const statePath = join(folder(), 'said.json')
      const executor = threaded({ workerFile: new URL('programs/told.ts', import.meta.url), statePath, ...change })
      await expect(executor.begin(townNetwork({ people }))).rejects.toMatchObject({ code: 'executor-lost' })
      return JSON.parse(readFileSync(statePath, 'utf8'))
    }
    expect(await said({})).toMatchObject({ maxCacheBytes: NODE_CACHE_BYTES })
    expect(await said({ maxCacheBytes: 1000 })).toMatchObject({ maxCacheBytes: 1000 })
  })

  it('keeps no more than that of however many nodes, the last ones read', () => {
    const store = memoryStateStore()
    const making = new TrieEdit(new NodeSource({ keccak: native, store, fetch: null, maxCacheBytes: 0 }), native, EMPTY_TRIE_ROOT)
    for (let n = 0; n < 6_000; n++) making.put(native.keccak256(Uint8Array.of(n & 255, n >> 8)), new Uint8Array(60).fill(n))
    const nodes = new Map<Hash, Uint8Array>()
    making.finish((hash, bytes) => void nodes.set(hash, bytes))
    let reads = 0
    const read = (hash: Hash): Uint8Array | undefined => (reads++, nodes.get(hash))
    const source = new NodeSource({ keccak: native, store: { ...store, node: read }, fetch: null, maxCacheBytes: NODE_CACHE_BYTES })
    let most = 0
    for (const hash of nodes.keys()) {
      source.node(hash)
      most = Math.max(most, source.cacheBytes)
    }
    expect([most > 0.99 * NODE_CACHE_BYTES, most <= NODE_CACHE_BYTES, reads]).toEqual([true, true, nodes.size])
    for (const hash of [...nodes.keys()].slice(-1_000)) source.node(hash)
    expect(reads).toBe(nodes.size)
  })

  it('makes the same blocks, calls and reads as the core beside the caller', async () => {
    const options = { people: PEOPLE, accounts: randomAccounts() }
    const beside = await town(options)
    const apart = await townOver(townNetwork(options), threaded({ keepYoungest: 1 }))
    const make = randomTransactions('worker')
    let parent = beside.genesis
    for (let number = 0; number < 4; number++) {
      const candidates = make(beside.network, 20)
      const draft = draftOn(beside.network, parent, candidates)
      const built = await apart.executor.build(draft)
      expect(built).toEqual(await beside.executor.build(draft))
      const block = await beside.next(parent, candidates)
      expect(await apart.executor.execute(parent, block)).toEqual({ ok: true, receipts: built.receipts })
      parent = block.header
      expect(apart.executor.hasState(parent.stateRoot)).toBe(true)
    }
    const from = (PEOPLE[0] as (typeof PEOPLE)[number]).address
    for (const request of [
      { from, to: TOKEN, data: transferCall(TOKEN, 0n), valueWei: 0n, gas: 100_000n, gasPriceWei: 0n },
      { from, to: TOKEN, data: transferCall(TOKEN, 10n ** 9n), valueWei: 0n, gas: 100_000n, gasPriceWei: 0n },
      { from, to: TOKEN, data: new Uint8Array(3), valueWei: 10n ** 30n, gas: 100_000n, gasPriceWei: 0n },
    ])
      expect(await apart.executor.call(parent, request)).toEqual(await beside.executor.call(parent, request))
    await expect(apart.executor.estimateGas(parent, { from, to: TOKEN, data: transferCall(TOKEN, 10n ** 9n), valueWei: 0n, gas: 100_000n, gasPriceWei: 0n })).rejects.toMatchObject({ name: 'MeshBoxError', kind: 'input', field: 'call', message: expect.stringContaining('too little') as string })
    const nodeOf = (hash: Hash): Uint8Array | undefined => apart.executor.node(hash)
    const chief = readAccount(native, parent.stateRoot, CHIEF, nodeOf)
    expect(chief.kind === 'read' && readSlot(native, chief.value.storageRoot, 4n, nodeOf)).toEqual({ kind: 'read', value: 4n })
    expect((await apart.executor.prune([parent.stateRoot])).nodes).toBeGreaterThan(10)
    expect(apart.executor.hasState(beside.genesis.stateRoot)).toBe(false)
    expect((await apart.next(parent, [])).header.number).toBe(5)
  })

  it('asks for nodes and ancestors through the wall', async () => {
    const accounts = [{ address: address('aa'), balanceWei: 0n, nonce: 1n, code: assemble(1, 'BLOCKHASH', 0, 'SSTORE', 'STOP') }]
    const beside = await town({ people, accounts }, { ancestorHash: () => Promise.resolve(HASH) })
    let parent = beside.genesis
    for (let number = 0; number < 4; number++) parent = (await beside.next(parent, [])).header
    const asked: number[] = []
    const light = threaded({
      fetchNodes: (hashes) => Promise.resolve(hashes.map((hash) => beside.executor.node(hash) ?? new Uint8Array(0))),
      ancestorHash: (above: Header, number) => (asked.push(above.number, number), HASH),
    })
    await light.begin(beside.network)
    const transaction = send(beside.network, ALICE, 0, { to: address('aa'), gas: 100_000n })
    const draft = draftOn(beside.network, parent, [transaction])
    expect((await light.build(draft)).stateRoot).toBe((await beside.executor.build(draft)).stateRoot)
    expect(asked).toEqual([4, 1])
    const deaf = threaded({ fetchNodes: () => Promise.reject(new Error('no route')) })
    await deaf.begin(beside.network)
    await expect(deaf.build(draft)).rejects.toThrow('no route')
    await expect(deaf.build(draft)).rejects.toThrow('no route') // and it still lives
  })

  it('gives up a job that takes too long, and starts again', async () => {
    const timers = handTimers()
    const lost: string[] = []
    let answer: () => void = () => undefined
    const beside = await town({ people })
    const parent = (await beside.next(beside.genesis, [])).header
    const executor = threaded({ timers, onRestart: (error) => lost.push(error.message), fetchNodes: (hashes) => new Promise((resolve) => (answer = () => resolve(hashes.map((hash) => beside.executor.node(hash) ?? new Uint8Array(0))))) })
    await executor.begin(beside.network)
    const draft = draftOn(beside.network, parent, [])
    const slow = executor.build(draft)
    const next = executor.call(beside.genesis, { from: ALICE.address, to: BOB.address, data: new Uint8Array(0), valueWei: 1n, gas: 21_000n, gasPriceWei: 0n })
    // It hangs on a node that does not come.
    for (const before = answer; answer === before; ) await new Promise((resolve) => setImmediate(resolve))
    timers.pass()
    await expect(slow).rejects.toMatchObject({ kind: 'unavailable', code: 'executor-deadline' })
    expect(await next).toMatchObject({ status: 'returned', gasUsed: 21_000n })
    expect(lost).toHaveLength(1)
  })

  it('ends a thread that has nothing to do, and starts another for the next job', async () => {
    const made: Worker[] = []
    const note = (worker: Worker): void => void made.push(worker)
    process.on('worker', note)
    closers.push(() => void process.off('worker', note))
    const timers = handTimers()
    const lost: string[] = []
    const place = await townOver(townNetwork({ people }), threaded({ timers, idleMs: 30_000, onRestart: (error) => lost.push(error.message) }))
    const request = { from: ALICE.address, to: BOB.address, data: new Uint8Array(0), valueWei: 1n, gas: 21_000n, gasPriceWei: 0n }
    const first = await place.executor.call(place.genesis, request)
    const [thread] = made
    if (thread === undefined) throw new Error('no thread')
    const ended = once(thread, 'exit')
    timers.pass()
    expect(await ended).toEqual([0])
    // Its file is read all the same, and what follows is as before.
    expect([place.executor.hasState(place.genesis.stateRoot), place.executor.node(place.genesis.stateRoot) === undefined]).toEqual([true, false])
    expect(await place.executor.call(place.genesis, request)).toEqual(first)
    expect((await place.next(place.genesis, [])).header.number).toBe(1)
    expect([made.length, lost]).toEqual([2, []])
  })

  it('survives a thread that runs out of memory', async () => {
    const lost: string[] = []
    const executor = threaded({ maxOldGenerationSizeMb: 16, onRestart: (error) => lost.push(error.message) })
    const accounts = Array.from({ length: 60_000 }, (_, index) => ({ address: `0x1${(index + 1).toString(16).padStart(39, '0')}` as const, balanceWei: 1n }))
    await expect(executor.begin(townNetwork({ accounts }))).rejects.toMatchObject({ kind: 'unavailable', code: 'executor-lost' })
    const place = await townOver(townNetwork({ people }), executor)
    expect((await place.next(place.genesis, [])).header.number).toBe(1)
    expect(lost).toEqual([expect.stringContaining('memory') as string])
  })

  it('refuses more than it can keep waiting, and whatever comes after its end', async () => {
    const place = await townOver(townNetwork({ people }), threaded({ maxWaiting: 2 }))
    const request = { from: ALICE.address, to: BOB.address, data: new Uint8Array(0), valueWei: 1n, gas: 21_000n, gasPriceWei: 0n }
    const calls = await Promise.allSettled(Array.from({ length: 4 }, () => place.executor.call(place.genesis, request)))
    expect(calls.map((call) => (call.status === 'rejected' ? (call.reason as { code: string }).code : 'ok'))).toEqual(['ok', 'ok', 'ok', 'executor-busy'])
    const running = place.executor.call(place.genesis, request)
    const waiting = place.executor.call(place.genesis, request)
    const closed = place.executor.close()
    expect(await Promise.allSettled([running, waiting])).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'executor-closed' } }])
    await closed
    await expect(place.executor.call(place.genesis, request)).rejects.toMatchObject({ code: 'executor-closed' })
    expect(place.executor.node(place.genesis.stateRoot)).toBeUndefined()
  })

  it('does blocks before calls', async () => {
    const place = await townOver(townNetwork({ people }), threaded())
    const request = { from: ALICE.address, to: BOB.address, data: new Uint8Array(0), valueWei: 1n, gas: 21_000n, gasPriceWei: 0n }
    const done: string[] = []
    const note = (what: string) => (): void => void done.push(what)
    await Promise.all([
      place.executor.call(place.genesis, request).then(note('call that runs')),
      place.executor.call(place.genesis, request).then(note('call')),
      place.executor.prune([place.genesis.stateRoot]).then(note('prune')),
      place.executor.build(draftOn(place.network, place.genesis, [])).then(note('build')),
    ])
    expect(done).toEqual(['call that runs', 'build', 'call', 'prune'])
  })

  it('says why it cannot start', async () => {
    const missing = threaded({ statePath: join(folder(), 'nowhere', 'chain-state.sqlite') })
    await expect(missing.begin(townNetwork())).rejects.toMatchObject({ kind: 'unavailable', code: 'executor-lost', message: expect.stringContaining('directory does not exist') as string })
    const network = townNetwork()
    await expect(threaded().begin({ ...network, genesisHash: `0x${'33'.repeat(32)}` })).rejects.toMatchObject({ kind: 'input', field: 'network' })
  })
})

describe('a crash', () => {
  it('at any moment leaves the state of a whole block, on which the chain goes on', async () => {
    const program = fileURLToPath(new URL('./programs/sealing.ts', import.meta.url))
    const statePath = join(folder(), 'chain-state.sqlite')
    const { NODE_OPTIONS: _vitests, ...env } = process.env
    let told: { number: number; root: Hash } = { number: 0, root: '0x' }
    for (const killAfter of [1, 9, 4, 2, 17]) {
      const child = spawn(process.execPath, [program, statePath], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      let lines = 0
      let text = ''
      await new Promise<void>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', () => resolve())
        child.stdout.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
          const complete = text.split('\n')
          text = complete.pop() ?? ''
          for (const line of complete) {
            told = JSON.parse(line) as typeof told
            // Between two lines it is building, executing or writing the next block.
            if (++lines === killAfter) child.kill('SIGKILL')
          }
        })
      })
      expect(lines).toBeGreaterThanOrEqual(killAfter)
      const reader = openStateReader({ path: statePath })
      expect(reader.hasState(told.root)).toBe(true)
      reader.close()
    }
    expect(told.number).toBeGreaterThanOrEqual(17)
    // Garbage of a crash goes with the next pruning, and what is kept is whole.
    const store = openStateStore({ path: statePath, keepYoungest: 0 })
    const before = store.node(told.root)
    const work = store.startPruning([told.root], () => [])
    while (work.step() !== null) expect(store.hasState(told.root)).toBe(true)
    expect(store.node(told.root)).toEqual(before)
    store.close()
  })
})
