/**
 * A network's parameters in its genesis: an account without code whose slot 0 is keccak256 of
 * RLP(name, chain id, network id, period, chief, chief base, POC, Anmap or nothing). So the genesis hash stands for
 * all that two boxes must agree on, and it is enough that people compare that.
 */
import { encodeRlp, inputError, integerBytes, utf8 } from '../../base/index.ts'
import { bytesOf, hexOf } from '../codec/fields.ts'
import type { Address, Keccak } from '../codec/fields.ts'
import type { CustomNetwork } from '../network/custom.ts'
import type { GenesisAccount } from '../network/network.ts'

/** `MeshBox`, zeros, a number: nobody can have its key. */
export const PARAMETERS_ADDRESS: Address = '0x4d657368426f7800000000000000000000001000'
const SLOT = 0n
/** With nonce 0 and nothing in it the account would be none (EIP-161). */
const NONCE = 1n

export type Parameters = Omit<CustomNetwork, 'genesis'>

export function parametersAccount(keccak: Keccak, parameters: Parameters): GenesisAccount {
  return { address: PARAMETERS_ADDRESS, balanceWei: 0n, nonce: NONCE, storage: new Map([[SLOT, parametersWord(keccak, parameters)]]) }
}

/** Errors: input `genesis.accounts` where the genesis was made for other parameters. */
export function checkParameters(keccak: Keccak, custom: CustomNetwork): void {
  const found = custom.genesis.accounts.find((account) => account.address === PARAMETERS_ADDRESS)?.storage?.get(SLOT)
  if (found !== parametersWord(keccak, custom))
    throw inputError('genesis.accounts', found === undefined ? 'no parameters' : 'other parameters', `a genesis made for this name, chain id, network id, period and contracts, at ${PARAMETERS_ADDRESS}`)
}

function parametersWord(keccak: Keccak, { name, chainId, networkId, periodSeconds, chief, chiefBase, poc, anmap }: Parameters): bigint {
  const fields = [utf8(name), integerBytes(chainId), integerBytes(BigInt(networkId)), integerBytes(BigInt(periodSeconds)), bytesOf(chief), bytesOf(chiefBase), bytesOf(poc), anmap === null ? new Uint8Array(0) : bytesOf(anmap)]
  return BigInt(hexOf(keccak.keccak256(encodeRlp(fields))))
}
