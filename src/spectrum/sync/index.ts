/** Judging and importing blocks, following sources, and state proved by hash. docs/spectrum-sync.md */
export { createSync } from './sync.ts'
export type { Sync, SyncParts } from './sync.ts'
export type { ImportOptions, ImporterParts } from './block-importer.ts'
export type { ProvedStateParts, StateLimits } from './proved-state.ts'
export type { Breathe, Circle, ImportReport, ImportStop, LeaderChange, RawBlock, SourcePool } from './ports.ts'
