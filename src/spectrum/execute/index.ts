/**
 * The executor as the service has it: in a thread of its own, over a state file (docs/spectrum-executor.md). Nothing here
 * loads the virtual machine before `replayBlocks` is called; `inline.ts` does.
 */
export { createWorkerExecutor } from './io/worker-executor.ts'
export type { WorkerExecutorOptions } from './io/worker-executor.ts'
export type { StateFileOptions, StateReader } from './io/sqlite-state-store.ts'
export type { FetchNodes } from './node-source.ts'
export { replayBlocks } from './replay.ts'
export type { Replayed } from './replay.ts'
