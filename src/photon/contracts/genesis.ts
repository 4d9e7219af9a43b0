/**
 * The contracts as a chain's first block may hold them, at fixed addresses: code with what the constructors write into
 * it, and their storage. So a village has channels from its beginning. A test runs the constructors and compares.
 */
import { bytesOf, concatBytes, utf8 } from '../../base/index.ts'
import type { Address, Hex } from '../../base/index.ts'
import photonV2 from './artifacts/PhotonV2.json' with { type: 'json' }
import purse from './artifacts/Purse.json' with { type: 'json' }
import secretRegistry from './artifacts/SecretRegistry.json' with { type: 'json' }
import { GENESIS_ADDRESSES } from './addresses.ts'
import type { PhotonContractName } from './artifacts.ts'

/** What there is at an address; contracts begin with nonce 1 and no money. */
export interface GenesisContract {
  readonly name: PhotonContractName
  readonly address: Address
  readonly code: Uint8Array
  readonly storage: ReadonlyMap<bigint, bigint>
}

const GUARD_IDLE = 1n
const [GUARD_SLOT, CHAIN_ID_SLOT, OTHER_CONTRACT_SLOT] = [0n, 1n, 2n]
const WORD_BYTES = 32

/** What a domain separator is made of (solidity/Signed.sol). */
type Keccak = (data: Uint8Array) => Uint8Array

export function genesisContracts(keccak: Keccak, chainId: bigint, at: Readonly<Record<PhotonContractName, Address>> = GENESIS_ADDRESSES): readonly GenesisContract[] {
  const storage = (other: Address): ReadonlyMap<bigint, bigint> => new Map([[GUARD_SLOT, GUARD_IDLE], [CHAIN_ID_SLOT, chainId], [OTHER_CONTRACT_SLOT, BigInt(other)]])
  const filled = (json: { readonly runtime: string; readonly immutables: readonly number[] }, separator: Uint8Array): Uint8Array => {
    const code = bytesOf(json.runtime as Hex)
    for (const place of json.immutables) code.set(separator, place)
    return code
  }
  return [
    { name: 'SecretRegistry', address: at.SecretRegistry, code: bytesOf(secretRegistry.runtime as Hex), storage: new Map() },
    { name: 'PhotonV2', address: at.PhotonV2, code: filled(photonV2, separatorOf(keccak, 'Photon', '2', chainId, at.PhotonV2)), storage: storage(at.SecretRegistry) },
    { name: 'Purse', address: at.Purse, code: filled(purse, separatorOf(keccak, 'Photon Purse', '1', chainId, at.Purse)), storage: storage(at.PhotonV2) },
  ]
}

function separatorOf(keccak: Keccak, name: string, version: string, chainId: bigint, contract: Address): Uint8Array {
  const type = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
  return keccak(concatBytes(keccak(utf8(type)), keccak(utf8(name)), keccak(utf8(version)), word(chainId), word(BigInt(contract))))
}

function word(value: bigint): Uint8Array {
  return bytesOf(`0x${value.toString(16).padStart(2 * WORD_BYTES, '0')}`)
}
