/** A message from JSON. An envelope may name its pending locks instead of their root; signatures for the contract may be left to the key. */
import { inputError } from '../../../base/index.ts'
import type { Hash } from '../../../base/index.ts'
import type { ChannelKey, Envelope, Lock, Message, MessageKind, Profile, SettleTerms, WithdrawTerms } from '../../ports.ts'
import { MAX_PATH_HOPS, SIGNATURE_BYTES } from '../bounds.ts'
import { lockHash } from '../identifiers.ts'
import { merkleRoot } from '../merkle.ts'
import type { Keccak } from '../../typed-hasher.ts'
import { checkNames } from './fields.ts'
import type { Fields } from './fields.ts'

/** More than a side ever has pending. */
const MAX_LOCKS = 1000
const NOTHING = new Uint8Array(0)

/** Makes the signature for the contract that the JSON leaves out. */
export type SignTerms = (key: ChannelKey, terms: { readonly settle: SettleTerms } | { readonly withdraw: WithdrawTerms }, code: number) => Uint8Array

interface Reading {
  readonly profile: Profile
  readonly keccak: Keccak
  readonly signTerms: SignTerms
}

type ReadKind = (from: Fields, reading: Reading) => Message

/** Errors: input, naming the field. */
export function readMessage(from: Fields, profile: Profile, keccak: Keccak, signTerms: SignTerms): Message {
  const kind = from.at('kind').oneOf(Object.keys(KINDS) as MessageKind[])
  const message = KINDS[kind](from, { profile, keccak, signTerms })
  checkNames(from.object(), message, ['locks'], from.path)
  return message
}

const KINDS: Readonly<Record<MessageKind, ReadKind>> = {
  direct: (from, reading) => ({ kind: 'direct', envelope: readEnvelope(from.at('envelope'), reading), paymentId: paymentId(from), data: data(from) }),
  locked: (from, reading) => ({
    kind: 'locked',
    envelope: readEnvelope(from.at('envelope'), reading),
    lock: readLock(from.at('lock')),
    amount: from.at('amount').amount(),
    fee: from.at('fee').amount(),
    initiator: from.at('initiator').address(),
    target: from.at('target').address(),
    path: from.at('path').list(MAX_PATH_HOPS).map((hop) => ({ node: hop.at('node').address(), amount: hop.at('amount').orNull((amount) => amount.amount()) })),
    paymentId: paymentId(from),
  }),
  unlock: (from, reading) => ({ kind: 'unlock', envelope: readEnvelope(from.at('envelope'), reading), secret: from.at('secret').hash() }),
  expired: (from, reading) => ({ kind: 'expired', envelope: readEnvelope(from.at('envelope'), reading), secretHash: from.at('secretHash').hash() }),
  'disposed-response': (from, reading) => ({ kind: 'disposed-response', envelope: readEnvelope(from.at('envelope'), reading), secretHash: from.at('secretHash').hash() }),
  disposed: (from) => ({
    kind: 'disposed',
    key: readKey(from.at('key')),
    lock: readLock(from.at('lock')),
    code: from.at('code').whole(),
    reason: from.at('reason').text(),
    hopIndex: from.at('hopIndex').orNull((index) => index.whole()),
  }),
  'secret-request': (from) => ({ kind: 'secret-request', secretHash: from.at('secretHash').hash(), amount: from.at('amount').amount(), paymentId: paymentId(from) }),
  reveal: (from) => ({ kind: 'reveal', secret: from.at('secret').hash(), data: data(from) }),
  'settle-request': (from, reading) => {
    const [key, terms] = [readKey(from.at('key')), readSettleTerms(from.at('terms'))]
    return { kind: 'settle-request', key, terms, contractSignature: contractSignature(from, () => reading.signTerms(key, { settle: terms }, 0)) }
  },
  'settle-response': (from, reading) => {
    const [key, terms, code] = [readKey(from.at('key')), readSettleTerms(from.at('terms')), from.at('code').whole()]
    return { kind: 'settle-response', key, terms, contractSignature: contractSignature(from, () => reading.signTerms(key, { settle: terms }, code)), code, reason: from.at('reason').text() }
  },
  'withdraw-request': (from, reading) => {
    const [key, terms] = [readKey(from.at('key')), readWithdrawTerms(from.at('terms'), reading.profile)]
    return { kind: 'withdraw-request', key, terms, contractSignature: contractSignature(from, () => reading.signTerms(key, { withdraw: terms }, 0)) }
  },
  'withdraw-response': (from, reading) => {
    const [key, terms, code] = [readKey(from.at('key')), readWithdrawTerms(from.at('terms'), reading.profile), from.at('code').whole()]
    return { kind: 'withdraw-response', key, terms, contractSignature: contractSignature(from, () => reading.signTerms(key, { withdraw: terms }, code)), code, reason: from.at('reason').text() }
  },
  ping: (from) => ({ kind: 'ping', nonce: from.at('nonce').amount() }),
  ack: (from) => ({ kind: 'ack', sender: from.at('sender').address(), echo: from.at('echo').hash() }),
  reestablish: (from) => ({
    kind: 'reestablish',
    key: readKey(from.at('key')),
    sentNonce: from.at('sentNonce').amount(),
    sentHash: from.at('sentHash').hash(),
    seenNonce: from.at('seenNonce').amount(),
    seenHash: from.at('seenHash').hash(),
  }),
}

