/** What the channel contract says of itself, read by proof from its own storage and then remembered: neither changes. */
import { bytesOf, hexOf } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import { CHAIN_ID_SLOT, SECRET_REGISTRY_SLOT } from '../chain/index.ts'
import type { ChainPort, Domain, Profile } from '../ports.ts'
import { putNote, readNote } from './note-table.ts'

export interface ContractTerms {
  readonly domain: Domain
  readonly registry: Address
}

/** v1: the original's first two state variables (v1/legacy-storage.ts). */
const SLOTS: Readonly<Record<Profile, { readonly chainId: bigint; readonly registry: bigint }>> = { v1: { chainId: 1n, registry: 0n }, v2: { chainId: CHAIN_ID_SLOT, registry: SECRET_REGISTRY_SLOT } }
const SEPARATOR = ' '
const ADDRESS_BYTES = 20

/** Null: never read. */
export function knownContractTerms(store: Store, contract: Address, profile: Profile = 'v2'): ContractTerms | null {
  const known = store.read((tx) => readNote(tx, noteName(contract)))
  if (known === null) return null
  const [chainId = '', registry = ''] = known.split(SEPARATOR)
  return termsOf(profile, contract, BigInt(chainId), registry as Address)
}

/** `absent`: proved not to be there. Null: not to be had now. */
export async function readContractTerms(chain: Pick<ChainPort, 'safe' | 'storage'>, store: Store, contract: Address, profile: Profile = 'v2'): Promise<ContractTerms | 'absent' | null> {
  const known = knownContractTerms(store, contract, profile)
  if (known !== null) return known
  const point = chain.safe()
  if (point === null) return null
  const slots = SLOTS[profile]
  const [chainId, registry] = [await chain.storage(point, contract, slots.chainId), await chain.storage(point, contract, slots.registry)]
  if (chainId === null || registry === null) return null
  if (chainId === 0n || registry === 0n) return 'absent'
  const terms = termsOf(profile, contract, chainId, addressOf(registry))
  await store.turn((tx) => putNote(tx, noteName(contract), `${chainId}${SEPARATOR}${terms.registry}`))
  return terms
}

function noteName(contract: Address): string {
  return `contract/${contract}`
}

function termsOf(profile: Profile, contract: Address, chainId: bigint, registry: Address): ContractTerms {
  return { domain: { profile, chainId, contract }, registry }
}

function addressOf(word: bigint): Address {
  return hexOf(bytesOf(`0x${word.toString(16).padStart(64, '0')}`).subarray(-ADDRESS_BYTES))
}
