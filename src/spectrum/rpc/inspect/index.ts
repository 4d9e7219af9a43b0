/** What `meshbox tool` does: headers, blocks, VRF and Merkle proofs by hand, without a service. */
import { loadSecp256k1 } from '../../../native/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'

export { blockOfJson, objectOf, parseJson, readBlock, readHeader, readHex, readJson } from './read-input.ts'
export type { BlockInput } from './read-input.ts'
export { inspectHeader } from './inspect-header.ts'
export type { HeaderInspection, VrfVerdict } from './inspect-header.ts'
export { inspectBlock } from './inspect-block.ts'
export type { BlockInspection } from './inspect-block.ts'
export { inspectVrf, makeVrf } from './inspect-vrf.ts'
export type { VrfInspection } from './inspect-vrf.ts'
export { inspectProof } from './inspect-proof.ts'
export type { ProofInspection } from './inspect-proof.ts'
export { RpcError } from '../rpc-error.ts'
export { PUBLIC_NETWORKS, publicNetwork } from '../../network/networks.ts'

/** In JavaScript: a tool works on any machine, also where no addon was built. */
export function toolCurve(): Secp256k1 {
  return loadSecp256k1(null)
}
