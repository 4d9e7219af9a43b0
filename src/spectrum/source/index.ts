/** Sources of blocks: eth/63 peers, JSON-RPC servers, chains of this box, mesh neighbours. docs/spectrum-sources.md */
export { forgetfulBans } from './bans.ts'
export type { Ban, BanStore } from './bans.ts'
export { formatEnode, parseEnode } from './enode.ts'
export type { Enode } from './enode.ts'
export { SourcePool } from './pool.ts'
export type { SourcePoolParts, SourceVoice } from './pool.ts'
