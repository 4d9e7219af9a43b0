/** Our contracts as scripts/contracts.ts compiled them from solidity/*.sol; a test compiles them again and compares. */
import type { Hex } from '../../base/index.ts'
import photonV2 from './artifacts/PhotonV2.json' with { type: 'json' }
import purse from './artifacts/Purse.json' with { type: 'json' }
import secretRegistry from './artifacts/SecretRegistry.json' with { type: 'json' }

export type PhotonContractName = 'PhotonV2' | 'SecretRegistry' | 'Purse'

export interface PhotonArtifact {
  readonly abi: readonly object[]
  /** Constructor and code; its arguments follow behind, as ABI words. */
  readonly bytecode: Hex
}

const artifact = (json: { readonly abi: readonly object[]; readonly bytecode: string }): PhotonArtifact => ({ abi: json.abi, bytecode: json.bytecode as Hex })

/** Deploy SecretRegistry first, then PhotonV2(chainId, registry), then Purse(chainId, photon). Marked as pure: who only wants an address does not carry them. */
export const PHOTON_ARTIFACTS: Readonly<Record<PhotonContractName, PhotonArtifact>> = {
  PhotonV2: /* @__PURE__ */ artifact(photonV2),
  SecretRegistry: /* @__PURE__ */ artifact(secretRegistry),
  Purse: /* @__PURE__ */ artifact(purse),
}
