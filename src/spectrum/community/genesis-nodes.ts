/** The state of block 0 as trie nodes and code: what an executor begins with, and what proofs at block 0 are read from. */
import type { Hash, Keccak } from '../codec/fields.ts'
import { genesisHeader } from '../network/genesis.ts'
import type { Network } from '../network/network.ts'

/** By their hashes. Complete: every node of every trie, and every contract's code. */
export function genesisNodes(keccak: Keccak, network: Pick<Network, 'genesis'>): ReadonlyMap<Hash, Uint8Array> {
  const nodes = new Map<Hash, Uint8Array>()
  genesisHeader(keccak, network.genesis, (hash, node) => nodes.set(hash, node))
  return nodes
}
