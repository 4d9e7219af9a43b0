/** An executor beside its caller, for tools and tests: the same core, without a thread, and with no bound on time. */
import type { Hash } from '../codec/fields.ts'
import type { Executor } from '../ports.ts'
import { builtOf } from './built.ts'
import { Engine } from './engine.ts'
import type { EngineOptions } from './engine.ts'
import type { FetchNodes } from './node-source.ts'
import { restoreAll } from './restore.ts'
import type { PruneWork, StateStore } from './state-store.ts'

/** Nodes in memory: for tools, which begin with the nodes they are given. */
export function memoryStateStore(nodes: ReadonlyMap<Hash, Uint8Array> = new Map(), states: Iterable<Hash> = []): StateStore & { readonly nodes: ReadonlyMap<Hash, Uint8Array> } {
  const kept = new Map(nodes)
  const whole = new Set(states)
  return {
    nodes: kept,
    node: (hash) => kept.get(hash),
    hasState: (root) => whole.has(root),
    write(more, state) {
      for (const [hash, node] of more) kept.set(hash, node)
      if (state !== null) whole.add(state)
    },
    startPruning: (keep, children) => pruneInMemory(kept, whole, keep, children),
    close: () => undefined,
  }
}

function pruneInMemory(kept: Map<Hash, Uint8Array>, whole: Set<Hash>, keep: readonly Hash[], children: (node: Uint8Array) => readonly Hash[]): PruneWork {
  let isDone = false
  return {
    step() {
      if (isDone) return null
      isDone = true
      for (const root of [...whole]) if (!keep.includes(root)) whole.delete(root)
      const needed = new Set<Hash>()
      const waiting = [...keep]
      for (let hash = waiting.pop(); hash !== undefined; hash = waiting.pop()) {
        const node = kept.get(hash)
        if (node === undefined || needed.has(hash)) continue
        needed.add(hash)
        waiting.push(...children(node))
      }
      const doomed = [...kept].filter(([hash]) => !needed.has(hash))
      for (const [hash] of doomed) kept.delete(hash)
      return { nodes: doomed.length, bytes: doomed.reduce((sum, [, node]) => sum + node.length, 0) }
    },
  }
}

export function createInlineExecutor(options: EngineOptions): Executor {
  const engine = new Engine(options)
  let last: Promise<unknown> = Promise.resolve()
  /** One job at a time: they share the cache and what is fetched. */
  const inTurn = <T>(job: () => T | Promise<T>): Promise<T> => {
    const done = last.then(job)
    last = done.catch(() => undefined) // its caller has the error; the next job is not its fault
    return done
  }
  return {
    node: (hash) => options.store.node(hash),
    hasState: (root) => options.store.hasState(root),
    begin: (network) => inTurn(() => engine.begin(network)),
    execute: (parent, block) => inTurn(() => engine.execute(parent, block.header, block.body)),
    build: (draft) => inTurn(async () => builtOf(draft, await engine.build(draft))),
    call: (at, request) => inTurn(() => engine.call(at, request)),
    estimateGas: (at, request) => inTurn(() => engine.estimateGas(at, request)),
    restore: (stateRoot, fetch) => restoreInTurn(engine, inTurn, stateRoot, fetch),
    prune: (keep) => inTurn(() => pruneAll(engine.prune(keep))),
    close: () => inTurn(() => options.store.close()),
  }
}

async function restoreInTurn(engine: Engine, inTurn: <T>(job: () => T) => Promise<T>, stateRoot: Hash, fetch: FetchNodes): ReturnType<Executor['restore']> {
  let hasBegun = false
  try {
    return await restoreAll((given) => {
      const isFirst = !hasBegun
      hasBegun = true
      return inTurn(() => (isFirst ? engine.restore(stateRoot) : engine.restoreStep(given)))
    }, fetch)
  } catch (thrown) {
    await inTurn(() => engine.endRestore())
    throw thrown
  }
}

function pruneAll(work: PruneWork): { readonly nodes: number; readonly bytes: number } {
  const sum = { nodes: 0, bytes: 0 }
  for (let step = work.step(); step !== null; step = work.step()) {
    sum.nodes += step.nodes
    sum.bytes += step.bytes
  }
  return sum
}
