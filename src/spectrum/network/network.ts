/**
 * What tells one chain of the Spectrum kind from another (spec 1.1 to 1.4): identity, forks, contracts,
 * genesis. Deviations of the original that bind only its own networks are data here, not code.
 */
import type { Address, Hash } from '../codec/fields.ts'

/** The first block with the rule; null: never. */
export interface Forks {
  /** The chief transaction is outside the block's gas. */
  readonly sip001: number | null
  /** Steps of a period minus one second. */
  readonly sip002: number | null
  /** Every transaction names its chain (EIP-155). */
  readonly sip003: number | null
  /** More opcodes, and at least 40 M gas per block. */
  readonly sip004: number | null
  /** VRF, POC, block reward: the rules that this box verifies fully. */
  readonly sip100: number | null
}

export interface Chief {
  readonly version: string
  readonly startBlock: number
  readonly address: Address
}

export interface GenesisAccount {
  readonly address: Address
  readonly balanceWei: bigint
  readonly nonce?: bigint
  readonly code?: Uint8Array
  /** Slot → word. */
  readonly storage?: ReadonlyMap<bigint, bigint>
}

export interface Genesis {
  readonly timeSeconds: number
  readonly difficulty: bigint
  readonly gasLimit: bigint
  /** Stands in the extra between 32 and 65 bytes of zeros. */
  readonly signer: Address
  readonly accounts: readonly GenesisAccount[]
}

/** A balance that one block takes away: min(balance, mostWei). */
export interface Burn {
  readonly block: number
  readonly address: Address
  readonly mostWei: bigint
}

export interface Network {
  readonly name: string
  /** Of signatures (EIP-155). */
  readonly chainId: bigint
  /** Of the eth/63 handshake. Not the chain id: mainnet's is 1. */
  readonly networkId: number
  readonly genesisHash: Hash
  readonly genesis: Genesis
  readonly periodSeconds: number
  readonly forks: Forks
  /** By start. */
  readonly chiefs: readonly Chief[]
  readonly chiefBase: Address
  readonly poc: Address
  /** Binds a miner's key to the wallet of its earnings. */
  readonly anmap: { readonly startBlock: number; readonly address: Address } | null
  readonly burn: Burn | null
  /** Blocks whose difficulty nobody checks: the original skips it where a chief starts. */
  readonly uncheckedDifficulty: readonly number[]
  /** The block whose gas limit may be anything: the original skips the bound where SIP004 starts. */
  readonly uncheckedGasLimit: number | null
  /** The block whose volunteer the VRF does not bind: SIP100's first, whose parent knows no volunteers. */
  readonly uncheckedVolunteer: number | null
  /** Below it, signers and bodies are not judged: the original starts with block 4. */
  readonly firstJudgedBlock: number
}

export type Fork = keyof Forks

export function isActive(network: Pick<Network, 'forks'>, fork: Fork, number: number): boolean {
  const start = network.forks[fork]
  return start !== null && number >= start
}

/** The chief contract that rules block `number`; null before the first and for the genesis. */
export function chiefAt(network: Pick<Network, 'chiefs'>, number: number): Chief | null {
  return network.chiefs.reduce<Chief | null>((last, chief) => (chief.startBlock <= number && chief.startBlock > (last?.startBlock ?? 0) ? chief : last), null)
}

/** A transaction to any version of the chief pays its fee back to its sender, whatever the height. */
export function isChief(network: Pick<Network, 'chiefs'>, address: Address): boolean {
  return network.chiefs.some((chief) => chief.address === address)
}
