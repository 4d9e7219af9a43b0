import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashCounters, verifyReceipt, writeReceipt } from '../../../src/hotspot/receipt/index.ts'
import type { ReceiptFacts } from '../../../src/hotspot/receipt/index.ts'
import vectors from '../../vectors/vouchers.json' with { type: 'json' }
import { boxSigner } from './fixed-keys.ts'

const [VECTOR] = vectors.receipts
if (VECTOR === undefined) throw new Error('no receipt in the vectors')
const SIGNER = boxSigner(VECTOR.boxKey)
const FACTS: ReceiptFacts = { ...VECTOR.facts, price: BigInt(VECTOR.facts.price), refunded: BigInt(VECTOR.facts.refunded) }
const RECEIPT = writeReceipt(FACTS, SIGNER)
const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n

const hex = (length: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const count = fc.nat(Number.MAX_SAFE_INTEGER)
const name = fc.string({ unit: 'binary', maxLength: 70 })
const unixSeconds = fc.nat(253_402_300_799)
const facts: fc.Arbitrary<ReceiptFacts> = fc
  .record({
    venue: name,
    receiptNumber: fc.stringMatching(/^[0-9A-Za-z-]{1,32}$/),
    sessionId: hex(16),
    label: name,
    boughtSeconds: fc.option(count),
    boughtBytes: fc.option(count),
    tokenSymbol: name,
    tokenDecimals: fc.nat(36),
    price: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    refunded: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    secondsUsed: count,
    upBytes: count,
    downBytes: count,
    startedUnixSeconds: unixSeconds,
    startedTrusted: fc.boolean(),
    endedUnixSeconds: fc.option(unixSeconds),
    endedTrusted: fc.boolean(),
    countersHash: hex(64),
  })
  .map((drawn) => (drawn.endedUnixSeconds === null ? { ...drawn, endedTrusted: false } : drawn))

const isValid = (text: string): boolean => verifyReceipt(text).valid

describe('receipt', () => {
  it('agrees with the vector, both ways', () => {
    expect(SIGNER.address).toBe(VECTOR.address)
    expect(RECEIPT).toBe(VECTOR.text)
    expect(verifyReceipt(VECTOR.text)).toEqual({ valid: true, address: VECTOR.address, facts: FACTS })
    expect(hashCounters(FACTS.sessionId, VECTOR.devices)).toBe(FACTS.countersHash)
  })

  it('reads as it should', () => {
    expect(RECEIPT.split('\n').slice(0, 17)).toEqual([
      'MeshBox receipt 1',
      'Venue: Café Rosa',
      'Box: 0x74D6F908a320Fed7E1c0002eBa7996C4376A8071',
      'Receipt: 42',
      'Session: 0123456789abcdef',
      'Bought: 30 minutes',
      'Time bought: 1800 s (0:30:00)',
      'Data bought: not limited',
      'Token: MBX, 18 decimals',
      'Price: 2.5 MBX',
      'Refunded: 0 MBX',
      'Time used: 1234 s (0:20:34)',
      'Data sent: 1001 bytes (0 MiB)',
      'Data received: 2002 bytes (0 MiB)',
      'Started: 2026-11-21 22:26:40 UTC',
      'Ended: 2026-11-21 22:47:14 UTC (clock not verified)',
      `Counters: sha256 ${FACTS.countersHash}`,
    ])
    const open = writeReceipt({ ...FACTS, boughtSeconds: null, boughtBytes: 1_572_864, endedUnixSeconds: null }, SIGNER)
    for (const line of ['Time bought: not limited', 'Data bought: 1572864 bytes (1.5 MiB)', 'Ended: not yet']) expect(open).toContain(`\n${line}\n`)
  })

  it('gives back any facts, and its text is the only one for them', () => {
    fc.assert(
      fc.property(facts, (written) => {
        const text = writeReceipt(written, SIGNER)
        const check = verifyReceipt(text)
        if (!check.valid) return expect.unreachable(check.reason)
        const { venue, label, tokenSymbol, ...rest } = check.facts
        expect({ ...written, venue, label, tokenSymbol }).toEqual({ ...rest, venue, label, tokenSymbol })
        expect(check.address).toBe(SIGNER.address)
        expect(writeReceipt(check.facts, SIGNER)).toBe(text)
        expect(text.split('\n')).toHaveLength(19)
        expect(new TextEncoder().encode(text).length).toBeLessThan(2048)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps names that are fit to print, letter by letter', () => {
    const printable = fc.string({ unit: fc.constantFrom(...'aZ9 :,-.éß漢ع\u200f\u200d😀'), minLength: 1, maxLength: 40 }).filter((text) => text === text.trim() && !text.includes('  '))
    fc.assert(
      fc.property(printable, printable, (venue, label) => {
        const check = verifyReceipt(writeReceipt({ ...FACTS, venue, label }, SIGNER))
        if (!check.valid) return expect.unreachable(check.reason)
        expect(check.facts).toMatchObject({ venue, label })
      }),
      { numRuns: 40 },
    )
  })

  it.each([
    ['a line feed', 'Rosa\nPrice: 0 MBX', 'Rosa Price: 0 MBX'],
    ['Windows and old Mac line ends', 'Rosa\r\nBox: 0x\rX', 'Rosa Box: 0x X'],
    ['Unicode line and paragraph ends', 'Rosa\u2028Box\u2029X\u0085Y\u000bZ', 'Rosa Box X Y Z'],
    ['text direction overrides', 'Rosa\u202eXBM 0\u2066', 'Rosa XBM 0'],
    ['terminal escapes', '\u001b[31mRosa\u0007', '[31mRosa'],
    ['halves of a character', 'Rosa\ud800', 'Rosa\ufffd'],
    ['nothing but space', ' \n\t ', '-'],
    ['more than fits', 'R'.repeat(500), 'R'.repeat(48)],
  ])('a name cannot smuggle in %s', (_name, venue, shown) => {
    const check = verifyReceipt(writeReceipt({ ...FACTS, venue }, SIGNER))
    if (!check.valid) return expect.unreachable(check.reason)
    expect(check.facts).toEqual({ ...FACTS, venue: shown })
  })

  it('detects a change of any byte', () => {
    const bytes = Buffer.from(RECEIPT)
    for (let at = 0; at < bytes.length; at++)
      for (const change of [1, 2, 0x20, 0x80]) {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ change
        const text = changed.toString('utf8')
        if (isValid(text)) expect.unreachable(`byte ${at}, ${JSON.stringify(text.slice(Math.max(0, at - 20), at + 20))}`)
      }
  })

  it('detects lines left out, doubled, added or exchanged', () => {
    const lines = RECEIPT.split('\n').slice(0, -1)
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at] ?? ''
      expect(isValid([...lines.slice(0, at), ...lines.slice(at + 1), ''].join('\n'))).toBe(false)
      expect(isValid([...lines.slice(0, at), line, ...lines.slice(at), ''].join('\n'))).toBe(false)
      expect(isValid([...lines.slice(0, at), 'Note: paid twice', ...lines.slice(at), ''].join('\n'))).toBe(false)
      if (at > 0) expect(isValid([...lines.slice(0, at - 1), line, lines[at - 1], ...lines.slice(at + 1), ''].join('\n'))).toBe(false)
    }
  })

  it('takes Windows line ends and a missing last one for the same text, and nothing else', () => {
    expect(isValid(RECEIPT.replaceAll('\n', '\r\n'))).toBe(true)
    expect(isValid(RECEIPT.slice(0, -1))).toBe(true)
    for (const other of [`${RECEIPT}\n`, ` ${RECEIPT}`, `\ufeff${RECEIPT}`, RECEIPT.replaceAll('\n', '\r'), RECEIPT.replaceAll('\n', '\r\r\n'), RECEIPT.replace('Café', 'Cafe\u0301'), RECEIPT.replace(': ', ':  ')])
      expect(isValid(other)).toBe(false)
  })

  it('detects a receipt of one box under the name of another', () => {
    const other = boxSigner('11'.repeat(32))
    const forged = writeReceipt(FACTS, { address: SIGNER.address, signText: (text) => other.signText(text) })
    expect(verifyReceipt(forged)).toEqual({ valid: false, reason: expect.stringContaining(SIGNER.address) as string })
    expect(isValid(RECEIPT.replace(SIGNER.address, other.address))).toBe(false)
    expect(isValid(RECEIPT.replace(SIGNER.address, SIGNER.address.toLowerCase()))).toBe(false)
  })

  it('has no second signature: not with high s, not with v of 0 or 1, not in capitals', () => {
    const signature = RECEIPT.slice(RECEIPT.lastIndexOf('0x') + 2, -1)
    const [r, s, v] = [signature.slice(0, 64), BigInt(`0x${signature.slice(64, 128)}`), Number.parseInt(signature.slice(128), 16)]
    const text = (hexSignature: string): string => RECEIPT.replace(signature, hexSignature)
    const tail = (number: number): string => number.toString(16).padStart(2, '0')
    expect(isValid(text(r + (ORDER - s).toString(16).padStart(64, '0') + tail(55 - v)))).toBe(false)
    expect(isValid(text(signature.slice(0, 128) + tail(v - 27)))).toBe(false)
    expect(isValid(text(signature.toUpperCase()))).toBe(false)
    for (const impossible of ['0'.repeat(130), `${'f'.repeat(128)}1b`, `${'0'.repeat(128)}1b`, `${r}${'0'.repeat(64)}1b`]) expect(isValid(text(impossible))).toBe(false)
  })

  it('never throws, whatever the text', () => {
    const lines = fc.array(fc.constantFrom(...RECEIPT.split('\n'), 'x', ''), { maxLength: 25 }).map((some) => some.join('\n'))
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), lines), (text) => void expect(isValid(text)).toBe(text === RECEIPT || text === RECEIPT.slice(0, -1))), { numRuns: 1000 })
    expect(verifyReceipt('x'.repeat(10_000_000))).toEqual({ valid: false, reason: 'too long for a receipt' })
  })

  it.each([
    [{ receiptNumber: '' }, 'receiptNumber'],
    [{ receiptNumber: '1\n2' }, 'receiptNumber'],
    [{ sessionId: '0123' }, 'sessionId'],
    [{ countersHash: 'x' }, 'countersHash'],
    [{ boughtSeconds: -1 }, 'boughtSeconds'],
    [{ secondsUsed: 1.5 }, 'secondsUsed'],
    [{ upBytes: Number.NaN }, 'upBytes'],
    [{ price: -1n }, 'price'],
    [{ refunded: 1n << 128n }, 'refunded'],
    [{ tokenDecimals: 37 }, 'tokenDecimals'],
    [{ startedUnixSeconds: -1 }, 'startedUnixSeconds'],
    [{ endedUnixSeconds: 253_402_300_800 }, 'endedUnixSeconds'],
  ])('is not written from %o', (change, field) => {
    expect(() => writeReceipt({ ...FACTS, ...change }, SIGNER)).toThrow(expect.objectContaining({ kind: 'input', field }))
  })
})

describe('hash of the counters', () => {
  const device = { mac: '02:00:00:00:00:01', upBytes: 1, downBytes: 2, upPackets: 3, downPackets: 4 }
  it('is over the written list, in any order of the devices', () => {
    const other = { ...device, mac: '02:00:00:00:00:00', upBytes: 9 }
    const list = 'meshbox counters 1\n0123456789abcdef\n02:00:00:00:00:00 9 2 3 4\n02:00:00:00:00:01 1 2 3 4\n'
    const expected = createHash('sha256').update(list).digest('hex')
    expect(hashCounters('0123456789abcdef', [device, other])).toBe(expected)
    expect(hashCounters('0123456789abcdef', [other, device])).toBe(expected)
  })

  it('is over nothing malformed', () => {
    for (const wrong of [[device, device], [{ ...device, mac: '02:00:00:00:00:0G' }], [{ ...device, upBytes: -1 }], [{ ...device, downPackets: 0.5 }]])
      expect(() => hashCounters('0123456789abcdef', wrong)).toThrow(expect.objectContaining({ kind: 'input' }))
    expect(() => hashCounters('x', [])).toThrow(expect.objectContaining({ field: 'sessionId' }))
  })
})
