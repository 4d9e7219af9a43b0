/**
 * The executor beside its caller, and what runs on it. Loads the virtual machine, a megabyte of code: for tools and
 * tests, never for the service.
 */
export { createInlineExecutor, memoryStateStore } from './inline-executor.ts'
export type { EngineOptions } from './engine.ts'
export { openStateReader, openStateStore } from './io/sqlite-state-store.ts'
export type { PruneWork, Pruned, StateStore } from './state-store.ts'
