/** A community chain in words and numbers, read from its genesis and not from what somebody says of it. */
import { MeshBoxError } from '../../base/index.ts'
import { hexOf } from '../codec/fields.ts'
import type { Address, Hash, Keccak } from '../codec/fields.ts'
import { genesisHeader } from '../network/genesis.ts'
import type { Network } from '../network/network.ts'
import { readAccount, readSlot } from '../proof/account.ts'
import type { Read } from '../proof/read-trie.ts'
import { readMiners, readRound } from '../rules/read-round.ts'
import { ARTIFACTS } from './artifacts.ts'
import type { ContractName } from './artifacts.ts'
import { stringOf } from './contract-storage.ts'
import { genesisNodes } from './genesis-nodes.ts'

/** Contracts whose code this release knows by heart. */
export interface TokenContract {
  readonly kind: 'wrapped-smt' | 'erc20'
  readonly address: Address
  readonly name: string
  readonly symbol: string
  readonly decimals: number
  readonly supply: bigint
}

export interface CommunityDescription {
  readonly name: string
  readonly chainId: bigint
  readonly networkId: number
  readonly genesisHash: Hash
  readonly startSeconds: number
  /** Between blocks while every signer keeps its slot: P - 1. */
  readonly blockSeconds: number
  readonly signerLimit: number
  readonly epochBlocks: number
  /** Of the chief base: adds and removes leaders. */
  readonly owner: Address
  readonly leaders: readonly Address[]
  readonly miners: readonly Address[]
  readonly contracts: { readonly chief: Address; readonly chiefBase: Address; readonly poc: Address; readonly anmap: Address | null }
  readonly tokens: readonly TokenContract[]
  /** Of all accounts of the genesis together, deposits included. */
  readonly allocatedWei: bigint
  /** False: the file brings contracts of its own; whoever made it decides what they do. */
  readonly isKnownCode: boolean
  /** What an owner should know, in plain words. */
  readonly notes: readonly string[]
}

const OWNER_SLOT = 2n
const TOKEN_KINDS: Readonly<Partial<Record<ContractName, TokenContract['kind']>>> = { WrappedSmt: 'wrapped-smt', CommunityToken: 'erc20' }

/** Of a network whose genesis holds a round: one that `newCommunity` or `decodeJoinFile` gave. Errors: internal for another. */
export function describe(keccak: Keccak, network: Network): CommunityDescription {
  const nodes = genesisNodes(keccak, network)
  const { stateRoot } = genesisHeader(keccak, network.genesis)
  const nodeOf = (hash: Hash): Uint8Array | undefined => nodes.get(hash)
  const round = valueOf(readRound(keccak, network, 1, stateRoot, nodeOf))
  const miners = valueOf(readMiners(keccak, network, stateRoot, nodeOf))
  const base = valueOf(readAccount(keccak, stateRoot, network.chiefBase, nodeOf))
  const owner = valueOf(readSlot(keccak, base.storageRoot, OWNER_SLOT, nodeOf))
  const chief = network.chiefs[0]?.address ?? network.chiefBase
  const anmap = network.anmap?.address ?? null
  return {
    name: network.name,
    chainId: network.chainId,
    networkId: network.networkId,
    genesisHash: network.genesisHash,
    startSeconds: network.genesis.timeSeconds,
    blockSeconds: network.periodSeconds - 1,
    signerLimit: round.signers.length,
    epochBlocks: round.epochBlocks,
    owner: `0x${owner.toString(16).padStart(40, '0')}`,
    leaders: round.leaders,
    miners,
    contracts: { chief, chiefBase: network.chiefBase, poc: network.poc, anmap },
    tokens: tokensOf(network),
    allocatedWei: network.genesis.accounts.reduce((sum, account) => sum + account.balanceWei, 0n),
    isKnownCode: isOurs(network, { Chief: chief, ChiefBase: network.chiefBase, Poc: network.poc, ...(anmap === null ? {} : { Anmap: anmap }) }),
    notes: notesOf(network, round.signers.length, round.leaders, miners),
  }
}

/** Tokens in the genesis whose code is ours. */
export function tokensOf(network: Network): readonly TokenContract[] {
  return network.genesis.accounts.flatMap((account): readonly TokenContract[] => {
    const name = nameOfCode(account.code)
    const kind = name === null ? undefined : TOKEN_KINDS[name]
    if (kind === undefined) return []
    const word = (slot: bigint): bigint => account.storage?.get(slot) ?? 0n
    return [{ kind, address: account.address, name: stringOf(word(0n)) ?? '?', symbol: stringOf(word(1n)) ?? '?', decimals: Number(word(2n) & 0xffn), supply: word(3n) }]
  })
}

function nameOfCode(code: Uint8Array | undefined): ContractName | null {
  if (code === undefined) return null
  const hex = hexOf(code)
  return (Object.keys(ARTIFACTS) as ContractName[]).find((name) => ARTIFACTS[name].runtime === hex) ?? null
}

function isOurs(network: Network, contracts: Readonly<Partial<Record<ContractName, Address>>>): boolean {
  return Object.entries(contracts).every(([name, address]) => nameOfCode(network.genesis.accounts.find((account) => account.address === address)?.code) === name)
}

function notesOf(network: Network, signerLimit: number, leaders: readonly Address[], miners: readonly Address[]): readonly string[] {
  const standIn = network.periodSeconds + 3
  const notes: string[] = []
  if (leaders.length === 1) notes.push('One leader: while its box is off, the chain stands still. Add a second leader as soon as there is a second box.')
  else notes.push(`Leaders stand in for each other: where one is off, its block comes after ${standIn} seconds or a few more.`)
  if (signerLimit === 1) notes.push('Rounds of one block: leaders take turns, block by block; deposits of miners have no effect.')
  if (signerLimit > 1 && miners.length < 2 * (signerLimit - 1))
    notes.push(`${miners.length} miners for ${signerLimit - 1} places a round, of which nobody has one twice running: blocks of empty places come after ${standIn} seconds. Full rounds need ${2 * (signerLimit - 1)}.`)
  if (miners.some((miner) => leaders.includes(miner))) notes.push('A leader is a miner too: it cannot stand in for another leader in a round where it has a place of its own.')
  return notes
}

function valueOf<T>(read: Read<T>): T {
  if (read.kind !== 'read') throw new MeshBoxError('internal', `a genesis without a round: ${read.kind === 'invalid' ? read.reason : 'nodes are missing'}`, { code: 'no-round' })
  return read.value
}
