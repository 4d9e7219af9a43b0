/** A packet taken apart: its fields, who signed it, and the hashes it stands for. */
import { sha256 } from '@noble/hashes/sha2.js'
import { ZERO_ADDRESS, bytesOf, hexOf, inputError } from '../../../base/index.ts'
import type { Address, Hash, Hex } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Decoded, Domain, Message, Profile } from '../../ports.ts'
import { decodeFrames } from '../../stream/frames.ts'
import { isAbsent } from '../bounds.ts'
import { createDigests } from '../digests.ts'
import { lockHash } from '../identifiers.ts'
import { createWire } from '../wire.ts'
import { shown } from './fields.ts'

/** What the packet itself does not say. Null: not known, so what depends on it stays open. */
export interface GivenDomain {
  readonly chainId: bigint | null
  readonly contract: Address | null
}

export interface PacketInspection {
  readonly ok: true
  readonly profile: Profile | 'stream'
  readonly kind: string
  readonly bytes: number
  /** keccak of the whole packet. */
  readonly hash: Hash
  readonly message: unknown
  readonly channel: Hash | null
  /** Of the lock in it. */
  readonly lockHash: Hash | null
  /** Of the secret in it. */
  readonly secretHash: Hash | null
  readonly extra: Hash | null
  readonly digest: Hex | null
  readonly signature: Hex | null
  /** Null: unsigned, nobody's signature, or `chainId` or `contract` is missing. */
  readonly sender: Address | null
  /** What the signature inside says to the contract. */
  readonly forContract: { readonly digest: Hex; readonly signer: Address | null } | null
}

const FIRST_STREAM_TYPE = 0x20
const FIRST_V2_TYPE = 0x40
/** Stands in while a packet is read whose chain is not known; nothing computed with it is shown. */
const NO_CHAIN = 0n

/** Errors: input `packet` with the reason. */
export function inspectPacket(curve: Secp256k1, given: GivenDomain, packet: Uint8Array): PacketInspection {
  const first = packet[0] ?? 0
  if (first >= FIRST_STREAM_TYPE && first < FIRST_V2_TYPE) return inspectFrames(curve, packet)
  const { domain, decoded } = decodePacket(curve, given, packet)
  const { message, signature } = decoded
  const isKnown = isDomainKnown(given, domain.profile) || (domain.profile === 'v1' && !('envelope' in message) && message.kind !== 'disposed')
  const digest = isKnown ? decoded.digest : null
  return {
    ok: true,
    profile: domain.profile,
    kind: message.kind,
    bytes: packet.length,
    hash: hexOf(curve.keccak256(packet)),
    message: shown(message),
    channel: 'envelope' in message ? message.envelope.channel : 'key' in message ? message.key.channel : null,
    lockHash: 'lock' in message ? lockHash((data) => curve.keccak256(data), message.lock) : null,
    secretHash: 'secret' in message ? hexOf(sha256(bytesOf(message.secret))) : null,
    extra: decoded.extra,
    digest: digest === null ? null : hexOf(digest),
    signature: signature === null ? null : hexOf(signature),
    sender: signerOf(curve, digest, signature, domain.profile),
    forContract: isDomainKnown(given, domain.profile) ? forContract(curve, domain, message) : null,
  }
}

/** Errors: input `packet` with the reason. */
export function decodePacket(curve: Secp256k1, given: GivenDomain, packet: Uint8Array): { readonly domain: Domain; readonly decoded: Decoded } {
  const profile: Profile = (packet[0] ?? 0) < FIRST_V2_TYPE ? 'v1' : 'v2'
  const domain: Domain = { profile, chainId: given.chainId ?? NO_CHAIN, contract: given.contract ?? ZERO_ADDRESS }
  const decoded = createWire(domain, (data) => curve.keccak256(data)).decode(packet)
  if ('refused' in decoded) throw inputError('packet', hexOf(packet.subarray(0, 8)), `a packet of either profile (${decoded.refused})`)
  return { domain, decoded }
}

/** v1 signatures name the chain only; the contract is inside the channel id. */
export function isDomainKnown(given: GivenDomain, profile: Profile): boolean {
  return given.chainId !== null && (profile === 'v1' || given.contract !== null)
}

export function signerOf(curve: Secp256k1, digest: Uint8Array | null, signature: Uint8Array | null, profile: Profile): Address | null {
  if (digest === null || signature === null) return null
  const address = curve.recoverAddress(digest, signature, profile === 'v1' ? 'accept' : 'refuse')
  return address === null ? null : hexOf(address)
}

function forContract(curve: Secp256k1, domain: Domain, message: Message): PacketInspection['forContract'] {
  if (!('contractSignature' in message) || isAbsent(message.contractSignature)) return null
  const digests = createDigests(domain, (data) => curve.keccak256(data))
  const isSettlement = message.kind === 'settle-request' || message.kind === 'settle-response'
  const digest = isSettlement ? digests.cooperativeSettle(message.key, message.terms) : digests.withdraw(message.key, message.terms)
  return { digest: hexOf(digest), signer: signerOf(curve, digest, message.contractSignature, domain.profile) }
}

/** One frame, or several as they may stand in one message. */
function inspectFrames(curve: Secp256k1, bytes: Uint8Array): PacketInspection {
  const frames = decodeFrames(bytes)
  const [first] = frames ?? []
  if (frames === null || first === undefined) throw inputError('packet', hexOf(bytes.subarray(0, 8)), 'whole frames of a stream')
  const nothing = { channel: null, lockHash: null, secretHash: null, extra: null, digest: null, sender: null, forContract: null }
  const one = frames.length === 1
  const signature = one && 'signature' in first ? hexOf(first.signature) : null
  return { ok: true, profile: 'stream', kind: one ? first.kind : 'frames', bytes: bytes.length, hash: hexOf(curve.keccak256(bytes)), message: shown(one ? first : frames), ...nothing, signature }
}
