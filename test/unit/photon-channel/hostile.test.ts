/** Whatever a partner says: no throw, no change without a fact, no growth (F7, F11). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { Message } from '../../../src/photon/index.ts'
import { receivable } from '../../../src/photon/channel/index.ts'
import { guaranteed } from '../../../src/photon/channel/amounts.ts'
import { A, B, CHANNEL, NOW, Pair, V1, at, frozenAt, hashLock, secretOf, signed } from './pair.ts'

const amount = fc.oneof(fc.bigInt({ min: -2n, max: 1_600n }), fc.bigInt({ min: -(2n ** 256n), max: 2n ** 257n }))
const hash = fc.oneof(fc.constantFrom<Hash>(CHANNEL, hashLock(1), hashLock(2), hashLock(0), secretOf(1), secretOf(2), '0x', '0xzz'), fc.uint8Array({ maxLength: 40 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as Hash))
const address = fc.constantFrom<Address>(A, B, `0x${'77'.repeat(20)}`)
const count = fc.oneof(fc.integer({ min: -1, max: 2_000 }), fc.constantFrom(NaN, Infinity, -Infinity, 1.5, 2 ** 53, -(2 ** 53)))
const bytes = fc.uint8Array({ maxLength: 8 })
const key = fc.record({ channel: fc.constantFrom<Hash>(CHANNEL, CHANNEL, CHANNEL, hashLock(1)), epoch: fc.constantFrom(3n, 3n, 3n, 2n, -1n) })
const envelope = fc.record({ channel: fc.constantFrom<Hash>(CHANNEL, CHANNEL, hashLock(1)), epoch: fc.constantFrom(3n, 3n, 2n), nonce: fc.oneof(fc.bigInt({ min: 0n, max: 5n }), amount), transferred: amount, locksroot: hash })
const lock = fc.record({ expiration: count, amount, secretHash: hash })
const settleTerms = fc.record({ p1: address, balance1: amount, p2: address, balance2: amount, validUntil: fc.option(count) })
const withdrawTerms = fc.oneof(
  fc.record({ profile: fc.constant('v1' as const), participant: address, partner: address, balance: amount, withdraw: amount }),
  fc.record({ profile: fc.constant('v2' as const), participant: address, total: amount, validUntil: count }),
)
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('direct' as const), envelope, paymentId: fc.option(hash), data: bytes }),
  fc.record({ kind: fc.constant('locked' as const), envelope, lock, amount, fee: amount, initiator: address, target: address, path: fc.array(fc.record({ node: address, amount: fc.option(amount) }), { maxLength: 3 }), paymentId: fc.option(hash) }),
  fc.record({ kind: fc.constant('unlock' as const), envelope, secret: hash }),
  fc.record({ kind: fc.constantFrom('expired' as const, 'disposed-response' as const), envelope, secretHash: hash }),
  fc.record({ kind: fc.constant('disposed' as const), key, lock, code: count, reason: fc.string({ maxLength: 5 }), hopIndex: fc.option(count) }),
  fc.record({ kind: fc.constantFrom('settle-request' as const), key, terms: settleTerms, contractSignature: bytes }),
  fc.record({ kind: fc.constant('settle-response' as const), key, terms: settleTerms, contractSignature: bytes, code: fc.constantFrom(0, 1), reason: fc.constant('') }),
  fc.record({ kind: fc.constant('withdraw-request' as const), key, terms: withdrawTerms, contractSignature: bytes }),
  fc.record({ kind: fc.constant('withdraw-response' as const), key, terms: withdrawTerms, contractSignature: bytes, code: fc.constantFrom(0, 1), reason: fc.constant('') }),
  fc.record({ kind: fc.constant('reestablish' as const), key, sentNonce: amount, sentHash: hash, seenNonce: amount, seenHash: hash }),
  fc.record({ kind: fc.constant('reveal' as const), secret: hash, data: bytes }),
  fc.record({ kind: fc.constant('ping' as const), nonce: amount }),
)

/** A pair in the middle of things: locks both ways, one known secret, a withdrawal asked for in v2. */
function busy(isV1: boolean): Pair {
  const pair = new Pair(isV1 ? { domain: V1 } : {})
  pair.lock('a', 1, 100n)
  pair.lock('b', 2, 50n)
  pair.pay('a', 10n)
  if (!isV1) pair.packet('b', (m, s) => m.askWithdraw(s, { amount: 20n, validUntil: 1_100 }, NOW))
  return pair
}

describe('any message', () => {
  it('is taken or refused, and never takes from us what was sure', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.constantFrom<Address>(A, A, A, B), fc.boolean()), { maxLength: 6 }), fc.boolean(), fc.constantFrom(NOW, frozenAt(1_000), at(5_000)), (said, isV1, moment) => {
        const pair = busy(isV1)
        for (const [text, sender, isSigned] of said) {
          const before = pair.b
          const packet = signed(text, sender)
          const outcome = pair.give('b', isSigned ? packet : { ...packet, signature: null, contractSigner: null }, moment)
          if (!outcome.ok) expect(pair.b).toBe(before)
          expect(guaranteed(pair.b) >= guaranteed(before) || pair.b.sync.kind === 'behind').toBe(true)
          expect(receivable(pair.b)).toBeGreaterThanOrEqual(0n)
          expect(pair.b.partner.locks.length).toBeLessThanOrEqual(60)
          pair.machines.b.dutiesOf(pair.b, moment)
        }
      }),
      { numRuns: Number(process.env['PHOTON_CHANNEL_MESSAGES'] ?? 4_000), seed: 20_261_122 },
    )
  })

  it('can be answered without a throw, whatever its terms are', () => {
    fc.assert(
      fc.property(settleTerms, withdrawTerms, bytes, fc.boolean(), (settle, withdraw, signature, isV1) => {
        const pair = new Pair(isV1 ? { domain: V1 } : {}, { trustedPartners: new Set([A, B]) })
        const answers = [pair.machines.b.answerSettle(pair.b, { terms: settle, signature }, NOW), pair.machines.b.answerWithdraw(pair.b, { terms: withdraw, signature }, NOW)]
        for (const answer of answers) expect(answer.ok).toBe(true)
      }),
      { numRuns: 1_000, seed: 20_261_122 },
    )
  })
})
