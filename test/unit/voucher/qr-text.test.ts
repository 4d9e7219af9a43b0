import fc from 'fast-check'
import encodeQR from 'qr'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, concatBytes, utf8 } from '../../../src/base/index.ts'
import { bearerKind, encodeQr, readQr, voucherId } from '../../../src/hotspot/voucher/index.ts'
import type { VoucherTerms } from '../../../src/hotspot/voucher/index.ts'
import { SYMBOLS, bytesToSymbols, symbolsToBytes } from '../../../src/hotspot/voucher/symbols.ts'
import vectors from '../../vectors/vouchers.json' with { type: 'json' }
import { KEYS, OTHER_KEYS } from './fixed-keys.ts'

const TERMS: VoucherTerms = { slot: 3, box: 2, serial: 12345, seconds: 1800, bytes: null, tokens: null, devices: 1, downKbps: null, upKbps: null, price: 2n, validUntilDay: null }
const orNull = (values: fc.Arbitrary<number>): fc.Arbitrary<number | null> => fc.option(values)
const timeTerms: fc.Arbitrary<VoucherTerms> = fc
  .record({
    slot: fc.nat(15),
    box: fc.nat(3),
    serial: fc.nat(32767),
    seconds: orNull(fc.integer({ min: 1, max: 0xffff_ffff })),
    bytes: orNull(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    tokens: fc.constant(null),
    devices: fc.integer({ min: 1, max: 255 }),
    downKbps: orNull(fc.integer({ min: 1, max: 0xffff_ffff })),
    upKbps: orNull(fc.integer({ min: 1, max: 0xffff_ffff })),
    price: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    validUntilDay: orNull(fc.nat(99_999)),
  })
  .filter((candidate) => candidate.seconds !== null || candidate.bytes !== null)
const tokenTerms: fc.Arbitrary<VoucherTerms> = fc
  .tuple(timeTerms, fc.bigInt({ min: 1n, max: (1n << 128n) - 1n }))
  .map(([written, tokens]) => ({ ...written, seconds: null, bytes: null, downKbps: null, upKbps: null, tokens }))
const terms = fc.oneof(timeTerms, tokenTerms)

const payloadOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1)

function expectRefused(text: string, keys = KEYS): void {
  expect(() => readQr(text, keys)).toThrow(expect.objectContaining({ name: 'MeshBoxError', kind: 'input', code: 'bad-code' }))
}

/** A body of the test's making, signed with the owner's own key: only its form can be wrong. */
function signedPayload(body: Uint8Array): string {
  return bytesToSymbols(concatBytes(body, KEYS.sign(concatBytes(utf8('meshbox voucher 1\0'), body))))
}

describe('symbols', () => {
  it('give back any bytes, and only from their one text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const text = bytesToSymbols(bytes)
        expect(symbolsToBytes(text)).toEqual(bytes)
        for (const other of [`${text}0`, text.slice(0, -1)])
          if (other !== text) expect(symbolsToBytes(other)).not.toEqual(bytes)
      }),
    )
  })

  it('refuse filling bits, foreign symbols and impossible lengths', () => {
    expect(symbolsToBytes('ZW')).toEqual(Uint8Array.of(255))
    for (const text of ['ZX', 'ZZ', 'Z', 'ZWZ', 'zw', 'ZU', 'Z=', 'Z٠']) expect(symbolsToBytes(text)).toBeNull()
    expect(SYMBOLS).toHaveLength(32)
  })
})

