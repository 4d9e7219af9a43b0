import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { issueTicket, readTicket } from '../../../src/hotspot/ticket/index.ts'
import { bearerKind, encodeCode, encodeQr } from '../../../src/hotspot/voucher/index.ts'
import { SYMBOLS, bytesToSymbols, symbolsToBytes } from '../../../src/hotspot/voucher/symbols.ts'
import vectors from '../../vectors/vouchers.json' with { type: 'json' }
import { KEYS, OTHER_KEYS } from './fixed-keys.ts'

const facts = fc.record({ sessionId: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 16 }), counter: fc.nat(0xffff_ffff) })
const TICKET = issueTicket({ sessionId: '0123456789abcdef', counter: 1 }, KEYS)

function expectRefused(text: string, keys = KEYS): void {
  expect(() => readTicket(text, keys)).toThrow(expect.objectContaining({ name: 'MeshBoxError', kind: 'input', code: 'bad-code' }))
}

describe('ticket', () => {
  it('agrees with the vectors, both ways', () => {
    for (const { ticket, ...written } of vectors.tickets) {
      expect(issueTicket(written, KEYS)).toBe(ticket)
      expect(readTicket(ticket, KEYS)).toEqual(written)
    }
  })

  it('gives back any session and counter, bare or in a URL of any host', () => {
    fc.assert(
      fc.property(facts, (written) => {
        const ticket = issueTicket(written, KEYS)
        expect(ticket).toMatch(/^U[0-9A-HJKMNP-TV-Z]{36}$/)
        for (const text of [ticket, `http://wifi.lan/t/${ticket}`, `HTTPS://10.0.0.1:2080/T/${ticket}`, ` ${ticket}\n`])
          expect(readTicket(text, KEYS)).toEqual(written)
      }),
    )
  })

  it('is refused when any bit of it is another, and with another owner’s key', () => {
    const bytes = symbolsToBytes(TICKET.slice(1))
    if (bytes === null) return expect.unreachable()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expectRefused(`U${bytesToSymbols(changed)}`)
    }
    expectRefused(TICKET, OTHER_KEYS)
  })

  it.each(['', 'U', TICKET.slice(1), TICKET.slice(0, -1), `${TICKET}0`, TICKET.toLowerCase(), `http://wifi.lan/v/${TICKET}`, `http://wifi.lan/t/${TICKET}?x`, 'U'.repeat(37), 'U'.repeat(1_000_000)])(
    'is refused in any other text (%#)',
    (text) => expectRefused(text),
  )

  it.each([
    { sessionId: '0123456789ABCDEF', counter: 0 },
    { sessionId: '0123', counter: 0 },
    { sessionId: '0123456789abcdef', counter: -1 },
    { sessionId: '0123456789abcdef', counter: 2 ** 32 },
    { sessionId: '0123456789abcdef', counter: 0.5 },
  ])('is not made from %o', (written) => {
    expect(() => issueTicket(written, KEYS)).toThrow(expect.objectContaining({ kind: 'input' }))
  })

  it('never throws anything but an input error, whatever the text', () => {
    const symbols = fc.string({ unit: fc.constantFrom(...SYMBOLS, 'U'), minLength: 30, maxLength: 40 }).map((text) => `U${text}`)
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), symbols), (text) => {
        expect(() => readTicket(text, KEYS)).toThrow(MeshBoxError)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('kind of bearer', () => {
  it('is told by form', () => {
    const terms = { slot: 1, box: 0, serial: 7, seconds: 60, bytes: null, tokens: null, devices: 1, downKbps: null, upKbps: null, price: 0n, validUntilDay: null }
    const url = encodeQr(terms, KEYS, 'http://wifi.lan')
    expect(bearerKind(encodeCode(terms, KEYS))).toBe('code')
    expect(bearerKind('abcde fghjk')).toBe('code')
    expect(bearerKind(url)).toBe('qr')
    expect(bearerKind(url.slice(url.lastIndexOf('/') + 1))).toBe('qr')
    expect(bearerKind(TICKET)).toBe('ticket')
    expect(bearerKind(`http://wifi.lan/t/${TICKET}`)).toBe('ticket')
    for (const text of ['', 'hello', 'http://wifi.lan/', `http://wifi.lan/v/${TICKET}`, 'A'.repeat(100), 'A'.repeat(1_000_000)]) expect(bearerKind(text)).toBeNull()
  })
})
