/**
 * What boxes tell each other about channels: `ChannelAnnounce`, signed by both ends, says that a channel is there and
 * wants to carry payments; `PolicyUpdate`, signed by one, says what it asks. Capacity is read from the chain, balances
 * are nobody's business (photon.md 9.6). Validity is counted in blocks: routers have no clock battery, and while the
 * chain stands still nothing may fall out of the graph.
 *
 * Layout, big-endian:
 *
 *   ANNOUNCE 0x30: type 1 ‖ version 1 ‖ channel 32 ‖ epoch 8 ‖ token 20 ‖ a 20 ‖ b 20 ‖ flags 1 ‖ sequence 8 ‖
 *                  untilBlock 8 ‖ signature of a 65 ‖ signature of b 65                                  = 249 bytes
 *   POLICY   0x31: type 1 ‖ version 1 ‖ channel 32 ‖ epoch 8 ‖ from 20 ‖ flags 1 ‖ sequence 8 ‖ untilBlock 8 ‖
 *                  maxLock 16 ‖ constant 16 ‖ ppm 4 ‖ curve 5 × 4 (two's complement) ‖ validFrom 8 ‖ signature 65 = 208 bytes
 *   ASK      0x32: an ANNOUNCE without the signature of b, from a to b: b adds its own and tells all        = 184 bytes
 *
 * The digests are EIP-712 under a domain of their own, "PhotonGossip" version "1" with chain id and contract: nothing
 * signed here can be read by the contract as anything, and nothing of another chain counts here.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesOf, concatBytes, hexOf, inputError, MAX_AMOUNT } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Domain, FeePolicy } from '../ports.ts'
import { channelId } from '../wire/index.ts'
import { typedHashers } from '../typed-hasher.ts'
import { checkFeePolicy } from './fee.ts'

export interface ChannelAnnounce extends ChannelKey {
  readonly token: Address
  /** The lower of the two addresses; `b` the higher. */
  readonly a: Address
  readonly b: Address
  /** Both ends mean it to be a core channel; whether it is one, the chain says too. */
  readonly isCore: boolean
  readonly sequence: bigint
  /** Last block in which it counts. */
  readonly untilBlock: number
}

export interface SignedAnnounce extends ChannelAnnounce {
  readonly signatureA: Uint8Array
  readonly signatureB: Uint8Array
}

export interface PolicyUpdate extends ChannelKey {
  /** Who asks the fee: for what leaves through the channel from there. */
  readonly from: Address
  readonly isDisabled: boolean
  readonly sequence: bigint
  readonly untilBlock: number
  /** The most that one lock may hold. */
  readonly maxLock: bigint
  readonly policy: FeePolicy
}

export interface SignedPolicy extends PolicyUpdate {
  readonly signature: Uint8Array
}

export type Gossip = { readonly kind: 'announce'; readonly announce: SignedAnnounce } | { readonly kind: 'policy'; readonly update: SignedPolicy }

export const ANNOUNCE_BYTES = 249
export const POLICY_BYTES = 208
export const ASK_BYTES = 184
const ANNOUNCE_TYPE = 0x30
const POLICY_TYPE = 0x31
const ASK_TYPE = 0x32
const VERSION = 1
const CORE_FLAG = 1
const DISABLED_FLAG = 1
const SIGNATURE_BYTES = 65
/** 2^53 − 1: block numbers and seconds are plain numbers inside. */
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const MAX_U64 = (1n << 64n) - 1n

const hasherOf = typedHashers(keccak_256, ['PhotonGossip', '1'])
const ANNOUNCE_712 = 'ChannelAnnounce(bytes32 channel,uint64 epoch,address token,address a,address b,bool core,uint64 sequence,uint64 untilBlock)'
const POLICY_712 =
  'PolicyUpdate(bytes32 channel,uint64 epoch,address from,bool disabled,uint64 sequence,uint64 untilBlock,uint128 maxLock,uint128 constant,uint32 ppm,int32 rate0,int32 rate25,int32 rate50,int32 rate75,int32 rate100,uint64 validFrom)'

/** The channel of two in a token (photon.md 1.2), in either order. */
export function channelIdOf(contract: Address, token: Address, one: Address, other: Address): Hash {
  return channelId(keccak_256, one, other, token, contract)
}

