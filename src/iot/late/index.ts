/** Late frames: a ring on disk, in order and bounded, that tenants are handed later by a channel of its own. tenants/ plays it back and bills it. */
export { decodeHeard, encodeHeard } from './heard-record.ts'
export { lateMigrations } from './io/tables.ts'
export { LateFrames, MAX_LATE_BYTES } from './ring.ts'
export type { LateStats } from './ring.ts'
