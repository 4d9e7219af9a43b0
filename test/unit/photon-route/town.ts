/** Boxes with real keys, and a chain that knows which channels there are: what the routing tests stand on. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { nobleSigner } from '../../../src/identity/index.ts'
import type { Domain, FeePolicy } from '../../../src/photon/index.ts'
import { channelIdOf } from '../../../src/photon/route/index.ts'
import { announceDigest, policyDigest } from '../../../src/photon/route/announce.ts'
import { FREE_POLICY } from '../../../src/photon/route/fee.ts'
import type { ChannelAnnounce, ChannelFacts, GossipSigner, GraphLimits, OwnChannel, PolicyUpdate, SignedAnnounce, SignedPolicy } from '../../../src/photon/route/index.ts'

export const DOMAIN: Domain = { profile: 'v2', chainId: 20180430n, contract: `0x${'11'.repeat(20)}` }
export const TOKEN: Address = `0x${'77'.repeat(20)}`
export const OTHER_TOKEN: Address = `0x${'88'.repeat(20)}`
export const LIMITS: GraphLimits = { maxChannels: 500, maxChannelsPerNode: 64, minCapacity: 100n, core: { minDeposit: () => 100n, minSettleTimeout: 40_000 } }

export function signerOf(index: number): GossipSigner {
  const key = keccak_256(Uint8Array.of(0x5e, index >> 8, index & 255))
  const addressOf = (publicKey: Uint8Array): Address => hexOf(keccak_256(publicKey.subarray(1)).subarray(12))
  return {
    self: addressOf(nobleSigner.publicKeyOf(key)),
    sign: (digest) => nobleSigner.sign(digest, key),
    recover: (digest, signature) => {
      const publicKey = nobleSigner.recover(digest, signature)
      return publicKey === null ? null : addressOf(publicKey)
    },
  }
}

/** A node without a key, for graphs that nobody signs. */
export function node(index: number): Address {
  return `0x${(index + 1).toString(16).padStart(40, '0')}`
}

export interface Drawn {
  readonly one: Address
  readonly other: Address
  readonly funds: readonly [bigint, bigint]
  readonly token?: Address
  readonly epoch?: bigint
  readonly settleTimeout?: number
}

/** `funds`: those of `one`, then those of `other`. */
export function factsOf(drawn: Drawn): ChannelFacts {
  const token = drawn.token ?? TOKEN
  const isInOrder = drawn.one < drawn.other
  const [a, b] = isInOrder ? [drawn.one, drawn.other] : [drawn.other, drawn.one]
  const [fundsA, fundsB] = isInOrder ? drawn.funds : [drawn.funds[1], drawn.funds[0]]
  return { channel: channelIdOf(DOMAIN.contract, token, a, b), epoch: drawn.epoch ?? 1n, token, a, b, fundsA, fundsB, settleTimeout: drawn.settleTimeout ?? 40_000 }
}

export function announceOf(facts: ChannelFacts, change: Partial<ChannelAnnounce> = {}): ChannelAnnounce {
  return { channel: facts.channel, epoch: facts.epoch, token: facts.token, a: facts.a, b: facts.b, isCore: true, sequence: 1n, untilBlock: 10_000, ...change }
}

export function unsignedAnnounce(facts: ChannelFacts, change: Partial<ChannelAnnounce> = {}): SignedAnnounce {
  return { ...announceOf(facts, change), signatureA: new Uint8Array(65), signatureB: new Uint8Array(65) }
}

export function unsignedPolicy(facts: ChannelFacts, from: Address, policy: Partial<FeePolicy> = {}, change: Partial<PolicyUpdate> = {}): SignedPolicy {
  return { channel: facts.channel, epoch: facts.epoch, from, isDisabled: false, sequence: 1n, untilBlock: 10_000, maxLock: facts.fundsA + facts.fundsB, policy: { ...FREE_POLICY, ...policy }, signature: new Uint8Array(65), ...change }
}

export function signedAnnounce(facts: ChannelFacts, one: GossipSigner, other: GossipSigner, change: Partial<ChannelAnnounce> = {}): SignedAnnounce {
  const announce = announceOf(facts, change)
  const digest = announceDigest(DOMAIN, announce)
  const [a, b] = one.self < other.self ? [one, other] : [other, one]
  return { ...announce, signatureA: a.sign(digest), signatureB: b.sign(digest) }
}

export function signedPolicy(facts: ChannelFacts, signer: GossipSigner, policy: Partial<FeePolicy> = {}, change: Partial<PolicyUpdate> = {}): SignedPolicy {
  const update = unsignedPolicy(facts, signer.self, policy, change)
  return { ...update, signature: signer.sign(policyDigest(DOMAIN, update)) }
}

export function ownChannel(facts: ChannelFacts, self: Address, change: Partial<OwnChannel> = {}): OwnChannel {
  const [own, others] = facts.a === self ? [facts.fundsA, facts.fundsB] : [facts.fundsB, facts.fundsA]
  return {
    channel: facts.channel,
    epoch: facts.epoch,
    token: facts.token,
    partner: facts.a === self ? facts.b : facts.a,
    role: 'core',
    spendable: own,
    receivable: others,
    capacity: own + others,
    isUsable: true,
    maxLock: own + others,
    ...change,
  }
}

export const NO_HASH: Hash = `0x${'00'.repeat(32)}`
