/** A packet from JSON, signed: what `decode` prints, or less, goes in. */
import { ZERO_ADDRESS, hexOf, inputError } from '../../../base/index.ts'
import type { Hex } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Domain, Profile } from '../../ports.ts'
import { NO_SIGNATURE } from '../bounds.ts'
import { createDigests } from '../digests.ts'
import { createWire } from '../wire.ts'
import { parseFields } from './fields.ts'
import type { Fields } from './fields.ts'
import { inspectPacket, isDomainKnown } from './inspect-packet.ts'
import type { GivenDomain, PacketInspection } from './inspect-packet.ts'
import { readMessage } from './read-message.ts'
import type { SignTerms } from './read-message.ts'

/** `key`: null takes it from the JSON's `key`. Errors: input, naming the field. */
export function makePacket(curve: Secp256k1, given: GivenDomain, text: string, key: Uint8Array | null): PacketInspection & { readonly packet: Hex } {
  const input = parseFields(text)
  const profile: Profile = input.at('profile').orNull((name) => name.oneOf(['v1', 'v2'])) ?? 'v2'
  const known = domainIn(input, given)
  if (!isDomainKnown(known, profile)) throw inputError(known.chainId === null ? 'chainId' : 'contract', 'nothing', 'what the contract says of itself: signatures name it')
  const domain: Domain = { profile, chainId: known.chainId ?? 0n, contract: known.contract ?? ZERO_ADDRESS }
  const from = input.at('message')
  const privateKey = (): Uint8Array => checkedKey(curve, key ?? input.at('key').secret())
  const keccak = (data: Uint8Array): Uint8Array => curve.keccak256(data)
  const digests = createDigests(domain, keccak)
  const signTerms: SignTerms = (channel, terms, code) => {
    if (code !== 0 && profile === 'v2') return NO_SIGNATURE
    return curve.sign('settle' in terms ? digests.cooperativeSettle(channel, terms.settle) : digests.withdraw(channel, terms.withdraw), privateKey())
  }
  const message = readMessage(from, profile, keccak, signTerms)
  const prepared = createWire(domain, keccak).prepare(message)
  const packet = prepared.seal(message.kind === 'ack' ? new Uint8Array(0) : curve.sign(prepared.digest, privateKey()))
  return { packet: hexOf(packet), ...inspectPacket(curve, known, packet) }
}

/** What the JSON says goes before what the options say. */
export function domainIn(input: Fields, given: GivenDomain): GivenDomain {
  return {
    chainId: input.at('chainId').orNull((id) => id.amount()) ?? given.chainId,
    contract: input.at('contract').orNull((address) => address.address()) ?? given.contract,
  }
}

function checkedKey(curve: Secp256k1, key: Uint8Array): Uint8Array {
  if (key.length !== 32 || !curve.isPrivateKey(key)) throw inputError('key', `${key.length} bytes`, 'a private key: 32 bytes, neither zero nor beyond the group’s order')
  return key
}
