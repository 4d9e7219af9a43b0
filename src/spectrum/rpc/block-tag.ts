/**
 * The block that a caller means: a tag, a number, a hash, or an object with one of them (EIP-1898).
 *
 * | tag | block |
 * |---|---|
 * | latest, pending | the head: this box shows no block that is not sealed |
 * | safe, finalized | 17 and 34 below the head |
 * | earliest | the genesis |
 */
import type { ChainView } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { hashHeader } from '../codec/header.ts'
import type { Keccak } from '../codec/fields.ts'
import type { Hash } from '../codec/fields.ts'
import { genesisHeader } from '../network/genesis.ts'
import type { Network } from '../network/network.ts'
import { Param } from './params.ts'
import { RPC_CODES, RpcError, paramError } from './rpc-error.ts'

const TAGS = ['latest', 'pending', 'safe', 'finalized', 'earliest'] as const
export type BlockTag = (typeof TAGS)[number]
export type BlockWanted = { readonly tag: BlockTag } | { readonly number: number } | { readonly hash: Hash; readonly isCanonicalOnly: boolean }

const ALLOWED = `${TAGS.join(', ')}, a block number in hex, or an object with blockNumber or blockHash`
const MAX_NUMBER = BigInt(Number.MAX_SAFE_INTEGER)

/** Absent: latest. Errors: RpcError -32602. */
export function readBlockTag(param: Param): BlockWanted {
  const { value } = param
  if (param.isAbsent) return { tag: 'latest' }
  if (typeof value === 'object') return readBlockObject(param)
  const tag = TAGS.find((known) => known === value)
  if (tag !== undefined) return { tag }
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value)) return { hash: param.hash(), isCanonicalOnly: false }
  return { number: readNumber(param) }
}

function readNumber(param: Param): number {
  if (typeof param.value !== 'string' || !/^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,13})$/.test(param.value)) throw param.refuse(ALLOWED)
  return Number(param.quantity(MAX_NUMBER))
}

function readBlockObject(param: Param): BlockWanted {
  const { blockNumber, blockHash, requireCanonical } = param.fields(['blockNumber', 'blockHash', 'requireCanonical'])
  if (blockNumber.isAbsent === blockHash.isAbsent) throw paramError(param.name, 'neither or both of them', 'blockNumber or blockHash')
  if (!blockHash.isAbsent) return { hash: blockHash.hash(), isCanonicalOnly: !requireCanonical.isAbsent && requireCanonical.boolean() }
  if (!requireCanonical.isAbsent) throw paramError(requireCanonical.name, 'a value', 'it beside a blockHash only')
  return { number: readNumber(blockNumber) }
}

/** Null: there is no such block, or it is not kept. */
export function findBlock(keccak: Keccak, chain: ChainView, wanted: BlockWanted): KnownHeader | null {
  if ('hash' in wanted) return blockByHash(chain, wanted.hash, wanted.isCanonicalOnly)
  if ('number' in wanted) return wanted.number === 0 ? genesisOf(keccak, chain) : chain.headerAt(wanted.number)
  switch (wanted.tag) {
    case 'latest':
    case 'pending':
      return chain.head()
    case 'safe':
      return chain.safe()
    case 'finalized':
      return chain.final()
    case 'earliest':
      return genesisOf(keccak, chain)
  }
}

const genesisHeaders = new WeakMap<Network, KnownHeader>()

/** Made from the network's parameters where the chain was started from a checkpoint. Its hash is the network's, or nothing is shown. */
function genesisOf(keccak: Keccak, chain: ChainView): KnownHeader | null {
  const { network } = chain
  const kept = chain.headerAt(0) ?? genesisHeaders.get(network)
  if (kept !== undefined) return kept
  const header = genesisHeader(keccak, network.genesis)
  const hash = hashHeader(keccak, header)
  if (hash !== network.genesisHash) return null
  const genesis = { header, hash }
  genesisHeaders.set(network, genesis)
  return genesis
}

export function blockByHash(chain: ChainView, hash: Hash, isCanonicalOnly = false): KnownHeader | null {
  const found = chain.block(hash) ?? chain.header(hash)
  if (found === null || !isCanonicalOnly) return found
  return isCanonical(chain, found) ? found : null
}

function isCanonical(chain: ChainView, block: KnownHeader): boolean {
  return chain.headerAt(block.header.number)?.hash === block.hash || chain.head().hash === block.hash
}

/** Errors: RpcError -32001. */
export function needBlock(keccak: Keccak, chain: ChainView, wanted: BlockWanted): KnownHeader {
  const found = findBlock(keccak, chain, wanted)
  if (found !== null) return found
  const text = 'tag' in wanted ? `there is no ${wanted.tag} block yet: the chain is too short` : 'hash' in wanted ? `block ${wanted.hash} is not known` : `block ${wanted.number} is not there, or not kept any more`
  throw new RpcError(RPC_CODES.missing, text)
}
