/**
 * What can be judged without a chain. A packet (hex, or JSON with `packet`): is it its message's only form, is the
 * signature somebody's, the one expected (`sender`), is the root that of the `locks`, the channel that of `token` and
 * `partner`, is the signature for the contract the sender's? Something signed for the contract (JSON with `payload`): by whom? A lock
 * (JSON with `lock` and `proof`, or `locks`): which root?
 */
import { ZERO_ADDRESS, hexOf, inputError } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Domain, Profile } from '../../ports.ts'
import { SIGNATURE_BYTES } from '../bounds.ts'
import { createDigests } from '../digests.ts'
import type { Digests } from '../digests.ts'
import { channelId } from '../../channel-id.ts'
import { lockHash } from '../identifiers.ts'
import { merkleProof, merkleRoot, proofRoot } from '../merkle.ts'
import type { Keccak } from '../../typed-hasher.ts'
import { createWire } from '../wire.ts'
import type { Fields } from './fields.ts'
import { decodePacket, inspectPacket, isDomainKnown, signerOf } from './inspect-packet.ts'
import type { GivenDomain } from './inspect-packet.ts'
import { domainIn } from './make-packet.ts'
import { readEnvelope, readKey, readLeaves, readLock, readSettleTerms, readWithdrawTerms } from './read-message.ts'

export type Verdict = Readonly<Record<string, unknown>> & { readonly ok: boolean }

const MAX_PROOF = 64

/** `input`: JSON. Errors: input, naming the field. */
export function verifyJson(curve: Secp256k1, given: GivenDomain, input: Fields): Verdict {
  const known = domainIn(input, given)
  if (!input.at('payload').isAbsent) return verifyPayload(curve, known, input)
  if (!input.at('packet').isAbsent) return verifyPacket(curve, known, input.at('packet').bytes(), input)
  return verifyRoot((data) => curve.keccak256(data), input)
}

/** `expected`: `sender`, `locks`, `token` and `partner`, as far as they are to be checked. Errors: input. */
export function verifyPacket(curve: Secp256k1, given: GivenDomain, packet: Uint8Array, expected: Fields): Verdict {
  const keccak: Keccak = (data) => curve.keccak256(data)
  const inspection = inspectPacket(curve, given, packet)
  if (inspection.profile === 'stream') return { ...inspection, checks: {} }
  const { domain, decoded } = decodePacket(curve, given, packet)
  const { message } = decoded
  if (message.kind !== 'ack' && inspection.digest === null) throw inputError(given.chainId === null ? 'chainId' : 'contract', 'nothing', 'what the contract says of itself: signatures name it')
  const again = createWire(domain, keccak).prepare(message).seal(decoded.signature ?? new Uint8Array(0))
  const checks: Record<string, boolean> = { form: hexOf(again) === hexOf(packet) }
  const { sender } = inspection
  if (message.kind !== 'ack') checks['signature'] = sender !== null
  expected.at('sender').orNull((address) => (checks['sender'] = sender === address.address()))
  if (inspection.forContract !== null) checks['contractSignature'] = sender !== null && inspection.forContract.signer === sender
  expected.at('locks').orNull((locks) => (checks['locksroot'] = 'envelope' in message && message.envelope.locksroot === merkleRoot(keccak, readLeaves(locks, keccak))))
  if (!expected.at('token').isAbsent || !expected.at('partner').isAbsent) {
    if (given.contract === null) throw inputError('contract', 'nothing', 'the contract’s address: it is part of the channel id')
    checks['channel'] = sender !== null && inspection.channel === channelId(keccak, sender, expected.at('partner').address(), expected.at('token').address(), given.contract)
  }
  return { ...inspection, ok: Object.values(checks).every(Boolean), checks }
}

type ReadPayload = (from: Fields, digests: Digests, keccak: Keccak) => Uint8Array

const PAYLOADS = {
  'balance-proof': (from, digests, keccak) => digests.balanceProof({ ...readEnvelope(from, { keccak }), extra: from.at('extra').hash() }),
  'update-delegation': (from, digests, keccak) =>
    digests.updateDelegation({ ...readEnvelope(from, { keccak }), watcher: from.at('watcher').orNull((watcher) => watcher.address()), reward: from.at('reward').orNull((reward) => reward.amount()) ?? 0n }),
  'unlock-delegation': (from, digests) => digests.unlockDelegation(readKey(from), readLock(from.at('lock')), from.at('delegatee').address()),
  settle: (from, digests) => digests.cooperativeSettle(readKey(from), readSettleTerms(from.at('terms'))),
  withdraw: (from, digests) => digests.withdraw(readKey(from), readWithdrawTerms(from.at('terms'), digests.domain.profile)),
  disposed: (from, digests, keccak) => digests.disposed(readKey(from), from.at('lockHash').orNull((hash) => hash.hash()) ?? lockHash(keccak, readLock(from.at('lock'))), from.at('extra').hash()),
  voucher: (from, digests) => digests.voucher({ ...readKey(from), cumulative: from.at('cumulative').amount(), tip: from.at('tip').hash(), steps: from.at('steps').whole(), unit: from.at('unit').amount() }),
  'peer-binding': (from, digests) => digests.peerBinding({ peerIdHash: from.at('peerIdHash').hash(), account: from.at('account').address(), issuedSeconds: from.at('issuedSeconds').whole() }),
} satisfies Record<string, ReadPayload>

function verifyPayload(curve: Secp256k1, given: GivenDomain, input: Fields): Verdict {
  const keccak: Keccak = (data) => curve.keccak256(data)
  const profile: Profile = input.at('profile').orNull((name) => name.oneOf(['v1', 'v2'])) ?? 'v2'
  const payload = input.at('payload').oneOf(Object.keys(PAYLOADS) as (keyof typeof PAYLOADS)[])
  if (!isDomainKnown(given, profile)) throw inputError(given.chainId === null ? 'chainId' : 'contract', 'nothing', 'what the contract says of itself: signatures name it')
  const domain: Domain = { profile, chainId: given.chainId ?? 0n, contract: given.contract ?? ZERO_ADDRESS }
  const digest = (PAYLOADS[payload] as ReadPayload)(input, createDigests(domain, keccak), keccak)
  const signature = input.at('signature').orNull((bytes) => bytes.bytes(SIGNATURE_BYTES))
  const signer = signerOf(curve, digest, signature, profile)
  const expected: Address | null = input.at('signer').orNull((address) => address.address())
  const ok = signature === null ? expected === null : signer !== null && (expected === null || expected === signer)
  return { ok, profile, payload, digest: hexOf(digest), signature: signature === null ? null : hexOf(signature), signer }
}

function verifyRoot(keccak: Keccak, input: Fields): Verdict {
  const expected: Hash | null = input.at('root').orNull((root) => root.hash())
  const judge = (root: Hash): { ok: boolean; root: Hash } => ({ ok: expected === null || expected === root, root })
  if (!input.at('locks').isAbsent) {
    const leaves = readLeaves(input.at('locks'), keccak)
    return { ...judge(merkleRoot(keccak, leaves)), locks: leaves.map((leaf) => ({ lockHash: leaf, proof: merkleProof(keccak, leaves, leaf) })) }
  }
  const leaf = lockHash(keccak, readLock(input.at('lock')))
  return { ...judge(proofRoot(keccak, leaf, input.at('proof').list(MAX_PROOF).map((hash) => hash.hash()))), lockHash: leaf }
}
