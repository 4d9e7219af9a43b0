/**
 * All that commands about the chain load of it, and only when one of them runs: the arithmetic, the contracts and
 * the virtual machine are larger than the rest of the command line together.
 */
export * as inspect from '../../spectrum/rpc/inspect/index.ts'
export { decodeJoinFile, describe, encodeJoinFile, fitSignerLimit, newCommunity } from '../../spectrum/community/index.ts'
export { GENESIS_ADDRESSES, genesisContracts } from '../../photon/contracts/index.ts'
export { replayBlocks } from '../../spectrum/execute/index.ts'