describe('scanned voucher', () => {
  it('agrees with the vectors, both ways', () => {
    for (const { terms: written, portal, url } of vectors.vouchers) {
      const expected: VoucherTerms = { ...written, tokens: null, price: BigInt(written.price) }
      expect(encodeQr(expected, KEYS, portal)).toBe(url)
      expect(readQr(url, KEYS)).toEqual(expected)
      expect(readQr(payloadOf(url), KEYS)).toEqual(expected)
    }
  })

  it('gives back any terms', () => {
    fc.assert(
      fc.property(terms, (written) => {
        const url = encodeQr(written, KEYS, 'https://portal.example:8443/')
        expect(url).toMatch(/^HTTPS:\/\/PORTAL\.EXAMPLE:8443\/V\/[0-9A-HJKMNP-TV-Z]{116,184}$/)
        expect(readQr(url, KEYS)).toEqual(written)
        expect(bearerKind(url)).toBe('qr')
      }),
    )
  })

  it('is read from any host, either case of scheme, host and path, with space around', () => {
    const payload = payloadOf(encodeQr(TERMS, KEYS, 'http://wifi.lan'))
    for (const text of [payload, `http://other.box/v/${payload}`, `HTTPS://10.0.0.1:2080/V/${payload}`, ` http://[fd00::1]/v/${payload}\n`])
      expect(readQr(text, KEYS)).toEqual(TERMS)
  })

  it('is refused when any bit of it is another', () => {
    const bytes = symbolsToBytes(payloadOf(encodeQr({ ...TERMS, bytes: 5_000_000, validUntilDay: 20_900 }, KEYS, 'http://wifi.lan')))
    if (bytes === null) return expect.unreachable()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expectRefused(bytesToSymbols(changed))
    }
  })

  it('is refused with another owner’s key', () => {
    expectRefused(encodeQr(TERMS, OTHER_KEYS, 'http://wifi.lan'))
    expectRefused(encodeQr(TERMS, KEYS, 'http://wifi.lan'), OTHER_KEYS)
  })

  it.each([
    ['lower case', (payload: string) => payload.toLowerCase()],
    ['one symbol more', (payload: string) => `${payload}0`],
    ['one symbol less', (payload: string) => payload.slice(0, -1)],
    ['a typed look-alike', (payload: string) => payload.replace('0', 'O')],
    ['a query', (payload: string) => `http://wifi.lan/v/${payload}?x=1`],
    ['a fragment', (payload: string) => `http://wifi.lan/v/${payload}#x`],
    ['another path', (payload: string) => `http://wifi.lan/w/${payload}`],
    ['a user in the host', (payload: string) => `http://me@wifi.lan/v/${payload}`],
    ['another scheme', (payload: string) => `ftp://wifi.lan/v/${payload}`],
    ['space inside', (payload: string) => `${payload.slice(0, 20)} ${payload.slice(20)}`],
    ['a megabyte', (payload: string) => payload + '0'.repeat(1_000_000)],
    ['nothing', () => ''],
  ])('is refused in any other text: %s', (_name, change) => {
    expectRefused(change(payloadOf(encodeQr(TERMS, KEYS, 'http://wifi.lan'))))
  })

  it('is read in the layout that is written down', () => {
    // version, number (slot 3, box 2, serial 12345), flags, devices, seconds 1800, price 2
    expect(readQr(signedPayload(Uint8Array.of(1, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x0e, 2)), KEYS)).toEqual(TERMS)
  })

  it.each([
    ['a version of tomorrow', [2, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x0e, 2]],
    ['a number of more than 21 bits', [1, 0x27, 0x30, 0x39, 1, 1, 0x88, 0x0e, 2]],
    ['an unknown field', [1, 0x07, 0x30, 0x39, 33, 1, 0x88, 0x0e, 2]],
    ['no device', [1, 0x07, 0x30, 0x39, 1, 0, 0x88, 0x0e, 2]],
    ['no limit at all', [1, 0x07, 0x30, 0x39, 16, 1, 0x88, 0x0e, 2]],
    ['zero seconds', [1, 0x07, 0x30, 0x39, 1, 1, 0, 2]],
    ['too many seconds', [1, 0x07, 0x30, 0x39, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 2]],
    ['too many bytes', [1, 0x07, 0x30, 0x39, 2, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 2]],
    ['a day too late', [1, 0x07, 0x30, 0x39, 17, 1, 1, 0xa0, 0x8d, 0x06, 2]],
    ['a varint longer than needed', [1, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x8e, 0x00, 2]],
    ['a price longer than needed', [1, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x0e, 0x82, 0x00]],
    ['a price of 2^128', [1, 0x07, 0x30, 0x39, 1, 1, 1, ...Array<number>(18).fill(0x80), 0x04]],
    ['an endless price', [1, 0x07, 0x30, 0x39, 1, 1, 1, ...Array<number>(40).fill(0x80), 1]],
    ['no price', [1, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x0e]],
    ['a price that breaks off', [1, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x0e, 0x82]],
    ['a byte left over', [1, 0x07, 0x30, 0x39, 1, 1, 0x88, 0x0e, 2, 0]],
    ['nothing before the signature', []],
  ])('is refused with the owner’s own signature over %s', (_name, body) => {
    expectRefused(signedPayload(Uint8Array.from(body)))
  })

  it('has no second text by adding the group order to the signature', () => {
    const order = (1n << 252n) + 27742317777372353535851937790883648493n
    const bytes = symbolsToBytes(payloadOf(encodeQr(TERMS, KEYS, 'http://wifi.lan')))
    if (bytes === null) return expect.unreachable()
    let s = 0n
    for (const byte of bytes.slice(-32).reverse()) s = (s << 8n) | BigInt(byte)
    let other = s + order
    for (let at = bytes.length - 32; at < bytes.length; at++, other >>= 8n) bytes[at] = Number(other & 255n)
    expectRefused(bytesToSymbols(bytes))
    expect(() => readQr(bytesToSymbols(bytes), { verify: () => true })).toThrow('not a voucher')
  })

  it.each([
    [{ slot: 16 }, 'slot'],
    [{ box: -1 }, 'box'],
    [{ serial: 1.5 }, 'serial'],
    [{ seconds: 0 }, 'seconds'],
    [{ seconds: null }, 'seconds'],
    [{ seconds: 0x1_0000_0000 }, 'seconds'],
    [{ bytes: Number.MAX_SAFE_INTEGER + 1 }, 'bytes'],
    [{ devices: 0 }, 'devices'],
    [{ devices: 256 }, 'devices'],
    [{ downKbps: -5 }, 'downKbps'],
    [{ upKbps: Number.NaN }, 'upKbps'],
    [{ price: -1n }, 'price'],
    [{ price: 1n << 128n }, 'price'],
    [{ validUntilDay: 100_000 }, 'validUntilDay'],
  ])('is not made from %o', (change, field) => {
    expect(() => encodeQr({ ...TERMS, ...change }, KEYS, 'http://wifi.lan')).toThrow(expect.objectContaining({ kind: 'input', field }))
  })

  it.each(['', 'wifi.lan', 'ftp://wifi.lan', 'http://', 'http://wifi.lan/x', 'http://a b', 'http://u@h', 'http://wifi.lan//'])(
    'is not made for the portal %o',
    (portal) => {
      expect(() => encodeQr(TERMS, KEYS, portal)).toThrow(expect.objectContaining({ kind: 'input', field: 'portalBaseUrl' }))
    },
  )

  it('fits a QR code of 45 modules with medium correction, smaller than base64url would', () => {
    const voucher = { ...TERMS, price: 2_500_000_000_000_000_000n, validUntilDay: 20_900 }
    const url = encodeQr(voucher, KEYS, 'http://wifi.lan')
    const modules = (text: string): number => encodeQR(text, 'raw', { ecc: 'medium', border: 1 }).length - 2
    const inBase64Url = `http://wifi.lan/v/${Buffer.from(symbolsToBytes(payloadOf(url)) ?? []).toString('base64url')}`
    expect(modules(url)).toBeLessThanOrEqual(45)
    expect(modules(url)).toBeLessThan(modules(inBase64Url))
  })

  it('never throws anything but an input error, whatever the text', () => {
    const check = (text: string): void => {
      try {
        readQr(text, KEYS)
        expect.unreachable('a random text was taken for a voucher')
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(MeshBoxError)
      }
    }
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), check), { numRuns: 3000 })
    const symbols = fc.string({ unit: fc.constantFrom(...SYMBOLS), minLength: 110, maxLength: 190 })
    fc.assert(fc.property(symbols, check), { numRuns: 2000 })
  })
})

describe('voucher id', () => {
  it('is the same for both forms', () => {
    expect(voucherId(TERMS)).toBe('3.2.12345')
    expect(voucherId(readQr(encodeQr(TERMS, KEYS, 'http://wifi.lan'), KEYS))).toBe('3.2.12345')
  })
})
