/** Codes: one text each, whose every part the community signs for, and nobody's mistakes pass. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, hexOf } from '../../../src/base/index.ts'
import { MAX_CODE_CHARS, codeParts, codeText, keyOf, makeInvitation, meshAddressOf, prefixBytes, readInvitation, readTicket, signClaim } from '../../../src/mesh/joining/index.ts'
import type { CommunityCode } from '../../../src/mesh/joining/index.ts'
import { decodeJoinFrame, encodeJoinFrame } from '../../../src/mesh/joining/join-frames.ts'
import { checkAdmission, checkClaim, emptyList, isVoid, joinedLists, readList, sealList, signAdmission, voided } from '../../../src/mesh/joining/papers.ts'
import { TERMS, boxDocuments, keys } from './boxes.ts'

const founder = boxDocuments(0)
const other = boxDocuments(1)
const newcomer = boxDocuments(2).self
const CODE: Omit<CommunityCode, 'issuedBy'> = { ...TERMS, community: founder.self, number: 3, uses: 1, notAfterSeconds: null, nonce: new Uint8Array(16).fill(9) }
const RUNS = Number(process.env['MESHBOX_FUZZ_RUNS'] ?? 1500)

describe('a code', () => {
  it('comes back as it was, from one text of a size that can be scanned', () => {
    const text = codeText(keys, makeInvitation(founder, keys, CODE))
    expect(text.length).toBeLessThanOrEqual(MAX_CODE_CHARS)
    expect(text).toMatch(/^meshbox:[A-Za-z0-9_-]+$/)
    const broken = ` ${text.slice(0, 80)}\r\n ${text.slice(80)}\n`
    expect(readInvitation(other, keys, codeParts(keys, broken))).toEqual({ ...CODE, issuedBy: founder.self })
  })

  it('comes back for every community that fits', () => {
    const code = fc.record({
      name: fc.stringMatching(/^[A-Za-zäñ][A-Za-z äñ]{0,8}[a-z]$/),
      chainFileHash: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hexOf)),
      meshChannel: fc.integer({ min: 1, max: 233 }),
      meshSecret: fc.oneof(fc.constant(''), fc.stringMatching(/^[!-~]{8,32}$/)),
      ulaPrefix: fc.uint8Array({ minLength: 7, maxLength: 7 }).map((bytes) => meshPrefix(bytes)),
      contract: fc.option(fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hexOf)),
      uses: fc.integer({ min: 1, max: 32 }),
      notAfterSeconds: fc.option(fc.integer({ min: 1, max: 2 ** 40 })),
      nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      prices: fc.record({ token: fc.option(fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hexOf)), perMiB: fc.bigInt({ min: 0n, max: 1n << 64n }), perMinute: fc.bigInt({ min: 0n, max: 1n << 64n }) }),
    })
    fc.assert(
      fc.property(code, (change) => {
        const whole = { ...CODE, ...change }
        expect(readInvitation(other, keys, codeParts(keys, codeText(keys, makeInvitation(founder, keys, whole))))).toEqual({ ...whole, issuedBy: founder.self })
      }),
      { numRuns: 40 },
    )
  })

  it('is refused with any one character changed, cut or added', () => {
    const text = codeText(keys, makeInvitation(founder, keys, CODE))
    for (let at = 0; at < text.length; at += 7) {
      const wrong = text[at] === 'A' ? 'B' : 'A'
      expect(() => codeParts(keys, text.slice(0, at) + wrong + text.slice(at + 1)), String(at)).toThrow(MeshBoxError)
      expect(() => codeParts(keys, text.slice(0, at)), String(at)).toThrow(MeshBoxError)
    }
    expect(() => codeParts(keys, `${text}A`)).toThrow(MeshBoxError)
    expect(() => codeParts(keys, 'x'.repeat(100_000))).toThrow(MeshBoxError)
  })

  it('holds only with the settings that were signed for', () => {
    const made = makeInvitation(founder, keys, CODE)
    const cheaper = makeInvitation(founder, keys, { ...CODE, prices: { ...CODE.prices, perMiB: 1n } })
    expect(() => readInvitation(other, keys, { ticket: made.ticket, settings: cheaper.settings })).toThrow(/settings/)
  })

  it('is of the community alone', () => {
    expect(() => makeInvitation(other, keys, CODE)).toThrow(/community/)
    const forged = makeInvitation(other, keys, { ...CODE, community: other.self })
    expect(readTicket(founder, forged.ticket).community).toBe(other.self)
    const lied = makeInvitation({ ...other, self: founder.self }, keys, CODE) // signs with its own key in the community's name
    expect(() => readTicket(founder, lied.ticket)).toThrow(/signature/)
  })

  it.each([
    ['a name that is too long', { name: 'x'.repeat(33) }],
    ['a name with a line end', { name: 'a\nb' }],
    ['a password that no radio takes', { meshSecret: 'short' }],
    ['a password with a quote and a blank', { meshSecret: "pass' option x" }],
    ['a channel that is none', { meshChannel: 0 }],
    ['a prefix of the Internet', { ulaPrefix: '2001:db8:1::/64' }],
    ['no uses', { uses: 0 }],
    ['too many uses', { uses: 33 }],
    ['a symbol with a blank', { tokens: [{ address: TERMS.contract ?? '0x', symbol: 'S T', decimals: 1 }] }],
  ])('is not made with %s', (_what, change) => {
    expect(() => makeInvitation(founder, keys, { ...CODE, ...change })).toThrow(MeshBoxError)
  })

  it('says what to leave out when it would be too long', () => {
    const token = { address: hexOf(new Uint8Array(20).fill(1)), symbol: 'TWELVELETTER', decimals: 18 }
    const parts = makeInvitation(founder, keys, { ...CODE, name: 'n'.repeat(32), meshId: 'm'.repeat(32), meshSecret: 's'.repeat(63), tokens: [token, token, token] })
    expect(() => codeText(keys, parts)).toThrow(/shorter name, or fewer tokens/)
  })

  it('gives each box an address of its own under the prefix', () => {
    expect(meshAddressOf('fd12:3456:789a:1::/64', '0x0000000000000000000000000123456789abcdef')).toBe('fd12:3456:789a:1:123:4567:89ab:cdef')
    expect(() => prefixBytes('fd12:3456:789a::/48')).toThrow(/ulaPrefix/)
  })
})

describe('papers', () => {
  const { ticket: ticketFrame, settings } = makeInvitation(founder, keys, CODE)
  const ticket = readTicket(other, ticketFrame)

  it('a claim holds for one box and one ticket, and only who has the code can make one', () => {
    const claim = signClaim(keyOf(keys, settings), ticket, newcomer)
    expect(() => checkClaim(other, claim, ticket, newcomer)).not.toThrow()
    expect(() => checkClaim(other, claim, ticket, other.self)).toThrow(/claim/)
    expect(() => checkClaim(other, claim, { ...ticket, number: 4 }, newcomer)).toThrow(/claim/)
    expect(() => checkClaim(other, signClaim(other, ticket, newcomer), ticket, newcomer)).toThrow(/signature/)
  })

  it('an admission holds for one box, and no other paper passes for one', () => {
    expect(() => checkAdmission(other, signAdmission(founder, newcomer), founder.self, newcomer)).not.toThrow()
    expect(() => checkAdmission(other, signAdmission(founder, newcomer), founder.self, other.self)).toThrow(/admission/)
    expect(() => checkAdmission(other, signAdmission({ ...other, self: founder.self }, newcomer), founder.self, newcomer)).toThrow(/signature/)
    expect(() => checkAdmission(other, signClaim({ ...founder }, ticket, newcomer), founder.self, newcomer)).toThrow(/form/)
    expect(() => checkAdmission(other, ticketFrame, founder.self, newcomer)).toThrow(MeshBoxError)
  })

  it('a list is the community’s, and stays in its bounds however many tickets become void', () => {
    let list = emptyList(founder.self)
    for (let number = 2; number < 600; number += 2) list = voided(list, number)
    expect(list.void.length).toBeLessThanOrEqual(96)
    expect([isVoid(list, 598), isVoid(list, 599), isVoid(list, 596), isVoid(list, 3)]).toEqual([true, false, true, true])
    const whole = { ...list, sequence: 5, expelled: Array.from({ length: 96 }, (_, index) => boxDocuments(index).self).sort() }
    const frame = sealList(founder, whole)
    expect(frame.length).toBeLessThan(3500)
    expect(readList(other, frame, founder.self)).toEqual(whole)
    expect(() => readList(other, sealList({ ...other, self: founder.self }, whole), founder.self)).toThrow(/signature/)
    expect(() => readList(other, frame, other.self)).toThrow(/list/)
  })

  it('void in order makes no list at all', () => {
    const list = [1, 2, 3, 4].reduce(voided, emptyList(founder.self))
    expect(list).toMatchObject({ voidBelow: 5, void: [], nextNumber: 5 })
  })

  it('two lists of one community together say what either says', () => {
    const a = { ...voided(emptyList(founder.self), 4), sequence: 7, expelled: [newcomer] }
    const b = { ...[1, 2].reduce(voided, emptyList(founder.self)), sequence: 3, expelled: [other.self] }
    const both = joinedLists(a, b)
    expect(both).toMatchObject({ sequence: 8, voidBelow: 3, void: [4], nextNumber: 5 })
    expect([...both.expelled].sort()).toEqual([newcomer, other.self].sort())
  })
})

it('no bytes of a peer throw anything but an input error, and what is read is written as it came', () => {
  const good = [
    encodeJoinFrame({ kind: 'hello', listSequence: 4, paper: { kind: 'ticket', ticket: new Uint8Array(100), claim: new Uint8Array(90) } }),
    encodeJoinFrame({ kind: 'hello', listSequence: 0, paper: { kind: 'none' } }),
    encodeJoinFrame({ kind: 'list', frame: new Uint8Array(500) }),
    encodeJoinFrame({ kind: 'admission', frame: signAdmission(founder, newcomer) }),
  ]
  const damaged = fc.tuple(fc.constantFrom(...good), fc.nat(), fc.nat(255), fc.nat(600)).map(([frame, at, value, length]) => {
    const copy = frame.slice(0, Math.max(1, frame.length - (length % 3)))
    copy[at % copy.length] = value
    return copy
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (bytes) => {
      try {
        expect(hexOf(encodeJoinFrame(decodeJoinFrame(bytes)))).toBe(hexOf(bytes))
      } catch (thrown) {
        if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
      }
      for (const read of [() => readTicket(other, bytes), () => readList(other, bytes, founder.self), () => checkAdmission(other, bytes, founder.self, newcomer)]) {
        try {
          read()
        } catch (thrown) {
          if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
        }
      }
    }),
    { numRuns: RUNS },
  )
})

function meshPrefix(bytes: Uint8Array): string {
  const groups = [0xfd00 | (bytes[0] ?? 0), ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0), ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0), ((bytes[5] ?? 0) << 8) | (bytes[6] ?? 0)].map((group) => group.toString(16))
  if (groups[3] === '0') groups.pop()
  return `${groups.join(':')}::/64`
}
