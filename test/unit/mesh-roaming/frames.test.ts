/** Bytes between boxes: one encoding each, bounds, and nothing but an input error for whatever else comes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { decodeRoamMove, decodeRoamStays, decodeTicket, encodeRoamClaim, encodeTicket } from '../../../src/mesh/documents/index.ts'
import { decodeRoamClaim } from '../../../src/mesh/documents/roam-claim.ts'
import type { RoamClaim } from '../../../src/mesh/documents/index.ts'
import { decodeClaimReply, decodeQuestion, decodeWhere, decodeWords, encodeClaimReply, encodeQuestion, encodeWhere, encodeWords } from '../../../src/mesh/roaming/frames.ts'
import type { ClaimReply, RoamQuestion, WordReply } from '../../../src/mesh/roaming/frames.ts'

const bytes = (least: number, most = least): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: least, maxLength: most })
const hex = (length: number): fc.Arbitrary<`0x${string}`> => bytes(length).map((each) => `0x${Buffer.from(each).toString('hex')}` as const)
const address = hex(20)
const amount = fc.bigInt({ min: 0n, max: (1n << 255n) - 2n })
const counter = fc.integer({ min: 0, max: 2 ** 32 })
const sessionId = fc.string({ unit: fc.constantFrom(...'0123456789abcdefZ-'), minLength: 1, maxLength: 32 })
const mac = bytes(6).map((each) => Array.from(each, (byte) => byte.toString(16).padStart(2, '0')).join(':'))

const ticket = fc.record({ sessionId, mac, bearerHash: hex(32), leftSeconds: counter, leftBytes: fc.option(amount), unitsPerMinute: amount, token: fc.option(address), counter, holder: address, proofAfterSeconds: fc.option(counter) })
const stay = fc.record({ sessionId, counter, seconds: counter, bytes: amount, isIdle: fc.boolean(), isFinal: fc.boolean() })
const claim: fc.Arbitrary<RoamClaim> = fc.oneof(
  fc.record({ form: fc.constant('move' as const), seller: address, sessionId, counter, claimant: address }),
  fc.record({ form: fc.constant('stays' as const), seller: address, stays: fc.array(stay, { maxLength: 32 }) }),
)
const proof = fc.option(
  fc.oneof(fc.record({ kind: fc.constant('key' as const), claim: bytes(0, 200), signature: bytes(65) }), fc.record({ kind: fc.constant('code' as const), code: bytes(1, 64) })),
)
const question: fc.Arbitrary<RoamQuestion> = fc.oneof(
  fc.record({ kind: fc.constant('where' as const), mac }),
  fc.record({ kind: fc.constant('claim' as const), sessionId, mac, unitsPerMinute: amount, proof }),
  fc.record({ kind: fc.constant('report' as const), frame: bytes(1, 1000) }),
  fc.record({ kind: fc.constant('look' as const), sessionId, counter }),
  fc.record({ kind: fc.constant('kept' as const), key: address }),
)
const reply: fc.Arbitrary<ClaimReply> = fc.oneof(
  fc.record({ kind: fc.constant('ticket' as const), frame: bytes(1, 1000) }),
  fc.record({ kind: fc.constant('refused' as const), why: fc.constantFrom('unknown' as const, 'ended' as const, 'prove' as const, 'again' as const, 'too-dear' as const, 'key' as const), counter }),
)
const word: fc.Arbitrary<WordReply> = fc.record({
  word: fc.oneof(fc.record({ verdict: fc.constant('ok' as const), leftSeconds: counter, leftBytes: fc.option(amount) }), fc.record({ verdict: fc.constantFrom('gone' as const, 'ended' as const, 'prove' as const) })),
  receipt: fc.option(bytes(1, 300)),
})

describe('each comes back as it was', () => {
  it('tickets and claims', () => {
    fc.assert(fc.property(ticket, (each) => void expect(decodeTicket(encodeTicket(each))).toEqual(each)))
    fc.assert(fc.property(claim, (each) => void expect(decodeRoamClaim(encodeRoamClaim(each))).toEqual(each)))
  })

  it('questions and answers', () => {
    fc.assert(fc.property(question, (each) => void expect(decodeQuestion(encodeQuestion(each))).toEqual(each)))
    fc.assert(fc.property(reply, (each) => void expect(decodeClaimReply(encodeClaimReply(each))).toEqual(each)))
    fc.assert(fc.property(fc.array(word, { maxLength: 8 }), (each) => void expect(decodeWords(encodeWords(each))).toEqual(each)))
    fc.assert(fc.property(fc.record({ seller: address, sessionId, counter }), (each) => void expect(decodeWhere(encodeWhere(each))).toEqual(each)))
  })
})

describe('anything else is an input error with the field named', () => {
  const decoders = [decodeTicket, decodeRoamClaim, decodeRoamMove, decodeRoamStays, decodeQuestion, decodeClaimReply, decodeWords, decodeWhere]
  const tried = (given: Uint8Array): void => {
    for (const decode of decoders) {
      try {
        decode(given)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(MeshBoxError)
        expect((thrown as MeshBoxError).kind).toBe('input')
        expect((thrown as MeshBoxError).field).toBeTypeOf('string')
      }
    }
  }

  it('any bytes, and right ones with one byte changed or cut short', () => {
    fc.assert(fc.property(bytes(0, 300), tried))
    const right = fc.oneof(ticket.map((each) => encodeTicket(each)), claim.map(encodeRoamClaim), question.map(encodeQuestion), reply.map(encodeClaimReply), fc.array(word, { maxLength: 8 }).map(encodeWords))
    fc.assert(
      fc.property(right, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (each, at, value, isCut) => {
        const changed = isCut ? each.slice(0, at % each.length) : each.slice()
        if (!isCut) changed[at % each.length] = value
        tried(changed)
      }),
    )
  })

  it('a changed ticket that can still be read has one encoding', () => {
    fc.assert(
      fc.property(ticket, fc.nat(), fc.integer({ min: 0, max: 255 }), (each, at, value) => {
        const changed = encodeTicket(each)
        changed[at % changed.length] = value
        try {
          expect(encodeTicket(decodeTicket(changed))).toEqual(changed)
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'MeshBoxError', kind: 'input' })
        }
      }),
    )
  })

  it.each([
    ['sessionId', { sessionId: '' }],
    ['sessionId', { sessionId: 'a'.repeat(33) }],
    ['sessionId', { sessionId: 'a b' }],
    ['leftSeconds', { leftSeconds: 2 ** 33 }],
    ['counter', { counter: 2 ** 32 + 1 }],
  ])('a ticket with a wrong %s', (field, wrong) => {
    const good = { seller: `0x${'11'.repeat(20)}`, sessionId: 'a', mac: '02:00:00:00:00:01', bearerHash: `0x${'22'.repeat(32)}`, leftSeconds: 1, leftBytes: null, unitsPerMinute: 0n, token: null, counter: 1, holder: `0x${'11'.repeat(20)}`, proofAfterSeconds: null } as const
    expect(() => decodeTicket(encodeTicket({ ...good, ...wrong }))).toThrow(expect.objectContaining({ field }))
  })
})