export function announceDigest(domain: Domain, { channel, epoch, token, a, b, isCore, sequence, untilBlock }: ChannelAnnounce): Uint8Array {
  return hasherOf(domain).digest(ANNOUNCE_712, [channel, epoch, token, a, b, isCore, sequence, untilBlock])
}

export function policyDigest(domain: Domain, { channel, epoch, from, isDisabled, sequence, untilBlock, maxLock, policy }: PolicyUpdate): Uint8Array {
  const { constant, ppm, curve, validFromSeconds } = policy
  return hasherOf(domain).digest(POLICY_712, [channel, epoch, from, isDisabled, sequence, untilBlock, maxLock, constant, ppm, ...curve, validFromSeconds])
}

/** Errors: input: a value that has no place in the layout. */
export function encodeAnnounce(it: SignedAnnounce): Uint8Array {
  return concatBytes(Uint8Array.of(ANNOUNCE_TYPE), announceBody(it), sized('announce.signatureB', it.signatureB, SIGNATURE_BYTES))
}

/** Errors: input: a value that has no place in the layout. */
export function encodeAsk(it: Omit<SignedAnnounce, 'signatureB'>): Uint8Array {
  return concatBytes(Uint8Array.of(ASK_TYPE), announceBody(it))
}

/** True for frames that `decodeAsk` is for; they are not gossip and go no further. */
export function isAsk(frame: Uint8Array): boolean {
  return frame[0] === ASK_TYPE
}

/** A partner's wish to announce the channel together. Never throws. */
export function decodeAsk(frame: Uint8Array): Omit<SignedAnnounce, 'signatureB'> | { readonly refused: string } {
  if (!isAsk(frame) || frame.length !== ASK_BYTES || frame[1] !== VERSION) return { refused: 'not an ask of this version' }
  return readAnnounceBody(new Cursor(frame, 2))
}

function announceBody(it: Omit<SignedAnnounce, 'signatureB'>): Uint8Array {
  if (it.a >= it.b) throw inputError('announce.a', it.a, 'the lower of the two addresses')
  return concatBytes(
    Uint8Array.of(VERSION),
    sized('announce.channel', bytesOf(it.channel), 32),
    unsigned('announce.epoch', it.epoch, 8, MAX_U64),
    sized('announce.token', bytesOf(it.token), 20),
    sized('announce.a', bytesOf(it.a), 20),
    sized('announce.b', bytesOf(it.b), 20),
    Uint8Array.of(it.isCore ? CORE_FLAG : 0),
    unsigned('announce.sequence', it.sequence, 8, MAX_U64),
    unsigned('announce.untilBlock', BigInt(it.untilBlock), 8, MAX_SAFE),
    sized('announce.signatureA', it.signatureA, SIGNATURE_BYTES),
  )
}

/** Errors: input: a value that has no place in the layout, or a policy that makes no sense. */
export function encodePolicy(it: SignedPolicy): Uint8Array {
  checkFeePolicy(it.policy)
  return concatBytes(
    Uint8Array.of(POLICY_TYPE, VERSION),
    sized('policy.channel', bytesOf(it.channel), 32),
    unsigned('policy.epoch', it.epoch, 8, MAX_U64),
    sized('policy.from', bytesOf(it.from), 20),
    Uint8Array.of(it.isDisabled ? DISABLED_FLAG : 0),
    unsigned('policy.sequence', it.sequence, 8, MAX_U64),
    unsigned('policy.untilBlock', BigInt(it.untilBlock), 8, MAX_SAFE),
    unsigned('policy.maxLock', it.maxLock, 16, MAX_AMOUNT),
    unsigned('policy.constant', it.policy.constant, 16, MAX_AMOUNT),
    unsigned('policy.ppm', BigInt(it.policy.ppm), 4, 0xffff_ffffn),
    ...it.policy.curve.map((rate) => unsigned('policy.curve', BigInt.asUintN(32, BigInt(rate)), 4, 0xffff_ffffn)),
    unsigned('policy.validFrom', BigInt(it.policy.validFromSeconds), 8, MAX_SAFE),
    sized('policy.signature', it.signature, SIGNATURE_BYTES),
  )
}

