/** Bytes ↔ values. Cayenne LPP, and the owner's JavaScript in a process of its own: bounded in time and memory, without files, network helpers or other programs. */
export { BoxCodecs, CAYENNE_LPP } from './codecs.ts'
export { createCodecProcess } from './io/codec-process.ts'
export type { CodecProcessOptions, JavaScript } from './io/codec-process.ts'
export { codecMigrations } from './io/tables.ts'
