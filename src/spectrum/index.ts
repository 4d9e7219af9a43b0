/**
 * Spectrum: the chain. `startSpectrum(parts)` needs a network, a place to begin (genesis or a checkpoint that others signed), store, ledger, curve
 * and times; it keeps, judges and serves the chain, and seals where the box has a miner's key. What it promises: no block is kept that the rules
 * refuse, nothing that is read of the state is less than proved (`ChainReads`: proved, or null), and a block's reward is booked once. The rules are
 * pure, in codec/, network/, proof/, rules/ and vrf.ts. docs/spectrum.md
 */
export type { Address, Hash, Hex, Keccak } from './codec/fields.ts'
export type { Header } from './codec/header.ts'
export type { Body } from './codec/body.ts'
export { hashTransaction } from './codec/transaction.ts'
export type { Transaction, UnsignedTransaction } from './codec/transaction.ts'
export { mayContain } from './codec/receipt.ts'
export type { LogEntry, Receipt } from './codec/receipt.ts'
export { EMPTY_TRIE_ROOT } from './proof/read-trie.ts'
export type { NodeSource, Read } from './proof/read-trie.ts'
export type { TrieEntry } from './proof/build-trie.ts'
export type { GenesisAccount, Network } from './network/network.ts'
export { publicNetwork } from './network/networks.ts'
export type { CustomNetwork } from './network/custom.ts'
export type { Round } from './rules/round.ts'
export type { RefusalCode } from './rules/codes.ts'
export type { KnownHeader, VerifiedHeader } from './rules/verify-header.ts'

export { CHAIN_TOKEN, startSpectrum } from './spectrum.ts'
export type { ChainReads, Spectrum, SpectrumParts, SpectrumSettings, SpectrumStatus } from './spectrum.ts'
export type { GuestChainTransport, MeshChainTransport, MeshHandlers } from './source/index.ts'
export { minerKeyOf } from './miner-key.ts'
export type { OwnerWallet } from './seal/index.ts'
export { decodeCheckpoint, startFromCheckpoint, startFromGenesis, verifyCheckpoint } from './chain/index.ts'
export type { ChainBlock } from './ports.ts'
export type { ChainBranch, ChainStart } from './chain/index.ts'
export { MAX_JOIN_FILE_BYTES, decodeJoinFile } from './community/index.ts'
