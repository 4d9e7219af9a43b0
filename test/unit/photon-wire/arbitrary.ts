/** Any message that a profile can carry. */
import fc from 'fast-check'
import { hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { ChannelKey, Envelope, Lock, Message, Profile } from '../../../src/photon/index.ts'
import { NO_SIGNATURE } from '../../../src/photon/wire/index.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const address: fc.Arbitrary<Address> = bytes(20).map(hexOf)
const hash: fc.Arbitrary<Hash> = bytes(32).map(hexOf)
const named: fc.Arbitrary<Hash> = hash.filter((value) => !/^0x0+$/.test(value))
const upTo = (bits: bigint): fc.Arbitrary<bigint> => fc.oneof(fc.bigInt(0n, (1n << bits) - 1n), fc.constantFrom(0n, 1n, (1n << bits) - 1n, (1n << 64n) - 1n, 1n << 63n).map((value) => value % (1n << bits)))
const height = fc.oneof(fc.integer({ min: 1, max: 2 ** 40 }), fc.constant(Number.MAX_SAFE_INTEGER))
const data = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 240, maxLength: 256 }))
const reason = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => (Buffer.byteLength(text) <= 256 ? text : 'long'))
const code = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const lowSignature = fc.tuple(bytes(32), bytes(32), fc.constantFrom(27, 28)).map(([r, s, v]) => Uint8Array.from([...r, (s[0] ?? 0) & 0x3f, ...s.subarray(1), v]))
const key: fc.Arbitrary<ChannelKey> = fc.record({ channel: named, epoch: fc.bigInt(1n, (1n << 63n) - 1n) })
const envelope: fc.Arbitrary<Envelope> = fc.record({ channel: named, epoch: fc.bigInt(1n, (1n << 63n) - 1n), nonce: fc.bigInt(1n, (1n << 64n) - 1n), transferred: upTo(256n), locksroot: hash })

/** Each kind with its messages. */
export function messagesOf(profile: Profile): Readonly<Record<string, fc.Arbitrary<Message>>> {
  const isV1 = profile === 'v1'
  const amount = upTo(isV1 ? 256n : 128n)
  const paymentId = isV1 ? fc.constant(null) : fc.option(hash, { nil: null })
  const settleTerms = fc.record({ p1: address, balance1: amount, p2: address, balance2: amount, validUntil: isV1 ? fc.constant(null) : height })
  const withdrawTerms = isV1
    ? fc.record({ profile: fc.constant('v1' as const), participant: address, partner: address, balance: amount, withdraw: amount })
    : fc.record({ profile: fc.constant('v2' as const), participant: address, total: amount, validUntil: height })
  const answer = fc.oneof(
    fc.record({ code: fc.constant(0), reason, contractSignature: lowSignature }),
    fc.record({ code: code.filter((value) => value !== 0), reason, contractSignature: isV1 ? bytes(65) : fc.constant(NO_SIGNATURE) }),
  )
  const plainLock: fc.Arbitrary<Lock> = fc.record({ expiration: height, amount: amount.map((value) => value || 1n), secretHash: hash })
  const path = fc.array(fc.record({ node: address, amount: isV1 ? fc.constant(null) : amount }), { maxLength: 20 })
  const locked = fc
    .record({ envelope, lock: plainLock, amount, fee: amount, initiator: address, target: address, path, paymentId })
    // v1 has no room for an amount of its own: the lock's amount is amount and fee together.
    .map((message): Message => {
      if (!isV1) return { kind: 'locked', ...message }
      const fee = message.fee % (message.lock.amount + 1n)
      return { kind: 'locked', ...message, fee, amount: message.lock.amount - fee }
    })
  const all: Record<string, fc.Arbitrary<Message>> = {
    direct: fc.record({ kind: fc.constant('direct' as const), envelope, paymentId, data }),
    locked,
    unlock: fc.record({ kind: fc.constant('unlock' as const), envelope, secret: hash }),
    expired: fc.record({ kind: fc.constant('expired' as const), envelope, secretHash: hash }),
    'disposed-response': fc.record({ kind: fc.constant('disposed-response' as const), envelope, secretHash: hash }),
    disposed: fc.record({ kind: fc.constant('disposed' as const), key, lock: plainLock, code, reason, hopIndex: isV1 ? fc.constant(null) : fc.option(fc.integer({ min: 0, max: 20 }), { nil: null }) }),
    'secret-request': fc.record({ kind: fc.constant('secret-request' as const), secretHash: hash, amount, paymentId }),
    reveal: fc.record({ kind: fc.constant('reveal' as const), secret: hash, data }),
    'settle-request': fc.record({ kind: fc.constant('settle-request' as const), key, terms: settleTerms, contractSignature: lowSignature }),
    'settle-response': fc.tuple(key, settleTerms, answer).map(([of, terms, given]): Message => ({ kind: 'settle-response', key: of, terms, ...given })),
    'withdraw-request': fc.record({ kind: fc.constant('withdraw-request' as const), key, terms: withdrawTerms, contractSignature: lowSignature }),
    'withdraw-response': fc.tuple(key, withdrawTerms, answer).map(([of, terms, given]): Message => ({ kind: 'withdraw-response', key: of, terms, ...given })),
    ping: fc.record({ kind: fc.constant('ping' as const), nonce: upTo(64n) }),
    ack: fc.record({ kind: fc.constant('ack' as const), sender: address, echo: hash }),
  }
  if (!isV1) all['reestablish'] = fc.record({ kind: fc.constant('reestablish' as const), key, sentNonce: upTo(64n), sentHash: hash, seenNonce: upTo(64n), seenHash: hash })
  return all
}

/** A signature of the right form, by nobody: codecs do not look at who signed. */
export const someSignature = lowSignature
export function anyMessage(profile: Profile): fc.Arbitrary<Message> {
  return fc.oneof(...Object.values(messagesOf(profile)))
}
