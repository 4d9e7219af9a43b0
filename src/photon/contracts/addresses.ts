/** Where a new chain's first block has the contracts (genesis.ts); apart from their code, which a service does not need. */
import type { Address } from '../../base/index.ts'
import type { PhotonContractName } from './artifacts.ts'

/** `MeshBox`, zeros, a number: after the community's own (spectrum/community). */
export const GENESIS_ADDRESSES: Readonly<Record<PhotonContractName, Address>> = {
  SecretRegistry: '0x4d657368426f7800000000000000000000001007',
  PhotonV2: '0x4d657368426f7800000000000000000000001008',
  Purse: '0x4d657368426f7800000000000000000000001009',
}
