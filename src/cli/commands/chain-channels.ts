/** Payment channels in a chain's first block: put in by `chain new`, and looked for by `chain join`. */
import { hexOf } from '../../base/index.ts'
import type { GenesisContract } from '../../photon/contracts/index.ts'
import type { GenesisAccount, Network } from '../../spectrum/index.ts'

export function channelAccounts(contracts: readonly GenesisContract[]): readonly GenesisAccount[] {
  return contracts.map(({ address, code, storage }) => ({ address, balanceWei: 0n, nonce: 1n, code, storage }))
}

/** Address of the channel contract, where all of it is what this release would put there; else null. */
export function channelsIn(network: Network, contracts: readonly GenesisContract[]): string | null {
  const isThere = ({ address, code, storage }: GenesisContract): boolean => {
    const found = network.genesis.accounts.find((account) => account.address === address)
    const words = found?.storage ?? new Map<bigint, bigint>()
    return found?.code !== undefined && hexOf(found.code) === hexOf(code) && words.size === storage.size && [...storage].every(([slot, word]) => words.get(slot) === word)
  }
  return contracts.every(isThere) ? (contracts.find(({ name }) => name === 'PhotonV2')?.address ?? null) : null
}
