/**
 * What delegators and watchers say to each other, over `/photon/watch/1`, authenticated. Big-endian:
 *
 *   DELEGATE 0x40: type 1 ‖ version 1 ‖ channel 32 ‖ epoch 8 ‖ token 20 ‖ receiver 20 ‖ partner 20 ‖ nonce 8 ‖ transferred 32 ‖
 *                  locksroot 32 ‖ extra 32 ‖ partner's signature 65 ‖ watcher 20 ‖ reward 16 ‖ receiver's signature 65 ‖
 *                  count 1 ‖ count × (expiration 8 ‖ secret 32)                                   = 373 + 40·count bytes
 *   RECEIPT  0x41: type 1 ‖ version 1 ‖ verdict 1 ‖ channel 32 ‖ epoch 8 ‖ nonce 8 ‖ job 32 ‖ watcher's signature 65  = 148 bytes
 *
 * `job` is the keccak of the DELEGATE frame. The receipt's signature is EIP-712 under a domain of its own, so that it
 * can be shown to others and means nothing to the contract.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesOf, concatBytes, hexOf, inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Domain } from '../ports.ts'
import { typedHashers } from '../typed-hasher.ts'
import type { Delegation, GuardedSecret } from './ports.ts'

/** 0 is yes; the others say why not. */
export const VERDICT = { accepted: 0, malformed: 1, notMine: 2, wrongSignature: 3, unknownChannel: 4, old: 5, tooLittle: 6, full: 7, late: 8, tryLater: 9 } as const
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT]

export interface Receipt extends ChannelKey {
  readonly verdict: Verdict
  readonly nonce: bigint
  readonly job: Hash
  readonly signature: Uint8Array
}

export const MAX_SECRETS = 30
export const DELEGATE_HEAD_BYTES = 373
const SECRET_BYTES = 40
export const RECEIPT_BYTES = 148
export const MAX_WATCH_FRAME_BYTES = DELEGATE_HEAD_BYTES + MAX_SECRETS * SECRET_BYTES
const DELEGATE_TYPE = 0x40
const RECEIPT_TYPE = 0x41
const VERSION = 1
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const hasherOf = typedHashers(keccak_256, ['PhotonWatch', '1'])
const RECEIPT_712 = 'WatchReceipt(bytes32 channel,uint64 epoch,uint64 nonce,bytes32 job,uint8 verdict)'

/** Errors: input: a value that has no place in the layout. */
export function encodeDelegation(it: Delegation): Uint8Array {
  if (it.secrets.length > MAX_SECRETS) throw inputError('delegation.secrets', it.secrets.length, `at most ${MAX_SECRETS}`)
  const { proof } = it
  return concatBytes(
    Uint8Array.of(DELEGATE_TYPE, VERSION),
    sized('channel', bytesOf(it.channel), 32),
    uint('epoch', it.epoch, 8),
    sized('token', bytesOf(it.token), 20),
    sized('receiver', bytesOf(it.receiver), 20),
    sized('partner', bytesOf(it.partner), 20),
    uint('nonce', proof.nonce, 8),
    uint('transferred', proof.transferred, 32),
    sized('locksroot', bytesOf(proof.locksroot), 32),
    sized('extra', bytesOf(proof.extra), 32),
    sized('proof.signature', proof.signature, 65),
    sized('watcher', bytesOf(it.watcher), 20),
    uint('reward', it.reward, 16),
    sized('receiverSignature', it.receiverSignature, 65),
    Uint8Array.of(it.secrets.length),
    ...it.secrets.flatMap((one) => [uint('expiration', BigInt(one.expiration), 8), sized('secret', bytesOf(one.secret), 32)]),
  )
}

/** Errors: input: a value that has no place in the layout. */
export function encodeReceipt(it: Receipt): Uint8Array {
  return concatBytes(
    Uint8Array.of(RECEIPT_TYPE, VERSION, it.verdict),
    sized('channel', bytesOf(it.channel), 32),
    uint('epoch', it.epoch, 8),
    uint('nonce', it.nonce, 8),
    sized('job', bytesOf(it.job), 32),
    sized('signature', it.signature, 65),
  )
}

