/** A community's own chain: our contracts, the genesis they lie in, and the file that others join with. docs/community-chain.md */
export type { Artifact, ContractName } from './artifacts.ts'
export type { Miner } from './contract-storage.ts'
export { COMMUNITY_ADDRESSES, fitSignerLimit, newCommunity } from './new-community.ts'
export type { Allocation, Community, CommunitySettings } from './new-community.ts'
export { MAX_JOIN_FILE_BYTES, decodeJoinFile, encodeJoinFile } from './join-file.ts'
export type { JoinFile } from './join-file.ts'
export { describe } from './describe.ts'
export type { CommunityDescription, TokenContract } from './describe.ts'
