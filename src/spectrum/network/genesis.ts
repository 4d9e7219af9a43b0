/** The first block and its state from a network's parameters (spec 1.2). */
import { concatBytes, encodeRlp, integerBytes } from '../../base/index.ts'
import { ZERO_ADDRESS, ZERO_HASH, bytesOf, keccakHex } from '../codec/fields.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { BLOOM_BYTES, SEAL_BYTES, VANITY_BYTES } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import { EMPTY_CODE_HASH, encodeAccount, wordOf } from '../proof/account.ts'
import { buildTrie } from '../proof/build-trie.ts'
import type { TrieEntry } from '../proof/build-trie.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import type { Genesis, GenesisAccount } from './network.ts'

/** keccak256 of the RLP of an empty list: every header has it, Tribe has no uncles. */
export const EMPTY_UNCLE_HASH: Hash = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'
export const ZERO_NONCE = `0x${'00'.repeat(8)}` as const

/** `keep` gets the nodes of the state, and every code, under their hashes. Errors: input `entries` for an account given twice. */
export function genesisHeader(keccak: Keccak, genesis: Genesis, keep?: (hash: Hash, node: Uint8Array) => void): Header {
  const entries = genesis.accounts.map((account): TrieEntry => [keccak.keccak256(bytesOf(account.address)), accountValue(keccak, account, keep)])
  return {
    parentHash: ZERO_HASH,
    uncleHash: EMPTY_UNCLE_HASH,
    coinbase: ZERO_ADDRESS,
    stateRoot: buildTrie(keccak, entries, keep),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    bloom: new Uint8Array(BLOOM_BYTES),
    difficulty: genesis.difficulty,
    number: 0,
    gasLimit: genesis.gasLimit,
    gasUsed: 0n,
    timeSeconds: genesis.timeSeconds,
    extra: concatBytes(new Uint8Array(VANITY_BYTES), bytesOf(genesis.signer), new Uint8Array(SEAL_BYTES)),
    mixDigest: ZERO_HASH,
    nonce: ZERO_NONCE,
  }
}

function accountValue(keccak: Keccak, account: GenesisAccount, keep?: (hash: Hash, node: Uint8Array) => void): Uint8Array {
  const words = [...(account.storage ?? [])].filter(([, word]) => word !== 0n)
  const slots = words.map(([slot, word]): TrieEntry => [keccak.keccak256(wordOf(slot)), encodeRlp(integerBytes(word))])
  const code = account.code ?? new Uint8Array(0)
  const codeHash = code.length === 0 ? EMPTY_CODE_HASH : keccakHex(keccak, code)
  if (code.length > 0) keep?.(codeHash, code)
  return encodeAccount({ nonce: account.nonce ?? 0n, balanceWei: account.balanceWei, storageRoot: buildTrie(keccak, slots, keep), codeHash })
}
