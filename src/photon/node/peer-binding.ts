/**
 * Ties a peer id to an account (photon.md 9.5): account 20 ‖ issued, seconds, u64 big-endian 8 ‖ signature 65 over the
 * EIP-712 type PeerBinding. That the peer holds the peer id's key has been shown by noise.
 */
import { ADDRESS_BYTES, concatBytes, hexOf } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Digests } from '../wire/index.ts'
import type { AccountSigner } from './ports.ts'

const ISSUED_BYTES = 8
const SIGNATURE_BYTES = 65
const PROOF_BYTES = ADDRESS_BYTES + ISSUED_BYTES + SIGNATURE_BYTES

export interface PeerBindingTools {
  readonly digests: Pick<Digests, 'peerBinding'>
  readonly signer: AccountSigner
  readonly secp256k1: Pick<Secp256k1, 'keccak256' | 'recoverAddress'>
  /** By the wall clock, for people; nobody's binding ends. */
  issuedSeconds(): number
}

/** As libp2p-transport.ts asks for it. */
export function createPeerBinding({ digests, signer, secp256k1, issuedSeconds }: PeerBindingTools): {
  prove(ownPeerId: Uint8Array): Uint8Array
  check(peerId: Uint8Array, proof: Uint8Array): Address | null
} {
  const hashOf = (peerId: Uint8Array): `0x${string}` => hexOf(secp256k1.keccak256(peerId))
  return {
    prove(ownPeerId) {
      const issued = issuedSeconds()
      const out = new Uint8Array(PROOF_BYTES)
      out.set(Buffer.from(signer.account.slice(2), 'hex'))
      new DataView(out.buffer).setBigUint64(ADDRESS_BYTES, BigInt(issued))
      out.set(signer.sign(digests.peerBinding({ peerIdHash: hashOf(ownPeerId), account: signer.account, issuedSeconds: issued })), ADDRESS_BYTES + ISSUED_BYTES)
      return out
    },
    check(peerId, proof) {
      if (proof.length !== PROOF_BYTES) return null
      const bytes = concatBytes(proof)
      const issued = new DataView(bytes.buffer).getBigUint64(ADDRESS_BYTES)
      if (issued > BigInt(Number.MAX_SAFE_INTEGER)) return null
      const account = hexOf(bytes.subarray(0, ADDRESS_BYTES))
      const digest = digests.peerBinding({ peerIdHash: hashOf(peerId), account, issuedSeconds: Number(issued) })
      const signer = secp256k1.recoverAddress(digest, bytes.subarray(ADDRESS_BYTES + ISSUED_BYTES))
      return signer !== null && hexOf(signer) === account ? account : null
    },
  }
}