/** A neighbour's frame. Never throws; one value has one form only, so a frame's hash names it. */
export function decodeGossip(frame: Uint8Array): Gossip | { readonly refused: string } {
  const type = frame[0]
  const expected = type === ANNOUNCE_TYPE ? ANNOUNCE_BYTES : type === POLICY_TYPE ? POLICY_BYTES : undefined
  if (expected === undefined) return { refused: 'neither an announcement nor a policy' }
  if (frame.length !== expected) return { refused: `${frame.length} bytes instead of ${expected}` }
  if (frame[1] !== VERSION) return { refused: 'unknown version' }
  const from = new Cursor(frame, 2)
  return type === ANNOUNCE_TYPE ? readAnnounce(from) : readPolicy(from)
}

function readAnnounce(from: Cursor): Gossip | { readonly refused: string } {
  const body = readAnnounceBody(from)
  return 'refused' in body ? body : { kind: 'announce', announce: { ...body, signatureB: from.bytes(SIGNATURE_BYTES) } }
}

function readAnnounceBody(from: Cursor): Omit<SignedAnnounce, 'signatureB'> | { readonly refused: string } {
  const [channel, epoch, token, a, b] = [from.hex(32), from.unsigned(8), from.hex(20), from.hex(20), from.hex(20)]
  const [flags, sequence, untilBlock, signatureA] = [from.unsigned(1), from.unsigned(8), from.unsigned(8), from.bytes(SIGNATURE_BYTES)]
  if (a >= b) return { refused: 'addresses out of order' }
  if (flags > BigInt(CORE_FLAG)) return { refused: 'unknown flags' }
  if (untilBlock > MAX_SAFE) return { refused: 'a block beyond counting' }
  return { channel, epoch, token, a, b, isCore: flags === BigInt(CORE_FLAG), sequence, untilBlock: Number(untilBlock), signatureA }
}

function readPolicy(cursor: Cursor): Gossip | { readonly refused: string } {
  const [channel, epoch, from, flags] = [cursor.hex(32), cursor.unsigned(8), cursor.hex(20), cursor.unsigned(1)]
  const [sequence, untilBlock, maxLock] = [cursor.unsigned(8), cursor.unsigned(8), cursor.unsigned(16)]
  const [constant, ppm] = [cursor.unsigned(16), Number(cursor.unsigned(4))]
  const curve = [cursor.rate(), cursor.rate(), cursor.rate(), cursor.rate(), cursor.rate()] as const
  const validFrom = cursor.unsigned(8)
  if (flags > BigInt(DISABLED_FLAG)) return { refused: 'unknown flags' }
  if (untilBlock > MAX_SAFE || validFrom > MAX_SAFE) return { refused: 'a moment beyond counting' }
  const policy: FeePolicy = { constant, ppm, curve, validFromSeconds: Number(validFrom) }
  if (ppm > 1_000_000 || curve.some((rate) => Math.abs(rate) > 1_000_000)) return { refused: 'a rate beyond the whole amount' }
  const signature = cursor.bytes(SIGNATURE_BYTES)
  const update = { channel, epoch, from, isDisabled: flags === BigInt(DISABLED_FLAG), sequence, untilBlock: Number(untilBlock), maxLock, policy, signature }
  return { kind: 'policy', update }
}

/** Reads a frame whose length was checked before; from a copy, since the frame may be a socket's buffer. */
class Cursor {
  readonly #frame: Uint8Array
  #at: number

  constructor(frame: Uint8Array, at: number) {
    this.#frame = new Uint8Array(frame)
    this.#at = at
  }

  bytes(length: number): Uint8Array {
    const part = this.#frame.slice(this.#at, this.#at + length)
    this.#at += length
    return part
  }
  hex(length: number): Hash {
    return hexOf(this.bytes(length))
  }
  unsigned(length: number): bigint {
    return BigInt(this.hex(length))
  }
  rate(): number {
    return Number(BigInt.asIntN(32, this.unsigned(4)))
  }
}

function sized(field: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw inputError(field, hexOf(bytes), `${length} bytes`)
  return bytes
}

function unsigned(field: string, value: bigint, length: number, max: bigint): Uint8Array {
  if (value < 0n || value > max) throw inputError(field, value, `0 to ${max}`)
  return bytesOf(`0x${value.toString(16).padStart(length * 2, '0')}`)
}
