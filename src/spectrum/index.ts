/** Spectrum: the chain. Pure rules first (codecs, networks, VRF, Tribe's ranks and rounds, proofs), then what a box keeps and runs. docs/spectrum.md */
export { ZERO_ADDRESS, ZERO_HASH, bytesOf, hexOf, keccakHex } from './codec/fields.ts'
export type { Address, Hash, Hex, Keccak } from './codec/fields.ts'
export {
  SEAL_BYTES,
  addressOfKey,
  decodeHeader,
  encodeHeader,
  hashHeader,
  headerItem,
  recoverSealer,
  sealHash,
  sealHeader,
} from './codec/header.ts'
export type { Header, Sealer } from './codec/header.ts'
export { decodeBody, encodeBody } from './codec/body.ts'
export type { Body } from './codec/body.ts'
export {
  decodeTransaction,
  encodeTransaction,
  hashTransaction,
  isProtected,
  senderOf,
  signTransaction,
  signingDigest,
  transactionItem,
} from './codec/transaction.ts'
export type { Transaction, UnsignedTransaction } from './codec/transaction.ts'
export { bloomOfLogs, decodeReceipt, encodeReceipt, mayContain, receiptOf } from './codec/receipt.ts'
export type { LogEntry, Receipt } from './codec/receipt.ts'
export { EMPTY_TRIE_ROOT, nodeSet, readTrie } from './proof/read-trie.ts'
export type { NodeSource, Read, TrieRead, Unread } from './proof/read-trie.ts'
export { buildListTrie, buildTrie } from './proof/build-trie.ts'
export type { TrieEntry } from './proof/build-trie.ts'
export {
  EMPTY_ACCOUNT,
  EMPTY_CODE_HASH,
  decodeAccount,
  elementSlot,
  encodeAccount,
  mapSlot,
  readAccount,
  readAddress,
  readAddresses,
  readCode,
  readSlot,
} from './proof/account.ts'
export type { Account } from './proof/account.ts'
export { readReceipt, readTransaction, receiptsRootOf, transactionsRootOf } from './proof/inclusion.ts'
export { chiefAt, isActive, isChief } from './network/network.ts'
export type { Burn, Chief, Fork, Forks, Genesis, GenesisAccount, Network } from './network/network.ts'
export { DEVNET, MAINNET, PUBLIC_NETWORKS, TESTNET, publicNetwork } from './network/networks.ts'
export { EMPTY_UNCLE_HASH, genesisHeader } from './network/genesis.ts'
export { customNetwork } from './network/custom.ts'
export type { CustomNetwork } from './network/custom.ts'
export { proveVrf, verifyVrf, vrfMessage } from './vrf.ts'
export { applyBlock, checkRound } from './rules/round.ts'
export type { Round, RoundStep } from './rules/round.ts'
export { oldRankOf, rankOf } from './rules/rank.ts'
export type { Rank } from './rules/rank.ts'
export { excludedFrom, pickByIndex, pickVolunteer, updateCall, volunteerOf } from './rules/volunteer.ts'
export { blockRewardWei, burnWei, feeRecipient, isGasLimitBound, minGasLimit } from './rules/economy.ts'
export type { Refusal, RefusalCode } from './rules/codes.ts'
export { verifyHeader } from './rules/verify-header.ts'
export type { HeaderJudge, KnownHeader, VerifiedHeader } from './rules/verify-header.ts'
export { chiefTransaction, verifyBody, verifyReceipts } from './rules/verify-body.ts'
export type { VerifiedBody } from './rules/verify-body.ts'
export { readMiners, readRound } from './rules/read-round.ts'

export { CHAIN_TOKEN, startSpectrum } from './spectrum.ts'
export type { ChainReads, Spectrum, SpectrumParts, SpectrumSettings, SpectrumStatus } from './spectrum.ts'
export type { GuestChainTransport, MeshChainTransport, MeshHandlers } from './source/index.ts'
export { minerKeyOf } from './miner-key.ts'
export type { OwnerWallet } from './seal/index.ts'
export { decodeCheckpoint, startFromCheckpoint, startFromGenesis, verifyCheckpoint } from './chain/index.ts'
export type { ChainBlock } from './ports.ts'
export type { ChainBranch, ChainStart } from './chain/index.ts'
export { MAX_JOIN_FILE_BYTES, decodeJoinFile } from './community/index.ts'
