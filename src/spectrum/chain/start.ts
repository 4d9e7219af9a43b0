/**
 * Where a chain begins: a community's at its genesis, whose state says who may seal; a public one at a signed
 * checkpoint, because what came before it proves nothing (spec 6).
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Hash } from '../codec/fields.ts'
import { hashHeader, sealHash } from '../codec/header.ts'
import { genesisHeader } from '../network/genesis.ts'
import type { Network } from '../network/network.ts'
import { nodeSet } from '../proof/read-trie.ts'
import { readRound } from '../rules/read-round.ts'
import type { Round } from '../rules/round.ts'
import type { KnownHeader } from '../rules/verify-header.ts'

export interface ChainStart {
  readonly known: KnownHeader
  readonly sealHash: Hash
  readonly totalDifficulty: bigint
  /** After this block. */
  readonly round: Round
}

/**
 * `round`: where the genesis has no contracts yet (the public test chain), who may seal block 1.
 * Errors: conflict `checkpoint-needed` where the genesis does not say it; internal `bad-genesis` where the
 * network's genesis hash is not that of its genesis.
 */
export function startFromGenesis(curve: Secp256k1, network: Network, round?: Round): ChainStart {
  const nodes: Uint8Array[] = []
  const header = genesisHeader(curve, network.genesis, (_hash, node) => nodes.push(node))
  const hash = hashHeader(curve, header)
  if (hash !== network.genesisHash) throw new MeshBoxError('internal', `the genesis of ${network.name} is ${hash}, not ${network.genesisHash}`, { code: 'bad-genesis' })
  return { known: { header, hash }, sealHash: sealHash(curve, header), totalDifficulty: header.difficulty, round: round ?? genesisRound(curve, network, header.stateRoot, nodes) }
}

function genesisRound(curve: Secp256k1, network: Network, stateRoot: Hash, nodes: readonly Uint8Array[]): Round {
  const read = readRound(curve, network, 1, stateRoot, nodeSet(curve, nodes))
  if (read.kind === 'read') return read.value
  const reason = read.kind === 'invalid' ? read.reason : 'its state is not whole'
  throw new MeshBoxError('conflict', `the genesis of ${network.name} does not say who seals (${reason}): the chain has to be started from a signed checkpoint`, { code: 'checkpoint-needed' })
}
