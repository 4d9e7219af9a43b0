/**
 * Photon's messages as bytes. `createWire(domain, keccak)` packs and unpacks what nodes say to each other, in the
 * original's packets (v1) or our frames (v2); `createDigests` gives what is signed for the contract; the rest are the
 * hashes both are made of. Pure; nothing here signs. docs/photon-wire.md
 */
export { createWire } from './wire.ts'
export { MAX_PACKET_BYTES, NO_SIGNATURE, SIGNATURE_BYTES } from './bounds.ts'
export { createDigests } from './digests.ts'
export type { Digests, UpdateDelegation } from './digests.ts'
export { writeHex } from '../hex-digits.ts'
export { channelId } from '../channel-id.ts'
export { balanceHash, echoHash, lockHash } from './identifiers.ts'
export { merkleProof, merkleRoot, rootOfDistinct } from './merkle.ts'
export type { Keccak } from '../typed-hasher.ts'
export type { PeerBinding } from './typed-data.ts'