export type WatchMessage = { readonly kind: 'delegate'; readonly delegation: Delegation; readonly job: Hash } | { readonly kind: 'receipt'; readonly receipt: Receipt }

/** Never throws; the length is checked before anything is read. What is read is a copy: the frame may be a socket's buffer. */
export function decodeWatchFrame(frame: Uint8Array): WatchMessage | { readonly refused: string } {
  if (frame[1] !== VERSION) return { refused: 'unknown version' }
  if (frame[0] === RECEIPT_TYPE) return frame.length === RECEIPT_BYTES ? readReceipt(new Uint8Array(frame)) : { refused: 'not as long as a receipt' }
  if (frame[0] !== DELEGATE_TYPE) return { refused: 'neither delegation nor receipt' }
  const count = frame[DELEGATE_HEAD_BYTES - 1] ?? 0
  if (count > MAX_SECRETS || frame.length !== DELEGATE_HEAD_BYTES + count * SECRET_BYTES) return { refused: 'not as long as a delegation' }
  return readDelegation(new Uint8Array(frame), count)
}

/** By its first byte: so that an allowance can be asked before anything is read or hashed. */
export function kindOfFrame(frame: Uint8Array): 'delegate' | 'receipt' | null {
  return frame[0] === DELEGATE_TYPE ? 'delegate' : frame[0] === RECEIPT_TYPE ? 'receipt' : null
}

export function jobHash(frame: Uint8Array): Hash {
  return hexOf(keccak_256(frame))
}

export function receiptDigest(domain: Domain, { channel, epoch, nonce, job, verdict }: Omit<Receipt, 'signature'>): Uint8Array {
  return hasherOf(domain).digest(RECEIPT_712, [channel, epoch, nonce, job, verdict])
}

function readReceipt(frame: Uint8Array): WatchMessage | { readonly refused: string } {
  const verdict = Object.values(VERDICT).find((known) => known === frame[2])
  if (verdict === undefined) return { refused: 'unknown verdict' }
  const hex = (from: number, length: number): Hash => hexOf(frame.subarray(from, from + length))
  return {
    kind: 'receipt',
    receipt: { verdict, channel: hex(3, 32), epoch: BigInt(hex(35, 8)), nonce: BigInt(hex(43, 8)), job: hex(51, 32), signature: frame.slice(83, RECEIPT_BYTES) },
  }
}

function readDelegation(frame: Uint8Array, count: number): WatchMessage | { readonly refused: string } {
  let at = 2
  const take = (length: number): Uint8Array => frame.slice(at, (at += length))
  const hex = (length: number): Hash => hexOf(take(length))
  const number = (length: number): bigint => BigInt(hex(length))
  const [channel, epoch, token, receiver, partner]: [Hash, bigint, Address, Address, Address] = [hex(32), number(8), hex(20), hex(20), hex(20)]
  const [nonce, transferred, locksroot, extra, signature] = [number(8), number(32), hex(32), hex(32), take(65)]
  const [watcher, reward, receiverSignature]: [Address, bigint, Uint8Array] = [hex(20), number(16), take(65)]
  at += 1
  const secrets: GuardedSecret[] = []
  for (let index = 0; index < count; index++) {
    const [expiration, secret] = [number(8), hex(32)]
    if (expiration > MAX_SAFE) return { refused: 'an expiration beyond counting' }
    secrets.push({ expiration: Number(expiration), secret })
  }
  const proof = { channel, epoch, nonce, transferred, locksroot, extra, signature }
  return { kind: 'delegate', delegation: { channel, epoch, token, receiver, partner, proof, watcher, reward, receiverSignature, secrets }, job: jobHash(frame) }
}

function sized(field: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw inputError(`watch.${field}`, hexOf(bytes), `${length} bytes`)
  return bytes
}

function uint(field: string, value: bigint, length: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * length) > 0n) throw inputError(`watch.${field}`, value, `an unsigned number of ${length} bytes`)
  return bytesOf(`0x${value.toString(16).padStart(2 * length, '0')}`)
}