export function readKey(from: Fields): ChannelKey {
  return { channel: from.at('channel').hash(), epoch: from.at('epoch').amount() }
}

export function readLock(from: Fields): Lock {
  return { expiration: from.at('expiration').whole(), amount: from.at('amount').amount(), secretHash: from.at('secretHash').hash() }
}

/** Their hashes, in order. */
export function readLeaves(from: Fields, keccak: Keccak): readonly Hash[] {
  return from.list(MAX_LOCKS).map((lock) => lockHash(keccak, readLock(lock)))
}

/** Errors: input `locksroot` when it is not the root of the locks given with it. */
export function readEnvelope(from: Fields, { keccak }: Pick<Reading, 'keccak'>): Envelope {
  const made = from.at('locks').orNull((locks) => merkleRoot(keccak, readLeaves(locks, keccak)))
  const locksroot = made === null || !from.at('locksroot').isAbsent ? from.at('locksroot').hash() : made
  if (made !== null && locksroot !== made) throw inputError(`${from.path}.locksroot`, locksroot, `${made}, the root of the locks`)
  return { ...readKey(from), nonce: from.at('nonce').amount(), transferred: from.at('transferred').amount(), locksroot }
}

export function readSettleTerms(from: Fields): SettleTerms {
  return {
    p1: from.at('p1').address(),
    balance1: from.at('balance1').amount(),
    p2: from.at('p2').address(),
    balance2: from.at('balance2').amount(),
    validUntil: from.at('validUntil').orNull((until) => until.whole()),
  }
}

export function readWithdrawTerms(from: Fields, profile: Profile): WithdrawTerms {
  const participant = from.at('participant').address()
  if (profile === 'v2') return { profile, participant, total: from.at('total').amount(), validUntil: from.at('validUntil').whole() }
  return { profile, participant, partner: from.at('partner').address(), balance: from.at('balance').amount(), withdraw: from.at('withdraw').amount() }
}

function paymentId(from: Fields): Hash | null {
  return from.at('paymentId').orNull((id) => id.hash())
}

function data(from: Fields): Uint8Array {
  return from.at('data').orNull((bytes) => bytes.bytes()) ?? NOTHING
}

function contractSignature(from: Fields, make: () => Uint8Array): Uint8Array {
  return from.at('contractSignature').orNull((signature) => signature.bytes(SIGNATURE_BYTES)) ?? make()
}
